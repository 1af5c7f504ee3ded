package ie

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

func element(id byte, value string) string {
	return string([]byte{id, byte(len(value))}) + value
}

func TestElements(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		data string
		want string
	}{
		{"nothing has no elements", "", ""},
		{"elements follow each other", "\x00\x03abc\x01\x01\x82", "0:616263 1:82"},
		{"an element may be empty", "\x00\x00\x01\x00", "0: 1:"},
		{"half a header ends the list", "\x00\x01a\xdd", "0:61"},
		{"an element that runs over the end ends the list", "\x00\x01a\xdd\x05abcd", "0:61"},
		{"the longest element is whole", element(221, string(make([]byte, 255))),
			"221:" + fmt.Sprintf("%x", make([]byte, 255))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got string
			for id, v := range Elements([]byte(tt.data)) {
				if got != "" {
					got += " "
				}
				got += fmt.Sprintf("%d:%x", id, v)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFindAndSSID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		data string
		ssid string
		ok   bool
	}{
		{"a name is found", "\x01\x01\x82\x00\x04home", "home", true},
		{"of two names the first counts", "\x00\x01a\x00\x01b", "a", true},
		{"a hidden name is empty", "\x00\x00", "", true},
		{"a name of 32 bytes is found", element(0, string(bytes.Repeat([]byte("n"), 32))),
			string(bytes.Repeat([]byte("n"), 32)), true},
		{"a name of 33 bytes is none", element(0, string(make([]byte, 33))), "", false},
		{"no name is none", "\x01\x01\x82", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := SSID([]byte(tt.data)); string(got) != tt.ssid || ok != tt.ok {
				t.Errorf("got %q, %v", got, ok)
			}
		})
	}
	if v, ok := Find([]byte("\x00\x01a\x30\x02bc"), IDRSN); !ok || string(v) != "bc" {
		t.Errorf("got %q, %v", v, ok)
	}
}

func TestWSC(t *testing.T) {
	t.Parallel()
	const oui = "\x00\x50\xf2\x04"
	for _, tt := range []struct {
		name string
		data string
		want string
		ok   bool
	}{
		{"none", "\x00\x01a" + element(221, "\x00\x50\xf2\x01x"), "", false},
		{"one", element(221, "\x00\x50\xf2\x01x") + element(221, oui+"abc"), "abc", true},
		{"one that is empty", element(221, oui), "", true},
		{"two are joined, whatever is between",
			element(221, oui+"ab") + "\x00\x01a" + element(221, oui+"cd"), "abcd", true},
		{"three are joined in their order",
			element(221, oui+"c") + element(221, oui+"a") + element(221, oui+"b"), "cab", true},
		{"another type of the same owner is none", element(221, "\x00\x50\xf2\x10abc"), "", false},
		{"a vendor element without type is none", element(221, "\x00\x50\xf2"), "", false},
		{"one that runs over the end is none", "\xdd\x08" + oui + "abc", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := []byte(tt.data)
			data := bytes.Clone(before)
			for _, scratch := range [][]byte{nil, make([]byte, 2, 64), make([]byte, 64)} {
				got, ok := WSC(data, scratch)
				if string(got) != tt.want || ok != tt.ok {
					t.Errorf("got %q, %v", got, ok)
				}
			}
			if !bytes.Equal(data, before) {
				t.Error("joining changed the elements")
			}
		})
	}
}

func TestAppendWSCSplits(t *testing.T) {
	t.Parallel()
	for n, elements := range map[int]int{0: 1, 1: 1, 251: 1, 252: 2, 502: 2, 503: 3, 1000: 4} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * 7)
		}
		b := AppendWSC([]byte("\x00\x01a"), data)
		count := 0
		for id := range Elements(b) {
			if id == IDVendor {
				count++
			}
		}
		got, ok := WSC(b, nil)
		if !ok || !bytes.Equal(got, data) || count != elements || len(b) != 3+n+6*elements {
			t.Errorf("%d bytes: %d elements, %d bytes come back", n, count, len(got))
		}
	}
}

