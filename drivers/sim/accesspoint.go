package sim

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/admission"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// BSS is one radio of an access point.
type BSS struct {
	BSSID     wsc.MAC
	Frequency int    // MHz
	Signal    int    // dBm as stations hear it; 0: -50
	SSID      string // "": the access point's
	Hidden    bool   // its name is told to those only who ask for it by name
}

// APOptions describe an access point.
type APOptions struct {
	SSID     string
	Security Security
	Key      secret.Value // passphrase of 8 to 63 bytes or 64 hex digits; empty for Open
	// BSSs are its radios, at least one. They share everything, the UUID included: with radios on
	// two bands the access point is dual-band.
	BSSs []BSS
	// Device is what it says of itself. Fields that are unset get values: UUID and MAC from the
	// first BSSID, the SSID as name, a label and a push button.
	Device wsc.Device
	// Version10 makes it a WPS 1.0 device, which has no WFA extension anywhere.
	Version10 bool
	// NoWPS switches WPS off.
	NoWPS bool
	// Unconfigured is WPS state 1: the first enrolment gives it a passphrase and WPA2.
	Unconfigured bool
	// SetupLocked refuses Registrars that use the AP PIN; LearnOnly shows them the settings but
	// takes no new ones (ap_setup_locked=2 of hostapd).
	SetupLocked, LearnOnly bool
	// APPIN is the PIN on its label, with which a Registrar reads and configures it; empty: none.
	APPIN secret.Value
	// FragmentSize is the longest EAP-WSC message; 0: 1400.
	FragmentSize int
	// Credentials replace what the access point gives to stations; nil: its own network.
	Credentials []wsc.Credential
	// Shown replaces what it says of itself to a Registrar (M7); nil: its own network.
	Shown *wsc.Credential
	// Personality is how it misbehaves; the zero value does not.
	Personality Personality
	// Story is what people do to it by themselves; the zero value is nothing.
	Story Story
}

// Story is what happens to an access point without anyone steering it.
type Story struct {
	// PressAfter has somebody press the button that long after an interface began to look for a
	// pressed one; 0: nobody does.
	PressAfter time.Duration
	// PIN is typed into the access point again whenever it is no longer ready for it; empty: none.
	PIN secret.Value
}

// AP is an access point that is switched on. Its methods are safe for concurrent use.
type AP struct {
	world *World
	o     APOptions
	bsss  []*bss

	// What follows is guarded by the World's lock.
	// closed when it is switched off; another one when it is switched on again
	gone         chan struct{}
	net          network
	apPIN        secret.Value
	apPINUntil   time.Time // zero: for ever
	pins         pinStore
	nfc          nfc
	buttons      buttons
	selection    selection
	guesses      admission.Lockout
	wasLocked    bool
	next         *network // settings that come into force at nextAt
	nextAt       time.Time
	pressAt      time.Time // Story.PressAfter
	events       []Event
	associations map[*association]struct{}
	steered      map[*steered]struct{}
	lan          lan
}

// bss is one BSS of an AP. It does not change.
type bss struct {
	BSS
	band wsc.RFBands
}

// selection is the Selected Registrar: what the elements say while a PIN or the button is good.
type selection struct {
	until time.Time // zero: no Registrar is selected
	pbc   bool
	macs  []wsc.MAC // AuthorizedMACs, newest first
}

// routerType is the Primary Device Type of a router.
var routerType = wsc.DeviceType{0, 6, 0x00, 0x50, 0xf2, 0x04, 0, 1}

