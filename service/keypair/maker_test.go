package keypair

import (
	"crypto/rand"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a source of randomness that knows whether it was used.
type counted struct{ n atomic.Int64 }

func (c *counted) Read(b []byte) (int, error) {
	c.n.Add(1)
	return io.ReadFull(rand.Reader, b)
}

// TestKeyPairsThatWaitForTheirMoment are made then, or once they are needed, and not at all if
// nobody needs them.
func TestKeyPairsThatWaitForTheirMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &counted{}
		m := &Maker{Rand: source}
		if m.Prepared() != nil {
			t.Error("there is a pair that nobody asked for")
		}
		m.PrepareIn(time.Second)
		synctest.Wait()
		if source.n.Load() != 0 {
			t.Error("made at once")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if source.n.Load() == 0 {
			t.Error("not made in its moment")
		}
		if m.Prepared() == nil {
			t.Error("there is no pair")
		}
		began := time.Now()
		m.PrepareIn(time.Second)
		if m.Prepared() == nil || time.Since(began) != 0 {
			t.Error("whoever needs a pair has to wait for the moment")
		}
		used := source.n.Load()
		m.PrepareIn(time.Second)
		m.Close()
		if source.n.Load() != used || time.Since(began) != 0 {
			t.Error("a pair was made that nobody needs")
		}
	})
}
