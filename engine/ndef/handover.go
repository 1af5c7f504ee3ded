package ndef

import (
	"encoding/binary"
	"fmt"

	"wpsd/engine/secret"
)

// A handover message (NFC Forum, Connection Handover 1.2) begins with a record "Hr" or "Hs" whose
// payload is a version and a message of its own. In that, "ac" records refer by id to the carrier
// records, which follow the first record in the outer message:
//
//	Hr  0x12 | cr (random) | ac (active, "0")
//	application/vnd.wfa.wsc, id "0": length | OOB Device Password, UUID-E, WFA extension
//
// That is the only nesting there is; nothing looks deeper.
const (
	typeRequest     = "Hr"
	typeSelect      = "Hs"
	typeCollision   = "cr"
	typeAlternative = "ac"
)

const (
	handoverVersion = 0x12 // major 1, minor 2
	powerActive     = 1
	carrierID       = "0"
	collisionLen    = 2
)

// findCarrier returns the payload of the WSC carrier in b, a copy: of a handover message of the
// given type, of a lone carrier record, or b itself if it has no NDEF around it.
func findCarrier(message string, b []byte) (secret.Value, error) {
	// A carrier begins with its length, whose first byte is 0: it has far less than 256 bytes. A
	// record with this first byte would be empty, and in the middle of its message.
	if len(b) > 0 && b[0] == 0 {
		if len(b) > MaxPayload {
			return secret.Value{}, fmt.Errorf("%w: carrier of %d bytes", ErrTooLong, len(b))
		}
		return secret.New(b), nil
	}
	records, err := parseRecords(b, true)
	if err != nil {
		return secret.Value{}, err
	}
	defer wipe(records)
	find := findWSC
	switch first := &records[0]; {
	case first.is(TNFWellKnown, message):
		find = findReferred
	case first.TNF == TNFWellKnown:
		return secret.Value{}, fmt.Errorf("%w: %q is not %q", ErrHandover, first.Type, message)
	}
	r, err := find(records)
	if err != nil {
		return secret.Value{}, err
	}
	return r.Payload.Clone(), nil
}

// findReferred returns the first WSC carrier that the handover record at the beginning of records
// refers to. A carrier that nothing refers to is none: it may be auxiliary data of another.
func findReferred(records []Record) (*Record, error) {
	references, err := parseHandover(&records[0])
	if err != nil {
		return nil, err
	}
	for _, id := range references {
		for i := range records[1:] {
			if r := &records[1+i]; string(r.ID) == id && r.is(TNFMedia, mimeWSC) {
				return r, nil
			}
		}
	}
	return nil, ErrNoRecord
}

// parseHandover returns the ids of the carriers in order of the sender's preference. Whether a
// carrier is switched on already is not looked at: going there finds out.
func parseHandover(r *Record) ([]string, error) {
	b := r.Payload.Bytes()
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: no version", ErrHandover)
	}
	version := b[0]
	// another minor version is to be understood, another major one is not
	if version>>4 != handoverVersion>>4 {
		return nil, fmt.Errorf("%w: version %d.%d", ErrHandover, version>>4, version&15)
	}
	isRequest := string(r.Type) == typeRequest
	if len(b) == 1 && !isRequest {
		return nil, nil // a select without carriers says no
	}
	inner, err := ParseMessage(b[1:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHandover, err)
	}
	defer wipe(inner)
	var references []string
	collisions := 0
	for i := range inner {
		switch in := &inner[i]; {
		case in.is(TNFWellKnown, typeCollision):
			collisions++
			if in.Payload.Len() != collisionLen {
				return nil, fmt.Errorf("%w: collision record of %d bytes", ErrHandover,
					in.Payload.Len())
			}
		case in.is(TNFWellKnown, typeAlternative):
			id, err := parseAlternative(in.Payload.Bytes())
			if err != nil {
				return nil, err
			}
			references = append(references, id)
		}
	}
	// Requests resolve collisions since version 1.2.
	if isRequest && (collisions > 1 || collisions == 0 && version >= handoverVersion) {
		return nil, fmt.Errorf("%w: %d collision records", ErrHandover, collisions)
	}
	return references, nil
}

// parseAlternative reads an "ac" record: power state, carrier reference, number of auxiliary
// references and these, each with its length. All must fit exactly; the auxiliary ones are skipped.
func parseAlternative(b []byte) (string, error) {
	short := fmt.Errorf("%w: alternative carrier record", ErrHandover)
	if len(b) < 1 {
		return "", short
	}
	carrier, b, ok := cutReference(b[1:])
	if !ok || len(carrier) == 0 || len(b) < 1 {
		return "", short
	}
	n := int(b[0])
	b = b[1:]
	for range n {
		if _, b, ok = cutReference(b); !ok {
			return "", short
		}
	}
	if len(b) > 0 {
		return "", short
	}
	return string(carrier), nil
}

// cutReference takes one reference off the beginning of b.
func cutReference(b []byte) (reference, rest []byte, ok bool) {
	if len(b) < 1 || int(b[0]) > len(b)-1 {
		return nil, nil, false
	}
	end := 1 + int(b[0])
	return b[1:end], b[end:], true
}

// collision makes the record that a request begins with.
func collision(random uint16) *Record {
	return wellKnown(typeCollision, binary.BigEndian.AppendUint16(nil, random))
}

// appendHandover appends a handover message with one carrier, and what is to stand before the
// reference to it. It wipes carrier.
func appendHandover(b []byte, message string, before *Record, carrier []byte) []byte {
	var inner []Record
	if before != nil {
		inner = append(inner, *before)
	}
	reference := append([]byte{powerActive, byte(len(carrierID))}, carrierID...)
	inner = append(inner, *wellKnown(typeAlternative, append(reference, 0)))
	payload := AppendMessage([]byte{handoverVersion}, inner...)
	r := Record{TNF: TNFMedia, Type: []byte(mimeWSC), ID: []byte(carrierID),
		Payload: secret.New(carrier)}
	clear(carrier)
	defer r.Payload.Wipe()
	return AppendMessage(b, *wellKnown(message, payload), r)
}

func wellKnown(name string, payload []byte) *Record {
	return &Record{TNF: TNFWellKnown, Type: []byte(name), Payload: secret.New(payload)}
}
