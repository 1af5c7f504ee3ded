package credential

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// latin1PSK is the PSK of "p\xe4ssword" in the network "home", as Python's hashlib.pbkdf2_hmac has
// it.
const latin1PSK = "003beb6475b07814b8596fb45068f9760adc466cf17bf628cfddc3304a39bd7d"

var own = wsc.MAC{0x02, 0, 0, 0, 0, 0x10}

// given is a good Credential with something changed.
func given(change func(*wsc.Credential)) wsc.Credential {
	c := wsc.Credential{
		NetworkIndex: 1, SSID: []byte("home"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString("12345678"), MAC: own,
	}
	change(&c)
	return c
}

func withKey(key string) wsc.Credential {
	return given(func(c *wsc.Credential) { c.NetworkKey = secret.FromString(key) })
}

func withTypes(a wsc.AuthType, e wsc.EncrType) wsc.Credential {
	return given(func(c *wsc.Credential) { c.AuthType, c.EncrType = a, e })
}

func TestFromWSC(t *testing.T) {
	t.Parallel()
	const tkip, aes, mixed = wsc.EncrTKIP, wsc.EncrAES, wsc.EncrTKIP | wsc.EncrAES
	hex64 := strings.Repeat("0123456789abcdef", 4)
	for _, tt := range []struct {
		name string
		in   wsc.Credential
		err  error
		auth wsc.AuthType
		encr wsc.EncrType
		kind KeyKind
		key  string
	}{
		{"WPA2-Personal with AES", withKey("12345678"), nil, wsc.AuthWPA2PSK, aes, KeyPassphrase,
			"12345678"},
		{"WPA-Personal with TKIP", withTypes(wsc.AuthWPAPSK, tkip), nil, wsc.AuthWPAPSK, tkip,
			KeyPassphrase, "12345678"},
		{"mixed mode counts as WPA2-Personal", withTypes(0x0022, 0x000c), nil, wsc.AuthWPA2PSK,
			mixed, KeyPassphrase, "12345678"},
		{"a protected network with encryption none takes what there is",
			withTypes(wsc.AuthWPA2PSK, wsc.EncrNone), nil, wsc.AuthWPA2PSK, mixed, KeyPassphrase,
			"12345678"},
		{"WEP beside AES is left out", withTypes(wsc.AuthWPA2PSK, wsc.EncrWEP|aes), nil,
			wsc.AuthWPA2PSK, aes, KeyPassphrase, "12345678"},
		{"an open network has no key even if one is given", withTypes(wsc.AuthOpen, wsc.EncrNone),
			nil, wsc.AuthOpen, wsc.EncrNone, KeyNone, ""},
		{"an open network with encryption AES is open", withTypes(wsc.AuthOpen, aes), nil,
			wsc.AuthOpen, wsc.EncrNone, KeyNone, ""},
		{"a passphrase of 63 bytes", withKey(strings.Repeat("x", 63)), nil, wsc.AuthWPA2PSK, aes,
			KeyPassphrase, strings.Repeat("x", 63)},
		{"64 hex digits are the PSK itself", withKey(hex64), nil, wsc.AuthWPA2PSK, aes,
			KeyRawPSK, hex64},
		{"64 hex digits in upper case are, too", withKey(strings.ToUpper(hex64)), nil,
			wsc.AuthWPA2PSK, aes, KeyRawPSK, strings.ToUpper(hex64)},
		{"64 bytes that are no hex digits are refused", withKey(strings.Repeat("x", 64)), ErrKey,
			0, 0, "", ""},
		{"64 bytes with one that is no hex digit are refused", withKey(hex64[:63] + "g"), ErrKey,
			0, 0, "", ""},
		{"65 bytes are refused", withKey(hex64 + "0"), ErrKey, 0, 0, "", ""},
		{"7 bytes are refused", withKey("1234567"), ErrKey, 0, 0, "", ""},
		{"no key is refused", given(func(c *wsc.Credential) { c.NetworkKey = secret.Value{} }),
			ErrKey, 0, 0, "", ""},
		{"a terminating zero is dropped", withKey("12345678\x00"), nil, wsc.AuthWPA2PSK, aes,
			KeyPassphrase, "12345678"},
		{"two terminating zeros are refused", withKey("12345678\x00\x00"), ErrKey, 0, 0, "", ""},
		{"a zero as the 8th byte is refused", withKey("1234567\x00"), ErrKey, 0, 0, "", ""},
		{"a zero as the 64th byte is refused", withKey(hex64[:63] + "\x00"), ErrKey, 0, 0, "", ""},
		{"a line break is refused (CVE-2016-4476)", withKey("12345678\nupdate_config=1"), ErrKey,
			0, 0, "", ""},
		{"a delete character is refused", withKey("12345678\x7f"), ErrKey, 0, 0, "", ""},
		{"a line break after broken UTF-8 is refused", withKey("12345678\xc3\n"), ErrKey,
			0, 0, "", ""},
		{"a key in UTF-8 is taken", withKey("pässword"), nil, wsc.AuthWPA2PSK, aes, KeyPassphrase,
			"pässword"},
		{"quotes and spaces are taken", withKey(`a "b' \c ;`), nil, wsc.AuthWPA2PSK, aes,
			KeyPassphrase, `a "b' \c ;`},
		{"WEP is not supported", withTypes(wsc.AuthOpen, wsc.EncrWEP), ErrWEP, 0, 0, "", ""},
		{"WEP with WPA is not supported", withTypes(wsc.AuthWPAPSK, wsc.EncrWEP), ErrWEP,
			0, 0, "", ""},
		{"encryption type 0 is unknown", withTypes(wsc.AuthWPA2PSK, 0), ErrEncryption,
			0, 0, "", ""},
		{"encryption type 0x40 is unknown", withTypes(wsc.AuthWPA2PSK, 0x40), ErrEncryption,
			0, 0, "", ""},
		{"authentication type 0 is of no use", withTypes(0, aes), ErrAuth, 0, 0, "", ""},
		{"authentication type 0x0040 is of no use", withTypes(0x0040, aes), ErrAuth, 0, 0, "", ""},
		{"WPA2-Enterprise is of no use", withTypes(wsc.AuthWPA2, aes), ErrAuth, 0, 0, "", ""},
		{"Shared is of no use", withTypes(wsc.AuthShared, wsc.EncrNone), ErrAuth, 0, 0, "", ""},
		{"open and enterprise at once is of no use", withTypes(wsc.AuthOpen|wsc.AuthWPA2, aes),
			ErrAuth, 0, 0, "", ""},
		{"WPA2-Personal beside a bit that we do not know", withTypes(0x0060, aes), nil,
			wsc.AuthWPA2PSK, aes, KeyPassphrase, "12345678"},
		{"WPA2-Personal beside all bits that there are", withTypes(0xffff, mixed), nil,
			wsc.AuthWPA2PSK, mixed, KeyPassphrase, "12345678"},
		{"open, WPA- and WPA2-Personal at once is WPA2-Personal", withTypes(0x0023, mixed), nil,
			wsc.AuthWPA2PSK, mixed, KeyPassphrase, "12345678"},
		{"WPA-Personal beside a bit that we do not know", withTypes(0x0082, tkip), nil,
			wsc.AuthWPAPSK, tkip, KeyPassphrase, "12345678"},
		{"open and personal at once has a key, so it is personal",
			withTypes(wsc.AuthOpen|wsc.AuthWPA2PSK, aes), nil, wsc.AuthWPA2PSK, aes, KeyPassphrase,
			"12345678"},
		{"an unknown bit beside WPA2-Personal does not excuse a bad key",
			given(func(c *wsc.Credential) {
				c.AuthType, c.NetworkKey = 0x0060, secret.FromString(
					"tiny")
			}), ErrKey, 0, 0, "", ""},
		{"a passphrase that is not text becomes the PSK", withKey("p\xe4ssword"), nil,
			wsc.AuthWPA2PSK, aes, KeyRawPSK, latin1PSK},
		{"personal and enterprise at once has a key, so it is personal",
			withTypes(wsc.AuthWPA2|wsc.AuthWPA2PSK, aes), nil, wsc.AuthWPA2PSK, aes, KeyPassphrase,
			"12345678"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := FromWSC(tt.in, own)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				if key := string(tt.in.NetworkKey.Bytes()); key != "" &&
					strings.Contains(err.Error(), key) {
					t.Error("the error shows the key")
				}
				return
			}
			if n.Auth != tt.auth || n.Encryption != tt.encr || n.KeyKind != tt.kind ||
				string(n.Key.Bytes()) != tt.key {
				t.Errorf("got %v, %v, %v, %q", n.Auth, n.Encryption, n.KeyKind, n.Key.Bytes())
			}
		})
	}
}

