package nl80211

import (
	"encoding/binary"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

const (
	fakeFamily = 28
	fakeIndex  = 7
	fakeName   = "wlan7"
)

var (
	fakeAddress = [6]byte{2, 0, 0, 0, 0, 7}
	fakeBSSID   = [6]byte{2, 0, 0, 0, 0, 1}
)

// fakeKernel answers as nl80211 does, as far as a case needs it: one interface, and what answer
// says. Its zero answers are success.
type fakeKernel struct {
	sysfs string

	mu       sync.Mutex
	answer   func(command uint8, attrs []byte) syscall.Errno // nil: success
	results  [][]byte                                        // of GET_SCAN
	ssid     []byte                                          // the interface is associated
	absent   bool                                            // nl80211 is not loaded
	gone     bool                                            // the interface is
	up       bool
	sets     []bool // what the driver has set links to
	ap       bool   // the interface is an access point
	refuseUp syscall.Errno
	apart    []netdev // interfaces that were made
	sameAddr bool     // what is made gets the address of the interface
	requests []uint8
	dumps    int // how many of them asked for all that there is
	sockets  []*fakeSocket
}

// fakeSocket queues what the kernel has for one reader.
type fakeSocket struct {
	k      *fakeKernel
	joined bool
	seq    uint32
	queue  chan fakeItem
	closed chan struct{}
	once   sync.Once
}

type fakeItem struct {
	messages []genetlink.Message
	headers  []netlink.Message
	err      error
}

// newFakeDriver makes a driver on a fake kernel; both end with the test.
func newFakeDriver(t *testing.T, k *fakeKernel) *Driver {
	t.Helper()
	if k.sysfs == "" {
		k.sysfs = t.TempDir()
	}
	d, err := newDriver(slog.New(slog.DiscardHandler), kernel{
		generic: k.dial,
		route:   k.dialRoute,
		packet:  func(int) (packetSocket, error) { return nil, unix.EPERM },
		sysfs:   k.sysfs,
		rfkill:  filepath.Join(k.sysfs, "no-rfkill"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return d
}

// newFakeStation takes the fake's interface.
func newFakeStation(t *testing.T, k *fakeKernel) *Station {
	t.Helper()
	s, err := newFakeDriver(t, k).Station(t.Context(), fakeName)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*Station)
}

func (k *fakeKernel) dial() (socket, error) {
	s := &fakeSocket{k: k, queue: make(chan fakeItem, 4096), closed: make(chan struct{})}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sockets = append(k.sockets, s)
	return s, nil
}

// set changes the fake while it is in use.
func (k *fakeKernel) set(change func(k *fakeKernel)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(k)
}

// count tells how often a command was requested.
func (k *fakeKernel) count(command uint8) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, c := range k.requests {
		if c == command {
			n++
		}
	}
	return n
}

// tell sends an event to everybody who has joined a group; kind is its family.
func (k *fakeKernel) tell(kind uint16, command uint8, attrs []byte) {
	k.everywhere(fakeItem{
		messages: []genetlink.Message{{Header: genetlink.Header{Command: command}, Data: attrs}},
		headers:  []netlink.Message{{Header: netlink.Header{Type: netlink.HeaderType(kind)}}},
	})
}

// event tells about our interface.
func (k *fakeKernel) event(command uint8, fill func(e *netlink.AttributeEncoder)) {
	k.tell(fakeFamily, command, encode(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_WIPHY, 3)
		e.Uint32(unix.NL80211_ATTR_IFINDEX, fakeIndex)
		if fill != nil {
			fill(e)
		}
	}))
}

func (k *fakeKernel) everywhere(item fakeItem) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sockets {
		if s.joined {
			s.queue <- item
		}
	}
}

// encode encodes attributes that cannot be too long.
func encode(fill func(e *netlink.AttributeEncoder)) []byte {
	b, err := attributes(fill)
	if err != nil {
		panic(err)
	}
	return b
}

func (s *fakeSocket) GetFamily(string) (genetlink.Family, error) {
	if s.k.absent {
		return genetlink.Family{}, &netlink.OpError{Op: "receive", Err: unix.ENOENT}
	}
	return genetlink.Family{ID: fakeFamily, Groups: []genetlink.MulticastGroup{
		{ID: 1, Name: "config"}, {ID: 2, Name: "scan"}, {ID: 3, Name: "mlme"},
		{ID: 4, Name: "regulatory"},
	}}, nil
}

func (s *fakeSocket) JoinGroup(uint32) error {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	s.joined = true
	return nil
}

func (s *fakeSocket) SetReadDeadline(time.Time) error { return nil }

func (s *fakeSocket) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *fakeSocket) Receive() ([]genetlink.Message, []netlink.Message, error) {
	select {
	case i := <-s.queue:
		return i.messages, i.headers, i.err
	case <-s.closed:
		return nil, nil, net.ErrClosed
	}
}

// Send has the answer in the queue before it returns, as the kernel does.
func (s *fakeSocket) Send(m genetlink.Message, _ uint16,
	flags netlink.HeaderFlags) (netlink.Message, error) {
	s.k.mu.Lock()
	s.seq++
	sent := netlink.Message{Header: netlink.Header{Sequence: s.seq, PID: 1}}
	s.k.requests = append(s.k.requests, m.Header.Command)
	if flags&netlink.Dump == netlink.Dump {
		s.k.dumps++
	}
	answer := s.k.answer
	s.k.mu.Unlock()

	var errno syscall.Errno
	if answer != nil {
		errno = answer(m.Header.Command, m.Data)
	}
	if errno == 0 {
		s.k.changes(m.Header.Command, m.Data)
	}
	item := fakeItem{}
	switch {
	case errno != 0:
		item.err = &netlink.OpError{Op: "receive", Err: errno, Sequence: s.seq}
	case flags&netlink.Acknowledge != 0:
		ack := sent
		ack.Header.Type = netlink.Error
		item.messages, item.headers = []genetlink.Message{{}}, []netlink.Message{ack}
	default:
		list := s.k.data(m.Header.Command)
		if m.Header.Command == unix.NL80211_CMD_GET_INTERFACE && flags&netlink.Dump == 0 {
			list = only(list, m.Data)
		}
		for _, data := range list {
			item.messages = append(item.messages, genetlink.Message{Data: data})
			item.headers = append(item.headers, sent)
		}
	}
	s.queue <- item
	return sent, nil
}

