package sim_test

import (
	"errors"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

var cameraMAC = wsc.MAC{2, 0, 0, 0, 9, 1}

// camera is a device that may want in.
func (r *room) camera() *sim.Enrollee {
	r.Helper()
	return r.device("camera", cameraMAC)
}

func (r *room) device(name string, mac wsc.MAC) *sim.Enrollee {
	r.Helper()
	e, err := r.w.AddEnrollee(sim.EnrolleeOptions{Name: name, MAC: mac})
	if err != nil {
		r.Fatal(err)
	}
	return e
}

// do fails the test if err is not nil.
func (r *room) do(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// ends waits for the end of a device's search.
func (r *room) ends(e *sim.Enrollee, want error) sim.EnrolleeResult {
	r.Helper()
	result, err := e.Wait(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if !errors.Is(result.Err, want) {
		r.Fatalf("the device ended with %v, not with %v", result.Err, want)
	}
	return result
}

// isIn waits until a device is in the network.
func (r *room) isIn(e *sim.Enrollee, ap *sim.AP) sim.EnrolleeResult {
	r.Helper()
	result := r.ends(e, nil)
	if result.AP != ap.BSSID() || result.SSID != "home" || !result.Key.Equal(ap.Key()) {
		r.Errorf("it is in %q, by %s", result.SSID, result.AP)
	}
	return result
}

func TestEnrollee(t *testing.T) {
	t.Parallel()
	bubbles(t, enrolleeCases)
}

var enrolleeCases = []bubble{
	{"a device whose button is pressed gets in when that of the access point is", func(r *room) {
		ap, e := r.home(nil), r.camera()
		r.do(e.PressButton())
		time.Sleep(30 * time.Second)
		r.do(ap.PressButton())
		if result := r.isIn(e, ap); result.Registrar != wsc.UUIDFromMAC(homeBSSID) ||
			!result.ByPBC {
			r.Errorf("%v let it in", result.Registrar)
		}
	}},
	{"the network of an access point that was not configured comes up a moment later",
		func(r *room) {
			ap, e := r.home(func(o *sim.APOptions) {
				o.Unconfigured, o.Security, o.Key = true, sim.Open, secret.Value{}
			}), r.camera()
			r.do(ap.PressButton())
			r.do(e.PressButton())
			r.isIn(e, ap)
		}},
	{"a device gets in with its PIN", func(r *room) {
		ap, e := r.home(nil), r.camera()
		r.do(ap.SetPIN(rightPIN.Value))
		r.do(e.UsePIN(rightPIN.Value))
		r.isIn(e, ap)
	}},
	{"a PIN is offered to an access point that does not ask for it, after a while", func(r *room) {
		ap, e := r.home(nil), r.camera()
		began := time.Now()
		r.do(ap.SetPIN(rightPIN.Value))
		time.Sleep(3 * time.Minute)
		r.do(e.UsePIN(rightPIN.Value))
		r.isIn(e, ap)
		if time.Since(began) < 3*time.Minute+5*time.Second {
			r.Error("at once")
		}
	}},
	{"a wrong PIN ends it", func(r *room) {
		ap, e := r.home(nil), r.camera()
		r.do(ap.SetPIN(rightPIN.Value))
		r.do(e.UsePIN(wrongSecond.Value))
		r.ends(e, registration.ErrPassword)
		if !ap.Happened(sim.RunFailed) {
			r.Error("the access point knows nothing of it")
		}
	}},
	{"an access point that waits for another PIN is passed over", func(r *room) {
		other := r.home(func(o *sim.APOptions) {
			o.SSID, o.BSSs = "other", []sim.BSS{{BSSID: homeBSSID5, Frequency: 2412, Signal: -30}}
		})
		ap, e := r.home(nil), r.camera()
		r.do(other.SetPIN(wrongFirst.Value))
		r.do(ap.SetPIN(rightPIN.Value))
		r.do(e.UsePIN(rightPIN.Value))
		r.isIn(e, ap)
		if !other.Happened(sim.RunFailed) {
			r.Error("it was not tried")
		}
	}},
	{"nobody has its PIN, and one has another", func(r *room) {
		ap, e := r.home(nil), r.camera()
		r.do(ap.SetPIN(rightPIN.Value))
		r.do(e.UsePIN(wrongFirst.Value))
		r.ends(e, registration.ErrPassword)
	}},
	{"nobody waits for it", func(r *room) {
		r.home(nil)
		e, began := r.camera(), time.Now()
		r.do(e.PressButton())
		r.ends(e, sim.ErrWalkTime)
		if took := time.Since(began); took != 2*time.Minute {
			r.Errorf("it looked for %v", took)
		}
	}},
	{"nobody of the story presses a button for it", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { o.Story.PressAfter = time.Second })
		e := r.camera()
		r.do(e.PressButton())
		r.ends(e, sim.ErrWalkTime)
		if ap.Happened(sim.ButtonPressed) {
			r.Error("somebody did")
		}
	}},
	{"two pressed buttons are an overlap", func(r *room) {
		one := r.home(nil)
		other := r.home(func(o *sim.APOptions) {
			o.SSID, o.BSSs = "other", []sim.BSS{{BSSID: homeBSSID5, Frequency: 2412}}
		})
		r.do(one.PressButton())
		r.do(other.PressButton())
		e := r.camera()
		r.do(e.PressButton())
		r.ends(e, drivers.ErrOverlap)
	}},
	{"a credential for another network is of no use", func(r *room) {
		ap, e := r.home(func(o *sim.APOptions) {
			o.Credentials = []wsc.Credential{{SSID: []byte("home"), AuthType: wsc.AuthWPA2PSK,
				EncrType: wsc.EncrAES, NetworkKey: secret.FromString("another key")}}
		}), r.camera()
		r.do(ap.PressButton())
		r.do(e.PressButton())
		r.ends(e, sim.ErrUnusable)
	}},
	{"it can be stopped, and started again", func(r *room) {
		ap, e := r.home(nil), r.camera()
		r.do(e.PressButton())
		time.Sleep(time.Second)
		e.Stop()
		r.ends(e, sim.ErrGaveUp)
		r.do(e.PressButton())
		r.do(e.UsePIN(rightPIN.Value)) // ends the search before
		r.do(ap.SetPIN(rightPIN.Value))
		r.isIn(e, ap)
	}},
	{"one that was removed does nothing, and its name and address are free", func(r *room) {
		e := r.camera()
		r.do(e.PressButton())
		r.w.RemoveEnrollee(e)
		r.ends(e, sim.ErrGaveUp)
		if e.PressButton() == nil || r.w.Enrollee("camera") != nil {
			r.Error("it is still there")
		}
		r.camera()
	}},
	{"names and addresses are unique", func(r *room) {
		r.camera()
		for _, o := range []sim.EnrolleeOptions{
			{Name: "camera", MAC: wsc.MAC{2, 0, 0, 0, 9, 2}}, {Name: "other", MAC: cameraMAC},
			{Name: "other", MAC: laptop}, {MAC: homeBSSID}, {Name: "other"},
		} {
			if _, err := r.w.AddEnrollee(o); err == nil {
				r.Errorf("%+v is accepted", o)
			}
		}
		if err := r.w.AddRadio(sim.Radio{Name: "camera", MAC: homeBSSID}); err == nil {
			r.Error("an interface with its name")
		}
	}},
	{"an access point that was switched off lets nobody in, and does when it is back",
		func(r *room) {
			ap, e := r.home(nil), r.camera()
			r.do(ap.SetPIN(rightPIN.Value))
			r.w.RemoveAP(ap)
			r.do(e.UsePIN(rightPIN.Value))
			r.ends(e, sim.ErrWalkTime)
			r.do(r.w.ReturnAP(ap))
			if s := ap.Status(); s.PINs != 0 || s.SelectedRegistrar || s.SSID != "home" {
				r.Errorf("after it was off: %+v", s)
			}
			r.do(ap.PressButton())
			r.do(e.PressButton())
			r.isIn(e, ap)
			if r.w.ReturnAP(ap) == nil {
				r.Error("it can be switched on twice")
			}
		}},
}
