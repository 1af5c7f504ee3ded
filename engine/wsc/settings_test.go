package wsc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"wpsd/engine/secret"
)

// readme is the Credential that wpa_supplicant's README-WPS shows with WPS-CRED-RECEIVED.
const readme = "100e006f10260001011045000c6a6b6d2d7770732d74657374100300020020100f000200081027004030653462303435366332363666653064" +
	"333961643135353461316634626637313234333761636664623766333939653534663166316230323061643434386235102000060266a0ee1727"

func TestTheCredentialOfTheReadme(t *testing.T) {
	t.Parallel()
	wire, err := hex.DecodeString(readme)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCredential(wire)
	if err != nil {
		t.Fatal(err)
	}
	if string(c.SSID) != "jkm-wps-test" || c.AuthType != AuthWPA2PSK || c.EncrType != EncrAES ||
		c.NetworkKey.Len() != 64 ||
		c.MAC.String() != "02:66:a0:ee:17:27" || c.NetworkIndex != 1 || c.NetworkKeyIndex != nil ||
		c.NetworkKeyShareable != nil {
		t.Errorf("got %+v", c)
	}
	if !bytes.Equal(c.Raw.Bytes(), wire) || !bytes.Equal(c.Append(nil), wire) {
		t.Error("it does not come out as it went in")
	}
}

// credentialWith is the content of a good Credential with one attribute changed; nil removes it.
func credentialWith(t *testing.T, id AttributeID, value []byte, more ...Attribute) []byte {
	t.Helper()
	attrs := []Attribute{
		{AttrNetworkIndex, []byte{1}}, {AttrSSID, []byte("home")},
		{AttrAuthenticationType, []byte{0, 0x20}},
		{AttrEncryptionType, []byte{0, 8}}, {AttrNetworkKey, []byte("12345678")},
		{AttrMACAddress, testStationMAC[:]},
	}
	i := slices.IndexFunc(attrs, func(a Attribute) bool { return a.ID == id })
	if i >= 0 {
		attrs[i].Value = value
		if value == nil {
			attrs = slices.Delete(attrs, i, i+1)
		}
	}
	var b []byte
	for _, a := range append(attrs, more...) {
		b = AppendAttribute(b, a.ID, a.Value)
	}
	return b
}

func TestParseCredential(t *testing.T) {
	t.Parallel()
	wrap := func(content []byte) []byte { return AppendAttribute(nil, AttrCredential, content) }
	good := credentialWith(t, 0, nil)
	open := "\x10\x26\x00\x01\x01\x10\x45\x00\x01x\x10\x03\x00\x02\x00\x01\x10\x0f\x00\x02\x00\x01"
	mac := "\x10\x20\x00\x06abcdef"
	for _, tt := range []struct {
		name string
		wire []byte
		err  error
		key  string
	}{
		{"a good one is read", wrap(good), nil, "12345678"},
		{"one for an open network needs no key", wrap([]byte(open + mac)), nil, ""},
		{"one for an open network may have an empty key",
			wrap([]byte(open + "\x10\x27\x00\x00" + mac)), nil, ""},
		{"a stray octet after the empty key is skipped (deployed access points)",
			wrap([]byte(open + "\x10\x27\x00\x00\x00" + mac)), nil, ""},
		{"an open network with encryption needs a key",
			wrap([]byte(strings.Replace(open, "\x0f\x00\x02\x00\x01", "\x0f\x00\x02\x00\x08", 1) +
				mac)), ErrMissing, ""},
		{"an empty SSID is one (stub Credential)", wrap(credentialWith(t, AttrSSID, []byte{})), nil,
			"12345678"},
		{"an SSID of 32 bytes is read", wrap(credentialWith(t, AttrSSID, make([]byte, 32))), nil,
			"12345678"},
		{"an SSID of 33 bytes is missing", wrap(credentialWith(t, AttrSSID, make([]byte, 33))),
			ErrMissing, ""},
		{"a key of 64 bytes is read", wrap(credentialWith(t, AttrNetworkKey,
			bytes.Repeat([]byte("k"), 64))), nil, strings.Repeat("k", 64)},
		{"a key of 65 bytes counts as an empty one",
			wrap(credentialWith(t, AttrNetworkKey, bytes.Repeat([]byte("k"), 65))), nil, ""},
		{"any Network Index will do", wrap(credentialWith(t, AttrNetworkIndex, []byte{0})), nil,
			"12345678"},
		{"authentication type 0 is read and left to others to judge",
			wrap(credentialWith(t, AttrAuthenticationType, []byte{0, 0})), nil, "12345678"},
		{"a Credential in it is skipped", wrap(
			credentialWith(t, 0, nil, Attribute{AttrCredential, wrap(good)})), nil, "12345678"},
		{"it is not read if only a Credential in it is good", wrap(wrap(good)), ErrMissing, ""},
		{"nothing is truncated", nil, ErrTruncated, ""},
		{"half a header is truncated", wrap(good)[:3], ErrTruncated, ""},
		{"an empty one is missing everything", wrap(nil), ErrMissing, ""},
		{"another attribute is none", AppendAttribute(nil, AttrSSID, good), ErrMissing, ""},
		{"a cut one has the wrong length", wrap(good)[:40], ErrLength, ""},
		{"something after it is refused", append(wrap(good), 0), ErrLength, ""},
		{"two of them are refused", append(wrap(good), wrap(good)...), ErrLength, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseCredential(tt.wire)
			if !errors.Is(err, tt.err) || string(c.NetworkKey.Bytes()) != tt.key {
				t.Errorf("key %q, %v, want %q, %v", c.NetworkKey.Bytes(), err, tt.key, tt.err)
			}
			if err == nil && !bytes.Equal(c.Raw.Bytes(), tt.wire) {
				t.Errorf("Raw is %x", c.Raw.Bytes())
			}
		})
	}
}

