// Package connman lets ConnMan let go of an interface, get it back, and take networks, over D-Bus.
//
// ConnMan drives the radio with wpa_supplicant or iwd, which let go after it; see drivers/
// wpasupplicant and drivers/iwd. What it does itself was seen with version 1.41: it has no word for
// one interface. A service (a network, with the interface it is heard by) that is disconnected
// by somebody is left alone from then on. To switch the technology off would block all radios
// (rfkill); when its interface is gone from wpa_supplicant it takes the technology for off without
// that, and takes a new interface there only when the technology is switched on.
package connman

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// Name is what users call it.
const Name = "connman"

const (
	busName     = "net.connman"
	managerI    = busName + ".Manager"
	serviceI    = busName + ".Service"
	technologyI = busName + ".Technology"
	root        = godbus.ObjectPath("/")
	technology  = godbus.ObjectPath("/net/connman/technology/wifi")
	errorPrefix = busName + ".Error."
)

// Manager is ConnMan. It is safe for concurrent use.
type Manager struct {
	// Bus is where it is.
	Bus *managerbus.Bus
}

// Name implements Sink and Holder.
func (*Manager) Name() string { return Name }

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("connman: %w", err)
}

// network is a service of the technology wifi.
type network struct {
	path     godbus.ObjectPath
	state    string
	ifname   string
	favorite bool // it was connected once, or was told of
	fixed    bool // by a file, so it cannot be removed (Immutable)
}

// connected reports whether it is, or is about to be.
func (n *network) connected() bool {
	switch n.state {
	case "association", "configuration", "ready", "online":
		return true
	}
	return false
}

// joined reports whether it is connected, as far as 802.11 goes.
func (n *network) joined() bool {
	return n.state == "configuration" || n.state == "ready" || n.state == "online"
}

// isOf reports whether it is the network with this name and kind of security. ConnMan has the SSID
// in the last part of the path, in hex digits: wifi_ADDRESS_SSID_managed_psk.
func (n *network) isOf(ssid []byte, kind string) bool {
	return strings.HasSuffix(string(n.path), "_"+hex.EncodeToString(ssid)+"_managed_"+kind)
}

// maxServices bounds how many services are looked at.
const maxServices = 1024

// networks lists the services of an interface. others is whether there are some of another one.
func networks(ctx context.Context, c *managerbus.Conn, ifname string) (ours []network, others bool,
	err error) {
	var all []struct {
		Path       godbus.ObjectPath
		Properties map[string]godbus.Variant
	}
	if err := c.Call(ctx, root, managerI+".GetServices", nil, &all); err != nil {
		return nil, false, err
	}
	for _, s := range all[:min(len(all), maxServices)] {
		if kind, _ := s.Properties["Type"].Value().(string); kind != "wifi" {
			continue
		}
		n := network{path: s.Path}
		n.state, _ = s.Properties["State"].Value().(string)
		n.favorite, _ = s.Properties["Favorite"].Value().(bool)
		n.fixed, _ = s.Properties["Immutable"].Value().(bool)
		link, _ := s.Properties["Ethernet"].Value().(map[string]godbus.Variant)
		n.ifname, _ = link["Interface"].Value().(string)
		if n.ifname == ifname {
			ours = append(ours, n)
		} else if n.ifname != "" {
			others = true
		}
	}
	return ours, others, nil
}

// powered reports whether it looks after radios at all.
func powered(ctx context.Context, c *managerbus.Conn) (bool, error) {
	var all []struct {
		Path       godbus.ObjectPath
		Properties map[string]godbus.Variant
	}
	if err := c.Call(ctx, root, managerI+".GetTechnologies", nil, &all); err != nil {
		return false, err
	}
	for _, t := range all {
		if t.Path == technology {
			on, _ := t.Properties["Powered"].Value().(bool)
			return on, nil
		}
	}
	return false, nil
}

// find looks for a network in reach, and has ConnMan scan until it is there.
func find(ctx context.Context, c *managerbus.Conn, ifname string, ssid []byte,
	kind string) (network, error) {
	var found network
	err := managerbus.Until(ctx, func() (bool, error) {
		all, _, err := networks(ctx, c, ifname)
		if err != nil {
			return false, err
		}
		for _, n := range all {
			if n.isOf(ssid, kind) {
				found = n
				return true, nil
			}
		}
		// It returns when the scan is over; that one runs already, or none can, is no end.
		err = c.Call(ctx, technology, technologyI+".Scan", nil)
		if errors.Is(err, managerbus.ErrAbsent) || ctx.Err() != nil {
			return false, err
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return network{}, ErrNotFound
	}
	return found, err
}
