package nfc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/er"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/agents"
	"wpsd/service/arrival"
	"wpsd/service/external"
	"wpsd/service/hotspot/hotspottest"
	"wpsd/service/lending"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
	"wpsd/service/tags"
)

// hub is what stands for the service: a station, wlan0, an access point, uap0, and an External
// Registrar on wlan0 where er says so.
type hub struct {
	store      *store.Store
	ap         *hotspottest.Software
	processing state.Processing
	manages    map[string]bool // names of networks that the manager has with another key
	apply      string          // the manager
	er         bool
	known      bool // the External Registrar has a network

	started  []session.StartRequest
	tasks    []session.Task
	handed   []string
	admitted []er.NFCGrant
}

func (*hub) Known(ifname string) error {
	if ifname != "" && ifname != "wlan0" && ifname != hotspottest.Interface {
		return state.ErrNoInterface
	}
	return nil
}

func (*hub) IsAccessPoint(ifname string) bool { return ifname == hotspottest.Interface }

func (h *hub) AccessPoint() string {
	if h.ap == nil {
		return ""
	}
	return hotspottest.Interface
}

func (*hub) Address(string) wsc.MAC { return wsc.MAC{2, 0, 0, 0, 0, 1} }

func (*hub) UUID(ifname string) (wsc.UUID, error) {
	if ifname != "wlan0" {
		return wsc.UUID{}, state.ErrNotSupported
	}
	return wsc.UUIDFromMAC(wsc.MAC{2, 0, 0, 0, 0, 1}), nil
}

func (h *hub) Start(r session.StartRequest, t session.Task) (state.Session, error) {
	h.started, h.tasks = append(h.started, r), append(h.tasks, t)
	return state.Session{ID: state.SessionID(len(h.tasks)), Purpose: t.Purpose,
		Method: t.Method}, nil
}

func (h *hub) Processing() state.Processing { return h.processing }

func (*hub) SAEOnly(string, []byte) bool { return false }

func (*hub) CredentialsWaiting(int) {}

func (*hub) AgentEnded() {}

func (h *hub) CheckApply(apply string) error {
	if apply != "" && apply != h.apply {
		return state.ErrNotSupported
	}
	return nil
}

func (h *hub) HasOthers(_ context.Context, _ lending.Touch, list []credential.Network) bool {
	for _, n := range list {
		if h.manages[string(n.SSID)] {
			return true
		}
	}
	return false
}

func (h *hub) HandOver(r lending.Touch, list []credential.Network) {
	for _, n := range list {
		h.handed = append(h.handed, r.Interface+" "+string(n.SSID)+" "+string(n.Key.Bytes()))
	}
	credential.WipeAll(list)
}

func (h *hub) Ask(ctx context.Context, ifname string,
	ask func(drivers.AccessPoint) (secret.Value, error)) (secret.Value, error) {
	if h.ap == nil {
		return secret.Value{}, state.ErrNotSupported
	}
	ap, err := h.ap.AccessPoint(ctx, ifname)
	if err != nil {
		return secret.Value{}, err
	}
	defer ap.Close()
	return ask(ap)
}

func (h *hub) Runs(ifname string) bool { return h.er && ifname == "wlan0" }

func (h *hub) First() string {
	if h.er {
		return "wlan0"
	}
	return ""
}

