package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/lending"
	"wpsd/service/session"
)

// sink is a network manager that connects after a while, or does not.
type sink struct {
	takes time.Duration
	fails bool
}

func (s *sink) Name() string { return "networkmanager" }

func (s *sink) Deliver(ctx context.Context, _ string,
	_ []credential.Offer) (made credential.Connection, err error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return made, context.Cause(ctx)
	}
	if s.fails {
		return made, errors.New("it does not want it")
	}
	return made, nil
}

func (s *sink) Changes(context.Context, string, credential.Network) (bool, error) {
	return false, drivers.ErrNotSupported
}

// TestTheNetworkManagerConnects: that one is connected is told when the manager is, and never
// before.
func TestTheNetworkManagerConnects(t *testing.T) {
	t.Parallel()
	manager := &sink{takes: 3 * time.Second}
	with := func(c *service.Config, o *Options) {
		c.Managers.Sinks, o.Apply = []lending.Sink{manager}, "networkmanager"
	}
	const connected = "CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=0 id_str=]"
	add := func(h *house) {
		h.Helper()
		if _, err := h.svc.AddNetwork(h.Context(),
			session.Settings{SSID: []byte("guest"), Auth: wsc.AuthOpen, Encryption: wsc.EncrNone},
			homeBSSID); err != nil {
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
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ", "WPS-SUCCESS "), apart,
				[]string{connected})...)
		}},
		{"after a run that the manager does not follow", sink{fails: true}, func(h *house) {
			if err := h.ap(nil).PressButton(); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PBC", "OK\n"})
			h.over()
			h.tells(slices.Concat(found("WPS-PBC-ACTIVE ", "WPS-AP-AVAILABLE-PBC "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ",
					"WPS-SUCCESS "), apart)...)
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

// manager has the interface, and a connection as long as nobody ends it.
type manager struct {
	drivers.Driver
	connected bool
	refuses   bool
}

func (m *manager) Connection(context.Context, string) (drivers.BSS, bool, error) {
	return drivers.BSS{BSSID: homeBSSID, Frequency: 2437, IEs: []byte("\x00\x04home")},
		m.connected, nil
}

func (m *manager) Name() string { return "networkmanager" }

func (m *manager) Claim(_ context.Context, ifname string) ([]byte, error) {
	if ifname != "wlan0" {
		return nil, nil
	}
	return []byte("{}"), nil
}

func (m *manager) Release(context.Context, string, []byte) (bool, error) { return false, nil }

func (m *manager) Restore(context.Context, string, []byte, bool) error { return nil }

func (m *manager) Shares() bool { return false }

func (m *manager) Disconnect(context.Context, string) error {
	if m.refuses {
		return errors.New("it is not for you to say")
	}
	m.connected = false
	return nil
}

// TestTheNetworkManagersConnection shows in STATUS, and DISCONNECT ends it.
func TestTheNetworkManagersConnection(t *testing.T) {
	t.Parallel()
	var m *manager
	with := func(c *service.Config, _ *Options) {
		m = &manager{Driver: c.Drivers[0], connected: true}
		c.Drivers[0], c.Managers.Holders = m, []lending.Holder{m}
	}
	const there = "bssid=02:00:00:00:01:00\nfreq=2437\nssid=home\nmode=station\nwpa_state=COMPLETED\naddress="
	const gone = "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3 locally_generated=1"
	status := func(h *house, want string) {
		h.Helper()
		if got := h.ask("STATUS"); !strings.HasPrefix(got, want) {
			h.Errorf("%q, not %q", got, want)
		}
	}
	play(t, with, map[string]func(h *house){
		"it ends when somebody says so": func(h *house) {
			status(h, there)
			if _, err := h.svc.AddNetwork(h.Context(),
				session.Settings{SSID: []byte("home"), Auth: wsc.AuthOpen,
					Encryption: wsc.EncrNone}, homeBSSID); err != nil {
				h.Fatal(err)
			}
			h.tells("CTRL-EVENT-NETWORK-ADDED 0")
			status(h, strings.Replace(there, "mode=", "id=0\nmode=", 1))
			h.want([2]string{"DISCONNECT", "OK\n"})
			h.tells(gone)
			status(h, "wpa_state=DISCONNECTED\n")
			h.want([2]string{"DISCONNECT", "OK\n"})
			h.tells()
		},
		"it stays if the manager refuses": func(h *house) {
			m.refuses = true
			h.want([2]string{"DISCONNECT", "FAIL\n"})
			h.tells()
			status(h, there)
		},
		"during a run it is none": func(h *house) {
			h.ap(nil)
			h.want([2]string{"WPS_PBC", "OK\n"})
			status(h, "wpa_state=SCANNING\n")
			h.want([2]string{"WPS_CANCEL", "OK\n"})
			h.over()
		},
	})
}
