package model

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/fence"
)

// Names of the D-Bus API.
const (
	busName       = "fi.w1.wps"
	rootPath      = godbus.ObjectPath("/fi/w1/wps")
	managerIface  = "fi.w1.wps.Manager"
	netIface      = "fi.w1.wps.Interface"
	apIface       = "fi.w1.wps.AccessPoint"
	sessionIface  = "fi.w1.wps.Session"
	networkIface  = "fi.w1.wps.Network"
	erIface       = "fi.w1.wps.ER"
	erAPIface     = "fi.w1.wps.ER.AccessPoint"
	enrolleeIface = "fi.w1.wps.ER.Enrollee"
	propsIface    = "org.freedesktop.DBus.Properties"
	objectsIface  = "org.freedesktop.DBus.ObjectManager"

	polkitName  = "org.freedesktop.PolicyKit1"
	polkitPath  = godbus.ObjectPath("/org/freedesktop/PolicyKit1/Authority")
	polkitIface = "org.freedesktop.PolicyKit1.Authority"
)

// maxAnswer bounds an answer of wpsd's, as the system bus does.
const maxAnswer = 32 << 20

// Times that calls may take: one that needs no password, and one for which somebody may type it.
const (
	callTime     = 30 * time.Second
	passwordTime = 6 * time.Minute
)

type (
	// Path names an object of wpsd's.
	Path = godbus.ObjectPath
	// props are the properties of an interface of an object.
	props = map[string]godbus.Variant
	// object is an object: its interfaces.
	object = map[string]props
)

// Model follows wpsd. It is safe for concurrent use.
type Model struct {
	address string
	log     *slog.Logger
	changed func() // told of each change; called by the Model's goroutines
	starts  bool   // whether wpsd may be started by D-Bus for us

	mu      sync.Mutex
	conn    *bus.Conn // nil: there is none
	service Service
	why     string // what the bus said about a wpsd that does not come
	objects map[Path]object
	granted map[string]string // GetPermissions
	asks    permissionAsks

	run  context.Context
	end  context.CancelFunc
	work sync.WaitGroup
}

// New makes a Model of the wpsd on a bus: "system", or an address. changed is called after each
// change, and must not wait. Nothing happens before Start.
func New(address string, log *slog.Logger, changed func()) *Model {
	m := &Model{address: address, log: log, changed: changed, starts: true,
		objects: map[Path]object{}}
	m.run, m.end = context.WithCancel(context.Background())
	return m
}

// Start begins to follow the bus.
func (m *Model) Start() {
	m.work.Go(fence.Func(m.log, "following the bus", func() {
		for m.run.Err() == nil { // Stay ends with the context; it is not to end otherwise
			_ = bus.Stay(m.run, m.address, bus.Options{MaxReply: maxAnswer}, m.log, m.follow)
		}
	}, nil))
}

// Close ends it, and with the connection all that we started and did not detach.
func (m *Model) Close() {
	m.end()
	m.work.Wait()
}

// follow is one connection to the bus.
func (m *Model) follow(ctx context.Context, conn *bus.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	signals := conn.Signals()
	var work sync.WaitGroup
	defer func() {
		cancel()
		work.Wait()
		m.update(func() {
			m.conn, m.service, m.why = nil, NoBus, ""
			clear(m.objects)
		})
	}()
	limited, done := context.WithTimeout(ctx, callTime)
	err := conn.Follow(limited, bus.Name{Name: busName,
		Signals: []bus.Signals{{Path: rootPath, Below: true}}},
		bus.Name{Name: neardName, Changed: func(string) { m.changed() }},
		bus.Name{Name: polkitName, Signals: []bus.Signals{{Path: polkitPath,
			Interface: polkitIface, Member: "Changed", Heard: m.AskPermissions}}})
	done() // now, as its timer would wake us for nothing
	if err != nil {
		return err
	}
	m.update(func() { m.conn, m.service = conn, Starting })
	r := &reading{m: m, conn: conn, work: &work, answers: make(chan answer, 1)}
	r.ask(ctx)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case a := <-r.answers:
			r.answered(a)
		case s, ok := <-signals:
			if !ok {
				return errors.Join(bus.ErrLost, conn.Err())
			}
			r.signal(ctx, s)
		}
	}
}

// reading is the reading of all objects on one connection: asked in a goroutine of its own, while
// what changes meanwhile is kept, and put on top of the answer.
type reading struct {
	m       *Model
	conn    *bus.Conn
	work    *sync.WaitGroup
	answers chan answer
	asked   int // number of the question; answers to older ones are of another wpsd
	waiting bool
	later   []*godbus.Signal // since the question
}

// ask asks for all there is.
func (r *reading) ask(ctx context.Context) {
	r.asked++
	r.waiting, r.later = true, nil
	n := r.asked
	r.work.Go(fence.Func(r.m.log, "asking wpsd", func() {
		a := r.m.readAll(ctx, r.conn)
		a.number = n
		select {
		case r.answers <- a:
		case <-ctx.Done():
		}
	}, nil))
}

