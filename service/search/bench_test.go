package search

import (
	"strconv"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// BenchmarkLook is a look that hears so many access points with WPS, and the decision after it:
// linear, until maxHeard bounds what is kept.
func BenchmarkLook(b *testing.B) {
	for _, count := range []int{10, 100, 1000, 10000} {
		var found Found
		for i := range count {
			c := sighted(1, 2437, discovery.Plain, discovery.NotAuthorized)
			c.BSSID = wsc.MAC{2, 0, 1, byte(i >> 16), byte(i >> 8), byte(i)}
			found.Candidates = append(found.Candidates, c)
		}
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			now := noon
			s := New(Goal{Button: true}, now, nil, nil)
			s.SetChannels([]drivers.Channel{{Frequency: 2437}})
			b.ReportAllocs()
			for b.Loop() {
				s.Looked(now, now, Look{Frequencies: []int{2437}}, found)
				if step := s.Next(now); step.Try != nil || step.Err != nil {
					b.Fatalf("%+v", step)
				}
				now = now.Add(time.Second)
				for i := range found.Candidates {
					found.Candidates[i].Seen = now
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/BSS")
		})
	}
}
