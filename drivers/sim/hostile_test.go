package sim_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// hostile is an access point with its button pressed and a personality.
func (r *room) hostile(p sim.Personality) *sim.AP {
	r.Helper()
	ap := r.home(func(o *sim.APOptions) { o.Personality = p })
	if err := ap.PressButton(); err != nil {
		r.Fatal(err)
	}
	return ap
}

// nth makes a hook that drops the nth frame only.
func nth(n int) func([]byte) [][]byte {
	return func(f []byte) [][]byte {
		n--
		if n == 0 {
			return nil
		}
		return [][]byte{f}
	}
}

func TestPersonalities(t *testing.T) {
	t.Parallel()
	bubbles(t, personalitiesCases)
}

var personalitiesCases = []bubble{
	{"a frame lost on its way to the station comes again 5 seconds later", func(r *room) {
		// WSC_Start, M2, M4, M6, M8; the identity request before has a rhythm of its own.
		for n := 2; n <= 6; n++ {
			r.hostile(sim.Personality{ToStation: nth(n)})
			start := time.Now()
			out, _ := r.enrol(homeBSSID, devpass.PushButton())
			r.wantNetwork(out, "home", passphrase)
			if took := time.Since(start); took < 5*time.Second || took > 10*time.Second {
				r.Errorf("frame %d: it took %v", n, took)
			}
			r.w.RemoveAP(r.w.AP(homeBSSID))
		}
	}},
	{"a lost EAP-Failure costs nothing", func(r *room) {
		r.hostile(sim.Personality{ToStation: nth(7)})
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
	}},
	{"a frame lost on its way to the access point is asked for again", func(r *room) {
		for n := 2; n <= 6; n++ {
			r.hostile(sim.Personality{FromStation: nth(n)})
			out, _ := r.enrol(homeBSSID, devpass.PushButton())
			r.wantNetwork(out, "home", passphrase)
			r.w.RemoveAP(r.w.AP(homeBSSID))
		}
	}},
	{"frames that arrive twice do no harm", func(r *room) {
		twice := func(f []byte) [][]byte { return [][]byte{f, bytes.Clone(f)} }
		r.hostile(sim.Personality{ToStation: twice, FromStation: twice})
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
	}},
	{"a changed M4 ends the run with a NACK, not with a network", func(r *room) {
		r.hostile(sim.Personality{Message: func(t wsc.MessageType, msg []byte) []byte {
			if t == wsc.MsgM4 {
				msg[len(msg)-1] ^= 1
			}
			return msg
		}})
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		if e := r.failure(out); !errors.Is(e, registration.ErrAuthenticator) ||
			len(out.Credentials) != 0 {
			r.Errorf("the run ended with %v", e)
		}
	}},
	{"one that deauthenticates before M6 leaves the run without a network", func(r *room) {
		r.hostile(sim.Personality{LeaveBefore: wsc.MsgM6})
		out, err := r.enrol(homeBSSID, devpass.PushButton())
		if lost, ok := errors.AsType[*drivers.LostError](err); !ok || lost.Reason != 3 ||
			!lost.ByPeer {
			r.Errorf("the link ended with %v", err)
		}
		if r.failure(out); len(out.Credentials) != 0 {
			r.Error("there is a credential")
		}
	}},
	{"one that never says a word ends in the Enrollee's patience", func(r *room) {
		ap := r.hostile(sim.Personality{Silent: true})
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		if out.Err == nil && len(out.Credentials) != 0 {
			r.Error("there is a credential")
		}
		if ap.Status().Stations != 0 {
			r.Error("it still has the station")
		}
	}},
	{"one that says M2D for ever ends", func(r *room) {
		ap := r.hostile(sim.Personality{M2DForever: true})
		start := time.Now()
		out, _ := r.enrol(homeBSSID, devpass.PushButton())
		if e := r.failure(out); !errors.Is(e, registration.ErrM2D) {
			r.Errorf("the run ended with %v", e)
		}
		r.Logf("after %v", time.Since(start))
		if !ap.Happened(sim.RunFailed) {
			r.Error("the access point does not know of it")
		}
	}},
	{"one that is deaf or refuses does not associate", func(r *room) {
		ap := r.hostile(sim.Personality{RefuseStatus: 17})
		_, err := r.associate(homeBSSID, wsc.RequestEnrollee)
		if lost, ok := errors.AsType[*drivers.LostError](err); !ok || lost.Status != 17 ||
			!errors.Is(err, drivers.ErrAssociation) {
			r.Errorf("refused with %v", err)
		}
		ap.SetPersonality(sim.Personality{Deaf: true})
		if _, err := r.associate(homeBSSID, wsc.RequestEnrollee); !errors.Is(err,
			drivers.ErrAssociation) {
			r.Errorf("deaf: %v", err)
		}
	}},
	{"one that is switched off in the middle is missed two seconds later", func(r *room) {
		ap := r.hostile(sim.Personality{Silent: true})
		link, err := r.associate(homeBSSID, wsc.RequestEnrollee)
		if err != nil {
			r.Fatal(err)
		}
		r.w.RemoveAP(ap)
		start := time.Now()
		_, err = link.Receive(r.Context())
		if lost, ok := errors.AsType[*drivers.LostError](err); !ok || lost.ByPeer ||
			time.Since(start) != 2*time.Second {
			r.Errorf("%v after %v", err, time.Since(start))
		}
	}},
	{"one that cannot be parsed is found all the same", func(r *room) {
		r.hostile(sim.Personality{Elements: func([]byte) []byte { return []byte{0, 4, 'h', 'o'} }})
		if len(r.scan(wsc.PasswordIDDefault)) != 1 {
			r.Error("not found")
		}
	}},
	{"one that stays after the end of EAP does not deauthenticate", func(r *room) {
		r.hostile(sim.Personality{StayAfter: true})
		out, err := r.enrol(homeBSSID, devpass.PushButton())
		r.wantNetwork(out, "home", passphrase)
		if err != nil {
			r.Error(err)
		}
	}},
}

