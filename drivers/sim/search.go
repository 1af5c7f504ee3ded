package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"wpsd/drivers"
	"wpsd/engine"
	"wpsd/engine/admission"
	"wpsd/engine/credential"
	"wpsd/engine/discovery"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/ie"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// Times of a device's search. The rule of three scans and five seconds is wpa_supplicant's: after
// that a PIN is offered to access points that do not say that they wait for one, too.
const (
	searchPause  = time.Second
	openToAll    = 3
	openToAllAge = 5 * time.Second
	// joinTries is how often a device looks for its network, with half a pause between: one that
	// was not configured before comes up with its new settings only then.
	joinTries = 10
	// maxWrongPINs bounds how many access points may find out what the PIN is not.
	maxWrongPINs = 3
)

// run is the goroutine of a search: it ends with done.
func (s *search) run(ctx context.Context) {
	defer close(s.done)
	ctx, cancel := context.WithTimeoutCause(ctx, admission.WalkTime, ErrWalkTime)
	defer cancel()
	defer s.cancel(nil)
	s.result.ByPBC = s.password.ID == wsc.PasswordIDPushButton
	s.e.tell("looking", slog.Bool("pbc", s.result.ByPBC))
	err := s.look(ctx)
	if ctx.Err() != nil && s.result.SSID == "" {
		err = context.Cause(ctx)
		if len(s.wrongPIN) > 0 && errors.Is(err, ErrWalkTime) {
			err = s.newest
		}
	}
	s.result.Err = err
	s.password.Wipe()
	s.private.Wipe()
	attrs := []slog.Attr{slog.String("ap", s.result.AP.String())}
	if err != nil {
		s.e.tell("failed", append(attrs, slog.String("err", err.Error()))...)
		return
	}
	s.e.tell("joined", append(attrs, slog.String("ssid", s.result.SSID),
		slog.String("registrar", s.result.Registrar.String()))...)
}

// look scans and tries until the device is in a network, or will not get into one.
func (s *search) look(ctx context.Context) error {
	w := s.e.world
	w.mu.Lock()
	d := &Driver{world: w, speed: w.speed}
	w.mu.Unlock()
	// The radio is the device's own: it is no interface of this machine.
	r := &radio{
		Radio: Radio{Name: s.e.name, MAC: s.e.device.MAC, Channels: s.e.channels, Up: true},
		heard: make(map[wsc.MAC]drivers.BSS), off: make(chan struct{}),
	}
	station := &station{d: d, r: r, wasUp: true, ended: make(chan struct{})}
	defer func() { _ = station.Close() }()
	id := wsc.PasswordIDDefault // also for other passwords than a PIN (wpa_supplicant)
	if s.result.ByPBC {
		id = wsc.PasswordIDPushButton
	}
	p := wsc.ProbeRequest{RequestType: wsc.RequestEnrollee, Device: s.e.device,
		DevicePasswordID: id}
	probe := ie.AppendWSC(nil, p.Append(nil))
	began := time.Now()
	for sweeps := 1; ; sweeps++ {
		heard, err := station.Scan(ctx, drivers.ScanRequest{IEs: probe, Flush: true})
		if err != nil {
			return err
		}
		cs, err := s.choose(heard, sweeps >= openToAll && time.Since(began) >= openToAllAge)
		if err != nil {
			return err
		}
		for _, c := range cs {
			over, err := s.attempt(ctx, station, c)
			if over || ctx.Err() != nil {
				return err
			}
			s.ignored.Fail(time.Now(), c.BSSID)
			s.newest = err
		}
		if err := station.wait(ctx, r.off, searchPause, true); err != nil {
			return err
		}
	}
}

// target is an access point to try.
type target struct {
	discovery.Candidate
	privacy bool
}

// choose says whom to try now, and in what order.
func (s *search) choose(heard []drivers.BSS, all bool) ([]target, error) {
	now := time.Now()
	private := make(map[wsc.MAC]bool)
	var cs []discovery.Candidate
	for _, b := range heard {
		c, ok := discovery.FromBSS(b.BSSID, b.Frequency, b.Signal, b.Seen, b.IEs, b.Privacy,
			s.e.device.MAC)
		if ok && !c.WPA3Only && !s.wrongPIN[c.BSSID] && !s.ignored.Blocked(now, c.BSSID) {
			cs, private[c.BSSID] = append(cs, c), b.Privacy
		}
	}
	if s.result.ByPBC {
		bsss, err := discovery.PickPBC(cs, wsc.MAC{})
		if errors.Is(err, discovery.ErrNone) {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("sim: %w: %w", drivers.ErrOverlap, err)
		}
		return []target{{bsss[0], private[bsss[0].BSSID]}}, nil
	}
	var ts []target
	for _, c := range discovery.OrderPIN(cs, wsc.MAC{}, all) {
		ts = append(ts, target{c, private[c.BSSID]})
	}
	return ts, nil
}

