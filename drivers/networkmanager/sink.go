package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Why NetworkManager cannot have a network.
var (
	ErrNoDevice = errors.New("networkmanager: it does not know the interface")
	ErrWEP      = errors.New("networkmanager: WEP is broken and not handed over: set the access point to WPA2")
	ErrText     = errors.New("networkmanager: it takes a key only if that is UTF-8")
	ErrFailed   = errors.New("it could not connect")
	ErrCipher   = errors.New("networkmanager: it has no setting for the ciphers GCMP, GCMP-256 and CCMP-256: set the access point to CCMP (AES)")
)

// Names of settings, and values of theirs.
const (
	wireless         = "802-11-wireless"
	wirelessSecurity = "802-11-wireless-security"
	connection       = "connection"

	// wps-method: without it NetworkManager may press its own button when it doubts the key
	wpsDisabled = 1
	pmfDisable  = 1
	pmfOptional = 2
	pmfRequired = 3
	keyIsSaved  = 0 // psk-flags: not asked of an agent
)

// profile is a connection as NetworkManager has it: settings by name, each a dictionary.
type profile map[string]map[string]godbus.Variant

// Deliver implements Sink: for each network it updates the profile that is for it already, else
// adds one. It activates the first, and if that does not connect the next.
func (m *Manager) Deliver(ctx context.Context, ifname string,
	offers []credential.Offer) (made credential.Connection, err error) {
	usable, err := credential.Usable(offers, check)
	if len(usable) == 0 {
		return made, err
	}
	d, err := m.dial(ctx, ifname)
	switch {
	case err != nil:
		return made, err
	case d == nil:
		return made, ErrNoDevice
	}
	defer d.Close()
	if managed, err := d.managed(ctx); err != nil || !managed {
		if err == nil {
			err = d.manage(ctx, true)
		}
		if err != nil {
			return made, wrap(err)
		}
	}
	path, err := d.deliver(ctx, ifname, usable)
	if err != nil {
		return made, wrap(err)
	}
	made = d.connection(ctx, path)
	m.leave(ctx, d, ifname)
	return made, nil
}

// placed is the profile of an offer.
type placed struct {
	*credential.Offer
	path godbus.ObjectPath
	undo func(context.Context) error // makes it what it was, or nothing
}

// deliver changes or adds the profiles and activates one. If that fails all of them are again what
// they were.
func (d *device) deliver(ctx context.Context, ifname string,
	offers []*credential.Offer) (godbus.ObjectPath, error) {
	var ours []placed
	var err error
	taken := map[godbus.ObjectPath]bool{}
	for _, o := range offers {
		p, placeErr := d.place(ctx, ifname, o, taken)
		if placeErr != nil {
			err = errors.Join(err, placeErr)
			continue
		}
		taken[p.path] = true
		ours = append(ours, p)
	}
	for n, p := range ours {
		activateErr := d.activate(ctx, p, len(ours)-n)
		if activateErr == nil {
			return p.path, d.Set(ctx, d.path, deviceI, "Autoconnect", true)
		}
		err = errors.Join(err, activateErr)
		if ctx.Err() != nil {
			break
		}
	}
	kept := errors.Is(context.Cause(ctx), credential.ErrKeep)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if kept { // nobody waits, and it goes on
		return "", errors.Join(err, d.Set(ctx, d.path, deviceI, "Autoconnect", true))
	}
	for _, p := range ours {
		err = errors.Join(err, p.undo(ctx))
	}
	return "", err
}

// connection is what callers are told of a profile. One whose UUID cannot be read has a path.
func (d *device) connection(ctx context.Context, path godbus.ObjectPath) credential.Connection {
	made := credential.Connection{Path: string(path)}
	var have profile
	if err := d.Call(ctx, path, profileI+".GetSettings", nil, &have); err == nil {
		made.UUID = have.text(connection, "uuid")
	}
	return made
}

// place puts an offer into the profile that is for it and is not another offer's, or makes one.
func (d *device) place(ctx context.Context, ifname string, o *credential.Offer,
	taken map[godbus.ObjectPath]bool) (placed, error) {
	p := placed{Offer: o}
	path, have, err := d.find(ctx, ifname, o.Network, taken)
	if err != nil {
		return p, err
	}
	if have != nil {
		p.path = path
		p.undo, err = d.update(ctx, path, have, o)
		return p, err
	}
	p.undo = func(ctx context.Context) error { return d.Call(ctx, p.path, profileI+".Delete", nil) }
	err = d.Call(ctx, settings, settingsI+".AddConnection", []any{added(o)}, &p.path)
	return p, err
}

// activate connects the device by a profile, the first of so many that may be tried.
func (d *device) activate(ctx context.Context, p placed, attempts int) error {
	ctx, cancel := managerbus.Part(ctx, attempts)
	defer cancel()
	err := d.try(ctx, p, p.Station)
	if !errors.Is(err, errOtherAddress) {
		return err
	}
	if err := d.pin(ctx, p); err != nil {
		return err
	}
	return d.try(ctx, p, wsc.MAC{})
}

