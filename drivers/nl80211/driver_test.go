package nl80211

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// genlQueries asks a function that plays the kernel through a real netlink connection.
func genlQueries(t *testing.T, fn genltest.Func) *queries {
	t.Helper()
	f := genetlink.Family{ID: fakeFamily, Version: 1, Name: unix.NL80211_GENL_NAME}
	q := &queries{dial: func() (socket, error) {
		return genltest.Dial(genltest.ServeFamily(f, fn)), nil
	}}
	t.Cleanup(q.close)
	return q
}

func TestQueries(t *testing.T) {
	entry := []genetlink.Message{{Data: encode(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, 4)
		e.String(unix.NL80211_ATTR_IFNAME, "wlan0")
		e.Uint32(unix.NL80211_ATTR_IFTYPE, unix.NL80211_IFTYPE_STATION)
	})}}
	const dump = netlink.Request | netlink.Dump
	for _, c := range []struct {
		name string
		fn   genltest.Func
		list int
		want error // nil, or that the error has
		any  bool  // any error
		one  bool  // one interface is asked for rather than the list
	}{
		{
			name: "a list is asked for with the dump flag and decoded",
			fn: genltest.CheckRequest(fakeFamily, unix.NL80211_CMD_GET_INTERFACE, dump,
				func(genetlink.Message, netlink.Message) ([]genetlink.Message, error) {
					return entry, nil
				}),
			list: 1,
		},
		{
			name: "the kernel's error is told", one: true,
			fn: func(genetlink.Message, netlink.Message) ([]genetlink.Message, error) {
				return nil, genltest.Error(int(unix.EPERM))
			},
			want: os.ErrPermission,
		},
		{
			name: "a broken socket is told",
			fn: func(genetlink.Message, netlink.Message) ([]genetlink.Message, error) {
				return nil, unix.ENOBUFS
			},
			want: unix.ENOBUFS,
		},
		{
			name: "garbage is an error",
			fn: func(genetlink.Message, netlink.Message) ([]genetlink.Message, error) {
				return []genetlink.Message{{Data: []byte{255, 255, 255}}}, nil
			},
			any: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := genlQueries(t, c.fn)
			list, err := q.netdevs(t.Context())
			if c.one {
				_, err = q.netdev(t.Context(), 4)
			}
			if len(list) != c.list || !c.any && !errors.Is(err, c.want) || c.any && err == nil {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}

func TestQueriesDialAgainAfterABrokenSocket(t *testing.T) {
	k := new(fakeKernel)
	q := &queries{dial: k.dial}
	defer q.close()
	if _, err := q.netdevs(t.Context()); err != nil {
		t.Fatal(err)
	}
	// An answer to nobody's question is in the queue: what comes next cannot be trusted.
	k.sockets[0].queue <- fakeItem{err: &netlink.OpError{Op: "receive", Err: unix.ENOBUFS}}
	if _, err := q.netdevs(t.Context()); !errors.Is(err, unix.ENOBUFS) {
		t.Errorf("netdevs: %v", err)
	}
	if list, err := q.netdevs(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("netdevs on a new socket: %v, %v", list, err)
	}
	if len(k.sockets) != 2 {
		t.Errorf("%d sockets were opened", len(k.sockets))
	}
}

func TestAnInterruptedDumpIsReadAgain(t *testing.T) {
	for _, c := range []struct {
		name        string
		interrupted int
		asked       int
	}{
		{name: "a list that did not change is read once", asked: 1},
		{name: "a list that changed once is read twice", interrupted: 1, asked: 2},
		{name: "a list that changes all the time is taken in the end", interrupted: 100,
			asked: interruptions},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &changingSocket{fakeSocket: &fakeSocket{k: new(fakeKernel),
				queue: make(chan fakeItem, 1), closed: make(chan struct{})}, times: c.interrupted}
			q := &queries{dial: func() (socket, error) { return s, nil }}
			list, err := q.netdevs(t.Context())
			if len(list) != 1 || err != nil || s.asked != c.asked {
				t.Errorf("%v, %v, asked %d times", list, err, s.asked)
			}
		})
	}
}

// changingSocket marks its first lists as interrupted.
type changingSocket struct {
	*fakeSocket
	times, asked int
}

func (s *changingSocket) Receive() ([]genetlink.Message, []netlink.Message, error) {
	messages, headers, err := s.fakeSocket.Receive()
	s.asked++
	if s.asked <= s.times {
		headers[0].Header.Flags |= netlink.DumpInterrupted
	}
	return messages, headers, err
}

func TestStationOfADriver(t *testing.T) {
	k := new(fakeKernel)
	d := newFakeDriver(t, k)
	for _, c := range []struct {
		name   string
		ifname string
		want   error
	}{
		{name: "an interface that is there is taken", ifname: fakeName},
		{name: "a second time is ErrBusy", ifname: fakeName, want: drivers.ErrBusy},
		{name: "an interface that is not there is ErrNoInterface", ifname: "wlan9",
			want: drivers.ErrNoInterface},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := d.Station(t.Context(), c.ifname); !errors.Is(err, c.want) {
				t.Errorf("Station: %v, not %v", err, c.want)
			}
		})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Interfaces(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("Interfaces: %v", err)
	}
}