// answered takes the answer, and what was told since the question.
func (r *reading) answered(a answer) {
	if a.number != r.asked {
		return // wpsd has been another since
	}
	r.waiting = false
	r.m.accept(a)
	for _, s := range r.later {
		r.m.handle(s)
	}
	r.later = nil
}

// signal takes a signal: wpsd's own, or the bus's about wpsd's coming and going.
func (r *reading) signal(ctx context.Context, s *godbus.Signal) {
	owner, about := ownerChange(s)
	switch {
	case about && owner == "":
		r.asked++ // what is asked for is nobody's any more
		r.waiting, r.later = false, nil
		r.m.update(func() { r.m.service, r.m.why = Away, ""; clear(r.m.objects) })
	case about:
		r.ask(ctx)
	case !r.waiting:
		r.m.handle(s)
	case len(r.later) < maxLater:
		r.later = append(r.later, s)
	}
}

// maxLater bounds the signals that wait for the answer to a question.
const maxLater = 10_000

// answer is what readAll read.
type answer struct {
	number  int
	objects map[Path]object
	granted map[string]string
	err     error
}

// readAll asks for all there is. It has D-Bus start wpsd.
func (m *Model) readAll(ctx context.Context, conn *bus.Conn) (a answer) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	a.err = conn.Call(ctx, bus.Request{To: busName, Path: rootPath,
		Method: objectsIface + ".GetManagedObjects"}, &a.objects)
	if a.err != nil {
		return a
	}
	if _, ok := a.objects[rootPath]; !ok { // the specification leaves the root out
		var p props
		if err := conn.Call(ctx, bus.Request{To: busName, Path: rootPath,
			Method: propsIface + ".GetAll", Args: []any{managerIface}}, &p); err == nil {
			a.objects[rootPath] = object{managerIface: p}
		}
	}
	a.granted = permissions(ctx, conn)
	return a
}

// accept takes what was read.
func (m *Model) accept(a answer) {
	m.update(func() {
		m.why = ""
		if a.err == nil {
			m.service, m.objects, m.granted = Ready, a.objects, a.granted
			if m.objects == nil {
				m.objects = map[Path]object{}
			}
			return
		}
		m.service = Away
		clear(m.objects)
		var e godbus.Error
		if errors.As(a.err, &e) {
			switch e.Name {
			case "org.freedesktop.DBus.Error.ServiceUnknown",
				"org.freedesktop.DBus.Error.NameHasNoOwner":
				m.service = NotInstalled
			default:
				m.why = e.Error()
			}
		}
	})
}

// Retry asks once more for a wpsd that is away.
func (m *Model) Retry() {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn == nil {
		return
	}
	m.work.Go(fence.Func(m.log, "asking wpsd", func() {
		// Whether it comes shows as a change of owner; only that it does not is news here.
		if a := m.readAll(m.run, conn); a.err != nil {
			m.accept(a)
		}
	}, nil))
}

// update changes what is known, and tells of it.
func (m *Model) update(f func()) {
	m.mu.Lock()
	f()
	m.mu.Unlock()
	m.changed()
}

// handle takes a signal of wpsd's. All that a window shows is in properties.
func (m *Model) handle(s *godbus.Signal) {
	switch s.Name {
	case objectsIface + ".InterfacesAdded":
		m.added(s.Body)
	case objectsIface + ".InterfacesRemoved":
		m.removed(s.Body)
	case propsIface + ".PropertiesChanged":
		m.propertiesChanged(s.Path, s.Body)
	}
}

func (m *Model) added(body []any) {
	if len(body) != 2 {
		return
	}
	path, ok1 := body[0].(Path)
	ifaces, ok2 := body[1].(map[string]map[string]godbus.Variant)
	if !ok1 || !ok2 {
		return
	}
	m.update(func() {
		if m.objects[path] == nil {
			m.objects[path] = object{}
		}
		for name, p := range ifaces {
			m.objects[path][name] = p
		}
	})
}

func (m *Model) removed(body []any) {
	if len(body) != 2 {
		return
	}
	path, _ := body[0].(Path)
	ifaces, _ := body[1].([]string)
	m.update(func() {
		for _, name := range ifaces {
			delete(m.objects[path], name)
		}
		if len(m.objects[path]) == 0 {
			delete(m.objects, path)
		}
	})
}

func (m *Model) propertiesChanged(path Path, body []any) {
	if len(body) != 3 {
		return
	}
	iface, _ := body[0].(string)
	changed, _ := body[1].(map[string]godbus.Variant)
	m.update(func() {
		// Snapshots hold values that were taken out, never these maps.
		if p := m.objects[path][iface]; p != nil {
			for name, v := range changed {
				p[name] = v
			}
		}
	})
}

// ownerChange looks at a signal: whether it tells that wpsd came (owner set) or left.
func ownerChange(s *godbus.Signal) (owner string, about bool) {
	if s.Sender != bus.Driver || s.Name != bus.Driver+".NameOwnerChanged" || len(s.Body) != 3 ||
		s.Body[0] != busName {
		return "", false
	}
	owner, about = s.Body[2].(string)
	return owner, about
}
