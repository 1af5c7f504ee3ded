package networkmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus/managertest"
	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

const (
	wlan0   = root + "/Devices/1"
	homeSet = settings + "/1"
	homeAct = root + "/ActiveConnection/1"
	newAct  = root + "/ActiveConnection/2"
)

// played is a NetworkManager with wlan0, which is in "home", and its profiles.
type played struct {
	managertest.Manager
	profiles map[godbus.ObjectPath]profile
	given    profile // of AddConnection, or Update2
	refuses  bool    // the access point does not let it in
}

func play(t *testing.T) (*Manager, *played) {
	t.Helper()
	p := &played{profiles: map[godbus.ObjectPath]profile{homeSet: known("home", "wpa-psk", nil)}}
	p.Put(wlan0, deviceI, "Managed", true)
	p.Put(wlan0, deviceI, "Autoconnect", true)
	p.Put(wlan0, deviceI, "State", uint32(deviceActivated))
	p.Put(wlan0, deviceI, "ActiveConnection", homeAct)
	p.Put(homeAct, activeI, "Uuid", "uuid of /1")
	p.Put(newAct, activeI, "Uuid", "uuid of /2")
	p.Put(homeSet, profileI, "Flags", uint32(0))
	p.OnSet = func(_ godbus.ObjectPath, _, name string, value any) {
		switch {
		case name == "Managed" && value == false:
			p.Put(wlan0, deviceI, "State", uint32(deviceUnmanaged))
			p.Put(wlan0, deviceI, "ActiveConnection", noObject)
		case name == "Managed":
			p.Put(wlan0, deviceI, "State", uint32(deviceDisconnected))
		}
	}
	p.Methods = map[string]managertest.Method{
		managerI + ".GetDeviceByIpIface": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			if args[0] != "wlan0" {
				return nil, managertest.Fail(errUnknown)
			}
			return []any{wlan0}, nil
		},
		settingsI + ".ListConnections": func(godbus.ObjectPath, []any) ([]any, error) {
			var list []godbus.ObjectPath
			for path := range p.profiles {
				list = append(list, path)
			}
			return []any{list}, nil
		},
		settingsI + ".GetConnectionByUuid": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			path := settings + godbus.ObjectPath(strings.TrimPrefix(args[0].(string), "uuid of "))
			if p.profiles[path] == nil {
				return nil, managertest.Fail(busName + ".Settings.InvalidConnection")
			}
			return []any{path}, nil
		},
		profileI + ".GetSettings": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			return []any{p.profiles[path]}, nil
		},
		profileI + ".GetSecrets": func(godbus.ObjectPath, []any) ([]any, error) {
			return []any{profile{wirelessSecurity: {"psk": godbus.MakeVariant("the old key")}}}, nil
		},
		profileI + ".Delete": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			p.Calls = append(p.Calls, "Delete "+string(path))
			return nil, nil
		},
		profileI + ".Update2": func(path godbus.ObjectPath, args []any) ([]any, error) {
			call := "Update2 " + string(path)
			if flags := args[1].(uint32); flags != 0 {
				call += fmt.Sprintf(" %#x", flags)
			}
			p.Calls = append(p.Calls, call)
			p.given = args[0].(map[string]map[string]godbus.Variant)
			return []any{map[string]godbus.Variant{}}, nil
		},
		managerI + ".ActivateConnection": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			p.Calls = append(p.Calls, fmt.Sprintf("ActivateConnection %v", args[0]))
			p.activate()
			return []any{newAct}, nil
		},
		settingsI + ".AddConnection": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			p.Calls = append(p.Calls, "AddConnection")
			p.given = args[0].(map[string]map[string]godbus.Variant)
			return []any{settings + "/2"}, nil
		},
	}
	return &Manager{Bus: managertest.Start(t,
		map[string]*managertest.Manager{busName: &p.Manager})}, p
}

func (p *played) activate() {
	p.Put(wlan0, deviceI, "ActiveConnection", newAct)
	state := uint32(deviceIPConfig)
	if p.refuses {
		state = deviceFailed
	}
	p.Put(wlan0, deviceI, "State", state)
}