func (h *hub) ERConfig(context.Context, string, external.Peer) (wsc.Credential, error) {
	if !h.known {
		return wsc.Credential{}, state.ErrNoERSettings
	}
	return wsc.Credential{SSID: []byte("far"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone}, nil
}

func (h *hub) NetworkOf(context.Context, string, external.Peer) (er.APID, []byte, error) {
	if !h.known {
		return 0, nil, state.ErrNoERSettings
	}
	return 0, []byte("far"), nil
}

func (h *hub) GrantNFC(_ context.Context, r external.Request,
	g er.NFCGrant) (state.Session, error) {
	switch {
	case !h.Runs(r.Interface):
		return state.Session{}, state.ErrERStopped
	case !h.known:
		return state.Session{}, state.ErrNoERSettings
	}
	g.Key = g.Key.Clone() // the caller's
	h.admitted = append(h.admitted, g)
	return state.Session{ID: 77}, nil
}

// room is an Exchange with nothing around it.
type room struct {
	testing.TB
	*Exchange
	hub *hub
}

func newRoom(t testing.TB, change func(*hub, *Config)) *room {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	h := &hub{store: store.Memory(), processing: state.ProcessingInternal}
	told := agents.New(h, log)
	t.Cleanup(func() { told.Close(errors.New("the end")) })
	arrivals := arrival.New(arrival.Config{Hub: h, Store: h.store,
		Published: state.New(state.Manager{}), Agents: told, Log: log})
	c := Config{Hub: h, Arrivals: arrivals, Managers: h, AccessPoints: h, Registrars: h,
		Tags: tags.New(log, func() {}), Expired: func() {}, Store: h.store, Rand: rand.Reader, Log: log}
	if change != nil {
		change(h, &c)
	}
	x, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Tags.Wipe)
	t.Cleanup(x.Wipe)
	return &room{TB: t, Exchange: x, hub: h}
}

// reads lets us read a tag.
func (r *room) reads(ifname string, payload []byte) Tag {
	r.Helper()
	t, err := r.NFCTagRead(r.Context(), TagRequest{Interface: ifname, Payload: payload,
		Owner: ":1.7", User: "1001"})
	if err != nil {
		r.Fatal(err)
	}
	return t
}

// networkTag is a configuration token of a WPA2 network; without a key it is open.
func networkTag(ssid, key string) *ndef.ConfigurationToken {
	c := wsc.Credential{NetworkIndex: 1, SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString(key)}
	if key == "" {
		c.AuthType, c.EncrType, c.NetworkKey = wsc.AuthOpen, wsc.EncrNone, secret.Value{}
	}
	return &ndef.ConfigurationToken{Credentials: []wsc.Credential{c}}
}

// passwordTag is a device's.
func passwordTag(id wsc.DevicePasswordID) *ndef.PasswordToken {
	return &ndef.PasswordToken{ID: id, PublicKeyHash: [20]byte{3},
		Password: secret.New(bytes.Repeat([]byte{byte(id)}, 32))}
}

// The token is made once, kept, and gives way to a configured one.
func TestOwnToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := func(own store.Token) *ndef.PasswordToken {
		t.Helper()
		kept, err := store.Open(dir + "/state")
		if err != nil {
			t.Fatal(err)
		}
		defer kept.Close()
		r := newRoom(t, func(_ *hub, c *Config) { c.Store, c.Own = kept, own })
		v, err := r.NFCPasswordToken(t.Context(), "", FormatNDEF)
		if err != nil {
			t.Fatal(err)
		}
		tag, err := ndef.Parse(v.Bytes())
		if err != nil || tag.Password == nil {
			t.Fatal(err)
		}
		return tag.Password
	}
	made, again := read(store.Token{}), read(store.Token{})
	if made.ID != again.ID || !made.Password.Equal(again.Password) ||
		made.PublicKeyHash != again.PublicKeyHash {
		t.Error("after a restart the token is another one")
	}
	private := secret.New(bytes.Repeat([]byte{5}, 192))
	configured := read(store.Token{ID: 0x1234, Private: private,
		Password: secret.New(bytes.Repeat([]byte{9}, 16))})
	pair, err := wsccrypto.KeyPairFromPrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	if configured.ID != 0x1234 || configured.Password.Len() != 16 ||
		configured.PublicKeyHash != wsccrypto.PublicKeyHash(pair.Public()) {
		t.Errorf("%+v", configured)
	}
	if last := read(store.Token{}); last.ID != made.ID {
		t.Error("the configured token took the place of the one that is on a tag")
	}
	for _, bad := range []store.Token{
		{ID: 7, Private: private, Password: secret.New(make([]byte, 32))},
		{ID: 0x1234, Private: private, Password: secret.New(make([]byte, 8))},
		{ID: 0x1234, Private: secret.New(make([]byte, 32)), Password: secret.New(make([]byte, 32))},
	} {
		if _, err := New(Config{Own: bad}); !errors.Is(err, state.ErrInvalid) {
			t.Errorf("%v", err)
		}
	}
}

