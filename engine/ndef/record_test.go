package ndef

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"wpsd/engine/secret"
)

// wscType is the record type in hex, as it stands in vectors.
var wscType = hex.EncodeToString([]byte(mimeWSC))

// unhex reads hex; blanks are for the eye.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseMessage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		err      error
		want     []Record
	}{
		{"a short record", "d1 01 02 54 6869", nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"), Payload: secret.FromString("hi")}}},
		{"a long record", "c1 01 0000012c 54" + strings.Repeat("ab", 300), nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"),
				Payload: secret.New(bytes.Repeat([]byte{0xab}, 300))}}},
		{"a long header around a short payload", "c1 01 00000001 54 41", nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"), Payload: secret.FromString("A")}}},
		{"a record with an id", "d9 01 01 02 54 6964 41", nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"), ID: []byte("id"),
				Payload: secret.FromString("A")}}},
		{"an id of no bytes is none", "d9 01 01 00 54 41", nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"), Payload: secret.FromString("A")}}},
		{"an empty record", "d0 00 00", nil, []Record{{}}},
		{"a payload of unknown type", "d5 00 01 41", nil,
			[]Record{{TNF: TNFUnknown, Payload: secret.FromString("A")}}},
		{"two records", "91 01 00 54 51 01 00 55", nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T")},
				{TNF: TNFWellKnown, Type: []byte("U")}}},
		{"a message within a payload stays bytes", "d1 01 05 54 d1 01 01 54 41", nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"),
				Payload: secret.New(unhex(t, "d101015441"))}}},

		{"nothing is no message", "", ErrTruncated, nil},
		{"a first chunk is refused", "b1 01 01 54 41", ErrChunked, nil},
		{"the chunk flag in a complete message is refused", "f1 01 01 54 41", ErrChunked, nil},
		{"a later chunk is refused", "91 01 00 54 76 00 01 41", ErrChunked, nil},
		{"the last chunk is refused", "91 01 00 54 56 00 01 41", ErrType, nil},
		{"the reserved format is refused", "d7 00 00", ErrType, nil},
		{"an empty record with a type is refused", "d0 01 00 54", ErrType, nil},
		{"an empty record with a payload is refused", "d0 00 01 41", ErrType, nil},
		{"an empty record with an id is refused", "d8 00 00 01 41", ErrType, nil},
		{"a well-known record without a type is refused", "d1 00 01 41", ErrType, nil},
		{"a media type record without a type is refused", "d2 00 01 41", ErrType, nil},
		{"an unknown record with a type is refused", "d5 01 00 54", ErrType, nil},
		{"a message that does not begin is refused", "51 01 01 54 41", ErrFlags, nil},
		{"a message that does not end is refused", "91 01 01 54 41", ErrFlags, nil},
		{"a message that begins twice is refused", "91 01 00 54 d1 01 00 55", ErrFlags, nil},
		{"a record after the last is refused", "d1 01 00 54 51 01 00 55", ErrFlags, nil},
		{"a byte after the last record is refused", "d1 01 00 54 00", ErrTruncated, nil},
		{"a header of one byte is refused", "d1", ErrTruncated, nil},
		{"a header of two bytes is refused", "d1 01", ErrTruncated, nil},
		{"a long header without its length is refused", "c1 01 000000", ErrTruncated, nil},
		{"a header without the length of the id is refused", "d9 01 00", ErrTruncated, nil},
		{"a type beyond the data is refused", "d1 02 00 54", ErrTruncated, nil},
		{"an id beyond the data is refused", "d9 01 00 02 54 41", ErrTruncated, nil},
		{"a payload beyond the data is refused", "d1 01 02 54 41", ErrTruncated, nil},
		{"a payload above the limit is refused, even if it were there",
			"c1 01 00004e21 54" + strings.Repeat("00", 20001), ErrTooLong, nil},
		{"a payload at the limit is taken", "c1 01 00004e20 54" + strings.Repeat("00", 20000), nil,
			[]Record{{TNF: TNFWellKnown, Type: []byte("T"),
				Payload: secret.New(make([]byte, 20000))}}},
		{"more than a tag holds is refused", strings.Repeat("00", MaxMessage+1), ErrTooLong, nil},
		{"as many records as allowed",
			"91 01 00 54" + strings.Repeat("11010054", MaxRecords-2) + "51010054", nil,
			repeat(Record{TNF: TNFWellKnown, Type: []byte("T")}, MaxRecords)},
		{"one record too many is refused",
			"91 01 00 54" + strings.Repeat("11010054", MaxRecords-1) + "51010054", ErrTooMany, nil},

		// CVE-2015-8041: with these, header + lengths wraps around in 32 bits to 0 or to a little
		// more.
		{"a length that wraps to nothing is refused", "c2 17 ffffffe3" + wscType, ErrTooLong, nil},
		{"a length that wraps to one byte is refused", "c2 17 ffffffe4" + wscType, ErrTooLong, nil},
		{"a length that wraps to the header is refused", "c2 17 ffffffe9" + wscType,
			ErrTooLong, nil},
		{"a length of all ones is refused", "c2 17 ffffffff" + wscType, ErrTooLong, nil},
		{"a length that wraps with the id is refused", "ca 17 ffffff00 ff" + wscType,
			ErrTooLong, nil},
		{"a length with the sign bit is refused", "c2 17 80000000" + wscType, ErrTooLong, nil},
		{"the greatest type, id and payload do not wrap", "ca ff 00004e20 ff" + wscType,
			ErrTruncated, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseMessage(unhex(t, c.in))
			if !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if err != nil && got != nil {
				t.Error("records beside an error")
			}
			sameRecords(t, got, c.want)
			if err == nil {
				again, err := ParseMessage(AppendMessage(nil, got...))
				if err != nil {
					t.Fatal(err)
				}
				sameRecords(t, again, got)
			}
		})
	}
}

func repeat(r Record, n int) (rs []Record) {
	for range n {
		rs = append(rs, r)
	}
	return rs
}

func sameRecords(t *testing.T, got, want []Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.TNF != w.TNF || !bytes.Equal(g.Type, w.Type) || !bytes.Equal(g.ID, w.ID) ||
			!g.Payload.Equal(w.Payload) {
			t.Errorf("record %d: got %+v %x, want %+v %x", i, g, g.Payload.Bytes(), w,
				w.Payload.Bytes())
		}
	}
}

func TestParsingCopies(t *testing.T) {
	t.Parallel()
	in := unhex(t, "d9 01 01 01 54 49 41")
	got, err := ParseMessage(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	sameRecords(t, got, []Record{{TNF: TNFWellKnown, Type: []byte("T"), ID: []byte("I"),
		Payload: secret.FromString("A")}})
}

func TestAppendMessageRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		records []Record
	}{
		{"no records", nil},
		{"a type of 256 bytes", []Record{{TNF: TNFWellKnown, Type: make([]byte, 256)}}},
		{"an id of 256 bytes", []Record{{TNF: TNFUnknown, ID: make([]byte, 256)}}},
		{"a payload above the limit",
			[]Record{{TNF: TNFUnknown, Payload: secret.New(make([]byte, MaxPayload+1))}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			AppendMessage(nil, c.records...)
		})
	}
}

func TestTNFString(t *testing.T) {
	t.Parallel()
	if TNFMedia.String() != "media type" || TNF(7).String() != "TNF 7" {
		t.Error(TNFMedia, TNF(7))
	}
}
