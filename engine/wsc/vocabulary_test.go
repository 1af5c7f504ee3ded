package wsc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTextForms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value fmt.Stringer
		want  string
	}{
		{AttrEHash1, "E-Hash1"}, {AttrState, "Wi-Fi Protected Setup State"},
		{AttrExtensibilityTest, "Extensibility Test"},
		{AttributeID(0x1006), "attribute 0x1006"}, {AttributeID(0), "attribute 0x0000"},
		{AttributeID(0xffff), "attribute 0xFFFF"},
		{MsgM1, "M1"}, {MsgM2D, "M2D"}, {MsgAck, "WSC_ACK"}, {MsgNack, "WSC_NACK"},
		{MsgDone, "WSC_DONE"}, {MessageType(0), "message type 0"},
		{MessageType(0x7b), "message type 123"},
		{Version20, "2.0"}, {Version(0), "1.0"}, {Version(0x43), "4.3"},
		{AuthOpen, "OPEN"}, {AuthWPA2PSK, "WPA2PSK"}, {AuthWPAPSK | AuthWPA2PSK, "WPAPSK|WPA2PSK"},
		{AuthType(0), "0x0000"}, {AuthOpen | 0x40, "OPEN|0x0040"},
		{EncrNone, "NONE"}, {EncrAES, "CCMP"}, {EncrTKIP | EncrAES, "TKIP|CCMP"},
		{EncrType(0x10), "0x0010"},
		{PasswordIDDefault, "default (PIN)"}, {PasswordIDPushButton, "push button"},
		{DevicePasswordID(6), "device password id 6"},
		{DevicePasswordID(0x1234), "NFC token 0x1234"},
		{ConfigErrorNone, "no error"}, {ConfigErrorSetupLocked, "setup locked"},
		{ConfigErrorPublicKeyHashMismatch, "public key hash mismatch"}, {ConfigError(291), "291"},
		{NotConfigured, "not configured"}, {Configured, "configured"}, {State(0), "state 0"},
		{AssociationNone, "not associated"}, {AssociationIPFailure, "IP failure"},
		{AssociationState(9), "association state 9"},
		{RequestEnrollee, "Enrollee"}, {RequestRegistrar, "Registrar"},
		{RequestType(9), "request type 9"},
		{ResponseAP, "access point"}, {ResponseType(9), "response type 9"},
		{ConnESS, "ESS"}, {ConnESS | ConnIBSS, "ESS|IBSS"},
		{Band24GHz, "2.4 GHz"}, {Band24GHz | Band5GHz, "2.4 GHz|5 GHz"}, {RFBands(0), "no band"},
		{RFBands(8), "0x0008"},
		{testStationMAC, "a0:a8:cd:1c:7e:c9"}, {testAPType, "6-0050F204-1"},
		{testUUIDE, "790c1f80-4f2b-52b7-be30-c0e97292088d"},
	} {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%T: %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestEveryEnumeratedValueHasAName(t *testing.T) {
	t.Parallel()
	for e := range ConfigErrorPublicKeyHashMismatch + 1 {
		if s := e.String(); s == "" || s[0] >= '0' && s[0] <= '9' && !strings.Contains(s, "GHz") {
			t.Errorf("configuration error %d is %q", uint16(e), s)
		}
	}
	for m := MsgBeacon; m <= MsgDone; m++ {
		if strings.HasPrefix(m.String(), "message type") {
			t.Errorf("%v has no name", m)
		}
	}
}

func TestParseMAC(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want MAC
		ok   bool
	}{
		{"02:00:00:00:03:00", testAPMAC, true},
		{"A0:A8:CD:1C:7E:C9", testStationMAC, true},
		{"ff:ff:ff:ff:ff:ff", Broadcast, true},
		{"", MAC{}, false},
		{"020000000300", MAC{}, false},
		{"02-00-00-00-03-00", MAC{}, false},
		{"02:00:00:00:03", MAC{}, false},
		{"02:00:00:00:03:00:00", MAC{}, false},
		{"02:00:00:00:03:0g", MAC{}, false},
		{"2:00:00:00:03:000", MAC{}, false},
	} {
		got, err := ParseMAC(tt.text)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %v, %v", tt.text, got, err)
		}
	}
	if !Broadcast.IsMulticast() || testAPMAC.IsMulticast() || !(MAC{}).IsZero() ||
		Broadcast.IsZero() {
		t.Error("address classes")
	}
}

