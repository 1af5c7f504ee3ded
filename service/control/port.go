package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"wpsd/service/control/reply"
)

// renewPause is how soon after one renewal of a socket the next may be.
const renewPause = time.Second

// unknownSender is what the kernel says of a datagram that was there before it was told to say who
// sends (SO_PASSCRED).
var unknownSender = syscall.Ucred{Uid: 65534, Gid: 65534}

// errRenewed tells that a message was lost together with the socket it was to be sent from.
var errRenewed = errors.New("control: clients that do not read have clogged the socket; there is a new one")

// port is one place where clients connect, with those that have attached there.
type port struct {
	server   *Server
	ifname   string // empty: the global one
	monitors *monitors
	debtors  debtors
	// held from the look at what is unread to the note of what was sent: both are of one moment
	sending sync.Mutex

	mu      sync.Mutex
	socket  *socket // nil in tests
	closed  bool
	renewed time.Time
}

// current is the socket that is in use; nil: the port is closed.
func (p *port) current() *socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	return p.socket
}

func (p *port) close() {
	p.mu.Lock()
	p.closed = true
	if p.socket != nil {
		p.socket.close()
	}
	p.mu.Unlock()
	p.monitors.forget()
}

// send sends one datagram without waiting. It returns the file that it went to if that was to be
// held.
func (p *port) send(to reply.Recipient, message []byte) (*reply.Held, error) {
	s := p.current()
	if s == nil {
		return nil, net.ErrClosed
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	key := recipientKey{to.Address, to.UID}
	if unread, room := s.unread(); !p.debtors.may(key, unread, room, s.whoWaits) {
		return nil, errUnread
	}
	held, err := s.send(p.server.options.Reply, to, message)
	if err == nil {
		p.debtors.sent(key, len(message))
	}
	if errors.Is(err, syscall.EAGAIN) && s.clogged() && !p.debtors.seesWhoReads() && p.renew(s) {
		return held, errRenewed
	}
	return held, err
}

// renew replaces a socket whose buffer is full of what clients have not read, since nobody else
// could be answered from it until they do. It is for kernels that do not say who it is: else those
// get no more before the buffer is full. Those who read find the new one: wpa_cli and wpa_gui
// connect again when their next command fails. A socket of systemd's cannot be replaced; there
// everybody has to wait for whoever does not read, or for its end.
func (p *port) renew(old *socket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	log := p.server.log
	switch {
	case p.closed || p.socket != old || time.Since(p.renewed) < renewPause:
		return false
	case old.path == "":
		p.renewed = time.Now()
		log.Warn("a client of the global control socket does not read, and keeps wpsd from answering others there: end it")
		return false
	}
	p.renewed = time.Now()
	old.close()
	s, err := listen(old.path, p.server.mode(), p.server.rights.ids, log)
	if err != nil {
		log.Error("the control socket cannot be renewed", "path", old.path, "err", err)
		p.closed = true
		return true
	}
	log.Warn("clients that do not read have clogged a control socket: it was renewed, and its clients have to connect again", "path", old.path)
	p.socket = s
	return true
}

// run answers one request after the other until the port is closed.
func (p *port) run(ctx context.Context) {
	buffer := make([]byte, maxRequest)
	for s := p.current(); s != nil; s = p.current() {
		n, address, cred, whole, err := s.receive(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			continue // renewed, or closed
		case err != nil: // nothing that a client could cause; it shall not become a busy loop
			p.server.log.Warn("reading a control socket", "interface", p.ifname, "err", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
			continue
		case cred == nil || *cred == unknownSender: // it was there before the kernel was told to say who sends
			clear(buffer[:n])
			p.server.log.Warn("a command on a control socket was dropped, since nobody knows who sent it: if systemd made the socket, its unit needs PassCredentials=yes", "interface", p.ifname)
			continue
		case !whole || !canAnswer(address) || p.server.isOwn(address):
			clear(buffer[:n])
			continue
		}
		c := caller{address: address, uid: cred.Uid, pid: cred.Pid, may: p.server.rights.of(cred)}
		answer := p.answer(ctx, c, buffer[:n])
		clear(buffer[:n])
		p.reply(ctx, c, answer)
		clear(answer)
	}
}

// reply sends the answer to a request to who asked.
func (p *port) reply(ctx context.Context, c caller, answer []byte) {
	err := p.monitors.answer(c, answer)
	if err == nil {
		return
	}
	if errors.Is(err, errRenewed) {
		p.monitors.forget()
	}
	level := slog.LevelDebug
	if errors.Is(err, reply.ErrLost) {
		level = slog.LevelWarn
	}
	p.server.log.Log(ctx, level, "a reply was lost", "interface", p.ifname, "uid",
		c.uid, "err", err)
}
