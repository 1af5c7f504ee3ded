package sim

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"wpsd/drivers/wfadevice"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// loopback is the interface that access points are on if they are on a network at all.
const loopback = "lo"

// announceInterval is how often they announce themselves: each announcement holds for twice as
// long.
const announceInterval = 15 * time.Minute

// localNetwork is the local network that the World's access points are on: External Registrars find
// them there by UPnP.
type localNetwork struct {
	devices *wfadevice.Network
	next    netip.Addr // of the next access point
	log     *slog.Logger
	stop    chan struct{}
	once    sync.Once // for stop
	wait    sync.WaitGroup
}

// ServeUPnP puts the access points on the loopback interface, the first one at an address in
// 127.0.0.0/8 and each further one at the next: External Registrars of this machine find them, and
// nobody else does. World.Close takes them off.
func (w *World) ServeUPnP(first netip.Addr) error {
	if !first.Is4() || !first.IsLoopback() {
		return fmt.Errorf("sim: %s is not an address in 127.0.0.0/8", first)
	}
	w.lanMu.Lock()
	defer w.lanMu.Unlock()
	if w.lan != nil {
		return errors.New("sim: the access points are on a network already")
	}
	log := w.log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	devices, err := wfadevice.Open(loopback, log)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	w.lan = &localNetwork{devices: devices, next: first, log: log, stop: make(chan struct{})}
	for _, ap := range w.APs() {
		if err := w.plugIn(ap); err != nil {
			w.unplugAll()
			return err
		}
	}
	stop := w.lan.stop
	w.lan.wait.Go(func() { w.announce(stop) })
	return nil
}

// Network is the interface of this machine on which a simulated one is on a network: that of the
// access points. Others are themselves.
func (d *Driver) Network(ifname string) string {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	if d.world.radio(ifname) == nil && d.world.hotspot(ifname) == nil {
		return ifname
	}
	return loopback
}

// announce has the access points announce themselves now and then.
func (w *World) announce(stop <-chan struct{}) {
	t := time.NewTicker(announceInterval)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
		}
		w.lanMu.Lock()
		for _, ap := range w.APs() {
			if d := ap.onLAN(); d != nil {
				_ = d.Announce(upnp.Alive) // the next one is due soon
			}
		}
		w.lanMu.Unlock()
	}
}

// plugIn puts an access point on the network. It begins as hostapd does: byebye, in case that it
// was there before, then alive. lanMu is held, the World's lock is not.
func (w *World) plugIn(ap *AP) error {
	if w.lan == nil || ap.o.NoWPS {
		return nil
	}
	l := &ap.lan
	if !l.address.IsValid() {
		l.address = w.lan.next
		if w.lan.next = l.address.Next(); !l.address.IsLoopback() {
			return errors.New("sim: there are no addresses in 127.0.0.0/8 left")
		}
	}
	d, err := w.lan.devices.Add(wfadevice.Config{
		Address: l.address, UUID: ap.o.Device.UUID, Describe: ap.describeUPnP, Act: ap.act,
		First: ap.firstEvent, Left: ap.registrarLeft,
	})
	if err != nil {
		return fmt.Errorf("sim: %s: %w", ap.BSSID(), err)
	}
	w.mu.Lock()
	l.device = d
	w.mu.Unlock()
	for _, kind := range []upnp.Kind{upnp.Byebye, upnp.Alive} {
		if err := d.Announce(kind); err != nil {
			return fmt.Errorf("sim: %s: %w", ap.BSSID(), err)
		}
	}
	w.lan.log.Info("sim: on the network", "ap", ap.BSSID().String(), "location",
		d.Location().String())
	return nil
}

// unplug takes an access point off the network, in good order or not. lanMu is held, the World's
// lock is not.
func (w *World) unplug(ap *AP, orderly bool) {
	w.mu.Lock()
	d := ap.lan.device
	ap.lan.device, ap.lan.selected, ap.lan.newest = nil, nil, nil
	w.mu.Unlock()
	if d == nil {
		return
	}
	if orderly {
		_ = d.Announce(upnp.Byebye)
	}
	d.Close() // waits for answers, which may take the World's lock
	ap.lan.forget()
}

