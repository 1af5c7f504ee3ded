package sim

import (
	"bytes"
	"context"
	"sync"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
)

// queueLength is how many frames wait on either side of a link; more are lost, as in a socket.
const queueLength = 64

// link is an association: this side is the station's, association is the access point's.
type link struct {
	s    *station
	bss  *bss
	down chan []byte // to the station
	up   chan []byte // to the access point

	once  sync.Once
	lost  chan struct{}
	cause error         // why it was lost; set before lost is closed
	done  chan struct{} // closed when the access point's side has ended
}

var _ drivers.Link = (*link)(nil)

// sever ends the association for the first reason given. It takes no lock.
func (l *link) sever(cause error) {
	l.once.Do(func() {
		l.cause = cause
		close(l.lost)
	})
}

func (l *link) isLost() bool { return isClosed(l.lost) }

// Send implements drivers.Link.
func (l *link) Send(ctx context.Context, frame []byte) error {
	frame = bytes.Clone(frame)
	if l.isLost() {
		return l.cause
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t := time.NewTimer(l.s.d.air(frameTime))
	defer t.Stop()
	select {
	case <-l.lost:
		return l.cause
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	}
	l.trace(Frame{Kind: EAPOL, From: l.s.r.MAC, To: l.bss.BSSID, Body: frame})
	select {
	case l.up <- frame:
	default: // the access point does not keep up: the frame is lost
	}
	return nil
}

// Receive implements drivers.Link.
func (l *link) Receive(ctx context.Context) ([]byte, error) {
	select { // frames that came before the loss come first
	case f := <-l.down:
		return f, nil
	default:
	}
	select {
	case f := <-l.down:
		return f, nil
	case <-l.lost:
		select {
		case f := <-l.down:
			return f, nil
		default:
			return nil, l.cause
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deliver is a frame of the access point arriving.
func (l *link) deliver(frame []byte) {
	l.trace(Frame{Kind: EAPOL, From: l.bss.BSSID, To: l.s.r.MAC, Body: frame})
	select {
	case l.down <- frame:
	default: // nobody receives: the frame is lost
	}
}

// Reason codes (IEEE 802.11).
const (
	reasonLeaving    = 3
	reasonInactivity = 4
	reason8021X      = 23
)

// Close implements drivers.Link.
func (l *link) Close() error {
	if !l.isLost() {
		l.deauthentication(l.s.r.MAC, l.bss.BSSID, reasonLeaving)
	}
	l.sever(drivers.ErrClosed)
	<-l.done
	return nil
}

func (l *link) deauthentication(from, to wsc.MAC, reason uint16) {
	l.trace(Frame{Kind: Deauthentication, From: from, To: to,
		Body: []byte{byte(reason), byte(reason >> 8)}})
}

func (l *link) trace(f Frame) {
	f.At, f.Frequency = time.Now(), l.bss.Frequency
	l.s.d.world.trace(f)
}
