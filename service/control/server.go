package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"

	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/control/reply"
	"wpsd/service/fence"
	"wpsd/service/state"
)

// Options say where a Server listens and what it may do.
type Options struct {
	// Place has the sockets of the interfaces; without a directory there are none.
	Place Place
	// Global is the path of the global socket, GlobalSocket one that systemd has bound; empty and
	// nil: there is none.
	Global       string
	GlobalSocket *net.UnixConn
	// Reply is another process that sends to clients whose address is a path; nil: we do.
	Reply *reply.Client
	// Apply is what sessions hand their network to, as session.StartRequest has it.
	Apply string
	// Forget says that SAVE_CONFIG saves nothing (update_config=0).
	Forget bool
	// LogLevel is what LOG_LEVEL changes; nil: nothing.
	LogLevel *slog.LevelVar
	// Terminate ends the daemon; nil: TERMINATE is refused.
	Terminate func()
	// Log; nil: none.
	Log *slog.Logger
}

// Server is the control interface of a Service.
type Server struct {
	svc      *service.Service
	options  Options
	rights   rights
	log      *slog.Logger
	networks *networks
	ready    chan struct{} // closed when the sockets are there
	plain    atomic.Bool   // wps_cred_add_sae=0

	mu          sync.Mutex
	selecting   map[string]bool        // interfaces on which a network is being connected
	ports       map[string]*port       // by interface; "": the global one
	ers         map[string]erElsewhere // by the interface of the socket
	connections map[string]wsc.MAC     // what was told of them, by interface; zero: there is none
	tasks       sync.WaitGroup
}

// New makes a Server. Groups that do not exist are told here.
func New(svc *service.Service, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n, err := o.Place.lookUp()
	if err != nil {
		return nil, err
	}
	return &Server{
		svc: svc, options: o, rights: rights{ids: n}, log: o.Log, networks: newNetworks(),
		ready: make(chan struct{}), selecting: make(map[string]bool), ports: make(map[string]*port),
		ers: make(map[string]erElsewhere), connections: make(map[string]wsc.MAC),
	}, nil
}

// Listening is closed once the sockets are there.
func (s *Server) Listening() <-chan struct{} { return s.ready }

// Run listens and answers until ctx ends. It fails if a socket of an interface that is there cannot
// be had. It is called once, after the service is ready.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.tasks.Wait()
	defer cancel()
	defer s.closeAll()
	if s.options.Place.Dir != "" {
		// they would be gone with the daemon, and nothing starts it for them
		defer s.svc.Hold("control sockets")()
	}
	snap, sub := s.svc.Published().Subscribe()
	defer func() { sub.Close() }()
	s.networks.reset(s.svc.Published().Snapshot) // before the first command can come
	t := newTranslator(s.source())
	t.reset(snap)
	if err := s.openAll(ctx, snap); err != nil {
		return err
	}
	close(s.ready)
	for {
		e, err := sub.Next(ctx)
		switch {
		case errors.Is(err, state.ErrSubscriberTooSlow):
			s.log.Warn("events were lost on the control sockets")
			sub.Close()
			snap, sub = s.svc.Published().Subscribe()
			t.reset(snap)
			s.networks.reset(s.svc.Published().Snapshot)
			s.follow(ctx, snap)
		case errors.Is(err, state.ErrShutdown) || ctx.Err() != nil:
			s.tellAll(line{level: levelInfo, text: "CTRL-EVENT-TERMINATING "})
			return nil
		case err != nil:
			return fmt.Errorf("control: %w", err)
		default:
			_ = fence.Do(s.log, fmt.Sprintf("control: the event %T", e), func() error {
				s.heard(ctx, t, e)
				return nil
			})
		}
	}
}

// heard tells clients of one event.
func (s *Server) heard(ctx context.Context, t *translator, e state.Event) {
	if e, ok := e.(state.InterfaceAdded); ok {
		if err := s.open(ctx, e.Interface.Name); err != nil {
			s.log.Error("no control socket for an interface", "interface",
				e.Interface.Name, "err", err)
		}
	}
	if e, ok := e.(state.ConnectionChanged); ok && !e.BSSID.IsZero() &&
		s.isSelecting(e.Interface) {
		return // SELECT_NETWORK tells that, with the network's number
	}
	for _, l := range t.translate(e) {
		s.tell(l)
		l.wipe()
	}
	switch e := e.(type) {
	case state.NetworkAdded, state.NetworkRemoved:
		if text := s.networks.heard(e, s.hasNetwork); text != "" {
			s.tellRadios(line{level: levelInfo, text: text})
		}
	case state.InterfaceRemoved:
		if s.hasInterface(e.Name) { // it is an access point now, or no more: its clients stay
			return
		}
		s.tell(line{ifname: e.Name, level: levelInfo, text: "CTRL-EVENT-TERMINATING "})
		s.close(e.Name)
	default:
	}
}

