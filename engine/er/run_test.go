package er

import (
	"errors"
	"testing"

	"wpsd/engine/registration"
	"wpsd/engine/wsc"
)

var (
	phone  = wsc.MAC{2, 0, 0, 1, 0, 1}
	tablet = wsc.MAC{2, 0, 0, 1, 0, 2}
)

func TestLearn(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	run, actions, err := w.r.Learn(w.now, aps[0].id(), pin("12345670"))
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	e := w.mustEnd(run)
	if e.Err != nil || string(e.Settings.SSID) != "net" || string(e.Settings.NetworkKey.Bytes()) != "old passphrase" {
		t.Fatalf("%+v", e)
	}
	if ap, err := w.r.FindAP(wsc.UUID{}, aps[0].mac); err != nil || !ap.HasSettings {
		t.Errorf("%+v, %v: the settings are not kept", ap, err)
	}
	if err := aps[0].enrollee.Outcome().Err; !errors.Is(err, registration.ErrNack) {
		t.Errorf("the access point did not get the NACK that ends the run: %v", err)
	}
}

func TestEnrolByPIN(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	actions, err := w.r.SetConfig(w.now, aps[0].id(), network("home", "correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	run, actions, err := w.r.AllowPIN(w.now, PINGrant{PIN: pin("12345670").Value})
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	if aps[0].selected == nil || !aps[0].selected.Authorizes(phone) || aps[1].selected != nil {
		t.Fatalf("selected %+v and %+v", aps[0].selected, aps[1].selected)
	}
	s := aps[0].join(phone, pin("12345670"))
	if s.got() != "home/correct horse" {
		t.Fatalf("the station got %q: %q", s.got(), w.told())
	}
	e := w.mustEnd(run)
	if e.Err != nil || e.Peer != phone || string(e.Settings.SSID) != "home" || e.AP != aps[0].id() {
		t.Errorf("%+v", e)
	}
	if aps[0].selected != nil {
		t.Error("the Registrar is still selected")
	}
}
