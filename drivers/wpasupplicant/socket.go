package wpasupplicant

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wpsd/drivers"
	"wpsd/drivers/controlsocket"
	"wpsd/drivers/managerbus"
)

// A wpa_supplicant that ifupdown, dhcpcd or wpa_supplicant@.service has started is not on D-Bus. It
// has a control socket for each interface, and lets go by DISCONNECT: until RECONNECT it then
// ignores what happens on the interface, also associations of others (heard of wpa_supplicant
// 2.10). So nothing of its own has to be removed.

// DefaultSockets are where its control sockets are looked for.
var DefaultSockets = []string{"/run/wpa_supplicant"}

// bySocket is the way of one that is not on D-Bus.
const bySocket way = "socket"

// Values of wpa_state in the reply to STATUS.
const (
	stateCompleted    = "COMPLETED"
	stateDisconnected = "DISCONNECTED"
	stateInactive     = "INACTIVE" // it has no network that it could look for
	stateScanning     = "SCANNING"
	stateDisabled     = "INTERFACE_DISABLED"
)

// process is a wpa_supplicant that has an interface, in one conversation over its control socket.
type process struct {
	*controlsocket.Conn
	path string
}

// socket finds the wpa_supplicant that has the interface and is not on D-Bus. nil without an error:
// there is none.
func (m *Manager) socket(ctx context.Context, ifname string) (*process, error) {
	for _, dir := range m.Sockets {
		path := filepath.Join(dir, ifname)
		conn, err := controlsocket.Dial(path)
		switch {
		case errors.Is(err, fs.ErrPermission) && listens(path):
			return nil, wrap(&drivers.HeldError{Interface: ifname,
				Err: fmt.Errorf("%w: %w", drivers.ErrHeldBehindSocket, err)})
		case err != nil:
			continue // nobody, or one that was killed and has left its socket
		}
		p := &process{conn, path}
		if reply, err := p.ask(ctx, "PING"); err == nil && reply == "PONG" {
			return p, nil
		} else if ctx.Err() != nil {
			p.Close()
			return nil, ctx.Err()
		}
		p.Close()
	}
	return nil, nil
}

// listens reports whether a process has the socket at path, which only the kernel's list tells whom
// it is closed to.
func listens(path string) bool {
	list, err := os.Open("/proc/self/net/unix")
	if err != nil {
		return true // better a word too many
	}
	defer func() { _ = list.Close() }()
	for lines := bufio.NewScanner(list); lines.Scan(); {
		if strings.HasSuffix(lines.Text(), " "+path) {
			return true
		}
	}
	return false
}

// ask sends a command, which holds no key, and returns the reply.
func (p *process) ask(ctx context.Context, format string, args ...any) (string, error) {
	reply, err := p.Request(ctx, fmt.Appendf(nil, format, args...))
	return string(reply), err
}

// renew connects anew.
func (p *process) renew() error {
	fresh, err := controlsocket.Dial(p.path)
	if err != nil {
		return err
	}
	p.Close()
	*p.Conn = *fresh // who has put off Close closes this one
	return nil
}

// must sends a command that has to be answered with OK.
func (p *process) must(ctx context.Context, command string) error {
	reply, err := p.ask(ctx, "%s", command)
	if err == nil && reply != "OK" {
		err = fmt.Errorf("it answers %s with %.40q", command, reply)
	}
	return err
}

// status is the value of a field of the reply to STATUS, "" if it is not there.
func (p *process) status(ctx context.Context, field string) (string, error) {
	reply, err := p.ask(ctx, "STATUS")
	for line := range strings.Lines(reply) {
		if value, ok := strings.CutPrefix(line, field+"="); ok {
			return strings.TrimSpace(value), err
		}
	}
	return "", err
}

// claimSocket is Claim where D-Bus knows nothing of the interface.
func (m *Manager) claimSocket(ctx context.Context, ifname string) ([]byte, error) {
	p, err := m.socket(ctx, ifname)
	if p == nil {
		return nil, err
	}
	defer p.Close()
	state, err := p.status(ctx, "wpa_state")
	if err != nil {
		return nil, wrap(err)
	}
	if state == stateDisabled { // RECONNECT would not undo DISCONNECT
		return nil, wrap(&drivers.HeldError{Interface: ifname, Err: drivers.ErrHeldLinkDown})
	}
	return json.Marshal(debt{Way: bySocket})
}

// releaseSocket is Release over the control socket.
func (m *Manager) releaseSocket(ctx context.Context, ifname string) error {
	p, err := m.socket(ctx, ifname)
	if p == nil {
		return err
	}
	defer p.Close()
	if err := p.must(ctx, "DISCONNECT"); err != nil {
		return wrap(err)
	}
	_, _ = p.ask(ctx, "ABORT_SCAN") // which would hold us up for seconds; FAIL: there is none
	return wrap(managerbus.Until(ctx, func() (bool, error) {
		state, err := p.status(ctx, "wpa_state")
		return state == stateDisconnected || state == stateInactive || state == stateDisabled, err
	}))
}

// restoreSocket is Restore over the control socket. One that was stopped meanwhile is owed nothing:
// when it is started again it connects by itself.
func (m *Manager) restoreSocket(ctx context.Context, ifname string, reconnect bool) error {
	p, err := m.socket(ctx, ifname)
	if p == nil || !reconnect {
		if p != nil {
			p.Close()
		}
		return err
	}
	defer p.Close()
	err = p.must(ctx, "RECONNECT")
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return wrap(err)
}