// known is a profile as NetworkManager tells it, without its key.
func known(ssid, management string, more map[string]godbus.Variant) profile {
	p := profile{
		connection: {"id": godbus.MakeVariant("my " + ssid), "type": godbus.MakeVariant(wireless),
			"uuid": godbus.MakeVariant("u")},
		wireless: {"ssid": godbus.MakeVariant([]byte(ssid)),
			"mtu": godbus.MakeVariant(uint32(1400))},
	}
	type address struct {
		Address []byte
		Prefix  uint32
		Gateway []byte
	}
	p["ipv6"] = map[string]godbus.Variant{
		"addresses":    godbus.MakeVariant([]address{{make([]byte, 16), 64, make([]byte, 16)}}),
		"address-data": godbus.MakeVariant([]map[string]godbus.Variant{}),
		"method":       godbus.MakeVariant("manual"),
	}
	for key, value := range more {
		p[connection][key] = value
	}
	if management != "" {
		p[wirelessSecurity] = map[string]godbus.Variant{"key-mgmt": godbus.MakeVariant(management)}
	}
	return p
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

// TestRestoreOfAnUnknownDevice: an interface that is gone is owed nothing; one that NetworkManager
// does not know yet, since it was just started, still is.
func TestRestoreOfAnUnknownDevice(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	for _, starting := range []bool{true, false} {
		p.Lock()
		p.Put(root, managerI, "Startup", starting)
		p.Unlock()
		if err := m.Restore(t.Context(), "wlan7", []byte(`{"autoconnect":true}`),
			true); (err != nil) != starting {
			t.Errorf("starting %v: %v", starting, err)
		}
	}
}

// wpa3 makes a network one that takes SAE only.
func wpa3(n credential.Network) credential.Network {
	n.WPA3Only = true
	return n
}

func TestReleaseAndRestore(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	owed, err := m.Claim(t.Context(), "wlan0")
	if err != nil || string(owed) != `{"active":"uuid of /1","autoconnect":true}` {
		t.Fatalf("Claim: %s, %v", owed, err)
	}
	if told := p.Told(); len(told) > 0 {
		t.Errorf("Claim changed %q", told)
	}
	if apart, err := m.Release(t.Context(), "wlan0", owed); err != nil || apart {
		t.Fatalf("Release: %v, %v", apart, err)
	}
	if err := m.Restore(t.Context(), "wlan0", owed, false); err != nil {
		t.Fatal(err)
	}
	if told, want := p.Told(), []string{"Set Managed=false", "Set Managed=true",
		"Set Autoconnect=false"}; !slices.Equal(told, want) {
		t.Errorf("without its connection: %q", told)
	}
	for range 2 { // twice is no harm
		if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
			t.Fatal(err)
		}
		p.Lock()
		p.Put(newAct, activeI, "Uuid", "uuid of /1") // it is in there by now
		p.Unlock()
	}
	if told, want := p.Told(), []string{"Set Autoconnect=true",
		"ActivateConnection " + string(homeSet),
		"Set Autoconnect=true"}; !slices.Equal(told, want) {
		t.Errorf("with its connection: %q", told)
	}
}

// TestSetManaged: NetworkManager 1.58 has a method in place of the property. Nothing is written onto
// the disk, and of a device that the configuration has managed nothing stays.
func TestSetManaged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		configured bool // as managed
		back       []string
	}{
		{"managed by the configuration", true, []string{"SetManaged 2 0x1"}},
		{"managed as somebody asked for it", false,
			[]string{"SetManaged 2 0x1", "SetManaged 1 0x1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, p := play(t)
			p.setsManaged(c.configured)
			owed, err := m.Claim(t.Context(), "wlan0")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := m.Release(t.Context(), "wlan0", owed); err != nil {
					t.Fatal(err)
				}
				if told := p.Told(); !slices.Equal(told, []string{"SetManaged 0 0x1"}) {
					t.Errorf("Release told %q", told)
				}
				if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
					t.Fatal(err)
				}
				want := append(slices.Clone(c.back), "Set Autoconnect=true", "Set Autoconnect=true",
					"ActivateConnection "+string(homeSet))
				if told := p.Told(); !slices.Equal(told, want) {
					t.Errorf("Restore told\n%q, not\n%q", told, want)
				}
			}
			p.Answer(deviceI+".SetManaged", func(godbus.ObjectPath, []any) ([]any, error) {
				return nil, managertest.Fail(busName + ".PermissionDenied")
			})
			if _, err := m.Release(t.Context(), "wlan0", owed); err == nil ||
				len(p.Told()) != 0 {
				t.Errorf("what is refused is got by another way: %v", err)
			}
		})
	}
}

