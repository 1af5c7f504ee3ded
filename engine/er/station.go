package er

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wpsd/engine"
	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// station is the run with an Enrollee through an access point. Its messages come as events and go
// with PutWLANResponse.
type station struct {
	ap       *ap
	mac      wsc.MAC
	device   wsc.Device
	nonce    wsc.Nonce // Enrollee Nonce: which run of the Enrollee's this is
	grant    *grant
	machine  *registration.Registrar
	settings wsc.Credential
	newest   []byte // newest message
	messages int    // so far
	sent     wsc.MessageType
	deadline time.Time
}

// maxStationMessages bounds the messages of one run: a station sends five, and what it does not get
// an answer to once or twice more.
const maxStationMessages = 32

// onStationM1 takes an M1: it begins a run if somebody allowed that. Who was not allowed
// hears nothing from us: the access point's own Registrar answers already.
func (r *runs) onStationM1(now time.Time, a *ap, mac wsc.MAC, m1 *wsc.M1, frame []byte) {
	if s := a.stations[mac]; s != nil {
		if s.nonce == m1.EnrolleeNonce {
			return // the same M1 again: our answer is on its way
		}
		r.endStation(now, s, registration.ErrAborted) // it began anew
	}
	settings := r.settings.of(&a.AP)
	if settings == nil || len(a.stations) >= maxStations {
		return
	}
	id, password, err := r.list.Take(now, admission.Applicant{
		Scope: uint32(a.ID), Device: m1.Device, PasswordID: m1.DevicePasswordID,
		KeyHash: wsccrypto.PublicKeyHash(m1.PublicKey),
	})
	if errors.Is(err, admission.ErrKeyHash) {
		// Whoever this is, the token was meant for somebody else; hostap uses it up, too.
		r.endGrant(now, r.grants[RunID(id)],
			runEnd{ap: a.ID, peer: mac, device: slim(m1.Device), err: ErrKeyHash})
	}
	if err != nil {
		return
	}
	s := &station{ap: a, mac: mac, device: slim(m1.Device), nonce: m1.EnrolleeNonce,
		grant: r.grants[RunID(id)], settings: clone(settings.credential)}
	pair := r.takeKeyPair()
	s.machine, err = registration.NewRegistrar(registration.RegistrarConfig{
		Device: r.device,
		Password: func(time.Time, wsc.Device, wsc.DevicePasswordID) (devpass.Password, bool) {
			return password, true
		},
		Token: func(time.Time, wsc.DevicePasswordID, [20]byte) (registration.Token, bool) {
			return s.grant.token(password)
		},
		Overlap: a.overlap,
		Give:    []wsc.Credential{s.settings},
		KeyPair: pair,
		Rand:    r.rand,
	})
	if err != nil { // only a wrong configuration is an error
		s.settings.Wipe()
		if pair != nil {
			pair.Wipe()
		}
		r.list.Release(id, admission.Untried)
		return
	}
	if a.stations == nil {
		a.stations = make(map[wsc.MAC]*station)
	}
	a.stations[mac] = s
	s.machine.Start(now)
	r.onStationMessage(now, s, frame)
}

// onStationMessage takes a message of the run. Events can come twice: the answer to the first was
// sent.
func (r *runs) onStationMessage(now time.Time, s *station, frame []byte) {
	if bytes.Equal(frame, s.newest) {
		return
	}
	s.newest = bytes.Clone(frame)
	if s.messages++; s.messages > maxStationMessages {
		r.endStation(now, s, ErrNonsense)
		return
	}
	step := s.machine.Handle(now, frame)
	if kind, err := wsc.PeekMessageType(frame); err == nil && (len(step.Send) > 0 || step.Done) {
		r.publish(RunChanged{s.grant.id, s.ap.ID, kind, s.mac, s.device.UUID})
	}
	r.stationStep(now, s, step)
}

