// Package iwd lets iwd let go of an interface and take networks, over D-Bus and by the files that
// it provisions from.
package iwd

import (
	"context"
	"errors"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// Name is what users call it.
const Name = "iwd"

const (
	busName  = "net.connman.iwd"
	deviceI  = busName + ".Device"
	stationI = busName + ".Station"
	networkI = busName + ".Network"
	noObject = godbus.ObjectPath("/")
)

// Directory is where it keeps the networks that it knows.
const Directory = "/var/lib/iwd"

// Manager is iwd. It is safe for concurrent use.
type Manager struct {
	// Bus is where it is.
	Bus *managerbus.Bus
	// Directory of known networks; empty: the usual one.
	Directory string
}

// Name implements Sink and Holder.
func (*Manager) Name() string { return Name }

// device is one of its devices in one conversation.
type device struct {
	*managerbus.Conn
	path godbus.ObjectPath
}

// objects are those of an ObjectManager.
type objects map[godbus.ObjectPath]map[string]map[string]godbus.Variant

// dial connects to it and finds the device of an interface. nil without an error: there is none.
func (m *Manager) dial(ctx context.Context, ifname string) (*device, error) {
	conn, err := m.Bus.Dial(ctx, busName)
	if err != nil {
		return nil, wrap(err)
	}
	var all objects
	if err := conn.Call(ctx, "/", "org.freedesktop.DBus.ObjectManager.GetManagedObjects", nil,
		&all); err != nil {
		conn.Close()
		return nil, wrap(err)
	}
	for path, interfaces := range all {
		if name, _ := interfaces[deviceI]["Name"].Value().(string); name == ifname {
			return &device{conn, path}, nil
		}
	}
	conn.Close()
	return nil, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("iwd: %w", err)
}

// station reports whether the device is a station now: it is not while it is off, or something
// else.
func (d *device) station(ctx context.Context) (bool, error) {
	var state string
	err := d.Get(ctx, d.path, stationI, "State", &state)
	if err != nil && (ctx.Err() != nil || errors.Is(err, managerbus.ErrAbsent)) {
		return false, err
	}
	return err == nil, nil
}

// connected is the name and the kind of the network that it is in, or joins; "" for none.
func (d *device) connected(ctx context.Context) (name, kind string, err error) {
	var path godbus.ObjectPath
	if err := d.Get(ctx, d.path, stationI, "ConnectedNetwork", &path); err != nil {
		return "", "", d.unless(ctx, err) // there is no such property then
	}
	if err := d.Get(ctx, path, networkI, "Name", &name); err != nil {
		return "", "", d.unless(ctx, err)
	}
	if err := d.Get(ctx, path, networkI, "Type", &kind); err != nil {
		return "", "", d.unless(ctx, err)
	}
	return name, kind, nil
}

// unless passes on the errors that are not about an object that is not there.
func (d *device) unless(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, managerbus.ErrAbsent) {
		return err
	}
	return nil
}

// on switches the device on and waits until it is a station.
func (d *device) on(ctx context.Context) error {
	if err := d.Set(ctx, d.path, deviceI, "Powered", true); err != nil {
		return err
	}
	return managerbus.Until(ctx, func() (bool, error) { return d.station(ctx) })
}

// find looks for a network in reach, and scans until it is there.
func (d *device) find(ctx context.Context, name, kind string) (godbus.ObjectPath, error) {
	var found godbus.ObjectPath
	scanned := false
	err := managerbus.Until(ctx, func() (bool, error) {
		var list []struct {
			Path   godbus.ObjectPath
			Signal int16
		}
		if err := d.Call(ctx, d.path, stationI+".GetOrderedNetworks", nil, &list); err != nil {
			return false, d.unless(ctx, err)
		}
		for _, n := range list {
			var has, is string
			if d.Get(ctx, n.Path, networkI, "Name", &has) == nil &&
				d.Get(ctx, n.Path, networkI, "Type", &is) == nil && has == name && is == kind {
				found = n.Path
				return true, nil
			}
		}
		var scanning bool
		if err := d.Get(ctx, d.path, stationI, "Scanning", &scanning); err != nil || scanning {
			return false, d.unless(ctx, err)
		}
		err := d.Call(ctx, d.path, stationI+".Scan", nil) // Busy while it connects: look again
		scanned = scanned || err == nil
		return false, d.unless(ctx, err)
	})
	if errors.Is(err, context.DeadlineExceeded) && scanned {
		return "", ErrNotFound
	}
	return found, err
}

// connect joins a network; it is over when iwd is connected. iwd may be about to connect by itself.
func (d *device) connect(ctx context.Context, name, kind string) error {
	path, err := d.find(ctx, name, kind)
	if err != nil {
		return err
	}
	var last error
	err = managerbus.Until(ctx, func() (bool, error) {
		err := d.Call(ctx, path, networkI+".Connect", nil)
		switch {
		case err == nil, managerbus.Is(err, busName+".AlreadyConnected"):
			return true, nil
		case managerbus.Is(err, busName+".Busy"), managerbus.Is(err, busName+".InProgress"),
			managerbus.Is(err, busName+".Aborted"),
			managerbus.Is(err, busName+".NoAgent"): // it has not read the file yet
			last = err
			return false, nil
		}
		return false, err
	})
	if errors.Is(err, context.DeadlineExceeded) && last != nil {
		return last
	}
	return err
}