func TestFromWSCTakesNamesAndNumbersAsTheyCome(t *testing.T) {
	t.Parallel()
	index := uint8(1)
	raw := secret.FromString("\x10\x0e\x00\x00")
	for _, tt := range []struct {
		name string
		in   wsc.Credential
		ssid string
		own  bool
	}{
		{"a name", given(func(c *wsc.Credential) {}), "home", true},
		{"a name filled up with zeros", given(func(c *wsc.Credential) {
			c.SSID = append([]byte("home"), make([]byte, 28)...)
		}), "home", true},
		{"a zero within a name that somebody typed",
			given(func(c *wsc.Credential) { c.SSID = []byte("a\x00b\x00") }), "a\x00b", true},
		{"an empty name", given(func(c *wsc.Credential) { c.SSID = nil }), "", true},
		{"a name with a line break and quotes",
			given(func(c *wsc.Credential) { c.SSID = []byte("a\n\"b'") }), "a\n\"b'", true},
		{"a name that is not UTF-8", given(func(c *wsc.Credential) { c.SSID = []byte{0xff, 0xfe} }),
			"\xff\xfe", true},
		{"the access point's address in place of ours",
			given(func(c *wsc.Credential) { c.MAC = wsc.MAC{2, 0, 0, 0, 3, 0} }), "home", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := FromWSC(tt.in, own)
			if err != nil || string(n.SSID) != tt.ssid || n.OwnMAC != tt.own ||
				n.MAC != tt.in.MAC || n.NetworkIndex != 1 || n.KeyIndex != 0 {
				t.Errorf("got %+v, %v", n, err)
			}
			if c, err := wsc.ParseCredential(n.Raw.Bytes()); err != nil ||
				!bytes.Equal(c.SSID, tt.in.SSID) {
				t.Errorf("Raw is not the Credential: %v", err)
			}
		})
	}
	n, err := FromWSC(given(func(c *wsc.Credential) {
		c.NetworkKeyIndex, c.Raw = &index, raw
	}), own)
	if err != nil || n.KeyIndex != 1 || !n.Raw.Equal(raw) {
		t.Errorf("got %+v, %v", n, err)
	}
}

