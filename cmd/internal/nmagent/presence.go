package nmagent

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// logind on the bus ("org.freedesktop.login1", also elogind's).
const (
	loginManager = "org.freedesktop.login1"
	loginUser    = godbus.ObjectPath("/org/freedesktop/login1/user/self")
)

// maxSessions bounds how many sessions of a user are looked at.
const maxSessions = 32

// present reports whether somebody is there who can press a button: at the terminal that the agent
// was started from, or at a seat of this computer, in a session of this user that is active.
func (g *agent) present(ctx context.Context) bool {
	if g.Unattended || g.Terminal {
		return true
	}
	var sessions []struct {
		ID   string
		Path godbus.ObjectPath
	}
	if err := g.login(ctx, loginUser, "User", "Sessions", &sessions); err != nil {
		g.Log.Debug("nobody knows whether somebody is there", "err", err)
		return false
	}
	for _, s := range sessions[:min(len(sessions), maxSessions)] {
		var active bool
		var seat struct {
			ID   string
			Path godbus.ObjectPath
		}
		if g.login(ctx, s.Path, "Session", "Active", &active) == nil && active &&
			g.login(ctx, s.Path, "Session", "Seat", &seat) == nil && seat.ID != "" {
			return true
		}
	}
	return false
}

// login reads a property of logind's.
func (g *agent) login(ctx context.Context, path godbus.ObjectPath, iface, name string,
	out any) error {
	var v godbus.Variant
	err := g.conn.Call(ctx, bus.Request{To: loginManager, Path: path,
		Method: "org.freedesktop.DBus.Properties.Get",
		Args:   []any{loginManager + "." + iface, name}, Flags: godbus.FlagNoAutoStart}, &v)
	if err != nil {
		return err
	}
	return v.Store(out)
}