func withPIN(o *sim.APOptions) { o.APPIN = rightPIN.Value }

func TestAPPIN(t *testing.T) {
	t.Parallel()
	bubbles(t, apPINCases)
}

var apPINCases = []bubble{
	{"a Registrar with the AP PIN learns the settings", func(r *room) {
		ap := r.home(withPIN)
		out := r.register(homeBSSID, rightPIN, nil)
		if out.Err != nil || out.APSettings == nil || !out.APSettings.NetworkKey.Equal(passphrase) {
			r.Errorf("%+v", out)
		}
		if !ap.Happened(sim.SettingsShown) {
			r.Errorf("%v", ap.Events())
		}
	}},
	{"a Registrar with the AP PIN configures the access point", func(r *room) {
		ap := r.home(withPIN)
		out := r.register(homeBSSID, rightPIN, &wsc.Credential{
			SSID: []byte("new"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
			NetworkKey: secret.FromString("another one"),
		})
		if out.Err != nil {
			r.Fatal(out.Err)
		}
		time.Sleep(time.Second)
		if s := ap.Status(); s.SSID != "new" || !ap.Key().Equal(secret.FromString("another one")) {
			r.Errorf("%+v", s)
		}
	}},
	{"an access point that only shows its settings takes no new ones", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { withPIN(o); o.LearnOnly = true })
		out := r.register(homeBSSID, rightPIN,
			&wsc.Credential{SSID: []byte("new"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone})
		if e := r.failure(out); e.ConfigError != wsc.ConfigErrorSetupLocked {
			r.Error(e)
		}
		if s := ap.Status(); s.SSID != "home" {
			r.Errorf("%+v", s)
		}
	}},
	{"without an AP PIN every Registrar is refused", func(r *room) {
		r.home(nil)
		if e := r.failure(r.register(homeBSSID, rightPIN,
			nil)); e.ConfigError != wsc.ConfigErrorSetupLocked {
			r.Error(e)
		}
	}},
	{"three wrong AP PINs lock the setup for a minute", func(r *room) {
		ap := r.home(withPIN)
		for range 3 {
			if e := r.failure(r.register(homeBSSID, wrongFirst,
				nil)); e.ConfigError != wsc.ConfigErrorDevicePasswordAuthFailure {
				r.Error(e)
			}
		}
		if _, a := r.bss(homeBSSID); !a.SetupLocked || !ap.Happened(sim.SetupLocked) {
			r.Error("it is not locked")
		}
		if e := r.failure(r.register(homeBSSID, rightPIN,
			nil)); e.ConfigError != wsc.ConfigErrorSetupLocked {
			r.Error(e)
		}
		time.Sleep(time.Minute)
		if ap.Status().SetupLocked || !ap.Happened(sim.SetupUnlocked) {
			r.Error("it is still locked")
		}
		if out := r.register(homeBSSID, rightPIN, nil); out.Err != nil {
			r.Error(out.Err)
		}
	}},
}
