package wsc

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestReader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		data string
		want string // identifiers and values, in order
		err  error
	}{
		{"nothing has no attributes", "", "", nil},
		{"an attribute may be empty", "\x10\x45\x00\x00", "1045:", nil},
		{"attributes follow each other without padding", "\x10\x45\x00\x01a\x10\x27\x00\x02bc",
			"1045:61 1027:6263", nil},
		{"half a header is truncated", "\x10", "", ErrTruncated},
		{"a header without its last byte is truncated", "\x10\x45\x00\x00\x10\x27\x00", "1045:",
			ErrTruncated},
		{"a value beyond the end is truncated", "\x10\x45\x00\x02a", "", ErrTruncated},
		{"the longest length is truncated like any other", "\x10\x45\xff\xffa", "", ErrTruncated},
		{"zeros to the end are padding", "\x10\x45\x00\x01a\x00\x00\x00\x00\x00\x00",
			"1045:61", nil},
		{"four zeros are padding", "\x00\x00\x00\x00", "", nil},
		{"three zeros are half a header", "\x00\x00\x00", "", ErrTruncated},
		{"zeros with something behind are attributes of type 0",
			"\x00\x00\x00\x00\x10\x45\x00\x01a", "0000: 1045:61", nil},
		{"type 0 with a value is no padding", "\x00\x00\x00\x01\x00\x10\x45\x00\x00",
			"0000:00 1045:", nil},
		{"a stray octet after an empty Network Key is skipped",
			"\x10\x27\x00\x00\x00\x10\x20\x00\x01m", "1027: 1020:6d", nil},
		{"a stray octet after a Network Key is skipped", "\x10\x27\x00\x01k\xaa\x10\x20\x00\x01m",
			"1027:6b 1020:6d", nil},
		{"a stray octet after another attribute is not skipped",
			"\x10\x45\x00\x00\x00\x10\x20\x00\x01m", "1045:", ErrTruncated},
		{"an attribute that is known and too long is not taken for a stray octet",
			"\x10\x27\x00\x00\x10\x20\x00\x09m", "1027:", ErrTruncated},
		{"stray octets that never lead to an attribute end truncated",
			"\x10\x27\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", "1027:", ErrTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got string
			r := NewReader([]byte(tt.data))
			for a, ok := r.Next(); ok; a, ok = r.Next() {
				if got != "" {
					got += " "
				}
				got += fmt.Sprintf("%04x:%x", uint16(a.ID), a.Value)
			}
			if got != tt.want || !errors.Is(r.Err(), tt.err) {
				t.Errorf("got %q, %v, want %q, %v", got, r.Err(), tt.want, tt.err)
			}
			if _, ok := r.Next(); ok {
				t.Error("there is more after the end")
			}
		})
	}
}

func TestAttributesEndWhereTheLoopDoes(t *testing.T) {
	t.Parallel()
	data := []byte("\x10\x45\x00\x01a\x10\x27\x00\x01b\x10\x20")
	var ids []AttributeID
	for id := range Attributes(data) {
		ids = append(ids, id)
	}
	if len(ids) != 2 || ids[0] != AttrSSID || ids[1] != AttrNetworkKey {
		t.Errorf("got %v", ids)
	}
	for id := range Attributes(data) {
		if id != AttrSSID {
			t.Error("went on after break")
		}
		break
	}
}

