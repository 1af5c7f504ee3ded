package control

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"

	"wpsd/service/control/reply"
)

const (
	// maxMonitors bounds the clients that have attached to one socket, maxMonitorsEach those of one user.
	maxMonitors     = 128
	maxMonitorsEach = 32
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
	send func(to reply.Recipient, message []byte) (reply.File, error)

	mu   sync.Mutex
	list map[recipientKey]*monitor
}

type monitor struct {
	may    access
	level  int
	errors int        // in a row
	file   reply.File // that it attached from; zero: it has not been answered yet, or has an abstract name
}

func newMonitors(send func(reply.Recipient, []byte) (reply.File, error)) *monitors {
	return &monitors{send: send, list: make(map[recipientKey]*monitor)}
}

// attach reports whether there was room. Who has an abstract name gets no secrets: when it is gone anybody can take the
// name, and nobody can tell.
func (m *monitors) attach(c caller) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list[c.key()] == nil {
		same := 0
		for key := range m.list {
			if key.uid == c.uid {
				same++
			}
		}
		if len(m.list) >= maxMonitors || same >= maxMonitorsEach {
			return false
		}
	}
	one := &monitor{may: c.may, level: levelInfo}
	if !strings.HasPrefix(c.address, "/") {
		one.may = min(one.may, accessRead)
	}
	m.list[c.key()] = one
	return true
}

// answered notes which file the answer to a client went to: from now on events go there and nowhere else.
func (m *monitors) answered(c caller, file reply.File) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if one := m.list[c.key()]; one != nil && (one.file == reply.File{}) {
		one.file = file
	}
}

// detach reports whether it was attached.
func (m *monitors) detach(c caller) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, there := m.list[c.key()]
	delete(m.list, c.key())
	return there
}

// setLevel reports whether it was attached.
func (m *monitors) setLevel(c caller, level int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.list[c.key()]
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
	for key, one := range m.list {
		if level < one.level {
			continue
		}
		message := public
		if one.may == accessFull {
			message = whole
		}
		switch _, err := m.send(reply.Recipient{Address: key.address, UID: key.uid, File: one.file}, message); {
		case err == nil:
			one.errors = 0
		case errors.Is(err, errRenewed): // all of them are gone with the old socket
			clear(m.list)
			return
		case slices.ContainsFunc(gone, func(e error) bool { return errors.Is(err, e) }):
			delete(m.list, key)
		default: // it does not read, for now
			if one.errors++; one.errors > maxErrors {
				delete(m.list, key)
			}
		}
	}
}

// gone are the errors of a client that is no more, was never reachable, or has left its place to another.
var gone = []error{syscall.ENOENT, syscall.ENOTDIR, syscall.ECONNREFUSED, syscall.EPERM, syscall.EACCES, reply.ErrElsewhere}
