package arrival

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/agents"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// hub says what a test wants.
type hub struct {
	processing state.Processing
	sae        string // the network that takes SAE only, on wlan0
}

func (h *hub) Processing() state.Processing { return h.processing }
func (h *hub) SAEOnly(ifname string, ssid []byte) bool {
	return ifname == "wlan0" && string(ssid) == h.sae
}
func (h *hub) CredentialsWaiting(int) {}
func (h *hub) AgentEnded()            {}

// given is a Credential of WPA2; without a key it is one for WEP.
func given(ssid, key string) wsc.Credential {
	if key == "" {
		return wsc.Credential{SSID: []byte(ssid), AuthType: wsc.AuthOpen, EncrType: wsc.EncrWEP,
			NetworkKey: secret.FromString("abcde")}
	}
	return wsc.Credential{SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString(key)}
}

// TestTake: what each way of processing does, with a session, without one, and for what is typed.
func TestTake(t *testing.T) {
	t.Parallel()
	refused := errors.New("not this one")
	for _, c := range []struct {
		name       string
		processing state.Processing
		in         []wsc.Credential
		typed      bool
		may        error
		session    bool
		stored     []string
		offered    int
		err        error
	}{
		{name: "networks are stored", processing: state.ProcessingInternal,
			in:     []wsc.Credential{given("a", "passphrase"), given("b", "passphrase")},
			stored: []string{"a", "b"}},
		{name: "and told of with their session", processing: state.ProcessingInternal,
			in: []wsc.Credential{given("a", "passphrase"), given("old", "")}, session: true,
			stored: []string{"a"}},
		{name: "agents alone have them", processing: state.ProcessingExternal,
			in: []wsc.Credential{given("a", "passphrase")}, offered: 1},
		{name: "both do", processing: state.ProcessingBoth,
			in: []wsc.Credential{given("a", "passphrase")}, stored: []string{"a"}, offered: 1},
		{name: "what is typed is stored, and no agent's", processing: state.ProcessingExternal,
			in: []wsc.Credential{given("a", "passphrase")}, typed: true, stored: []string{"a"}},
		{name: "what may not be stored is not", processing: state.ProcessingBoth,
			in: []wsc.Credential{given("a", "passphrase")}, may: refused, err: refused},
	} {
		synctest.Test(t, func(t *testing.T) {
			log := slog.New(slog.DiscardHandler)
			h := &hub{processing: c.processing}
			kept, published := store.Memory(), state.New(state.Manager{})
			registry := agents.New(h, log)
			defer registry.Close(nil)
			table := session.New(published, log, func(*session.Running, func() bool) {})
			defer table.Close()
			a := New(Config{Hub: h, Store: kept, Published: published, Agents: registry, Log: log})
			got, err := a.Convert("wlan0", c.in, wsc.MAC{})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			defer got.Wipe()
			var ses *session.Running
			if c.session {
				ses = table.Prepare(state.Session{Interface: "wlan0"})
				table.Add(ses)
			}
			leftOut := len(got.LeftOut)
			came := a.Take(Arrival{Session: ses, Credentials: got, Typed: c.typed,
				From: receive.Origin{Source: "test"}, May: func(credential.Network) error {
					return c.may
				}})
			if !errors.Is(came.Err, c.err) {
				t.Errorf("%s: %v", c.name, came.Err)
			}
			var names []string
			for _, n := range published.Snapshot().Networks {
				names = append(names, string(n.SSID))
			}
			slices.Sort(names)
			if !slices.Equal(names, c.stored) || len(came.Stored) != len(names) ||
				len(kept.Networks()) != len(names) {
				t.Errorf("%s: told of %q, stored %v", c.name, names, came.Stored)
			}
			if n := registry.Waiting(); n != c.offered {
				t.Errorf("%s: %d wait for agents", c.name, n)
			}
			if ses == nil {
				return
			}
			told, _ := published.Session(ses.ID)
			if !slices.Equal(told.Networks, came.Stored) || told.Detail.Credentials != len(names) ||
				len(told.Detail.LeftOut) != leftOut || leftOut != 1 {
				t.Errorf("%s: the session has %+v", c.name, told)
			}
		})
	}
}

// TestNothingOfUse: Credentials that make no network are an error, unless an agent may know them.
func TestNothingOfUse(t *testing.T) {
	t.Parallel()
	h := &hub{processing: state.ProcessingInternal, sae: "wpa3"}
	log, published := slog.New(slog.DiscardHandler), state.New(state.Manager{})
	registry := agents.New(h, log)
	defer registry.Close(nil)
	a := New(Config{Hub: h, Store: store.Memory(), Published: published, Agents: registry,
		Log: log})
	if came := a.Take(Arrival{Credentials: &receive.Credentials{}}); !errors.Is(came.Err,
		receive.ErrUseless) {
		t.Error(came.Err)
	}
	const psk = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for ifname, want := range map[string]error{"wlan0": credential.ErrWPA3Only, "wlan1": nil} {
		c, err := a.Read(ifname, []wsc.Credential{given("wpa3", psk)}, wsc.MAC{})
		if !errors.Is(err, want) {
			t.Errorf("on %s: %v", ifname, err)
		}
		c.Wipe()
	}
}

// TestAdd: what somebody types becomes a network, with an attribute as a Registrar would send it;
// what makes none is refused, and nothing is kept.
func TestAdd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		settings session.Settings
		bssid    wsc.MAC
		err      error
	}{
		{"a network", session.Settings{SSID: []byte("cabin"), Auth: wsc.AuthWPA2PSK,
			Encryption: wsc.EncrAES, Key: secret.FromString("12345678")}, wsc.MAC{2, 1}, nil},
		{"a key that is too short", session.Settings{SSID: []byte("cabin"), Auth: wsc.AuthWPA2PSK,
			Encryption: wsc.EncrAES, Key: secret.FromString("short")}, wsc.MAC{}, state.ErrInvalid},
		{"an address of many", session.Settings{SSID: []byte("cabin"), Auth: wsc.AuthOpen,
			Encryption: wsc.EncrNone}, wsc.Broadcast, state.ErrUnknownBSSID},
	} {
		synctest.Test(t, func(t *testing.T) {
			log := slog.New(slog.DiscardHandler)
			h := &hub{processing: state.ProcessingExternal}
			kept := store.Memory()
			a := New(Config{Hub: h, Store: kept, Published: state.New(state.Manager{}),
				Agents: agents.New(h, log), Log: log})
			n, err := a.Add(c.settings, c.bssid)
			stored := kept.Networks()
			if !errors.Is(err, c.err) || len(stored) != map[bool]int{true: 1}[c.err == nil] {
				t.Fatalf("%s: %+v, %v: %d stored", c.name, n, err, len(stored))
			}
			if err != nil {
				return
			}
			secrets, err := kept.Network(uint32(n.ID))
			if err != nil {
				t.Fatal(err)
			}
			if raw := secrets.Raw.Bytes(); n.Source != "added" || n.BSSID != c.bssid ||
				string(n.SSID) != "cabin" || len(raw) < 4 || raw[0] != 0x10 || raw[1] != 0x0e ||
				string(secrets.Key.Bytes()) != "12345678" ||
				string(c.settings.Key.Bytes()) != "12345678" {
				t.Errorf("%s: %+v, %x", c.name, n, raw)
			}
		})
	}
}