func newAP(w *World, o APOptions) (*AP, error) {
	switch {
	case len(o.BSSs) == 0:
		return nil, errors.New("sim: an access point needs a BSS")
	case len(o.SSID) > 32:
		return nil, fmt.Errorf("sim: SSID %q is longer than 32 bytes", o.SSID)
	case o.Security != Open && (o.Key.Len() < 8 || o.Key.Len() > 64):
		return nil, fmt.Errorf("sim: %q needs a key of 8 to 64 bytes", o.SSID)
	case o.Security == Open && !o.Key.IsZero():
		return nil, fmt.Errorf("sim: %q is open and has a key", o.SSID)
	}
	ap := &AP{
		world: w, o: o, gone: make(chan struct{}), associations: make(map[*association]struct{}),
		steered: make(map[*steered]struct{}),
		net: network{ssid: []byte(o.SSID), security: o.Security, key: o.Key,
			configured: !o.Unconfigured},
		apPIN: o.APPIN, wasLocked: o.SetupLocked,
	}
	for _, b := range o.BSSs {
		if b.BSSID.IsZero() || b.BSSID.IsMulticast() || b.Frequency == 0 {
			return nil, fmt.Errorf("sim: %q: a BSS needs an address of its own and a frequency", o.SSID)
		}
		if b.Signal == 0 {
			b.Signal = -50
		}
		ap.bsss = append(ap.bsss, &bss{BSS: b, band: bandOf(b.Frequency)})
	}
	ap.completeDevice()
	return ap, nil
}

// completeDevice fills in what the options leave out.
func (ap *AP) completeDevice() {
	d := &ap.o.Device
	d.MAC = ap.bsss[0].BSSID
	if (d.UUID == wsc.UUID{}) {
		d.UUID = wsc.UUIDFromMAC(d.MAC)
	}
	for _, f := range []struct {
		field *string
		value string
	}{
		{&d.Manufacturer, "wpsd"}, {&d.ModelName, "Simulated access point"}, {&d.ModelNumber, "1"},
		{&d.SerialNumber, "1"}, {&d.DeviceName, ap.o.SSID},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if (d.PrimaryDeviceType == wsc.DeviceType{}) {
		d.PrimaryDeviceType = routerType
	}
	if d.ConfigMethods == 0 {
		d.ConfigMethods = wsc.ConfigLabel | wsc.ConfigPhysicalPushButton
	}
	d.AuthTypes, d.EncrTypes, d.ConnTypes = wsc.AuthCapabilities, wsc.EncrCapabilities, wsc.ConnESS
	if d.Version2 == 0 && !ap.o.Version10 {
		d.Version2 = wsc.Version20
	}
}

func bandOf(frequency int) wsc.RFBands {
	switch {
	case frequency < 3000:
		return wsc.Band24GHz
	case frequency < 10000:
		return wsc.Band5GHz
	}
	return wsc.Band60GHz
}

// PressButton presses the access point's push button: for two minutes, or until it was used, it
// lets one Enrollee in. It refuses with drivers.ErrOverlap when two Enrollees pressed theirs.
func (ap *AP) PressButton() error {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	now := time.Now()
	ap.refresh(now)
	return ap.press(now)
}

// press is PressButton with the lock held.
func (ap *AP) press(now time.Time) error {
	if ap.o.NoWPS {
		return drivers.ErrNotSupported
	}
	if ap.buttons.Overlap(now) {
		ap.tell(Event{At: now, Kind: PBCOverlap})
		return fmt.Errorf("sim: %s: %w", ap.bsss[0].BSSID, drivers.ErrOverlap)
	}
	ap.buttons.overlapped = false
	ap.selection = selection{until: now.Add(admission.WalkTime), pbc: true, macs: []wsc.MAC{wsc.Broadcast}}
	ap.tell(Event{At: now, Kind: ButtonPressed})
	return nil
}

// SetPIN types an Enrollee's PIN into the access point: whoever shows it first gets in. Stations
// see that for two minutes; the PIN itself stays good until it was used.
func (ap *AP) SetPIN(pin secret.Value) error { return ap.AllowPIN(PINGrant{PIN: pin}) }

// AllowPIN is SetPIN for a certain Enrollee, or with an end.
func (ap *AP) AllowPIN(g PINGrant) error {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	now := time.Now()
	ap.refresh(now)
	if ap.o.NoWPS {
		return drivers.ErrNotSupported
	}
	return ap.allow(now, g)
}

// allow is AllowPIN with the lock held.
func (ap *AP) allow(now time.Time, g PINGrant) error {
	mac, err := ap.pins.add(now, g)
	if err != nil {
		return fmt.Errorf("sim: %s: %w", ap.bsss[0].BSSID, err)
	}
	ap.unauthorize(mac)
	macs := slices.Insert(ap.selection.macs, 0, mac)
	ap.selection = selection{until: now.Add(admission.WalkTime),
		macs: macs[:min(len(macs), wsc.MaxAuthorizedMACs)]}
	ap.tell(Event{At: now, Kind: PINAdded, UUID: g.UUID})
	return nil
}

// unauthorize takes an address out of AuthorizedMACs. The lock is held.
func (ap *AP) unauthorize(mac wsc.MAC) {
	ap.selection.macs = slices.DeleteFunc(slices.Clone(ap.selection.macs), func(m wsc.MAC) bool {
		return m == mac
	})
}

// Cancel withdraws the button and all PINs that no run uses.
func (ap *AP) Cancel() {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	now := time.Now()
	ap.refresh(now)
	ap.cancel(now)
}

// cancel is Cancel with the lock held.
func (ap *AP) cancel(now time.Time) {
	ap.pins.clear()
	ap.nfc.tokens = nil
	ap.selection, ap.pressAt = selection{}, time.Time{}
	ap.tell(Event{At: now, Kind: SelectionEnded})
}

// SetAPPIN changes the access point's own PIN; empty: none. Its lock is opened.
func (ap *AP) SetAPPIN(pin secret.Value) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.setAPPIN(time.Now(), pin, 0)
}

