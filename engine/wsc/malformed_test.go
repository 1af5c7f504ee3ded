package wsc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// required lists what each message must have, from the receiver's rules; a generator then takes it
// away, doubles, shortens and lengthens it.
var required = map[string][]AttributeID{
	"M1": {AttrMessageType, AttrUUIDE, AttrMACAddress, AttrEnrolleeNonce, AttrPublicKey,
		AttrAuthenticationTypeFlags,
		AttrEncryptionTypeFlags, AttrConnectionTypeFlags, AttrConfigMethods, AttrState,
		AttrManufacturer, AttrModelName,
		AttrModelNumber, AttrSerialNumber, AttrPrimaryDeviceType, AttrDeviceName, AttrRFBands,
		AttrAssociationState,
		AttrDevicePasswordID, AttrConfigurationError, AttrOSVersion},
	"M2": {AttrMessageType, AttrEnrolleeNonce, AttrRegistrarNonce, AttrUUIDR, AttrPublicKey,
		AttrManufacturer, AttrModelName,
		AttrModelNumber, AttrSerialNumber, AttrPrimaryDeviceType, AttrDeviceName,
		AttrDevicePasswordID, AttrAuthenticator},
	"M2D": {AttrMessageType, AttrEnrolleeNonce},
	"M3":  {AttrMessageType, AttrRegistrarNonce, AttrEHash1, AttrEHash2, AttrAuthenticator},
	"M4": {AttrMessageType, AttrEnrolleeNonce, AttrRHash1, AttrRHash2, AttrEncryptedSettings,
		AttrAuthenticator},
	"M5":       {AttrMessageType, AttrRegistrarNonce, AttrEncryptedSettings, AttrAuthenticator},
	"M6":       {AttrMessageType, AttrEnrolleeNonce, AttrEncryptedSettings, AttrAuthenticator},
	"M7":       {AttrMessageType, AttrRegistrarNonce, AttrEncryptedSettings, AttrAuthenticator},
	"M8":       {AttrMessageType, AttrEnrolleeNonce, AttrEncryptedSettings, AttrAuthenticator},
	"WSC_ACK":  {AttrMessageType, AttrEnrolleeNonce, AttrRegistrarNonce},
	"WSC_NACK": {AttrMessageType, AttrEnrolleeNonce, AttrRegistrarNonce, AttrConfigurationError},
	"WSC_DONE": {AttrMessageType, AttrEnrolleeNonce, AttrRegistrarNonce},

	"Credential": {AttrNetworkIndex, AttrSSID, AttrAuthenticationType, AttrEncryptionType,
		AttrNetworkKey, AttrMACAddress},
	"Probe Request":        {AttrConfigMethods, AttrUUIDE, AttrDevicePasswordID},
	"Association Request":  {AttrRequestType},
	"Association Response": {AttrResponseType},
}

// requiredInSettings is what an access point's settings must have besides the SSID that tells them.
var requiredInSettings = []AttributeID{AttrAuthenticationType, AttrEncryptionType, AttrNetworkKey,
	AttrMACAddress}

// texts have no length of their own: too long ones are cut.
var texts = map[AttributeID]int{
	AttrManufacturer: MaxManufacturer, AttrModelName: MaxModelName, AttrModelNumber: MaxModelNumber,
	AttrSerialNumber: MaxSerialNumber,
}

// takeApart takes a message apart; a Credential's content for a Credential.
func takeApart(t *testing.T, v vector, wire []byte) []Attribute {
	t.Helper()
	if v.codec == "Credential" {
		wire = wire[headerLen:]
	}
	var attrs []Attribute
	r := NewReader(wire)
	for a, ok := r.Next(); ok; a, ok = r.Next() {
		attrs = append(attrs, a)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return attrs
}

// build puts a message together again.
func build(v vector, attrs ...Attribute) []byte {
	var b []byte
	for _, a := range attrs {
		b = AppendAttribute(b, a.ID, a.Value)
	}
	if v.codec == "Credential" {
		return AppendAttribute(nil, AttrCredential, b)
	}
	return b
}

// flipped is a with another value of the same length.
func flipped(a Attribute) Attribute {
	c := bytes.Clone(a.Value)
	for i := range c {
		c[i] ^= 0xff
	}
	return Attribute{a.ID, c}
}

// wants checks the outcome of parsing a damaged message: the error with the attribute it names, or,
// with a nil error, success.
func wants(t *testing.T, got any, err, want error, id AttributeID) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var p *ParseError
	switch {
	case err == nil:
		t.Errorf("accepted as %+v", got)
	case !errors.As(err, &p) || !errors.Is(err, want) || p.Attribute != id:
		t.Errorf("error %q, want one of %v that is %q", err, id, want)
	}
}