// only is of interfaces the one that was asked for.
func only(list [][]byte, attrs []byte) [][]byte {
	asked, _, _ := parseNetdev(attrs)
	return slices.DeleteFunc(list, func(data []byte) bool {
		n, _, err := parseNetdev(data)
		return err != nil || n.index != asked.index
	})
}

// changes makes and removes interfaces.
func (k *fakeKernel) changes(command uint8, attrs []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, _, err := parseNetdev(attrs)
	switch {
	case err != nil:
	case command == unix.NL80211_CMD_NEW_INTERFACE:
		n.index = fakeIndex + 1 + len(k.apart)
		if k.sameAddr {
			n.address = fakeAddress
		}
		k.apart = append(k.apart, n)
	case command == unix.NL80211_CMD_DEL_INTERFACE:
		k.apart = slices.DeleteFunc(k.apart, func(a netdev) bool { return a.index == n.index })
	}
}

// mode is that of the interface.
func (k *fakeKernel) mode() drivers.Mode {
	if k.ap {
		return drivers.ModeAP
	}
	return drivers.ModeStation
}

// interfaceMessage is what the kernel tells of one.
func interfaceMessage(n netdev) []byte {
	iftype := uint32(unix.NL80211_IFTYPE_STATION)
	if n.mode == drivers.ModeAP {
		iftype = unix.NL80211_IFTYPE_AP
	}
	return encode(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_WIPHY, 3)
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(n.index))
		e.String(unix.NL80211_ATTR_IFNAME, n.name)
		e.Uint32(unix.NL80211_ATTR_IFTYPE, iftype)
		e.Bytes(unix.NL80211_ATTR_MAC, n.address[:])
		if n.ssid != nil {
			e.Bytes(unix.NL80211_ATTR_SSID, n.ssid)
		}
	})
}

// data is the answer to a question.
func (k *fakeKernel) data(command uint8) [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch command {
	case unix.NL80211_CMD_GET_INTERFACE:
		if k.gone {
			return nil
		}
		list := [][]byte{interfaceMessage(netdev{index: fakeIndex, name: fakeName,
			address: fakeAddress, ssid: k.ssid, mode: k.mode()})}
		for _, n := range k.apart {
			list = append(list, interfaceMessage(n))
		}
		return list
	case unix.NL80211_CMD_GET_WIPHY:
		return [][]byte{encode(func(e *netlink.AttributeEncoder) {
			e.Uint16(unix.NL80211_ATTR_MAX_SCAN_IE_LEN, 100)
			e.Uint32(unix.NL80211_ATTR_FEATURE_FLAGS, unix.NL80211_FEATURE_SCAN_FLUSH)
			e.Bytes(unix.NL80211_ATTR_EXT_FEATURES,
				[]byte{0, 0, 0, 1 << (unix.NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211 % 8)})
		})}
	case unix.NL80211_CMD_GET_SCAN:
		return k.results
	}
	return nil
}

// fakeRoute is a route netlink socket: the state of one link.
type fakeRoute struct {
	k      *fakeKernel
	closed chan struct{}
	once   sync.Once
}

func (k *fakeKernel) dialRoute(uint32) (routeSocket, error) {
	return &fakeRoute{k: k, closed: make(chan struct{})}, nil
}

func (r *fakeRoute) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

func (r *fakeRoute) Receive() ([]netlink.Message, error) {
	<-r.closed
	return nil, net.ErrClosed
}

func (r *fakeRoute) Execute(m netlink.Message) ([]netlink.Message, error) {
	r.k.mu.Lock()
	defer r.k.mu.Unlock()
	refuse := func(errno syscall.Errno) ([]netlink.Message, error) {
		return nil, &netlink.OpError{Op: "receive", Err: errno, Sequence: 1}
	}
	if r.k.gone {
		return refuse(unix.ENODEV)
	}
	if uint16(m.Header.Type) == unix.RTM_NEWLINK {
		up := binary.NativeEndian.Uint32(m.Data[8:])&unix.IFF_UP != 0
		if up && r.k.refuseUp != 0 {
			return refuse(r.k.refuseUp)
		}
		r.k.up, r.k.sets = up, append(r.k.sets, up)
		return nil, nil
	}
	return []netlink.Message{newLinkMessage(fakeIndex, fakeName, r.k.up)}, nil
}

// newLinkMessage is what the kernel tells about a link.
func newLinkMessage(index int, name string, up bool) netlink.Message {
	b := make([]byte, sizeIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	if up {
		binary.NativeEndian.PutUint32(b[8:], unix.IFF_UP)
	}
	b = append(b, encode(func(e *netlink.AttributeEncoder) {
		e.String(unix.IFLA_IFNAME, name)
		e.Bytes(unix.IFLA_ADDRESS, fakeAddress[:])
	})...)
	return netlink.Message{Header: netlink.Header{Type: unix.RTM_NEWLINK}, Data: b}
}

var (
	_ socket         = (*fakeSocket)(nil)
	_ routeSocket    = (*fakeRoute)(nil)
	_ drivers.Driver = (*Driver)(nil)
)
