package sim_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

func TestPushButton(t *testing.T) {
	t.Parallel()
	bubbles(t, pushButtonCases)
}

var pushButtonCases = []bubble{
	{"a pressed button shows in the elements and lets one Enrollee in", func(r *room) {
		ap := r.home(nil)
		if _, a := r.bss(homeBSSID); a.SelectedRegistrar {
			r.Error("a Registrar is selected before the button is pressed")
		}
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		_, a := r.bss(homeBSSID)
		if !a.SelectedRegistrar || a.DevicePasswordID != wsc.PasswordIDPushButton ||
			!a.Authorizes(wsc.Broadcast) {
			r.Errorf("the pressed button does not show: %+v", a)
		}
		out, err := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
		if lost, ok := errors.AsType[*drivers.LostError](err); err != nil &&
			(!ok || lost.Reason != 23) {
			r.Errorf("the link ended with %v", err)
		}
		if _, a := r.bss(homeBSSID); a.SelectedRegistrar {
			r.Error("the button is still pressed after the enrolment")
		}
		if !ap.Happened(sim.Enrolled) {
			r.Errorf("the access point does not know of it: %v", ap.Events())
		}
	}},
	{"without a pressed button an Enrollee gets M2D", func(r *room) {
		r.home(nil)
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		if e := r.failure(out); !errors.Is(e, registration.ErrM2D) ||
			e.ConfigError != wsc.ConfigErrorNone {
			r.Errorf("the run ended with %v", e)
		}
	}},
	{"the button is good for 120 seconds", func(r *room) {
		ap := r.home(nil)
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		time.Sleep(119 * time.Second)
		if !ap.Status().PBC {
			r.Error("it went off early")
		}
		time.Sleep(time.Second)
		if _, a := r.bss(homeBSSID); a.SelectedRegistrar || !ap.Happened(sim.PBCTimeout) {
			r.Error("it is still pressed")
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		if e := r.failure(out); !errors.Is(e, registration.ErrM2D) {
			r.Errorf("the run ended with %v", e)
		}
	}},
	{"two Enrollees that look for a button are an overlap for 120 seconds", func(r *room) {
		ap := r.home(nil)
		other := r.station("sim1")
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		r.scan(wsc.PasswordIDPushButton)
		if _, err := other.Scan(r.Context(),
			drivers.ScanRequest{IEs: probe(neighbour, wsc.PasswordIDPushButton)}); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		if e := r.failure(out); !errors.Is(e, registration.ErrOverlap) ||
			e.ConfigError != wsc.ConfigErrorMultiplePBCSessions {
			r.Errorf("the run ended with %v", e)
		}
		if err := ap.PressButton(); !errors.Is(err, drivers.ErrOverlap) {
			r.Errorf("the button can be pressed: %v", err)
		}
		time.Sleep(121 * time.Second)
		if err := ap.PressButton(); err != nil {
			r.Errorf("the button cannot be pressed two minutes later: %v", err)
		}
		out, _ = r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
	}},
	{"one Enrollee with two scans is no overlap", func(r *room) {
		ap := r.home(nil)
		r.scan(wsc.PasswordIDPushButton)
		r.scan(wsc.PasswordIDPushButton)
		if err := ap.PressButton(); err != nil {
			r.Error(err)
		}
	}},
	{"an Enrollee that was let in does not count as pressing for 5 seconds", func(r *room) {
		ap := r.home(nil)
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
		r.scan(wsc.PasswordIDPushButton, 2437) // was in flight
		other := r.station("sim1")
		if _, err := other.Scan(r.Context(),
			drivers.ScanRequest{IEs: probe(neighbour, wsc.PasswordIDPushButton)}); err != nil {
			r.Fatal(err)
		}
		if err := ap.PressButton(); err != nil {
			r.Errorf("the next one cannot come in: %v", err)
		}
	}},
	{"both bands of an access point have its UUID, in the beacons too, and either lets in",
		func(r *room) {
			ap := r.home(func(o *sim.APOptions) {
				o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 5180})
			})
			if err := ap.PressButton(); err != nil {
				r.Fatal(err)
			}
			_, a := r.bss(homeBSSID)
			b, a5 := r.bss(homeBSSID5)
			if !a.HasUUIDE || !a5.HasUUIDE || a.UUIDE != a5.UUIDE ||
				a5.DevicePasswordID != wsc.PasswordIDPushButton {
				r.Errorf("not one access point with its button pressed: %+v and %+v", a, a5)
			}
			if b.BeaconIEs != nil && slices.Equal(b.BeaconIEs, b.IEs) {
				r.Error("an active scan gave the beacon as probe response")
			}
			out, _ := r.enrol(homeBSSID5, devpass.PushButton())
			r.wantNetwork(out, "home", passphrase)
			if ap.Status().PBC {
				r.Error("the button is still pressed on the other band")
			}
		}},
	{"somebody of the story presses the button after a probe request", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { o.Story.PressAfter = 2 * time.Second })
		r.scan(wsc.PasswordIDDefault)
		time.Sleep(time.Minute)
		if ap.Status().PBC {
			r.Error("pressed for an Enrollee with a PIN")
		}
		r.scan(wsc.PasswordIDPushButton, 2437)
		if ap.Status().PBC {
			r.Error("pressed at once")
		}
		time.Sleep(2 * time.Second)
		if !ap.Status().PBC {
			r.Error("not pressed")
		}
	}},
}

