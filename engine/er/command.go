package er

import (
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
)

// Learn asks an access point for its settings, which takes its PIN. The access point keeps them.
func (r *Registrar) Learn(now time.Time, ap APID, password devpass.Password) (RunID,
	[]Action, error) {
	return r.begun(now)(r.begin(now, ap, apRun{password: password}))
}

// LearnByTag is Learn with the password of the access point's NFC tag in place of its PIN.
func (r *Registrar) LearnByTag(now time.Time, ap APID, tag TagFinder) (RunID, []Action, error) {
	return r.begun(now)(r.begin(now, ap, apRun{tag: tag}))
}

// Configure gives an access point new settings, which takes its PIN.
func (r *Registrar) Configure(now time.Time, ap APID, password devpass.Password,
	settings wsc.Credential) (RunID, []Action, error) {
	return r.begun(now)(r.begin(now, ap, apRun{password: password, settings: &settings}))
}

// ConfigureByTag is Configure with the password of the access point's NFC tag in place of its PIN.
func (r *Registrar) ConfigureByTag(now time.Time, ap APID, tag TagFinder,
	settings wsc.Credential) (RunID, []Action, error) {
	return r.begun(now)(r.begin(now, ap, apRun{tag: tag, settings: &settings}))
}

// begun ends the call that began a run.
func (r *Registrar) begun(now time.Time) func(RunID, error) (RunID, []Action, error) {
	return func(run RunID, err error) (RunID, []Action, error) {
		if err != nil {
			return 0, nil, err
		}
		return run, r.done(now), nil
	}
}

// AllowPIN lets an Enrollee in by its PIN. The PIN is tried once.
func (r *Registrar) AllowPIN(now time.Time, g PINGrant) (RunID, []Action, error) {
	if g.Timeout <= 0 {
		g.Timeout = admission.PINTimeout
	}
	return r.admit(now, g.AP, admission.Grant{
		Password: devpass.FromPIN(g.PIN), UUID: g.UUID, MAC: g.MAC, Expires: now.Add(g.Timeout),
	})
}

// AllowNFC lets an Enrollee in by its password token.
func (r *Registrar) AllowNFC(now time.Time, g NFCGrant) (RunID, []Action, error) {
	if g.Timeout <= 0 {
		g.Timeout = admission.WalkTime
	}
	if g.handover() && (g.KeyHash == nil || g.Key.IsZero()) {
		return 0, nil, ErrKeyHash // anybody could come
	}
	run, err := r.allow(now, g.AP, admission.Grant{Password: g.Password,
		KeyHash: g.KeyHash, UUID: g.UUID, Expires: now.Add(g.Timeout)})
	if err == nil && g.handover() {
		hash := *g.KeyHash
		run.keyHash, run.key = &hash, g.Key.Clone()
	}
	return r.allowed(now, run, err)
}

// AllowPBC presses the button here. It is refused while two Enrollees have theirs pressed.
func (r *Registrar) AllowPBC(now time.Time, g PBCGrant) (RunID, []Action, error) {
	if g.AP == 0 {
		g.AP = r.hearer(g.UUID, g.MAC)
	}
	for _, a := range r.scope(g.AP) {
		if a.overlap(now) {
			return 0, nil, ErrOverlap
		}
	}
	password := devpass.PushButton()
	defer password.Wipe()
	return r.admit(now, g.AP, admission.Grant{Password: password, UUID: g.UUID, MAC: g.MAC,
		Expires: now.Add(admission.WalkTime)})
}

// admit puts a grant in.
func (r *Registrar) admit(now time.Time, ap APID, g admission.Grant) (RunID, []Action, error) {
	run, err := r.allow(now, ap, g)
	return r.allowed(now, run, err)
}

// allowed ends the call that put a grant in.
func (r *Registrar) allowed(now time.Time, g *grant, err error) (RunID, []Action, error) {
	if err != nil {
		return 0, nil, err
	}
	return g.id, r.done(now), nil
}

// Cancel ends a run. One that is over or was never there is no matter.
func (r *Registrar) Cancel(now time.Time, run RunID) []Action {
	r.cancel(now, run)
	return r.done(now)
}

// SetConfig says what Enrollees of an access point are to be given, without asking it.
func (r *Registrar) SetConfig(now time.Time, ap APID, settings wsc.Credential) ([]Action, error) {
	a, err := r.usable(ap)
	if err != nil {
		return nil, err
	}
	if err := r.setSettings(now, a, clone(settings)); err != nil {
		return nil, err
	}
	r.pump(now, a)
	return r.done(now), nil
}

// Settings gives what Enrollees of an access point are given. The caller wipes it.
func (r *Registrar) Settings(ap APID) (wsc.Credential, bool) {
	a := r.aps[ap]
	if a == nil {
		return wsc.Credential{}, false
	}
	k := r.settings.of(&a.AP)
	if k == nil {
		return wsc.Credential{}, false
	}
	return clone(k.credential), true
}

// FindAP finds an access point. The error is ErrUnknownAP, or an *Ambiguous.
func (r *Registrar) FindAP(name Name) (AP, error) { return r.find(name) }
