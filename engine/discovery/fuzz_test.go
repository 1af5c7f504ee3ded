package discovery

import (
	"testing"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// FuzzFromBSS: whatever an access point sends, its candidate is consistent: flags, authorization
// and data fit each other, and one that cannot be read is never tried.
func FuzzFromBSS(f *testing.F) {
	ad := pressedAP(1, 2412, -40, "home", uuidA).Ad
	f.Add(ie.AppendWSC([]byte("\x00\x04home"), ad.AppendProbeResponse(nil)), true)
	f.Add(ie.AppendWSC([]byte("\x00\x00"), []byte{0x10}), false)
	f.Add(ie.AppendWSC(nil, make([]byte, 600)), false)
	f.Fuzz(func(t *testing.T, ies []byte, privacy bool) {
		c, ok := FromBSS(ap(1), 2412, -40, epoch, ies, privacy, own)
		if !ok {
			if c.Class != None {
				t.Fatalf("class %q without WSC", c.Class)
			}
			return
		}
		if c.Ad == nil || c.Class == None || len(c.SSID) > 32 || c.Class == PBC &&
			!c.Ad.SelectedRegistrar ||
			c.Authorized == SelfAuthorized && c.Class < Auth {
			t.Fatalf("got %+v", c)
		}
		_, err := PickPBC([]Candidate{c}, wsc.MAC{})
		if (err == nil) != (c.Class == PBC) {
			t.Fatalf("class %q, picked %v", c.Class, err)
		}
		if order := OrderPIN([]Candidate{c}, wsc.MAC{}, true); c.Unreadable && len(order) != 0 ||
			!c.Unreadable && len(order) != 1 {
			t.Fatalf("unreadable %v, order %v", c.Unreadable, order)
		}
	})
}