func TestPIN(t *testing.T) {
	t.Parallel()
	bubbles(t, pinCases)
}

var pinCases = []bubble{
	{"an Enrollee with the right PIN gets in, once", func(r *room) {
		ap := r.home(nil)
		if err := ap.SetPIN(rightPIN.Value); err != nil {
			r.Fatal(err)
		}
		_, a := r.bss(homeBSSID)
		if !a.SelectedRegistrar || a.DevicePasswordID != wsc.PasswordIDDefault ||
			!a.Authorizes(wsc.Broadcast) {
			r.Errorf("the PIN does not show: %+v", a)
		}
		out, _ := r.enrol(homeBSSID, rightPIN)
		r.wantNetwork(out, "home", passphrase)
		if s := ap.Status(); s.PINs != 0 || s.SelectedRegistrar {
			r.Errorf("the PIN is not used up: %+v", s)
		}
		out, _ = r.enrol(homeBSSID, rightPIN)
		if e := r.failure(out); !errors.Is(e, registration.ErrM2D) || !ap.Happened(sim.PINNeeded) {
			r.Errorf("the second run ended with %v", e)
		}
	}},
	{"a PIN for a certain address authorizes only that", func(r *room) {
		ap := r.home(nil)
		if err := ap.AllowPIN(sim.PINGrant{PIN: rightPIN.Value, UUID: wsc.UUIDFromMAC(laptop),
			MAC: laptop}); err != nil {
			r.Fatal(err)
		}
		if _, a := r.bss(homeBSSID); !slices.Equal(a.AuthorizedMACs, []wsc.MAC{laptop}) {
			r.Errorf("AuthorizedMACs %v", a.AuthorizedMACs)
		}
		out, _ := r.enrol(homeBSSID, rightPIN)
		r.wantNetwork(out, "home", passphrase)
	}},
	{"a PIN for another Enrollee is M2D for this one", func(r *room) {
		ap := r.home(nil)
		if err := ap.AllowPIN(sim.PINGrant{PIN: rightPIN.Value,
			UUID: wsc.UUIDFromMAC(neighbour)}); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, rightPIN)
		if e := r.failure(out); !errors.Is(e, registration.ErrM2D) {
			r.Errorf("the run ended with %v", e)
		}
	}},
	{"a PIN outlives its two minutes in the elements", func(r *room) {
		ap := r.home(nil)
		if err := ap.SetPIN(rightPIN.Value); err != nil {
			r.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if _, a := r.bss(homeBSSID); a.SelectedRegistrar {
			r.Error("it still shows")
		}
		out, _ := r.enrol(homeBSSID, rightPIN)
		r.wantNetwork(out, "home", passphrase)
	}},
	{"a PIN with a timeout ends with it", func(r *room) {
		ap := r.home(nil)
		if err := ap.AllowPIN(sim.PINGrant{PIN: rightPIN.Value, Timeout: time.Minute}); err != nil {
			r.Fatal(err)
		}
		time.Sleep(time.Minute)
		if ap.Status().PINs != 0 {
			r.Error("it is still there")
		}
	}},
	{"a PIN with a wrong first half leaves a second try", func(r *room) {
		ap := r.home(nil)
		if err := ap.SetPIN(rightPIN.Value); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, wrongFirst)
		if e := r.failure(out); !errors.Is(e, registration.ErrPassword) || e.Half != 1 {
			r.Errorf("the run ended with %v", e)
		}
		last := ap.Events()[len(ap.Events())-1]
		for _, e := range ap.Events() {
			if e.Kind == sim.RunFailed {
				last = e
			}
		}
		if last.ConfigError != wsc.ConfigErrorDevicePasswordAuthFailure {
			r.Errorf("the access point has %+v", last)
		}
		out, _ = r.enrol(homeBSSID, rightPIN)
		r.wantNetwork(out, "home", passphrase)
	}},
	{"a PIN with a wrong second half is spent", func(r *room) {
		ap := r.home(nil)
		if err := ap.SetPIN(rightPIN.Value); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, wrongSecond)
		if e := r.failure(out); !errors.Is(e, registration.ErrPassword) || e.Half != 2 {
			r.Errorf("the run ended with %v", e)
		}
		if s := ap.Status(); s.PINs != 0 {
			r.Error("the PIN is still good")
		}
	}},
	{"a locked access point says so in M2D", func(r *room) {
		r.home(func(o *sim.APOptions) { o.SetupLocked = true })
		if _, a := r.bss(homeBSSID); !a.SetupLocked {
			r.Error("it does not show")
		}
		out, _ := r.enrol(homeBSSID, rightPIN)
		if e := r.failure(out); !errors.Is(e, registration.ErrLocked) ||
			e.ConfigError != wsc.ConfigErrorSetupLocked {
			r.Errorf("the run ended with %v", e)
		}
	}},
	{"a PIN of the story is good again after each use", func(r *room) {
		r.home(func(o *sim.APOptions) { o.Story.PIN = rightPIN.Value })
		for range 3 {
			out, _ := r.enrol(homeBSSID, rightPIN)
			r.wantNetwork(out, "home", passphrase)
			out, _ = r.enrol(homeBSSID, wrongSecond)
			r.failure(out)
			time.Sleep(3 * time.Minute)
		}
	}},
}

