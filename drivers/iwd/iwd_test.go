package iwd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus/managertest"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

const (
	wlan0   = godbus.ObjectPath("/net/connman/iwd/0/3")
	homeNet = wlan0 + "/686f6d65_psk"
	newNet  = wlan0 + "/6e6577_psk"
)

// played is an iwd with wlan0, which is in "home"; "new" is in reach, too.
type played struct {
	managertest.Manager
	refuses  error
	busy     int    // how often Connect answers that first
	asks     bool   // Connect asks the agent
	answered string // the passphrase that the agent said
	agent    godbus.ObjectPath
}

func play(t *testing.T) (*Manager, *played) {
	t.Helper()
	p := &played{}
	p.Put(wlan0, deviceI, "Name", "wlan0")
	p.Put(wlan0, deviceI, "Powered", true)
	p.station()
	for path, name := range map[godbus.ObjectPath]string{homeNet: "home", newNet: "new"} {
		p.Put(path, networkI, "Name", name)
		p.Put(path, networkI, "Type", "psk")
	}
	p.OnSet = func(_ godbus.ObjectPath, _, name string, value any) {
		switch {
		case name == "Powered" && value == false:
			delete(p.Objects[wlan0], stationI)
		case name == "Powered":
			p.station()
			delete(p.Objects[wlan0][stationI], "ConnectedNetwork")
		}
	}
	p.Methods = map[string]managertest.Method{
		stationI + ".GetOrderedNetworks": func(godbus.ObjectPath, []any) ([]any, error) {
			type entry struct {
				Path   godbus.ObjectPath
				Signal int16
			}
			return []any{[]entry{{homeNet, -4000}, {newNet, -5000}}}, nil
		},
		stationI + ".Scan": func(godbus.ObjectPath, []any) ([]any, error) { return nil, nil },
		networkI + ".Connect": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			if p.busy > 0 {
				p.busy--
				return nil, managertest.Fail(busName + ".InProgress")
			}
			p.Calls = append(p.Calls, "Connect "+string(path))
			if p.asks {
				sender := p.Sender
				p.Unlock()
				err := p.Conn().Object(sender, p.agent).Call(agentI+".RequestPassphrase", 0,
					path).Store(&p.answered)
				p.Lock()
				if err != nil {
					return nil, err
				}
			}
			return nil, p.refuses
		},
		busName + ".AgentManager.RegisterAgent": func(_ godbus.ObjectPath,
			args []any) ([]any, error) {
			p.agent = args[0].(godbus.ObjectPath)
			return nil, nil
		},
		busName + ".AgentManager.UnregisterAgent": func(godbus.ObjectPath, []any) ([]any, error) {
			p.Calls = append(p.Calls, "UnregisterAgent")
			return nil, nil
		},
	}
	return &Manager{Bus: managertest.Start(t, map[string]*managertest.Manager{busName: &p.Manager}),
		Directory: t.TempDir()}, p
}

func (p *played) station() {
	p.Put(wlan0, stationI, "State", "connected")
	p.Put(wlan0, stationI, "Scanning", false)
	p.Put(wlan0, stationI, "ConnectedNetwork", homeNet)
}

func TestHolder(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	owed, err := m.Claim(t.Context(), "wlan0")
	if err != nil || string(owed) != `{"powered":true,"network":"home","kind":"psk"}` {
		t.Fatalf("Claim: %s, %v", owed, err)
	}
	if apart, err := m.Release(t.Context(), "wlan0", owed); err != nil || !apart {
		t.Errorf("Release: %v, %v", apart, err)
	}
	if err := m.Restore(t.Context(), "wlan0", owed, false); err != nil {
		t.Error(err)
	}
	if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
		t.Error(err)
	}
	if told, want := p.Told(), []string{"Set Powered=false", "Set Powered=true", "Set Powered=true",
		"Connect " + string(homeNet)}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	for _, c := range []struct {
		refusal string
		fails   bool
	}{{"", false}, {".NotConnected", false}, {".Failed", true}} {
		p.Answer(stationI+".Disconnect", func(path godbus.ObjectPath, _ []any) ([]any, error) {
			p.Calls = append(p.Calls, "Disconnect "+string(path))
			if c.refusal != "" {
				return nil, managertest.Fail(busName + c.refusal)
			}
			return nil, nil
		})
		if err := m.Disconnect(t.Context(), "wlan0"); (err != nil) != c.fails {
			t.Errorf("%q: %v", c.refusal, err)
		}
		if told := p.Told(); !slices.Equal(told, []string{"Disconnect " + string(wlan0)}) {
			t.Errorf("%q: told %q", c.refusal, told)
		}
	}
	if err := m.Disconnect(t.Context(), "eth7"); err != nil {
		t.Errorf("of an interface that it does not have: %v", err)
	}
}

