package service

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

var printer = wsc.MAC{2, 0, 0, 0, 0, 0x50}

// erHouse is a house with a network cable.
type erHouse struct {
	*house
	lan *lan
}

// playER runs scenes in which ":1.1" has started the External Registrar, which has found its access
// point.
func playER(t *testing.T, scenes map[string]func(h *erHouse)) {
	t.Helper()
	for name, run := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLAN(t)
				inHouse(t, func(c *Config) { c.ControlPoint = l.Open }, func(h *house) {
					e := &erHouse{h, l}
					e.start(external.Start{})
					e.wait(func(e state.Event) bool { _, ok := e.(state.ERAPAdded); return ok })
					run(e)
				})
				if l.open != l.closed {
					t.Errorf("sockets were opened %d times, closed %d times", l.open, l.closed)
				}
			})
		})
	}
}

func (h *erHouse) start(r external.Start) {
	h.Helper()
	r.Interface = "wlan0"
	if r.Owner == "" {
		r.Owner = ":1.1"
	}
	if err := h.svc.Registrars().StartER(h.Context(), r); err != nil {
		h.Fatal(err)
	}
}

// request names the access point by its UUID, for an owner of its own.
func (h *erHouse) request(pin string) external.Request {
	return external.Request{Interface: "wlan0", AP: external.Peer{UUID: h.lan.uuid},
		PIN:   secret.FromString(pin),
		Owner: ":1.2"}
}

func (h *erHouse) must(s state.Session, err error) state.Session {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *erHouse) learn(pin string) state.Session {
	h.Helper()
	return h.must(h.svc.Registrars().ERLearn(h.Context(), h.request(pin)))
}

// admit waits for a device with a PIN.
func (h *erHouse) admit(change func(*external.Request)) state.Session {
	h.Helper()
	r := external.Request{Interface: "wlan0", PIN: secret.FromString(labelPIN), Owner: ":1.2"}
	if change != nil {
		change(&r)
	}
	return h.must(h.svc.Registrars().EREnrollPIN(h.Context(), r))
}

func (h *erHouse) running() bool {
	snap, sub := h.svc.Published().Subscribe()
	sub.Close()
	return len(snap.ERs) == 1
}

func TestERFindsAndLearns(t *testing.T) {
	t.Parallel()
	playER(t, map[string]func(h *erHouse){
		"the settings are stored, and told to be there": func(h *erHouse) {
			s := h.learn(labelPIN)
			if s.Role != state.RoleExternalRegistrar || s.Purpose != state.PurposeLearn ||
				s.State != state.StateExchanging {
				h.Errorf("%+v", s)
			}
			h.wait(func(e state.Event) bool {
				return e == state.ERAPSettings{Session: s.ID, Interface: "wlan0", AccessPoint: 1}
			})
			s = h.end(s)
			h.wantNetwork(s, "home", passphrase)
			if s.Peer != homeBSSID || s.ERAPUUID != h.lan.uuid || s.ERAP != 1 || s.Message == 0 {
				h.Errorf("%+v", s)
			}
			if n := h.networks(); len(n) != 1 || n[0].Source != "learn" || n[0].BSSID != homeBSSID {
				h.Errorf("stored %+v", n)
			}
			if count[state.CredentialReceived](h.house) != 1 {
				h.Error("the owner was not told")
			}
			snap, sub := h.svc.Published().Subscribe()
			defer sub.Close()
			if !snap.ERAccessPoints[0].HasSettings {
				h.Error("it does not know that it has settings")
			}
		},
		"by its BSSID, with external processing: stored nowhere": func(h *erHouse) {
			h.process(state.ProcessingExternal)
			r := h.request(labelPIN)
			r.AP = external.Peer{MAC: homeBSSID}
			s := h.end(h.must(h.svc.Registrars().ERLearn(h.Context(), r)))
			got, err := h.svc.Credentials(s.ID)
			if s.State != state.StateSucceeded || len(s.Networks) != 0 || err != nil ||
				len(got) != 1 ||
				len(h.networks()) != 0 {
				h.Errorf("%+v, %v", s, err)
			}
		},
		"a wrong PIN costs one try": func(h *erHouse) {
			h.wantEnd(h.end(h.learn("99995676")), state.StateFailed,
				outcome.ReasonWrongPINFirst, 18)
			h.wantEnd(h.end(h.learn("12340002")), state.StateFailed,
				outcome.ReasonWrongPINSecond, 18)
			h.wantNetwork(h.end(h.learn(labelPIN)), "home", passphrase)
			if n := h.lan.called("GetDeviceInfo"); n > 4 {
				h.Errorf("%d runs", n)
			}
		},
		"settings that make no network": func(h *erHouse) {
			h.lan.settings.EncrType, h.lan.settings.AuthType = wsc.EncrWEP, wsc.AuthOpen
			h.wantEnd(h.end(h.learn(labelPIN)), state.StateFailed, outcome.ReasonBadCredential, 0)
		},
		"configured": func(h *erHouse) {
			s := h.must(h.svc.Registrars().ERConfigure(h.Context(), h.request(labelPIN),
				session.Settings{
					SSID: []byte("new"), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
					Key: secret.FromString("new passphrase"),
				}))
			h.wantNetwork(h.end(s), "new", "new passphrase")
			if got := h.lan.enrollee.Outcome().APSettings; string(got.SSID) != "new" {
				h.Errorf("the access point has %q", got.SSID)
			}
			if c, err := h.svc.Registrars().ERConfig(h.Context(), "wlan0",
				external.Peer{UUID: h.lan.uuid}); err != nil || string(c.SSID) != "new" {
				h.Errorf("devices get %q, %v", c.SSID, err)
			}
		},
	})
}

