package sim_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// overUPnP has a Registrar configure the access point, and each of them change what the other says.
func (r *room) overUPnP(ap *sim.AP, p devpass.Password, settings *wsc.Credential,
	change func(message []byte) []byte) registration.Outcome {
	r.Helper()
	m, err := registration.NewRegistrar(registration.RegistrarConfig{
		Device: device(r.mac), NewSettings: settings,
		Password: func(time.Time, wsc.Device, wsc.DevicePasswordID) (devpass.Password, bool) {
			return p, true
		},
	})
	r.do(err)
	m.Start(time.Now())
	message, err := ap.Act(upnp.Action{Name: upnp.GetDeviceInfo})
	for err == nil && len(message) > 0 {
		step := m.Handle(time.Now(), change(message))
		if len(step.Send) == 0 {
			break
		}
		message, err = ap.Act(upnp.Action{Name: upnp.PutMessage, Message: change(step.Send[0])})
	}
	m.Abort(time.Now())
	return m.Outcome()
}

// TestBadNetwork configures an access point while what is said is changed both ways. A run may
// fail, but it ends, and the access point never has settings that nobody gave to it.
func TestBadNetwork(t *testing.T) {
	t.Parallel()
	settings := wsc.Credential{SSID: []byte("new name"), AuthType: wsc.AuthWPA2PSK,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString("another passphrase")}
	configured := 0
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			r := newRoom(t)
			ap := r.home(func(o *sim.APOptions) { o.APPIN = rightPIN.Value })
			r.overUPnP(ap, rightPIN, &settings, func(m []byte) []byte {
				if random.IntN(10) == 0 {
					return enginetest.Mutate(random, [][]byte{m})
				}
				return m
			})
			time.Sleep(time.Minute)
			switch s := ap.Status(); {
			case s.SSID == "new name" && ap.Key().Equal(settings.NetworkKey):
				configured++
			case s.SSID != "home" || !ap.Key().Equal(passphrase):
				t.Errorf("seed %d: it has the network %q", seed, s.SSID)
			}
			if _, err := ap.Act(upnp.Action{Name: upnp.GetDeviceInfo}); err != nil ||
				ap.UPnPRuns() != 1 {
				t.Errorf("a minute later: %d runs, %v", ap.UPnPRuns(), err)
			}
		})
	}
	t.Logf("%d runs of 150 succeeded", configured)
	if configured == 0 || configured == 150 {
		t.Error("the network is not bad in the way that was meant")
	}
}

// FuzzUPnP has anybody in the network ask anything, and answer M1 with anything: the access point
// must not panic, nor show or change its settings, nor keep more runs than it means to.
func FuzzUPnP(f *testing.F) {
	// What a Registrar with a wrong PIN says, and the answers to another access point.
	m2 := wsc.M2{Device: device(laptop), PublicKey: make([]byte, 192)}
	said := appendFrame(appendFrame(nil, m2.Append(nil)),
		(&wsc.M2D{Device: device(laptop)}).Append(nil))
	f.Add([]byte{}, byte(0))
	f.Add(appendFrame(nil, (&wsc.Nack{}).Append(nil)), byte(1))
	f.Add(said, byte(2))
	f.Fuzz(func(t *testing.T, frames []byte, kind byte) {
		if len(frames) > 8192 {
			t.Skip()
		}
		w := sim.NewWorld(sim.WorldOptions{Rand: rand.NewChaCha8([32]byte{kind})})
		ap, err := w.AddAP(sim.APOptions{
			SSID: "home", Security: sim.WPA2, Key: passphrase, APPIN: rightPIN.Value,
			BSSs: []sim.BSS{{BSSID: homeBSSID, Frequency: 2437}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var m1 []byte
		for n := 0; ; n++ {
			frame, rest, ok := nextFrame(frames)
			if !ok {
				break
			}
			frames = rest
			if n%4 == 0 {
				if m1, err = ap.Act(upnp.Action{Name: upnp.GetDeviceInfo}); err != nil {
					t.Fatal(err)
				}
			}
			say(t, ap, withNonce(frame, m1))
			if ap.UPnPRuns() > 4 {
				t.Fatalf("%d runs", ap.UPnPRuns())
			}
		}
		if ap.Happened(sim.SettingsShown) || ap.Happened(sim.SettingsTaken) {
			t.Errorf("somebody without its PIN got in: %v", ap.Events())
		}
	})
}

// say says the same in every way.
func say(t *testing.T, ap *sim.AP, message []byte) {
	for _, a := range []upnp.Action{
		{Name: upnp.PutMessage, Message: message},
		{Name: upnp.SetSelectedRegistrar, Message: message},
		{Name: upnp.PutWLANResponse, Message: message, Type: upnp.EventMessage, MAC: cameraMAC},
	} {
		_, err := ap.Act(a)
		if _, ok := errors.AsType[*upnp.Fault](err); err != nil && !ok {
			t.Errorf("%s: %v is no fault to answer with", a.Name, err)
		}
	}
}

// withNonce puts the Enrollee Nonce of a run into a message that has one, so that it is of that
// run.
func withNonce(message, m1 []byte) []byte {
	header := []byte{0x10, 0x1a, 0, 16} // Enrollee Nonce
	from, to := bytes.Index(m1, header), bytes.Index(message, header)
	if from < 0 || to < 0 || len(message) < to+20 {
		return message
	}
	message = bytes.Clone(message)
	copy(message[to:to+20], m1[from:from+20])
	return message
}
