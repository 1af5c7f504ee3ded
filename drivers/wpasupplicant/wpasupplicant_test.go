package wpasupplicant

import (
	"encoding/hex"
	"errors"
	"fmt"
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
	wlan0 = root + "/Interfaces/0"
	net0  = wlan0 + "/Networks/0"
	net1  = wlan0 + "/Networks/1"
	added = wlan0 + "/Networks/7"
)

// played is a wpa_supplicant with wlan0, which is in the network 0, "home"; 1 is "work".
type played struct {
	managertest.Manager
	there    bool // it has wlan0
	created  map[string]godbus.Variant
	settings map[string]godbus.Variant // of AddNetwork, or a change
	selects  func(godbus.ObjectPath)
}

func play(t *testing.T) (*Manager, *played) {
	t.Helper()
	p := &played{there: true}
	for name, value := range map[string]any{
		"Driver": "nl80211", "BridgeIfname": "", "ConfigFile": "/etc/w.conf",
		"CurrentNetwork": net0, "State": "completed",
		"Networks": []godbus.ObjectPath{net0, net1},
		"Capabilities": map[string]godbus.Variant{"KeyMgmt": godbus.MakeVariant(
			[]string{"wpa-psk", "sae"})},
	} {
		p.Put(wlan0, interfaceI, name, value)
	}
	for path, ssid := range map[godbus.ObjectPath]string{net0: `"home"`,
		net1: hex.EncodeToString([]byte("work"))} {
		p.Put(path, networkI, "Properties", map[string]godbus.Variant{"ssid": godbus.MakeVariant(
			ssid), "key_mgmt": godbus.MakeVariant("WPA-PSK")})
		p.Put(path, networkI, "Enabled", true)
	}
	p.selects = func(path godbus.ObjectPath) { p.Put(wlan0, interfaceI, "CurrentNetwork", path) }
	p.OnSet = func(_ godbus.ObjectPath, _, name string, value any) {
		if name == "Properties" {
			p.settings = value.(map[string]godbus.Variant)
			p.Calls[len(p.Calls)-1] = "change"
		}
	}
	simple := func(name string, do func(args []any)) managertest.Method {
		return func(_ godbus.ObjectPath, args []any) ([]any, error) {
			p.Calls = append(p.Calls,
				strings.TrimSpace(fmt.Sprintln(append([]any{name}, args...)...)))
			do(args)
			return nil, nil
		}
	}
	p.Methods = map[string]managertest.Method{
		busName + ".GetInterface": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			if args[0] != "wlan0" || !p.there {
				return nil, managertest.Fail(errInterfaceUnknown)
			}
			return []any{wlan0}, nil
		},
		busName + ".RemoveInterface": simple("RemoveInterface", func([]any) { p.there = false }),
		busName + ".CreateInterface": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			p.Calls = append(p.Calls, "CreateInterface")
			p.created, p.there = args[0].(map[string]godbus.Variant), true
			return []any{wlan0}, nil
		},
		interfaceI + ".Disconnect": func(godbus.ObjectPath, []any) ([]any, error) {
			if p.Objects[wlan0][interfaceI]["CurrentNetwork"] == noObject {
				return nil, managertest.Fail(errNotConnected)
			}
			p.Calls = append(p.Calls, "Disconnect")
			p.Put(wlan0, interfaceI, "CurrentNetwork", noObject)
			return nil, nil
		},
		interfaceI + ".Reconnect":     simple("Reconnect", func([]any) {}),
		interfaceI + ".RemoveNetwork": simple("RemoveNetwork", func([]any) {}),
		interfaceI + ".SaveConfig": func(godbus.ObjectPath, []any) ([]any, error) {
			p.Calls = append(p.Calls, "SaveConfig")
			return nil, managertest.Fail(busName + ".UnknownError") // update_config=0
		},
		interfaceI + ".AddNetwork": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			p.Calls = append(p.Calls, "AddNetwork")
			p.settings = args[0].(map[string]godbus.Variant)
			return []any{added}, nil
		},
		interfaceI + ".SelectNetwork": simple("SelectNetwork", func(args []any) {
			chosen := args[0].(godbus.ObjectPath)
			for _, other := range []godbus.ObjectPath{net0, net1} {
				p.Put(other, networkI, "Enabled", other == chosen)
			}
			p.selects(chosen)
		}),
	}
	return &Manager{Bus: managertest.Start(t,
		map[string]*managertest.Manager{busName: &p.Manager})}, p
}

func (p *played) put(name string, value any) { p.Put(wlan0, interfaceI, name, value) }

// locked changes or reads what is played.
func (p *played) locked(do func()) {
	p.Lock()
	defer p.Unlock()
	do()
}