func (h *house) networks() []state.Network {
	snap, sub := h.svc.Published().Subscribe()
	sub.Close()
	return snap.Networks
}

func TestERLetsIn(t *testing.T) {
	t.Parallel()
	pin := func(text string) devpass.Password { return devpass.FromPIN(secret.FromString(text)) }
	playER(t, map[string]func(h *erHouse){
		"nobody, before the settings are known": func(h *erHouse) {
			for _, allow := range []func() (state.Session, error){
				func() (state.Session, error) {
					return h.svc.Registrars().EREnrollPIN(h.Context(), h.request(labelPIN))
				},
				func() (state.Session, error) {
					return h.svc.Registrars().EREnrollPBC(h.Context(), h.request(""))
				},
			} {
				if _, err := allow(); !errors.Is(err, state.ErrNoERSettings) {
					h.Errorf("%v", err)
				}
			}
			if _, err := h.svc.Registrars().ERConfig(h.Context(), "wlan0",
				external.Peer{UUID: h.lan.uuid}); !errors.Is(err, state.ErrNoERSettings) {
				h.Error(err)
			}
		},
		"the device with the PIN, which gets the settings": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			s := h.admit(nil)
			station := h.lan.join(printer, pin(labelPIN))
			s = h.end(s)
			if s.State != state.StateSucceeded || s.Peer != printer ||
				s.PeerUUID != wsc.UUIDFromMAC(printer) || s.Purpose != state.PurposeAdmit ||
				len(s.Networks) != 0 || s.ERAPUUID != h.lan.uuid {
				h.Errorf("%+v", s)
			}
			if got := station.Outcome().Credentials; len(got) != 1 ||
				string(got[0].NetworkKey.Bytes()) != passphrase {
				h.Errorf("the station got %d credentials", len(got))
			}
		},
		"a device with another PIN not, and the PIN is good no more": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			s := h.admit(nil)
			h.lan.join(printer, pin("99995676"))
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonWrongPINFirst, 18)
		},
		"with a stored network that was set": func(h *erHouse) {
			n, err := h.svc.AddNetwork(h.Context(),
				session.Settings{SSID: []byte("known"), Auth: wsc.AuthWPA2PSK,
					Encryption: wsc.EncrAES,
					Key:        secret.FromString("known passphrase")}, wsc.MAC{})
			if err != nil {
				h.Fatal(err)
			}
			if err := h.svc.Registrars().ERSetConfig(h.Context(), "wlan0",
				external.Peer{MAC: homeBSSID},
				n.ID); err != nil {
				h.Fatal(err)
			}
			s := h.admit(func(r *external.Request) { r.Enrollee.MAC = printer })
			station := h.lan.join(printer, pin(labelPIN))
			if s := h.end(s); s.State != state.StateSucceeded || string(s.Detail.SSID) != "known" {
				h.Errorf("%+v", s)
			}
			if got := station.Outcome().Credentials; len(got) != 1 ||
				string(got[0].SSID) != "known" {
				h.Errorf("the station got %+v", got)
			}
			if err := h.svc.Registrars().ERSetConfig(h.Context(), "wlan0",
				external.Peer{MAC: homeBSSID},
				99); !errors.Is(err, state.ErrNoNetwork) {
				h.Error(err)
			}
		},
		"whose button is pressed, after ours": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			s := h.must(h.svc.Registrars().EREnrollPBC(h.Context(),
				external.Request{Interface: "wlan0", Enrollee: external.Peer{UUID: h.lan.uuid},
					Owner: ":1.2"}))
			synctest.Wait()
			if h.lan.selected == nil || !h.lan.selected.Selected ||
				h.lan.selected.DevicePasswordID != wsc.PasswordIDPushButton {
				h.Errorf("the access point was told %+v", h.lan.selected)
			}
			h.lan.join(printer, devpass.PushButton())
			if s := h.end(s); s.State != state.StateSucceeded || s.Method != state.MethodPBC ||
				s.Peer != printer {
				h.Errorf("%+v", s)
			}
		},
		"until the PIN's time is over": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			s := h.admit(func(r *external.Request) { r.Timeout = 5 * time.Minute })
			if s.Deadline != s.Started.Add(5*time.Minute) {
				h.Error(s.Deadline.Sub(s.Started))
			}
			ended := h.end(s)
			h.wantEnd(ended, state.StateFailed, outcome.ReasonWalkTime, 16)
			if took := time.Since(s.Started); took != 5*time.Minute ||
				!strings.Contains(ended.Sentence, "5 minutes") {
				h.Errorf("%v: %s", took, ended.Sentence)
			}
			h.wantEnd(h.end(h.admit(nil)), state.StateFailed, outcome.ReasonWalkTime, 16)
		},
		"and others see that they are not meant": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			s := h.admit(func(r *external.Request) { r.MAC = printer })
			synctest.Wait()
			if got := h.lan.selected.AuthorizedMACs; len(got) != 1 || got[0] != printer {
				h.Errorf("authorized %v", got)
			}
			if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
				h.Fatal(err)
			}
			h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonCanceled, 0)
			synctest.Wait()
			if h.lan.selected.Selected {
				h.Error("the access point still waits for it")
			}
		},
	})
}