// openAll makes the sockets for what there is.
func (s *Server) openAll(ctx context.Context, snap state.Snapshot) error {
	if s.options.Place.Dir != "" {
		if err := makeDirectory(s.options.Place, s.rights.ids, s.log); err != nil {
			return err
		}
	}
	if err := s.openGlobal(ctx); err != nil {
		return err
	}
	for _, i := range snap.Interfaces {
		if err := s.open(ctx, i.Name); err != nil {
			return err
		}
	}
	return nil
}

// follow brings the sockets in line with the interfaces after events were lost.
func (s *Server) follow(ctx context.Context, snap state.Snapshot) {
	there := map[string]bool{"": true}
	for _, i := range snap.Interfaces {
		there[i.Name] = true
		if err := s.open(ctx, i.Name); err != nil {
			s.log.Error("no control socket for an interface", "interface", i.Name, "err", err)
		}
	}
	s.mu.Lock()
	var gone []string
	for name := range s.ports {
		if !there[name] {
			gone = append(gone, name)
		}
	}
	s.mu.Unlock()
	for _, name := range gone {
		s.close(name)
	}
}

// mode is that of the sockets. READ_GROUP is let in besides; who of both may do what is decided
// with each datagram.
func (s *Server) mode() fs.FileMode {
	if s.options.Place.Mode != 0 {
		return s.options.Place.Mode
	}
	return 0o770
}

// toldOf notes what is told of an interface's connection, and gives what was told before; known is
// false if nothing was. The end of a run, DISCONNECT, SELECT_NETWORK and managers by themselves
// tell of the same connections.
func (s *Server) toldOf(ifname string, bssid wsc.MAC) (before wsc.MAC, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known = s.connections[ifname]
	s.connections[ifname] = bssid
	return before, known
}

// isOwn reports whether an address is that of a socket of ours: what came from there is nobody's
// request.
func (s *Server) isOwn(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.ports {
		if sock := p.current(); sock != nil && sock.conn.LocalAddr().String() == address {
			return true
		}
	}
	return false
}

func (s *Server) openGlobal(ctx context.Context) error {
	switch {
	case s.options.GlobalSocket != nil:
		sock, err := adopt(s.options.GlobalSocket)
		if err != nil {
			return err
		}
		s.serve(ctx, "", sock)
	case s.options.Global != "":
		sock, err := listen(s.options.Global, s.mode(), s.rights.ids, s.log)
		if err != nil {
			return err
		}
		s.serve(ctx, "", sock)
	}
	return nil
}

// open makes the socket of an interface, if it has none.
func (s *Server) open(ctx context.Context, ifname string) error {
	s.mu.Lock()
	known := s.ports[ifname] != nil
	s.mu.Unlock()
	if known || s.options.Place.Dir == "" {
		return nil
	}
	sock, err := listen(filepath.Join(s.options.Place.Dir, ifname), s.mode(), s.rights.ids, s.log)
	if err != nil {
		return err
	}
	s.serve(ctx, ifname, sock)
	return nil
}

func (s *Server) serve(ctx context.Context, ifname string, sock *socket) {
	p := &port{server: s, ifname: ifname, socket: sock}
	p.monitors = newMonitors(p.send)
	s.mu.Lock()
	s.ports[ifname] = p
	s.mu.Unlock()
	s.tasks.Go(fence.Keep(s.log, "control: a socket", func() { p.run(ctx) }))
}

func (s *Server) close(ifname string) {
	s.mu.Lock()
	p := s.ports[ifname]
	delete(s.ports, ifname)
	s.mu.Unlock()
	if p != nil {
		p.close()
	}
}

func (s *Server) closeAll() {
	s.mu.Lock()
	var names []string
	for name := range s.ports {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		s.close(name)
	}
	if s.options.Reply != nil {
		s.options.Reply.Close()
	}
	if s.options.Place.Dir != "" {
		removeDirectory(s.options.Place.Dir)
	}
}

// tell sends an event to the monitors of its interface and of the global socket, and one of an
// External Registrar to those of the socket that it was started from. One of no interface goes to
// all.
func (s *Server) tell(l line) {
	if l.ifname == "" {
		s.tellAll(l)
		return
	}
	names := []string{l.ifname}
	s.mu.Lock()
	for socket, e := range s.ers {
		if l.er && e.ifname == l.ifname && socket != l.ifname {
			names = append(names, socket)
		}
	}
	s.mu.Unlock()
	for _, name := range names {
		s.mu.Lock()
		own, global := s.ports[name], s.ports[""]
		s.mu.Unlock()
		if own != nil {
			l.send(own.monitors, "")
		}
		if global != nil {
			l.send(global.monitors, "IFNAME="+name+" ")
		}
	}
}

// tellRadios tells of what wpa_supplicant has for each interface and wpsd once for all: its
// networks.
func (s *Server) tellRadios(l line) {
	for _, i := range s.svc.Published().Interfaces() {
		l.ifname = i.Name
		s.tell(l)
	}
}

func (s *Server) tellAll(l line) {
	s.mu.Lock()
	list := make([]*port, 0, len(s.ports))
	for _, p := range s.ports {
		list = append(list, p)
	}
	s.mu.Unlock()
	for _, p := range list {
		l.send(p.monitors, "")
	}
}
