package ndef

import (
	"encoding/binary"
	"fmt"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// carrierPrefix is the length in front of a carrier's attributes, which tokens do not have.
const carrierPrefix = 2

// HandoverRequest is what an Enrollee tells over an NFC link: by which public key it will be known.
type HandoverRequest struct {
	PublicKeyHash [20]byte // of the Enrollee's key for the run that follows
	UUIDE         wsc.UUID
	Version2      wsc.Version
}

// HandoverSelect is the answer of an access point, or of an External Registrar for one: to which
// network the Enrollee should come, and by which key the Registrar will be known there.
type HandoverSelect struct {
	PublicKeyHash [20]byte // of the Registrar's key
	SSID          []byte
	RFBands       wsc.RFBands // zero: not said, as the next two
	APChannel     uint16
	BSSID         wsc.MAC
	Version2      wsc.Version
}

// ParseHandoverRequest reads a handover request message, a carrier record alone, or a carrier
// without NDEF. ErrNoRecord means that the message offers other ways to go on, but not WSC.
func ParseHandoverRequest(b []byte) (*HandoverRequest, error) {
	const what = "handover request"
	a, done, err := readCarrier(what, typeRequest, b)
	if err != nil {
		return nil, err
	}
	defer done()
	hash, err := a.handoverHash()
	if err != nil {
		return nil, err
	}
	if a.uuide == nil {
		return nil, a.fail(wsc.AttrUUIDE, wsc.ErrMissing)
	}
	return &HandoverRequest{PublicKeyHash: hash, UUIDE: wsc.UUID(a.uuide),
		Version2: a.version2}, nil
}

// ParseHandoverSelect is ParseHandoverRequest for the answer. ErrNoRecord is also what comes of the
// empty answer, by which the other side says that it has nothing to offer.
func ParseHandoverSelect(b []byte) (*HandoverSelect, error) {
	const what = "handover select"
	a, done, err := readCarrier(what, typeSelect, b)
	if err != nil {
		return nil, err
	}
	defer done()
	hash, err := a.handoverHash()
	if err != nil {
		return nil, err
	}
	if len(a.ssid) == 0 { // an empty one names no network that could be looked for
		return nil, a.fail(wsc.AttrSSID, wsc.ErrMissing)
	}
	s := &HandoverSelect{PublicKeyHash: hash, SSID: copyOf(a.ssid), Version2: a.version2}
	s.RFBands, s.APChannel, s.BSSID = a.channel()
	return s, nil
}

// readCarrier finds the carrier in b and takes its attributes apart; done must be called once they
// are copied.
func readCarrier(what, message string, b []byte) (a *attributes, done func(), err error) {
	payload, err := findCarrier(message, b)
	if err != nil {
		return nil, nil, err
	}
	tlvs, err := withoutPrefix(payload.Bytes())
	if err == nil {
		a, err = readAttributes(what, tlvs)
	}
	if err != nil {
		payload.Wipe()
		return nil, nil, err
	}
	return a, payload.Wipe, nil
}

// withoutPrefix returns a carrier's attributes. What follows them is ignored (hostap behaviour).
func withoutPrefix(b []byte) ([]byte, error) {
	if len(b) < carrierPrefix {
		return nil, fmt.Errorf("%w: carrier of %d bytes", ErrTruncated, len(b))
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > len(b)-carrierPrefix {
		return nil, fmt.Errorf("%w: carrier of %d bytes in %d", ErrTruncated, n,
			len(b)-carrierPrefix)
	}
	return b[carrierPrefix : carrierPrefix+n], nil
}

// handoverHash returns the announced hash. The id must be that of handover; a password beside it
// has no meaning, and is left alone (hostap behaviour).
func (a *attributes) handoverHash() (hash [hashLen]byte, err error) {
	hash, id, _, err := a.splitOOB()
	if err == nil && id != wsc.PasswordIDNFCConnectionHandover {
		err = a.fail(wsc.AttrOOBDevicePassword, wsc.ErrValue)
	}
	return hash, err
}

// Append appends the carrier without NDEF: its attributes and, before them, their length.
func (r *HandoverRequest) Append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0)
	b = appendOOB(b, r.PublicKeyHash, wsc.PasswordIDNFCConnectionHandover, secret.Value{})
	b = wsc.AppendAttribute(b, wsc.AttrUUIDE, r.UUIDE[:])
	b = appendVersion2(b, r.Version2)
	return putPrefix(b, start)
}

// AppendCarrier appends the carrier record, alone in a message, as NFC software wants it to build a
// handover message of its own.
func (r *HandoverRequest) AppendCarrier(b []byte) []byte { return appendWSC(b, r.Append(nil)) }

// AppendMessage appends the whole handover request message. random decides which side gives way
// when both ask at once, and must differ each time.
func (r *HandoverRequest) AppendMessage(b []byte, random uint16) []byte {
	return appendHandover(b, typeRequest, collision(random), r.Append(nil))
}

// Append appends the carrier without NDEF: its attributes and, before them, their length.
func (s *HandoverSelect) Append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0)
	b = appendOOB(b, s.PublicKeyHash, wsc.PasswordIDNFCConnectionHandover, secret.Value{})
	b = wsc.AppendAttribute(b, wsc.AttrSSID, s.SSID)
	b = appendChannel(b, s.RFBands, s.APChannel, s.BSSID)
	b = appendVersion2(b, s.Version2)
	return putPrefix(b, start)
}

// AppendCarrier appends the carrier record, alone in a message, as NFC software wants it to build a
// handover message of its own.
func (s *HandoverSelect) AppendCarrier(b []byte) []byte { return appendWSC(b, s.Append(nil)) }

// AppendMessage appends the whole handover select message.
func (s *HandoverSelect) AppendMessage(b []byte) []byte {
	return appendHandover(b, typeSelect, nil, s.Append(nil))
}

// putPrefix fills in how many bytes of attributes follow the prefix of the carrier that begins at
// start, as a big-endian number.
func putPrefix(b []byte, start int) []byte {
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start-carrierPrefix))
	return b
}