// setsManaged is a NetworkManager of 1.58.
func (p *played) setsManaged(configured bool) {
	p.Answer(deviceI+".SetManaged", func(path godbus.ObjectPath, args []any) ([]any, error) {
		managed := args[0] == managedYes || args[0] == managedReset && configured
		p.Calls = append(p.Calls, fmt.Sprintf("SetManaged %d %#x", args...))
		p.Put(path, deviceI, "Managed", managed)
		p.OnSet(path, deviceI, "Managed", managed)
		return nil, nil
	})
}

// NetworkManager deletes a volatile profile when it lets go, unless it is told not to.
func TestAVolatileProfileComesBack(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.Lock()
	p.Put(homeSet, profileI, "Flags", uint32(profileVolatile|1))
	p.Unlock()
	owed, err := m.Claim(t.Context(), "wlan0")
	if err != nil || string(owed) != `{"active":"uuid of /1","volatile":true,"autoconnect":true}` {
		t.Fatalf("Claim: %s, %v", owed, err)
	}
	if _, err := m.Release(t.Context(), "wlan0", owed); err != nil {
		t.Fatal(err)
	}
	if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
		t.Fatal(err)
	}
	update := "Update2 " + string(homeSet)
	want := []string{update + " 0x2", "Set Managed=false", "Set Managed=true",
		"Set Autoconnect=true", "Set Autoconnect=true",
		"ActivateConnection " + string(homeSet), update + " 0x12"}
	if told := p.Told(); !slices.Equal(told, want) {
		t.Errorf("told\n%q, not\n%q", told, want)
	}
	// With a new network NetworkManager may delete it, as it would have.
	if _, err := m.Release(t.Context(), "wlan0", owed); err != nil {
		t.Fatal(err)
	}
	if err := m.Restore(t.Context(), "wlan0", owed, false); err != nil {
		t.Fatal(err)
	}
	made, err := m.Deliver(t.Context(), "wlan0",
		offer(network("new", "some words", credential.KeyPassphrase)))
	if err != nil || made.Path != string(settings)+"/2" {
		t.Fatalf("%+v, %v", made, err)
	}
	want = []string{update + " 0x2", "Set Managed=false", "Set Managed=true",
		"Set Autoconnect=false", "AddConnection",
		"ActivateConnection " + string(settings) + "/2", "Set Autoconnect=true", update + " 0x12"}
	if told := p.Told(); !slices.Equal(told, want) {
		t.Errorf("told\n%q, not\n%q", told, want)
	}
}

func TestClaimOfWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	if owed, err := m.Claim(t.Context(), "eth7"); owed != nil || err != nil {
		t.Errorf("an interface that it does not know: %s, %v", owed, err)
	}
	p.Lock()
	p.Put(wlan0, deviceI, "Managed", false)
	p.Unlock()
	if owed, err := m.Claim(t.Context(), "wlan0"); owed != nil || err != nil {
		t.Errorf("one that it leaves alone: %s, %v", owed, err)
	}
	nobody := &Manager{Bus: managertest.Start(t, nil)}
	if owed, err := nobody.Claim(t.Context(), "wlan0"); owed != nil || err != nil {
		t.Errorf("it does not run: %s, %v", owed, err)
	}
	if err := nobody.Restore(t.Context(), "wlan0", []byte("{}"), true); err == nil {
		t.Error("what is owed to one that does not run was paid")
	}
}

