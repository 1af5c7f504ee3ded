package service

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/wsc"
	"wpsd/service/agents"
	"wpsd/service/session"
	"wpsd/service/settings"
	"wpsd/service/state"
	"wpsd/service/store"
)

// busy checks for what the service says it is needed.
func (h *house) busy(want string) {
	h.Helper()
	synctest.Wait()
	if got := h.svc.Busy(); got != want {
		h.Errorf("busy with %q, want %q", got, want)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	onDisk := func(c *Config) {
		st, err := store.Open(filepath.Join(t.TempDir(), "state"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = st.Close() })
		c.Store = st
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		run    func(h *house)
	}{
		{"nothing is going on", nil, func(h *house) { h.busy("") }},
		{"a session, and as long as its credentials can be asked for", onDisk, func(h *house) {
			h.press(h.ap(nil))
			s := h.pbc(nil)
			h.busy("a session")
			h.end(s)
			time.Sleep(session.KeepEnded - time.Second)
			h.busy("a session")
			time.Sleep(2 * time.Second)
			h.busy("")
		}},
		{"networks that nobody has written down", nil, func(h *house) {
			h.enrol(h.ap(nil))
			time.Sleep(session.KeepEnded + time.Second)
			h.busy("networks that are kept in memory only")
		}},
		{"an agent, and the credential that it has not taken", onDisk, func(h *house) {
			if err := h.svc.Settings().Reload(settings.Values{Device: h.svc.Published().Manager().Device,
				Processing: state.ProcessingExternal}); err != nil {
				h.Fatal(err)
			}
			h.busy("")
			h.agent("me", refuses)
			h.busy("a credential agent")
			h.enrol(h.ap(nil))
			time.Sleep(session.KeepEnded + time.Second)
			h.svc.ReleaseOwner("me")
			h.busy("a credential that waits for an agent")
			<-h.svc.Calm()
			time.Sleep(agents.KeepTime)
			h.busy("")
		}},
		{"settings that are not the configuration's", nil, func(h *house) {
			device := h.svc.Published().Manager().Device
			if err := h.svc.Settings().SetDevice(h.Context(), func(d *wsc.Device) {
				d.DeviceName = "phone"
			}); err != nil {
				h.Fatal(err)
			}
			h.busy("settings that last until the daemon ends")
			if err := h.svc.Settings().Reload(settings.Values{Device: device}); err != nil {
				h.Fatal(err)
			}
			h.busy("")
			h.process(state.ProcessingBoth)
			h.busy("settings that last until the daemon ends")
		}},
		{"a scan", nil, func(h *house) {
			go func() { _ = h.svc.Scan(h.Context(), "wlan0") }()
			h.busy("a scan")
			time.Sleep(time.Minute)
			h.busy("")
		}},
		{"whatever else somebody holds it for", nil, func(h *house) {
			one, other := h.svc.Hold("one"), h.svc.Hold("another")
			h.busy("one")
			one()
			one()
			h.busy("another")
			other()
			h.busy("")
			<-h.svc.Calm()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { inHouse(t, c.change, c.run) })
		})
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"new settings count from the next session on, and are told", func(h *house) {
			uuid := h.svc.Published().Manager().Device.UUID
			h.drain()
			if err := h.svc.Settings().Reload(settings.Values{Device: wsc.Device{DeviceName: "tablet", UUID: uuid},
				Processing: state.ProcessingBoth, FragmentSize: 100}); err != nil {
				h.Fatal(err)
			}
			e := h.wait(func(e state.Event) bool {
				_, ok := e.(state.ManagerChanged)
				return ok
			}).(state.ManagerChanged)
			if d := e.Manager.Device; d.DeviceName != "tablet" || d.UUID != uuid ||
				d.Version2 != wsc.Version20 || d.ConfigMethods != wsc.DefaultConfigMethods {
				h.Errorf("device %+v", d)
			}
			if e.Manager.Processing != state.ProcessingBoth {
				h.Errorf("processing %s", e.Manager.Processing)
			}
			h.wantNetwork(h.enrol(h.ap(nil)), "home", passphrase)
		}},
		{"a session goes on through it", func(h *house) {
			s := h.pbc(nil)
			if err := h.svc.Settings().Reload(settings.Values{Device: wsc.Device{DeviceName: "tablet"}}); err != nil {
				h.Fatal(err)
			}
			h.press(h.ap(nil))
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
		{"what cannot be meant changes nothing", func(h *house) {
			before := h.svc.Published().Manager().Device.DeviceName
			for _, r := range []settings.Values{{Device: wsc.Device{DeviceName: "a\x00b"}},
				{Device: wsc.Device{DeviceName: "ok"}, Processing: "x"}} {
				if err := h.svc.Settings().Reload(r); err == nil {
					h.Errorf("%+v was taken", r)
				}
			}
			if got := h.svc.Published().Manager().Device.DeviceName; got != before {
				h.Errorf("the device is called %q", got)
			}
		}},
	})
}
