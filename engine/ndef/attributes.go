package ndef

import (
	"encoding/binary"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// The OOB Device Password attribute (WSC): a hash of 20 bytes, an id of 2, and a password of 16 to
// 32 that only connection handover leaves out.
const (
	hashLen     = 20
	oobFixed    = hashLen + 2
	minPassword = 16
	maxPassword = 32
)

// wfaVendorID is the owner of the Vendor Extension with Version2 (WSC 2.0).
var wfaVendorID = [3]byte{0x00, 0x37, 0x2A}

// wfaLengths are the subelements of the WFA extension that have one length only.
var wfaLengths = map[byte]int{0: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 1}

// wfaVersion2 is the subelement that tells the true version.
const wfaVersion2 = 0

// attributes are the WSC attributes that tokens and carriers know, as parts of the data; nil:
// absent. Of a repeated one the last counts, except Credential (hostap behaviour, both).
type attributes struct {
	what        string // what is being read, for errors
	credentials [][]byte
	oob         []byte
	ssid        []byte
	network     bool // there is an attribute that only a network has: a key, or how it is protected
	uuide       []byte
	rfBands     []byte
	apChannel   []byte
	mac         []byte
	version2    wsc.Version
}

// readAttributes takes attributes apart. A wrong length makes the whole invalid; attributes that
// belong to other messages are skipped.
func readAttributes(what string, b []byte) (*attributes, error) {
	a := &attributes{what: what}
	if len(b) > MaxPayload {
		return nil, a.fail(0, wsc.ErrTooLong)
	}
	r := wsc.NewReader(b)
	for attr, ok := r.Next(); ok; attr, ok = r.Next() {
		if err := a.set(attr); err != nil {
			return nil, a.fail(attr.ID, err)
		}
	}
	if err := r.Err(); err != nil {
		return nil, a.fail(0, err)
	}
	return a, nil
}

// set takes one attribute.
func (a *attributes) set(attr wsc.Attribute) error {
	v := attr.Value
	var to *[]byte
	want := 0
	switch attr.ID {
	case wsc.AttrCredential:
		if len(a.credentials) < wsc.MaxCredentials { // an eleventh is ignored (hostap behaviour)
			a.credentials = append(a.credentials, v)
		}
		return nil
	case wsc.AttrVendorExtension:
		return a.setVendorExtension(v)
	case wsc.AttrOOBDevicePassword:
		if password := len(v) - oobFixed; password != 0 &&
			(password < minPassword || password > maxPassword) {
			return wsc.ErrLength
		}
		a.oob = v
		return nil
	case wsc.AttrSSID:
		if len(v) <= wsc.MaxSSID { // a longer one counts as absent (hostap behaviour)
			a.ssid = v
		}
		return nil
	case wsc.AttrNetworkKey, wsc.AttrAuthenticationType, wsc.AttrEncryptionType:
		a.network = true
		return nil
	case wsc.AttrUUIDE:
		to, want = &a.uuide, 16
	case wsc.AttrRFBands:
		to, want = &a.rfBands, 1
	case wsc.AttrAPChannel:
		to, want = &a.apChannel, 2
	case wsc.AttrMACAddress:
		to, want = &a.mac, 6
	default:
		return nil
	}
	if len(v) != want {
		return wsc.ErrLength
	}
	*to = v
	return nil
}

// setVendorExtension reads Version2. A known subelement of a wrong length makes the whole invalid,
// one that runs over the end merely ends the extension (hostap behaviour, both).
func (a *attributes) setVendorExtension(v []byte) error {
	if len(v) < len(wfaVendorID) || [3]byte(v) != wfaVendorID {
		return nil
	}
	v = v[len(wfaVendorID):]
	for len(v) >= 2 {
		id, length := v[0], int(v[1])
		v = v[2:]
		if length > len(v) {
			return nil
		}
		if want, known := wfaLengths[id]; known && length != want {
			return wsc.ErrLength
		}
		if id == wfaVersion2 {
			a.version2 = wsc.Version(v[0])
		}
		v = v[length:]
	}
	return nil
}

// fail makes the error about one attribute, or about the data as a whole with id 0.
func (a *attributes) fail(id wsc.AttributeID, err error) error {
	return &wsc.ParseError{Message: a.what, Attribute: id, Err: err}
}

// splitOOB takes the OOB Device Password apart, whose length was checked by set.
func (a *attributes) splitOOB() (hash [hashLen]byte, id wsc.DevicePasswordID, password []byte,
	err error) {
	if a.oob == nil {
		return hash, 0, nil, a.fail(wsc.AttrOOBDevicePassword, wsc.ErrMissing)
	}
	id = wsc.DevicePasswordID(binary.BigEndian.Uint16(a.oob[hashLen:]))
	return [hashLen]byte(a.oob), id, a.oob[oobFixed:], nil
}

// channel reads where an access point is, zeros for what is not said.
func (a *attributes) channel() (bands wsc.RFBands, channel uint16, bssid wsc.MAC) {
	if a.rfBands != nil {
		bands = wsc.RFBands(a.rfBands[0])
	}
	if a.apChannel != nil {
		channel = binary.BigEndian.Uint16(a.apChannel)
	}
	copy(bssid[:], a.mac)
	return bands, channel, bssid
}

// appendOOB appends an OOB Device Password attribute.
func appendOOB(b []byte, hash [hashLen]byte, id wsc.DevicePasswordID,
	password secret.Value) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(wsc.AttrOOBDevicePassword))
	b = binary.BigEndian.AppendUint16(b, uint16(oobFixed+password.Len()))
	b = append(b, hash[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(id))
	return append(b, password.Bytes()...)
}

// appendChannel appends what channel reads, in hostap's order, without what is zero.
func appendChannel(b []byte, bands wsc.RFBands, channel uint16, bssid wsc.MAC) []byte {
	if bands != 0 {
		b = wsc.AppendAttribute(b, wsc.AttrRFBands, []byte{uint8(bands)})
	}
	if channel != 0 {
		b = wsc.AppendAttribute(b, wsc.AttrAPChannel, binary.BigEndian.AppendUint16(nil, channel))
	}
	if !bssid.IsZero() {
		b = wsc.AppendAttribute(b, wsc.AttrMACAddress, bssid[:])
	}
	return b
}

// appendVersion2 appends the WFA extension that ends all tokens and carriers; nothing for version
// 1.0.
func appendVersion2(b []byte, v wsc.Version) []byte {
	if v == 0 {
		return b
	}
	x := append(wfaVendorID[:len(wfaVendorID):len(wfaVendorID)], wfaVersion2, 1, uint8(v))
	return wsc.AppendAttribute(b, wsc.AttrVendorExtension, x)
}