// unplugAll takes the network away. lanMu is held, the World's lock is not.
func (w *World) unplugAll() {
	for _, ap := range w.APs() {
		w.unplug(ap, true)
	}
	_ = w.lan.devices.Close()
	w.lan = nil
}

// closeUPnP is the opposite of ServeUPnP.
func (w *World) closeUPnP() {
	w.lanMu.Lock()
	lan := w.lan
	w.lanMu.Unlock()
	if lan == nil {
		return
	}
	lan.once.Do(func() { close(lan.stop) })
	lan.wait.Wait()
	w.lanMu.Lock()
	defer w.lanMu.Unlock()
	if w.lan == lan {
		w.unplugAll()
	}
}

// onLAN is the access point's device on the network; nil: it is not there.
func (ap *AP) onLAN() *wfadevice.Device {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	return ap.lan.device
}

// UPnP is where the access point's description is; zero: it is on no network.
func (ap *AP) UPnP() upnp.URL {
	if d := ap.onLAN(); d != nil {
		return d.Location()
	}
	return upnp.URL{}
}

// lan is what an access point has to do with External Registrars.
type lan struct {
	address netip.Addr // kept for the next time; guarded by lanMu

	// Guarded by the World's lock.
	device   *wfadevice.Device // nil: it is on no network
	selected []selectedRegistrar
	newest   *upnp.WLANEvent
	probes   int // told in the second that began at probesAt
	probesAt time.Time
	proxies  []*proxy // runs of stations, which an External Registrar may take part in

	mu   sync.Mutex // guards runs; taken before the World's lock
	runs []*upnpRun // in which the access point is the Enrollee, the oldest first
}

// selectedRegistrar is an External Registrar that waits for an Enrollee.
type selectedRegistrar struct {
	wsc.SelectedRegistrar
	from  netip.Addr
	until time.Time
}

// maxProbesPerSecond bounds what subscribers are told of probe requests (hostapd).
const maxProbesPerSecond = 5

// sighted tells subscribers of the probe request of a station that wants in; data is its WSC
// attributes. The World's lock is held.
func (l *lan) sighted(now time.Time, from wsc.MAC, data []byte) {
	if l.device == nil {
		return
	}
	if now.Sub(l.probesAt) >= time.Second {
		l.probes, l.probesAt = 0, now
	}
	if l.probes++; l.probes <= maxProbesPerSecond {
		l.tell(upnp.EventProbe, from, data)
	}
}

// tell sends an event to subscribers. The World's lock is held.
func (l *lan) tell(t upnp.EventType, station wsc.MAC, message []byte) {
	if l.device == nil {
		return
	}
	l.newest = &upnp.WLANEvent{Type: t, MAC: station, Message: slices.Clone(message)}
	l.device.Notify(l.newest)
}

// subscribed reports whether anybody listens. The World's lock is held.
func (l *lan) subscribed() bool { return l.device != nil && len(l.device.Subscribers()) > 0 }

// firstEvent is what a new subscriber gets: the newest event, whoever it was for (hostapd).
func (ap *AP) firstEvent() *upnp.WLANEvent {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	return ap.lan.newest
}

// registrarLeft forgets what a Registrar without subscription had selected.
func (ap *AP) registrarLeft(from netip.Addr) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.lan.deselect(from)
}

func (l *lan) deselect(from netip.Addr) {
	l.selected = slices.DeleteFunc(l.selected, func(s selectedRegistrar) bool {
		return s.from == from
	})
}

// describeUPnP is the access point's description of itself.
func (ap *AP) describeUPnP(d *upnp.Description) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	o := &ap.o.Device
	d.FriendlyName, d.Manufacturer, d.ModelName, d.ModelNumber, d.SerialNumber = o.DeviceName,
		o.Manufacturer, o.ModelName, o.ModelNumber, o.SerialNumber
	d.ModelDescription = "An access point of wpsd's simulation"
}
