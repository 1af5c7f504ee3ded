package external

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// MaxSessions bounds how many sessions of External Registrars run at once, beside those of
// the others: a PIN may be good for a day, and shall not keep this machine from joining a network.
const MaxSessions = 64

// Request says what an External Registrar is to do, with whom and for whom.
type Request struct {
	Interface string
	// ERLearn, ERConfigure: the access point; EREnrollPIN, EREnrollPBC: the only one that may let
	// the Enrollee in, or any
	AP       Peer
	Enrollee Peer // EREnrollPIN, EREnrollPBC: the device, or any
	// PIN is the access point's for ERLearn and ERConfigure, the Enrollee's for EREnrollPIN. It is
	// copied.
	PIN   secret.Value
	Force bool // the PIN is used even if its check digit is wrong
	// NFC, for ERLearn and ERConfigure, uses the password of the access point's tag instead, which
	// NFCTagRead took.
	NFC bool
	// MAC, for EREnrollPIN, is the address of an Enrollee that is named by its UUID or not at all;
	// zero: not known. With it, access points say that they wait for this device.
	MAC     wsc.MAC
	Timeout time.Duration // EREnrollPIN: how long the PIN is good for; 0: two minutes
	Owner   string        // opaque; see ReleaseOwner
	User    string        // opaque: whose process the owner is
	Detach  bool          // the session outlives its owner
	// empty, ApplyAuto or ApplyNone: a learned network is stored, and handed to nobody
	Apply string
}

// ERLearn begins to read the settings of an access point with its own PIN. They are stored as a
// network, and what its Enrollees are given from now on.
func (s *Registrars) ERLearn(ctx context.Context, r Request) (state.Session, error) {
	return s.erRegister(ctx, r, state.PurposeLearn,
		func(e *externalRegistrar, now time.Time, ap er.APID, p erProof) (er.RunID,
			[]er.Action, error) {
			if p.tag != nil {
				return e.registrar.LearnByTag(now, ap, p.tag.Find)
			}
			return e.registrar.Learn(now, ap, p.pin)
		})
}

// ERConfigure begins to give an access point new settings, with its own PIN; when it took them,
// they are stored as a network, and what its Enrollees are given from now on. The key of settings
// is copied.
func (s *Registrars) ERConfigure(ctx context.Context, r Request,
	settings session.Settings) (state.Session, error) {
	if err := settings.Check(); err != nil {
		return state.Session{}, err
	}
	c := settings.Credential()
	defer c.Wipe()
	return s.erRegister(ctx, r, state.PurposeConfigure,
		func(e *externalRegistrar, now time.Time, ap er.APID, p erProof) (er.RunID,
			[]er.Action, error) {
			if p.tag != nil {
				return e.registrar.ConfigureByTag(now, ap, p.tag.Find, c)
			}
			return e.registrar.Configure(now, ap, p.pin, c)
		})
}

// erRegister is what learning and configuring have in common.
func (s *Registrars) erRegister(ctx context.Context, r Request, purpose state.Purpose,
	begin func(*externalRegistrar, time.Time, er.APID, erProof) (er.RunID, []er.Action, error)) (
	state.Session, error) {
	r.Timeout = 0
	var proof erProof
	method := state.MethodPIN
	if r.NFC {
		if err := s.tags.Check(); err != nil {
			return state.Session{}, err
		}
		method, proof.tag = state.MethodNFC, s.tags.Use()
	} else {
		pin, err := session.ReadPIN(r.PIN, r.Force)
		if err != nil {
			return state.Session{}, err
		}
		proof.pin = devpass.FromPIN(pin)
		defer proof.pin.Wipe()
	}
	return s.erSession(ctx, r, purpose, method,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			ap, err := e.findAP(r.AP)
			if err != nil {
				return 0, nil, err
			}
			run, actions, err := begin(e, now, ap.ID, proof)
			if err == nil && proof.tag != nil {
				e.tags[run] = proof.tag
			}
			return run, actions, err
		})
}

// EREnrollPIN lets one Enrollee in whose PIN it is.
func (s *Registrars) EREnrollPIN(ctx context.Context, r Request) (state.Session, error) {
	if r.Timeout == 0 {
		r.Timeout = session.WalkTime
	}
	if r.Timeout < 0 || r.Timeout > session.MaxPINTimeout {
		return state.Session{},
			fmt.Errorf("%w: a PIN may be good for 1 second to %d hours", state.ErrInvalid,
				int(session.MaxPINTimeout.Hours()))
	}
	mac := r.Enrollee.MAC
	switch {
	case r.Enrollee.IP.IsValid():
		return state.Session{}, fmt.Errorf("%w: %s can be an access point, not the device that is to be let in: name that by its UUID or its MAC address", state.ErrInvalid, r.Enrollee)
	case r.MAC.IsMulticast():
		return state.Session{},
			fmt.Errorf("%w: %s is not the address of a device", state.ErrInvalid, r.MAC)
	case mac.IsZero():
		mac = r.MAC
	case !r.MAC.IsZero() && r.MAC != mac:
		return state.Session{}, fmt.Errorf("%w: the device cannot be both %s and %s",
			state.ErrInvalid, mac, r.MAC)
	}
	pin, err := session.ReadPIN(r.PIN, r.Force)
	if err != nil {
		return state.Session{}, err
	}
	defer pin.Wipe()
	return s.erSession(ctx, r, state.PurposeAdmit, state.MethodPIN,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			ap, err := e.findAny(r.AP)
			if err != nil {
				return 0, nil, err
			}
			return e.registrar.AllowPIN(now,
				er.PINGrant{PIN: pin, UUID: r.Enrollee.UUID, MAC: mac, AP: ap, Timeout: r.Timeout})
		})
}

