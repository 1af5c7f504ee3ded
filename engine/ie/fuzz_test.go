package ie

import (
	"bytes"
	"testing"
)

// FuzzElements: the elements lie in the data one after the other, and written again are the data up
// to where it is cut off. What is joined as WSC data comes back when it is split and joined again.
func FuzzElements(f *testing.F) {
	f.Add([]byte("\x00\x04home" + element(48, rsn(2, 8)) + element(221, wpa(2)) +
		element(221, "\x00\x50\xf2\x04abc")))
	f.Add([]byte(element(221, "\x00\x50\xf2\x04abc") + element(221, "\x00\x50\xf2\x04def")))
	f.Add(AppendWSC(nil, make([]byte, 600)))
	f.Add([]byte("\xdd\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var written []byte
		for id, v := range Elements(data) {
			written = Append(written, id, v)
		}
		if !bytes.HasPrefix(data, written) {
			t.Fatalf("written again:\n%x\nread:\n%x", written, data)
		}
		if rest := data[len(written):]; len(rest) >= 2 && 2+int(rest[1]) <= len(rest) {
			t.Fatalf("an element was left: %x", rest)
		}
		wsc, ok := WSC(data, nil)
		if !ok && wsc != nil || len(wsc) > len(data) {
			t.Fatalf("%x, %v", wsc, ok)
		}
		if ok {
			again, ok := WSC(AppendWSC(nil, wsc), make([]byte, 8))
			if !ok || !bytes.Equal(again, wsc) {
				t.Fatalf("joined %x, again %x", wsc, again)
			}
		}
		if s := SecurityOf(data, true); s == 0 || s&Open != 0 || s&WEP != 0 && s != WEP {
			t.Fatalf("security %v", s)
		}
		if c := CiphersOf(data); (c.Pairwise|c.Group|c.Management).Names() == nil &&
			c != (Ciphers{}) {
			t.Fatalf("ciphers %+v", c)
		}
		if ssid, ok := SSID(data); len(ssid) > 32 || !ok && ssid != nil {
			t.Fatalf("a name of %d bytes", len(ssid))
		}
		if !bytes.Equal(data, before) {
			t.Fatal("reading changed the input")
		}
	})
}
