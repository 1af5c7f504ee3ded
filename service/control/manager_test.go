package control

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service"
)

// sink is a network manager that connects after a while, or does not.
type sink struct {
	takes time.Duration
	fails bool
}

func (s *sink) Name() string { return "networkmanager" }

func (s *sink) Deliver(ctx context.Context, _ string, _ credential.Network) error {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if s.fails {
		return errors.New("it does not want it")
	}
	return nil
}

// TestTheNetworkManagerConnects: that one is connected is told when the manager is, and never before.
func TestTheNetworkManagerConnects(t *testing.T) {
	t.Parallel()
	manager := &sink{takes: 3 * time.Second}
	with := func(c *service.Config, o *Options) {
		c.Sinks, o.Apply = []service.Sink{manager}, "networkmanager"
	}
	const connected = "CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=0 id_str=]"
	add := func(h *house) {
		h.Helper()
		if _, err := h.svc.AddNetwork(h.Context(), service.Settings{SSID: []byte("guest"), Auth: wsc.AuthOpen, Encryption: wsc.EncrNone}, homeBSSID); err != nil {
			h.Fatal(err)
		}
		h.told()
	}
	for _, scene := range []struct {
		name  string
		sink  sink
		story func(h *house)
	}{
		{"after a run", sink{takes: 3 * time.Second}, func(h *house) {
			if err := h.ap(nil).PressButton(); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PBC", "OK\n"})
			h.over()
			h.tells(slices.Concat(found("WPS-PBC-ACTIVE ", "WPS-AP-AVAILABLE-PBC "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ", "WPS-SUCCESS "), apart, []string{connected})...)
		}},
		{"after a run that the manager does not follow", sink{fails: true}, func(h *house) {
			if err := h.ap(nil).PressButton(); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PBC", "OK\n"})
			h.over()
			h.tells(slices.Concat(found("WPS-PBC-ACTIVE ", "WPS-AP-AVAILABLE-PBC "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ", "WPS-SUCCESS "), apart)...)
		}},
		{"when a network is selected", sink{takes: 3 * time.Second}, func(h *house) {
			add(h)
			h.want([2]string{"SELECT_NETWORK 0", "OK\n"}, [2]string{"SELECT_NETWORK 0", "FAIL\n"})
			h.tells()
			time.Sleep(5 * time.Second)
			h.tells(connected)
		}},
		{"when the manager refuses a network that is selected", sink{fails: true}, func(h *house) {
			add(h)
			h.want([2]string{"SELECT_NETWORK 0", "FAIL\n"}, [2]string{"SELECT_NETWORK 7", "FAIL\n"})
			h.tells("CTRL-EVENT-NETWORK-NOT-FOUND ")
		}},
	} {
		*manager = scene.sink // scenes run one after the other
		play(t, with, map[string]func(h *house){scene.name: scene.story})
	}
}