func TestAValueOfTheReaderCannotGrowIntoTheNextAttribute(t *testing.T) {
	t.Parallel()
	data := []byte("\x10\x45\x00\x01a\x10\x27\x00\x01b")
	before := bytes.Clone(data)
	for _, v := range Attributes(data) {
		_ = append(v, 'x')
	}
	if !bytes.Equal(data, before) {
		t.Error("appending to a value changed the message")
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	wire := load(t, "m1")
	n := testing.AllocsPerRun(100, func() {
		for id, v := range Attributes(wire) {
			if id == AttrPublicKey && len(v) != 192 {
				t.Error("wrong length")
			}
		}
		if _, err := PeekMessageType(wire); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Counting the zeros to the end again at each of them made this take a second.
func TestManyZerosBeforeTheLastByteTakeLinearTime(t *testing.T) {
	t.Parallel()
	data := append(make([]byte, MaxMessage-1), 1)
	start := time.Now()
	if _, err := ParseM1(data); !errors.Is(err, ErrMissing) && !errors.Is(err, ErrTruncated) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > 500*time.Millisecond {
		t.Errorf("took %v", d)
	}
}

func TestAppendAttributePanicsRatherThanSendALengthThatIsNone(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	AppendAttribute(nil, AttrSSID, make([]byte, 0x10000))
}

func TestPeekMessageType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		data []byte
		want MessageType
		err  error
	}{
		{"the type of M1 is found", load(t, "m1"), MsgM1, nil},
		{"a type that nobody knows is told", []byte("\x10\x22\x00\x01\x7b"), 0x7b, nil},
		{"of two types the last counts, as when the message is parsed",
			[]byte("\x10\x22\x00\x01\x04\x10\x22\x00\x01\x05"), MsgM2, nil},
		{"no type is missing", []byte("\x10\x4a\x00\x01\x10"), 0, ErrMissing},
		{"nothing has no type", nil, 0, ErrMissing},
		{"a type of two bytes is refused", []byte("\x10\x22\x00\x02\x04\x04"), 0, ErrLength},
		{"a truncated message has no type", []byte("\x10\x22\x00\x01\x04\x10"), 0, ErrTruncated},
		{"a message of 50,001 bytes is not looked at", make([]byte, MaxMessage+1), 0, ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := PeekMessageType(tt.data); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %v, %v, want %v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestSplitAuthenticator(t *testing.T) {
	t.Parallel()
	msg := load(t, "m3")
	body, auth, ok := SplitAuthenticator(msg)
	if !ok || auth != testAuthenticator ||
		!bytes.Equal(AppendAuthenticator(bytes.Clone(body), auth), msg) {
		t.Errorf("got %x, %x, %v", body, auth, ok)
	}
	for _, bad := range [][]byte{nil, msg[:11], msg[:len(msg)-1], append(bytes.Clone(msg), 0),
		load(t, "ack")} {
		if _, _, ok := SplitAuthenticator(bad); ok {
			t.Errorf("%x has an Authenticator", bad)
		}
	}
	if _, _, ok := SplitAuthenticator(AppendAuthenticator(nil, auth)); !ok {
		t.Error("an Authenticator alone is not found")
	}
}

func TestErrorsNameMessageAndAttribute(t *testing.T) {
	t.Parallel()
	v := vector{file: "m3", codec: "M3"}
	attrs := takeApart(t, v, load(t, "m3"))
	_, err := ParseM3(build(v, append(attrs[:3:3], attrs[4:]...)...))
	if err == nil || err.Error() != "wsc: M3: E-Hash1 missing" {
		t.Errorf("got %v", err)
	}
	if _, err := ParseM3([]byte{1}); err == nil || err.Error() != "wsc: M3: truncated" {
		t.Errorf("got %v", err)
	}
}

// The lengths of a recorded exchange of a 2.0 station (M1, M3, M5, M7, Done) with a 1.0 access
// point (M4, M6, M8).
func TestMessagesHaveTheLengthsOfARecordedExchange(t *testing.T) {
	t.Parallel()
	key := make([]byte, 192)
	for _, tt := range []struct {
		name string
		got  []byte
		want int
	}{
		{"M1", (&M1{Device: Device{Version2: Version20}, PublicKey: key}).Append(nil), 362},
		{"M3", (&M3{Version2: Version20}).Append(nil), 124},
		{"M4", (&M4{EncryptedSettings: make([]byte, 64)}).Append(nil), 182},
		{"M5", (&M5{EncryptedSettings: make([]byte, 64), Version2: Version20}).Append(nil), 120},
		{"M6", (&M6{EncryptedSettings: make([]byte, 64)}).Append(nil), 110},
		{"M7", (&M7{EncryptedSettings: make([]byte, 64), Version2: Version20}).Append(nil), 120},
		{"M8", (&M8{EncryptedSettings: make([]byte, 144)}).Append(nil), 190},
		{"Done", (&Done{Version2: Version20}).Append(nil), 60},
	} {
		if len(tt.got) != tt.want {
			t.Errorf("%s has %d bytes, want %d", tt.name, len(tt.got), tt.want)
		}
	}
}
