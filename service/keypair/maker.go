package keypair

import (
	"context"
	"io"
	"time"

	"wpsd/engine/wsccrypto"
	"wpsd/service/fence"
)

// keyMaker makes Diffie-Hellman key pairs ahead of time, one at a time: while we scan there is
// nothing else to compute, and M1 can go out at once.
type Maker struct {
	Rand io.Reader
	next chan madeKey // receives the pair that is being made; nil: none is
	// ends its waiting for a moment: true, it is needed; false, it is not. nil: it does not wait
	hurry chan bool
}

type madeKey struct {
	pair *wsccrypto.KeyPair
	err  error
}

// New begins to make the first pair.
func New(rand io.Reader) *Maker {
	m := &Maker{Rand: rand}
	m.Prepare()
	return m
}

// Prepare begins to make a pair unless there is one.
func (m *Maker) Prepare() { m.PrepareIn(0) }

// PrepareIn is prepare that waits for a moment when nothing else is to be done.
func (m *Maker) PrepareIn(pause time.Duration) {
	if m.next != nil {
		return
	}
	next, hurry := make(chan madeKey, 1), make(chan bool, 1)
	m.next, m.hurry = next, hurry
	go func() { // take or close waits for it
		if pause > 0 {
			select {
			case <-time.After(pause):
			case needed := <-hurry:
				if !needed {
					next <- madeKey{}
					return
				}
			}
		}
		var pair *wsccrypto.KeyPair
		err := fence.Do(nil, "making a key pair", func() (err error) {
			pair, err = wsccrypto.GenerateKeyPair(m.Rand)
			return err
		})
		next <- madeKey{pair, err}
	}()
}

// Take returns the pair, which is the caller's. The next one is for prepare to begin, when the
// exchange that this one is for does not need the processor.
func (m *Maker) Take(ctx context.Context) (*wsccrypto.KeyPair, error) {
	m.Prepare()
	m.settle(true)
	select {
	case made := <-m.next:
		m.next = nil
		return made.pair, made.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// settle ends the waiting of a pair for its moment.
func (m *Maker) settle(needed bool) {
	if m.hurry != nil {
		m.hurry <- needed
		m.hurry = nil
	}
}

// Prepared returns the pair that prepare began to make; nil: it has begun none.
func (m *Maker) Prepared() *wsccrypto.KeyPair {
	if m.next == nil {
		return nil
	}
	m.settle(true)
	made := <-m.next
	m.next = nil
	return made.pair
}

// Close waits for a pair that nobody took, and forgets it.
func (m *Maker) Close() {
	if m.next == nil {
		return
	}
	m.settle(false)
	if made := <-m.next; made.pair != nil {
		made.pair.Wipe()
	}
}