// setAPPIN is SetAPPIN with an end, 0: none, and the lock held.
func (ap *AP) setAPPIN(now time.Time, pin secret.Value, timeout time.Duration) {
	ap.apPIN, ap.apPINUntil, ap.guesses = pin.Clone(), time.Time{}, admission.Lockout{}
	if timeout > 0 {
		ap.apPINUntil = now.Add(timeout)
	}
	ap.refresh(now)
}

// SetLocked locks the setup by hand, or no longer.
func (ap *AP) SetLocked(locked bool) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.o.SetupLocked = locked
	ap.refresh(time.Now())
}

// SetPersonality changes how the access point misbehaves. Runs in progress keep the old one.
func (ap *AP) SetPersonality(p Personality) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.o.Personality = p
}

// Kick deauthenticates all stations, with an 802.11 reason code, and returns when they are gone;
// those of other programs may come back at once. It must not be called from a function of a Personality.
func (ap *AP) Kick(reason uint16) {
	ap.clear(reason)
	ap.world.aired()
}

// clear is Kick without the news that the access point can be joined.
func (ap *AP) clear(reason uint16) {
	ap.world.mu.Lock()
	all := make([]*association, 0, len(ap.associations))
	for a := range ap.associations {
		all = append(all, a)
	}
	ap.world.disconnect(ap)
	ap.world.mu.Unlock()
	for _, a := range all {
		select {
		case a.kick <- reason:
		default: // it is being kicked already
		}
		<-a.link.done
	}
}

// APStatus is what an access point is now.
type APStatus struct {
	SSID              string
	Security          Security
	Configured        bool
	SetupLocked       bool
	SelectedRegistrar bool
	PBC               bool
	PINs              int
	Stations          int
}

// Status looks at the access point.
func (ap *AP) Status() APStatus {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	now := time.Now()
	ap.refresh(now)
	ap.pins.expire(now)
	return APStatus{
		SSID: string(ap.net.ssid), Security: ap.net.security, Configured: ap.net.configured,
		SetupLocked: ap.locked(now), SelectedRegistrar: ap.selected(), PBC: ap.selection.pbc,
		PINs: ap.pins.waiting(), Stations: len(ap.associations),
	}
}

