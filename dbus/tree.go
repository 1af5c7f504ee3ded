package dbus

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/wsc"
	"wpsd/introspection"
	"wpsd/service/state"
)

// values are the properties of an object by name.
type values = map[string]godbus.Variant

// object is one object. It has at least one interface of ours, beside the standard ones.
type object struct {
	path  godbus.ObjectPath
	of    identity
	faces []face
	// broken says why it is left out of all that is told; empty: it is not.
	broken string
}

// face is one interface of an object with its properties.
type face struct {
	iface  string
	render func() values // its properties as they are now
	// values are what render gave. They are not kept where render goes by a snapshot alone, which
	// takes less room: of a thousand access points few are asked for.
	values   values
	snapshot bool
}

// now is the properties of an interface.
func (f *face) now() values {
	if f.snapshot {
		return f.render()
	}
	return f.values
}

// face finds an interface of an object by its name; nil: it has none of this name. An empty name
// means any.
func (o *object) face(iface string) *face {
	for n := range o.faces {
		if o.faces[n].iface == iface || iface == "" {
			return &o.faces[n]
		}
	}
	return nil
}

// all is an object's properties by interface.
func (o *object) all() map[string]values {
	all := make(map[string]values, len(o.faces))
	for n := range o.faces {
		all[o.faces[n].iface] = o.faces[n].now()
	}
	return all
}

// identity says what an object stands for: one of these, none for the root. It never changes.
type identity struct {
	ifname  string // an interface, or an access point's
	session state.SessionID
	network state.NetworkID
}

// signal is a signal to everybody.
type signal struct {
	path          godbus.ObjectPath
	iface, member string
	body          []any
}

// emitter gets signals, in order.
type emitter func(signal)

// accessPointKey names an access point: the same BSSID may be heard on two interfaces.
type accessPointKey struct {
	ifname string
	bssid  wsc.MAC
}

// tree is what there is: the service's snapshots, and the objects made of them.
type tree struct {
	api          map[string]*introspection.Interface
	manager      state.Manager
	managers     []string // the names of those that networks can be handed to
	interfaces   map[string]state.Interface
	accessPoints map[accessPointKey]state.AccessPoint
	sessions     map[state.SessionID]state.Session
	networks     map[state.NetworkID]state.Network
	enrollees    map[string][]godbus.ObjectPath // of each interface, sorted
	er           erTree

	objects map[godbus.ObjectPath]*object
	// is told of objects that are left out; nil: nobody is
	leftOut func(path godbus.ObjectPath, why string)
	// stale are objects with properties that depend on which other objects there are. They are made
	// anew in flush: a scan that finds fifty access points is one change of the list, not fifty.
	stale map[godbus.ObjectPath]bool
	clock clock
}

func newTree(api map[string]*introspection.Interface, managers []string) *tree {
	t := &tree{api: api, managers: append([]string{}, managers...), clock: newClock()}
	t.clear()
	return t
}

// clear forgets everything but the objects.
func (t *tree) clear() {
	t.interfaces = map[string]state.Interface{}
	t.accessPoints = map[accessPointKey]state.AccessPoint{}
	t.sessions = map[state.SessionID]state.Session{}
	t.networks = map[state.NetworkID]state.Network{}
	t.enrollees = map[string][]godbus.ObjectPath{}
	t.er = newERTree()
	t.stale = map[godbus.ObjectPath]bool{}
	if t.objects == nil {
		t.objects = map[godbus.ObjectPath]*object{}
	}
}