// TestERSessionsEnd: whatever ends them, with the reason that it has elsewhere.
func TestERSessionsEnd(t *testing.T) {
	t.Parallel()
	slow := func(h *erHouse) state.Session {
		h.lan.slow = time.Hour
		return h.learn(labelPIN)
	}
	playER(t, map[string]func(h *erHouse){
		"its owner leaves": func(h *erHouse) {
			s := slow(h)
			h.svc.ReleaseOwner(":1.2")
			h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonOwnerLeft, 0)
			if !h.running() {
				h.Error("the External Registrar is another's")
			}
		},
		"it is canceled, once": func(h *erHouse) {
			s := slow(h)
			if err := errors.Join(h.svc.Cancel(h.Context(), s.ID),
				h.svc.Cancel(h.Context(), s.ID)); err != nil {
				h.Fatal(err)
			}
			h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonCanceled, 0)
			if err := h.svc.Cancel(h.Context(), s.ID); !errors.Is(err, state.ErrNoSession) {
				h.Error(err)
			}
		},
		"the External Registrar is stopped": func(h *erHouse) {
			s := slow(h)
			if err := h.svc.Registrars().StopER(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			ended := h.end(s)
			h.wantEnd(ended, state.StateCanceled, outcome.ReasonCanceled, 0)
			if !strings.Contains(ended.Sentence, "External Registrar") {
				h.Error(ended.Sentence)
			}
		},
		"the interface goes": func(h *erHouse) {
			s := slow(h)
			h.world.RemoveRadio("wlan0")
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonInterfaceGone, 0)
		},
		"it takes two minutes": func(h *erHouse) {
			h.wantEnd(h.end(slow(h)), state.StateFailed, outcome.ReasonWalkTime, 16)
		},
		"a session of the interface's own goes on, and ends alone": func(h *erHouse) {
			s, own := slow(h), h.pbc(nil)
			if err := h.svc.CancelInterface(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			h.wantEnd(h.end(own), state.StateCanceled, outcome.ReasonCanceled, 0)
			if now, _ := h.svc.Published().Session(s.ID); now.State.Ended() {
				h.Error("both were canceled")
			}
			h.svc.ReleaseOwner(":1.2")
			h.end(s)
		},
	})
}