func TestFromWSCSharesNothingWithTheCredential(t *testing.T) {
	t.Parallel()
	c := given(func(c *wsc.Credential) {})
	c.Raw = secret.New(c.Append(nil))
	n, err := FromWSC(c, own)
	if err != nil {
		t.Fatal(err)
	}
	c.Wipe()
	c.SSID[0] = 'X'
	if string(n.SSID) != "home" || string(n.Key.Bytes()) != "12345678" || n.Raw.Bytes()[0] != 0x10 {
		t.Error("wiping the Credential changed the network")
	}
}

// TestFromRunRefusesNamesThatAreNone: alone they fail a run, beside a good one they are left out.
func TestFromRunRefusesNamesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, ssid := range map[string]string{
		"none": "", "nothing but padding": strings.Repeat("\x00", 32), "a zero within": "a\x00b",
		"a zero within and padding": "a\x00b\x00\x00",
		"a zero first":              "\x00a", "more than 32 bytes": strings.Repeat("a", 33),
	} {
		bad := given(func(c *wsc.Credential) { c.SSID = []byte(ssid) })
		if networks, _, err := FromRun([]wsc.Credential{bad}, own); !errors.Is(err, ErrSSID) ||
			networks != nil {
			t.Errorf("%s: %v, %v", name, networks, err)
		}
		networks, leftOut, err := FromRun([]wsc.Credential{withKey("12345678"), bad}, own)
		if err != nil || len(networks) != 1 || len(leftOut) != 1 || leftOut[0].Number != 2 ||
			leftOut[0].Of != 2 || string(leftOut[0].SSID) != ssid {
			t.Errorf("%s beside a good one: %v, %v, %v", name, networks, leftOut, err)
		}
	}
}