// reset makes the tree what a snapshot says, and tells what is different from before.
func (t *tree) reset(s state.Snapshot, emit emitter) {
	t.clear()
	old := t.objects
	t.objects = map[godbus.ObjectPath]*object{}
	t.manager = s.Manager
	quiet := func(signal) {}
	t.add(rootPath, identity{}, quiet, face{iface: managerIface, render: t.managerValues})
	for _, i := range s.Interfaces {
		t.apply(state.InterfaceAdded{Interface: i}, quiet)
	}
	for _, ap := range s.AccessPoints {
		t.apply(state.AccessPointAdded{AccessPoint: ap}, quiet)
	}
	for _, session := range s.Sessions {
		t.apply(state.SessionAdded{Session: session}, quiet)
	}
	for _, n := range s.Networks {
		t.apply(state.NetworkAdded{Network: n}, quiet)
	}
	for _, e := range s.Enrollees {
		t.apply(state.EnrolleeAdded{Enrollee: e}, quiet)
	}
	for _, e := range s.ERs {
		t.apply(state.ERChanged{ER: e}, quiet)
	}
	for _, ap := range s.ERAccessPoints {
		t.apply(state.ERAPAdded{AccessPoint: ap}, quiet)
	}
	for _, e := range s.EREnrollees {
		t.apply(state.EREnrolleeAdded{Enrollee: e}, quiet)
	}
	t.flush(quiet)
	if emit != nil {
		t.tellDifference(old, emit)
	}
}