// TestERLifetime: who started it keeps it, and nobody else.
func TestERLifetime(t *testing.T) {
	t.Parallel()
	gone := func(h *erHouse) {
		h.Helper()
		if h.running() {
			h.Error("it still runs")
		}
		h.drain()
		for _, want := range []bool{
			count[state.ERAPRemoved](h.house) > 0, count[state.ERChanged](h.house) == 2,
			h.lan.called("UNSUBSCRIBE") == 1, h.lan.closed == h.lan.open,
		} {
			if !want {
				h.Errorf("something is left: %q, %v", h.lan.calls, h.events)
			}
		}
	}
	playER(t, map[string]func(h *erHouse){
		"it ends with who started it": func(h *erHouse) {
			h.svc.ReleaseOwner(":1.1")
			synctest.Wait()
			gone(h)
		},
		"it ends with the last of them": func(h *erHouse) {
			h.start(external.Start{Owner: ":1.3"})
			h.svc.ReleaseOwner(":1.1")
			if !h.running() || !h.svc.Registrars().WantsER(":1.3") ||
				h.svc.Registrars().WantsER(":1.1") {
				h.Error("the second one still wants it")
			}
			h.svc.ReleaseOwner(":1.3")
			synctest.Wait()
			gone(h)
		},
		"detached, it stays": func(h *erHouse) {
			h.start(external.Start{Owner: ":1.3", Detach: true})
			h.svc.ReleaseOwner(":1.3")
			h.svc.ReleaseOwner(":1.1")
			if !h.running() || h.svc.Busy() == "" {
				h.Error("it ended")
			}
		},
		"it stays as long as somebody's session needs it": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			s := h.admit(func(r *external.Request) { r.Detach = true })
			h.svc.ReleaseOwner(":1.1")
			h.svc.ReleaseOwner(":1.2")
			if !h.running() {
				h.Fatal("it ended")
			}
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonWalkTime, 16)
			h.wait(func(e state.Event) bool {
				c, ok := e.(state.ERChanged)
				return ok && !c.ER.Running
			})
			synctest.Wait()
			gone(h)
		},
		"an access point that does not listen delays its end by no more than a moment": func(h *erHouse) {
			h.lan.goodbye = time.Hour
			began := time.Now()
			if err := h.svc.Registrars().StopER(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			if h.running() || time.Since(began) != 0 {
				h.Error("Stop waits")
			}
			time.Sleep(external.Goodbye)
			synctest.Wait()
			if h.lan.closed != 1 {
				h.Error("it is not closed")
			}
		},
		"started again, it tells what it knows": func(h *erHouse) {
			h.lan.join(printer, devpass.PushButton())
			h.wait(func(e state.Event) bool { _, ok := e.(state.EREnrolleeAdded); return ok })
			h.drain()
			h.events = nil
			h.start(external.Start{})
			h.drain()
			if count[state.ERAPAdded](h.house) != 1 || count[state.EREnrolleeAdded](h.house) != 1 {
				h.Errorf("told %v", h.events)
			}
			err := h.svc.Registrars().StartER(h.Context(),
				external.Start{Interface: "wlan0", Owner: ":1.1",
					Address: netip.MustParseAddr("192.0.2.9")})
			if !errors.Is(err, state.ErrBusy) {
				h.Error(err)
			}
		},
		"an access point that goes is gone": func(h *erHouse) {
			h.lan.mu.Lock()
			h.lan.down = true
			h.lan.mu.Unlock()
			h.lan.announce(upnp.Byebye)
			e := h.wait(func(e state.Event) bool {
				_, ok := e.(state.ERAPRemoved)
				return ok
			}).(state.ERAPRemoved)
			if e.AccessPoint.UUID != h.lan.uuid || e.Reason == "" {
				h.Errorf("%+v", e)
			}
		},
	})
}