func TestFromRun(t *testing.T) {
	t.Parallel()
	good, open, wep := withKey("12345678"), withTypes(wsc.AuthOpen, wsc.EncrNone),
		withTypes(wsc.AuthOpen, wsc.EncrWEP)
	enterprise, short := withTypes(wsc.AuthWPA2, wsc.EncrAES), withKey("short")
	guest := given(func(c *wsc.Credential) { c.SSID = []byte("guest") })
	old := withTypes(wsc.AuthWPAPSK, wsc.EncrTKIP)
	stub := given(func(c *wsc.Credential) { c.SSID = nil })
	for _, tt := range []struct {
		name    string
		in      []wsc.Credential
		err     error
		skipped []error
		want    []string
	}{
		{"none at all fails the run", nil, ErrNone, nil, nil},
		{"one", []wsc.Credential{good}, nil, nil, []string{"home WPA2PSK CCMP"}},
		{"two networks in their order", []wsc.Credential{guest, good}, nil, nil,
			[]string{"guest WPA2PSK CCMP", "home WPA2PSK CCMP"}},
		{"one that is invalid behind a good one is left out", []wsc.Credential{good, short}, nil,
			[]error{ErrKey}, []string{"home WPA2PSK CCMP"}},
		{"one that is invalid before a good one is left out", []wsc.Credential{short, good}, nil,
			[]error{ErrKey}, []string{"home WPA2PSK CCMP"}},
		{"an unknown encryption beside a good one is left out",
			[]wsc.Credential{withTypes(wsc.AuthWPA2PSK, 0), good}, nil, []error{ErrEncryption},
			[]string{"home WPA2PSK CCMP"}},
		{"a bad key, WEP and a stub around a good one are left out",
			[]wsc.Credential{short, wep, good, stub}, nil, []error{ErrKey, ErrWEP, ErrSSID},
			[]string{"home WPA2PSK CCMP"}},
		{"a bad one alone fails the run", []wsc.Credential{short}, ErrKey, nil, nil},
		{"bad ones of two kinds fail the run", []wsc.Credential{wep, short}, ErrKey, nil, nil},
		{"a bad one beside one of no use does not fail the run",
			[]wsc.Credential{short, enterprise}, nil, []error{ErrKey, ErrAuth}, nil},
		{"a stub without name alone fails the run", []wsc.Credential{stub}, ErrSSID, nil, nil},
		{"WEP alone fails the run and says so", []wsc.Credential{wep}, ErrWEP, nil, nil},
		{"WEP twice leaves none", []wsc.Credential{wep, wep}, ErrNone, nil, nil},
		{"WEP beside a good one is skipped", []wsc.Credential{wep, good}, nil, []error{ErrWEP},
			[]string{"home WPA2PSK CCMP"}},
		{"an authentication type of no use is skipped", []wsc.Credential{good, enterprise}, nil,
			[]error{ErrAuth}, []string{"home WPA2PSK CCMP"}},
		{"an authentication type of no use alone does not fail the run",
			[]wsc.Credential{enterprise}, nil, []error{ErrAuth}, nil},
		{"WPA and WPA2 with one name and key are one network", []wsc.Credential{old, good}, nil,
			nil, []string{"home WPAPSK|WPA2PSK TKIP|CCMP"}},
		{"the same one twice is one network", []wsc.Credential{good, good}, nil, nil,
			[]string{"home WPA2PSK CCMP"}},
		{"one name with two keys are two networks", []wsc.Credential{good, withKey("87654321")},
			nil, nil, []string{"home WPA2PSK CCMP", "home WPA2PSK CCMP"}},
		{"one name open and protected are two networks", []wsc.Credential{open, good}, nil, nil,
			[]string{"home OPEN NONE", "home WPA2PSK CCMP"}},
		{"a stub without name before the network", []wsc.Credential{stub, good}, nil,
			[]error{ErrSSID}, []string{"home WPA2PSK CCMP"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			networks, skipped, err := FromRun(tt.in, own)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			var got []string
			for _, n := range networks {
				got = append(got, fmt.Sprintf("%s %v %v", n.SSID, n.Auth, n.Encryption))
			}
			if err != nil {
				if got != nil || len(skipped) != len(tt.in) {
					t.Errorf("got %q, skipped %v", got, skipped)
				}
				return
			}
			if !slices.Equal(got, tt.want) || len(skipped) != len(tt.skipped) {
				t.Errorf("got %q, skipped %v", got, skipped)
			}
			for i := range skipped {
				if !errors.Is(skipped[i], tt.skipped[i]) {
					t.Errorf("skipped %v", skipped)
				}
			}
		})
	}
}

