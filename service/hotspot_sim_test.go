package service

import (
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestAccessPointOfTheSimulation has sessions at a simulated access point let simulated devices in:
// what wpsd's AP mode looks like to those who write programs for it.
func TestAccessPointOfTheSimulation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		pin    string // of the device; empty: push button
		state  state.State
		reason outcome.Reason
	}{
		{"a device gets in by button", "", state.StateSucceeded, ""},
		{"a device gets in with its PIN", labelPIN, state.StateSucceeded, ""},
		{"a device with a PIN that begins in the same way does not", "12349995", state.StateFailed,
			outcome.ReasonWrongPINSecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inHouse(t, func(c *Config) { c.AccessPoints = c.Drivers[0].(*sim.Driver) },
					func(h *house) {
						defer h.world.Close()
						if err := h.world.AddHotspot("uap0", h.ap(nil)); err != nil {
							h.Fatal(err)
						}
						synctest.Wait()
						device, err := h.world.AddEnrollee(
							sim.EnrolleeOptions{Name: "camera", MAC: camera})
						if err != nil {
							h.Fatal(err)
						}
						var s state.Session
						if c.pin == "" {
							s = h.admit(button)
							err = device.PressButton()
						} else {
							s = h.admit(0)
							err = device.UsePIN(secret.FromString(c.pin))
						}
						if err != nil {
							h.Fatal(err)
						}
						end := h.end(s)
						if end.State != c.state || end.Reason != c.reason || end.Peer != camera {
							h.Errorf("%+v", end)
						}
						result, err := device.Wait(h.Context())
						if err != nil || (result.Err == nil) != (c.state == state.StateSucceeded) {
							h.Errorf("the device: %v, %v", result.Err, err)
						}
						if c.state == state.StateSucceeded &&
							time.Since(s.Started) > 15*time.Second {
							h.Errorf("it took %v", time.Since(s.Started))
						}
						if end.Message == wsc.MessageType(0) {
							h.Error("no message is told")
						}
					})
			})
		})
	}
}