func TestWhatIsOffStaysOff(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.Lock()
	p.Put(wlan0, deviceI, "Powered", false)
	delete(p.Objects[wlan0], stationI)
	p.Unlock()
	owed, err := m.Claim(t.Context(), "wlan0")
	if err != nil || string(owed) != `{"powered":false}` {
		t.Fatalf("Claim: %s, %v", owed, err)
	}
	if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil || len(p.Told()) > 0 {
		t.Errorf("Restore: %v", err)
	}
}

func TestClaimOfWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	m, _ := play(t)
	if owed, err := m.Claim(t.Context(), "wlan7"); owed != nil || err != nil {
		t.Errorf("an interface that it does not have: %s, %v", owed, err)
	}
	nobody := &Manager{Bus: managertest.Start(t, nil)}
	if owed, err := nobody.Claim(t.Context(), "wlan0"); owed != nil || err != nil {
		t.Errorf("it does not run: %s, %v", owed, err)
	}
}

// offer is a network that was not heard.
func offer(n credential.Network) []credential.Offer { return []credential.Offer{{Network: n}} }

func network(ssid, key string, kind credential.KeyKind) credential.Network {
	n := credential.Network{SSID: []byte(ssid), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
		Key: secret.FromString(key), KeyKind: kind}
	if kind == credential.KeyNone {
		n.Auth, n.Encryption, n.Key = wsc.AuthOpen, wsc.EncrNone, secret.Value{}
	}
	return n
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	psk := strings.Repeat("0123456789ABCDEF", 4)
	for _, c := range []struct {
		name      string
		old, want string // of new.psk
		network   credential.Network
		prepare   func(*played)
		err       error
	}{
		{name: "a new network is a new file",
			network: network("new", "some words", credential.KeyPassphrase),
			want:    "[Security]\nPassphrase=some words\n"},
		{name: "iwd may be busy first", network: network("new", "some words",
			credential.KeyPassphrase), want: "[Security]\nPassphrase=some words\n",
			prepare: func(p *played) { p.busy = 2 }},
		{name: "a key of 64 digits", network: network("new", psk, credential.KeyRawPSK),
			want: "[Security]\nPreSharedKey=" + strings.ToLower(psk) + "\n"},
		{
			name:    "what somebody has set stays",
			network: network("new", "other words", credential.KeyPassphrase),
			old:     "# mine\n[Security]\nPassphrase=some words\nPreSharedKey=00\nSAE-PT-Group19=11\n[Settings]\nAutoConnect=false",
			want:    "# mine\n[Security]\nPassphrase=other words\n[Settings]\nAutoConnect=false\n",
		},
		{
			name:    "in a file without keys, too",
			network: network("new", "some words", credential.KeyPassphrase),
			old:     "[IPv4]\nAddress=10.0.0.1\n",
			want:    "[IPv4]\nAddress=10.0.0.1\n[Security]\nPassphrase=some words\n",
		},
		{
			name:    "what iwd has encrypted is left alone",
			network: network("new", "some words", credential.KeyPassphrase),
			old:     "[Security]\nEncryptedSecurity=00\n",
			want:    "[Security]\nEncryptedSecurity=00\n", err: ErrEncrypted,
		},
		{
			name:    "who does not get in leaves the old file",
			network: network("new", "some words", credential.KeyPassphrase),
			prepare: func(p *played) { p.refuses = managertest.Fail(busName + ".Failed") },
			old:     "[Security]\nPassphrase=old words\n",
			want:    "[Security]\nPassphrase=old words\n", err: errAny,
		},
		{
			name:    "or none, if there was none",
			network: network("new", "some words", credential.KeyPassphrase),
			prepare: func(p *played) { p.refuses = managertest.Fail(busName + ".Failed") },
			err:     errAny,
		},
		{name: "WEP is refused", network: network("new", "12345", credential.KeyWEP), err: ErrWEP},
		{name: "a name that is no text is refused",
			network: network("\xff", "some words", credential.KeyPassphrase), err: ErrText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, p := play(t)
			file := filepath.Join(m.Directory, "new.psk")
			if c.old != "" {
				if err := os.WriteFile(file, []byte(c.old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.prepare != nil {
				p.Lock()
				c.prepare(p)
				p.Unlock()
			}
			_, err := m.Deliver(t.Context(), "wlan0", offer(c.network))
			if !errors.Is(err, c.err) && !(c.err == errAny && err != nil) {
				t.Fatalf("Deliver: %v, not %v", err, c.err)
			}
			text, err := os.ReadFile(file)
			if string(text) != c.want || (err != nil) != (c.want == "") {
				t.Errorf("the file has %q, %v", text, err)
			}
			if info, err := os.Stat(file); err == nil && info.Mode() != 0o600 {
				t.Errorf("its mode is %v", info.Mode())
			}
			if left, _ := filepath.Glob(filepath.Join(m.Directory, ".*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

var errAny = errors.New("any error")

func TestDeliverWithoutItsDirectory(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	m.Directory = filepath.Join(m.Directory, "none")
	p.Lock()
	p.asks = true
	p.Unlock()
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(network("new", "some words", credential.KeyPassphrase))); err != nil {
		t.Fatalf("Deliver: %v", err)
	}
	told, want := p.Told(), []string{"Set Powered=true", "Connect " + string(newNet),
		"UnregisterAgent"}
	p.Lock()
	answered := p.answered
	p.Unlock()
	if answered != "some words" || !slices.Equal(told, want) {
		t.Errorf("the agent said %q; told %q", answered, told)
	}
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(network("new", strings.Repeat("ab", 32), credential.KeyRawPSK))); !errors.Is(
		err, ErrAgent) {
		t.Errorf("a key that an agent cannot say: %v", err)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for ssid, want := range map[string]string{
		"home": "home.psk", "My home_2-x": "My home_2-x.psk", "Übung": "=c39c62756e67.psk",
		"a/b": "=612f62.psk", "=x": "=3d78.psk", "a.b": "=612e62.psk", "..": "=2e2e.psk",
	} {
		if got := fileName([]byte(ssid), "psk"); got != want {
			t.Errorf("%q: %q", ssid, got)
		}
	}
}

// unescape reads a value as iwd's parser does (ell, l_settings).
func unescape(value string) string {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '\\' && i+1 < len(value) {
			i++
			c = map[byte]byte{'s': ' ', 't': '\t', 'n': '\n', 'r': '\r', '\\': '\\'}[value[i]]
		}
		b.WriteByte(c)
	}
	return b.String()
}

func FuzzProfile(f *testing.F) {
	f.Add([]byte("[Security]\nPassphrase=old\n[Settings]\nAutoConnect=true\n"), "  a\\b c ")
	f.Add([]byte("[Security"), "12345678")
	f.Fuzz(func(t *testing.T, old []byte, key string) {
		if len(key) < 8 || len(key) > 63 ||
			strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return
		}
		text, err := profile(old, network("new", key, credential.KeyPassphrase))
		if err != nil {
			return
		}
		section, found := "", []string{}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if s := strings.TrimSpace(line); strings.HasPrefix(s, "[") {
				section = s
			}
			if value, ok := strings.CutPrefix(line, "Passphrase="); ok && section == "[Security]" {
				found = append(found, unescape(value))
			}
		}
		if !slices.Equal(found, []string{key}) {
			t.Fatalf("%q has the passphrases %q, not %q", text, found, key)
		}
		again, err := profile(text, network("new", key, credential.KeyPassphrase))
		if err != nil || string(again) != string(text) {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
	})
}