func TestMergedNetworksKeepBothCredentials(t *testing.T) {
	t.Parallel()
	a, b := withTypes(wsc.AuthWPAPSK, wsc.EncrTKIP), withKey("12345678")
	networks, _, err := FromRun([]wsc.Credential{a, b}, own)
	if err != nil || len(networks) != 1 {
		t.Fatal(networks, err)
	}
	if want := b.Append(a.Append(nil)); !bytes.Equal(networks[0].Raw.Bytes(), want) {
		t.Errorf("got %x, want %x", networks[0].Raw.Bytes(), want)
	}
	if string(networks[0].Key.Bytes()) != "12345678" {
		t.Error("the key was wiped")
	}
}

func TestWifiURI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		n    Network
		want string
	}{
		{"a protected network", Network{SSID: []byte("home"), Auth: wsc.AuthWPA2PSK,
			Key:     secret.FromString("12345678"),
			KeyKind: KeyPassphrase}, "WIFI:T:WPA;S:home;P:12345678;;"},
		{"a network in mixed mode", Network{SSID: []byte("home"), Auth: 0x22,
			Key:     secret.FromString("12345678"),
			KeyKind: KeyPassphrase}, "WIFI:T:WPA;S:home;P:12345678;;"},
		{"an open network", Network{SSID: []byte("home"), Auth: wsc.AuthOpen, KeyKind: KeyNone},
			"WIFI:T:nopass;S:home;;"},
		{"a network with WEP", Network{SSID: []byte("home"), Auth: wsc.AuthOpen,
			Key: secret.FromString("12345"), KeyKind: KeyWEP}, "WIFI:T:WEP;S:home;P:12345;;"},
		{"characters that mean something", Network{SSID: []byte(`a;b:c,d"e\f`),
			Auth: wsc.AuthWPA2PSK, Key: secret.FromString(
				`\;,":12345`)}, `WIFI:T:WPA;S:a\;b\:c\,d\"e\\f;P:\\\;\,\"\:12345;;`},
		{"a name in UTF-8", Network{SSID: []byte("Café ☕"), Auth: wsc.AuthOpen},
			"WIFI:T:nopass;S:Café ☕;;"},
		{"a name that is not UTF-8", Network{SSID: []byte{0xff, 0x00, 'a'}, Auth: wsc.AuthOpen},
			"WIFI:T:nopass;S:ff0061;;"},
		{"a name that looks like hex", Network{SSID: []byte("cafe"), Auth: wsc.AuthOpen},
			"WIFI:T:nopass;S:cafe;;"},
		{"an empty name", Network{Auth: wsc.AuthOpen}, "WIFI:T:nopass;S:;;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(tt.n.WifiURI().Bytes()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestANetworkPrintsWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	n, err := FromWSC(withKey("correct horse"), own)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		out := fmt.Sprintf(verb, n)
		if strings.Contains(out, "correct horse") ||
			strings.Contains(out, fmt.Sprintf("%x", "correct horse")) {
			t.Errorf("%s shows the key: %s", verb, out)
		}
	}
}
