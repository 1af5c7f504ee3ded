//go:build hwsim

package hwsim

import (
	"log/slog"
	"net"
	"path/filepath"
	"testing"

	"wpsd/drivers"
	"wpsd/drivers/drivertest"
	steer "wpsd/drivers/hostapd"
)

// realEnrollee is wpa_supplicant as a device for the suite of steering.
type realEnrollee struct {
	*supplicant
	mark int
}

func (e *realEnrollee) MAC() [6]byte {
	mac, err := net.ParseMAC(e.w.mac(station))
	e.w.must(err)
	return [6]byte(mac)
}
func (e *realEnrollee) PressButton(*testing.T) {
	e.mark = e.supplicant.mark()
	e.mustOK("WPS_PBC")
}
func (e *realEnrollee) UsePIN(_ *testing.T, pin string) {
	e.mark = e.supplicant.mark()
	e.ask("WPS_PIN any %s", pin)
}
func (e *realEnrollee) Joins(*testing.T) { e.joins(e.mark, oneRun) }

// TestSteering runs the suite that the simulation's access points pass against hostapd, with
// wpa_supplicant as the device.
func TestSteering(t *testing.T) {
	var w *world // of the case that runs
	drivertest.RunSteering(t, drivertest.SteeringEnv{
		Run: func(t *testing.T, f func(*testing.T)) {
			w = newWorld(t)
			f(t)
		},
		Open: func(t *testing.T) drivers.AccessPoint {
			h := w.startAP(ap{ssid: drivertest.SteeredSSID, passphrase: drivertest.SteeredKey,
				extra: []string{"ap_setup_locked=0", "ap_pin=" + drivertest.SteeredPIN}})
			a, err := steer.Open(t.Context(), filepath.Join(h.ap.controlDir(), h.ap.radio),
				slog.New(slog.DiscardHandler))
			w.must(err)
			return a
		},
		Enrollee: func(*testing.T) drivertest.Enrollee {
			return &realEnrollee{supplicant: w.startSupplicant(station, "device_name=Camera",
				"device_type=4-0050F204-2")}
		},
	})
}
