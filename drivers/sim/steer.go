package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// hotspot is an access point that belongs to this machine: an interface of mode drivers.ModeAP.
type hotspot struct {
	name  string
	index int
	ap    *AP
}

// AddHotspot makes an access point one of this machine, with an interface that Driver.AccessPoint
// steers. Its Registrar is still the World's, as that of hostapd is hostapd's.
func (w *World) AddHotspot(name string, ap *AP) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "" || len(name) > 15 {
		return errors.New("sim: an interface needs a name of 1 to 15 bytes")
	}
	if err := w.free(name, ap.BSSID()); err != nil {
		return err
	}
	w.index++
	w.hotspots = append(w.hotspots, &hotspot{name: name, index: w.index, ap: ap})
	w.notify()
	return nil
}

// hotspot finds one by its interface. The lock is held.
func (w *World) hotspot(name string) *hotspot {
	if i := slices.IndexFunc(w.hotspots, func(h *hotspot) bool { return h.name == name }); i >= 0 {
		return w.hotspots[i]
	}
	return nil
}

// removeHotspot pulls the interface out; the access point stays in the air. The lock is held.
func (w *World) removeHotspot(name string) {
	h := w.hotspot(name)
	if h == nil {
		return
	}
	w.hotspots = slices.DeleteFunc(w.hotspots, func(o *hotspot) bool { return o == h })
	for s := range h.ap.steered {
		if s.ifname == name {
			s.leave()
		}
	}
	w.notify()
}

var _ drivers.AccessPoints = (*Driver)(nil)