// EREnrollPBC lets one Enrollee in that has its button pressed, or presses it within two minutes.
// Instead of the Enrollee an access point may be named: then whoever presses a button there is
// let in.
func (s *Registrars) EREnrollPBC(ctx context.Context, r Request) (state.Session, error) {
	r.Timeout = 0
	return s.erSession(ctx, r, state.PurposeAdmit, state.MethodPBC,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			ap, err := e.findAny(r.AP)
			if err != nil {
				return 0, nil, err
			}
			grant := er.PBCGrant{AP: ap, UUID: r.Enrollee.UUID, MAC: r.Enrollee.MAC}
			if ap == 0 && !r.Enrollee.IsAny() {
				switch named, err := e.findAP(r.Enrollee); {
				case err == nil:
					grant = er.PBCGrant{AP: named.ID} // not a device, but whose button is meant
				case errors.Is(err, state.ErrERAmbiguous), r.Enrollee.IP.IsValid():
					return 0, nil, err
				}
			}
			return e.registrar.AllowPBC(now, grant)
		})
}

// GrantNFC lets the device in that a tag or a handover told of, within two minutes.
func (s *Registrars) GrantNFC(ctx context.Context, request Request,
	g er.NFCGrant) (state.Session, error) {
	g.Timeout = session.WalkTime
	return s.erSession(ctx, request, state.PurposeAdmit, state.MethodNFC,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			return e.registrar.AllowNFC(now, g)
		})
}

// erSession makes a session of a run that begin starts. begin runs in the goroutine of the External
// Registrar.
func (s *Registrars) erSession(ctx context.Context, r Request, purpose state.Purpose,
	method state.Method,
	begin func(*externalRegistrar, time.Time) (er.RunID, []er.Action, error)) (
	state.Session, error) {
	if r.Apply != "" && r.Apply != session.ApplyAuto && r.Apply != session.ApplyNone {
		return state.Session{}, fmt.Errorf("%w: the External Registrar hands a network to nobody: use auto or none", state.ErrNotSupported)
	}
	var snapshot state.Session
	err := s.askER(ctx, r.Interface, func(e *externalRegistrar, now time.Time) error {
		if s.hub.Asleep() {
			return state.ErrSuspended
		}
		if s.tooManyERSessions() {
			return state.ErrTooMany
		}
		run, actions, err := begin(e, now)
		if err != nil {
			return erError(err)
		}
		snapshot = e.addSession(now, run, r, purpose, method)
		e.perform(now, actions)
		return nil
	})
	return snapshot, err
}

// NetworkOf finds an access point, and the name of the network that its Enrollees are given.
func (s *Registrars) NetworkOf(ctx context.Context, ifname string,
	ap Peer) (id er.APID, ssid []byte, err error) {
	err = s.askER(ctx, ifname, func(e *externalRegistrar, _ time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		settings, known := e.registrar.Settings(found.ID)
		if !known {
			return state.ErrNoERSettings
		}
		id, ssid = found.ID, settings.SSID
		settings.NetworkKey.Wipe()
		return nil
	})
	return id, ssid, err
}

// ERConfig returns what the External Registrar gives to Enrollees of an access point, with the key.
// It is the caller's to wipe.
func (s *Registrars) ERConfig(ctx context.Context, ifname string, ap Peer) (wsc.Credential, error) {
	var settings wsc.Credential
	err := s.askER(ctx, ifname, func(e *externalRegistrar, _ time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		var known bool
		if settings, known = e.registrar.Settings(found.ID); !known {
			return state.ErrNoERSettings
		}
		return nil
	})
	return settings, err
}

// ERSetConfig says that Enrollees of an access point are to be given a stored network. Nothing is
// sent to the access point.
func (s *Registrars) ERSetConfig(ctx context.Context, ifname string, ap Peer,
	network state.NetworkID) error {
	stored, err := s.arrivals.Network(network)
	if err != nil {
		return err
	}
	defer stored.Wipe()
	settings := stored.Credential()
	settings.MAC = wsc.MAC{} // each Enrollee's own
	return s.askER(ctx, ifname, func(e *externalRegistrar, now time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		actions, err := e.registrar.SetConfig(now, found.ID, settings)
		if err != nil {
			return erError(err)
		}
		e.perform(now, actions)
		e.admitAwaited(now)
		return nil
	})
}