// Nothing is begun without a token of ours; with one the task has its secrets.
func TestStartNFC(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	ask := session.StartRequest{Interface: "wlan0"}
	if _, err := r.StartNFC(t.Context(), ask); !errors.Is(err, state.ErrNoToken) {
		t.Errorf("without a token: %v", err)
	}
	if _, err := r.NFCPasswordToken(t.Context(), "wlan0", FormatWPS); err != nil {
		t.Fatal(err)
	}
	if _, err := r.StartNFC(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	task := r.hub.tasks[0]
	if own, _ := r.hub.store.Token(); task.Purpose != state.PurposeEnroll ||
		task.Method != state.MethodNFC || task.Password.ID != own.ID ||
		!task.PrivateKey.Equal(own.Private) {
		t.Errorf("%+v", task)
	}
	for _, there := range []session.StartRequest{{Interface: hotspottest.Interface},
		{Interface: "wlan0", Purpose: state.PurposeAdmit}} {
		if _, err := r.StartNFC(t.Context(), there); !errors.Is(err, state.ErrNotSupported) {
			t.Errorf("at an access point: %v", err)
		}
	}
}

// A configuration token becomes networks; a password is for whoever can use it.
func TestTags(t *testing.T) {
	t.Parallel()
	t.Run("networks are stored and handed over", func(t *testing.T) {
		r := newRoom(t, nil)
		got := r.reads("wlan0", networkTag("cabin", "correct horse").AppendNDEF(nil))
		if got.Kind != TagConfiguration || len(got.Networks) != 1 || got.NotStored ||
			len(r.hub.handed) != 1 || r.hub.handed[0] != "wlan0 cabin correct horse" {
			t.Errorf("%+v; handed over: %q", got, r.hub.handed)
		}
		// The token of a stored network is the same network again.
		for _, f := range []Format{FormatNDEF, FormatWPS} {
			tag, err := r.NFCConfigToken(t.Context(), "wlan0", f, got.Networks[0])
			if err != nil {
				t.Fatal(err)
			}
			if again := r.reads("", tag.Bytes()); len(again.Networks) != 1 ||
				again.Networks[0] != got.Networks[0] {
				t.Errorf("%+v", again)
			}
		}
		_, err := r.NFCTagRead(t.Context(), TagRequest{Apply: "nobody",
			Payload: networkTag("other", "").Append(nil)})
		if !errors.Is(err, state.ErrNotSupported) || len(r.hub.store.Networks()) != 1 {
			t.Errorf("to a manager that is not there: %v", err)
		}
	})
	t.Run("a network that cannot be used is refused with the reason", func(t *testing.T) {
		r := newRoom(t, nil)
		tag := networkTag("old", "wepwepwepwep!")
		tag.Credentials[0].AuthType, tag.Credentials[0].EncrType = wsc.AuthOpen, wsc.EncrWEP
		_, err := r.NFCTagRead(t.Context(), TagRequest{Payload: tag.Append(nil)})
		if !errors.Is(err, state.ErrUselessTag) || strings.Contains(err.Error(), "wepwep") ||
			!strings.Contains(err.Error(), `"old" (it uses WEP`) || len(r.hub.handed) > 0 {
			t.Errorf("%v", err)
		}
	})
	t.Run("a password lets its device in at an access point of ours", func(t *testing.T) {
		r := newRoom(t, func(h *hub, _ *Config) { h.ap = hotspottest.New() })
		got := r.reads(hotspottest.Interface, passwordTag(0x20).AppendNDEF(nil))
		if got.Session != 1 || got.PasswordID != 0x20 || r.tags.Count() > 0 {
			t.Errorf("%+v", got)
		}
		if err := r.NFCTouched(t.Context(), passwordTag(0x21).Append(nil)); err != nil {
			t.Fatal(err)
		}
		for n, task := range r.hub.tasks {
			start := r.hub.started[n]
			if task.Purpose != state.PurposeAdmit || task.Method != state.MethodNFC ||
				task.NFCGrant == nil || task.NFCRevoke == nil ||
				start.Interface != hotspottest.Interface || start.Detach != (n == 1) {
				t.Errorf("%+v, %+v", start, task)
			}
		}
	})
	t.Run("elsewhere it is kept for Learn and Configure", func(t *testing.T) {
		r := newRoom(t, nil)
		if got := r.reads("wlan0", passwordTag(0x20).Append(nil)); got.Session != 0 ||
			got.Kind != TagPassword {
			t.Errorf("%+v", got)
		}
		use := r.tags.Use()
		token, ok := use.Find(time.Time{}, 0x20, [20]byte{})
		if !ok || token.Password.Value.Len() != 64 || *token.EnrolleeKeyHash != [20]byte{3} {
			t.Errorf("%v", token.Password)
		}
		if use.End(true); r.tags.Count() > 0 {
			t.Error("it is kept though it was used")
		}
		if err := r.NFCTouched(t.Context(), passwordTag(0x22).Append(nil)); err != nil ||
			r.tags.Count() == 0 {
			t.Error(err)
		}
	})
	t.Run("an External Registrar lets it in, or does once it has a network", func(t *testing.T) {
		r := newRoom(t, func(h *hub, _ *Config) { h.er = true })
		read := TagRequest{Interface: "wlan0", Payload: passwordTag(0x20).Append(nil)}
		if _, err := r.ERNFCTagRead(t.Context(), read); !errors.Is(err, state.ErrNoERSettings) {
			t.Errorf("by who does not wait: %v", err)
		}
		read.Await, read.Owner = true, ":1.2"
		if _, err := r.ERNFCTagRead(t.Context(), read); err != nil {
			t.Fatal(err)
		}
		for n := range 2 { // once each
			list := r.tags.Awaited("wlan0")
			if n == 0 && (len(list) != 1 || list[0].Owner != ":1.2") || n == 1 && len(list) > 0 {
				t.Errorf("%+v", list)
			}
		}
		r.hub.known = true
		if err := r.NFCTouched(t.Context(), passwordTag(0x21).Append(nil)); err != nil ||
			len(r.hub.admitted) != 1 || *r.hub.admitted[0].KeyHash != [20]byte{3} {
			t.Errorf("%v, %+v", err, r.hub.admitted)
		}
	})
	t.Run("what is no tag of ours is refused", func(t *testing.T) {
		r := newRoom(t, nil)
		for _, bad := range []string{"", "\x10", "\x00", "\x00\x01", "\x00\x00", "\x00\x02xx",
			"noise", "\xd1\x01\x08T\x02enhello", "\xd2\x17\xffapplication/vnd.wfa.wsc",
			"\x10\x2c\x00\x04abcd", strings.Repeat("\x10\x0e\x00\x00", 10000)} {
			_, err := r.NFCTagRead(t.Context(), TagRequest{Payload: []byte(bad)})
			if !errors.Is(err, state.ErrBadTag) {
				t.Errorf("%q: %v", bad[:min(len(bad), 16)], err)
			}
			if err := r.NFCTouched(t.Context(), []byte(bad)); !errors.Is(err, state.ErrBadTag) {
				t.Errorf("touched %q: %v", bad[:min(len(bad), 16)], err)
			}
		}
		if _, err := r.NFCTagRead(t.Context(), TagRequest{Interface: "wlan7",
			Payload: passwordTag(0x20).Append(nil)}); !errors.Is(err, state.ErrNoInterface) {
			t.Errorf("an interface that is not there: %v", err)
		}
		for _, f := range []Format{"", "PDF"} {
			if _, err := r.NFCPasswordToken(t.Context(), "", f); !errors.Is(err, state.ErrInvalid) {
				t.Errorf("format %q: %v", f, err)
			}
		}
	})
}

// What a tag would do is said before it does anything, and it does no more than was allowed.
func TestEffect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		payload []byte
		manages string
		p       state.Processing
		want    TagEffect
		err     error
	}{
		{"a network that nobody knows", networkTag("cabin", "correct horse").Append(nil), "",
			state.ProcessingInternal, TagAdds, nil},
		{"a stored one with another key", networkTag("home", "another key").Append(nil), "",
			state.ProcessingInternal, TagChanges, nil},
		{"a stored one without a key", networkTag("home", "").Append(nil), "",
			state.ProcessingInternal, TagChanges, nil},
		{"a stored one just so", networkTag("home", "correct horse").Append(nil), "",
			state.ProcessingInternal, TagAdds, nil},
		{"a stored one where nothing is stored", networkTag("home", "another key").Append(nil), "",
			state.ProcessingExternal, TagAdds, nil},
		{"one of a manager's", networkTag("work", "another key").Append(nil), "work",
			state.ProcessingInternal, TagChanges, nil},
		{"a device password", passwordTag(0x20).Append(nil), "", state.ProcessingInternal,
			TagAdmits, nil},
		{"no tag", []byte("noise"), "", state.ProcessingInternal, "", state.ErrBadTag},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t, func(h *hub, _ *Config) {
				h.manages = map[string]bool{c.manages: c.manages != ""}
			})
			r.reads("", networkTag("home", "correct horse").Append(nil))
			r.hub.handed, r.hub.processing = nil, c.p
			ask := TagRequest{Interface: "wlan0", Payload: c.payload, Allowed: TagAdds}
			got, err := r.NFCTagEffect(t.Context(), ask)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
			}
			if len(r.hub.handed) > 0 || len(r.hub.store.Networks()) != 1 {
				t.Error("it was done already")
			}
			if c.want != TagChanges || c.manages != "" {
				return
			}
			if _, err := r.NFCTagRead(t.Context(), ask); !errors.Is(err, state.ErrChanged) {
				t.Errorf("more than was allowed: %v", err)
			}
			if n, _ := r.hub.store.Network(1); string(n.Key.Bytes()) != "correct horse" {
				t.Error("the stored network is another")
			}
		})
	}
}