func TestEveryAttributeMissingDoubledShortAndLong(t *testing.T) {
	t.Parallel()
	for _, v := range vectors() {
		c, need := codecs[v.codec], required[v.codec]
		attrs := takeApart(t, v, load(t, v.file))
		if v.file == "settings-m7-ap" || v.file == "settings-m8-ap" {
			need = requiredInSettings
		}
		for i, a := range attrs {
			if a.ID == AttrVendorExtension || a.ID == AttrCredential || a.ID == AttrVersion {
				continue // repeatable or optional: see the tests of their own
			}
			m := mutations{v: v, c: c, attrs: attrs, i: i, a: a,
				required: slices.Contains(need, a.ID)}
			t.Run(fmt.Sprintf("%s without %v", v.file, a.ID), m.missing)
			if a.ID == AttrRequestedDeviceType {
				t.Run(fmt.Sprintf("%s with two %v has both", v.file, a.ID), m.repeated)
			} else {
				t.Run(fmt.Sprintf("%s with two %v goes by the last", v.file, a.ID), m.doubled)
			}
			t.Run(fmt.Sprintf("%s with a shorter %v", v.file, a.ID), m.shorter)
			t.Run(fmt.Sprintf("%s with a longer %v", v.file, a.ID), m.longer)
			t.Run(fmt.Sprintf("%s with an empty %v", v.file, a.ID), m.empty)
		}
	}
}

// mutations damages attribute i of a message in one way each.
type mutations struct {
	v        vector
	c        codec
	attrs    []Attribute
	i        int
	a        Attribute
	required bool
}

// with returns the message with other attributes in place of attribute i.
func (m mutations) with(as ...Attribute) []byte {
	return build(m.v, slices.Concat(m.attrs[:m.i], as, m.attrs[m.i+1:])...)
}

func (m mutations) missing(t *testing.T) {
	got, err := m.c.parse(m.with())
	if m.required {
		wants(t, got, err, ErrMissing, m.a.ID)
		return
	}
	wants(t, got, err, nil, 0)
}

