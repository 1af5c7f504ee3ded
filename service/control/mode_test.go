package control

import (
	"path/filepath"
	"testing"

	"wpsd/drivers"
	"wpsd/service"
)

// TestAnInterfaceThatBecomesAnAccessPointKeepsItsSocket: the service tells that it went and came; its clients stay.
func TestAnInterfaceThatBecomesAnAccessPointKeepsItsSocket(t *testing.T) {
	t.Parallel()
	dir, s, svc := start(t, nil)
	c := dial(t, filepath.Join(dir, "../me"), filepath.Join(dir, "eth7"))
	c.ask("ATTACH", "OK\n")
	tr := newTranslator(s.source())
	tr.reset(svc.Snapshot())
	tr.interfaces["eth7"] = service.Interface{Name: "eth7", Mode: drivers.ModeStation}
	for _, step := range []struct {
		mode drivers.Mode
		told string
	}{{drivers.ModeAP, "<3>AP-ENABLED "}, {drivers.ModeStation, "<3>AP-DISABLED "}, {drivers.ModeStation, ""}} {
		s.heard(t.Context(), tr, service.InterfaceRemoved{Name: "eth7"})
		s.heard(t.Context(), tr, service.InterfaceAdded{Interface: service.Interface{Name: "eth7", Mode: step.mode}})
		c.say("PING")
		if step.told != "" {
			if got := c.hear(); got != step.told {
				t.Errorf("in mode %v: told %q, not %q", step.mode, got, step.told)
			}
		}
		if got := c.hear(); got != "PONG\n" {
			t.Errorf("in mode %v: %q", step.mode, got)
		}
	}
	if n := s.ports["eth7"].monitors.count(); n != 1 {
		t.Errorf("%d clients have attached", n)
	}
}
