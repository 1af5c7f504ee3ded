package connman

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus/managertest"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

const (
	home       = godbus.ObjectPath("/net/connman/service/wifi_020000000100_686f6d65_managed_psk")
	old        = godbus.ObjectPath("/net/connman/service/wifi_020000000100_6f6c64_managed_psk")
	passphrase = "correct horse battery"
)

// fake is a ConnMan as version 1.41 was seen to behave. It is no proof that the real one does so:
// that is in test/hwsim.
type fake struct {
	*managertest.Manager
	m        *Manager
	services map[godbus.ObjectPath]map[string]any
	powered  bool
	scans    int
	said     string // the passphrase that an agent gave
	right    string // the one that works; empty: the agent's is not asked for
	agent    godbus.ObjectPath
	flushed  atomic.Bool // wpa_supplicant has forgotten what it has heard
}

func service(ifname, state string, favorite bool) map[string]any {
	return map[string]any{"Type": "wifi", "State": state, "Favorite": favorite, "Immutable": false,
		"Ethernet": map[string]godbus.Variant{"Interface": godbus.MakeVariant(ifname)}}
}

func start(t *testing.T) *fake {
	t.Helper()
	f := &fake{Manager: &managertest.Manager{}, powered: true,
		services: map[godbus.ObjectPath]map[string]any{old: service("wlan0", "ready", true)}}
	list := func(all map[godbus.ObjectPath]map[string]any) []any {
		type one struct {
			Path       godbus.ObjectPath
			Properties map[string]godbus.Variant
		}
		answer := []one{}
		for path, properties := range all {
			p := map[string]godbus.Variant{}
			for name, v := range properties {
				p[name] = godbus.MakeVariant(v)
			}
			answer = append(answer, one{path, p})
		}
		return []any{answer}
	}
	note := func(what string, path godbus.ObjectPath) {
		f.Calls = append(f.Calls,
			what+" "+string(path[strings.LastIndexByte(string(path), '/')+1:]))
	}
	f.Methods = map[string]managertest.Method{
		managerI + ".GetServices": func(godbus.ObjectPath, []any) ([]any, error) {
			return list(f.services), nil
		},
		managerI + ".GetTechnologies": func(godbus.ObjectPath, []any) ([]any, error) {
			return list(map[godbus.ObjectPath]map[string]any{
				technology: {"Powered": f.powered}}), nil
		},
		managerI + ".RegisterAgent": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			f.agent = args[0].(godbus.ObjectPath)
			return nil, nil
		},
		managerI + ".UnregisterAgent": func(godbus.ObjectPath, []any) ([]any, error) {
			return nil, nil
		},
		technologyI + ".Scan": func(godbus.ObjectPath, []any) ([]any, error) {
			if f.scans++; f.scans == 2 {
				f.services[home] = service("wlan0", "idle", false)
			}
			return nil, nil
		},
		technologyI + ".SetProperty": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			if f.powered {
				return nil, managertest.Fail(errorPrefix + "AlreadyEnabled")
			}
			f.Calls = append(f.Calls, "switch "+args[0].(string))
			f.powered, _ = args[1].(godbus.Variant).Value().(bool)
			return nil, nil
		},
		serviceI + ".Disconnect": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			note("disconnect", path)
			f.services[path]["State"] = "idle"
			return nil, nil
		},
		serviceI + ".Remove": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			note("remove", path)
			f.services[path]["Favorite"] = false
			return nil, nil
		},
		serviceI + ".Connect": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			note("connect", path)
			s := f.services[path]
			if s == nil {
				return nil, managertest.Fail("org.freedesktop.DBus.Error.UnknownMethod")
			}
			if s["Favorite"] == true && f.right != "" {
				return nil, managertest.Fail(errorPrefix + "InvalidKey") // an old one
			}
			if f.right != "" {
				to := f.Sender
				f.Unlock()
				var answer map[string]godbus.Variant
				err := f.Conn().Object(to, f.agent).Call(agentI+".RequestInput", 0, path,
					map[string]godbus.Variant{"Passphrase": godbus.MakeVariant(
						map[string]godbus.Variant{"Type": godbus.MakeVariant(
							"psk")})}).Store(&answer)
				f.Lock()
				if err != nil {
					return nil, err
				}
				if f.said, _ = answer["Passphrase"].Value().(string); f.said != f.right {
					return nil, managertest.Fail(errorPrefix + "InvalidKey")
				}
			}
			s["State"] = "ready"
			return nil, nil
		},
	}
	supplicant := &managertest.Manager{Methods: map[string]managertest.Method{
		supplicantName + ".GetInterface": func(godbus.ObjectPath, []any) ([]any, error) {
			return []any{supplicantRoot + "/Interfaces/0"}, nil
		},
		supplicantName + ".Interface.FlushBSS": func(godbus.ObjectPath, []any) ([]any, error) {
			f.flushed.Store(true)
			return nil, nil
		},
	}}
	f.m = &Manager{Bus: managertest.Start(t, map[string]*managertest.Manager{busName: f.Manager,
		supplicantName: supplicant})}
	return f
}

