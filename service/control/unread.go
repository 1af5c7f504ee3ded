package control

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// errUnread means that a client has not read what it was sent before, and gets nothing more until
// it does.
var errUnread = errors.New("control: it does not read what it is sent")

const (
	// The shares of a socket's send buffer. All clients have it together, so none may fill it for
	// the others: what one has not read is bounded, and what one user's clients have not, once a
	// quarter is full.
	shareOfClient = 16
	shareOfUser   = 8
	shareOfAll    = 4
	// lookPause is how soon after one look at who reads the next may be for those who were beyond a
	// share then.
	lookPause = 20 * time.Millisecond
	// skbOverhead is what the kernel charges for a datagram besides its text, at most, as long as
	// that is short.
	skbOverhead = 1024
	maxDebtors  = 4096
)

// debtors keeps which clients may not have read what they were sent, and how much. The kernel says
// how much it is altogether (TIOCOUTQ), and, where it has unix_diag, which sockets have read
// everything; so what is noted for a client is never too little for long, and too much only until
// the next look. It is safe for concurrent use.
type debtors struct {
	mu     sync.Mutex
	of     map[recipientKey]int // bytes
	looked time.Time
	blind  bool // the kernel does not say who reads
	// beyond are the clients that had more than their share at the latest look, users the users
	// whose clients had.
	beyond map[recipientKey]bool
	users  map[uint32]bool
}

// recipientKey names a client.
type recipientKey struct {
	address string
	uid     uint32
}

// may reports whether a client may be sent more. unread is what all have not read, room the whole
// buffer, look says who has something to read.
func (d *debtors) may(to recipientKey, unread, room int,
	look func() (map[string]bool, error)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if unread == 0 || d.of == nil {
		d.of = make(map[recipientKey]int)
	}
	limit := d.exceeded(to, unread, room)
	if limit == noLimit {
		return true
	}
	// Who has come to a limit since the latest look may have read everything: it is looked at again
	// at once. Whoever was beyond one then has to read first, and waits.
	judged := limit == ofClient && d.beyond[to] || limit == ofUser && d.users[to.uid] ||
		limit == ofTable
	if !judged || time.Since(d.looked) >= lookPause {
		d.look(unread, room, look)
	}
	return d.blind || d.exceeded(to, unread, room) == noLimit
}

// look takes off the list who has read everything, and notes who is beyond a share all the same.
// The caller holds mu.
func (d *debtors) look(unread, room int, look func() (map[string]bool, error)) {
	d.looked = time.Now()
	waiting, err := look()
	if d.blind = err != nil; !d.blind {
		d.forgive(waiting, unread)
	}
	d.beyond, d.users = make(map[recipientKey]bool), make(map[uint32]bool)
	sums := make(map[uint32]int)
	for key, n := range d.of {
		if n > room/shareOfClient {
			d.beyond[key] = true
		}
		sums[key.uid] += n
	}
	for uid, sum := range sums {
		d.users[uid] = sum > room/shareOfUser
	}
}

// limit is what keeps a client from being sent more.
type limit int

const (
	noLimit limit = iota
	ofClient
	ofUser
	ofTable
)

// exceeded says which limit a client has come to, if any. The caller holds mu.
func (d *debtors) exceeded(to recipientKey, unread, room int) limit {
	switch {
	case room == 0: // the socket is closed
		return noLimit
	case d.of[to] > room/shareOfClient:
		return ofClient
	case len(d.of) > maxDebtors:
		return ofTable
	case unread <= room/shareOfAll:
		return noLimit
	}
	sum := 0
	for key, n := range d.of {
		if key.uid == to.uid {
			sum += n
		}
	}
	if sum > room/shareOfUser {
		return ofUser
	}
	return noLimit
}

