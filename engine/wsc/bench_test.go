package wsc

import "testing"

func benchmarkParse(b *testing.B, file, name string) {
	wire, c := load(b, file), codecs[name]
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.parse(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAttributes(b *testing.B) {
	wire := load(b, "m1")
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		for id, v := range Attributes(wire) {
			if id == AttrPublicKey && len(v) != 192 {
				b.Fatal("wrong length")
			}
		}
	}
}

func BenchmarkAppendAttribute(b *testing.B) {
	value := make([]byte, 192)
	buffer := make([]byte, 0, 256)
	b.SetBytes(int64(headerLen + len(value)))
	b.ReportAllocs()
	for b.Loop() {
		buffer = AppendAttribute(buffer[:0], AttrPublicKey, value)
	}
}

func BenchmarkParseM1(b *testing.B) { benchmarkParse(b, "m1", "M1") }
func BenchmarkParseM4(b *testing.B) { benchmarkParse(b, "m4", "M4") }
func BenchmarkParseSettings(b *testing.B) {
	benchmarkParse(b, "settings-m8-station", "Encrypted Settings")
}
func BenchmarkParseAdvertisement(b *testing.B) {
	benchmarkParse(b, "probe-response", "Probe Response")
}
func BenchmarkParseBeacon(b *testing.B) { benchmarkParse(b, "beacon-plain", "Beacon") }

func BenchmarkAppendM1(b *testing.B) {
	m, err := ParseM1(load(b, "m1"))
	if err != nil {
		b.Fatal(err)
	}
	buffer := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buffer = m.Append(buffer[:0])
	}
}
