package nl80211

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
	"wpsd/service/fence"
)

// Link is an association, or the attempt at one. Methods of a nil Link do nothing, as after its
// end.
type Link struct {
	station *Station
	bssid   [6]byte
	packets packetSocket  // nil: EAPOL goes over nl80211
	drained chan struct{} // closed when packets is read no more

	frames    chan []byte   // received, not asked for yet
	connected chan struct{} // closed by the news that we are associated
	over      chan struct{} // closed at the end
	closed    chan struct{} // closed by Close

	mu        sync.Mutex
	isUp      bool  // connected is closed
	lost      error // why it is over
	closing   sync.Once
	closeDone error
}

var _ drivers.Link = (*Link)(nil)

// maxFrames is how many frames wait for Receive. EAP is question and answer: an access point that
// sends more than a few without an answer repeats itself, or means no good. What does not fit is
// dropped, as the air might have done.
const maxFrames = 64

func newLink(s *Station, bssid [6]byte) *Link {
	return &Link{
		station:   s,
		bssid:     bssid,
		frames:    make(chan []byte, maxFrames),
		connected: make(chan struct{}),
		over:      make(chan struct{}),
		closed:    make(chan struct{}),
	}
}

// listen opens the packet socket and starts reading, before the association begins.
func (l *Link) listen() error {
	c, err := l.station.driver.kernel.packet(l.station.index)
	if err != nil {
		return err
	}
	l.packets, l.drained = c, make(chan struct{})
	// a run without frames ends by itself
	go fence.Func(nil, "nl80211: the frames of a link", l.readPackets, nil)()
	return nil
}

// event takes what the kernel tells about the interface; it runs on the port's goroutine.
func (l *Link) event(e event) {
	if l == nil || l.isOver() {
		return
	}
	switch e.command {
	case unix.NL80211_CMD_CONTROL_PORT_FRAME:
		if e.hasMAC && e.mac == l.bssid && e.etherType == unix.ETH_P_PAE && len(e.frame) > 0 {
			l.deliver(e.frame)
		}
	case unix.NL80211_CMD_CONNECT:
		l.result(e)
	case unix.NL80211_CMD_ROAM:
		// a radio that does not keep to the BSSID that we asked for
		if e.hasMAC && e.mac != l.bssid {
			l.lose(drivers.LostError{}, nil)
		}
	case unix.NL80211_CMD_DISCONNECT:
		var cause error
		if !e.byPeer {
			cause = l.station.cause()
		}
		l.lose(drivers.LostError{Reason: e.reason, ByPeer: e.byPeer}, cause)
	}
}

// result takes the outcome of the attempt. Without an answer the kernel makes a status up, and says
// so.
func (l *Link) result(e event) {
	switch {
	case e.timedOut, !e.hasStatus:
		l.lose(drivers.LostError{}, l.station.cause())
	case e.status != 0:
		l.lose(drivers.LostError{Status: e.status}, nil)
	case e.hasMAC && e.mac != l.bssid:
		l.lose(drivers.LostError{}, nil)
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.isUp && l.lost == nil {
			l.isUp = true
			close(l.connected)
		}
	}
}

// overrun asks the kernel what the lost events would have told.
func (l *Link) overrun() {
	if l == nil || l.isOver() {
		return
	}
	n, err := l.station.driver.queries.netdev(context.Background(), l.station.index)
	if err != nil || n.ssid == nil {
		l.lose(drivers.LostError{}, l.station.cause())
	}
}

// deliver keeps a frame for Receive.
func (l *Link) deliver(frame []byte) {
	select {
	case l.frames <- frame:
	default:
	}
}

// lose ends the link. Before it was there, this is a failed association. cause, if not nil, tells
// more.
func (l *Link) lose(e drivers.LostError, cause error) {
	if l == nil {
		return
	}
	if l.packets != nil {
		// The frames that came before the loss come first: see lastFrames.
		_ = l.packets.SetReadDeadline(time.Now().Add(lastFrames)) // only a closed socket fails
		<-l.drained
		l.packets.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return
	}
	e.Err = drivers.ErrLinkLost
	if !l.isUp {
		e.Err = drivers.ErrAssociation
	}
	l.lost = &e
	if cause != nil {
		l.lost = fmt.Errorf("%w: %w", &e, cause)
	}
	close(l.over)
}

// isOver tells whether the link has ended.
func (l *Link) isOver() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// reason tells why the link is over.
func (l *Link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// usable tells why nothing more can be sent.
func (l *Link) usable(ctx context.Context) error {
	select {
	case <-l.closed:
		return drivers.ErrClosed
	default:
	}
	if l.isOver() {
		return l.reason()
	}
	return ctx.Err()
}

// Send implements drivers.Link.
func (l *Link) Send(ctx context.Context, frame []byte) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	if len(frame) > maxFrame {
		return fmt.Errorf("nl80211: a frame of %d bytes to send", len(frame))
	}
	err := l.send(frame)
	if err == nil {
		return nil
	}
	if over := l.usable(context.Background()); over != nil {
		return over
	}
	if errors.Is(err, unix.ENOTCONN) { // the news of the loss is on its way
		return &drivers.LostError{Err: drivers.ErrLinkLost}
	}
	return l.station.explain("send", err)
}

func (l *Link) send(frame []byte) error {
	if l.packets != nil {
		return l.sendPacket(frame)
	}
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(l.station.index))
		e.Bytes(unix.NL80211_ATTR_FRAME, frame)
		e.Bytes(unix.NL80211_ATTR_MAC, l.bssid[:])
		e.Uint16(unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE, unix.ETH_P_PAE)
		flag(e, unix.NL80211_ATTR_CONTROL_PORT_NO_ENCRYPT)
		// EAP has its own repetitions; whether the frame was heard need not wake us up.
		flag(e, unix.NL80211_ATTR_DONT_WAIT_FOR_ACK)
	})
	if err != nil {
		return err
	}
	return l.station.port.request(unix.NL80211_CMD_CONTROL_PORT_FRAME, attrs, nil)
}

// Receive implements drivers.Link.
func (l *Link) Receive(ctx context.Context) ([]byte, error) {
	select {
	case <-l.closed:
		return nil, drivers.ErrClosed
	default:
	}
	select {
	case frame := <-l.frames:
		return frame, nil
	default:
	}
	select {
	case frame := <-l.frames:
		return frame, nil
	case <-l.closed:
		return nil, drivers.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.over:
	}
	select {
	case frame := <-l.frames: // it came before the end
		return frame, nil
	default:
		return nil, l.reason()
	}
}

// Close implements drivers.Link.
func (l *Link) Close() error { return l.close() }

// close disconnects, unless the link is over: then the interface may be somebody else's by now.
func (l *Link) close() error {
	if l == nil {
		return nil
	}
	l.closing.Do(func() {
		close(l.closed)
		if !l.isOver() {
			l.closeDone = l.station.disconnect(l)
		}
		l.lose(drivers.LostError{}, nil)
	})
	return l.closeDone
}