// onStationReply takes what the access point says to a message that we gave it for the Enrollee;
// err: it said nothing. What got lost is not given again: perhaps it was passed on, and a station
// that hears a message twice ends the run.
func (r *runs) onStationReply(now time.Time, a *ap, s *station, resp upnp.Response, err error) {
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	} else {
		_, err = upnp.PutWLANResponse.ParseReply(resp)
	}
	if err != nil && a.stations[s.mac] == s {
		r.endStation(now, s, err)
	}
}

// stationStep does what the machine says.
func (r *runs) stationStep(now time.Time, s *station, step engine.Step) {
	for _, m := range step.Send {
		r.post(s.ap, outgoing{action: upnp.Action{Name: upnp.PutWLANResponse, Message: m,
			Type: upnp.EventMessage, MAC: s.mac}, station: s})
		kind, err := wsc.PeekMessageType(m)
		if err != nil {
			continue
		}
		r.publish(RunChanged{s.grant.id, s.ap.ID, kind, s.mac, s.device.UUID})
		if kind == wsc.MsgM4 || kind == wsc.MsgM6 || kind == wsc.MsgM8 {
			s.sent = kind
		}
	}
	s.deadline = step.Deadline
	if step.Done {
		r.closeStation(now, s, s.machine.Outcome().Err)
	}
}

// endStation breaks a run off.
func (r *runs) endStation(now time.Time, s *station, why error) {
	for _, m := range s.machine.Abort(now).Send {
		if !errors.Is(why, ErrUnreachable) && !errors.Is(why, ErrAPGone) {
			r.post(s.ap, outgoing{action: upnp.Action{Name: upnp.PutWLANResponse, Message: m,
				Type: upnp.EventMessage, MAC: s.mac}, station: s})
		}
	}
	r.closeStation(now, s, why)
}

// closeStation ends a run, and the grant that it used if that is over.
func (r *runs) closeStation(now time.Time, s *station, why error) {
	a := s.ap
	delete(a.stations, s.mac)
	defer s.settings.Wipe()
	attempt := s.attempt(why)
	over := r.list.Release(admission.ID(s.grant.id), attempt)
	e := runEnd{ap: a.ID, peer: s.mac, device: s.device, err: why}
	switch {
	case s.grant.over: // and its end is published already
		return
	case why == nil:
		given := clone(s.settings)
		given.MAC = s.mac
		e.settings = &given
		r.enrolled(now, a, s)
	case errors.Is(why, registration.ErrOverlap):
		e.err = fmt.Errorf("%w: %w", ErrOverlap, why)
	case !over:
		return // it may try again
	case attempt != admission.Wrong:
		e.err = fmt.Errorf("%w: %w", ErrLocked, why)
	}
	r.endGrant(now, s.grant, e)
}

// attempt says how much of a password a run used up.
func (s *station) attempt(why error) admission.Attempt {
	switch {
	case why == nil:
		return admission.Enrolled
	case errors.Is(why, registration.ErrPassword):
		return admission.Wrong
	case s.sent == wsc.MsgM4:
		return admission.FirstHalf
	case s.sent != 0:
		return admission.SecondHalf
	}
	return admission.Untried
}

// enrolled notes that a device has what it wanted: its button is pressed no more, and it will not
// be heard again soon.
func (r *runs) enrolled(now time.Time, a *ap, s *station) {
	if a.monitor != nil {
		a.monitor.Enrolled(now, s.device.UUID)
	}
	if e := a.enrollees[s.mac]; e != nil {
		e.until = now.Add(doneTime)
	}
}

// stationsInOrder gives the runs through an access point in the order of the Enrollees' addresses.
func (a *ap) stationsInOrder() []*station {
	all := make([]*station, 0, len(a.stations))
	for _, s := range a.stations {
		all = append(all, s)
	}
	slices.SortFunc(all, func(x, y *station) int {
		return strings.Compare(string(x.mac[:]), string(y.mac[:]))
	})
	return all
}