func TestParseSettings(t *testing.T) {
	t.Parallel()
	good := credentialWith(t, 0, nil)
	credential := AppendAttribute(nil, AttrCredential, good)
	bad := AppendAttribute(nil, AttrCredential, credentialWith(t, AttrMACAddress, nil))
	nonce := AppendAttribute(nil, AttrESNonce2, make([]byte, 16))
	for _, tt := range []struct {
		name        string
		plain       []byte
		err         error
		credentials int
		ap          bool
		index       uint8
	}{
		{"nothing has nothing in it", nil, nil, 0, false, 0},
		{"one Credential", credential, nil, 1, false, 0},
		{"ten Credentials", bytes.Repeat(credential, 10), nil, 10, false, 0},
		{"an eleventh Credential is ignored", append(bytes.Repeat(credential, 10), bad...), nil,
			10, false, 0},
		{"one Credential that is none makes all invalid", append(bytes.Clone(credential), bad...),
			ErrMissing, 0, false, 0},
		{"settings of an access point in M8 have a Network Index", good, nil, 0, true, 1},
		{"settings of an access point in M8 may lack it", credentialWith(t, AttrNetworkIndex, nil),
			nil, 0, true, 0},
		{"settings of an access point in M7 have none", append(bytes.Clone(nonce), good...), nil,
			0, true, 0},
		{"incomplete settings are refused", credentialWith(t, AttrMACAddress, nil), ErrMissing,
			0, false, 0},
		{"incomplete settings beside a Credential are not looked at",
			append(bytes.Clone(credential), credentialWith(t, AttrMACAddress, nil)...), nil,
			1, false, 0},
		{"without an SSID there are no settings", credentialWith(t, AttrSSID, nil), nil,
			0, false, 0},
		{"a nonce of 15 bytes is refused", AppendAttribute(nil, AttrESNonce1, make([]byte, 15)),
			ErrLength, 0, false, 0},
		{"a truncated plaintext is refused", credential[:20], ErrTruncated, 0, false, 0},
		{"a plaintext of more than 50,000 bytes is refused", make([]byte, MaxMessage+1), ErrTooLong,
			0, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseSettings(tt.plain)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if len(s.Credentials) != tt.credentials || (s.AP != nil) != tt.ap {
				t.Fatalf("got %d Credentials, settings %v", len(s.Credentials), s.AP)
			}
			if s.AP != nil && s.AP.NetworkIndex != tt.index {
				t.Errorf("Network Index %d", s.AP.NetworkIndex)
			}
		})
	}
}