func TestRestoreOfADeletedConnection(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	owed, _ := json.Marshal(debt{Active: "uuid of /7"})
	if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
		t.Errorf("Restore: %v", err)
	}
	if told := p.Told(); !slices.Equal(told, []string{"Set Autoconnect=false"}) {
		t.Errorf("told %q", told)
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	psk := strings.Repeat("0123456789abcdef", 4)
	for _, c := range []struct {
		name    string
		have    profile // beside "home"
		network credential.Network
		refuses bool
		told    string
		want    map[string]any // of the security; nil: there is none
		err     error
	}{
		{
			name: "a new network is added", network: network("new", "some words",
				credential.KeyPassphrase), told: "AddConnection",
			want: map[string]any{"key-mgmt": "wpa-psk", "psk": "some words", "psk-flags": uint32(0),
				"pmf": int32(2), "wps-method": uint32(1)},
		},
		{
			name:    "a key of 64 digits is not for SAE",
			network: network("new", psk, credential.KeyRawPSK), told: "AddConnection",
			want: map[string]any{"key-mgmt": "wpa-psk", "psk": psk, "pmf": int32(1),
				"wps-method": uint32(1)},
		},
		{
			name:    "WPA3 only is SAE with protected management frames",
			network: wpa3(network("new", "some words", credential.KeyPassphrase)),
			told:    "AddConnection",
			want:    map[string]any{"key-mgmt": "sae", "psk": "some words", "pmf": int32(3)},
		},
		{name: "an open network has no security", network: network("new", "", credential.KeyNone),
			told: "AddConnection"},
		{
			name:    "one with this name is updated",
			network: network("home", "another key", credential.KeyPassphrase),
			told:    "Update2 " + string(homeSet),
			want:    map[string]any{"key-mgmt": "wpa-psk", "psk": "another key"},
		},
		{
			name: "of WPA3, too", have: known("new", "sae", nil),
			network: network("new", "another key", credential.KeyPassphrase),
			told:    "Update2 " + string(settings) + "/5",
			want:    map[string]any{"key-mgmt": "wpa-psk", "psk": "another key"},
		},
		{
			name: "one of a company is left alone", have: known("new", "wpa-eap", nil),
			network: network("new", "some words", credential.KeyPassphrase),
			told:    "AddConnection", want: map[string]any{"psk": "some words"},
		},
		{
			name: "an open one of the same name is another", have: known("new", "", nil),
			network: network("new", "some words", credential.KeyPassphrase),
			told:    "AddConnection", want: map[string]any{"psk": "some words"},
		},
		{
			name: "one for another interface is left alone",
			have: known("new", "wpa-psk",
				map[string]godbus.Variant{"interface-name": godbus.MakeVariant("wlan5")}),
			network: network("new", "some words", credential.KeyPassphrase), told: "AddConnection",
			want: map[string]any{"psk": "some words"},
		},
		{name: "who does not get in fails", network: network("new", "some words",
			credential.KeyPassphrase), refuses: true, told: "AddConnection", err: ErrFailed},
		{name: "WEP is refused", network: network("new", "12345", credential.KeyWEP), err: ErrWEP},
		{name: "a key that is no text is refused",
			network: network("new", "12345678\xff", credential.KeyPassphrase), err: ErrText},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, p := play(t)
			p.Lock()
			p.refuses = c.refuses
			if c.have != nil {
				p.profiles[settings+"/5"] = c.have
			}
			p.Unlock()
			made, err := m.Deliver(t.Context(), "wlan0", offer(c.network))
			if !errors.Is(err, c.err) {
				t.Fatalf("Deliver: %v, not %v", err, c.err)
			}
			if updated := strings.HasPrefix(c.told, "Update2"); c.err == nil &&
				(made.Path == "" || updated != (made.UUID == "u")) {
				t.Errorf("it made %+v", made)
			}
			if told := p.Told(); c.told != "" && (len(told) == 0 || told[0] != c.told) ||
				c.told == "" && len(told) > 0 {
				t.Errorf("told %q", told)
			}
			if c.err != nil {
				return
			}
			p.Lock()
			defer p.Unlock()
			s, secured := p.given[wirelessSecurity]
			if secured != (c.want != nil) ||
				string(p.given[wireless]["ssid"].Value().([]byte)) != string(c.network.SSID) {
				t.Errorf("given %v", p.given)
			}
			for key, want := range c.want {
				if s[key].Value() != want {
					t.Errorf("%s is %v, not %v", key, s[key], want)
				}
			}
			if _, old := p.given["ipv6"]["addresses"]; old {
				t.Error("addresses are told in their old form, which the library cannot write")
			}
			if strings.HasPrefix(c.told, "Update2") &&
				(p.given["ipv6"]["method"].Value() != "manual" ||
					p.given[wireless]["mtu"].Value() != uint32(1400) ||
					p.given[connection]["uuid"].Value() != "u") {
				t.Errorf("an updated profile has lost settings: %v", p.given)
			}
		})
	}
}

