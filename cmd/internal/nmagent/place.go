package nmagent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	godbus "github.com/godbus/dbus/v5"
)

// errNoWPS means that push button is of no use with a network.
var errNoWPS = errors.New("this network does not offer WPS")

// place is where a network is to be joined.
type place struct {
	iface godbus.ObjectPath // of wpsd
	name  string            // of the interface
	bssid string            // of the only access point of this network; empty: there are several
}

// objects are those of an ObjectManager.
type objects map[godbus.ObjectPath]map[string]map[string]godbus.Variant

// place finds the interface on which NetworkManager waits, and an access point with WPS in the
// network that is asked for. Where none is known of that network wpsd looks around once.
func (g *agent) place(ctx context.Context, r *run) (place, error) {
	device, err := g.device(ctx, &r.asked)
	if err != nil {
		return place{}, err
	}
	for scanned := false; ; scanned = true {
		var all objects
		if err := g.ask(ctx, wpsdPath, "org.freedesktop.DBus.ObjectManager.GetManagedObjects",
			&all); err != nil {
			return place{}, fmt.Errorf("wpsd does not answer: %w", err)
		}
		at, err := find(all, device, r.ssid)
		if err == nil || !errors.Is(err, errNoWPS) || scanned || at.iface == "" {
			return at, err
		}
		if err := g.scan(ctx, r, at.iface); err != nil {
			return place{}, err
		}
	}
}

// scan has wpsd look around. That somebody else does so just now is as good.
func (g *agent) scan(ctx context.Context, r *run, iface godbus.ObjectPath) error {
	select {
	case <-r.scanned: // of before
	default:
	}
	err := g.ask(ctx, iface, interfaceIface+".Scan", nil, map[string]godbus.Variant{})
	if e, ok := errors.AsType[godbus.Error](err); ok && e.Name == wpsd+".Error.Busy" {
		err = nil
	}
	if err != nil {
		return err
	}
	select {
	case <-r.scanned:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// find looks for access points of a network among wpsd's objects: those that the interface with
// this name hears, or, without a name, the first station. The place has its interface also if there
// is no access point.
func find(all objects, device string, ssid []byte) (place, error) {
	var at place
	for path, faces := range all {
		p, is := faces[interfaceIface]
		name, _ := p["Name"].Value().(string)
		mode, _ := p["Mode"].Value().(string)
		if is && mode == "station" && (name == device || device == "") &&
			(at.iface == "" || path < at.iface) {
			at.iface, at.name = path, name
		}
	}
	if at.iface == "" {
		return at, fmt.Errorf("wpsd has no Wi-Fi interface %s", device)
	}
	var bssids []string
	for path, faces := range all {
		p, is := faces[accessPointIface]
		name, _ := p["Ssid"].Value().([]byte)
		flags, _ := p["Flags"].Value().(string)
		bssid, _ := p["Bssid"].Value().(string)
		if !is || !bytes.Equal(name, ssid) || flags == "" ||
			!strings.HasPrefix(string(path), string(at.iface)+"/aps/") {
			continue
		}
		if usable, known := p["Usable"].Value().(bool); known && !usable {
			continue // such as one that takes WPA3 alone
		}
		bssids = append(bssids, bssid)
	}
	switch len(bssids) {
	case 0:
		return at, errNoWPS
	case 1:
		at.bssid = bssids[0]
	}
	return at, nil
}
