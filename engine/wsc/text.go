package wsc

import (
	"bytes"
	"unicode/utf8"
)

// The longest text that fits into each attribute (WSC, attribute table; hostap enforces them too).
const (
	MaxManufacturer = 64
	MaxModelName    = 32
	MaxModelNumber  = 32
	MaxSerialNumber = 32
	MaxDeviceName   = 32
	MaxSSID         = 32
	MaxNetworkKey   = 64
)

// appendText appends a text attribute. Empty text goes out as one space, because deployed parsers
// refuse an attribute without value (hostap behaviour). Text that does not fit is cut between two
// characters, not within one.
func appendText(b []byte, id AttributeID, s string, limit int) []byte {
	if s == "" {
		s = " "
	}
	if len(s) > limit {
		s = s[:limit]
		for i := 1; i < utf8.UTFMax && i < len(s); i++ {
			if c := s[len(s)-i]; utf8.RuneStart(c) {
				if !utf8.FullRuneInString(s[len(s)-i:]) {
					s = s[:len(s)-i]
				}
				break
			}
		}
	}
	b = appendHeader(b, id, len(s))
	return append(b, s...)
}

// text is the inverse of appendText. Some peers send a terminating NUL, others pad with NULs; one
// space stands for nothing. The bytes are as the peer sent them, not always UTF-8.
func text(v []byte, limit int) string {
	if len(v) > limit {
		v = v[:limit]
	}
	v = bytes.TrimRight(v, "\x00")
	if len(v) == 1 && v[0] == ' ' {
		return ""
	}
	return string(v)
}