// AccessPoint implements drivers.AccessPoints.
func (d *Driver) AccessPoint(ctx context.Context, ifname string) (drivers.AccessPoint, error) {
	w := d.world
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hotspot(ifname)
	switch {
	case h == nil && w.radio(ifname) != nil:
		return nil, fmt.Errorf("sim: %s is no access point: %w", ifname, drivers.ErrNotSupported)
	case h == nil:
		return nil, fmt.Errorf("sim: %q: %w", ifname, drivers.ErrNoInterface)
	case isClosed(h.ap.gone):
		return nil, fmt.Errorf("sim: %s: %w", ifname, drivers.ErrUnreachable)
	}
	if err := d.usable(ctx); err != nil { // Close waits for what was made before it took the lock
		return nil, err
	}
	s := &steered{
		d: d, ap: h.ap, ifname: ifname, events: make(chan drivers.APEvent, maxSteeringEvents),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	h.ap.steered[s] = struct{}{}
	d.steered[s] = struct{}{}
	d.wait.Go(s.run)
	return s, nil
}

// maxSteeringEvents is how far the reader of Events may lag behind. What stations cause without any
// grant fills half of it at most (as in package hostapd).
const maxSteeringEvents = 256

// steered is an access point in the hands of a program. Its goroutine, run, has what is due happen
// in time: others see the access point only when they look at it.
type steered struct {
	d      *Driver
	ap     *AP
	ifname string
	events chan drivers.APEvent
	wake   chan struct{}
	stop   chan struct{}
	once   sync.Once
	done   chan struct{}

	left bool // guarded by the World's lock: events is closed
}

var _ drivers.AccessPoint = (*steered)(nil)

// run ends with leave.
func (s *steered) run() {
	defer close(s.done)
	for {
		timer := s.timer()
		var due <-chan time.Time
		if timer != nil {
			due = timer.C
		}
		select {
		case <-due:
		case <-s.wake:
		case <-s.stop:
		}
		if timer != nil {
			timer.Stop()
		}
		if isClosed(s.stop) {
			return
		}
	}
}

// timer does what is due and returns a timer for what is next; nil: nothing is.
func (s *steered) timer() *time.Timer {
	w := s.ap.world
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if isClosed(s.ap.gone) {
		return nil
	}
	s.ap.refresh(now)
	due := s.ap.due()
	if due.IsZero() {
		return nil
	}
	return time.NewTimer(due.Sub(now))
}

// due is when refresh has something to do next; zero: never. The lock is held, refresh was called.
func (ap *AP) due() time.Time {
	times := []time.Time{ap.selection.until, ap.pressAt, ap.apPINUntil}
	if ap.next != nil {
		times = append(times, ap.nextAt)
	}
	for _, s := range ap.lan.selected {
		times = append(times, s.until)
	}
	if ap.wasLocked && !ap.o.SetupLocked {
		times = append(times, ap.guesses.Ends())
	}
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// told is how an event of ours is told to those who steer.
var told = map[EventKind]drivers.APEventKind{
	ButtonPressed: drivers.APPBCActive, PBCTimeout: drivers.APTimeout,
	PBCOverlap: drivers.APOverlap,
	PINNeeded:  drivers.APPINNeeded, RunStarted: drivers.APRunStarted, Enrolled: drivers.APEnrolled,
	RunFailed:   drivers.APFailed,
	SetupLocked: drivers.APSetupLocked, SetupUnlocked: drivers.APSetupUnlocked,
	SettingsTaken:  drivers.APNewSettings,
	SelectionEnded: drivers.APCanceled, APPINExpired: drivers.APPINDisabled,
	SwitchedOff: drivers.APGone, SwitchedOn: drivers.APBack,
}

// hear takes an event of the access point. The World's lock is held.
func (s *steered) hear(e Event) {
	select {
	case s.wake <- struct{}{}: // something may be due at another time now
	default:
	}
	kind, ok := told[e.Kind]
	if !ok {
		return
	}
	a := drivers.APEvent{Kind: kind, MAC: e.Station, Message: uint8(e.Message),
		ConfigError: uint16(e.ConfigError)}
	if (e.UUID != wsc.UUID{}) {
		a.UUID = e.UUID.String()
	}
	if e.Kind == PINNeeded {
		a.Device = enrolleeOf(&e.Device, 0)
		a.Device.ConfigMethods = 0 // hostapd tells neither here
	}
	s.tell(a)
	if e.Kind == Enrolled {
		s.tell(drivers.APEvent{Kind: drivers.APSuccess})
	}
}

// sighted takes the probe request of a station that wants in. The World's lock is held.
func (s *steered) sighted(from wsc.MAC, p *wsc.ProbeRequest) {
	s.tell(drivers.APEvent{
		Kind: drivers.APEnrolleeSeen, MAC: from, UUID: p.Device.UUID.String(),
		Device: enrolleeOf(&p.Device, p.DevicePasswordID),
	})
}

func enrolleeOf(d *wsc.Device, id wsc.DevicePasswordID) drivers.APEnrollee {
	return drivers.APEnrollee{
		Name: d.DeviceName, Manufacturer: d.Manufacturer, ModelName: d.ModelName,
		ModelNumber: d.ModelNumber, SerialNumber: d.SerialNumber,
		DeviceType: d.PrimaryDeviceType.String(), ConfigMethods: uint16(d.ConfigMethods),
		DevicePasswordID: uint16(id),
	}
}

// tell hands an event over, if there is room for it. The World's lock is held.
func (s *steered) tell(e drivers.APEvent) {
	room := cap(s.events)
	if e.Kind == drivers.APEnrolleeSeen || e.Kind == drivers.APPINNeeded ||
		e.Kind == drivers.APRunStarted {
		room /= 2
	}
	if !s.left && len(s.events) < room {
		s.events <- e // only holders of the lock send
	}
}

// leave ends Events. The World's lock is held.
func (s *steered) leave() {
	if s.left {
		return
	}
	s.left = true
	delete(s.ap.steered, s)
	delete(s.d.steered, s)
	close(s.events)
	s.once.Do(func() { close(s.stop) })
}

// with does something to the access point with the lock held, if it is there.
func (s *steered) with(ctx context.Context, do func(now time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := s.ap.world
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case s.left:
		return drivers.ErrClosed
	case isClosed(s.ap.gone):
		return fmt.Errorf("sim: %s: %w", s.ifname, drivers.ErrUnreachable)
	}
	s.ap.refresh(now)
	return do(now)
}

// withWPS is with for what an access point refuses whose WPS is off.
func (s *steered) withWPS(ctx context.Context, do func(now time.Time) error) error {
	return s.with(ctx, func(now time.Time) error {
		if s.ap.o.NoWPS {
			return fmt.Errorf("sim: WPS is off at %s: %w", s.ifname, drivers.ErrRefused)
		}
		return do(now)
	})
}

// Settings implements drivers.AccessPoint.
func (s *steered) Settings(ctx context.Context) (a drivers.APSettings, err error) {
	err = s.with(ctx, func(time.Time) error {
		n, b := &s.ap.net, s.ap.bsss[0]
		a = drivers.APSettings{
			BSSID: b.BSSID, SSID: slices.Clone(s.ap.ssid(b)), Configured: n.configured,
			WPS: !s.ap.o.NoWPS, Key: n.key.Clone(),
			WPA: n.security == WPAMixed, RSN: n.security != Open, TKIP: n.security == WPAMixed,
			CCMP: n.security != Open,
			SAE:  n.security == WPA3 || n.security == WPA2WPA3, Frequency: b.Frequency,
		}
		return nil
	})
	return a, err
}

// AllowPIN implements drivers.AccessPoint.
func (s *steered) AllowPIN(ctx context.Context, g drivers.PINGrant) error {
	grant := PINGrant{PIN: g.PIN, MAC: g.MAC, Timeout: g.Timeout}
	if g.UUID != "" {
		uuid, err := wsc.ParseUUID(g.UUID)
		if err != nil {
			return fmt.Errorf("sim: %w", err)
		}
		grant.UUID = uuid
	}
	return s.withWPS(ctx, func(now time.Time) error {
		s.ap.allow(now, grant)
		return nil
	})
}

// AllowPBC implements drivers.AccessPoint.
func (s *steered) AllowPBC(ctx context.Context) error { return s.withWPS(ctx, s.ap.press) }

// Withdraw implements drivers.AccessPoint.
func (s *steered) Withdraw(ctx context.Context) error {
	return s.with(ctx, func(now time.Time) error {
		s.ap.cancel(now)
		return nil
	})
}

// APPIN implements drivers.AccessPoint.
func (s *steered) APPIN(ctx context.Context, r drivers.APPINRequest) (pin secret.Value, err error) {
	err = s.withWPS(ctx, func(now time.Time) error {
		switch r.Command {
		case drivers.APPINDisable:
			s.ap.setAPPIN(now, secret.Value{}, 0)
			return nil
		case drivers.APPINGet:
			if s.ap.apPIN.IsZero() {
				return fmt.Errorf("sim: %s has no PIN: %w", s.ifname, drivers.ErrRefused)
			}
		case drivers.APPINSet:
			s.ap.setAPPIN(now, r.PIN, r.Timeout)
		case drivers.APPINRandom:
			fresh, err := devpass.GeneratePIN(s.ap.randomness())
			if err != nil {
				return err
			}
			s.ap.setAPPIN(now, fresh, r.Timeout)
			fresh.Wipe()
		}
		pin = s.ap.apPIN.Clone()
		return nil
	})
	select {
	case s.wake <- struct{}{}: // the PIN may have an end
	default:
	}
	return pin, err
}

// Events implements drivers.AccessPoint.
func (s *steered) Events() <-chan drivers.APEvent { return s.events }

// Close implements drivers.AccessPoint.
func (s *steered) Close() error {
	w := s.ap.world
	w.mu.Lock()
	s.leave()
	w.mu.Unlock()
	<-s.done
	return nil
}