func TestUUIDs(t *testing.T) {
	t.Parallel()
	if got := UUIDFromMAC(testStationMAC); got != testUUIDE {
		t.Errorf("the known answer for %v is %v, got %v", testStationMAC, testUUIDE, got)
	}
	for text, ok := range map[string]bool{
		"790c1f80-4f2b-52b7-be30-c0e97292088d":          true,
		"790C1F80-4F2B-52B7-BE30-C0E97292088D":          true,
		"790c1f804f2b52b7be30c0e97292088d":              false,
		"{790c1f80-4f2b-52b7-be30-c0e97292088d}":        false,
		"urn:uuid:790c1f80-4f2b-52b7-be30-c0e97292088d": false,
		"790c1f80-4f2b-52b7-be30-c0e97292088":           false,
		"790c1f80-4f2b-52b7-be30-c0e97292088g":          false,
		"790c1f8-04f2b-52b7-be30-c0e972920-88d":         false,
		"":                                              false,
	} {
		u, err := ParseUUID(text)
		if (err == nil) != ok || ok && u != testUUIDE {
			t.Errorf("%q: %v, %v", text, u, err)
		}
	}
}

func TestParseDeviceType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]DeviceType{
		"1-0050F204-1":         testPC,
		"6-0050f204-1":         testAPType,
		"65535-FFFFFFFF-65535": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"0-00000000-0":         {},
	} {
		got, err := ParseDeviceType(text)
		if err != nil || got != want || !strings.EqualFold(got.String(), text) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "1-0050F204", "1-0050F20-1", "1-0050F2041-1",
		"1-0050F20x-1", "65536-0050F204-1", "1-0050F204-65536", "-1-0050F204-1", "1-0050F204-1 ",
		"1-0050F204-1-1", "+1-0050F204-1"} {
		if got, err := ParseDeviceType(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestParseAuthAndEncrTypes(t *testing.T) {
	t.Parallel()
	for _, a := range []AuthType{AuthOpen, AuthWPAPSK, AuthShared, AuthWPA, AuthWPA2, AuthWPA2PSK,
		AuthWPAPSK | AuthWPA2PSK} {
		if got, err := ParseAuthType(a.String()); err != nil || got != a {
			t.Errorf("%v: %v, %v", a, got, err)
		}
	}
	for _, e := range []EncrType{EncrNone, EncrWEP, EncrTKIP, EncrAES, EncrTKIP | EncrAES} {
		if got, err := ParseEncrType(e.String()); err != nil || got != e {
			t.Errorf("%v: %v, %v", e, got, err)
		}
	}
	for _, text := range []string{"", "open", "WPA3", "OPEN|", "|", "OPEN WPAPSK", "0x0020",
		"CCMP,TKIP", "AES "} {
		if a, err := ParseAuthType(text); err == nil {
			t.Errorf("%q is the authentication type %v", text, a)
		}
		if e, err := ParseEncrType(text); err == nil {
			t.Errorf("%q is the encryption type %v", text, e)
		}
	}
}

func TestConfigMethods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		text  string
		want  ConfigMethods
		names string
	}{
		{"nothing is nothing", "", 0, ""},
		{"a bare display is a virtual one", "display", 0x2008, "virtual_display"},
		{"a bare button is a virtual one", "push_button", 0x0280, "virtual_push_button"},
		{"a physical display stays physical", "display physical_display", 0x4008,
			"physical_display"},
		{"a physical button sets the base bit", "physical_push_button", 0x0480,
			"physical_push_button"},
		{"wpa_supplicant's default", "display keypad virtual_display", 0x2108,
			"virtual_display keypad"},
		{"the sample of README-WPS", "ethernet label ext_nfc_token int_nfc_token nfc_interface\tkeypad",
			0x0176, "ethernet label ext_nfc_token int_nfc_token nfc_interface keypad"},
		{"all that there is", "usba ethernet label virtual_display physical_display ext_nfc_token int_nfc_token nfc_interface virtual_push_button physical_push_button keypad p2ps", 0x77ff,
			"usba ethernet label virtual_display physical_display ext_nfc_token int_nfc_token nfc_interface virtual_push_button physical_push_button keypad p2ps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseConfigMethods(tt.text)
			if err != nil || got != tt.want || got.String() != tt.names {
				t.Errorf("got 0x%04x %q, %v", uint16(got), got, err)
			}
			again, err := ParseConfigMethods(got.String())
			if err != nil || again != got {
				t.Errorf("its names are read as 0x%04x, %v", uint16(again), err)
			}
		})
	}
	for _, text := range []string{"lcd", "Display", "display,keypad", "virtual", "0x2108"} {
		if m, err := ParseConfigMethods(text); err == nil {
			t.Errorf("%q was read as %v", text, m)
		}
	}
	if names := (ConfigDisplay | ConfigPushButton).Names(); !slices.Equal(names,
		[]string{"display", "push_button"}) {
		t.Errorf("a 1.0 device: %q", names)
	}
	if names := ConfigMethods(0x8804).Names(); !slices.Equal(names, []string{"label", "0x8800"}) {
		t.Errorf("unknown bits: %q", names)
	}
	if DefaultConfigMethods != 0x2108 {
		t.Errorf("default 0x%04x", uint16(DefaultConfigMethods))
	}
}