// repeated is doubled for the one attribute that may be repeated.
func (m mutations) repeated(t *testing.T) {
	got, err := m.c.parse(m.with(m.a, flipped(m.a)))
	p, ok := got.(*ProbeRequest)
	if err != nil || !ok {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, a := range []Attribute{m.a, flipped(m.a)} {
		if !slices.Contains(p.RequestedDeviceTypes, DeviceType(a.Value)) {
			t.Errorf("%x is not among %v", a.Value, p.RequestedDeviceTypes)
		}
	}
}

func (m mutations) doubled(t *testing.T) {
	got, err := m.c.parse(m.with(flipped(m.a), m.a))
	if err != nil || !same(got, m.v.want) {
		t.Errorf("the first counts: %+v, %v", got, err)
	}
	once, err1 := m.c.parse(m.with(flipped(m.a)))
	twice, err2 := m.c.parse(m.with(m.a, flipped(m.a)))
	if (err1 == nil) != (err2 == nil) || err1 == nil && !same(once, twice) {
		t.Errorf("the last does not count alone: %v, %v", err1, err2)
	}
}

func (m mutations) shorter(t *testing.T) {
	got, err := m.c.parse(m.with(Attribute{m.a.ID, m.a.Value[:max(len(m.a.Value)-1, 0)]}))
	wants(t, got, err, m.wrongLength(len(m.a.Value)-1), m.a.ID)
}

func (m mutations) longer(t *testing.T) {
	grown := append(bytes.Clone(m.a.Value), 'x')
	got, err := m.c.parse(m.with(Attribute{m.a.ID, grown}))
	wants(t, got, err, m.wrongLength(len(grown)), m.a.ID)
}

func (m mutations) empty(t *testing.T) {
	got, err := m.c.parse(m.with(Attribute{m.a.ID, nil}))
	wants(t, got, err, m.wrongLength(0), m.a.ID)
}

// wrongLength is what becomes of a message in which the attribute has n bytes, which is not the
// length it has in the vector.
func (m mutations) wrongLength(n int) error {
	absent := error(nil)
	if m.required {
		absent = ErrMissing
	}
	_, isText := texts[m.a.ID]
	switch {
	case isText, m.a.ID == AttrNetworkKey:
		return nil
	case m.a.ID == AttrSSID, m.a.ID == AttrDeviceName:
		if n > 32 {
			return absent
		}
		return nil
	case m.a.ID == AttrPublicKey:
		if n < 190 || n > 192 {
			return absent
		}
		return nil
	case m.a.ID == AttrEncryptedSettings && m.v.codec == "M2":
		return nil // only read in the abbreviated exchange, and checked there
	case m.a.ID == AttrSecondaryDeviceTypeList && n == 0:
		return nil
	}
	return ErrLength
}

func TestAMessageCutAnywhereWithinAnAttributeIsTruncated(t *testing.T) {
	t.Parallel()
	for _, v := range vectors() {
		if v.codec == "Credential" {
			continue // its header already says that it is cut
		}
		t.Run(v.file, func(t *testing.T) {
			t.Parallel()
			wire := load(t, v.file)
			ends := map[int]bool{0: true}
			end := 0
			for _, a := range takeApart(t, v, wire) {
				end += headerLen + len(a.Value)
				ends[end] = true
			}
			for i := range wire {
				got, err := codecs[v.codec].parse(wire[:i])
				if !ends[i] && !errors.Is(err, ErrTruncated) {
					t.Errorf("cut after %d bytes: %+v, %v", i, got, err)
				}
				if err == nil && slices.Contains(required[v.codec], AttrAuthenticator) {
					t.Errorf("cut after %d bytes: accepted without Authenticator", i)
				}
			}
		})
	}
}

func TestEveryMessageRefusesAllOthers(t *testing.T) {
	t.Parallel()
	for _, v := range vectors() {
		wire := load(t, v.file)
		kind, err := PeekMessageType(wire)
		if err != nil {
			continue // an element or plaintext
		}
		for name, c := range codecs {
			if _, isMessage := required[name]; !isMessage || required[name][0] != AttrMessageType ||
				name == kind.String() {
				continue
			}
			if _, err := c.parse(wire); err == nil {
				t.Errorf("%s was read as %s", v.file, name)
			}
		}
	}
}

// extra puts an attribute in front of the Authenticator, or at the end.
func extra(t *testing.T, file, codecName string, add ...Attribute) []byte {
	t.Helper()
	v := vector{file: file, codec: codecName}
	attrs := takeApart(t, v, load(t, file))
	at := len(attrs)
	if attrs[at-1].ID == AttrAuthenticator {
		at--
	}
	return build(v, slices.Insert(attrs, at, add...)...)
}

func repeat(n int, a Attribute) []Attribute { return slices.Repeat([]Attribute{a}, n) }

func TestToleratedAndRefusedOddities(t *testing.T) {
	t.Parallel()
	wfa := func(b ...byte) Attribute {
		return Attribute{AttrVendorExtension, append([]byte{0x00, 0x37, 0x2a}, b...)}
	}
	foreign := Attribute{AttrVendorExtension, []byte{0, 0x50, 0xf2, 1}}
	m3 := load(t, "m3")
	for _, tt := range []struct {
		name  string
		codec string
		wire  []byte
		want  error
	}{
		{"an unknown attribute is skipped", "M3",
			extra(t, "m3", "M3", Attribute{0x10fa, []byte{42}}), nil},
		{"an attribute of another range is skipped", "M3",
			extra(t, "m3", "M3", Attribute{0x2001, []byte{1, 2}}), nil},
		{"a known attribute that does not belong here is skipped", "M3",
			extra(t, "m3", "M3", Attribute{AttrSSID, []byte("x")}), nil},
		{"a known attribute that does not belong here must have its length", "M3",
			extra(t, "m3", "M3", Attribute{AttrNetworkIndex, []byte{1, 2}}), ErrLength},
		{"a vendor extension of two bytes is ignored", "M1",
			extra(t, "m1-1.0", "M1", Attribute{AttrVendorExtension, []byte{0, 0x37}}), nil},
		{"ten vendor extensions are kept", "M1",
			extra(t, "m1-1.0", "M1", repeat(10, foreign)...), nil},
		{"an eleventh vendor extension is refused", "M1",
			extra(t, "m1-1.0", "M1", repeat(11, foreign)...), ErrTooMany},
		{"WFA extensions do not count among the ten", "M1",
			extra(t, "m1-1.0", "M1",
				append(repeat(10, foreign), repeat(5, wfa(0, 1, 0x20))...)...), nil},
		{"a vendor extension of 1,024 bytes is kept", "M1",
			extra(t, "m1-1.0", "M1", Attribute{AttrVendorExtension, make([]byte, 1024)}), nil},
		{"a vendor extension of 1,025 bytes is refused", "M1",
			extra(t, "m1-1.0", "M1",
				Attribute{AttrVendorExtension, make([]byte, 1025)}), ErrLength},
		{"a WFA subelement that runs over the end merely ends the extension", "M3",
			extra(t, "m3-1.0", "M3", wfa(0, 1, 0x20, 1, 6, 0xff)), nil},
		{"a WFA extension may end after one byte of a subelement", "M3",
			extra(t, "m3-1.0", "M3", wfa(0, 1, 0x20, 1)), nil},
		{"an unknown WFA subelement is skipped", "M3",
			extra(t, "m3-1.0", "M3", wfa(0x7f, 2, 1, 2, 0, 1, 0x20)), nil},
		{"Version2 of two bytes is refused", "M3",
			extra(t, "m3-1.0", "M3", wfa(0, 2, 0x20, 0)), ErrLength},
		{"Version2 of no byte is refused", "M3", extra(t, "m3-1.0", "M3", wfa(0, 0)), ErrLength},
		{"a version of the future is accepted", "M3",
			extra(t, "m3-1.0", "M3", wfa(0, 1, 0x43)), nil},
		{"Request to Enroll of two bytes is refused", "Probe Request",
			extra(t, "probe-request", "Probe Request", wfa(3, 2, 1, 1)), ErrLength},
		{"Network Key Shareable of no byte is refused", "Encrypted Settings",
			extra(t, "settings-m7-ap", "", wfa(2, 0)), ErrLength},
		{"Settings Delay Time of two bytes is refused", "Encrypted Settings",
			extra(t, "settings-m7-ap", "", wfa(4, 2, 1, 1)), ErrLength},
		{"Registrar Configuration Methods of one byte are refused", "Probe Response",
			extra(t, "probe-response", "", wfa(5, 1, 1)), ErrLength},
		{"Multi-AP of no byte is refused", "M1", extra(t, "m1", "M1", wfa(6, 0)), ErrLength},
		{"AuthorizedMACs of seven bytes are refused", "Probe Response",
			extra(t, "probe-response", "", wfa(1, 7, 1, 2, 3, 4, 5, 6, 7)), ErrLength},
		{"AuthorizedMACs of no byte are refused", "Probe Response",
			extra(t, "probe-response", "", wfa(1, 0)), ErrLength},
		{"six AuthorizedMACs are refused", "Probe Response",
			extra(t, "probe-response", "",
				wfa(append([]byte{1, 36}, make([]byte, 36)...)...)), ErrLength},
		{"a Requested Device Type of seven bytes is refused", "Probe Request",
			extra(t, "probe-request", "",
				Attribute{AttrRequestedDeviceType, make([]byte, 7)}), ErrLength},
		{"Secondary Device Types of 136 bytes are refused", "Probe Request",
			extra(t, "probe-request", "",
				Attribute{AttrSecondaryDeviceTypeList, make([]byte, 136)}), ErrLength},
		{"an OOB Device Password of 21 bytes is refused", "M3",
			extra(t, "m3", "M3", Attribute{AttrOOBDevicePassword, make([]byte, 21)}), ErrLength},
		{"an OOB Device Password of 55 bytes is refused", "M3",
			extra(t, "m3", "M3", Attribute{AttrOOBDevicePassword, make([]byte, 55)}), ErrLength},
		{"an OOB Device Password without password is for connection handover", "M3",
			extra(t, "m3", "M3",
				Attribute{AttrOOBDevicePassword, append(make([]byte, 20), 0, 7)}), nil},
		{"an OOB Device Password without password is refused for a token", "M3",
			extra(t, "m3", "M3",
				Attribute{AttrOOBDevicePassword, append(make([]byte, 20), 0, 16)}), ErrLength},
		{"M1 padded with zeros is read (Mac OS X 10.6)", "M1",
			append(load(t, "m1-1.0"), make([]byte, 37)...), nil},
		{"M1 padded with three zeros is truncated", "M1", append(load(t, "m1-1.0"), 0, 0, 0),
			ErrTruncated},
		{"an Authenticator before the end is refused", "M3",
			append(bytes.Clone(m3), 0x10, 0x1c, 0, 0), ErrNotLast},
		{"an Authenticator before zeros is refused", "M3", append(bytes.Clone(m3), 0, 0, 0, 0),
			ErrNotLast},
		{"a message without Version is read", "M3", m3[5:], nil},
		{"nothing is no message", "M3", nil, ErrMissing},
		{"one byte is no message", "M3", []byte{0x10}, ErrTruncated},
		{"a message of 50,000 bytes is read", "M3",
			extra(t, "m3", "M3", Attribute{0x2001, make([]byte, MaxMessage-len(m3)-4)}), nil},
		{"a message of 50,001 bytes is too long", "M3",
			extra(t, "m3", "M3", Attribute{0x2001, make([]byte, MaxMessage-len(m3)-3)}),
			ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := codecs[tt.codec].parse(tt.wire)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %+v, error %v, want %v", got, err, tt.want)
			}
		})
	}
}
