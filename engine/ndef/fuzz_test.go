package ndef

import (
	"bytes"
	"reflect"
	"runtime"
	"testing"
)

// seed adds everything good, everything that must be refused, and a good beginning of each.
func seed(f *testing.F) {
	f.Helper()
	for _, b := range [][]byte{
		unhex(f, knownTLVs), unhex(f, knownNDEF), config().Append(nil), config().AppendNDEF(nil),
		request().Append(nil), request().AppendCarrier(nil), request().AppendMessage(nil, 0x1234),
		selection().Append(nil), selection().AppendCarrier(nil), selection().AppendMessage(nil),
		appendEmptySelect(nil),
	} {
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(append(bytes.Clone(b), 0, 0, 0, 0, 0))
	}
	for _, c := range invalidNDEF {
		f.Add(unhex(f, c.in))
	}
	for _, s := range []string{"c217ffffffe4" + wscType, "ca17ffffff00ff" + wscType} {
		f.Add(unhex(f, s))
	}
	f.Add(bytes.Repeat([]byte{0xd0, 0, 0}, MaxRecords))
}

// measured parses data, which must stay as it is, and fails when that allocates out of proportion.
// The constant is for structs, for a message's records, and for what the runtime does meanwhile.
func measured[T any](t *testing.T, parse func([]byte) (T, error), data []byte) (T, error) {
	t.Helper()
	shown := bytes.Clone(data)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := parse(shown)
	runtime.ReadMemStats(&after)
	if n, limit := after.TotalAlloc-before.TotalAlloc, uint64(32<<10+8*len(data)); n > limit {
		t.Fatalf("reading %d bytes allocated %d", len(data), n)
	}
	if !bytes.Equal(shown, data) {
		t.Fatal("reading changed the input")
	}
	clear(shown) // whatever still looks at it shows up in the round trip
	return got, err
}

// FuzzMessage: what is read can be written, in no more bytes, and is the same when read again.
func FuzzMessage(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := measured(t, ParseMessage, data)
		if err != nil {
			if got != nil {
				t.Fatalf("an error and %+v", got)
			}
			return
		}
		first := AppendMessage(nil, got...)
		if len(first) > len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(first))
		}
		again, err := ParseMessage(first)
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		sameRecords(t, again, got)
		if second := AppendMessage(nil, again...); !bytes.Equal(first, second) {
			t.Fatalf("written\n%x\nand again\n%x", first, second)
		}
	})
}

// FuzzParse: a tag's content written and read again gives the same bytes, with NDEF and without.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := measured(t, Parse, data)
		if err != nil {
			if got != nil {
				t.Fatalf("an error and %+v", got)
			}
			return
		}
		if (got.Password == nil) == (got.Configuration == nil) {
			t.Fatalf("got %+v", got)
		}
		first, wrapped := appendTag(got)
		for _, form := range [][]byte{first, wrapped} {
			again, err := Parse(form)
			if err != nil {
				t.Fatalf("what was written is refused: %v", err)
			}
			if second, _ := appendTag(again); !bytes.Equal(first, second) {
				t.Fatalf("written\n%x\nand again\n%x", first, second)
			}
			if p := got.Password; p != nil {
				q := again.Password
				if p.ID != q.ID || p.PublicKeyHash != q.PublicKeyHash || p.Version2 != q.Version2 ||
					!p.Password.Equal(q.Password) {
					t.Fatalf("read %+v, and again %+v", p, q)
				}
			}
			if c := got.Configuration; c != nil {
				d := again.Configuration
				if c.RFBands != d.RFBands || c.APChannel != d.APChannel || c.BSSID != d.BSSID ||
					c.Version2 != d.Version2 || len(c.Credentials) != len(d.Credentials) {
					t.Fatalf("read %+v, and again %+v", c, d)
				}
			}
		}
	})
}

func appendTag(t *Tag) (tlvs, wrapped []byte) {
	if t.Password != nil {
		return t.Password.Append(nil), t.Password.AppendNDEF(nil)
	}
	return t.Configuration.Append(nil), t.Configuration.AppendNDEF(nil)
}

// FuzzHandover: requests and selects written in each form and read again are the same.
func FuzzHandover(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := measured(t, ParseHandoverRequest, data); err == nil {
			for _, form := range [][]byte{r.Append(nil), r.AppendCarrier(nil),
				r.AppendMessage(nil, 0xbeef)} {
				if again, err := ParseHandoverRequest(form); err != nil ||
					!reflect.DeepEqual(again, r) {
					t.Fatalf("read %+v, written %x, and again %+v, %v", r, form, again, err)
				}
			}
		} else if r != nil {
			t.Fatalf("an error and %+v", r)
		}
		if s, err := measured(t, ParseHandoverSelect, data); err == nil {
			for _, form := range [][]byte{s.Append(nil), s.AppendCarrier(nil),
				s.AppendMessage(nil)} {
				if again, err := ParseHandoverSelect(form); err != nil ||
					!reflect.DeepEqual(again, s) {
					t.Fatalf("read %+v, written %x, and again %+v, %v", s, form, again, err)
				}
			}
		} else if s != nil {
			t.Fatalf("an error and %+v", s)
		}
	})
}
