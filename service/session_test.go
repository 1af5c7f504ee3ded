package service

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	play(t, sessionScenes)
}

var sessionScenes = []scene{
	{"a session is told from its beginning to its end, and the credential before the end",
		func(h *house) {
			h.press(h.ap(nil))
			h.end(h.pbc(nil))
			h.drain()
			var story []string
			for _, e := range h.events {
				switch e := e.(type) {
				case state.SessionAdded:
					story = append(story, "added "+string(e.Session.State))
				case state.SessionChanged:
					line := string(e.Session.State)
					if e.Session.Message == wsc.MsgDone {
						line = e.Session.Message.String()
					}
					if e.Session.State == state.StateExchanging &&
						(e.Session.Message != wsc.MsgDone || len(e.Session.Networks) == 0) {
						// told or not, depending on how long it lasted: ten milliseconds after the first
						// message are just when the run is over
						continue
					}
					if story[len(story)-1] != line {
						story = append(story, line)
					}
				case state.NetworkAdded:
					story = append(story, "network")
				case state.CredentialReceived:
					story = append(story, "credential")
				case state.SessionEnded:
					story = append(story, "ended "+string(e.Session.State))
				case state.InterfaceChanged:
					if e.Interface.Session == 0 {
						story = append(story, "free")
					}
				}
			}
			want := []string{"added scanning", "associating", "network", "WSC_DONE", "credential",
				"ended succeeded", "free"}
			if !slices.Equal(story, want) {
				h.Errorf("%q", story)
			}
		}},
	{"a message is told if it is the newest for a moment, as when the access point thinks long",
		func(h *house) {
			h.press(h.ap(func(o *sim.APOptions) {
				o.Personality.Message = func(t wsc.MessageType, msg []byte) []byte {
					if t == wsc.MsgM4 {
						time.Sleep(time.Second)
					}
					return msg
				}
			}))
			s := h.pbc(nil)
			e := h.wait(func(e state.Event) bool {
				c, ok := e.(state.SessionChanged)
				return ok && c.Session.Message == wsc.MsgM3
			})
			if c := e.(state.SessionChanged).Session; c.State != state.StateExchanging {
				h.Errorf("%+v", c)
			}
			if told := time.Since(s.Started); told > 3*time.Second {
				h.Errorf("after %v", told)
			}
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
	{"the credential is told when M8 is verified, not when the access point has ended the run",
		func(h *house) {
			h.press(h.ap(func(o *sim.APOptions) { o.Personality.StayAfter = true }))
			s := h.pbc(nil)
			told := h.received(s)
			h.end(s)
			if gap := time.Since(s.Started) - told; gap < 2*time.Millisecond {
				h.Errorf("the end came %v after the credential", gap)
			}
		}},
	{"one session per interface: a second one is busy, also a scan", func(h *house) {
		s := h.pbc(nil)
		if _, err := h.svc.StartPBC(h.Context(),
			session.StartRequest{Interface: "wlan0"}); !errors.Is(err, state.ErrBusy) {
			h.Errorf("push button: %v", err)
		}
		if _, _, err := h.svc.StartPIN(h.Context(),
			session.StartRequest{Interface: "wlan0"}); !errors.Is(err, state.ErrBusy) {
			h.Errorf("PIN: %v", err)
		}
		if err := h.svc.Scan(h.Context(), "wlan0"); !errors.Is(err, state.ErrBusy) {
			h.Errorf("scan: %v", err)
		}
		if err := h.svc.CancelInterface(h.Context(), "wlan0"); err != nil {
			h.Error(err)
		}
		h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonCanceled, 0)
	}},
	{"a canceled session makes room for the next at once", func(h *house) {
		h.press(h.ap(nil))
		first := h.pbc(func(r *session.StartRequest) { r.BSSID = farBSSID })
		time.Sleep(100 * time.Millisecond)
		if err := h.svc.Cancel(h.Context(), first.ID); err != nil {
			h.Fatal(err)
		}
		second := h.pbc(nil)
		h.wantNetwork(h.end(second), "home", passphrase)
		if i := slices.IndexFunc(h.events, func(e state.Event) bool {
			_, ok := e.(state.SessionEnded)
			return ok
		}); h.events[i].(state.SessionEnded).Session.ID != first.ID {
			h.Error("the second ended first")
		}
	}},
	{"a session canceled in the middle lets go of the access point before it ends", func(h *house) {
		ap := h.ap(func(o *sim.APOptions) {
			o.Personality.Message = func(t wsc.MessageType, msg []byte) []byte {
				if t == wsc.MsgM4 {
					return nil
				}
				return msg
			}
		})
		h.press(ap)
		s := h.pbc(nil)
		h.wait(func(e state.Event) bool {
			c, ok := e.(state.SessionChanged)
			return ok && c.Session.Message == wsc.MsgM3
		})
		if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
			h.Fatal(err)
		}
		e := h.end(s)
		h.wantEnd(e, state.StateCanceled, outcome.ReasonCanceled, 0)
		if state, _ := h.world.RadioState("wlan0"); state.Taken || !state.Associated.IsZero() {
			h.Errorf("the interface is not given back: %+v", state)
		}
		if took := time.Since(s.Started); took > 4*time.Second || !ap.Happened(sim.Disassociated) {
			h.Errorf("after %v: %v", took, ap.Events())
		}
		if err := h.svc.Cancel(h.Context(), s.ID); !errors.Is(err, state.ErrNoSession) {
			h.Errorf("canceled twice: %v", err)
		}
	}},
	{"an owner that leaves ends its sessions, but not the detached and not those of others",
		func(h *house) {
			h.plug("wlan1", wsc.MAC{2, 0, 0, 0, 0, 9})
			h.plug("wlan2", wsc.MAC{2, 0, 0, 0, 0, 10})
			mine := h.pbc(nil)
			detached := h.pbc(func(r *session.StartRequest) {
				r.Interface, r.Detach = "wlan1", true
			})
			theirs := h.pbc(func(r *session.StartRequest) {
				r.Interface, r.Owner = "wlan2", ":1.2"
			})
			h.svc.ReleaseOwner(":1.1")
			h.wantEnd(h.end(mine), state.StateCanceled, outcome.ReasonOwnerLeft, 0)
			for _, s := range []state.Session{detached, theirs} {
				if now, _ := h.svc.Published().Session(s.ID); now.State.Ended() {
					h.Errorf("%+v", now)
				}
			}
		}},
	{"an interface that is pulled out ends its session, and is gone", func(h *house) {
		h.ap(nil)
		s := h.pbc(nil)
		time.Sleep(3 * time.Second)
		h.world.RemoveRadio("wlan0")
		h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonInterfaceGone, 0)
		h.drain()
		snap, sub := h.svc.Published().Subscribe()
		sub.Close()
		if len(snap.Interfaces) != 0 || len(snap.AccessPoints) != 0 ||
			count[state.AccessPointRemoved](h) != 1 || count[state.InterfaceRemoved](h) != 1 {
			h.Errorf("%+v", snap)
		}
		if _, err := h.svc.StartPBC(h.Context(),
			session.StartRequest{Interface: "wlan0"}); !errors.Is(err,
			state.ErrNoInterface) {
			h.Errorf("%v", err)
		}
	}},
	{"a radio that is switched off ends its session, and none can start", func(h *house) {
		s := h.pbc(nil)
		time.Sleep(time.Second)
		h.world.BlockRadio("wlan0", true)
		h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonRadioBlocked, 0)
		if _, err := h.svc.StartPBC(h.Context(),
			session.StartRequest{Interface: "wlan0"}); !errors.Is(err,
			state.ErrRadioBlocked) {
			h.Errorf("%v", err)
		}
		if err := h.svc.Scan(h.Context(), "wlan0"); !errors.Is(err, state.ErrRadioBlocked) {
			h.Errorf("%v", err)
		}
		// Neither the switch nor its release has to have been heard of.
		h.press(h.ap(nil))
		h.world.BlockRadio("wlan0", false)
		h.wantEnd(h.end(h.pbc(nil)), state.StateSucceeded, "", 0)
	}},
	{"an interface that another program uses is busy", func(h *house) {
		h.press(h.ap(nil))
		h.world.Occupy("wlan0", farBSSID)
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonInterfaceBusy, 0)
		h.world.Occupy("wlan0", wsc.MAC{})
		h.world.SetRadioUp("wlan0", false)
	}},
	{"what cannot be is refused with its own error", func(h *house) {
		for _, c := range []struct {
			r    session.StartRequest
			want error
		}{
			{session.StartRequest{Interface: "wlan7"}, state.ErrNoInterface},
			{session.StartRequest{Interface: "wlan0", BSSID: wsc.Broadcast}, state.ErrUnknownBSSID},
			{session.StartRequest{Interface: "wlan0", BSSID: wsc.MAC{1, 0, 0x5e}},
				state.ErrUnknownBSSID},
			{session.StartRequest{Interface: "wlan0", Apply: "iwd"}, state.ErrNotSupported},
		} {
			if _, err := h.svc.StartPBC(h.Context(), c.r); !errors.Is(err, c.want) {
				h.Errorf("%+v: %v", c.r, err)
			}
		}
		for _, err := range []error{h.svc.Scan(h.Context(), "x"),
			h.svc.CancelInterface(h.Context(), "x")} {
			if !errors.Is(err, state.ErrNoInterface) {
				h.Error(err)
			}
		}
		if err := h.svc.CancelInterface(h.Context(), "wlan0"); !errors.Is(err, state.ErrNoSession) {
			h.Error(err)
		}
		if _, err := h.svc.Credentials(99); !errors.Is(err, state.ErrNoSession) {
			h.Error(err)
		}
		if _, err := h.svc.NetworkSecrets(99); !errors.Is(err, state.ErrNoNetwork) {
			h.Error(err)
		}
		if err := h.svc.DeleteNetwork(h.Context(), 99); !errors.Is(err, state.ErrNoNetwork) {
			h.Error(err)
		}
	}},
	{"an ended session is forgotten after ten minutes, with its secrets", func(h *house) {
		h.press(h.ap(nil))
		s := h.end(h.pbc(nil))
		time.Sleep(10*time.Minute - time.Second)
		if _, err := h.svc.Credentials(s.ID); err != nil {
			h.Error(err)
		}
		var held secret.Value
		if _, err := h.svc.sessions.Networks(s.ID,
			func(ses *session.Running) []credential.Network {
				held = ses.Credentials[0].Key
				return nil
			}); err != nil {
			h.Error(err)
		}
		time.Sleep(2 * time.Second)
		if _, err := h.svc.Credentials(s.ID); !errors.Is(err, state.ErrNoSession) {
			h.Error(err)
		}
		if held.Equal(secret.FromString(passphrase)) {
			h.Error("the key was not overwritten")
		}
		if _, err := h.svc.NetworkSecrets(s.Networks[0]); err != nil {
			h.Errorf("the network went with it: %v", err)
		}
		h.wait(func(e state.Event) bool { return e == state.SessionRemoved{ID: s.ID} })
	}},
	{"of more than sixteen ended sessions the oldest is forgotten", func(h *house) {
		for range session.MaxEnded + 3 {
			s := h.pbc(nil)
			if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
				h.Fatal(err)
			}
			h.end(s)
		}
		h.drain()
		snap, sub := h.svc.Published().Subscribe()
		sub.Close()
		if len(snap.Sessions) != session.MaxEnded || snap.Sessions[0].ID != 4 ||
			count[state.SessionRemoved](h) != 3 {
			h.Errorf("%d sessions, the first %d", len(snap.Sessions), snap.Sessions[0].ID)
		}
	}},
	{"a flood of starts and cancels does no harm", func(h *house) {
		h.press(h.ap(nil))
		refused := 0
		for range 20_000 {
			s, err := h.svc.StartPBC(h.Context(),
				session.StartRequest{Interface: "wlan0", BSSID: farBSSID})
			switch {
			case errors.Is(err, state.ErrTooMany):
				refused++
				synctest.Wait()
				continue
			case err != nil:
				h.Fatal(err)
			}
			if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
				h.Fatal(err)
			}
		}
		synctest.Wait()
		if _, err := h.sub.Next(h.Context()); !errors.Is(err, state.ErrSubscriberTooSlow) {
			h.Errorf("a subscriber that slept through it: %v", err)
		}
		_, h.sub = h.svc.Published().Subscribe()
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
	}},
	{"the end of the daemon ends all sessions, with the interface given back", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.Silent = true }))
		h.pbc(nil)
		time.Sleep(4 * time.Second) // inHouse checks the rest
	}},
	{"with external processing nothing is stored, and the credential is there all the same",
		func(h *house) {
			if err := h.svc.Settings().SetProcessing(h.Context(), state.ProcessingExternal); err != nil {
				h.Fatal(err)
			}
			h.press(h.ap(nil))
			s := h.end(h.pbc(nil))
			got, err := h.svc.Credentials(s.ID)
			if s.State != state.StateSucceeded || len(s.Networks) != 0 ||
				len(h.store.Networks()) != 0 ||
				len(got) != 1 || err != nil {
				h.Errorf("%+v, %d, %v", s, len(got), err)
			}
		}},
	{"a network that is received again keeps its number", func(h *house) {
		ap := h.ap(nil)
		h.press(ap)
		first := h.end(h.pbc(nil))
		h.press(ap)
		second := h.end(h.pbc(nil))
		h.drain()
		if list := h.store.Networks(); len(list) != 1 ||
			state.NetworkID(list[0].ID) != second.Networks[0] ||
			first.Networks[0] != second.Networks[0] {
			h.Errorf("%+v", list)
		}
		if count[state.NetworkAdded](h) != 1 || count[state.NetworkChanged](h) != 1 ||
			count[state.NetworkRemoved](h) != 0 {
			h.Error("it was told as another network")
		}
		if err := h.svc.DeleteNetwork(h.Context(), second.Networks[0]); err != nil {
			h.Error(err)
		}
		h.wait(func(e state.Event) bool {
			return e == state.NetworkRemoved{ID: second.Networks[0]}
		})
	}},
	{"a credential that cannot be stored is not lost, and the sentence says so", func(h *house) {
		for i := range store.MaxNetworks {
			n := store.Network{Created: time.Now(), Source: "pin"}
			n.SSID, n.Auth, n.Encryption, n.KeyKind = []byte{'a' + byte(i%26), 'a' + byte(i/26)},
				wsc.AuthOpen, wsc.EncrNone, "none"
			if _, _, err := h.store.Put(n); err != nil {
				h.Fatal(err)
			}
		}
		h.press(h.ap(nil))
		s := h.end(h.pbc(nil))
		got, err := h.svc.Credentials(s.ID)
		h.wantEnd(s, state.StateFailed, outcome.ReasonNotStored, 0)
		if !s.Detail.NotStored || len(got) != 1 || err != nil ||
			string(got[0].Key.Bytes()) != passphrase ||
			!strings.Contains(s.Sentence, "wpsctl credentials 1") {
			h.Errorf("%+v, %v", s, err)
		}
	}},
	{"the device's properties are checked, and told", func(h *house) {
		bad := []func(*wsc.Device){
			func(d *wsc.Device) { d.DeviceName = string(make([]byte, 33)) },
			func(d *wsc.Device) { d.Manufacturer = "a\nb" },
			func(d *wsc.Device) { d.ModelName = "\xff" },
			func(d *wsc.Device) { d.SecondaryDeviceTypes = make([]wsc.DeviceType, 99) },
		}
		for _, change := range bad {
			if err := h.svc.Settings().SetDevice(h.Context(), change); !errors.Is(err, state.ErrInvalid) {
				h.Errorf("%v", err)
			}
		}
		if err := h.svc.Settings().SetProcessing(h.Context(), "all"); !errors.Is(err, state.ErrInvalid) {
			h.Error(err)
		}
		if err := h.svc.Settings().SetDevice(h.Context(), func(d *wsc.Device) {
			d.DeviceName = "kitchen"
		}); err != nil {
			h.Error(err)
		}
		h.wait(func(e state.Event) bool {
			m, ok := e.(state.ManagerChanged)
			return ok && m.Manager.Device.DeviceName == "kitchen"
		})
	}},
	{"the UUID is made from the first interface's address and kept", func(h *house) {
		want := wsc.UUIDFromMAC(laptop)
		snap, sub := h.svc.Published().Subscribe()
		sub.Close()
		if snap.Manager.Device.UUID != want || h.store.UUID() != want {
			h.Errorf("%v, stored %v", snap.Manager.Device.UUID, h.store.UUID())
		}
	}},
}

func TestOnlyNamedInterfaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, func(c *Config) { c.Interfaces = []string{"wlan9"} }, func(h *house) {
			if _, err := h.svc.StartPBC(h.Context(),
				session.StartRequest{Interface: "wlan0"}); !errors.Is(err, state.ErrNoInterface) {
				h.Error(err)
			}
		})
	})
}

func TestBeforeRun(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Drivers: []drivers.Driver{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartPBC(t.Context(), session.StartRequest{Interface: "wlan0"}); !errors.Is(err,
		state.ErrShutdown) {
		t.Error(err)
	}
	if _, err := New(Config{Processing: "some"}); !errors.Is(err, state.ErrInvalid) {
		t.Error(err)
	}
}