// What is kept is bounded, in number and time.
func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var forgotten atomic.Int32
		r := newRoom(t, func(_ *hub, c *Config) {
			c.Expired = func() { forgotten.Add(1) }
			c.Tags = tags.New(c.Log, c.Expired)
		})
		kept := func() int {
			synctest.Wait()
			return r.tags.Count()
		}
		for i := range 17 {
			r.reads("wlan0", passwordTag(wsc.DevicePasswordID(0x100+i)).Append(nil))
		}
		newer := passwordTag(0x110)
		newer.Password = secret.New(make([]byte, 16))
		r.reads("wlan0", newer.Append(nil))
		if n := kept(); n != 16 {
			t.Errorf("%d are kept", n)
		}
		use := r.tags.Use()
		defer use.End(false)
		if _, ok := use.Find(time.Time{}, 0x100, [20]byte{}); ok {
			t.Error("the oldest is there still")
		}
		for id := range wsc.DevicePasswordID(16) {
			token, ok := use.Find(time.Time{}, 0x101+id, [20]byte{})
			if !ok || id == 15 && token.Password.Value.Len() != 32 {
				t.Errorf("%#x: %v, %d", 0x101+id, ok, token.Password.Value.Len())
			}
		}
		time.Sleep(6 * time.Minute)
		r.reads("wlan0", newer.Append(nil)) // anew
		if _, err := r.NFCHandoverRequest(t.Context(), "wlan0", FormatNDEF,
			CarrierRecord); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		if n := kept(); n != 1 || !r.HasHandovers() || forgotten.Load() != 15 {
			t.Errorf("after 6 minutes: %d, %d", n, forgotten.Load())
		}
		time.Sleep(5 * time.Minute)
		if kept() != 0 || r.HasHandovers() || forgotten.Load() != 17 {
			t.Errorf("after 11 minutes: %d", forgotten.Load())
		}
	})
}

