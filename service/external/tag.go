package external

import (
	"context"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// admitAwaited lets the devices in whose tags waited for a network of this External Registrar. Its
// goroutine calls it.
func (e *externalRegistrar) admitAwaited(now time.Time) {
	s := e.room
	if s.hub.Asleep() || s.tooManyERSessions() {
		return // at the next network
	}
	for _, t := range s.tags.Awaited(e.ifname) {
		run, actions, err := e.registrar.AllowNFC(now,
			er.NFCGrant{Password: t.Password, KeyHash: &t.Hash, Timeout: session.WalkTime})
		t.Password.Wipe()
		if err != nil {
			s.log.Info("the device of an NFC tag cannot be let in", "interface", e.ifname, "id",
				uint16(t.Password.ID), "err", err)
			continue
		}
		r := Request{Interface: e.ifname, Owner: t.Owner, User: t.User,
			Detach: t.Detach}
		e.addSession(now, run, r, state.PurposeAdmit, state.MethodNFC)
		e.perform(now, actions)
	}
}

// erProof is by what an access point lets itself be managed: its PIN, or its tag.
type erProof struct {
	pin devpass.Password
	tag *erTag
}

// erTag is the tag of an access point in a run with it. The goroutine of the External Registrar
// owns it.
type erTag struct {
	room *Registrars
	used devpass.Password // a copy: a tag that is read meanwhile may take the kept one's place
}

// find implements er.TagFinder.
func (t *erTag) find(_ time.Time, id wsc.DevicePasswordID, _ [20]byte) (registration.Token, bool) {
	password, hash, ok := t.room.tags.TokenOf(id)
	if !ok {
		return registration.Token{}, false
	}
	t.used.Wipe()
	t.used = password
	return registration.Token{Password: password, EnrolleeKeyHash: &hash}, true
}

// over ends the use of the tag. A tag's password is for one run that succeeds.
func (t *erTag) over(succeeded bool) {
	if succeeded && t.used.ID != 0 {
		t.room.tags.UsedUp(t.used.ID)
	}
	t.used.Wipe()
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