func TestERRefuses(t *testing.T) {
	t.Parallel()
	playER(t, map[string]func(h *erHouse){
		"what it cannot do": func(h *erHouse) {
			ask := func(change func(*external.Request)) external.Request {
				r := h.request(labelPIN)
				change(&r)
				return r
			}
			for _, c := range []struct {
				name string
				err  error
				want error
			}{
				{"no such interface",
					h.svc.Registrars().StartER(h.Context(), external.Start{Interface: "eth9"}),
					state.ErrNoInterface},
				{"nothing to stop", h.svc.Registrars().StopER(h.Context(), "eth9"),
					state.ErrNoInterface},
				{"an unknown access point", second(
					h.svc.Registrars().ERLearn(h.Context(),
						ask(func(r *external.Request) {
							r.AP = external.Peer{MAC: nextBSSID}
						}))), state.ErrNoERAP},
				{"any access point", second(h.svc.Registrars().ERLearn(h.Context(),
					ask(func(r *external.Request) { r.AP = external.Peer{} }))), state.ErrInvalid},
				{"no PIN", second(h.svc.Registrars().ERLearn(h.Context(),
					ask(func(r *external.Request) { r.PIN = secret.Value{} }))), devpass.ErrPIN},
				{"a PIN with a wrong check digit",
					second(h.svc.Registrars().EREnrollPIN(h.Context(),
						ask(func(r *external.Request) {
							r.PIN = secret.FromString("12345678")
						}))), devpass.ErrPINChecksum},
				{"a device that is named like an access point",
					second(h.svc.Registrars().EREnrollPIN(h.Context(),
						ask(func(r *external.Request) {
							r.Enrollee.IP = h.lan.addr
						}))), state.ErrInvalid},
				{"the button of an address where nobody is",
					second(h.svc.Registrars().EREnrollPBC(h.Context(),
						ask(func(r *external.Request) {
							r.AP, r.Enrollee.IP = external.Peer{}, netip.MustParseAddr("192.0.2.9")
						}))), state.ErrNoERAP},
				{"somebody to hand it to", second(
					h.svc.Registrars().ERLearn(h.Context(),
						ask(func(r *external.Request) {
							r.Apply = "iwd"
						}))), state.ErrNotSupported},
				{"two addresses", second(h.svc.Registrars().EREnrollPIN(h.Context(),
					ask(func(r *external.Request) {
						r.MAC, r.Enrollee.MAC = printer, nextBSSID
					}))), state.ErrInvalid},
				{"everybody's address", second(
					h.svc.Registrars().EREnrollPIN(h.Context(),
						ask(func(r *external.Request) {
							r.MAC = wsc.Broadcast
						}))), state.ErrInvalid},
				{"two days", second(h.svc.Registrars().EREnrollPIN(h.Context(),
					ask(func(r *external.Request) {
						r.Timeout = 48 * time.Hour
					}))), state.ErrInvalid},
				{"WEP", second(h.svc.Registrars().ERConfigure(h.Context(), h.request(labelPIN),
					session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPA2PSK,
						Encryption: wsc.EncrWEP,
						Key:        secret.FromString("12345678")})), state.ErrInvalid},
			} {
				if !errors.Is(c.err, c.want) {
					h.Errorf("%s: %v, want %v", c.name, c.err, c.want)
				}
			}
			h.lan.slow = time.Minute
			s := h.learn(labelPIN)
			if _, err := h.svc.Registrars().ERLearn(h.Context(),
				h.request(labelPIN)); !errors.Is(err,
				state.ErrERBusy) {
				h.Error(err)
			}
			if err := h.svc.Registrars().StopER(h.Context(), "wlan0"); err != nil {
				h.Error(err)
			}
			h.end(s)
			for _, err := range []error{
				h.svc.Registrars().StopER(h.Context(), "wlan0"),
				second(h.svc.Registrars().ERLearn(h.Context(), h.request(labelPIN))),
				h.svc.Registrars().ERSetConfig(h.Context(), "wlan0", external.Peer{}, 1),
			} {
				if !errors.Is(err, state.ErrERStopped) && !errors.Is(err, state.ErrNoNetwork) {
					h.Error(err)
				}
			}
		},
		"more sessions than there may be": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			for i := range external.MaxSessions {
				mac := printer
				mac[4], mac[5] = byte(i>>8), byte(i)
				h.admit(func(r *external.Request) { r.MAC = mac })
			}
			if _, err := h.svc.Registrars().EREnrollPIN(h.Context(),
				h.request(labelPIN)); !errors.Is(err,
				state.ErrTooMany) {
				h.Error(err)
			}
			// the interface's own sessions have theirs
			h.wantNetwork(h.end(h.enrolHere()), "home", passphrase)
		},
	})
}

