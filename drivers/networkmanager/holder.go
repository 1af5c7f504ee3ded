package networkmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// debt is how a device was before it was released.
type debt struct {
	// Active is the UUID of the profile that was active; empty: none.
	Active string `json:"active,omitempty"`
	// Volatile profiles are deleted by NetworkManager when they are not active any more.
	Volatile bool `json:"volatile,omitempty"`
	// Autoconnect is what the property of the device was: a user who disconnects it wants it to
	// stay so.
	Autoconnect bool `json:"autoconnect"`
}

// supplicant is what NetworkManager drives the radio with, and has to let go, too.
const (
	supplicantName = "fi.w1.wpa_supplicant1"
	supplicantPath = godbus.ObjectPath("/fi/w1/wpa_supplicant1")
)

// Claim implements Holder.
func (m *Manager) Claim(ctx context.Context, ifname string) ([]byte, error) {
	d, err := m.dial(ctx, ifname)
	if errors.Is(err, managerbus.ErrAbsent) || err == nil && d == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	managed, err := d.managed(ctx)
	if err != nil || !managed {
		return nil, wrap(err)
	}
	var owed debt
	if owed.Active, err = d.active(ctx); err != nil {
		return nil, wrap(err)
	}
	if owed.Volatile, err = d.volatile(ctx, owed.Active); err != nil {
		return nil, wrap(err)
	}
	if err := d.Get(ctx, d.path, deviceI, "Autoconnect", &owed.Autoconnect); err != nil {
		return nil, wrap(err)
	}
	return json.Marshal(owed)
}

// Release implements Holder. It returns when the device is unmanaged and its supplicant has left
// the radio as well.
func (m *Manager) Release(ctx context.Context, ifname string, text []byte) (apart bool, err error) {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return false, wrap(err)
	}
	d, err := m.dial(ctx, ifname)
	switch {
	case err != nil:
		return false, err
	case d == nil:
		return false, fmt.Errorf("networkmanager: %s is gone", ifname)
	}
	defer d.Close()
	if owed.Volatile {
		if err := d.keep(ctx, owed.Active, flagInMemory); err != nil {
			return false, wrap(err)
		}
		m.setKept(ifname, owed.Active)
	}
	if err := d.unmanage(ctx); err != nil {
		return false, wrap(err)
	}
	err = managerbus.Until(ctx, func() (bool, error) {
		state, err := d.state(ctx)
		return state == deviceUnmanaged, err
	})
	if err != nil {
		return false, wrap(err)
	}
	return false, wrap(m.supplicantLeaves(ctx, ifname))
}

// Shares implements service.Sharer: packaging/ tells NetworkManager to leave interfaces alone that
// wpsd makes.
func (*Manager) Shares() bool { return true }

// supplicantLeaves waits until wpa_supplicant does not have the interface: until then it would
// disturb us.
func (m *Manager) supplicantLeaves(ctx context.Context, ifname string) error {
	s, err := m.Bus.Dial(ctx, supplicantName)
	if errors.Is(err, managerbus.ErrAbsent) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	return managerbus.Until(ctx, func() (bool, error) {
		var path godbus.ObjectPath
		err := s.Call(ctx, supplicantPath, supplicantName+".GetInterface", []any{ifname}, &path)
		return err != nil, ctx.Err()
	})
}

// Restore implements Holder.
func (m *Manager) Restore(ctx context.Context, ifname string, text []byte, reconnect bool) error {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return wrap(err)
	}
	d, err := m.dial(ctx, ifname)
	if err != nil {
		return err
	}
	if d == nil {
		return m.gone(ctx, ifname)
	}
	defer d.Close()
	managed, err := d.managed(ctx)
	if err != nil {
		return wrap(err)
	}
	if !managed {
		if err := d.manage(ctx, owed.Autoconnect && reconnect); err != nil {
			return wrap(err)
		}
	}
	if !reconnect {
		return nil
	}
	if err := d.reconnect(ctx, owed); err != nil || !owed.Volatile {
		return wrap(err)
	}
	m.setKept(ifname, "")
	return wrap(d.keep(ctx, owed.Active, flagInMemory|flagVolatile))
}

// gone judges that NetworkManager does not know an interface: it is gone, and a new one is managed
// as the configuration says; or NetworkManager was just started, and will know it soon.
func (m *Manager) gone(ctx context.Context, ifname string) error {
	c, err := m.Bus.Dial(ctx, busName)
	if err != nil {
		return wrap(err)
	}
	defer c.Close()
	var starting bool
	if err := c.Get(ctx, root, managerI, "Startup", &starting); err == nil && starting {
		return fmt.Errorf("networkmanager: it is being started, and does not know %s yet", ifname)
	}
	return nil
}

// leave lets NetworkManager delete the volatile profile that another network has taken the place
// of. If it cannot, there is a profile too many until the machine is started anew: no reason to
// call the hand-over a failure.
func (m *Manager) leave(ctx context.Context, d *device, ifname string) {
	kept := m.setKept(ifname, "")
	if kept == "" {
		return
	}
	if now, err := d.active(ctx); err != nil || now == kept {
		return // the same profile, with another key: the network is not to be forgotten
	}
	_ = d.keep(ctx, kept, flagInMemory|flagVolatile)
}