func TestAKernelWithoutWiFiHasNoInterfacesUntilItHas(t *testing.T) {
	k := &fakeKernel{absent: true}
	d := newFakeDriver(t, k)
	if list, err := d.Interfaces(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("Interfaces: %v, %v", list, err)
	}
	k.set(func(k *fakeKernel) { k.absent = false })
	other := encode(func(e *netlink.AttributeEncoder) {
		e.String(unix.CTRL_ATTR_FAMILY_NAME, "acpi_event")
	})
	k.tell(familyController, unix.CTRL_CMD_NEWFAMILY, other)
	wifi := encode(func(e *netlink.AttributeEncoder) {
		e.String(unix.CTRL_ATTR_FAMILY_NAME, "nl80211")
	})
	k.tell(familyController, unix.CTRL_CMD_NEWFAMILY, wifi)
	<-d.Changed()
	if list, err := d.Interfaces(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("Interfaces after the module is loaded: %v, %v", list, err)
	}
}

func TestLostEventsAreMadeUpFor(t *testing.T) {
	k := new(fakeKernel)
	d := newFakeDriver(t, k)
	s, err := d.Station(t.Context(), fakeName)
	if err != nil {
		t.Fatal(err)
	}
	k.set(func(k *fakeKernel) { k.gone = true })
	d.watch.config.(*fakeSocket).queue <- fakeItem{err: &netlink.OpError{Op: "receive",
		Err: os.NewSyscallError("recvmsg", unix.ENOBUFS)}}
	<-d.Changed()
	if _, err := s.Channels(t.Context()); !errors.Is(err, drivers.ErrInterfaceGone) {
		t.Errorf("Channels: %v, not ErrInterfaceGone", err)
	}
}

func TestLinkEvents(t *testing.T) {
	other := [6]byte{2, 0, 0, 0, 0, 99}
	for _, c := range []struct {
		name    string
		l       linkMessage
		changed bool
		gone    bool
	}{
		{name: "a link that goes up is no news",
			l: linkMessage{index: fakeIndex, name: fakeName, address: fakeAddress,
				addressed: true, up: true}},
		{name: "another interface is no news",
			l: linkMessage{index: 99, name: "veth0", gone: true}},
		{name: "the end of a scan, told without an address, is no news",
			l: linkMessage{index: fakeIndex, name: fakeName, up: true}},
		{name: "a new address is told", l: linkMessage{index: fakeIndex, name: fakeName,
			address: other, addressed: true}, changed: true},
		{name: "a new name ends the Station",
			l: linkMessage{index: fakeIndex, name: "wlan8", address: fakeAddress,
				addressed: true},
			changed: true, gone: true},
		{name: "a link that is gone ends the Station",
			l: linkMessage{index: fakeIndex, name: fakeName, address: fakeAddress, addressed: true,
				gone: true}, changed: true, gone: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFakeDriver(t, new(fakeKernel))
			s, err := d.Station(t.Context(), fakeName)
			if err != nil {
				t.Fatal(err)
			}
			d.watch.linkEvent(c.l)
			if changed := len(d.changed) == 1; changed != c.changed {
				t.Errorf("changed: %v", changed)
			}
			if _, err := s.Channels(t.Context()); errors.Is(err,
				drivers.ErrInterfaceGone) != c.gone {
				t.Errorf("Channels: %v", err)
			}
		})
	}
}

// TestLinksThatBeginToCarryData: whoever has connected or disconnected them, and each change once.
func TestLinksThatBeginToCarryData(t *testing.T) {
	d := newFakeDriver(t, new(fakeKernel))
	if _, err := d.Interfaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	link := linkMessage{index: fakeIndex, name: fakeName, address: fakeAddress,
		addressed: true, up: true}
	for _, step := range []struct {
		running bool
		told    int
	}{{false, 1}, {false, 0}, {true, 1}, {true, 0}, {false, 1}} {
		link.running = step.running
		d.watch.linkEvent(link)
		if got := len(d.Links()); got != step.told {
			t.Errorf("running %v: told %d times, not %d", step.running, got, step.told)
		}
		for len(d.Links()) > 0 {
			if name := <-d.Links(); name != fakeName {
				t.Errorf("told of %q", name)
			}
		}
	}
	d.watch.linkEvent(linkMessage{index: 99, name: "veth0", running: true})
	if len(d.Links()) != 0 {
		t.Error("told of another interface")
	}
	for range 100 { // who does not read holds nobody up
		link.running = !link.running
		d.watch.linkEvent(link)
	}
}

func TestASocketThatCannotBeOpened(t *testing.T) {
	refused := &net.OpError{Op: "socket", Err: syscall.EAFNOSUPPORT}
	k := kernel{generic: func() (socket, error) { return nil, refused }}
	if _, err := newDriver(nil, k); !errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Errorf("newDriver: %v", err)
	}
}
