package main

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// BenchmarkToken is one token in memory, on one processor.
func BenchmarkToken(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		t, err := newToken(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		text := t.appendLines(nil)
		clear(text)
		t.wipe()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}

// BenchmarkTable and BenchmarkDirectory are what a factory gets: on all processors, to the disk.
func BenchmarkTable(b *testing.B) {
	to, err := newTable(filepath.Join(b.TempDir(), "t.csv"))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkBatch(b, to)
}

func BenchmarkDirectory(b *testing.B) {
	to, err := newDirectory(b.TempDir(), maxCount)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkBatch(b, to)
}

func benchmarkBatch(b *testing.B, to sink) {
	var made atomic.Int64
	b.ResetTimer()
	if err := produce(context.Background(), rand.Reader, b.N, to, &made); err != nil {
		b.Fatal(err)
	}
	if err := to.close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}
