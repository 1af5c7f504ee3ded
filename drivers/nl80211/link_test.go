package nl80211

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// happening is an event that the kernel tells after CONNECT was accepted.
type happening struct {
	command uint8
	fill    func(e *netlink.AttributeEncoder)
}

// connected is the news of an association.
func connected(e *netlink.AttributeEncoder) {
	e.Uint16(unix.NL80211_ATTR_STATUS_CODE, 0)
	e.Bytes(unix.NL80211_ATTR_MAC, fakeBSSID[:])
}

// eapol is a frame of the access point.
func eapol(frame string) func(e *netlink.AttributeEncoder) {
	return frameFrom(fakeBSSID, unix.ETH_P_PAE, []byte(frame))
}

func frameFrom(source [6]byte, etherType uint16, frame []byte) func(e *netlink.AttributeEncoder) {
	return func(e *netlink.AttributeEncoder) {
		e.Bytes(unix.NL80211_ATTR_FRAME, frame)
		e.Bytes(unix.NL80211_ATTR_MAC, source[:])
		e.Uint16(unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE, etherType)
	}
}

// disconnected is the news of a loss.
func disconnected(reason uint16, byPeer bool) func(e *netlink.AttributeEncoder) {
	return func(e *netlink.AttributeEncoder) {
		e.Uint16(unix.NL80211_ATTR_REASON_CODE, reason)
		e.Flag(unix.NL80211_ATTR_DISCONNECTED_BY_AP, byPeer)
	}
}

// connecting lets events follow an accepted CONNECT.
func connecting(k *fakeKernel, events ...happening) func(uint8, []byte) syscall.Errno {
	return func(c uint8, _ []byte) syscall.Errno {
		if c == unix.NL80211_CMD_CONNECT {
			go func() {
				time.Sleep(10 * time.Millisecond)
				for _, e := range events {
					k.event(e.command, e.fill)
				}
			}()
		}
		return 0
	}
}

var toFake = drivers.AssociateRequest{BSSID: fakeBSSID, SSID: []byte("fake"), Frequency: 2412,
	Privacy: true}

const (
	eventConnect    = unix.NL80211_CMD_CONNECT
	eventDisconnect = unix.NL80211_CMD_DISCONNECT
	eventFrame      = unix.NL80211_CMD_CONTROL_PORT_FRAME
	eventRoam       = unix.NL80211_CMD_ROAM
)

func TestAssociate(t *testing.T) {
	other := [6]byte{2, 0, 0, 0, 0, 9}
	for _, c := range []struct {
		name   string
		answer syscall.Errno // to CONNECT
		events []happening
		block  bool
		want   error // nil: associated
		status uint16
	}{
		{name: "status 0 is an association", events: []happening{{eventConnect, connected}}},
		{
			name: "another status is a refusal",
			events: []happening{{eventConnect, func(e *netlink.AttributeEncoder) {
				e.Uint16(unix.NL80211_ATTR_STATUS_CODE, 17)
			}}},
			want: drivers.ErrAssociation, status: 17,
		},
		{
			name: "no answer has no status, though the kernel makes one up",
			events: []happening{{eventConnect, func(e *netlink.AttributeEncoder) {
				e.Uint16(unix.NL80211_ATTR_STATUS_CODE, 1)
				e.Flag(unix.NL80211_ATTR_TIMED_OUT, true)
			}}},
			want: drivers.ErrAssociation,
		},
		{name: "a result without a status is a failure", events: []happening{{eventConnect, nil}},
			want: drivers.ErrAssociation},
		{
			name: "an association with another access point is a failure",
			events: []happening{{eventConnect, func(e *netlink.AttributeEncoder) {
				e.Uint16(unix.NL80211_ATTR_STATUS_CODE, 0)
				e.Bytes(unix.NL80211_ATTR_MAC, other[:])
			}}},
			want: drivers.ErrAssociation,
		},
		{name: "a disconnection before the association is a failure",
			events: []happening{{eventDisconnect, disconnected(2, true)}},
			want:   drivers.ErrAssociation},
		{name: "nothing at all is a failure after a while", want: drivers.ErrAssociation},
		{name: "EALREADY is ErrBusy", answer: unix.EALREADY, want: drivers.ErrBusy},
		{name: "EINPROGRESS is ErrBusy", answer: unix.EINPROGRESS, want: drivers.ErrBusy},
		{name: "ERFKILL is ErrRadioBlocked", answer: unix.ERFKILL, want: drivers.ErrRadioBlocked},
		{name: "EINVAL is told as it is", answer: unix.EINVAL, want: unix.EINVAL},
		{
			name: "a failure with a blocked radio is ErrRadioBlocked",
			events: []happening{{eventConnect, func(e *netlink.AttributeEncoder) {
				e.Flag(unix.NL80211_ATTR_TIMED_OUT, true)
			}}},
			block: true, want: drivers.ErrRadioBlocked,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &fakeKernel{sysfs: t.TempDir()}
				follow := connecting(k, c.events...)
				k.answer = func(command uint8, attrs []byte) syscall.Errno {
					if command == unix.NL80211_CMD_CONNECT && c.answer != 0 {
						return c.answer
					}
					return follow(command, attrs)
				}
				if c.block {
					k.block()
				}
				s := newFakeStation(t, k)
				link, err := s.Associate(t.Context(), toFake)
				if !errors.Is(err, c.want) || (link == nil) != (c.want != nil) {
					t.Fatalf("Associate: %v, %v", link, err)
				}
				var lost *drivers.LostError
				if errors.As(err, &lost) && lost.Status != c.status {
					t.Errorf("status %d, not %d", lost.Status, c.status)
				}
				// Whatever happened: the next attempt is not hindered by this one.
				if c.want != nil {
					k.set(func(k *fakeKernel) {
						k.answer = connecting(k, happening{eventConnect, connected})
					})
					if _, err := s.Associate(t.Context(), toFake); err != nil {
						t.Errorf("the next Associate: %v", err)
					}
				}
			})
		})
	}
}