// try activates a profile and waits until it is connected; with another address than this one it
// does not wait.
func (d *device) try(ctx context.Context, p placed, station wsc.MAC) error {
	var active godbus.ObjectPath
	if err := d.Call(ctx, root, managerI+".ActivateConnection", []any{p.path, d.path, noObject},
		&active); err != nil {
		return err
	}
	return d.connects(ctx, active, station)
}

// errOtherAddress means that the profile, or NetworkManager's configuration, gives the device
// another address than the one with which the network was received ("cloned-mac-address": random,
// stable, or one of its own).
var errOtherAddress = errors.New("it connects with another address")

// pin gives a profile the address with which the network was received. An access point may tie its
// key to that.
func (d *device) pin(ctx context.Context, p placed) error {
	var have profile
	if err := d.Call(ctx, p.path, profileI+".GetSettings", nil, &have); err != nil {
		return err
	}
	have.dropOld()
	delete(have[wireless], "cloned-mac-address") // the same in an older form
	have[wireless]["assigned-mac-address"] = godbus.MakeVariant(p.Station.String())
	apply(have, p.Offer)
	return d.Call(ctx, p.path, profileI+".Update2",
		[]any{have, uint32(0), map[string]godbus.Variant{}})
}

// hasAddress reports whether the device has this address now. Where that cannot be told it may
// well.
func (d *device) hasAddress(ctx context.Context, station wsc.MAC) bool {
	var now string
	err := d.Get(ctx, d.path, wirelessI, "HwAddress", &now)
	return err != nil || strings.EqualFold(now, station.String())
}

// undoTime bounds making a profile again what it was.
const undoTime = 5 * time.Second

// update puts the network's key into a profile, and returns how to make that what it was, with the
// key that it had.
func (d *device) update(ctx context.Context, path godbus.ObjectPath, have profile,
	n *credential.Offer) (undo func(context.Context) error, err error) {
	have.dropOld()
	before := have.clone()
	var secrets profile
	if err := d.Call(ctx, path, profileI+".GetSecrets", []any{wirelessSecurity},
		&secrets); err == nil {
		maps.Copy(before[wirelessSecurity], secrets[wirelessSecurity])
	}
	apply(have, n)
	set := func(ctx context.Context, p profile) error {
		return d.Call(ctx, path, profileI+".Update2",
			[]any{p, uint32(0), map[string]godbus.Variant{}})
	}
	return func(ctx context.Context) error { return set(ctx, before) }, set(ctx, have)
}

// check refuses what NetworkManager would, in words that help.
func check(n *credential.Offer) error {
	switch {
	case n.KeyKind == credential.KeyWEP || n.Encryption&wsc.EncrWEP != 0:
		return ErrWEP
	case !utf8.Valid(n.Key.Bytes()):
		return ErrText
	case n.Heard && n.KeyKind != credential.KeyNone && !usual(n.Ciphers):
		return ErrCipher
	}
	return nil
}

// usual reports whether a network can be joined with what NetworkManager lets its supplicant use
// (1.42: "pairwise" and "group" take tkip and ccmp).
func usual(c ie.Ciphers) bool {
	const has = ie.TKIP | ie.CCMP
	return c.Pairwise&has != 0 && c.Group&has != 0
}

// find looks for the profile of this network: same name, same kind of security, for this interface
// or any. The one that was used last counts.
func (d *device) find(ctx context.Context, ifname string, n credential.Network,
	taken map[godbus.ObjectPath]bool) (path godbus.ObjectPath, found profile, err error) {
	newest := uint64(0)
	err = d.each(ctx, func(p godbus.ObjectPath, have profile) {
		if taken[p] || !have.fits(ifname, n) {
			return
		}
		used, _ := have[connection]["timestamp"].Value().(uint64)
		if found == nil || used > newest {
			path, found, newest = p, have, used
		}
	})
	return path, found, err
}

// each looks at every profile that may be seen.
func (d *device) each(ctx context.Context, look func(godbus.ObjectPath, profile)) error {
	var all []godbus.ObjectPath
	if err := d.Call(ctx, settings, settingsI+".ListConnections", nil, &all); err != nil {
		return err
	}
	for _, p := range all {
		var have profile
		if err := d.Call(ctx, p, profileI+".GetSettings", nil, &have); err != nil {
			if ctx.Err() != nil || errors.Is(err, managerbus.ErrAbsent) {
				return err
			}
			continue // deleted meanwhile, or somebody else's
		}
		look(p, have)
	}
	return nil
}

func (p profile) clone() profile {
	c := make(profile, len(p))
	for name, setting := range p {
		c[name] = maps.Clone(setting)
	}
	return c
}