func (h *erHouse) enrolHere() state.Session {
	h.press(h.ap(nil))
	return h.pbc(nil)
}

func second(_ state.Session, err error) error { return err }

// TestERWithoutSockets: what the user is told if there can be none.
func TestERWithoutSockets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, nil, func(h *house) {
			if err := h.svc.Registrars().StartER(t.Context(),
				external.Start{Interface: "wlan0"}); !errors.Is(err,
				state.ErrNotSupported) {
				t.Error(err)
			}
		})
		l := newLAN(t)
		l.openErr = errors.New("no such device")
		inHouse(t, func(c *Config) { c.ControlPoint = l.Open }, func(h *house) {
			if err := h.svc.Registrars().StartER(t.Context(),
				external.Start{Interface: "wlan0"}); !errors.Is(err,
				state.ErrERSockets) || !strings.Contains(h.log.String(), "no such device") {
				t.Error(err)
			}
		})
	})
}

// TestERImpostor: what says to be the access point at another address gets nothing unless that
// address is named, whatever is done.
func TestERImpostor(t *testing.T) {
	t.Parallel()
	playER(t, map[string]func(h *erHouse){
		"by address only": func(h *erHouse) {
			n, err := h.svc.AddNetwork(h.Context(),
				session.Settings{SSID: []byte("net"), Auth: wsc.AuthWPA2PSK,
					Encryption: wsc.EncrAES,
					Key:        secret.FromString("12345678")}, wsc.MAC{})
			if err != nil {
				h.Fatal(err)
			}
			impostor := netip.MustParseAddr("192.0.2.66")
			h.lan.announceAt(impostor, upnp.Alive)
			synctest.Wait()
			if aps := h.svc.Published().Snapshot().ERAccessPoints; len(aps) != 2 || len(aps[0].Also) != 1 ||
				len(aps[1].Also) != 1 || aps[0].Problem == "" {
				h.Fatalf("%+v", aps)
			}
			h.lan.mu.Lock()
			asked := h.lan.others[impostor]
			h.lan.mu.Unlock()
			for _, ap := range []external.Peer{{UUID: h.lan.uuid}, {MAC: homeBSSID}} {
				r := h.request(labelPIN)
				r.AP = ap
				admit := r
				admit.Enrollee = external.Peer{MAC: printer}
				button := external.Request{Interface: "wlan0", Enrollee: ap, Owner: ":1.2"}
				_, secretsErr := h.svc.Registrars().ERConfig(h.Context(), "wlan0", ap)
				_, tokenErr := h.svc.NFC().ERNFCConfigToken(h.Context(), "wlan0", ap,
					nfc.FormatNDEF)
				for name, err := range map[string]error{
					"Learn": second(h.svc.Registrars().ERLearn(h.Context(), r)),
					"Configure": second(h.svc.Registrars().ERConfigure(h.Context(), r,
						session.Settings{SSID: []byte("new"), Auth: wsc.AuthWPA2PSK,
							Encryption: wsc.EncrAES, Key: secret.FromString("12345678")})),
					"EnrollPin": second(h.svc.Registrars().EREnrollPIN(h.Context(), admit)),
					"EnrollPbc, ap": second(h.svc.Registrars().EREnrollPBC(h.Context(),
						external.Request{Interface: "wlan0", AP: ap, Owner: ":1.2"})),
					"EnrollPbc": second(h.svc.Registrars().EREnrollPBC(h.Context(), button)),
					"SetConfig": h.svc.Registrars().ERSetConfig(h.Context(), "wlan0", ap, n.ID),
					"config":    secretsErr,
					"token":     tokenErr,
				} {
					if !errors.Is(err, state.ErrERAmbiguous) ||
						!strings.Contains(err.Error(), "192.0.2.1") ||
						!strings.Contains(err.Error(), impostor.String()) {
						h.Errorf("%s of %v: %v", name, ap, err)
					}
				}
			}
			r := h.request(labelPIN)
			r.AP = external.Peer{IP: h.lan.addr}
			if s := h.end(h.must(h.svc.Registrars().ERLearn(h.Context(),
				r))); s.State != state.StateSucceeded {
				h.Errorf("by the address: %v", s.Sentence)
			}
			h.lan.mu.Lock()
			defer h.lan.mu.Unlock()
			if h.lan.others[impostor] != asked {
				h.Errorf("the impostor was asked %d times more", h.lan.others[impostor]-asked)
			}
		},
	})
}

