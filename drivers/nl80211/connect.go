package nl80211

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

const (
	// associateTime is the longest that the kernel may take. mac80211 tries authentication and
	// association three times each, 200 ms apart, after a look at the channel if need be.
	associateTime = 10 * time.Second
	// disconnectTime is how long a radio may take to disconnect; mac80211 has done it when it
	// answers.
	disconnectTime = time.Second

	reasonLeaving = 3 // IEEE 802.11: deauthenticated because the station is leaving
)

// Associate implements drivers.Station. An interface that is associated, by whomever, is ErrBusy.
func (s *Station) Associate(ctx context.Context, r drivers.AssociateRequest) (drivers.Link, error) {
	s.using.Lock()
	defer s.using.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if l := s.currentLink(); l != nil && !l.isOver() {
		return nil, fmt.Errorf("nl80211: %s has a Link: %w", s.name, drivers.ErrBusy)
	}
	can, err := s.can(ctx)
	if err != nil {
		return nil, err
	}
	// Without control port frames in nl80211, EAPOL is for a packet socket.
	overNetlink := can.hasExtended(unix.NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211) &&
		!s.driver.kernel.packetsOnly
	attrs, err := s.connectAttributes(r, overNetlink)
	if err != nil {
		return nil, err
	}
	l := newLink(s, r.BSSID)
	if !overNetlink {
		if err := l.listen(); err != nil {
			return nil, s.explain("associate", err)
		}
	}
	// From here on the link takes what comes: frames may come before the news of the association.
	s.setLink(l)
	if err := s.command(ctx, unix.NL80211_CMD_CONNECT, attrs, nil); err != nil {
		l.lose(drivers.LostError{}, nil)
		return nil, s.explain("associate", err)
	}
	if err := s.awaitLink(ctx, l); err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Station) setLink(l *Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = l
}

// connectAttributes encodes the request for an open association through the kernel's SME. BSSID and
// frequency are pinned: with both, and with the access point in the kernel's list, no scan comes
// first.
func (s *Station) connectAttributes(r drivers.AssociateRequest, overNetlink bool) ([]byte, error) {
	if len(r.SSID) > 32 {
		return nil, fmt.Errorf("nl80211: associate: an SSID of %d bytes", len(r.SSID))
	}
	return attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(s.index))
		e.Bytes(unix.NL80211_ATTR_MAC, r.BSSID[:])
		e.Bytes(unix.NL80211_ATTR_SSID, r.SSID)
		e.Uint32(unix.NL80211_ATTR_WIPHY_FREQ, uint32(r.Frequency))
		e.Uint32(unix.NL80211_ATTR_AUTH_TYPE, unix.NL80211_AUTHTYPE_OPEN_SYSTEM)
		if r.Privacy {
			flag(e, unix.NL80211_ATTR_PRIVACY)
		}
		if len(r.IEs) > 0 {
			e.Bytes(unix.NL80211_ATTR_IE, r.IEs)
		}
		// Until somebody authorizes the port, which nobody does here, only EAPOL frames pass, in
		// clear.
		flag(e, unix.NL80211_ATTR_CONTROL_PORT)
		e.Uint16(unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE, unix.ETH_P_PAE)
		flag(e, unix.NL80211_ATTR_CONTROL_PORT_NO_ENCRYPT)
		if overNetlink {
			flag(e, unix.NL80211_ATTR_CONTROL_PORT_OVER_NL80211)
		}
		// The association ends with our socket, even if we are killed.
		flag(e, unix.NL80211_ATTR_SOCKET_OWNER)
	})
}

// awaitLink waits until the link is there, or gives up on it.
func (s *Station) awaitLink(ctx context.Context, l *Link) error {
	timeout := time.NewTimer(associateTime)
	defer timeout.Stop()
	var reason error
	select {
	case <-l.connected:
		return nil
	case <-l.over:
		return fmt.Errorf("nl80211: %s: associate: %w", s.name, l.reason())
	case <-ctx.Done():
		reason = ctx.Err()
	case <-s.ctx.Done():
		reason = fmt.Errorf("nl80211: %s: associate: %w", s.name, context.Cause(s.ctx))
	case <-s.port.done:
		reason = s.explain("associate", errNoPort)
	case <-timeout.C:
		reason = fmt.Errorf("nl80211: %s: associate: %w", s.name,
			&drivers.LostError{Err: drivers.ErrAssociation})
	}
	l.close()
	return reason
}

// disconnect ends the association or the attempt, and returns when the kernel has done so.
func (s *Station) disconnect(l *Link) error {
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(s.index))
		e.Uint16(unix.NL80211_ATTR_REASON_CODE, reasonLeaving)
	})
	if err != nil {
		return err
	}
	err = s.port.request(unix.NL80211_CMD_DISCONNECT, attrs, nil)
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOTCONN), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENETDOWN),
		errors.Is(err, errNoPort):
		return nil // it is over already
	default:
		return fmt.Errorf("nl80211: %s: disconnect: %w", s.name, err)
	}
	// An attempt that is called off is not told as an end; one look tells whether there is anything
	// to wait for.
	if n, err := s.driver.queries.netdev(context.Background(), s.index); err != nil ||
		n.ssid == nil {
		return nil
	}
	timeout := time.NewTimer(disconnectTime)
	defer timeout.Stop()
	select {
	case <-l.over:
		return nil
	case <-s.port.done:
		return nil
	case <-timeout.C:
		return fmt.Errorf("nl80211: %s: the radio did not disconnect in %v", s.name, disconnectTime)
	}
}
