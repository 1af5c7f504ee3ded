// Package ie walks the elements of 802.11 management frames, joins and splits the WSC element, and
// tells what security a BSS offers. Elements come from the air, from anybody: every length is
// checked, and nothing is allocated unless a BSS splits its WSC data over several elements.
package ie

import (
	"bytes"
	"iter"
)

// The elements that matter here (IEEE 802.11, table of element identifiers).
const (
	IDSSID   = 0
	IDRSN    = 48
	IDVendor = 221
)

// maxValue is the longest value of an element.
const maxValue = 255

// Elements iterates over the elements of a frame, by identifier and value. It ends at the end of b
// or before an element that runs over it, as scan results are cut off by drivers. The values are
// parts of b.
func Elements(b []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for len(b) >= 2 {
			end := 2 + int(b[1])
			if end > len(b) || !yield(b[0], b[2:end:end]) {
				return
			}
			b = b[end:]
		}
	}
}

// Find returns the value of the first element id, a part of b.
func Find(b []byte, id byte) ([]byte, bool) {
	for i, v := range Elements(b) {
		if i == id {
			return v, true
		}
	}
	return nil, false
}

// SSID returns the network's name, a part of b. A hidden network has an empty one, or one of zeros.
// A name longer than the 32 bytes that there may be is none.
func SSID(b []byte) ([]byte, bool) {
	v, ok := Find(b, IDSSID)
	if len(v) > 32 {
		return nil, false
	}
	return v, ok
}

// Append appends one element. A value of more than 255 bytes does not fit and is a mistake of the
// caller: it panics.
func Append(b []byte, id byte, value []byte) []byte {
	if len(value) > maxValue {
		panic("ie: the value is too long for an element")
	}
	b = append(b, id, byte(len(value)))
	return append(b, value...)
}

// wscOUI begins a vendor element that holds WSC data: Microsoft's OUI, type 4.
var wscOUI = []byte{0x00, 0x50, 0xf2, 0x04}

// maxWSC is how much WSC data fits into one element.
const maxWSC = maxValue - 4

// WSC returns the WSC data of a frame: what all its WSC elements hold, joined in their order, since
// attributes may be cut anywhere between two (hostap behaviour). Data from one element is a part of
// b; from several it is appended to scratch, which may be nil.
func WSC(b, scratch []byte) (data []byte, ok bool) {
	n := 0
	for id, v := range Elements(b) {
		if id != IDVendor || !bytes.HasPrefix(v, wscOUI) {
			continue
		}
		v = v[len(wscOUI):]
		switch n++; n {
		case 1:
			data = v
		case 2:
			scratch = append(scratch[:0], data...)
			fallthrough
		default:
			scratch = append(scratch, v...)
			data = scratch
		}
	}
	return data, n > 0
}

// BackhaulStation is the flag of a station that wants to be a link between the access points of a
// Multi-AP network (Wi-Fi EasyMesh specification, "Multi-AP Extension subelement").
const BackhaulStation = 1 << 7

// AppendMultiAP appends the Multi-AP element with these flags: the WFA's OUI, type 0x1B, subelement
// 0x06 (Wi-Fi EasyMesh specification, "Multi-AP Information element"; hostapd 2.10 reads it so).
func AppendMultiAP(b []byte, flags byte) []byte {
	return Append(b, IDVendor, []byte{0x50, 0x6f, 0x9a, 0x1b, 0x06, 1, flags})
}

// AppendWSC appends WSC data as one element, or as several if it is longer than 251 bytes. Without
// data the element is there all the same: it says that WSC is spoken.
func AppendWSC(b, data []byte) []byte {
	for {
		n := min(len(data), maxWSC)
		b = append(b, IDVendor, byte(len(wscOUI)+n))
		b = append(b, wscOUI...)
		b = append(b, data[:n]...)
		data = data[n:]
		if len(data) == 0 {
			return b
		}
	}
}
