package dbus

import (
	"context"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/secret"
	"wpsd/introspection"
	"wpsd/service/fence"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// handler implements a method of ours in two steps. read makes of the arguments, which have the
// types that the introspection data say, what the service is asked for; it changes nothing. do asks
// the service once, and makes the answer. Neither touches the Server.
type handler struct {
	read func(r *request) (any, error)
	do   func(ctx context.Context, s Rooms, asked any) ([]any, error)
}

// method makes a handler of its two steps.
func method[Q any](read func(*request) (Q, error),
	do func(context.Context, Rooms, Q) ([]any, error)) handler {
	return handler{
		read: func(r *request) (any, error) { return read(r) },
		do: func(ctx context.Context, s Rooms, asked any) ([]any, error) {
			q, _ := asked.(Q) // it is what read gave
			return do(ctx, s, q)
		},
	}
}

// starts is method for what begins a session, whose path is the answer.
func starts[Q any](read func(*request) (Q, error),
	start func(Rooms, context.Context, Q) (state.Session, error)) handler {
	return method(read, func(ctx context.Context, s Rooms, q Q) ([]any, error) {
		begun, err := start(s, ctx, q)
		if err != nil {
			return nil, err
		}
		return []any{sessionPath(begun.ID)}, nil
	})
}

// acts is method for what is answered with nothing.
func acts[Q any](read func(*request) (Q, error),
	act func(Rooms, context.Context, Q) error) handler {
	return method(read, func(ctx context.Context, s Rooms, q Q) ([]any, error) {
		return nil, act(s, ctx, q)
	})
}

// gives is method for what is answered with octets, such as the content of a tag: secret ones.
func gives[Q any](read func(*request) (Q, error),
	give func(context.Context, Rooms, Q) (secret.Value, error)) handler {
	return method(read, func(ctx context.Context, s Rooms, q Q) ([]any, error) {
		v, err := give(ctx, s, q)
		if err != nil {
			return nil, err
		}
		return []any{bus.Octets{Value: v}}, nil
	})
}

// handlers has all methods of our interfaces.
var handlers = map[string]handler{
	managerIface + ".GeneratePin":     method(noArguments, generatePin),
	managerIface + ".CheckPin":        method(readPin, checkPin),
	managerIface + ".GetPermissions":  method(readPermission, getPermissions),
	managerIface + ".AddNetwork":      method(readAddNetwork, addNetwork),
	managerIface + ".AddInterface":    method(readAddInterface, addInterface),
	managerIface + ".RemoveInterface": acts(readRemoveInterface, Rooms.RemoveInterface),
	managerIface + ".NfcTagRead":      method(tagRequest, nfcTagRead),

	managerIface + ".RegisterCredentialAgent":   acts(readAgent, registerAgent),
	managerIface + ".UnregisterCredentialAgent": acts(readAgent, unregisterAgent),

	interfaceIface + ".Scan":      acts(readScan, Rooms.Scan),
	interfaceIface + ".StartPbc":  starts(readStartPbc, Rooms.StartPBC),
	interfaceIface + ".StartPin":  method(readStartPin, startPin),
	interfaceIface + ".Learn":     starts(readLearn, Rooms.Learn),
	interfaceIface + ".Configure": starts(readConfigure, configure),
	interfaceIface + ".ApPin":     method(readApPin, apPin),

	interfaceIface + ".StartNfc":           starts(readStartNfc, Rooms.StartNFC),
	interfaceIface + ".NfcPasswordToken":   gives(readPasswordToken, nfcPasswordToken),
	interfaceIface + ".NfcConfigToken":     gives(readConfigToken, nfcConfigToken),
	interfaceIface + ".NfcTagRead":         method(tagRequest, nfcTagRead),
	interfaceIface + ".NfcHandoverRequest": method(readHandoverRequest, nfcHandoverRequest),
	interfaceIface + ".NfcHandoverSelect":  method(readHandoverSelect, nfcHandoverSelect),
	interfaceIface + ".NfcReportHandover":  acts(readHandover, reportHandover),

	interfaceIface + ".Cancel": acts(readCancel, cancel),

	erIface + ".Start":     acts(readERStart, Rooms.StartER),
	erIface + ".Stop":      acts(readERStop, erStop),
	erIface + ".Learn":     starts(readERLearn, Rooms.ERLearn),
	erIface + ".SetConfig": acts(readERSetConfig, erSetConfig),
	erIface + ".Configure": starts(readERConfigure, erConfigure),
	erIface + ".EnrollPbc": starts(readEREnrollPbc, Rooms.EREnrollPBC),
	erIface + ".EnrollPin": starts(readEREnrollPin, Rooms.EREnrollPIN),

	erIface + ".NfcConfigToken":    gives(readERConfigToken, erNfcConfigToken),
	erIface + ".NfcHandoverSelect": method(readERHandoverSelect, erNfcHandoverSelect),
	erIface + ".NfcTagRead":        method(tagRequest, erNfcTagRead),

	sessionIface + ".Cancel":         acts(sessionOf, Rooms.Cancel),
	sessionIface + ".GetCredentials": method(sessionOf, getCredentials),

	networkIface + ".GetSecrets": method(storedNetwork, getSecrets),
	networkIface + ".Activate":   acts(readActivate, activate),
	networkIface + ".Delete":     acts(storedNetwork, Rooms.DeleteNetwork),
}

// noArguments reads nothing.
func noArguments(*request) (none struct{}, err error) { return none, nil }

// sessionOf is the session that a call is made on.
func sessionOf(r *request) (state.SessionID, error) { return r.session, nil }

// storedNetwork is the network that a call is made on.
func storedNetwork(r *request) (state.NetworkID, error) { return r.network, nil }

// slow are the methods that wait for somebody else: they take nobody's place meanwhile.
var slow = map[string]bool{networkIface + ".Activate": true, managerIface + ".GetPermissions": true}

// secretArgs are the arguments that are secret, beside the options secretOptions.
var secretArgs = map[string]int{
	managerIface + ".CheckPin":     0,
	managerIface + ".NfcTagRead":   0,
	interfaceIface + ".Learn":      1,
	interfaceIface + ".Configure":  1,
	interfaceIface + ".NfcTagRead": 0,
	erIface + ".Learn":             1,
	erIface + ".Configure":         1,
	erIface + ".EnrollPin":         1,
	erIface + ".NfcTagRead":        0,
}

// The options that are secret, whatever method takes them.
const (
	optionPIN = "pin"
	optionKey = "key"
)

// hides reports whether a value of the arguments is secret.
func (c *call) hides(at bus.Place) bool {
	arg, has := secretArgs[c.Interface+"."+c.Member]
	return at.Key == optionPIN || at.Key == optionKey || at.Key == "" && has && at.Arg == arg
}

// request is a call on its way to a handler, with what the worker knows of the object it is made
// on.
type request struct {
	svc    Rooms
	bus    *Bus // to call back
	caller string
	args   []any
	ifname string // of the interface, or of the session's

	managers []string        // see Options
	session  state.SessionID // of the session, or the interface's
	network  state.NetworkID
	owner    bool // the caller owns the session

	user        string // the caller's; known in a job
	sessionUser string // of the session's owner
	ap          bool   // the interface is an access point
	free        bool   // needs no authorization, because of whose session it is about

	// permission says whether the caller might do something else; only in a job.
	permission func(context.Context, Action) Permission

	// What the caller was allowed to do: see bycontent.go.
	purpose state.Purpose
	effect  nfc.TagEffect
	own     bool // nothing but what is the caller's user's
}

// text is an argument of type s.
func (r *request) text(n int) string {
	s, _ := r.args[n].(string)
	return s
}

// secret is an argument of type s or ay that secretArgs names. It is wiped when the handler has
// returned.
func (r *request) secret(n int) secret.Value {
	switch v := r.args[n].(type) {
	case bus.Text:
		return v.Value
	case bus.Octets:
		return v.Value
	}
	return secret.Value{}
}

// bytes is an argument of type ay.
func (r *request) bytes(n int) []byte {
	b, _ := r.args[n].([]byte)
	return b
}

// path is an argument of type o.
func (r *request) path(n int) godbus.ObjectPath {
	p, _ := r.args[n].(godbus.ObjectPath)
	return p
}

// options is an argument of type a{sv}.
func (r *request) options(n int) map[string]godbus.Variant {
	o, _ := r.args[n].(map[string]godbus.Variant)
	return o
}

// standard has the standard interfaces that all objects have; their methods are in standard.go.
// ObjectManager is on the root only.
var standard = []string{introspectableIface, peerIface, propertiesIface}

// serve answers the next call, or starts a job for it.
func (s *Server) serve() {
	c := s.bus.queue.take()
	if c == nil {
		return
	}
	s.dispatch(c)
}

// dispatch answers one call, or starts a job for it.
func (s *Server) dispatch(c *call) {
	if fence.Do(s.log, "the call "+c.Interface+"."+c.Member, func() error {
		s.carryOut(c)
		return nil
	}) != nil {
		s.answer(c, nil, errPanic)
	}
}

func (s *Server) carryOut(c *call) {
	method, err := s.method(c)
	if err != nil {
		s.answer(c, nil, err)
		return
	}
	if want := introspection.Signature(method.In); c.Signature != want {
		s.answer(c, nil, outcome.ArgumentTypes.Of(c.Member, want, c.Signature))
		return
	}
	switch c.Interface {
	case peerIface, introspectableIface, propertiesIface, objectManagerIface:
		args, err := c.args()
		if err != nil {
			s.answer(c, nil, err)
			return
		}
		s.standard(c, args)
		return
	}
	// The arguments are decoded later: who may not make the call shall not keep us busy with it.
	name := c.Interface + "." + c.Member
	s.perform(c, s.request(c, s.objects.objects[c.Path]), name, s.handlers[name])
}

// errPanic answers a call in which wpsd made a mistake.
var errPanic = fmt.Errorf("dbus: panic")

// method finds the method that a call means, and fills in its interface if the caller did not say
// it.
func (s *Server) method(c *call) (*introspection.Method, error) {
	o := s.objects.objects[c.Path]
	if c.Interface == peerIface {
		return s.findMethod(c, c.Interface) // on any path
	}
	if _, exists := s.objects.children(c.Path); !exists {
		if c.Interface == "" && s.hasMethod(peerIface, c.Member) {
			return s.findMethod(c, peerIface)
		}
		return nil, outcome.NoObject.Of(quote(string(c.Path)))
	}
	var ifaces []string
	if o != nil {
		for _, f := range o.faces {
			ifaces = append(ifaces, f.iface)
		}
	}
	if c.Path == rootPath {
		ifaces = append(ifaces, objectManagerIface)
	}
	for _, iface := range append(ifaces, standard...) {
		if c.Interface == iface || c.Interface == "" && s.hasMethod(iface, c.Member) {
			return s.findMethod(c, iface)
		}
	}
	if c.Interface == "" {
		return nil, outcome.NoMethodThere.Of(c.Path, quote(c.Member))
	}
	return nil, outcome.NoInterfaceThere.Of(c.Path, quote(c.Interface))
}

func (s *Server) hasMethod(iface, member string) bool {
	for _, m := range s.api[iface].Methods {
		if m.Name == member {
			return true
		}
	}
	return false
}

// findMethod finds a method of an interface that the object has.
func (s *Server) findMethod(c *call, iface string) (*introspection.Method, error) {
	c.Interface = iface
	methods := s.api[iface].Methods
	for n := range methods {
		if methods[n].Name == c.Member {
			return &methods[n], nil
		}
	}
	return nil, outcome.NoMethod.Of(iface, quote(c.Member))
}

// args decodes the arguments of a call, whose signature has been checked.
func (c *call) args() ([]any, error) {
	body, err := c.HiddenBody(c.hides)
	if err != nil {
		return nil, outcome.BadArguments.Of(c.Member)
	}
	return body, nil
}

// request gathers what a handler needs to know of the object.
func (s *Server) request(c *call, o *object) *request {
	r := &request{svc: s.svc, bus: s.bus, caller: c.Sender, managers: s.managers}
	t := s.objects
	switch {
	case o.face(interfaceIface) != nil:
		r.ifname = o.of.ifname
		r.session, r.ap = t.interfaces[o.of.ifname].Session,
			t.interfaces[o.of.ifname].Mode.String() == "ap"
	case o.face(sessionIface) != nil:
		r.session = o.of.session
		r.ifname = t.sessions[o.of.session].Interface
	case o.face(networkIface) != nil:
		r.network = o.of.network
	}
	if r.session != 0 {
		r.owner, r.sessionUser = t.sessions[r.session].Owner == c.Sender, t.sessions[r.session].User
	}
	return r
}
