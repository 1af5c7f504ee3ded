package wsc

import (
	"bytes"
	"encoding/binary"
)

// How many of a repeatable attribute are kept (hostap's limits).
const (
	MaxCredentials          = 10
	MaxRequestedDeviceTypes = 10
	MaxVendorExtensions     = 10
	maxVendorExtension      = 1024
	// MaxSecondaryDeviceTypes is what fits into the list on the wire: 128 bytes.
	MaxSecondaryDeviceTypes = 16
)

// fields are the attributes of one message by identifier, as parts of the message. Of a repeated
// one the last counts (hostap behaviour), except those that are meant to be repeated. The getters
// stick to the first error, so that a Parse function can list what it needs and ask once.
type fields struct {
	message     string
	values      [attributeSlots][]byte // nil: absent
	credentials list
	requested   list
	vendor      list
	wfa         wfaExtension
	err         *ParseError
}

// list holds a repeatable attribute.
type list struct {
	items [10][]byte
	n     int
}

// add reports whether there was room.
func (l *list) add(v []byte) bool {
	if l.n == len(l.items) {
		return false
	}
	l.items[l.n] = v
	l.n++
	return true
}

// read fills f from b; message is what to call b in an error.
func (f *fields) read(message string, b []byte) {
	f.message = message
	if len(b) > MaxMessage {
		f.fail(0, ErrTooLong)
		return
	}
	r := NewReader(b)
	for a, ok := r.Next(); ok; a, ok = r.Next() {
		if err := f.set(a); err != nil {
			f.fail(a.ID, err)
			return
		}
	}
	if err := r.Err(); err != nil {
		f.fail(0, err)
	}
}

// readMessage is read for a message that must be of type t.
func (f *fields) readMessage(t MessageType, b []byte) {
	f.read(t.String(), b)
	if got := f.get8(AttrMessageType); f.err == nil && MessageType(got) != t {
		f.fail(AttrMessageType, ErrValue)
	}
}

// set takes one attribute. A wrong length makes the whole message invalid even if the attribute
// does not belong into it, except in the cases that hostap's parser lets pass: then it counts as
// absent.
func (f *fields) set(a Attribute) error {
	switch a.ID {
	case AttrCredential:
		f.credentials.add(a.Value) // an eleventh is ignored (hostap behaviour)
		return nil
	case AttrRequestedDeviceType:
		if len(a.Value) != len(DeviceType{}) {
			return ErrLength
		}
		f.requested.add(a.Value) // likewise
		return nil
	case AttrVendorExtension:
		return f.setVendorExtension(a.Value)
	}
	slot := a.ID.slot()
	if slot < 0 {
		return nil
	}
	length := len(a.Value)
	if want := attributes[slot].length; want != 0 && length != want {
		return ErrLength
	}
	switch a.ID {
	case AttrSecondaryDeviceTypeList:
		if length > MaxSecondaryDeviceTypes*len(DeviceType{}) || length%len(DeviceType{}) != 0 {
			return ErrLength
		}
	case AttrOOBDevicePassword:
		return f.setOOBDevicePassword(a.Value)
	case AttrDeviceName:
		if length > MaxDeviceName {
			return nil
		}
	case AttrSSID:
		if length > MaxSSID {
			return nil
		}
	case AttrPublicKey:
		// Some devices send the number without its leading zeros.
		if length < 190 || length > 192 {
			return nil
		}
	}
	f.values[slot] = a.Value
	return nil
}

// setOOBDevicePassword: hash 20, id 2, password 16 to 32, which only connection handover leaves
// out.
func (f *fields) setOOBDevicePassword(v []byte) error {
	if len(v) < 22 || len(v) > 54 {
		return ErrLength
	}
	if len(v) < 38 && DevicePasswordID(binary.BigEndian.Uint16(
		v[20:])) != PasswordIDNFCConnectionHandover {
		return ErrLength
	}
	f.values[AttrOOBDevicePassword-attributeBase] = v
	return nil
}

func (f *fields) setVendorExtension(v []byte) error {
	switch {
	case len(v) < len(wfaVendorID):
		return nil // too short to have an owner; ignored (hostap behaviour)
	case [3]byte(v) == wfaVendorID:
		return f.wfa.parse(v[len(wfaVendorID):])
	case len(v) > maxVendorExtension:
		return ErrLength
	case !f.vendor.add(v):
		return ErrTooMany
	}
	return nil
}

// fail keeps the first error.
func (f *fields) fail(id AttributeID, err error) {
	if f.err == nil {
		f.err = &ParseError{Message: f.message, Attribute: id, Err: err}
	}
}

// failed returns f.err without making a nil *ParseError a non-nil error.
func (f *fields) failed() error {
	if f.err == nil {
		return nil
	}
	return f.err
}

// whole is what a parser returns: the message, or only why it is none.
func whole[M any](m *M, err error) (*M, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// find returns the value, nil if absent.
func (f *fields) find(id AttributeID) []byte { return f.values[id-attributeBase] }

// has reports whether the attribute is there.
func (f *fields) has(id AttributeID) bool { return f.find(id) != nil }

// get returns the value of a required attribute.
func (f *fields) get(id AttributeID) []byte {
	v := f.find(id)
	if v == nil {
		f.fail(id, ErrMissing)
	}
	return v
}

// get8 and get16 return required numbers, opt8 and opt16 numbers that default to 0. Their lengths
// were checked by set.
func (f *fields) get8(id AttributeID) uint8 { return number8(f.get(id)) }

func (f *fields) get16(id AttributeID) uint16 { return number16(f.get(id)) }

func (f *fields) opt8(id AttributeID) uint8 { return number8(f.find(id)) }

func (f *fields) opt16(id AttributeID) uint16 { return number16(f.find(id)) }

func number8(v []byte) uint8 {
	if len(v) != 1 {
		return 0
	}
	return v[0]
}

func number16(v []byte) uint16 {
	if len(v) != 2 {
		return 0
	}
	return binary.BigEndian.Uint16(v)
}

// nonce, hash: required values of 16 and 32 bytes.
func (f *fields) nonce(id AttributeID) (n Nonce) {
	copy(n[:], f.get(id))
	return n
}

func (f *fields) hash(id AttributeID) (h [32]byte) {
	copy(h[:], f.get(id))
	return h
}

// optNonce returns nil for an absent nonce.
func (f *fields) optNonce(id AttributeID) *Nonce {
	v := f.find(id)
	if v == nil {
		return nil
	}
	n := new(Nonce)
	copy(n[:], v)
	return n
}

// bytes returns a copy of a required value, nil if absent.
func (f *fields) bytes(id AttributeID) []byte { return bytes.Clone(f.get(id)) }

// encryptedSettings returns a copy of Encrypted Settings. An initialization vector and at least one
// block of whole blocks is what can be decrypted (WSC: AES-128-CBC).
func (f *fields) encryptedSettings() []byte {
	v := f.get(AttrEncryptedSettings)
	if v != nil && (len(v) < 32 || len(v)%16 != 0) {
		f.fail(AttrEncryptedSettings, ErrLength)
	}
	return bytes.Clone(v)
}

// authenticator returns the Authenticator of message b. It must be the last attribute: hostap and
// iwd verify the last twelve bytes, whatever they are.
func (f *fields) authenticator(b []byte) [8]byte {
	if f.get(AttrAuthenticator) == nil {
		return [8]byte{}
	}
	_, auth, ok := SplitAuthenticator(b)
	if !ok {
		f.fail(AttrAuthenticator, ErrNotLast)
	}
	return auth
}
