// Package simmanager is a network manager in memory, for the simulation: it has an interface, is in
// a network, lets go for a session, takes what was received, and connects. What it does to the
// radio it does to that of package sim, so whoever looks at an interface sees what would be seen of
// a real one.
//
// It is told what to do as everything else of the simulation is; see Manager.Attach.
package simmanager

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Name is the manager's, in the configuration and on D-Bus.
const Name = "sim"

// What a hand-over ends with, beside an interface that the manager does not have.
var (
	ErrRefuses  = errors.New("simmanager: it was told to take no network")
	ErrNotFound = errors.New("simmanager: the network is not in reach")
	ErrKey      = errors.New("simmanager: the access point does not take the key")
)

// Manager is a network manager. Its zero value has no interface. Its methods are safe for
// concurrent use.
type Manager struct {
	changed chan struct{}

	mu         sync.Mutex // taken before the World's lock
	world      *sim.World
	speed      float64
	interfaces map[string]*managed
	known      []profile // the last one is preferred
}

// managed is an interface that the manager has.
type managed struct {
	released bool // it has let go of it, for a session
	stays    bool // out of any network, as a user wants it
	taking   bool // a network is being handed over: none other is joined
	refuses  bool
	network  string // the UUID of what it is in, or was in last; empty: none
}

// profile is a network that the manager knows.
type profile struct {
	uuid string
	ssid string
	key  secret.Value // empty: it is open
}

// New makes a Manager that has nothing to manage yet.
func New() *Manager {
	return &Manager{changed: make(chan struct{}, 1), interfaces: make(map[string]*managed)}
}

// Name implements lending.Holder and lending.Sink.
func (*Manager) Name() string { return Name }

// Changed receives a value when the manager may have got or lost an interface.
func (m *Manager) Changed() <-chan struct{} { return m.changed }

// Attach lets the manager manage interfaces of a World, whose speed is as in sim.Options. There its
// commands are then:
//
//	manage IFNAME      take an interface, and join a network there that it knows
//	unmanage IFNAME    have it no more
//	connect IFNAME AP  learn an access point's network, as from a user who knows its key, and join it
//	disconnect IFNAME  leave the network, and stay out of any until connect or manage
//	forget AP          know its network no more
//	refuse IFNAME      take no network that is handed over: such a session fails
//	accept IFNAME      take them again
func (m *Manager) Attach(w *sim.World, speed float64) {
	m.mu.Lock()
	m.world, m.speed = w, speed
	m.mu.Unlock()
	w.OnAir(m.join)
	for word, do := range map[string]func(string) error{"manage": m.Manage,
		"unmanage": m.Unmanage, "connect": m.connectCommand, "disconnect": m.leave,
		"forget": m.forget,
		"refuse": func(ifname string) error { return m.refuse(ifname, true) },
		"accept": func(ifname string) error { return m.refuse(ifname, false) }} {
		w.Extend(word, do)
	}
}

// air is how long something that takes t in the air takes here.
func (m *Manager) air(t time.Duration) time.Duration {
	return time.Duration(float64(t) / m.speed)
}

// tell has whoever follows ask who has which interface.
func (m *Manager) tell() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Manage takes an interface.
func (m *Manager) Manage(ifname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.world.RadioState(ifname); !there {
		return fmt.Errorf("simmanager: there is no interface %q", ifname)
	}
	i := m.interfaces[ifname]
	if i == nil {
		i = &managed{}
		m.interfaces[ifname] = i
	}
	i.stays = false
	m.joinAny(ifname, i)
	m.tell()
	return nil
}

// Unmanage gives an interface up, and its connection.
func (m *Manager) Unmanage(ifname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return err
	}
	delete(m.interfaces, ifname)
	if !i.released {
		m.world.Occupy(ifname, wsc.MAC{})
	}
	m.tell()
	return nil
}

// has finds an interface that the manager has. The caller holds mu.
func (m *Manager) has(ifname string) (*managed, error) {
	if i := m.interfaces[ifname]; i != nil {
		return i, nil
	}
	return nil, fmt.Errorf("simmanager: it does not have %q", ifname)
}

// join connects each interface that can be in a network now and is in none.
func (m *Manager) join() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, i := range m.interfaces {
		m.joinAny(name, i)
	}
}

// joinAny joins a network that is known and in reach, unless the interface is in one, is not to be,
// or is away. The caller holds mu.
func (m *Manager) joinAny(ifname string, i *managed) {
	if i.released || i.stays || i.taking || m.connected(ifname) {
		return
	}
	for _, p := range slices.Backward(m.known) {
		if m.joinOne(ifname, i, p, wsc.MAC{}) == nil {
			return
		}
	}
}

// connected reports whether an interface is in a network, or cannot be. The caller holds mu.
func (m *Manager) connected(ifname string) bool {
	state, there := m.world.RadioState(ifname)
	return !there || state.Blocked || !state.Associated.IsZero()
}

// joinOne joins one network, rather at a certain BSS. The caller holds mu.
func (m *Manager) joinOne(ifname string, i *managed, p profile, bssid wsc.MAC) error {
	if state, there := m.world.RadioState(ifname); !there || state.Blocked {
		return fmt.Errorf("simmanager: %s cannot be used", ifname)
	}
	err := ErrNotFound
	for _, ap := range m.world.APs() {
		if ap.Status().SSID != p.ssid {
			continue
		}
		key := ap.Key()
		if !key.Equal(p.key) {
			err = ErrKey
			continue
		}
		if m.world.AP(bssid) != ap {
			bssid = ap.BSSID()
		}
		i.network, i.stays, i.taking = p.uuid, false, false
		m.world.Occupy(ifname, bssid)
		return nil
	}
	return err
}

// learn makes a network known, or known anew, and preferred. The caller holds mu.
func (m *Manager) learn(ssid string, key secret.Value) profile {
	p := profile{ssid: ssid, key: key.Clone()}
	for _, old := range m.forgetNetwork(ssid) {
		p.uuid = old.uuid
		old.key.Wipe()
	}
	if p.uuid == "" {
		p.uuid = newUUID()
	}
	m.known = append(m.known, p)
	return p
}

// forgetNetwork takes the networks of a name out of those that are known. The caller holds mu.
func (m *Manager) forgetNetwork(ssid string) (gone []profile) {
	m.known = slices.DeleteFunc(m.known, func(p profile) bool {
		if p.ssid != ssid {
			return false
		}
		gone = append(gone, p)
		return true
	})
	return gone
}

// profileOf finds a network by its UUID. The caller holds mu.
func (m *Manager) profileOf(uuid string) (profile, bool) {
	i := slices.IndexFunc(m.known, func(p profile) bool { return p.uuid == uuid })
	if i < 0 {
		return profile{}, false
	}
	return m.known[i], true
}

// newUUID makes a random one (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// keyOf is what a network's access points want to be shown.
func keyOf(n *credential.Network) secret.Value {
	if n.KeyKind == credential.KeyNone {
		return secret.Value{}
	}
	return n.Key
}
