package ie

import (
	"fmt"
	"testing"
)

// neighbourhood is the elements of n BSSs without WSC, of some 200 bytes each.
func neighbourhood(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		b := Append(nil, IDSSID, fmt.Appendf(nil, "network %d", i))
		b = Append(b, 1, []byte{0x82, 0x84, 0x8b, 0x96, 0x0c, 0x12, 0x18, 0x24})
		b = Append(b, 3, []byte{byte(i % 13)})
		b = Append(b, IDRSN, []byte(rsn(2)))
		b = Append(b, 45, make([]byte, 26))
		b = Append(b, 61, make([]byte, 22))
		b = Append(b, 127, make([]byte, 8))
		all[i] = Append(b, IDVendor, append([]byte("\x00\x50\xf2\x02"), make([]byte, 20)...))
	}
	return all
}

func TestLookingForWSCDoesNotAllocate(t *testing.T) {
	all := append(neighbourhood(10), AppendWSC(nil, make([]byte, 200)))
	n := testing.AllocsPerRun(10, func() {
		for _, b := range all {
			WSC(b, nil)
			SSID(b)
			SecurityOf(b, true)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWSCOf1000BSSsWithout(b *testing.B) {
	all := neighbourhood(1000)
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range all {
			if _, ok := WSC(e, nil); ok {
				b.Fatal("found")
			}
		}
	}
}

func BenchmarkSecurityOf1000BSSs(b *testing.B) {
	all := neighbourhood(1000)
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range all {
			if SecurityOf(e, true) != WPA2PSK {
				b.Fatal("not WPA2-Personal")
			}
		}
	}
}