// forgive takes off the list who has read everything. Clients that the kernel does not list are
// gone, unless the others do not account for what is unread: it lists those of our own network
// namespace only. The caller holds mu.
func (d *debtors) forgive(waiting map[string]bool, unread int) {
	for key, n := range d.of {
		if owes, listed := waiting[key.address]; listed && !owes {
			delete(d.of, key)
		} else if listed {
			unread -= n
		}
	}
	if unread > 0 {
		return
	}
	for key := range d.of {
		if _, listed := waiting[key.address]; !listed {
			delete(d.of, key)
		}
	}
}

// sent notes a datagram.
func (d *debtors) sent(to recipientKey, length int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of != nil {
		d.of[to] += length + skbOverhead
	}
}

// seesWhoReads reports whether the kernel says who reads.
func (d *debtors) seesWhoReads() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.blind
}

// The kernel's list of Unix sockets (linux/unix_diag.h, linux/sock_diag.h). All numbers are in the
// machine's order.
const (
	diagByFamily   = 20
	diagShowName   = 1
	diagShowPeer   = 4
	diagShowQueue  = 16
	diagName       = 0
	diagPeer       = 2
	diagQueue      = 4
	diagRequestLen = 24
	diagHeadLen    = 16
	diagTime       = 500 * time.Millisecond
)

// whoWaits lists the named datagram sockets that are connected to the socket with this inode
// number, and for each whether it has something to read.
func whoWaits(ours uint32) (map[string]bool, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("control: who reads: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	order := binary.NativeEndian
	b := order.AppendUint32(nil, unix.NLMSG_HDRLEN+diagRequestLen)
	b = order.AppendUint16(b, diagByFamily)
	b = order.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b = append(b, make([]byte, 8)...)    // sequence and port
	b = append(b, unix.AF_UNIX, 0, 0, 0) // family, protocol, padding
	b = order.AppendUint32(b, 1<<32-1)   // in all states
	b = order.AppendUint32(b, 0)         // any inode
	b = order.AppendUint32(b, diagShowName|diagShowPeer|diagShowQueue)
	b = append(b, 255, 255, 255, 255, 255, 255, 255, 255) // any cookie
	limit := unix.NsecToTimeval(diagTime.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return nil, fmt.Errorf("control: who reads: %w", err)
	}
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("control: who reads: %w", err)
	}
	waiting, buffer := make(map[string]bool), make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if err != nil {
			return nil, fmt.Errorf("control: who reads: %w", err)
		}
		done, err := takeDump(buffer[:n], ours, waiting)
		if done || err != nil {
			return waiting, err
		}
	}
}

// takeDump takes one part of the kernel's answer.
func takeDump(b []byte, ours uint32, waiting map[string]bool) (done bool, err error) {
	order := binary.NativeEndian
	for len(b) >= unix.NLMSG_HDRLEN {
		length := int(order.Uint32(b))
		if length < unix.NLMSG_HDRLEN || length > len(b) {
			return true, errors.New("control: who reads: a malformed answer")
		}
		body := b[unix.NLMSG_HDRLEN:length]
		switch order.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			return true, errors.New("control: who reads: the kernel has no unix_diag")
		case diagByFamily:
			if len(body) >= diagHeadLen {
				takeSocket(body[diagHeadLen:], ours, waiting)
			}
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	return false, nil
}

// takeSocket takes the attributes of one socket.
func takeSocket(b []byte, ours uint32, waiting map[string]bool) {
	order := binary.NativeEndian
	name, peer, queue := "", uint32(0), uint32(0)
	for len(b) >= 4 {
		length := int(order.Uint16(b))
		if length < 4 || length > len(b) {
			return
		}
		switch value := b[4:length]; order.Uint16(b[2:]) {
		case diagName:
			name = string(value)
		case diagPeer:
			if len(value) >= 4 {
				peer = order.Uint32(value)
			}
		case diagQueue:
			if len(value) >= 4 {
				queue = order.Uint32(value)
			}
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	if peer != ours || name == "" {
		return
	}
	if name[0] == 0 {
		name = "@" + name[1:] // as package net spells it
	} else {
		name = strings.TrimRight(name, "\x00")
	}
	waiting[name] = waiting[name] || queue > 0
}