func TestReceive(t *testing.T) {
	stranger := [6]byte{2, 0, 0, 0, 0, 9}
	up := happening{eventConnect, connected}
	for _, c := range []struct {
		name   string
		events []happening
		block  bool
		frames []string
		want   error // at the end
		lost   drivers.LostError
	}{
		{
			name:   "a frame that comes before the association is kept",
			events: []happening{{eventFrame, eapol("early")}, up},
			frames: []string{"early"}, want: context.DeadlineExceeded,
		},
		{
			name: "frames before the loss come first, then its reason",
			events: []happening{up, {eventFrame, eapol("one")}, {eventFrame, eapol("two")},
				{eventDisconnect, disconnected(23, true)}},
			frames: []string{"one", "two"}, want: drivers.ErrLinkLost,
			lost: drivers.LostError{Reason: 23, ByPeer: true},
		},
		{
			name: "frames after the loss are nobody's",
			events: []happening{up, {eventDisconnect, disconnected(4, false)},
				{eventFrame, eapol("late")}},
			want: drivers.ErrLinkLost, lost: drivers.LostError{Reason: 4},
		},
		{
			name:   "a loss with a blocked radio is ErrRadioBlocked",
			events: []happening{up, {eventDisconnect, disconnected(3, false)}},
			block:  true, want: drivers.ErrRadioBlocked, lost: drivers.LostError{Reason: 3},
		},
		{
			name: "frames of strangers, of other protocols, empty and endless ones are ignored",
			events: []happening{
				up,
				{eventFrame, frameFrom(stranger, unix.ETH_P_PAE, []byte("stranger"))},
				{eventFrame, frameFrom(fakeBSSID, 0x88c7, []byte("preauthentication"))},
				{eventFrame, eapol("")},
				{eventFrame, frameFrom(fakeBSSID, unix.ETH_P_PAE, make([]byte, maxFrame+1))},
				{eventFrame, eapol("good")},
			},
			frames: []string{"good"}, want: context.DeadlineExceeded,
		},
		{
			name: "roaming to another access point is a loss",
			events: []happening{up, {eventRoam, func(e *netlink.AttributeEncoder) {
				e.Bytes(unix.NL80211_ATTR_MAC, stranger[:])
			}}},
			want: drivers.ErrLinkLost,
		},
		{
			name:   "an association that was not asked for changes nothing",
			events: []happening{up, up, {eventFrame, eapol("still")}},
			frames: []string{"still"}, want: context.DeadlineExceeded,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &fakeKernel{sysfs: t.TempDir()}
				k.answer = connecting(k, c.events...)
				if c.block {
					k.block()
				}
				s := newFakeStation(t, k)
				link, err := s.Associate(t.Context(), toFake)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				for _, want := range c.frames {
					if frame, err := link.Receive(ctx); string(frame) != want {
						t.Fatalf("Receive: %q, %v, not %q", frame, err, want)
					}
				}
				_, err = link.Receive(ctx)
				if !errors.Is(err, c.want) {
					t.Fatalf("Receive: %v, not %v", err, c.want)
				}
				var lost *drivers.LostError
				if errors.As(err, &lost) &&
					(lost.Reason != c.lost.Reason || lost.ByPeer != c.lost.ByPeer) {
					t.Errorf("Receive: %+v, not %+v", lost, c.lost)
				}
			})
		})
	}
}

func TestAFloodOfFramesIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(fakeKernel)
		k.answer = connecting(k, happening{eventConnect, connected})
		s := newFakeStation(t, k)
		link, err := s.Associate(t.Context(), toFake)
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			k.event(eventFrame, eapol("flood"))
		}
		k.event(eventDisconnect, disconnected(1, true))
		synctest.Wait() // nobody has asked for a frame yet
		n := 0
		for ; err == nil; n++ {
			_, err = link.Receive(t.Context())
		}
		if n != maxFrames+1 || !errors.Is(err, drivers.ErrLinkLost) {
			t.Errorf("%d frames, then %v", n-1, err)
		}
	})
}

func TestAnOverrunAsksWhetherTheLinkIsThere(t *testing.T) {
	for _, c := range []struct {
		name string
		ssid []byte
		want error
	}{
		{name: "the interface is still associated", ssid: []byte("fake"),
			want: context.DeadlineExceeded},
		{name: "the interface is not associated any more", want: drivers.ErrLinkLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := new(fakeKernel)
				k.answer = connecting(k, happening{eventConnect, connected})
				s := newFakeStation(t, k)
				link, err := s.Associate(t.Context(), toFake)
				if err != nil {
					t.Fatal(err)
				}
				k.set(func(k *fakeKernel) { k.ssid = c.ssid })
				k.everywhere(fakeItem{err: &netlink.OpError{Op: "receive", Err: unix.ENOBUFS}})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := link.Receive(ctx); !errors.Is(err, c.want) {
					t.Errorf("Receive: %v, not %v", err, c.want)
				}
				k.set(func(k *fakeKernel) { k.ssid = nil })
			})
		})
	}
}

func TestSend(t *testing.T) {
	for _, c := range []struct {
		name   string
		frame  int
		answer syscall.Errno
		want   error
		fails  bool
	}{
		{name: "a frame is sent", frame: 10},
		{name: "ENOTCONN is a lost link whose news is on its way", frame: 10, answer: unix.ENOTCONN,
			want: drivers.ErrLinkLost, fails: true},
		{name: "a radio that cannot send is told", frame: 10, answer: unix.EIO, want: unix.EIO,
			fails: true},
		{name: "a frame that no radio takes is refused", frame: maxFrame + 1, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := new(fakeKernel)
				k.answer = connecting(k, happening{eventConnect, connected})
				s := newFakeStation(t, k)
				link, err := s.Associate(t.Context(), toFake)
				if err != nil {
					t.Fatal(err)
				}
				k.set(func(k *fakeKernel) {
					k.answer = refusing(unix.NL80211_CMD_CONTROL_PORT_FRAME, c.answer)
				})
				err = link.Send(t.Context(), make([]byte, c.frame))
				if (err != nil) != c.fails || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("Send: %v", err)
				}
			})
		})
	}
}

func TestABrokenSocketEndsWhatIsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(fakeKernel)
		s := newFakeStation(t, k)
		go func() {
			time.Sleep(10 * time.Millisecond)
			s.port.conn.Close()
		}()
		if _, err := s.Scan(t.Context(), drivers.ScanRequest{}); !errors.Is(err, errNoPort) {
			t.Errorf("Scan: %v", err)
		}
		if _, err := s.Associate(t.Context(), toFake); !errors.Is(err, errNoPort) {
			t.Errorf("Associate: %v", err)
		}
	})
}
