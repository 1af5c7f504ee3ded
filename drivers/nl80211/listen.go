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

// listener hears of the scans of all programs, while somebody wants to know: it is in nl80211's
// group "scan", which everybody may join, and whose events bring no results. Those are in the
// kernel's list. It has a socket and a goroutine as long as it listens.
type listener struct {
	heard chan drivers.HeardScan

	mu     sync.Mutex
	conn   socket // nil: it does not listen
	closed bool
	wait   sync.WaitGroup
}

// newListener has room for a value of each of a few radios: what is lost, the next scan brings.
func newListener() *listener { return &listener{heard: make(chan drivers.HeardScan, 16)} }

// Heard implements drivers.Listener.
func (d *Driver) Heard() <-chan drivers.HeardScan { return d.listener.heard }

// Listen implements drivers.Listener. That the kernel has no Wi-Fi yet is no error: there are no
// interfaces then, and with the first one it is called again.
func (d *Driver) Listen(on bool) error {
	l := d.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !on:
		l.stop()
		return nil
	case l.closed:
		return drivers.ErrClosed
	case l.conn != nil:
		return nil
	}
	f, err := d.queries.current()
	if err != nil {
		return fmt.Errorf("nl80211: listen to scans: %w", err)
	}
	conn, err := d.kernel.generic()
	if err != nil {
		return fmt.Errorf("nl80211: open a netlink socket: %w", err)
	}
	if err := f.join(conn, unix.NL80211_MULTICAST_GROUP_SCAN); err != nil {
		conn.Close()
		return err
	}
	l.conn = conn
	l.wait.Go(fence.Keep(d.log, "nl80211: scans of others", func() { d.listen(conn) }))
	return nil
}

// stop ends the listening. The caller holds mu.
func (l *listener) stop() {
	if l.conn == nil {
		return
	}
	l.conn.Close()
	l.conn = nil
	l.wait.Wait()
}

// relisten joins the group anew: with cfg80211 its number has changed.
func (d *Driver) relisten() {
	l := d.listener
	l.mu.Lock()
	listens := l.conn != nil
	l.stop()
	l.mu.Unlock()
	if !listens {
		return
	}
	if err := d.Listen(true); err != nil {
		d.log.Debug("scans of others will not be noticed", "err", err)
	}
}

// close ends it for good.
func (l *listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.stop()
}

// listen tells of each scan that ends until the socket is closed.
func (d *Driver) listen(conn socket) {
	o := others{driver: d, begun: make(map[uint32]time.Time)}
	for {
		messages, _, err := conn.Receive()
		switch {
		case err == nil:
			for _, m := range messages {
				o.event(m.Header.Command, m.Data)
			}
		case errors.Is(err, unix.ENOBUFS): // each scan that is still to come is one more chance
			clear(o.begun)
		case fromKernel(err), errors.Is(err, unix.EINTR):
		default:
			return
		}
	}
}

// others is what the listening goroutine knows.
type others struct {
	driver *Driver
	begun  map[uint32]time.Time // the scan of each radio
	list   []netdev             // the interfaces that there were
	listed time.Time            // when
}

// event takes one event. An aborted scan has heard something, too, and one that the radio does on
// its own, but nobody knows where they listened in vain.
func (o *others) event(command uint8, attrs []byte) {
	now := time.Now()
	e, ok := parseEvent(command, attrs)
	if !ok {
		return
	}
	scan := drivers.HeardScan{Ended: now}
	switch command {
	case unix.NL80211_CMD_TRIGGER_SCAN:
		if e.hasWiphy && len(o.begun) < maxRadios {
			o.begun[e.wiphy] = now
		}
		return
	case unix.NL80211_CMD_NEW_SCAN_RESULTS:
		scan.Frequencies = parseScanned(attrs)
		scan.Began = o.begun[e.wiphy]
		delete(o.begun, e.wiphy)
	case unix.NL80211_CMD_SCAN_ABORTED:
		delete(o.begun, e.wiphy)
	case unix.NL80211_CMD_SCHED_SCAN_RESULTS:
	default:
		return
	}
	for _, scan.Interface = range o.onRadio(e) {
		select {
		case o.driver.listener.heard <- scan:
		default:
		}
	}
}

const (
	// maxRadios and maxScanned bound what is kept of events.
	maxRadios  = 256
	maxScanned = 256
	// listTime is how long a list of the interfaces is good enough for the end of a scan: a session
	// of ours scans several times a second, and one that came since then hears the next scan.
	listTime = time.Second
	// shortScan are the flags of scans that may leave a channel before all who are there have
	// answered, or listen less well: to stay a set time at most, to let others do the asking, to be
	// quick, to spare power.
	shortScan = unix.NL80211_SCAN_FLAG_FILS_MAX_CHANNEL_TIME |
		unix.NL80211_SCAN_FLAG_OCE_PROBE_REQ_DEFERRAL_SUPPRESSION |
		unix.NL80211_SCAN_FLAG_LOW_SPAN | unix.NL80211_SCAN_FLAG_LOW_POWER
)

// parseScanned reads where each network was to be heard by a scan that has ended; nil: nowhere, or
// that cannot be told. The kernel repeats the request in the event. An active scan has to ask for
// everybody (the empty SSID): who is asked for by another name does not answer, and a Beacon comes
// less often than the radio stays. One that only listens has no SSID at all.
func parseScanned(attrs []byte) (frequencies []int) {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return nil
	}
	everybody, short := false, false
	for d.Next() {
		switch d.Type() {
		case unix.NL80211_ATTR_SCAN_SSIDS:
			everybody = len(d.Bytes()) == 0
			d.Nested(func(n *netlink.AttributeDecoder) error {
				for n.Next() {
					everybody = everybody || len(n.Bytes()) == 0
				}
				return nil
			})
		case unix.NL80211_ATTR_SCAN_FREQUENCIES:
			d.Nested(func(n *netlink.AttributeDecoder) error {
				for n.Next() && len(frequencies) < maxScanned {
					frequencies = append(frequencies, int(n.Uint32()))
				}
				return nil
			})
		case unix.NL80211_ATTR_SCAN_FLAGS:
			short = short || d.Uint32()&shortScan != 0
		case unix.NL80211_ATTR_MEASUREMENT_DURATION:
			short = true // somebody measures, and says how long it stays
		}
	}
	if d.Err() != nil || !everybody || short {
		return nil
	}
	return frequencies
}

// onRadio names the interfaces of the radio that an event is about: they share what was heard, also
// by one that has no name, as a device for Wi-Fi Direct.
func (o *others) onRadio(e event) []string {
	if now := time.Now(); now.Sub(o.listed) >= listTime {
		list, err := o.driver.queries.netdevs(context.Background())
		if err != nil {
			return nil
		}
		o.list, o.listed = list, now
	}
	var names []string
	for _, n := range o.list {
		if n.mode == drivers.ModeStation && !o.driver.isApart(n.name) &&
			(e.hasWiphy && n.wiphy == e.wiphy || !e.hasWiphy && n.index == e.ifindex) {
			names = append(names, n.name)
		}
	}
	return names
}

// Air implements drivers.Listener.
func (d *Driver) Air(ctx context.Context, ifname string,
	maxAge time.Duration) ([]drivers.BSS, error) {
	n, err := d.find(ctx, ifname)
	if err != nil {
		return nil, err
	}
	oldest := bootTime() - maxAge
	return (&Station{driver: d, index: n.index, name: ifname}).results(ctx,
		func(h *heard) bool { return h.seen >= oldest })
}
