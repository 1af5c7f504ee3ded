package ndef

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// The password token of an access point in hostap's simulated-radio tests, and what it says.
const (
	knownHash = "691F6C35AC5FF23180FFBF899BF3E563D047AA68"
	knownPW   = "CB7FE7A25053F8F5BF822660C21E66D8A58D3393BB78494E239031D6AABCB90C"
	knownTLVs = "102C0036" + knownHash + "BFAB" + knownPW + "1049000600372A000120"
	knownNDEF = "D21744 6170706C69636174696F6E2F766E642E7766612E777363" + knownTLVs
)

func knownToken(t testing.TB) *PasswordToken {
	return &PasswordToken{
		PublicKeyHash: [20]byte(unhex(t, knownHash)), ID: 49067,
		Password: secret.New(unhex(t, knownPW)), Version2: wsc.Version20,
	}
}

// config is a configuration token with everything that one can have.
func config() *ConfigurationToken {
	yes := true
	return &ConfigurationToken{
		Credentials: []wsc.Credential{{
			NetworkIndex: 1, SSID: []byte("test network"), AuthType: wsc.AuthWPA2PSK,
			EncrType:   wsc.EncrAES,
			NetworkKey: secret.FromString("12345678"), MAC: wsc.MAC{2, 0, 0, 0, 0, 1},
			NetworkKeyShareable: &yes,
		}, {
			NetworkIndex: 1, SSID: []byte("open"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone,
		}},
		RFBands: wsc.Band24GHz, APChannel: 11, BSSID: wsc.MAC{2, 0, 0, 0, 3, 0},
		Version2: wsc.Version20,
	}
}

func TestKnownPasswordToken(t *testing.T) {
	t.Parallel()
	want := knownToken(t)
	for name, in := range map[string]string{"without NDEF": knownTLVs, "with NDEF": knownNDEF,
		"with a long header": "C217 00000044" + knownNDEF[7:]} {
		got, err := Parse(unhex(t, in))
		if err != nil || got.Configuration != nil || got.Password == nil {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		if p := got.Password; p.PublicKeyHash != want.PublicKeyHash || p.ID != want.ID ||
			!p.Password.Equal(want.Password) || p.Version2 != want.Version2 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if got := want.Append([]byte("x")); !bytes.Equal(got[1:], unhex(t, knownTLVs)) {
		t.Errorf("attributes %X", got)
	}
	if got := want.AppendNDEF([]byte("x")); !bytes.Equal(got[1:], unhex(t, knownNDEF)) {
		t.Errorf("message %X", got)
	}
}

func TestConfigurationToken(t *testing.T) {
	t.Parallel()
	want := config()
	tlvs := want.Append(nil)
	// The end is bands, channel, BSSID, WFA extension, in hostap's order.
	if end := unhex(t, "103C000101 10010002000B 10200006020000000300 1049000600372A000120"); !bytes.HasSuffix(tlvs, end) {
		t.Errorf("attributes %X", tlvs)
	}
	for name, in := range map[string][]byte{"without NDEF": tlvs,
		"with NDEF": want.AppendNDEF(nil)} {
		got, err := Parse(in)
		if err != nil || got.Password != nil || got.Configuration == nil {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		c := got.Configuration
		if c.RFBands != want.RFBands || c.APChannel != 11 || c.BSSID != want.BSSID ||
			c.Version2 != want.Version2 || len(c.Credentials) != 2 {
			t.Errorf("%s: %+v", name, c)
		}
		first := c.Credentials[0]
		if string(first.SSID) != "test network" || string(first.NetworkKey.Bytes()) != "12345678" ||
			first.MAC != want.Credentials[0].MAC ||
			first.NetworkKeyShareable == nil || !*first.NetworkKeyShareable {
			t.Errorf("%s: %+v", name, first)
		}
		if !bytes.Equal(c.Append(nil), tlvs) {
			t.Errorf("%s: written again %X", name, c.Append(nil))
		}
	}
	bare := &ConfigurationToken{Credentials: want.Credentials[1:]}
	if got := bare.Append(nil); !bytes.Equal(got, bare.Credentials[0].Append(nil)) {
		t.Errorf("what is not said is written: %X", got)
	}
}

// oob makes an OOB Device Password attribute of any length.
func oob(id uint16, passwordLen int) string {
	v := binary.BigEndian.AppendUint16(make([]byte, 20), id)
	return fmt.Sprintf("%x", wsc.AppendAttribute(nil, wsc.AttrOOBDevicePassword,
		append(v, make([]byte, passwordLen)...)))
}

// invalidNDEF are the bytes that hostap's tests want refused as a tag (nfc_invalid_ndef_record
// among them), with the error that tells by which rule.
var invalidNDEF = []struct {
	in  string
	err error
}{
	{"11223344", ErrTruncated},
	{"00112233", ErrTruncated},
	{"0000112233445566", ErrTooLong},
	{"0800112233445566", ErrTooLong},
	{"080011223344", ErrTruncated},
	{"18000000", ErrFlags},
	{"18010000", ErrTruncated},
	{"90000050", ErrTruncated},
	{"9000005000", ErrTruncated},
	{"9001013344", ErrType},
	{"98010101334455", ErrType},
	{"0017ffffffe3", ErrTooLong},
	{"0017ffffffe4", ErrTooLong},
	{"0017ffffffe9", ErrTooLong},
	{"0000fffffffa", ErrTooLong},
	{"0017ffffffe4" + wscType, ErrTooLong},
	{"0017ffffffff" + wscType, ErrTooLong},
	{"001700000000" + wscType[:len(wscType)-2] + "ff", ErrType},
	{"080000000000", ErrTruncated},
	// The same with attributes that are not in NDEF.
	{"00", ErrTruncated},
	{"000000", ErrTruncated},
	{"10000001", wsc.ErrTruncated},
	{"10000000", wsc.ErrMissing},
	{"00000000", ErrTruncated},
	{"100e0000", wsc.ErrMissing},
	{"100e0001ff", wsc.ErrTruncated},
	{"100e000411110000", wsc.ErrMissing},
	{"100e0004100e0001", wsc.ErrTruncated},
}

func TestInvalidTags(t *testing.T) {
	t.Parallel()
	for _, c := range invalidNDEF {
		t.Run(c.in, func(t *testing.T) {
			t.Parallel()
			in := unhex(t, c.in)
			if got, err := Parse(in); !errors.Is(err, c.err) || got != nil {
				t.Errorf("as a tag: %+v, %v; want %v", got, err, c.err)
			}
			if got, err := ParseHandoverRequest(in); err == nil || got != nil {
				t.Errorf("as a request: %+v, %v", got, err)
			}
			if got, err := ParseHandoverSelect(in); err == nil || got != nil {
				t.Errorf("as a select: %+v, %v", got, err)
			}
			// In a proper record they are refused as attributes, too.
			if got, err := Parse(appendWSC(nil, bytes.Clone(in))); err == nil {
				t.Errorf("as a payload: %+v", got)
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	cred := fmt.Sprintf("%x", config().Credentials[0].Append(nil))
	record := func(tlvs string) string {
		return fmt.Sprintf("d217%02x%s%s", len(tlvs)/2, wscType, tlvs)
	}
	for _, c := range []struct {
		name, in string
		err      error
		kind     string
	}{
		{"a password of 16 bytes is the shortest", oob(0x10, 16), nil, "password"},
		{"a password of 32 bytes is the longest", oob(0xffff, 32), nil, "password"},
		{"a password of 15 bytes is refused", oob(0x10, 15), wsc.ErrLength, ""},
		{"a password of 33 bytes is refused", oob(0x10, 33), wsc.ErrLength, ""},
		{"a token without password is refused", oob(0x10, 0), wsc.ErrLength, ""},
		{"a truncated hash is refused", "102c0015" + strings.Repeat("00", 21), wsc.ErrLength, ""},
		{"an empty token is refused", "102c0000", wsc.ErrLength, ""},
		{"the id of a PIN is refused", oob(0, 32), wsc.ErrValue, ""},
		{"the id of a button is refused", oob(4, 32), wsc.ErrValue, ""},
		{"the id of a handover is refused", oob(7, 32), wsc.ErrValue, ""},
		{"a handover without password is no token", oob(7, 0), wsc.ErrValue, ""},
		{"a reserved id is refused", oob(15, 32), wsc.ErrValue, ""},
		{"of two passwords the last counts", oob(0, 32) + oob(0x10, 32), nil, "password"},
		{"of two passwords the last counts, also when it is bad", oob(0x10, 32) + oob(0, 32),
			wsc.ErrValue, ""},
		{"a Credential", cred, nil, "configuration"},
		{"a Credential counts before a password", oob(0x10, 32) + cred, nil, "configuration"},
		{"one bad Credential makes the tag bad", cred + "100e0000", wsc.ErrMissing, ""},
		{"eleven Credentials are ten", strings.Repeat(cred, 10) + "100e0000", nil, "configuration"},
		{"a Credential within a Credential does not count",
			fmt.Sprintf("100e%04x", len(cred)/2) + cred, wsc.ErrMissing, ""},
		{"a wrong RF Bands is refused", cred + "103c00020101", wsc.ErrLength, ""},
		{"an empty RF Bands is refused", cred + "103c0000", wsc.ErrLength, ""},
		{"a wrong AP Channel is refused", cred + "1001000101", wsc.ErrLength, ""},
		{"a wrong MAC Address is refused", cred + "10200005" + "0200000003", wsc.ErrLength, ""},
		{"a wrong UUID-E is refused", cred + "1047000101", wsc.ErrLength, ""},
		{"an unknown attribute is skipped", cred + "10fa00012a", nil, "configuration"},
		{"an attribute of another message is skipped", cred + "1012000400000000", nil,
			"configuration"},
		{"a vendor's extension is skipped", cred + "10490004 00 11 22 33", nil, "configuration"},
		{"a vendor extension without owner is skipped", cred + "10490002 00 37", nil,
			"configuration"},
		{"an unknown WFA subelement is skipped", cred + "10490006 00372a 7f 01 00", nil,
			"configuration"},
		{"a wrong Version2 is refused", cred + "10490007 00372a 00 02 20 00", wsc.ErrLength, ""},
		{"an empty Version2 is refused", cred + "10490005 00372a 00 00", wsc.ErrLength, ""},
		{"another wrong WFA subelement is refused", cred + "10490005 00372a 05 00",
			wsc.ErrLength, ""},
		{"a WFA subelement beyond its extension is skipped", cred + "10490006 00372a 00 02 20", nil,
			"configuration"},
		{"zeros at the end are padding", cred + "0000000000", nil, "configuration"},
		{"a byte at the end is refused", cred + "01", wsc.ErrTruncated, ""},
		{"too many attributes are refused", cred + strings.Repeat("10fa0000", 5000),
			wsc.ErrTooLong, ""},

		{"an empty payload is refused", record(""), wsc.ErrMissing, ""},
		{"another media type is no WSC record", "d20301 612f62 00", ErrNoRecord, ""},
		{"Wi-Fi Direct's record is no WSC record",
			"d21700" + fmt.Sprintf("%x", "application/vnd.wfa.p2p"), ErrNoRecord, ""},
		{"the type in capitals is no WSC record",
			"d21700" + fmt.Sprintf("%x", strings.ToUpper(mimeWSC)), ErrNoRecord, ""},
		{"the type as an external name is no WSC record", "d41700" + wscType, ErrNoRecord, ""},
		{"a record before the token is skipped", "91010055" + "52" + record(knownTLVs)[2:], nil,
			"password"},
		{"a record after the token is skipped", "92" + record(knownTLVs)[2:] + "51010055", nil,
			"password"},
		{"of two tokens the first counts", "92" + record(knownTLVs)[2:] + "52" + record("")[2:],
			nil, "password"},
		{"of two tokens the first counts, also when it is empty",
			"92" + record("")[2:] + "52" + record(knownTLVs)[2:], wsc.ErrMissing, ""},
		{"a token in chunks is refused", "b2" + record(knownTLVs)[2:], ErrChunked, ""},
		{"a token not at its place in a message is refused", "52" + record(knownTLVs)[2:],
			ErrFlags, ""},
		{"a carrier is no token", record("0000"), wsc.ErrTruncated, ""},
		{"a message within a payload is not looked into", record(record(knownTLVs)),
			wsc.ErrTruncated, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(unhex(t, c.in))
			if !errors.Is(err, c.err) || (err != nil) != (got == nil) {
				t.Fatalf("got %+v, %v; want %v", got, err, c.err)
			}
			if err == nil && (got.Password != nil) != (c.kind == "password") || err == nil &&
				(got.Configuration != nil) != (c.kind == "configuration") {
				t.Errorf("got %+v, want a %s", got, c.kind)
			}
		})
	}
}

// TestTagsOfOtherWriters: what lacks what a reader does not need, as Android and neard take and
// write it.
func TestTagsOfOtherWriters(t *testing.T) {
	t.Parallel()
	const ssid, key, mac = "10450004686f6d65", "10270008" + "3132333435363738",
		"10200006ffffffffffff"
	auth, encr, index := "100300020020", "100f00020008", "1026000101"
	credential := func(tlvs string) string { return fmt.Sprintf("100e%04x", len(tlvs)/2) + tlvs }
	for _, c := range []struct {
		name, in string
		auth     wsc.AuthType
		encr     wsc.EncrType
		key      string
	}{
		{"all that there is", credential(index + ssid + auth + encr + key + mac), wsc.AuthWPA2PSK,
			wsc.EncrAES, "12345678"},
		{"no Network Index", credential(ssid + auth + encr + key + mac), wsc.AuthWPA2PSK,
			wsc.EncrAES, "12345678"},
		{"no MAC Address", credential(index + ssid + auth + encr + key), wsc.AuthWPA2PSK,
			wsc.EncrAES, "12345678"},
		{"no Encryption Type", credential(ssid + auth + key), wsc.AuthWPA2PSK,
			wsc.EncrTKIP | wsc.EncrAES, "12345678"},
		{"name and key alone", credential(ssid + key), wsc.AuthWPA2PSK, wsc.EncrTKIP | wsc.EncrAES,
			"12345678"},
		{"a name alone is an open network", credential(ssid), wsc.AuthOpen, wsc.EncrNone, ""},
		{"no Credential around them", ssid + auth + encr + key, wsc.AuthWPA2PSK, wsc.EncrAES,
			"12345678"},
		{"no Credential around them, and a version", "104a000110" + ssid + auth + key,
			wsc.AuthWPA2PSK, wsc.EncrTKIP | wsc.EncrAES, "12345678"},
		{"no Credential around an open network", ssid + "100300020001" + "100f00020001",
			wsc.AuthOpen, wsc.EncrNone, ""},
	} {
		for way, in := range map[string][]byte{"alone": unhex(t, c.in),
			"in NDEF": appendWSC(nil, unhex(t, c.in))} {
			got, err := Parse(in)
			if err != nil || got.Configuration == nil || len(got.Configuration.Credentials) != 1 {
				t.Errorf("%s, %s: %+v, %v", c.name, way, got, err)
				continue
			}
			n := got.Configuration.Credentials[0]
			if string(n.SSID) != "home" || n.AuthType != c.auth || n.EncrType != c.encr ||
				string(n.NetworkKey.Bytes()) != c.key || n.NetworkIndex != 1 || n.Raw.IsZero() {
				t.Errorf("%s, %s: %+v", c.name, way, n)
			}
			if again, err := wsc.ParseCredential(n.Raw.Bytes()); err != nil ||
				string(again.SSID) != "home" {
				t.Errorf("%s, %s: what others get is no Credential: %v", c.name, way, err)
			}
		}
	}
	for name, in := range map[string]string{
		"a key without a name":                 credential(auth + encr + key),
		"the same without a Credential around": auth + encr + key,
		"a name of 33 bytes": credential("10450021" +
			strings.Repeat("61", 33) + key),
		"a name alone without a Credential around": ssid,
		"a wrong length": credential(ssid + "1003000120"),
	} {
		if got, err := Parse(unhex(t, in)); err == nil {
			t.Errorf("%s is a network: %+v", name, got)
		}
	}
}

func TestATagCutAnywhereIsRefused(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string][]byte{
		"password": unhex(t, knownNDEF), "configuration": config().AppendNDEF(nil),
		"password without NDEF":      oobOnly(t),
		"configuration without NDEF": config().Credentials[0].Append(nil),
	} {
		for i := range whole {
			if got, err := Parse(whole[:i]); err == nil {
				t.Errorf("%s cut after %d bytes: %+v", name, i, got)
			}
		}
	}
}

func oobOnly(t *testing.T) []byte { return unhex(t, oob(0x10, 32)) }

func TestNewPasswordToken(t *testing.T) {
	t.Parallel()
	password := bytes.Repeat([]byte{0xa5}, 32)
	for _, c := range []struct {
		name string
		draw []byte
		id   wsc.DevicePasswordID
		err  error
	}{
		{"the id is the first two bytes drawn", slices.Concat([]byte{0xbf, 0xab}, password),
			0xbfab, nil},
		{"the lowest id", slices.Concat([]byte{0, 0x10}, password), 0x10, nil},
		{"ids with another meaning are drawn again",
			slices.Concat([]byte{0, 0, 0, 15, 0xff, 0xff}, password), 0xffff, nil},
		{"no randomness for the id", []byte{1}, 0, io.ErrUnexpectedEOF},
		{"no randomness for the password", []byte{1, 1, 1}, 0, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := NewPasswordToken(bytes.NewReader(c.draw), [20]byte{9})
			if !errors.Is(err, c.err) || (err != nil) != (got == nil) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if err == nil && (got.ID != c.id || !bytes.Equal(got.Password.Bytes(), password) ||
				got.PublicKeyHash != [20]byte{9} || got.Version2 != wsc.Version20) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestNothingOfATagShows(t *testing.T) {
	t.Parallel()
	for _, in := range [][]byte{unhex(t, knownNDEF), config().AppendNDEF(nil)} {
		tag, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		out := fmt.Sprintf("%+v %#v", tag, tag)
		for _, p := range []any{tag.Password, tag.Configuration} {
			out += fmt.Sprintf("%+v %#v", p, p)
		}
		for _, key := range []string{"12345678", "3132333435363738", knownPW,
			strings.ToLower(knownPW)} {
			if strings.Contains(out, key) {
				t.Errorf("a secret shows in %s", out)
			}
		}
		tag.Wipe()
		if again := tag; again.Password != nil &&
			bytes.ContainsAny(again.Password.Password.Bytes(), "\xcb\x7f") {
			t.Error("not wiped")
		} else if again.Configuration != nil && bytes.Contains(again.Configuration.Append(nil),
			[]byte("12345678")) {
			t.Error("not wiped")
		}
	}
}
