package sim_test

import (
	"testing"
	"testing/synctest"

	"wpsd/drivers"
	"wpsd/drivers/drivertest"
	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// simAP is an access point for the conformance suite.
type simAP struct {
	w  *sim.World
	ap *sim.AP
}

func (a simAP) BSSID() [6]byte                        { return a.ap.BSSID() }
func (a simAP) Deauthenticate(_ *testing.T, r uint16) { a.ap.Kick(r) }
func (a simAP) Stop(*testing.T) {
	a.ap.Kick(3)
	a.w.RemoveAP(a.ap)
}

// TestConformance runs the suite that the driver for real radios passes, too.
func TestConformance(t *testing.T) {
	const name = "sim0"
	radio := sim.Radio{Name: name, MAC: wsc.MAC{2, 0, 0, 0, 0, 1}}
	var w *sim.World // of the case that runs
	next := byte(0)
	state := func(t *testing.T) sim.RadioState {
		t.Helper()
		s, ok := w.RadioState(name)
		if !ok {
			t.Fatal("there is no interface")
		}
		return s
	}
	drivertest.Run(t, drivertest.Env{
		Interface:  name,
		OneChannel: 60_000_000, // ns
		Run:        func(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) },
		Driver: func(t *testing.T) drivers.Driver {
			w = sim.NewWorld(sim.WorldOptions{})
			if err := w.AddRadio(radio); err != nil {
				t.Fatal(err)
			}
			d, err := sim.New(sim.Options{World: w})
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		StartAP: func(t *testing.T, c drivertest.APConfig) drivertest.AP {
			next++
			ap, err := w.AddAP(sim.APOptions{
				SSID: c.SSID, Security: sim.WPA2, Key: secret.FromString("passphrase"),
				BSSs: []sim.BSS{{BSSID: wsc.MAC{2, 0, 0, 0, 1, next}, Frequency: c.Frequency}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return simAP{w, ap}
		},
		SetUp:        func(_ *testing.T, up bool) { w.SetRadioUp(name, up) },
		IsUp:         func(t *testing.T) bool { return state(t).Up },
		IsAssociated: func(t *testing.T) bool { return !state(t).Associated.IsZero() },
		Block:        func(_ *testing.T, blocked bool) { w.BlockRadio(name, blocked) },
		Unplug: func(t *testing.T) func() {
			w.RemoveRadio(name)
			return func() {
				if err := w.AddRadio(radio); err != nil {
					t.Error(err)
				}
			}
		},
		Occupy: func(_ *testing.T, ap drivertest.AP) func() {
			w.Occupy(name, ap.BSSID())
			return func() { w.Occupy(name, wsc.MAC{}) }
		},
	})
}

// simEnrollee is a device for the suite of steering.
type simEnrollee struct{ *sim.Enrollee }

func (e simEnrollee) MAC() [6]byte { return e.Enrollee.MAC() }
func (e simEnrollee) PressButton(t *testing.T) {
	if err := e.Enrollee.PressButton(); err != nil {
		t.Fatal(err)
	}
}
func (e simEnrollee) UsePIN(t *testing.T, pin string) {
	if err := e.Enrollee.UsePIN(secret.FromString(pin)); err != nil {
		t.Fatal(err)
	}
}
func (e simEnrollee) Joins(t *testing.T) {
	if result, err := e.Wait(t.Context()); err != nil || result.Err != nil {
		t.Errorf("the device: %v, %v", result.Err, err)
	}
}

// TestSteering runs the suite that hostapd itself passes, too.
func TestSteering(t *testing.T) {
	var w *sim.World // of the case that runs
	drivertest.RunSteering(t, drivertest.SteeringEnv{
		Run: func(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) },
		Open: func(t *testing.T) drivers.AccessPoint {
			r := roomIn(t, sim.NewWorld(sim.WorldOptions{}))
			w = r.w
			r.do(w.AddHotspot("ap0", r.home(func(o *sim.APOptions) {
				o.SSID, o.Key, o.APPIN = drivertest.SteeredSSID,
					secret.FromString(drivertest.SteeredKey),
					secret.FromString(drivertest.SteeredPIN)
			})))
			ap, err := r.d.AccessPoint(t.Context(), "ap0")
			r.do(err)
			return ap
		},
		Enrollee: func(t *testing.T) drivertest.Enrollee {
			e, err := w.AddEnrollee(sim.EnrolleeOptions{Name: "camera", MAC: cameraMAC})
			if err != nil {
				t.Fatal(err)
			}
			return simEnrollee{e}
		},
	})
}
