package control

import (
	"errors"
	"sync"
	"syscall"
)

const (
	// maxMonitors bounds the clients that have attached to one socket.
	maxMonitors = 64
	// maxErrors is how many events in a row may be lost to a monitor before it is dropped (wpa_supplicant's rule).
	maxErrors = 10
)

// The levels of events. A monitor gets those at or above its own.
const (
	levelDebug   = 2
	levelInfo    = 3
	levelWarning = 4
)

// monitors are the clients of one socket that have attached. They are safe for concurrent use.
type monitors struct {
	send func(address string, message []byte) error

	mu   sync.Mutex
	list map[string]*monitor
}

type monitor struct {
	may    access
	level  int
	errors int // in a row
}

func newMonitors(send func(string, []byte) error) *monitors {
	return &monitors{send: send, list: make(map[string]*monitor)}
}

// attach reports whether there was room.
func (m *monitors) attach(c caller) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list[c.address] == nil && len(m.list) >= maxMonitors {
		return false
	}
	m.list[c.address] = &monitor{may: c.may, level: levelInfo}
	return true
}

// detach reports whether it was attached.
func (m *monitors) detach(c caller) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, there := m.list[c.address]
	delete(m.list, c.address)
	return there
}

// setLevel reports whether it was attached.
func (m *monitors) setLevel(c caller, level int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.list[c.address]
	if one != nil {
		one.level = level
	}
	return one != nil
}

// forget drops all.
func (m *monitors) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.list)
}

func (m *monitors) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.list)
}

// tell sends an event to all that want it: whole to those that may see everything, and to others without its secret.
func (m *monitors) tell(level int, whole, public []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for address, one := range m.list {
		if level < one.level {
			continue
		}
		message := public
		if one.may == accessFull {
			message = whole
		}
		switch err := m.send(address, message); {
		case err == nil:
			one.errors = 0
		case errors.Is(err, errRenewed): // all of them are gone with the old socket
			clear(m.list)
			return
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
			delete(m.list, address) // gone, or never reachable
		default: // it does not read, for now
			if one.errors++; one.errors > maxErrors {
				delete(m.list, address)
			}
		}
	}
}
