package wsc

import (
	"bytes"
	"runtime"
	"testing"
)

// fuzzCodec checks what must hold for any bytes: what is read can be written, reading that again
// gives the same and writing it again the same bytes; and reading allocates no more than a few
// times its input. lossy is for Append methods that leave out what they do not carry: there only
// the bytes settle.
func fuzzCodec(f *testing.F, name string, lossy bool) {
	c := codecs[name]
	for _, v := range vectors() {
		if v.codec == name || f.Name() == "FuzzAdvertisement" {
			wire := load(f, v.file)
			f.Add(wire)
			f.Add(wire[:len(wire)-1])
			f.Add(append(wire, 0, 0, 0, 0, 0))
		}
	}
	f.Add([]byte{})
	f.Add([]byte("\x10\x27\x00\x00\x00\x10\x20\x00\x01m"))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		got, err := measured(t, c, data)
		if !bytes.Equal(data, before) {
			t.Fatal("reading changed the input")
		}
		if err != nil {
			if got != nil {
				t.Fatalf("an error and %+v", got)
			}
			return
		}
		checkRoundTrip(t, c, got, lossy)
	})
}

// checkRoundTrip writes what was read, reads and writes it again.
func checkRoundTrip(t *testing.T, c codec, got any, lossy bool) {
	t.Helper()
	first := c.append(got)
	again, err := c.parse(first)
	if err != nil {
		t.Fatalf("what was written is refused: %v", err)
	}
	if !lossy && !same(got, again) {
		t.Fatalf("read\n%+v\nwritten and read again\n%+v", got, again)
	}
	if second := c.append(again); !bytes.Equal(first, second) {
		t.Fatalf("written\n%x\nand again\n%x", first, second)
	}
}

// measured parses data and fails when that allocates out of proportion. The constant is for the
// message structs and for what the runtime does meanwhile.
func measured(t *testing.T, c codec, data []byte) (any, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := c.parse(data)
	runtime.ReadMemStats(&after)
	if n, limit := after.TotalAlloc-before.TotalAlloc, uint64(32<<10+8*len(data)); n > limit {
		t.Fatalf("reading %d bytes allocated %d", len(data), n)
	}
	return got, err
}

func FuzzM1(f *testing.F)                  { fuzzCodec(f, "M1", false) }
func FuzzM2(f *testing.F)                  { fuzzCodec(f, "M2", false) }
func FuzzM2D(f *testing.F)                 { fuzzCodec(f, "M2D", false) }
func FuzzM3(f *testing.F)                  { fuzzCodec(f, "M3", false) }
func FuzzM4(f *testing.F)                  { fuzzCodec(f, "M4", false) }
func FuzzM5(f *testing.F)                  { fuzzCodec(f, "M5", false) }
func FuzzM6(f *testing.F)                  { fuzzCodec(f, "M6", false) }
func FuzzM7(f *testing.F)                  { fuzzCodec(f, "M7", false) }
func FuzzM8(f *testing.F)                  { fuzzCodec(f, "M8", false) }
func FuzzAck(f *testing.F)                 { fuzzCodec(f, "WSC_ACK", false) }
func FuzzNack(f *testing.F)                { fuzzCodec(f, "WSC_NACK", false) }
func FuzzDone(f *testing.F)                { fuzzCodec(f, "WSC_DONE", false) }
func FuzzSettings(f *testing.F)            { fuzzCodec(f, "Encrypted Settings", false) }
func FuzzCredential(f *testing.F)          { fuzzCodec(f, "Credential", false) }
func FuzzAdvertisement(f *testing.F)       { fuzzCodec(f, "Probe Response", false) }
func FuzzBeacon(f *testing.F)              { fuzzCodec(f, "Beacon", true) }
func FuzzProbeRequest(f *testing.F)        { fuzzCodec(f, "Probe Request", false) }
func FuzzSelectedRegistrar(f *testing.F)   { fuzzCodec(f, "SetSelectedRegistrar", false) }
func FuzzAssociationRequest(f *testing.F)  { fuzzCodec(f, "Association Request", false) }
func FuzzAssociationResponse(f *testing.F) { fuzzCodec(f, "Association Response", false) }

// FuzzAttributes: every attribute lies within the data, in order, and writing those of well-formed
// data gives data with the same attributes. Peeking at the type agrees with what the parsers go by.
func FuzzAttributes(f *testing.F) {
	for _, v := range vectors() {
		f.Add(load(f, v.file))
	}
	f.Add([]byte("\x10\x27\x00\x00\x00\x10\x20\x00\x01m"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var written []byte
		n, total := 0, 0
		r := NewReader(data)
		for a, ok := r.Next(); ok; a, ok = r.Next() {
			n++
			total += headerLen + len(a.Value)
			written = AppendAttribute(written, a.ID, a.Value)
		}
		if total > len(data) {
			t.Fatalf("%d bytes of attributes in %d", total, len(data))
		}
		kind, err := PeekMessageType(data)
		if r.Err() != nil {
			if err == nil {
				t.Fatal("malformed, and has a type")
			}
			return
		}
		m := 0
		for range Attributes(written) {
			m++
		}
		// Zeros that were an attribute may now be at the end, and padding.
		if m > n || m < n && !bytes.HasSuffix(written, make([]byte, headerLen)) {
			t.Fatalf("%d attributes became %d", n, m)
		}
		if err == nil {
			var fs fields
			fs.read("message", data)
			if fs.err == nil && MessageType(fs.get8(AttrMessageType)) != kind {
				t.Fatalf("peeked %v, read %v", kind, fs.get8(AttrMessageType))
			}
		}
	})
}