func TestDeliverToADeviceThatNobodyKnows(t *testing.T) {
	t.Parallel()
	m, _ := play(t)
	if _, err := m.Deliver(t.Context(), "eth7", offer(
		network("new", "some words", credential.KeyPassphrase))); !errors.Is(err, ErrNoDevice) {
		t.Errorf("Deliver: %v", err)
	}
}

func TestDeliverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.Answer(managerI+".ActivateConnection", func(godbus.ObjectPath, []any) ([]any, error) {
		p.Put(wlan0, deviceI, "ActiveConnection", newAct)
		p.Put(wlan0, deviceI, "State", uint32(50))
		return []any{newAct}, nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := m.Deliver(ctx, "wlan0", offer(network("new", "some words",
		credential.KeyPassphrase))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Deliver: %v", err)
	}
}

// A profile that would have another address than the run had, by NetworkManager's configuration,
// gets the run's.
func TestDeliverWithTheAddressOfTheRun(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	run := wsc.MAC{2, 0, 0, 0, 1, 0}
	p.Lock()
	p.Put(wlan0, wirelessI, "HwAddress", "02:00:00:00:01:00")
	p.profiles[settings+"/2"] = known("new", "wpa-psk", nil)
	p.Unlock()
	n := 0
	p.Answer(managerI+".ActivateConnection", func(godbus.ObjectPath, []any) ([]any, error) {
		p.Calls = append(p.Calls, "ActivateConnection")
		p.activate()
		if n++; n == 1 {
			p.Put(wlan0, wirelessI, "HwAddress", "DE:AD:BE:EF:00:01")
			p.Put(wlan0, deviceI, "State", uint32(deviceConfig))
		}
		return []any{newAct}, nil
	})
	o := offer(network("new", "some words", credential.KeyPassphrase))
	o[0].Station = run
	if _, err := m.Deliver(t.Context(), "wlan0", o); err != nil {
		t.Fatal(err)
	}
	update := "Update2 " + string(settings) + "/2"
	if told := p.Told(); !slices.Equal(told, []string{update, "ActivateConnection", update,
		"ActivateConnection", "Set Autoconnect=true"}) {
		t.Errorf("told %q", told)
	}
	p.Lock()
	defer p.Unlock()
	if got := p.given[wireless]["assigned-mac-address"].Value(); got != run.String() ||
		p.given[wirelessSecurity]["psk"].Value() != "some words" {
		t.Errorf("the profile has the address %v", got)
	}
}

// NetworkManager cannot be told of other ciphers than CCMP and TKIP: it is said at once, not after
// an attempt.
func TestDeliverOfCiphersThatItHasNoSettingFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ciphers ie.Ciphers
		err     error
	}{
		{ie.Ciphers{Pairwise: ie.GCMP256, Group: ie.GCMP256}, ErrCipher},
		{ie.Ciphers{Pairwise: ie.CCMP | ie.GCMP, Group: ie.GCMP}, ErrCipher},
		{ie.Ciphers{Pairwise: ie.CCMP | ie.CCMP256, Group: ie.CCMP}, nil},
	} {
		m, p := play(t)
		o := offer(network("new", "some words", credential.KeyPassphrase))
		o[0].Heard, o[0].Ciphers = true, c.ciphers
		if _, err := m.Deliver(t.Context(), "wlan0", o); !errors.Is(err, c.err) || err != nil &&
			len(p.Told()) > 0 {
			t.Errorf("%v: %v", c.ciphers.Pairwise.Names(), err)
		}
	}
}

