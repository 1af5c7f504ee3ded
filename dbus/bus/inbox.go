package bus

import (
	"errors"
	"sync"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/fence"
)

// What waits at most for Signals.
const (
	maxSignals     = 4096
	maxSignalBytes = 4 << 20
)

// ErrTooMany ends a connection whose signals are not taken: to leave some out would tell a lie.
var ErrTooMany = errors.New("the connection to the bus was closed: too many signals wait")

// inbox holds signals until somebody takes them: calls can be made meanwhile, whose answers come
// after those signals.
type inbox struct {
	mu    sync.Mutex
	queue []*Message
	bytes int
	ready chan struct{} // holds a value while there may be something
}

// put adds a signal; false: there is no room.
func (b *inbox) put(m *Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) >= maxSignals || b.bytes+len(m.Frame) > maxSignalBytes {
		return false
	}
	b.queue = append(b.queue, m)
	b.bytes += len(m.Frame)
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

// take removes all that is there.
func (b *inbox) take() []*Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.queue
	b.queue, b.bytes = nil, 0
	return all
}

// Signals returns a channel of the signals that are listened to, in their order. It is closed when
// the connection has ended. One that cannot be decoded is left out. It is called once, and not with
// OnSignal.
func (c *Conn) Signals() <-chan *godbus.Signal {
	ch := make(chan *godbus.Signal)
	c.work.Go(fence.Func(nil, "signals of the bus", func() {
		defer close(ch)
		for {
			select {
			case <-c.inbox.ready:
			case <-c.ctx.Done():
				return
			}
			for _, m := range c.inbox.take() {
				body, err := m.Body()
				if err != nil {
					continue
				}
				select {
				case ch <- &godbus.Signal{Sender: m.Sender, Path: m.Path,
					Name: m.Interface + "." + m.Member, Body: body}:
				case <-c.ctx.Done():
					return
				}
			}
		}
	}, c.end))
	return ch
}