func TestWipeLeavesNoKey(t *testing.T) {
	t.Parallel()
	s := Settings{
		ESNonce2: pointer(sequence(1)),
		Credentials: []Credential{{NetworkKey: secret.FromString("12345678"),
			Raw: secret.FromString("raw 12345678")}},
		AP: &Credential{NetworkKey: secret.FromString("12345678")},
	}
	s.Wipe()
	(&Settings{}).Wipe()
	for _, b := range [][]byte{s.ESNonce2[:], s.Credentials[0].NetworkKey.Bytes(),
		s.Credentials[0].Raw.Bytes(), s.AP.NetworkKey.Bytes()} {
		if len(bytes.Trim(b, "\x00")) != 0 {
			t.Errorf("left: %x", b)
		}
	}
}

func TestParsedMessagesKeepNothingOfTheirInput(t *testing.T) {
	t.Parallel()
	for _, v := range vectors() {
		wire := load(t, v.file)
		got, err := codecs[v.codec].parse(wire)
		if err != nil {
			t.Fatal(err)
		}
		for i := range wire {
			wire[i] = 0xee
		}
		if !same(got, v.want) {
			t.Errorf("%s changed with its input", v.file)
		}
	}
}

func TestPublicKeysKeepTheirLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{190, 191, 192} {
		m := M1{PublicKey: bytes.Repeat([]byte{0xff}, n)}
		got, err := ParseM1(m.Append(nil))
		if err != nil || len(got.PublicKey) != n {
			t.Errorf("a key of %d bytes: %v", n, err)
		}
	}
}

func TestAuthorizedMACsEndWithTheZeroAddress(t *testing.T) {
	t.Parallel()
	list := slices.Concat(testStationMAC[:], make([]byte, 6), testAPMAC[:])
	b := AppendAttribute(nil, AttrVendorExtension,
		append([]byte{0x00, 0x37, 0x2a, 1, byte(len(list))}, list...))
	a, err := ParseAdvertisement(b)
	if err != nil || !slices.Equal(a.AuthorizedMACs, []MAC{testStationMAC}) ||
		!a.Authorizes(testStationMAC) || a.Authorizes(testAPMAC) {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAppendKeepsTheLimitsOfReceivers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	types := slices.Repeat([]DeviceType{testPC}, 20)
	d := Device{
		Manufacturer: long, ModelName: long, ModelNumber: long, SerialNumber: long,
		DeviceName: long, SecondaryDeviceTypes: types,
		VendorExtensions: slices.Concat(
			[][]byte{{0}, make([]byte, 1025), {0x00, 0x37, 0x2a, 0, 1, 0x43}},
			slices.Repeat([][]byte{{0, 0x50, 0xf2}}, 12)),
	}
	m, err := ParseM1((&M1{Device: d, PublicKey: make([]byte, 192)}).Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manufacturer) != 64 || len(m.ModelName) != 32 || len(m.ModelNumber) != 32 ||
		len(m.SerialNumber) != 32 ||
		len(m.DeviceName) != 32 || len(m.VendorExtensions) != 10 || m.Version2 != 0 {
		t.Errorf("got %+v", m)
	}
	p, err := ParseProbeRequest((&ProbeRequest{Device: d, RequestedDeviceTypes: types}).Append(nil))
	if err != nil || len(p.RequestedDeviceTypes) != 10 || len(p.Device.SecondaryDeviceTypes) != 16 {
		t.Errorf("got %+v, %v", p, err)
	}
	a, err := ParseAdvertisement((&Advertisement{AuthorizedMACs: slices.Repeat([]MAC{testAPMAC},
		7)}).AppendBeacon(nil))
	if err != nil || len(a.AuthorizedMACs) != 5 {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestTheBeaconNamesTheDeviceOnlyWhileItsButtonIsActiveOnSeveralBands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		ad   Advertisement
		want bool
	}{
		{"several bands and the button", Advertisement{RFBands: 3, SelectedRegistrar: true,
			DevicePasswordID: 4, HasDevicePasswordID: true}, true},
		{"one band", Advertisement{SelectedRegistrar: true, DevicePasswordID: 4,
			HasDevicePasswordID: true}, false},
		{"a PIN", Advertisement{RFBands: 3, SelectedRegistrar: true,
			HasDevicePasswordID: true}, false},
		{"nobody selected", Advertisement{RFBands: 3, DevicePasswordID: 4,
			HasDevicePasswordID: true}, false},
	} {
		tt.ad.UUIDE, tt.ad.HasUUIDE = testUUIDR, true
		a, err := ParseAdvertisement(tt.ad.AppendBeacon(nil))
		if err != nil || a.HasUUIDE != tt.want {
			t.Errorf("%s: %v, %v", tt.name, a.HasUUIDE, err)
		}
	}
}
