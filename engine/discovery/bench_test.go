package discovery

import (
	"fmt"
	"testing"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// neighbourhood is n BSSs, of which every tenth speaks WSC if withWSC is set.
func neighbourhood(n int, withWSC bool) [][]byte {
	ad := wsc.Advertisement{
		Version2: wsc.Version20, State: wsc.Configured, ResponseType: wsc.ResponseAP, UUIDE: uuidA,
		HasUUIDE:     true,
		Manufacturer: "Maker", ModelName: "Router", ModelNumber: "1", SerialNumber: "0042",
		DeviceName: "Router",
	}
	all := make([][]byte, n)
	for i := range all {
		b := ie.Append(nil, ie.IDSSID, fmt.Appendf(nil, "network %d", i))
		b = ie.Append(b, 1, []byte{0x82, 0x84, 0x8b, 0x96, 0x0c, 0x12, 0x18, 0x24})
		b = ie.Append(b, ie.IDRSN, []byte("\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x02\x00\x00"))
		b = ie.Append(b, 45, make([]byte, 26))
		b = ie.Append(b, 61, make([]byte, 22))
		b = ie.Append(b, ie.IDVendor, append([]byte("\x00\x50\xf2\x02"), make([]byte, 20)...))
		if withWSC && i%10 == 0 {
			b = ie.AppendWSC(b, ad.AppendProbeResponse(nil))
		}
		all[i] = b
	}
	return all
}

func TestABSSWithoutWSCCostsNoAllocation(t *testing.T) {
	all := neighbourhood(20, false)
	n := testing.AllocsPerRun(10, func() {
		for _, b := range all {
			if _, ok := FromBSS(ap(0), 2412, -50, epoch, b, true, own); ok {
				t.Error("found")
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func benchmarkFromBSS(b *testing.B, withWSC bool) {
	all := neighbourhood(1000, withWSC)
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		for _, e := range all {
			if _, ok := FromBSS(ap(0), 2412, -50, epoch, e, true, own); ok {
				found++
			}
		}
		if withWSC != (found == 100) {
			b.Fatal(found)
		}
	}
}

func BenchmarkFlagsOf1000BSSsWithoutWSC(b *testing.B) { benchmarkFromBSS(b, false) }
func BenchmarkFlagsOf1000BSSs100WithWSC(b *testing.B) { benchmarkFromBSS(b, true) }

func BenchmarkPickPBCFrom1000(b *testing.B) {
	cs := make([]Candidate, 1000)
	for i := range cs {
		cs[i] = waiting(byte(i), -i%90, NotAuthorized, false, Plain)
		cs[i].BSSID[4] = byte(i >> 8)
	}
	cs[500] = pressedAP(7, 2412, -40, "home", uuidA)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PickPBC(cs, wsc.MAC{}); err != nil {
			b.Fatal(err)
		}
	}
}
