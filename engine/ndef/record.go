// Package ndef reads and writes what WSC keeps on NFC tags and tells over an NFC link: password
// tokens, configuration tokens and connection handover, with the NDEF records around them or
// without.
//
// It is bytes in and values out: tags and links are other programs' business. What a tag says is
// not authenticated; whoever can touch the device could have written it.
package ndef

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"wpsd/engine/secret"
)

// Bounds of what is read. WSC's own records have a few hundred bytes.
const (
	// MaxMessage is the longest message that is read: what a file on a Type 4 tag can hold.
	MaxMessage = 1<<15 - 1
	// MaxPayload is the longest payload of a record (hostap's limit since CVE-2015-8041).
	MaxPayload = 20000
	// MaxRecords is the most records in a message. A handover message has one, and one for each way
	// to go on.
	MaxRecords = 32
)

// mimeWSC is the type of all records with WSC attributes (WSC, NFC out-of-band interface).
const mimeWSC = "application/vnd.wfa.wsc"

// The flags in a record's first byte (NFC Forum, NDEF 1.0, section 3.2). The low three bits are the
// TNF.
const (
	flagBegin = 0x80
	flagEnd   = 0x40
	flagChunk = 0x20
	flagShort = 0x10
	flagID    = 0x08
	maskTNF   = 0x07
)

// TNF is the Type Name Format: what kind of name a record's Type is.
type TNF uint8

// The formats. TNFUnchanged is for the later chunks of a record and is refused like them.
const (
	TNFEmpty     TNF = 0
	TNFWellKnown TNF = 1
	TNFMedia     TNF = 2
	TNFURI       TNF = 3
	TNFExternal  TNF = 4
	TNFUnknown   TNF = 5
	TNFUnchanged TNF = 6
)

// String gives the specification's name.
func (t TNF) String() string {
	names := [...]string{"empty", "well-known", "media type", "absolute URI", "external", "unknown",
		"unchanged"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("TNF %d", uint8(t))
}

// Record is one NDEF record. Its Payload may hold a key, so it is a secret whatever it is. Records
// are for one goroutine.
type Record struct {
	TNF     TNF
	Type    []byte // at most 255 bytes
	ID      []byte // at most 255 bytes; empty: the record has none
	Payload secret.Value
}

// is reports whether r has the type. Types are compared byte for byte (hostap behaviour).
func (r *Record) is(tnf TNF, name string) bool { return r.TNF == tnf && string(r.Type) == name }

// ParseMessage reads one complete message. Payloads are not looked into: a message within a payload
// stays bytes, so that no nesting can cost anything.
func ParseMessage(b []byte) ([]Record, error) { return parseRecords(b, false) }

// parseRecords is ParseMessage; with lone, a single record may have any place in the message that
// it was taken from: NFC software hands over the carrier record of a handover message as it stood
// there.
func parseRecords(b []byte, lone bool) ([]Record, error) {
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("%w: message of %d bytes", ErrTooLong, len(b))
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: empty message", ErrTruncated)
	}
	var records []Record
	inOrder := true
	for len(b) > 0 {
		if len(records) == MaxRecords {
			wipe(records)
			return nil, ErrTooMany
		}
		r, size, err := parseRecord(b)
		if err != nil {
			wipe(records)
			return nil, err
		}
		isFirst, isLast := len(records) == 0, size == len(b)
		if (b[0]&flagBegin != 0) != isFirst || (b[0]&flagEnd != 0) != isLast {
			inOrder = false
		}
		records = append(records, r)
		b = b[size:]
	}
	if !inOrder && (!lone || len(records) > 1) {
		wipe(records)
		return nil, ErrFlags
	}
	return records, nil
}