func TestKindsOfAccessPoint(t *testing.T) {
	t.Parallel()
	bubbles(t, kindsOfAccessPointCases)
}

var kindsOfAccessPointCases = []bubble{
	{"one of WPS 1.0 has no WFA extension and lets in", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { o.Version10 = true })
		if err := ap.SetPIN(rightPIN.Value); err != nil {
			r.Fatal(err)
		}
		if _, a := r.bss(homeBSSID); a.Version2 != 0 || len(a.AuthorizedMACs) != 0 ||
			!a.SelectedRegistrar {
			r.Errorf("%+v", a)
		}
		out, _ := r.enrol(homeBSSID, rightPIN)
		r.wantNetwork(out, "home", passphrase)
	}},
	{"an unconfigured one makes up a passphrase and turns to WPA2", func(r *room) {
		ap := r.home(func(o *sim.APOptions) {
			o.Unconfigured, o.Security, o.Key = true, sim.Open, secret.Value{}
		})
		if b, a := r.bss(homeBSSID); a.State != wsc.NotConfigured || b.Privacy {
			r.Errorf("%+v", a)
		}
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		time.Sleep(time.Second)
		if key := ap.Key(); key.Len() != 22 {
			r.Errorf("a key of %d characters", key.Len())
		}
		r.wantNetwork(out, "home", ap.Key())
		if b, a := r.bss(homeBSSID); a.State != wsc.Configured || !b.Privacy {
			r.Errorf("%+v", a)
		}
	}},
	{"an open one gives a credential without a key", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { o.Security, o.Key = sim.Open, secret.Value{} })
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", secret.Value{})
	}},
	{"one with small fragments lets in", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { o.FragmentSize = 50 })
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
	}},
	{"one that gives other credentials gives those", func(r *room) {
		ap := r.home(func(o *sim.APOptions) {
			o.Credentials = []wsc.Credential{{SSID: []byte("guest"), AuthType: wsc.AuthWPA2PSK,
				EncrType: wsc.EncrAES, NetworkKey: secret.FromString("for guests")}}
		})
		if err := ap.PressButton(); err != nil {
			r.Fatal(err)
		}
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "guest", secret.FromString("for guests"))
	}},
}