// Flags of Update2 (NMSettingsUpdate2Flags), and of a profile (NMSettingsConnectionFlags).
const (
	flagInMemory    = 0x2
	flagVolatile    = 0x10
	profileVolatile = 0x4
)

// volatile reports whether NetworkManager deletes a profile as soon as it is not active any more.
// No profile is not.
func (d *device) volatile(ctx context.Context, uuid string) (bool, error) {
	path, err := d.profile(ctx, uuid)
	if err != nil || path == noObject {
		return false, err
	}
	var flags uint32
	err = d.Get(ctx, path, profileI, "Flags", &flags)
	return flags&profileVolatile != 0, err
}

// keep says how long a profile in memory is kept: without flagVolatile until somebody deletes it.
// Its settings, and the key, stay as they are.
func (d *device) keep(ctx context.Context, uuid string, flags uint32) error {
	path, err := d.profile(ctx, uuid)
	if err != nil || path == noObject {
		return err
	}
	return d.Call(ctx, path, profileI+".Update2",
		[]any{profile{}, flags, map[string]godbus.Variant{}})
}

// profile finds a profile; noObject: it was deleted, or there was none.
func (d *device) profile(ctx context.Context, uuid string) (path godbus.ObjectPath, err error) {
	if uuid == "" {
		return noObject, nil
	}
	err = d.Call(ctx, settings, settingsI+".GetConnectionByUuid", []any{uuid}, &path)
	if err != nil && !errors.Is(err, managerbus.ErrAbsent) && ctx.Err() == nil {
		return noObject, nil
	}
	return path, err
}

// Values and flags of SetManaged (NMDeviceManaged, NMDeviceManagedFlags), which NetworkManager 1.58
// has in place of the property Managed. Only the flag of the running NetworkManager is ever used:
// others would write onto the disk, and change the link.
const (
	managedNo    uint32 = 0
	managedYes   uint32 = 1
	managedReset uint32 = 2 // as the configuration has it

	managedRuntime uint32 = 0x1
)

// unmanage has NetworkManager leave the device alone until it is told otherwise, or started anew.
func (d *device) unmanage(ctx context.Context) error {
	err := d.setManaged(ctx, managedNo)
	if isOlder(err) {
		return d.Set(ctx, d.path, deviceI, "Managed", false)
	}
	return err
}

// manageAsBefore takes unmanage back. Where the configuration says that the device is managed
// nothing stays of it; elsewhere somebody had asked for that at run time, as we do then. The
// property of older ones can only ask.
func (d *device) manageAsBefore(ctx context.Context) error {
	err := d.setManaged(ctx, managedReset)
	switch {
	case isOlder(err):
		return d.Set(ctx, d.path, deviceI, "Managed", true)
	case err != nil:
		return err
	}
	managed, err := d.managed(ctx)
	if err != nil || managed {
		return err
	}
	return d.setManaged(ctx, managedYes)
}

func (d *device) setManaged(ctx context.Context, managed uint32) error {
	return d.Call(ctx, d.path, deviceI+".SetManaged", []any{managed, managedRuntime})
}

// isOlder reports whether a NetworkManager before 1.58 answered.
func isOlder(err error) bool {
	return managerbus.Is(err, "org.freedesktop.DBus.Error.UnknownMethod")
}

// usableTime is how long a device that becomes managed may be unavailable: its supplicant takes 3
// s. If it still is then, its radio is blocked, and it will connect by itself when that is over.
const usableTime = 6 * time.Second

// manage makes a device managed and waits until it can be used. Unless autoconnect is wanted, it is
// off before NetworkManager can make use of it.
func (d *device) manage(ctx context.Context, autoconnect bool) error {
	if err := d.manageAsBefore(ctx); err != nil {
		return err
	}
	if err := d.Set(ctx, d.path, deviceI, "Autoconnect", autoconnect); err != nil {
		return err
	}
	begun := time.Now()
	return managerbus.Until(ctx, func() (bool, error) {
		state, err := d.state(ctx)
		return state >= deviceDisconnected || state == deviceUnavailable &&
			time.Since(begun) > usableTime, err
	})
}

// reconnect brings back what was active, and what was to be activated by itself.
func (d *device) reconnect(ctx context.Context, owed debt) error {
	if err := d.Set(ctx, d.path, deviceI, "Autoconnect", owed.Autoconnect); err != nil {
		return err
	}
	if owed.Active == "" {
		return nil
	}
	now, err := d.active(ctx)
	if err != nil || now == owed.Active {
		return err
	}
	profile, err := d.profile(ctx, owed.Active)
	if err != nil || profile == noObject {
		return err // deleted meanwhile: there is nothing to come back to
	}
	if state, err := d.state(ctx); err != nil || state == deviceUnavailable {
		return err
	}
	return d.Call(ctx, root, managerI+".ActivateConnection", []any{profile, d.path, noObject})
}

// Disconnect implements service.Disconnecter.
func (m *Manager) Disconnect(ctx context.Context, ifname string) error {
	d, err := m.dial(ctx, ifname)
	if err != nil || d == nil {
		return err
	}
	defer d.Close()
	err = d.Call(ctx, d.path, deviceI+".Disconnect", nil)
	if err != nil && !managerbus.Is(err, deviceI+".NotActive") {
		return wrap(err)
	}
	return wrap(managerbus.Until(ctx, func() (bool, error) {
		state, err := d.state(ctx)
		return state <= deviceDisconnected, err
	}))
}