func TestAppendPanicsRatherThanSendALengthThatIsNone(t *testing.T) {
	t.Parallel()
	if got := Append(nil, IDSSID, []byte("home")); string(got) != "\x00\x04home" {
		t.Errorf("got %q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Append(nil, IDSSID, make([]byte, 256))
}

// rsn is an RSN element's value with CCMP and these key management suites.
func rsn(suites ...byte) string {
	b := []byte("\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04")
	b = binary.LittleEndian.AppendUint16(b, uint16(len(suites)))
	for _, s := range suites {
		b = append(b, 0x00, 0x0f, 0xac, s)
	}
	return string(b) + "\x80\x00" // capabilities
}

// wpa is a WPA element's value with TKIP and one key management suite.
func wpa(suite byte) string {
	return "\x00\x50\xf2\x01\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2" +
		string(suite)
}

func TestSecurityOf(t *testing.T) {
	t.Parallel()
	const end = len("\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x02")
	for _, tt := range []struct {
		name     string
		data     string
		privacy  bool
		want     Security
		wpa3only bool
	}{
		{"no elements and no privacy is open", "", false, Open, false},
		{"privacy without an element is WEP", "\x00\x01a", true, WEP, false},
		{"WPA2-Personal", element(48, rsn(2)), true, WPA2PSK, false},
		{"the privacy bit adds nothing to an RSN element", element(48, rsn(2)), false,
			WPA2PSK, false},
		{"WPA2-Personal with fast transition", element(48, rsn(4)), true, WPA2PSK, false},
		{"WPA2-Personal with SHA-256", element(48, rsn(6)), true, WPA2PSK, false},
		{"WPA-Personal", element(221, wpa(2)), true, WPAPSK, false},
		{"mixed WPA and WPA2", element(221, wpa(2)) + element(48, rsn(2)), true,
			WPAPSK | WPA2PSK, false},
		{"WPA3-Personal", element(48, rsn(8)), true, SAE, true},
		{"WPA3-Personal with every variant", element(48, rsn(8, 9, 24, 25)), true, SAE, true},
		{"WPA3 transition mode", element(48, rsn(2, 8)), true, WPA2PSK | SAE, false},
		{"WPA2-Enterprise", element(48, rsn(1, 5)), true, Enterprise, false},
		{"WPA-Enterprise", element(221, wpa(1)), true, Enterprise, false},
		{"WPA3-Enterprise", element(48, rsn(12)), true, Enterprise, false},
		{"Enhanced Open", element(48, rsn(18)), true, OWE, false},
		{"a suite that nobody knows", element(48, rsn(99)), true, Other, false},
		{"a suite of somebody else", element(48,
			"\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x50\xf2\x02"), true, Other, false},
		{"no suite at all", element(48, rsn()), true, Other, false},
		{"an element of another version", element(48, "\x02\x00\x00\x0f\xac\x04"), true,
			Other, false},
		{"an empty element", element(48, ""), true, Other, false},
		{"an element that ends after its version means 802.1X", element(48, "\x01\x00"), true,
			Enterprise, false},
		{"an element that ends after its ciphers means 802.1X", element(48, rsn(2)[:12]), true,
			Enterprise, false},
		{"an element that ends within its ciphers", element(48, rsn(2)[:10]), true, Other, false},
		{"an element that ends within the number of suites", element(48, rsn(2)[:13]), true,
			Other, false},
		{"an element that ends within its suites", element(48, rsn(2)[:end-1]), true, Other, false},
		{"an element that ends after its suites", element(48, rsn(2)[:end]), true, WPA2PSK, false},
		{"more ciphers than there are bytes",
			element(48, "\x01\x00\x00\x0f\xac\x04\xff\xff\x00\x0f\xac\x04"), true, Other, false},
		{"more suites than there are bytes", element(48,
			"\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\xff\xff\x00\x0f\xac\x02"), true, Other, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := SecurityOf([]byte(tt.data), tt.privacy)
			if got != tt.want || got.WPA3Only() != tt.wpa3only {
				t.Errorf("got %v, WPA3 only %v", got, got.WPA3Only())
			}
		})
	}
	if s := (WPA2PSK | SAE).String(); s != "WPA2PSK|SAE" {
		t.Errorf("got %q", s)
	}
	if s := Security(0).String(); s != "none" {
		t.Errorf("got %q", s)
	}
}
