package state

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
)

// Published is what there is, as subscribers see it. An event changes it and goes to every
// subscriber in one step, so a snapshot and the events after it fit together. Nobody is called with
// its lock held: whoever guards a thing may publish what became of it under its own lock, which
// keeps the order.
type Published struct {
	mu             sync.Mutex
	manager        Manager
	interfaces     map[string]Interface
	accessPoints   map[accessPointKey]AccessPoint
	sessions       map[SessionID]Session
	networks       map[NetworkID]Network
	enrollees      map[enrolleeKey]AskingEnrollee
	ers            map[string]ER
	erAccessPoints map[erAccessPointKey]ERAccessPoint
	erEnrollees    map[erEnrolleeKey]EREnrollee
	subscriptions  map[*Subscription]struct{}
}

// accessPointKey names an access point: two interfaces can hear the same.
type accessPointKey struct {
	ifname string
	bssid  wsc.MAC
}

// enrolleeKey names a device that asks an access point of this machine to let it in.
type enrolleeKey struct {
	ifname string
	mac    wsc.MAC
}

// erAccessPointKey names an access point of the External Registrar on an interface.
type erAccessPointKey struct {
	ifname string
	ap     er.APID
}

// erEnrolleeKey names a device: two access points can hear the same.
type erEnrolleeKey struct {
	erAccessPointKey
	mac wsc.MAC
}

func keyOfERAP(ap *ERAccessPoint) erAccessPointKey {
	return erAccessPointKey{ap.Interface, ap.ID}
}

func keyOfEREnrollee(e *EREnrollee) erEnrolleeKey {
	return erEnrolleeKey{erAccessPointKey{e.Interface, e.AP}, e.MAC}
}

// New makes what there is at the start: nothing but the service itself.
func New(m Manager) *Published {
	return &Published{
		manager: m, interfaces: make(map[string]Interface),
		accessPoints: make(map[accessPointKey]AccessPoint),
		sessions:     make(map[SessionID]Session), networks: make(map[NetworkID]Network),
		enrollees:      make(map[enrolleeKey]AskingEnrollee),
		ers:            make(map[string]ER),
		erAccessPoints: make(map[erAccessPointKey]ERAccessPoint),
		erEnrollees:    make(map[erEnrolleeKey]EREnrollee),
		subscriptions:  make(map[*Subscription]struct{}),
	}
}

// Publish tells all subscribers.
func (p *Published) Publish(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publishLocked(e)
}

// publishLocked is publish for who holds mu.
func (p *Published) publishLocked(e Event) {
	p.apply(e)
	for sub := range p.subscriptions {
		if !sub.put(e) {
			delete(p.subscriptions, sub)
		}
	}
}

// apply brings what there is up to date.
func (p *Published) apply(e Event) {
	switch e := e.(type) {
	case ManagerChanged:
		p.manager = e.Manager
	case InterfaceAdded:
		p.interfaces[e.Interface.Name] = e.Interface
	case InterfaceChanged:
		p.interfaces[e.Interface.Name] = e.Interface
	case InterfaceRemoved:
		delete(p.interfaces, e.Name)
	case AccessPointAdded:
		p.noteAccessPointLocked(e.AccessPoint)
	case AccessPointChanged:
		p.noteAccessPointLocked(e.AccessPoint)
	case AccessPointRemoved:
		delete(p.accessPoints, accessPointKey{e.Interface, e.BSSID})
	case SessionAdded:
		p.sessions[e.Session.ID] = e.Session
	case SessionChanged:
		p.sessions[e.Session.ID] = e.Session
	case SessionEnded:
		p.sessions[e.Session.ID] = e.Session
	case SessionRemoved:
		delete(p.sessions, e.ID)
	case NetworkAdded:
		p.networks[e.Network.ID] = e.Network
	case NetworkChanged:
		p.networks[e.Network.ID] = e.Network
	case NetworkRemoved:
		delete(p.networks, e.ID)
	case EnrolleeAdded:
		p.enrollees[enrolleeKey{e.Enrollee.Interface, e.Enrollee.MAC}] = e.Enrollee
	case EnrolleeChanged:
		p.enrollees[enrolleeKey{e.Enrollee.Interface, e.Enrollee.MAC}] = e.Enrollee
	case EnrolleeRemoved:
		delete(p.enrollees, enrolleeKey{e.Enrollee.Interface, e.Enrollee.MAC})
	default:
		p.applyER(e)
	}
}