// TestDeliverThatNobodyWaitsForGoesOn: the profile stays as it was given, with its rank.
func TestDeliverThatNobodyWaitsForGoesOn(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	p.Answer(managerI+".ActivateConnection", func(godbus.ObjectPath, []any) ([]any, error) {
		p.Put(wlan0, deviceI, "ActiveConnection", newAct)
		p.Put(wlan0, deviceI, "State", uint32(50))
		time.AfterFunc(50*time.Millisecond, func() {
			cancel(fmt.Errorf("another session: %w", credential.ErrKeep))
		})
		return []any{newAct}, nil
	})
	offers := offer(network("new", "some words", credential.KeyPassphrase))
	offers[0].Priority, offers[0].NoSAE = 5000, true
	if _, err := m.Deliver(ctx, "wlan0", offers); err == nil {
		t.Error("it is connected")
	}
	if told := p.Told(); !slices.Equal(told, []string{"AddConnection", "Set Autoconnect=true"}) {
		t.Errorf("told %q", told)
	}
	p.Lock()
	defer p.Unlock()
	if rank, pmf := p.given[connection]["autoconnect-priority"].Value(),
		p.given[wirelessSecurity]["pmf"].Value(); rank != int32(999) || pmf != int32(1) {
		t.Errorf("its rank is %v, its pmf %v", rank, pmf)
	}
}

func TestDisplayName(t *testing.T) {
	t.Parallel()
	for ssid, want := range map[string]string{"home": "home", "Über": "Über", "\xff\x00": "ff00"} {
		if got := displayName([]byte(ssid)); got != want {
			t.Errorf("%q is listed as %q", ssid, got)
		}
	}
}

func TestDeliverThatFailsLeavesTheProfilesAsTheyWere(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.Lock()
	p.refuses = true
	p.Unlock()
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(network("new", "some words", credential.KeyPassphrase))); !errors.Is(err, ErrFailed) {
		t.Errorf("Deliver: %v", err)
	}
	if told := p.Told(); !slices.Equal(told, []string{"AddConnection",
		"ActivateConnection " + string(settings) + "/2", "Delete " + string(settings) + "/2"}) {
		t.Errorf("a new one: told %q", told)
	}
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(network("home", "another key", credential.KeyPassphrase))); !errors.Is(err,
		ErrFailed) {
		t.Errorf("Deliver: %v", err)
	}
	update := "Update2 " + string(homeSet)
	if told := p.Told(); !slices.Equal(told,
		[]string{update, "ActivateConnection " + string(homeSet), update}) {
		t.Errorf("an old one: told %q", told)
	}
	p.Lock()
	defer p.Unlock()
	if psk := p.given[wirelessSecurity]["psk"].Value(); psk != "the old key" {
		t.Errorf("it has the key %v", psk)
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.Answer(deviceI+".Disconnect", func(godbus.ObjectPath, []any) ([]any, error) {
		p.Put(wlan0, deviceI, "State", uint32(deviceDisconnected))
		return nil, nil
	})
	if err := m.Disconnect(t.Context(), "wlan0"); err != nil {
		t.Error(err)
	}
	p.Answer(deviceI+".Disconnect", func(godbus.ObjectPath, []any) ([]any, error) {
		return nil, managertest.Fail(deviceI + ".NotActive")
	})
	if err := m.Disconnect(t.Context(), "wlan0"); err != nil {
		t.Errorf("without a connection: %v", err)
	}
	p.Answer(deviceI+".Disconnect", func(godbus.ObjectPath, []any) ([]any, error) {
		return nil, managertest.Fail(busName + ".PermissionDenied")
	})
	if err := m.Disconnect(t.Context(), "wlan0"); err == nil {
		t.Error("a refusal is no error")
	}
	if err := m.Disconnect(t.Context(), "eth7"); err != nil {
		t.Errorf("of an interface that it does not know: %v", err)
	}
}
