package store

import (
	"fmt"
	"strconv"
	"testing"
)

// BenchmarkOpen starts with so many stored networks, and lists them: linear, a file each. 256 are
// the most.
func BenchmarkOpen(b *testing.B) {
	for _, count := range []int{1, 16, 256} {
		dir := b.TempDir()
		s, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		for i := range count {
			if _, _, err := s.Put(network(fmt.Sprint("network ", i), nil)); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Open(dir)
				if err != nil {
					b.Fatal(err)
				}
				if got := len(s.Networks()); got != count {
					b.Fatalf("%d of %d networks", got, count)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