func TestParseERPeer(t *testing.T) {
	t.Parallel()
	uuid := wsc.UUIDFromMAC(homeBSSID)
	for text, want := range map[string]external.Peer{
		"any": {}, homeBSSID.String(): {MAC: homeBSSID},
		strings.ToUpper(uuid.String()): {UUID: uuid},
		"192.0.2.1":                    {IP: netip.MustParseAddr("192.0.2.1")},
	} {
		if got, err := external.ParsePeer(text); err != nil || got != want ||
			!strings.EqualFold(got.String(), text) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "ANY", "02:00", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff",
		"00000000-0000-0000-0000-000000000000",
		"0.0.0.0", "224.0.0.1", "fe80::1%eth0", "::ffff:192.0.2.1", "192.0.2.1:80",
		uuid.String() + "0", strings.Repeat("x", 1000)} {
		if got, err := external.ParsePeer(text); !errors.Is(err, state.ErrInvalid) ||
			!got.IsAny() ||
			len(err.Error()) > 200 {
			t.Errorf("%.40q: %v, %v", text, got, err)
		}
	}
}

// TestNoSecretOfAnERLeaks, as TestNoSecretLeaks.
func TestNoSecretOfAnERLeaks(t *testing.T) {
	t.Parallel()
	const newKey, wrong = "a new passphrase", "65358979"
	playER(t, map[string]func(h *erHouse){
		"all runs": func(h *erHouse) {
			h.end(h.learn(wrong))
			h.end(h.learn(labelPIN))
			h.end(h.must(h.svc.Registrars().ERConfigure(h.Context(), h.request(labelPIN),
				session.Settings{SSID: []byte("new"), Auth: wsc.AuthWPA2PSK,
					Encryption: wsc.EncrAES,
					Key:        secret.FromString(newKey)})))
			s := h.admit(func(r *external.Request) { r.PIN = secret.FromString(wrong) })
			h.lan.join(printer, devpass.FromPIN(secret.FromString(wrong)))
			h.end(s)
			h.drain()
			var text bytes.Buffer
			text.Write(h.log.Bytes())
			for _, e := range h.events {
				fmt.Fprintf(&text, "%v\n%+v\n%#v\n%s\n%x\n", e, e, e, e, e)
			}
			if text.Len() < 2000 {
				h.Errorf("only %d bytes were searched", text.Len())
			}
			for name, value := range map[string]string{"passphrase": passphrase, "new key": newKey,
				"PIN": wrong, "AP PIN": labelPIN} {
				for form, needle := range forms(name, []byte(value)) {
					if strings.Contains(text.String(), needle) {
						h.Errorf("%s is in the log or in an event", form)
					}
				}
			}
		},
	})
}
