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
	// maxMonitors bounds the clients that have attached to one socket, maxMonitorsEach those of one
	// user.
	maxMonitors     = 128
	maxMonitorsEach = 32
	// maxErrors is how many events in a row may be lost to a monitor before it is dropped
	// (wpa_supplicant's rule).
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
	send func(to reply.Recipient, message []byte) (*reply.Held, error)

	mu   sync.Mutex
	list map[recipientKey]*monitor
}

type monitor struct {
	may      access
	level    int
	errors   int         // in a row
	answered bool        // it has been told OK
	held     *reply.Held // its socket; nil: it has not been answered yet, or has an abstract name
}

func newMonitors(send func(reply.Recipient, []byte) (*reply.Held, error)) *monitors {
	return &monitors{send: send, list: make(map[recipientKey]*monitor)}
}

// attach reports whether there was room. Who has an abstract name gets no secrets: when it is gone
// anybody can take the name, and nobody can tell.
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
	if !hasFile(c.address) {
		one.may = min(one.may, accessRead)
	}
	m.drop(c.key())
	m.list[c.key()] = one
	return true
}

// hasFile reports whether an address is that of a file, not an abstract name.
func hasFile(address string) bool { return strings.HasPrefix(address, "/") }

// answer sends the answer to a request. With that to ATTACH the client's socket is held: from now
// on events go there and nowhere else. None goes out before, and who cannot be told OK has not
// attached.
func (m *monitors) answer(c caller, text []byte) error {
	to := reply.Recipient{Address: c.address, UID: c.uid}
	m.mu.Lock()
	one := m.list[c.key()]
	if one == nil || one.answered {
		m.mu.Unlock()
		_, err := m.send(to, text)
		return err
	}
	defer m.mu.Unlock()
	to.Hold = hasFile(c.address)
	held, err := m.send(to, text)
	if err != nil {
		m.drop(c.key())
		return err
	}
	one.answered, one.held = true, held
	return nil
}

// drop takes one off the list, and lets go of its socket. The caller holds mu.
func (m *monitors) drop(key recipientKey) {
	if one := m.list[key]; one != nil {
		one.held.Close()
		delete(m.list, key)
	}
}

// dropAll takes all off the list. The caller holds mu.
func (m *monitors) dropAll() {
	for key := range m.list {
		m.drop(key)
	}
}

// detach reports whether it was attached.
func (m *monitors) detach(c caller) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, there := m.list[c.key()]
	m.drop(c.key())
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
	m.dropAll()
}

// tell sends an event to all that want it: whole to those that may see everything, and to others
// without its secret.
func (m *monitors) tell(level int, whole, public []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, one := range m.list {
		if !one.answered || level < one.level {
			continue
		}
		message := public
		if one.may == accessFull {
			message = whole
		}
		to := reply.Recipient{Address: key.address, UID: key.uid}
		if one.held != nil {
			to.File = one.held.File
		}
		switch _, err := m.send(to, message); {
		case err == nil:
			one.errors = 0
		case errors.Is(err, errRenewed): // all of them are gone with the old socket
			m.dropAll()
			return
		case slices.ContainsFunc(gone, func(e error) bool { return errors.Is(err, e) }):
			m.drop(key)
		default: // it does not read, for now
			if one.errors++; one.errors > maxErrors {
				m.drop(key)
			}
		}
	}
}

// gone are the errors of a client that is no more, was never reachable, or has left its place to
// another.
var gone = []error{syscall.ENOENT, syscall.ENOTDIR, syscall.ECONNREFUSED, syscall.EPERM,
	syscall.EACCES, reply.ErrElsewhere}