// parseRecord reads the record at the beginning of b, which is not empty, and tells its size, which
// is never 0.
func parseRecord(b []byte) (Record, int, error) {
	flags := b[0]
	if flags&flagChunk != 0 {
		return Record{}, 0, ErrChunked
	}
	header := 6 // flags, Type Length, Payload Length of four bytes
	if flags&flagShort != 0 {
		header = 3
	}
	if flags&flagID != 0 {
		header++
	}
	if len(b) < header {
		return Record{}, 0, fmt.Errorf("%w: record header", ErrTruncated)
	}
	// CVE-2015-8041: these were added up in 32 bits, and a Payload Length near 2^32 wrapped around.
	// In 64 bits, no sum of three lengths can, and the payload is bounded before it is added to
	// anything.
	typeLen, payloadLen, idLen := uint64(b[1]), uint64(b[2]), uint64(0)
	if flags&flagShort == 0 {
		payloadLen = uint64(binary.BigEndian.Uint32(b[2:]))
	}
	if flags&flagID != 0 {
		idLen = uint64(b[header-1])
	}
	if payloadLen > MaxPayload {
		return Record{}, 0, fmt.Errorf("%w: payload of %d bytes", ErrTooLong, payloadLen)
	}
	end := uint64(header) + typeLen + idLen + payloadLen
	if end > uint64(len(b)) {
		return Record{}, 0, fmt.Errorf("%w: record of %d bytes in %d", ErrTruncated, end, len(b))
	}
	id := uint64(header) + typeLen
	r := Record{
		TNF:     TNF(flags & maskTNF),
		Type:    copyOf(b[header:id]),
		ID:      copyOf(b[id : id+idLen]),
		Payload: secret.New(b[id+idLen : end]),
	}
	if err := r.check(); err != nil {
		r.Payload.Wipe()
		return Record{}, 0, err
	}
	return r, int(end), nil
}

// check holds the rules of NDEF 1.0, section 3.2.6, on which fields go with which format.
func (r *Record) check() error {
	ok := false
	switch r.TNF {
	case TNFEmpty:
		ok = len(r.Type) == 0 && len(r.ID) == 0 && r.Payload.IsZero()
	case TNFWellKnown, TNFMedia, TNFURI, TNFExternal:
		ok = len(r.Type) > 0
	case TNFUnknown:
		ok = len(r.Type) == 0
	case TNFUnchanged: // only the chunks of a record have it
	}
	if !ok { // 7 is reserved
		return fmt.Errorf("%w: %v with a type of %d bytes", ErrType, r.TNF, len(r.Type))
	}
	return nil
}

// AppendMessage appends the records as one message. A field that is too long for its length, or no
// record at all, is a mistake of the caller: it panics.
func AppendMessage(b []byte, records ...Record) []byte {
	if len(records) == 0 {
		panic("ndef: message without records")
	}
	for i := range records {
		flags := byte(0)
		if i == 0 {
			flags |= flagBegin
		}
		if i == len(records)-1 {
			flags |= flagEnd
		}
		b = records[i].append(b, flags)
	}
	return b
}

// append appends r with the short header where it can.
func (r *Record) append(b []byte, flags byte) []byte {
	payload := r.Payload.Bytes()
	if len(r.Type) > 0xFF || len(r.ID) > 0xFF || len(payload) > MaxPayload {
		panic(fmt.Sprintf("ndef: record with a type of %d bytes, an id of %d, a payload of %d",
			len(r.Type), len(r.ID), len(payload)))
	}
	flags |= byte(r.TNF)
	if len(r.ID) > 0 {
		flags |= flagID
	}
	if len(payload) <= 0xFF {
		b = append(b, flags|flagShort, byte(len(r.Type)), byte(len(payload)))
	} else {
		b = append(b, flags, byte(len(r.Type)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	}
	if len(r.ID) > 0 {
		b = append(b, byte(len(r.ID)))
	}
	b = append(b, r.Type...)
	b = append(b, r.ID...)
	return append(b, payload...)
}

// appendWSC appends a message of one record with WSC attributes as payload, and wipes the payload's
// copies.
func appendWSC(b, payload []byte) []byte {
	r := Record{TNF: TNFMedia, Type: []byte(mimeWSC), Payload: secret.New(payload)}
	clear(payload)
	defer r.Payload.Wipe()
	return AppendMessage(b, r)
}

// findWSC returns the first record with WSC attributes, as hostap does; others may stand around it,
// an address for phones that know no WSC, or the handover record of a tag for any phone.
func findWSC(records []Record) (*Record, error) {
	for i := range records {
		if records[i].is(TNFMedia, mimeWSC) {
			return &records[i], nil
		}
	}
	return nil, ErrNoRecord
}

// wipe overwrites the payloads.
func wipe(records []Record) {
	for i := range records {
		records[i].Payload.Wipe()
	}
}

// copyOf is a copy, nil if there is nothing to copy.
func copyOf(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}