func offer(ssid string) []credential.Offer {
	return []credential.Offer{{Network: credential.Network{SSID: []byte(ssid),
		Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES, KeyKind: credential.KeyPassphrase,
		Key: secret.FromString(passphrase)}}}
}

// It lets go, and is back in its network, or is left alone where it was in none.
func TestLetsGoAndComesBack(t *testing.T) {
	t.Parallel()
	f := start(t)
	debt, err := f.m.Claim(t.Context(), "wlan0")
	if err != nil || !strings.Contains(string(debt), string(old)) {
		t.Fatalf("%s, %v", debt, err)
	}
	if apart, err := f.m.Release(t.Context(), "wlan0", debt); apart || err != nil {
		t.Fatalf("%v, %v", apart, err)
	}
	f.Lock()
	f.powered = false // as when the interface is gone from wpa_supplicant
	f.Unlock()
	if err := f.m.Restore(t.Context(), "wlan0", debt, false); err != nil {
		t.Error(err)
	}
	if err := f.m.Restore(t.Context(), "wlan0", debt, true); err != nil {
		t.Error(err)
	}
	want := []string{"disconnect wifi_020000000100_6f6c64_managed_psk", "switch Powered",
		"connect wifi_020000000100_6f6c64_managed_psk"}
	if got := f.Told(); !slices.Equal(got, want) {
		t.Errorf("told %q", got)
	}
}

// Of several radios it could take none back.
func TestOtherRadios(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Lock()
	f.services[home] = service("wlan1", "ready", true)
	f.Unlock()
	if _, err := f.m.Release(t.Context(), "wlan0", nil); !errors.Is(err, ErrRadios) {
		t.Errorf("it lets go: %v", err)
	}
	if got := f.Told(); got != nil {
		t.Errorf("told %q", got)
	}
}

// TestWhoseInterface: ConnMan says of no interface that it has it, only of networks.
func TestWhoseInterface(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		services map[godbus.ObjectPath]map[string]any
		powered  bool
		ifname   string
		claimed  bool
	}{
		{"it is in a network there", map[godbus.ObjectPath]map[string]any{
			old: service("wlan0", "online", true)}, true, "wlan0", true},
		{"it hears one there", map[godbus.ObjectPath]map[string]any{
			old: service("wlan0", "idle", false)}, true, "wlan0", true},
		{"it hears some by another one only", map[godbus.ObjectPath]map[string]any{
			old: service("wlan1", "idle", false)}, true, "wlan0", false},
		{"nothing is in reach", nil, true, "wlan0", true},
		{"it leaves radios alone", nil, false, "wlan0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.Lock()
			f.services, f.powered = c.services, c.powered
			f.Unlock()
			if debt, err := f.m.Claim(t.Context(), c.ifname); err != nil ||
				(debt != nil) != c.claimed {
				t.Errorf("%s, %v", debt, err)
			}
		})
	}
}

// A network that is not heard yet is looked for, its passphrase is told when ConnMan asks, and what
// it knew of it before does not stand in the way.
func TestGetsTheNetwork(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"a new one": false,
		"one with an old passphrase": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.Lock()
			f.right = passphrase
			if known {
				f.services[home] = service("wlan0", "idle", true)
			}
			f.Unlock()
			if _, err := f.m.Deliver(t.Context(), "wlan0", offer("home")); err != nil {
				t.Fatal(err)
			}
			f.Lock()
			defer f.Unlock()
			if !f.flushed.Load() {
				t.Error("ConnMan may push the button itself")
			}
			if f.said != passphrase || f.services[home]["State"] != "ready" {
				t.Errorf("it was told %q, and is %v", f.said, f.services[home]["State"])
			}
		})
	}
}

func TestWhatItCannotHave(t *testing.T) {
	t.Parallel()
	f := start(t)
	wep, binary := offer("home"), offer("home")
	wep[0].KeyKind = credential.KeyWEP
	binary[0].Key = secret.New([]byte("\xff\xfe not UTF-8"))
	for want, offers := range map[error][]credential.Offer{ErrWEP: wep, ErrText: binary} {
		if _, err := f.m.Deliver(t.Context(), "wlan0", offers); !errors.Is(err, want) {
			t.Errorf("%v, not %v", err, want)
		}
	}
	f.Lock()
	f.powered = false
	f.Unlock()
	if _, err := f.m.Deliver(t.Context(), "wlan0", offer("home")); !errors.Is(err, ErrAway) {
		t.Errorf("while it leaves radios alone: %v", err)
	}
}

// Without ConnMan there is nothing to claim, and nothing to change.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	m := &Manager{Bus: managertest.Start(t, nil)}
	if debt, err := m.Claim(t.Context(), "wlan0"); debt != nil || err != nil {
		t.Errorf("%s, %v", debt, err)
	}
	if changes, err := m.Changes(t.Context(), "wlan0", offer("home")[0].Network); changes ||
		err != nil {
		t.Errorf("%v, %v", changes, err)
	}
}