// applyER is apply for the events of External Registrars.
func (p *Published) applyER(e Event) {
	switch e := e.(type) {
	case ERChanged:
		if p.ers[e.ER.Interface] = e.ER; !e.ER.Running {
			delete(p.ers, e.ER.Interface)
		}
	case ERAPAdded:
		p.erAccessPoints[keyOfERAP(&e.AccessPoint)] = e.AccessPoint
	case ERAPChanged:
		p.erAccessPoints[keyOfERAP(&e.AccessPoint)] = e.AccessPoint
	case ERAPRemoved:
		delete(p.erAccessPoints, keyOfERAP(&e.AccessPoint))
	case EREnrolleeAdded:
		p.erEnrollees[keyOfEREnrollee(&e.Enrollee)] = e.Enrollee
	case EREnrolleeChanged:
		p.erEnrollees[keyOfEREnrollee(&e.Enrollee)] = e.Enrollee
	case EREnrolleeRemoved:
		delete(p.erEnrollees, keyOfEREnrollee(&e.Enrollee))
	}
}

func (p *Published) noteAccessPointLocked(ap AccessPoint) {
	p.accessPoints[accessPointKey{ap.Interface, ap.BSSID}] = ap
}

// NoteAccessPoint brings an access point up to date with what is not worth an event.
func (p *Published) NoteAccessPoint(ap AccessPoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteAccessPointLocked(ap)
}

// NoteSession brings a session up to date with what is told in a moment.
func (p *Published) NoteSession(s Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[s.ID] = s
}

// AddNetwork tells of a network that was stored, for the first time or again.
func (p *Published) AddNetwork(n Network) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.networks[n.ID]; known {
		p.publishLocked(NetworkChanged{n})
		return
	}
	p.publishLocked(NetworkAdded{n})
}

// RemoveNetwork tells that a network is no longer stored, if it was.
func (p *Published) RemoveNetwork(id NetworkID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.networks[id]; known {
		p.publishLocked(NetworkRemoved{id})
	}
}

// CountNetworks counts the networks that are stored.
func (p *Published) CountNetworks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.networks)
}

// Session returns a session that runs or ended not long ago.
func (p *Published) Session(id SessionID) (Session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sessions[id]
	return s.Clone(), ok
}

// AccessPoint returns what was heard of an access point on an interface.
func (p *Published) AccessPoint(ifname string, bssid wsc.MAC) (AccessPoint, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ap, ok := p.accessPoints[accessPointKey{ifname, bssid}]
	return ap, ok
}

// ERAccessPoint returns an access point of the External Registrar on an interface.
func (p *Published) ERAccessPoint(ifname string, id er.APID) (ERAccessPoint, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ap, ok := p.erAccessPoints[erAccessPointKey{ifname, id}]
	return ap, ok
}

// RemoveER tells that all of an External Registrar is gone, and then it.
func (p *Published) RemoveER(ifname string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	snap := p.snapshotLocked()
	for _, enrollee := range snap.EREnrollees {
		if enrollee.Interface == ifname {
			p.publishLocked(EREnrolleeRemoved{enrollee})
		}
	}
	for _, ap := range snap.ERAccessPoints {
		if ap.Interface == ifname {
			p.publishLocked(ERAPRemoved{AccessPoint: ap, Reason: er.Stopped.String()})
		}
	}
	p.publishLocked(ERChanged{ER{Interface: ifname}})
}

// Snapshot is all that there is.
func (p *Published) Snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.snapshotLocked()
}

// snapshotLocked is snapshot for who holds mu.
func (p *Published) snapshotLocked() Snapshot {
	snap := Snapshot{
		Manager:      p.manager,
		Interfaces:   sorted(p.interfaces, strings.Compare),
		AccessPoints: slices.Collect(maps.Values(p.accessPoints)),
		Sessions:     sorted(p.sessions, cmp.Compare),
		Networks:     sorted(p.networks, cmp.Compare),
		Enrollees: sorted(p.enrollees, func(a, b enrolleeKey) int {
			return cmp.Or(cmp.Compare(a.ifname, b.ifname), slices.Compare(a.mac[:], b.mac[:]))
		}),
		ERs:            sorted(p.ers, strings.Compare),
		ERAccessPoints: sorted(p.erAccessPoints, compareERAP),
		EREnrollees: sorted(p.erEnrollees, func(a, b erEnrolleeKey) int {
			return cmp.Or(compareERAP(a.erAccessPointKey, b.erAccessPointKey),
				slices.Compare(a.mac[:], b.mac[:]))
		}),
	}
	for i := range snap.Sessions {
		snap.Sessions[i] = snap.Sessions[i].Clone()
	}
	return snap
}

func compareERAP(a, b erAccessPointKey) int {
	return cmp.Or(cmp.Compare(a.ifname, b.ifname), cmp.Compare(a.ap, b.ap))
}

// sorted lists the values of a map in the order of its keys.
func sorted[K comparable, V any](m map[K]V, compare func(a, b K) int) []V {
	var list []V
	for _, k := range slices.SortedFunc(maps.Keys(m), compare) {
		list = append(list, m[k])
	}
	return list
}

// Subscribe returns what there is now, and a Subscription to all that happens from now on.
func (p *Published) Subscribe() (Snapshot, *Subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sub := &Subscription{from: p, ready: make(chan struct{}, 1)}
	p.subscriptions[sub] = struct{}{}
	return p.snapshotLocked(), sub
}