// tellDifference tells what became of the objects that there were.
func (t *tree) tellDifference(old map[godbus.ObjectPath]*object, emit emitter) {
	for _, path := range slices.Sorted(maps.Keys(old)) {
		if now := t.objects[path]; old[path].broken == "" && (now == nil || now.broken != "") {
			emit(removed(old[path]))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(t.objects)) {
		switch o := t.objects[path]; {
		case o.broken != "":
		case old[path] == nil || old[path].broken != "":
			emit(added(o))
		default:
			t.tellChanges(o, old[path].all(), emit)
		}
	}
}

// apply takes one event.
func (t *tree) apply(e state.Event, emit emitter) {
	switch e := e.(type) {
	case state.AccessPointAdded, state.AccessPointChanged, state.AccessPointRemoved:
		t.applyAccessPoint(e, emit)
		return // lists change once for many of these
	}
	if t.applyER(e, emit) {
		return
	}
	t.flush(emit)
	switch e := e.(type) {
	case state.InterfaceAdded:
		t.interfaces[e.Interface.Name] = e.Interface
		t.addInterface(e.Interface.Name, emit)
	case state.InterfaceChanged:
		t.interfaces[e.Interface.Name] = e.Interface
		t.update(interfacePath(e.Interface.Name), emit)
	case state.InterfaceRemoved:
		t.removeInterface(e.Name, emit)
	case state.ScanDone:
		emit(signal{interfacePath(e.Interface), interfaceIface, "ScanDone", []any{e.Success}})
	case state.EnrolleeSeen:
		emit(enrolleeSignal("EnrolleeSeen", e.Enrollee))
	case state.PINNeeded:
		emit(enrolleeSignal("PinNeeded", e.Enrollee))
	case state.EnrolleeAdded:
		t.putEnrollee(e.Enrollee, emit)
	case state.EnrolleeChanged:
		t.putEnrollee(e.Enrollee, emit)
	case state.EnrolleeRemoved:
		t.removeEnrollee(e.Enrollee, emit)
	case state.SessionAdded:
		t.addSession(e.Session, emit)
	case state.SessionChanged:
		t.putSession(e.Session)
		t.update(sessionPath(e.Session.ID), emit)
	case state.SessionEnded:
		t.endSession(e.Session, emit)
	case state.SessionRemoved:
		delete(t.sessions, e.ID)
		t.remove(sessionPath(e.ID), emit)
	case state.NetworkAdded:
		t.networks[e.Network.ID] = e.Network
		t.addNetwork(e.Network.ID, emit)
	case state.NetworkChanged:
		t.networks[e.Network.ID] = e.Network
		t.update(networkPath(e.Network.ID), emit)
	case state.NetworkRemoved:
		delete(t.networks, e.ID)
		t.remove(networkPath(e.ID), emit)
		t.stale[rootPath] = true
	case state.ManagerChanged:
		t.manager = e.Manager
		t.update(rootPath, emit)
	case state.CredentialReceived, state.ERAPSettings:
		// Not for everybody: Server tells the owner.
	}
}

// flush makes what is stale anew.
func (t *tree) flush(emit emitter) {
	if len(t.stale) == 0 {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(t.stale)) {
		t.update(path, emit)
	}
	clear(t.stale)
}

// add makes an object, or updates the one that is there.
func (t *tree) add(path godbus.ObjectPath, of identity, emit emitter, faces ...face) {
	if t.objects[path] != nil {
		t.update(path, emit)
		return
	}
	o := &object{path: path, of: of, faces: faces}
	t.render(o)
	t.objects[path] = o
	if o.broken == "" {
		emit(added(o))
	}
}

// remove removes an object.
func (t *tree) remove(path godbus.ObjectPath, emit emitter) {
	o := t.objects[path]
	if o == nil {
		return
	}
	delete(t.objects, path)
	delete(t.stale, path)
	if o.broken == "" {
		emit(removed(o))
	}
}

// update makes the properties of an object anew and tells of those that changed, in one signal for
// each interface.
func (t *tree) update(path godbus.ObjectPath, emit emitter) {
	if o := t.objects[path]; o != nil {
		t.renew(o, o.faces, emit)
	}
}

// renew is update with interfaces that may go by another snapshot.
func (t *tree) renew(o *object, faces []face, emit emitter) {
	var old map[string]values
	was := o.broken
	if was == "" { // else nobody was told of any
		old = o.all()
	}
	o.faces = faces
	t.render(o)
	switch {
	case was == "" && o.broken == "":
		t.tellChanges(o, old, emit)
	case was == "":
		emit(removed(o))
	case o.broken == "":
		emit(added(o))
	}
}

// tellChanges emits PropertiesChanged as the introspection data promise.
func (t *tree) tellChanges(o *object, old map[string]values, emit emitter) {
	for _, f := range o.faces {
		t.tellFace(o.path, f, old[f.iface], emit)
	}
}

// tellFace is tellChanges for one interface.
func (t *tree) tellFace(path godbus.ObjectPath, f face, old values, emit emitter) {
	now, changed, invalidated := f.now(), values{}, []string{}
	for _, p := range t.api[f.iface].Properties {
		if same(old[p.Name], now[p.Name]) {
			continue
		}
		switch p.Emits {
		case introspection.EmitsValue:
			changed[p.Name] = now[p.Name]
		case introspection.EmitsInvalidates:
			invalidated = append(invalidated, p.Name)
		case introspection.EmitsConst, introspection.EmitsNothing:
		}
	}
	if len(changed)+len(invalidated) > 0 {
		emit(signal{path, propertiesIface, "PropertiesChanged",
			[]any{f.iface, changed, invalidated}})
	}
}

// added is the signal that an object came, removed that it went.
func added(o *object) signal {
	return signal{rootPath, objectManagerIface, "InterfacesAdded", []any{o.path, o.all()}}
}

func removed(o *object) signal {
	ifaces := make([]string, 0, len(o.faces))
	for _, f := range o.faces {
		ifaces = append(ifaces, f.iface)
	}
	slices.Sort(ifaces)
	return signal{rootPath, objectManagerIface, "InterfacesRemoved", []any{o.path, ifaces}}
}

// managed is everything below the root, as GetManagedObjects wants it.
func (t *tree) managed() map[godbus.ObjectPath]map[string]values {
	all := make(map[godbus.ObjectPath]map[string]values, len(t.objects))
	for path, o := range t.objects {
		if path != rootPath && o.broken == "" {
			all[path] = o.all()
		}
	}
	return all
}

// children names what is right below a path, and says whether there is anything at all.
func (t *tree) children(path godbus.ObjectPath) (names []string, exists bool) {
	below := string(path) + "/"
	if path == "/" {
		below = "/"
	}
	found := map[string]bool{}
	for other := range t.objects {
		if rest, ok := strings.CutPrefix(string(other), below); ok {
			name, _, _ := strings.Cut(rest, "/")
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), len(found) > 0 || t.objects[path] != nil
}

// owns reports whether a caller has a session that ends when the caller leaves.
func (t *tree) owns(owner string) bool {
	for _, s := range t.sessions {
		if s.Owner == owner && !s.State.Ended() {
			return true
		}
	}
	return false
}

// sortedPaths makes paths of ids, in the order of the ids.
func sortedPaths[K cmp.Ordered, V any](m map[K]V,
	path func(K) godbus.ObjectPath) []godbus.ObjectPath {
	paths := make([]godbus.ObjectPath, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		paths = append(paths, path(k))
	}
	return paths
}