func TestHolder(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "w.conf")
	if err := os.WriteFile(config, []byte("update_config=1\nnetwork={\n\tssid=\"home\"\n}\n  network={\n}\n#network={\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		prepare func(*played)
		owed    string
		apart   bool
		release []string
		restore []string // with its connection
	}{
		{
			name:    "who is connected disconnects",
			owed:    `{"way":"disconnect","driver":"nl80211","config-file":"/etc/w.conf"}`,
			release: []string{"Disconnect"}, restore: []string{"Reconnect"},
		},
		{
			name: "who is not loses the interface if its file has all networks",
			prepare: func(p *played) {
				p.put("CurrentNetwork", noObject)
				p.put("ConfigFile", config)
			},
			owed:    `{"way":"remove","driver":"nl80211","config-file":"` + config + `"}`,
			release: []string{"RemoveInterface " + string(wlan0)},
			restore: []string{"CreateInterface"},
		},
		{
			name: "or if there are none",
			prepare: func(p *played) {
				p.put("CurrentNetwork", noObject)
				p.put("ConfigFile", "")
				p.put("Networks", []godbus.ObjectPath{})
			},
			owed:    `{"way":"remove","driver":"nl80211"}`,
			release: []string{"RemoveInterface " + string(wlan0)},
			restore: []string{"CreateInterface"},
		},
		{
			name: "else it keeps it, and we are apart",
			prepare: func(p *played) {
				p.put("CurrentNetwork", noObject)
				p.put("ConfigFile", "")
			},
			owed: `{"way":"apart","driver":"nl80211"}`, apart: true,
		},
		{
			name: "also if the file cannot be read", prepare: func(p *played) {
				p.put("CurrentNetwork", noObject)
			},
			owed: `{"way":"apart","driver":"nl80211","config-file":"/etc/w.conf"}`, apart: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, p := play(t)
			if c.prepare != nil {
				p.locked(func() { c.prepare(p) })
			}
			owed, err := m.Claim(t.Context(), "wlan0")
			if err != nil || string(owed) != c.owed {
				t.Fatalf("Claim: %s, %v", owed, err)
			}
			if told := p.Told(); len(told) > 0 {
				t.Errorf("Claim changed %q", told)
			}
			if apart, err := m.Release(t.Context(), "wlan0", owed); err != nil || apart != c.apart {
				t.Errorf("Release: %v, %v", apart, err)
			}
			if told := p.Told(); !slices.Equal(told, c.release) {
				t.Errorf("Release told %q", told)
			}
			if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
				t.Error(err)
			}
			if told := p.Told(); !slices.Equal(told, c.restore) {
				t.Errorf("Restore told %q", told)
			}
			if err := m.Restore(t.Context(), "wlan0", owed, false); err != nil ||
				len(p.Told()) > 0 {
				t.Errorf("a second one: %v", err)
			}
		})
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	for _, when := range []string{"connected", "without a connection"} {
		if err := m.Disconnect(t.Context(), "wlan0"); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	if told := p.Told(); !slices.Equal(told, []string{"Disconnect"}) {
		t.Errorf("told %q", told)
	}
	p.Answer(interfaceI+".Disconnect", func(godbus.ObjectPath, []any) ([]any, error) {
		return nil, managertest.Fail(busName + ".UnknownError")
	})
	if err := m.Disconnect(t.Context(), "wlan0"); err == nil {
		t.Error("a refusal is no error")
	}
	if err := m.Disconnect(t.Context(), "eth7"); err != nil {
		t.Errorf("of an interface that it does not have: %v", err)
	}
}