// dropOld leaves out what NetworkManager tells twice, the second time in the old form of addresses:
// that has structures, which the D-Bus library does not write as it has read them.
func (p profile) dropOld() {
	for _, setting := range []string{"ipv4", "ipv6"} {
		for old, now := range map[string]string{"addresses": "address-data",
			"routes": "route-data"} {
			if _, there := p[setting][now]; there {
				delete(p[setting], old)
			}
		}
	}
}

// text is a value of type s.
func (p profile) text(setting, key string) string {
	s, _ := p[setting][key].Value().(string)
	return s
}

// named reports whether a profile is for a network of this name on the interface.
func (p profile) named(ifname string, n credential.Network) bool {
	ssid, _ := p[wireless]["ssid"].Value().([]byte)
	bound, mode := p.text(connection, "interface-name"), p.text(wireless, "mode")
	return p.text(connection, "type") == wireless && string(ssid) == string(n.SSID) &&
		(bound == "" || bound == ifname) && (mode == "" || mode == "infrastructure")
}

// fits reports whether a profile is for the network on the interface.
func (p profile) fits(ifname string, n credential.Network) bool {
	if !p.named(ifname, n) {
		return false
	}
	_, secured := p[wirelessSecurity]
	if n.KeyKind == credential.KeyNone {
		return !secured
	}
	management := p.text(wirelessSecurity, "key-mgmt")
	return management == "wpa-psk" || management == "sae"
}

// added is a new profile. Who may use it: everybody, as with one that an administrator makes.
func added(n *credential.Offer) profile {
	p := profile{
		connection: {"id": godbus.MakeVariant(displayName(n.SSID)),
			"type": godbus.MakeVariant(wireless)},
		wireless: {"ssid": godbus.MakeVariant(n.SSID),
			"mode": godbus.MakeVariant("infrastructure")},
	}
	apply(p, n)
	return p
}

// apply puts key and security of a network into a profile and leaves all else of it.
func apply(p profile, n *credential.Offer) {
	p[connection]["autoconnect"] = godbus.MakeVariant(true)
	if n.Priority != 0 {
		p[connection]["autoconnect-priority"] = godbus.MakeVariant(
			int32(min(max(n.Priority, -mostPriority), mostPriority)))
	}
	if n.KeyKind == credential.KeyNone {
		delete(p, wirelessSecurity)
		return
	}
	s := p[wirelessSecurity]
	if s == nil {
		s = map[string]godbus.Variant{}
		p[wirelessSecurity] = s
	}
	// "wpa-psk" is for WPA2 and WPA3 alike: where supplicant and access point have SAE,
	// NetworkManager adds it, but only if management frames may be protected. A key of 64 digits is
	// no password, so SAE has no use for it.
	pmf := int32(pmfOptional)
	if n.KeyKind == credential.KeyRawPSK || n.NoSAE {
		pmf = pmfDisable
	}
	management := "wpa-psk"
	if n.WPA3Only {
		management, pmf = "sae", pmfRequired
	}
	s["key-mgmt"] = godbus.MakeVariant(management)
	s["psk"] = godbus.MakeVariant(string(n.Key.Bytes()))
	s["psk-flags"] = godbus.MakeVariant(uint32(keyIsSaved))
	s["pmf"] = godbus.MakeVariant(pmf)
	s["wps-method"] = godbus.MakeVariant(uint32(wpsDisabled))
}

// mostPriority is the largest autoconnect-priority (nm-settings(5)).
const mostPriority = 999

// displayName is how a profile is listed.
func displayName(ssid []byte) string {
	if utf8.Valid(ssid) {
		return string(ssid)
	}
	return fmt.Sprintf("%x", ssid)
}

// connects waits until the activation got through 802.11 and its handshake: NetworkManager asks for
// an address then. With a station, it is errOtherAddress if the device has got another address for
// it.
func (d *device) connects(ctx context.Context, active godbus.ObjectPath, station wsc.MAC) error {
	started := time.Now()
	return managerbus.Until(ctx, func() (bool, error) {
		var now godbus.ObjectPath
		state, err := d.state(ctx)
		if err != nil {
			return false, err
		}
		if err := d.Get(ctx, d.path, deviceI, "ActiveConnection", &now); err != nil {
			return false, err
		}
		switch {
		case now == active && state == deviceConfig && !station.IsZero() &&
			!d.hasAddress(ctx, station):
			return false, errOtherAddress
		case now == active && state >= deviceIPConfig && state <= deviceActivated:
			return true, nil
		case now == active && state == deviceFailed:
			return false, ErrFailed
		case now != active && time.Since(started) > activationBegins:
			return false, ErrFailed // given up, or somebody has begun something else
		}
		return false, nil
	})
}

// activationBegins is how long an older activation may take to make room for ours.
const activationBegins = 5 * time.Second