func TestBandOf(t *testing.T) {
	t.Parallel()
	for mhz, want := range map[int]RFBands{2412: Band24GHz, 2484: Band24GHz, 5180: Band5GHz,
		5885: Band5GHz, 4920: Band5GHz, 58320: Band60GHz, 5955: 0, 7115: 0, 0: 0, -1: 0} {
		if got := BandOf(mhz); got != want {
			t.Errorf("%d MHz: %v", mhz, got)
		}
	}
}

func TestTextAttributes(t *testing.T) {
	t.Parallel()
	const limit = MaxDeviceName
	for _, tt := range []struct {
		name string
		text string
		wire string
	}{
		{"text goes as it is", "Søren's", "Søren's"},
		{"empty text goes as a space", "", " "},
		{"text of the longest length is whole", strings.Repeat("x", limit),
			strings.Repeat("x", limit)},
		{"longer text is cut", strings.Repeat("x", limit+1), strings.Repeat("x", limit)},
		{"text is not cut within a character", strings.Repeat("x", limit-1) + "é",
			strings.Repeat("x", limit-1)},
		{"text is cut after a whole character", strings.Repeat("x", limit-2) + "éy",
			strings.Repeat("x", limit-2) + "é"},
		{"text is not cut within a long character", strings.Repeat("x", limit-3) + "😀",
			strings.Repeat("x", limit-3)},
		{"bytes that are no characters are cut anywhere", strings.Repeat("\xff", limit+1),
			strings.Repeat("\xff", limit)},
		{"bytes that only continue characters are cut anywhere", strings.Repeat("\x80", limit+1),
			strings.Repeat("\x80", limit)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(appendText(nil, AttrDeviceName, tt.text,
				limit)[headerLen:]); got != tt.wire {
				t.Errorf("got %q, want %q", got, tt.wire)
			}
		})
	}
	for wire, want := range map[string]string{"": "", " ": "", "\x00": "", "a\x00\x00": "a",
		" \x00": "", "  ": "  ", "a\x00b": "a\x00b", "\x00a": "\x00a"} {
		if got := text([]byte(wire), limit); got != want {
			t.Errorf("%q was read as %q", wire, got)
		}
	}
}
