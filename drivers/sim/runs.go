package sim

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"wpsd/engine"
	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// reloadDelay is how long after new settings an access point comes back with them (hostapd).
const reloadDelay = 100 * time.Millisecond

// tap is a run: a machine of package registration with the access point listening to what goes in
// and out, and its personality changing it.
type tap struct {
	inner    engine.Machine
	quirks   Personality
	heard    func(now time.Time, t wsc.MessageType, msg []byte) // nil: nobody
	finish   func(now time.Time, t *tap)
	newest   wsc.MessageType // M1 … M8, sent or received: where a run is
	revealed bool            // M6 or M7 of ours was sent: the peer proved the first half of the PIN
	left     bool            // Personality.LeaveBefore
	over     bool
}

var _ engine.Machine = (*tap)(nil)

// note remembers how far the run came; how it ended is another matter.
func (t *tap) note(kind wsc.MessageType) {
	if kind != wsc.MsgAck && kind != wsc.MsgNack && kind != wsc.MsgDone {
		t.newest = kind
	}
}

// Start implements engine.Machine.
func (t *tap) Start(now time.Time) engine.Step { return t.out(t.inner.Start(now)) }

// Handle implements engine.Machine.
func (t *tap) Handle(now time.Time, frame []byte) engine.Step {
	if kind, err := wsc.PeekMessageType(frame); err == nil {
		t.note(kind)
		if t.heard != nil {
			t.heard(now, kind, frame)
		}
	}
	return t.out(t.inner.Handle(now, frame))
}

// Timeout implements engine.Machine.
func (t *tap) Timeout(now time.Time) engine.Step { return t.out(t.inner.Timeout(now)) }

// Abort implements engine.Machine.
func (t *tap) Abort(now time.Time) engine.Step { return t.out(t.inner.Abort(now)) }

// out looks at what the machine sends.
func (t *tap) out(s engine.Step) engine.Step {
	send := s.Send
	s.Send = nil
	for _, msg := range send {
		kind, err := wsc.PeekMessageType(msg)
		if err == nil {
			t.note(kind)
			t.revealed = t.revealed || kind == wsc.MsgM6 || kind == wsc.MsgM7
			if p := t.quirks; p.LeaveBefore != 0 && kind == p.LeaveBefore {
				t.left = true
				continue
			} else if p.Message != nil {
				msg = p.Message(kind, msg)
			}
		}
		if msg != nil {
			s.Send = append(s.Send, msg)
		}
	}
	return s
}

// conclude implements run.
func (t *tap) conclude(now time.Time) {
	if t.over {
		return
	}
	t.over = true
	t.inner.Abort(now) // so that a run that was cut off has an outcome; else without effect
	t.finish(now, t)
}

// deviceAt is the access point as one of its BSSs presents it. The lock is held.
func (ap *AP) deviceAt(b *bss) wsc.Device {
	d := ap.o.Device
	d.MAC, d.RFBands = b.BSSID, b.band
	d.State = wsc.NotConfigured
	if ap.net.configured {
		d.State = wsc.Configured
	}
	return d
}

// randomness is the source for the access point's keys and nonces.
func (a *association) randomness() io.Reader { return a.ap.randomness() }

func (ap *AP) randomness() io.Reader { return ap.world.randomness() }

func (w *World) randomness() io.Reader {
	if w.rand != nil {
		return w.rand
	}
	return rand.Reader
}

// registrar begins a run that lets the station in.
func (a *association) registrar() engine.Machine {
	w := a.ap.world
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	a.ap.refresh(now)
	e := &enrolment{a: a, net: a.ap.net}
	if !e.net.configured {
		key, err := newPassphrase(a.randomness())
		if err != nil {
			return nil
		}
		e.net = network{ssid: e.net.ssid, security: WPA2, key: key, configured: true}
	}
	give := a.ap.o.Credentials
	if give == nil {
		give = []wsc.Credential{e.net.credential()}
	}
	r, err := registration.NewRegistrar(registration.RegistrarConfig{
		Device: a.ap.deviceAt(a.link.bss), Password: e.password, Token: e.token, Overlap: e.overlap,
		SetupLocked: a.ap.locked(now), Give: give, Rand: a.randomness(),
	})
	if err != nil {
		return nil
	}
	e.registrar = r
	e.proxy = &proxy{inner: r, ap: a.ap, station: a.link.s.r.MAC}
	t := &tap{inner: e.proxy, quirks: a.personality, heard: e.heard, finish: e.finish}
	if a.personality.M2DForever {
		t.inner = &m2dForever{device: a.ap.deviceAt(a.link.bss)}
	}
	a.run = t
	return t
}

// newPassphrase is what an unconfigured access point chooses: 16 random bytes as text (hostapd).
func newPassphrase(random io.Reader) (secret.Value, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return secret.Value{}, err
	}
	return secret.New(base64.RawStdEncoding.AppendEncode(nil, b[:])), nil
}

// enrolment is a run of the access point's Registrar.
type enrolment struct {
	a         *association
	registrar *registration.Registrar
	proxy     *proxy       // around it
	net       network      // what is given; of an unconfigured access point, what it becomes
	pin       admission.ID // of a PIN; 0: none is in use
	pbc       bool
	uuid      wsc.UUID
}

