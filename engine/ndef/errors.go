package ndef

import "errors"

// What can be wrong with received NDEF data. What is wrong with the WSC attributes inside is told
// by a
// *wsc.ParseError. No error shows content, which may be a key.
var (
	// ErrTruncated means that a record, or a field in one, ends beyond the data.
	ErrTruncated = errors.New("ndef: truncated")
	// ErrTooLong means that the data or a record's payload is longer than MaxMessage or MaxPayload.
	ErrTooLong = errors.New("ndef: too long")
	// ErrTooMany means that a message has more than MaxRecords records.
	ErrTooMany = errors.New("ndef: too many records")
	// ErrChunked means that a payload is spread over several records, which no WSC message needs.
	ErrChunked = errors.New("ndef: chunked record")
	// ErrFlags means that Message Begin is not in the first record alone, or Message End not in the
	// last.
	ErrFlags = errors.New("ndef: message begins or ends in the wrong record")
	// ErrType means that the lengths of a record's fields do not fit the format of its type.
	ErrType = errors.New("ndef: impossible record type")
	// ErrNoRecord means that a message is well formed, and none of its records is about WSC.
	ErrNoRecord = errors.New("ndef: no WSC record")
	// ErrHandover means that a handover message is malformed, or is a select where a request
	// belongs or the reverse.
	ErrHandover = errors.New("ndef: not the handover message expected")
	// ErrHandoverMessage means that what was read as a tag is a message of a connection handover,
	// whose Wi-Fi record is none of a tag.
	ErrHandoverMessage = errors.New("ndef: a message of a connection handover, not what is on a tag")
)