// attempt runs the protocol with one access point. over is false if another one is worth a try: not
// after a pressed button, which is for one access point, and not after a PIN whose second half is
// wrong, since the first is known then. An access point that has another PIN in mind is not tried
// again.
func (s *search) attempt(ctx context.Context, station *station, c target) (over bool, err error) {
	s.result.AP = c.BSSID
	request := wsc.AssociationRequest{RequestType: wsc.RequestEnrollee,
		Version2: s.e.device.Version2}
	l, err := station.Associate(ctx, drivers.AssociateRequest{
		BSSID: c.BSSID, SSID: c.SSID, Frequency: c.Frequency, Privacy: c.privacy,
		IEs: ie.AppendWSC(nil, request.Append(nil)),
	})
	if err != nil {
		return s.result.ByPBC, err
	}
	defer func() { _ = l.Close() }()
	m, err := s.enrollee()
	if err != nil {
		return true, err
	}
	peer := eapwsc.NewPeer(eapwsc.PeerConfig{Identity: eapwsc.IdentityEnrollee, Inner: m})
	pump(ctx, l, eapol.NewSupplicant(eapol.SupplicantConfig{Inner: peer}))
	out := m.Outcome()
	if out.Err == nil && len(out.Credentials) == 0 {
		out.Err = registration.ErrNoCredential // the link broke before it came
	}
	if out.Err != nil {
		run, _ := errors.AsType[*registration.Error](out.Err)
		if errors.Is(out.Err, registration.ErrPassword) {
			s.wrongPIN[c.BSSID] = true
			over = run.Half == 2 || len(s.wrongPIN) >= maxWrongPINs
		}
		return s.result.ByPBC || over, out.Err
	}
	s.result.Registrar = m.Peer().UUID
	return true, s.join(ctx, out.Credentials)
}

// enrollee makes the machine of one run.
func (s *search) enrollee() (*registration.Enrollee, error) {
	c := registration.EnrolleeConfig{Device: s.e.device, Password: s.password,
		Rand: s.e.world.randomness()}
	if !s.private.IsZero() {
		pair, err := wsccrypto.KeyPairFromPrivate(s.private)
		if err != nil {
			return nil, err
		}
		c.KeyPair = pair
	}
	return registration.NewEnrollee(c)
}

// join tries the network that the device was let into.
func (s *search) join(ctx context.Context, cs []wsc.Credential) error {
	networks, _, err := credential.FromRun(cs, s.e.device.MAC)
	for i := range cs {
		cs[i].Wipe()
	}
	if err != nil {
		return err
	}
	defer func() {
		for _, n := range networks {
			n.Raw.Wipe()
			n.Key.Wipe()
		}
	}()
	pause := time.NewTicker(searchPause / 2)
	defer pause.Stop()
	for range joinTries {
		for _, n := range networks {
			s.result.SSID, s.result.Key = string(n.SSID), n.Key.Clone()
			if s.e.world.opens(n) {
				return nil
			}
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return ErrUnusable
}

// opens reports whether a network's key is that of an access point of this name.
func (w *World) opens(n credential.Network) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ap := range w.aps {
		ap.refresh(time.Now())
		for _, b := range ap.bsss {
			if string(ap.ssid(b)) == string(n.SSID) && ap.net.key.Equal(n.Key) {
				return true
			}
		}
	}
	return false
}

// pump carries frames between a link and a machine until the machine is done, the link is lost, or
// ctx ends. The machine knows how the run ended.
func pump(ctx context.Context, l drivers.Link, m engine.Machine) {
	defer func() { m.Abort(time.Now()) }() // so that it has an outcome
	for step := m.Start(time.Now()); ; {
		for _, frame := range step.Send {
			if l.Send(ctx, frame) != nil {
				return
			}
		}
		if step.Done {
			return
		}
		wait, cancel := ctx, context.CancelFunc(func() {})
		if !step.Deadline.IsZero() {
			wait, cancel = context.WithDeadline(ctx, step.Deadline)
		}
		frame, err := l.Receive(wait)
		cancel()
		switch {
		case err == nil:
			step = m.Handle(time.Now(), frame)
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			step = m.Timeout(time.Now())
		default:
			return
		}
	}
}