// heard notes an Enrollee that shows a push button in M1. It counts as pressed, like a probe
// request.
func (e *enrolment) heard(now time.Time, t wsc.MessageType, msg []byte) {
	if t != wsc.MsgM1 {
		return
	}
	m, err := wsc.ParseM1(msg)
	if err != nil || m.DevicePasswordID != wsc.PasswordIDPushButton {
		return
	}
	ap := e.a.ap
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	if ap.buttons.pressed(now, m.Device.UUID) {
		ap.buttons.overlapped = true
		ap.tell(Event{At: now, Kind: PBCOverlap, Station: e.a.link.s.r.MAC, UUID: m.Device.UUID})
	}
}

// overlap is the Registrar's question whether two Enrollees pressed their buttons.
func (e *enrolment) overlap(now time.Time) bool {
	ap := e.a.ap
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	return ap.buttons.overlapped || ap.buttons.Overlap(now)
}

// password is the Registrar's question for the Enrollee's device password.
func (e *enrolment) password(now time.Time, d wsc.Device,
	id wsc.DevicePasswordID) (devpass.Password, bool) {
	ap := e.a.ap
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(now)
	e.uuid = d.UUID
	if id == wsc.PasswordIDPushButton {
		e.pbc = ap.selected() && ap.selection.pbc
		return devpass.PushButton(), e.pbc
	}
	pin, p, ok := ap.pins.take(now, d.UUID, id)
	if !ok {
		ap.tell(Event{At: now, Kind: PINNeeded, Station: e.a.link.s.r.MAC, UUID: d.UUID, Device: d})
		return devpass.Password{}, false
	}
	e.pin = pin
	return p, true
}

// finish does what the end of the run means for the access point.
func (e *enrolment) finish(now time.Time, t *tap) {
	ap := e.a.ap
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(now)
	out := e.registrar.Outcome()
	success := out.Err == nil && e.registrar.LastMessage() == wsc.MsgDone
	if e.proxy.engaged() {
		success, out.Err = e.proxy.done, e.proxy.failure()
	}
	if e.pin != 0 {
		if over, mac := ap.pins.release(e.pin, success, t.revealed); over && !success {
			ap.unauthorize(mac)
		}
	}
	event := Event{At: now, Kind: RunFailed, Station: e.a.link.s.r.MAC, UUID: e.uuid,
		Message: t.newest, Err: out.Err}
	if !success {
		if failure, ok := errors.AsType[*registration.Error](out.Err); ok {
			event.ConfigError = failure.ConfigError
		}
		ap.tell(event)
		return
	}
	event.Kind = Enrolled
	ap.tell(event)
	if e.proxy.engaged() {
		return // what it means is the External Registrar's business
	}
	ap.selection = selection{}
	if e.pbc {
		ap.buttons.Enrolled(now, e.uuid)
	}
	if !ap.net.configured {
		ap.next, ap.nextAt = &e.net, now.Add(reloadDelay)
	}
}

// enrollee begins a run in which the station reads or changes the access point's settings.
func (a *association) enrollee() engine.Machine {
	ap := a.ap
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	m, err := ap.enrollee(time.Now(), a.link.bss)
	if err != nil {
		return nil
	}
	t := &tap{inner: m, quirks: a.personality, finish: func(now time.Time, t *tap) {
		ap.configured(now, t, m.Outcome(), a.link.s.r.MAC)
	}}
	a.run = t
	return t
}

// enrollee makes the access point's side of a run in which a Registrar reads or changes its
// settings with the AP PIN. Without one, or locked, the access point still sends M1 (hostap:
// Windows asks that way what it can) and then refuses. The lock is held.
func (ap *AP) enrollee(now time.Time, b *bss) (*registration.Enrollee, error) {
	ap.refresh(now)
	settings := ap.net.credential()
	if ap.o.Shown != nil {
		settings = *ap.o.Shown
		settings.NetworkKey = settings.NetworkKey.Clone()
	}
	settings.MAC = b.BSSID
	device := ap.deviceAt(b)
	device.ConfigMethods &^= anyButton
	password, alternative, keys, err := ap.ownPassword()
	if err != nil {
		return nil, err
	}
	return registration.NewEnrollee(registration.EnrolleeConfig{
		Device: device, Password: password, Alternative: alternative, KeyPair: keys,
		APSettings:  &settings,
		SetupLocked: ap.locked(now) || password.Value.IsZero(), LearnOnly: ap.o.LearnOnly,
		Rand: ap.randomness(),
	})
}

// configured is the end of a run in which the access point was the Enrollee, with a station or, if
// that is zero, over UPnP.
func (ap *AP) configured(now time.Time, t *tap, out registration.Outcome, station wsc.MAC) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(now)
	event := Event{At: now, Kind: RunFailed, Station: station, Message: t.newest, Err: out.Err}
	failure, _ := errors.AsType[*registration.Error](out.Err)
	if failure != nil {
		event.ConfigError = failure.ConfigError
	}
	if t.revealed { // M7 was sent: both halves of the AP PIN were right
		ap.guesses.Passed()
		event.Kind = SettingsShown
	}
	ap.tell(event)
	if errors.Is(out.Err, registration.ErrPassword) {
		ap.guesses.Failed(now)
	}
	if out.APSettings != nil && out.Err == nil {
		if n, ok := networkFrom(out.APSettings); ok {
			ap.next, ap.nextAt = &n, now.Add(reloadDelay)
		}
	}
	ap.refresh(now)
}