// Key is the network's key now, which an unconfigured access point makes up and a Registrar
// changes.
func (ap *AP) Key() secret.Value {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(time.Now())
	return ap.net.key.Clone()
}

// BSSID is the address of the first BSS.
func (ap *AP) BSSID() wsc.MAC { return ap.bsss[0].BSSID }

// selected reports whether a Registrar is selected. The lock is held, refresh was called.
func (ap *AP) selected() bool { return !ap.selection.until.IsZero() }

// locked is the AP Setup Locked attribute. The lock is held.
func (ap *AP) locked(now time.Time) bool { return ap.o.SetupLocked || ap.guesses.Locked(now) }

// refresh does what was due until now, in order. Whoever looks at the access point calls it first,
// with the lock held: so nothing is late that anybody could see, and no goroutine has to wait for
// it.
func (ap *AP) refresh(now time.Time) {
	if !ap.pressAt.IsZero() && !now.Before(ap.pressAt) {
		at := ap.pressAt
		ap.pressAt = time.Time{}
		_ = ap.press(at) // a refusal is among the events
	}
	if ap.selected() && !now.Before(ap.selection.until) {
		kind := PBCTimeout
		if !ap.selection.pbc {
			kind = PINHidden
		}
		ap.tell(Event{At: ap.selection.until, Kind: kind})
		ap.selection = selection{}
	}
	if ap.next != nil && !now.Before(ap.nextAt) {
		ap.net, ap.next = *ap.next, nil
		ap.tell(Event{At: ap.nextAt, Kind: SettingsTaken})
	}
	if n := len(ap.lan.selected); n > 0 {
		ap.lan.selected = slices.DeleteFunc(ap.lan.selected, func(s selectedRegistrar) bool {
			return !now.Before(s.until)
		})
		if len(ap.lan.selected) < n {
			ap.tell(Event{At: now, Kind: RegistrarDeselected})
		}
	}
	if !ap.apPINUntil.IsZero() && !now.Before(ap.apPINUntil) {
		ap.apPIN, ap.apPINUntil = secret.Value{}, time.Time{}
		ap.tell(Event{At: now, Kind: APPINExpired})
	}
	if locked := ap.locked(now); locked != ap.wasLocked {
		ap.wasLocked = locked
		kind := SetupUnlocked
		if locked {
			kind = SetupLocked
		}
		ap.tell(Event{At: now, Kind: kind})
	}
	spent := !ap.selected() || !ap.selection.pbc && ap.pins.waiting() == 0
	if !ap.o.Story.PIN.IsZero() && spent {
		ap.pins.clear()
		_ = ap.allow(now, PINGrant{PIN: ap.o.Story.PIN}) // there is room: nothing waits
	}
}

// tell remembers an event, passes it on to whoever steers the access point, and logs it. The
// World's lock is held.
func (ap *AP) tell(e Event) {
	if len(ap.events) >= maxEvents {
		ap.events = append(ap.events[:0], ap.events[maxEvents/2:]...)
	}
	ap.events = append(ap.events, e)
	for s := range ap.steered {
		s.hear(e)
	}
	if ap.world.log == nil {
		return
	}
	attrs := []any{slog.String("event", string(e.Kind)), slog.String("ssid", string(ap.net.ssid)),
		slog.String("ap", ap.bsss[0].BSSID.String())}
	if !e.Station.IsZero() {
		attrs = append(attrs, slog.String("station", e.Station.String()))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("err", e.Err.Error()))
	}
	ap.world.log.Info("sim: access point", attrs...)
}

// Events returns what happened at the access point so far, oldest first.
func (ap *AP) Events() []Event {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(time.Now())
	return slices.Clone(ap.events)
}

// Happened reports whether an event of this kind is among Events.
func (ap *AP) Happened(kind EventKind) bool {
	for _, e := range ap.Events() {
		if e.Kind == kind {
			return true
		}
	}
	return false
}