// A handover's key is good for one run, and so is what an External Registrar answered.
func TestHandover(t *testing.T) {
	t.Parallel()
	r := newRoom(t, func(h *hub, _ *Config) { h.er, h.known = true, true })
	request := func() []byte {
		t.Helper()
		b, err := r.NFCHandoverRequest(t.Context(), "wlan0", FormatNDEF, CarrierMessage)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	report := func(req, sel []byte, ours bool) (state.Session, error) {
		return r.NFCReportHandover(t.Context(), Handover{Interface: "wlan0", Initiator: ours,
			Request: req, Select: sel, Owner: ":1.7"})
	}
	answer := hotspottest.Answer()
	first := request()
	if _, err := report(first, answer.AppendMessage(nil), true); err != nil {
		t.Fatal(err)
	}
	task := r.hub.tasks[0]
	if task.RegistrarKey == nil || *task.RegistrarKey != answer.PublicKeyHash ||
		string(task.SSID) != "hotspot" || task.Hint != 2437 || task.PrivateKey.IsZero() ||
		r.hub.started[0].BSSID != answer.BSSID {
		t.Errorf("%+v", task)
	}
	if _, err := report(first, answer.AppendMessage(nil), true); !errors.Is(err,
		state.ErrNoToken) {
		t.Errorf("the key is good once more: %v", err)
	}
	// Nine requests are too many: the oldest is forgotten.
	oldest := request()
	for range maxHandovers {
		request()
	}
	if _, err := report(oldest, answer.AppendMessage(nil), true); !errors.Is(err,
		state.ErrNoToken) {
		t.Errorf("the oldest of nine: %v", err)
	}
	// The External Registrar's answer.
	b, err := r.ERNFCHandoverSelect(t.Context(), "wlan0", external.Peer{}, FormatNDEF,
		CarrierRecord)
	if err != nil {
		t.Fatal(err)
	}
	theirs := (&ndef.HandoverRequest{PublicKeyHash: [20]byte{9}}).AppendMessage(nil, 7)
	if _, err := report(theirs, b, false); err != nil || len(r.hub.admitted) != 1 ||
		*r.hub.admitted[0].KeyHash != [20]byte{9} || r.hub.admitted[0].Key.IsZero() {
		t.Errorf("%v, %+v", err, r.hub.admitted)
	}
	if _, err := report(theirs, b, false); !errors.Is(err, state.ErrNoToken) {
		t.Errorf("its key is good once more: %v", err)
	}
	for name, bad := range map[string]struct {
		req, sel []byte
		err      error
	}{
		"an empty answer": {first, []byte{0xd1, 0x02, 0x01, 'H', 's', 0x12},
			state.ErrBadTag},
		"no request":                 {nil, b, state.ErrBadTag},
		"no answer":                  {first, nil, state.ErrBadTag},
		"the two exchanged":          {b, first, state.ErrBadTag},
		"a request of somebody else": {theirs, b, state.ErrNoToken},
	} {
		if _, err := report(bad.req, bad.sel, true); !errors.Is(err, bad.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.NFCHandoverSelect(t.Context(), "wlan0", FormatNDEF,
		CarrierRecord); !errors.Is(err, state.ErrNotSupported) {
		t.Errorf("a station offers a network: %v", err)
	}
	if _, err := r.NFCHandoverRequest(t.Context(), "wlan0", FormatWPS,
		CarrierMessage); !errors.Is(err, state.ErrInvalid) {
		t.Errorf("a message without NDEF: %v", err)
	}
}

// TestChannels: what tags say of channels, both ways (IEEE 802.11, channel starting frequencies;
// hostap for the limits).
func TestChannels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bands     wsc.RFBands
		channel   uint16
		frequency int
	}{
		{wsc.Band24GHz, 1, 2412}, {wsc.Band24GHz, 13, 2472}, {wsc.Band24GHz, 14, 2484},
		{wsc.Band5GHz, 36, 5180}, {wsc.Band5GHz, 177, 5885},
		{wsc.Band60GHz, 2, 60480},
	} {
		if f := frequencyOf(c.bands, c.channel); f != c.frequency {
			t.Errorf("channel %d: %d MHz, not %d", c.channel, f, c.frequency)
		}
		if n := channelOf(c.frequency); n != c.channel || wsc.BandOf(c.frequency) != c.bands {
			t.Errorf("%d MHz: channel %d, not %d", c.frequency, n, c.channel)
		}
	}
	for _, none := range []uint16{0, 15, 29, 190, 65535} {
		if f := frequencyOf(0, none); f != 0 {
			t.Errorf("channel %d: %d MHz", none, f)
		}
	}
	if channelOf(0) != 0 || channelOf(900) != 0 {
		t.Error("a frequency outside of all bands has a channel")
	}
}