func TestDisconnectOverTheSocket(t *testing.T) {
	t.Parallel()
	m, s := playSocket(t)
	if err := m.Disconnect(t.Context(), "wlan0"); err != nil {
		t.Error(err)
	}
	s.wantTold(t, "DISCONNECT", "ABORT_SCAN")
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

func TestRestoreAfterItWasStartedAnew(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.locked(func() { p.there = false })
	if err := m.Restore(t.Context(), "wlan0", []byte(`{"way":"disconnect"}`), true); err != nil ||
		len(p.Told()) > 0 {
		t.Errorf("Restore: %v", err)
	}
}

// offer is a network that was not heard.
func offer(n credential.Network) []credential.Offer { return []credential.Offer{{Network: n}} }

func received(ssid, key string, kind credential.KeyKind) credential.Network {
	n := credential.Network{SSID: []byte(ssid), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
		Key: secret.FromString(key), KeyKind: kind}
	if kind == credential.KeyNone {
		n.Auth, n.Encryption, n.Key = wsc.AuthOpen, wsc.EncrNone, secret.Value{}
	}
	return n
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	psk := strings.Repeat("0123456789abcdef", 4)
	raw, _ := hex.DecodeString(psk)
	again := []string{"Set Enabled=true", "Set Enabled=true", "SaveConfig"}
	for _, c := range []struct {
		name    string
		prepare func(*played)
		network credential.Network
		told    []string
		want    map[string]any
		err     error
	}{
		{
			name:    "a new network is added, and the others stay enabled",
			network: received("new", "some words", credential.KeyPassphrase),
			told:    append([]string{"AddNetwork", "SelectNetwork " + string(added)}, again...),
			want: map[string]any{"psk": "some words", "key_mgmt": "WPA-PSK WPA-PSK-SHA256 SAE",
				"ieee80211w": int32(1)},
		},
		{
			name:    "without SAE where that is not built in",
			network: received("new", "some words", credential.KeyPassphrase),
			prepare: func(p *played) {
				p.put("Capabilities",
					map[string]godbus.Variant{"KeyMgmt": godbus.MakeVariant([]string{"wpa-psk"})})
			},
			told: append([]string{"AddNetwork", "SelectNetwork " + string(added)}, again...),
			want: map[string]any{"key_mgmt": "WPA-PSK WPA-PSK-SHA256"},
		},
		{
			name:    "a key of 64 digits goes as bytes",
			network: received("new", psk, credential.KeyRawPSK),
			told:    append([]string{"AddNetwork", "SelectNetwork " + string(added)}, again...),
			want:    map[string]any{"psk": string(raw), "key_mgmt": "WPA-PSK"},
		},
		{
			name: "an open network has no key", network: received("new", "", credential.KeyNone),
			told: append([]string{"AddNetwork", "SelectNetwork " + string(added)}, again...),
			want: map[string]any{"key_mgmt": "NONE"},
		},
		{
			name:    "one with this name is changed",
			network: received("home", "another key", credential.KeyPassphrase),
			told: []string{"change", "SelectNetwork " + string(net0), "Set Enabled=true",
				"SaveConfig"}, want: map[string]any{"psk": "another key"},
		},
		{
			name:    "also if the name is written in hex",
			network: received("work", "another key", credential.KeyPassphrase),
			told: []string{"change", "SelectNetwork " + string(net1), "Set Enabled=true",
				"SaveConfig"}, want: map[string]any{"psk": "another key"},
		},
		{
			name:    "who was disabled stays so",
			network: received("home", "another key", credential.KeyPassphrase),
			prepare: func(p *played) { p.Put(net1, networkI, "Enabled", false) },
			told:    []string{"change", "SelectNetwork " + string(net0), "SaveConfig"},
		},
		{
			name:    "an open network of this name is another",
			network: received("home", "", credential.KeyNone),
			told:    append([]string{"AddNetwork", "SelectNetwork " + string(added)}, again...),
		},
		{
			name:    "where it does not have the interface it gets it",
			network: received("new", "some words", credential.KeyPassphrase),
			prepare: func(p *played) { p.there = false },
			told: append([]string{"CreateInterface", "AddNetwork",
				"SelectNetwork " + string(added)}, again...),
		},
		{name: "WEP is refused", network: received("new", "12345", credential.KeyWEP), err: ErrWEP},
		{name: "a passphrase that is no text is refused",
			network: received("new", "12345678\xff", credential.KeyPassphrase), err: ErrText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, p := play(t)
			if c.prepare != nil {
				p.locked(func() { c.prepare(p) })
			}
			if _, err := m.Deliver(t.Context(), "wlan0", offer(c.network)); !errors.Is(err, c.err) {
				t.Fatalf("Deliver: %v, not %v", err, c.err)
			}
			if told := p.Told(); !slices.Equal(told, c.told) {
				t.Errorf("told %q", told)
			}
			p.Lock()
			defer p.Unlock()
			for key, want := range c.want {
				value := p.settings[key].Value()
				if b, ok := value.([]byte); ok {
					value = string(b)
				}
				if value != want {
					t.Errorf("%s is %v, not %v", key, value, want)
				}
			}
		})
	}
}

func TestDeliverThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.locked(func() { p.selects = func(godbus.ObjectPath) { p.Objects = nil } }) // it ends
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(received("new", "some words", credential.KeyPassphrase))); err == nil {
		t.Error("Deliver succeeded")
	}
	told := p.Told()
	if !slices.Contains(told, "RemoveNetwork "+string(added)) ||
		!slices.Contains(told, "Set Enabled=true") {
		t.Errorf("told %q", told)
	}
}
