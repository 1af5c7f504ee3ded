package model

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/fence"
)

// permissionAsks says whether it is asked for permissions, and whether that is news already. The
// Model's lock guards it.
type permissionAsks struct{ underWay, again bool }

// permissions asks what the user may do. Older services do not tell: then everything is tried.
func permissions(ctx context.Context, conn *bus.Conn) (granted map[string]string) {
	_ = conn.Call(ctx, bus.Request{To: busName, Path: rootPath,
		Method: managerIface + ".GetPermissions", Flags: godbus.FlagNoAutoStart}, &granted)
	return granted
}

// AskPermissions asks once more what the user may do: polkit says that rules have changed, or that
// somebody sits at the screen now. It does not wait.
func (m *Model) AskPermissions() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.run.Err() != nil || m.conn == nil || m.service != Ready {
		return // whoever comes is asked
	}
	if m.asks.underWay {
		m.asks.again = true
		return
	}
	m.asks.underWay = true
	m.work.Go(fence.Func(m.log, "asking for permissions", func() {
		for m.askPermissionsOnce() {
		}
	}, nil))
}

// askPermissionsOnce tells whether there was news meanwhile.
func (m *Model) askPermissionsOnce() (again bool) {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn != nil {
		ctx, cancel := context.WithTimeout(m.run, callTime)
		defer cancel()
		if granted := permissions(ctx, conn); granted != nil {
			m.update(func() {
				if m.conn == conn && m.service == Ready {
					m.granted = granted
				}
			})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	again = m.asks.again && m.run.Err() == nil
	m.asks = permissionAsks{underWay: again}
	return again
}
