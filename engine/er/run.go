package er

import (
	"errors"
	"fmt"
	"time"

	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

func (run *apRun) wipe() {
	run.password.Wipe()
	if run.settings != nil {
		run.settings.Wipe()
	}
}

// prepare makes the machine for one run, in place of one that has got no answer.
func (r *Registrar) prepare(now time.Time, run *apRun) error {
	password, pair := run.password, r.keyPair()
	machine, err := registration.NewRegistrar(registration.RegistrarConfig{
		Device: r.c.Device,
		Password: func(_ time.Time, _ wsc.Device,
			id wsc.DevicePasswordID) (devpass.Password, bool) {
			// A PIN is offered to an access point with a token, too; a token fits itself only.
			return password, run.tag == nil &&
				(id == password.ID || password.ID == wsc.PasswordIDDefault)
		},
		Token:       run.tag,
		NewSettings: run.settings,
		KeyPair:     pair,
		Rand:        r.c.Rand,
	})
	if err != nil {
		if pair != nil {
			pair.Wipe()
		}
		return err
	}
	if run.machine != nil {
		run.machine.Abort(now) // forgets its keys
	}
	run.machine, run.ask, run.deadline, run.sent = machine, true, time.Time{}, 0
	return nil
}

func (r *Registrar) keyPair() *wsccrypto.KeyPair {
	if r.c.KeyPair == nil {
		return nil
	}
	return r.c.KeyPair()
}

// apRunInfo takes the M1 that a run begins with.
func (r *Registrar) apRunInfo(now time.Time, a *ap, run *apRun, resp upnp.Response, err error) {
	if a.run != run {
		return
	}
	if err != nil {
		r.apRunFailed(now, a, err)
		return
	}
	message, err := upnp.GetDeviceInfo.ParseReply(resp)
	if err == nil {
		before := a.BSSID
		if err = r.introduced(now, a, message); err == nil &&
			(a.noInfo != "" || a.BSSID != before) {
			a.noInfo = ""
			r.changed(a)
		}
	}
	if err != nil {
		r.endAPRun(now, a, err)
		return
	}
	run.machine.Start(now)
	run.heard = wsc.MsgM1
	r.tell(RunChanged{run.id, a.ID, wsc.MsgM1, a.BSSID, a.Device.UUID})
	r.apRunStep(now, a, run.machine.Handle(now, message))
}

// apRunReply takes the answer to a message of ours.
func (r *Registrar) apRunReply(now time.Time, a *ap, run *apRun, resp upnp.Response, err error) {
	if a.run != run {
		return // what was sent was the last word
	}
	if err != nil {
		r.apRunFailed(now, a, err)
		return
	}
	message, err := upnp.PutMessage.ParseReply(resp)
	if err != nil {
		r.endAPRun(now, a, err)
		return
	}
	kind, err := wsc.PeekMessageType(message)
	if repeats := err == nil && kind <= run.heard; repeats {
		r.endAPRun(now, a, ErrNonsense) // to answer it once more would go on for ever
		return
	}
	step := run.machine.Handle(now, message)
	if len(step.Send) == 0 && !step.Done {
		r.endAPRun(now, a, ErrNonsense) // there is no second answer to wait for
		return
	}
	if err == nil {
		run.heard = kind
	}
	if err == nil {
		r.tell(RunChanged{run.id, a.ID, kind, a.BSSID, a.Device.UUID})
		if kind == wsc.MsgM3 && len(step.Send) > 0 {
			r.locked(a, false)
		}
	}
	r.apRunStep(now, a, step)
}

// apRunFailed handles a request that got no answer. Before M4 the access point has seen nothing of
// the password, and a run can begin again, once.
func (r *Registrar) apRunFailed(now time.Time, a *ap, err error) {
	run := a.run
	if run.tries++; run.tries == 1 && run.sent <= wsc.MsgM2 {
		if r.prepare(now, run) == nil {
			return
		}
	}
	r.endAPRun(now, a, fmt.Errorf("%w: %w", ErrUnreachable, err))
	r.doubt(now, a, Unreachable)
}

// apRunStep does what the machine says.
func (r *Registrar) apRunStep(now time.Time, a *ap, step engine.Step) {
	run := a.run
	answers := run.sent // what this step is about
	for _, m := range step.Send {
		r.post(a, outgoing{action: upnp.Action{Name: upnp.PutMessage, Message: m}, run: run})
		if kind, err := wsc.PeekMessageType(m); err == nil {
			run.sent = kind
			r.tell(RunChanged{run.id, a.ID, kind, a.BSSID, a.Device.UUID})
		}
	}
	run.deadline = step.Deadline
	if !step.Done {
		return
	}
	outcome := run.machine.Outcome()
	if errors.Is(outcome.Err, registration.ErrLocked) && answers == wsc.MsgM2 {
		r.locked(a, true)
	}
	result := ended{ap: a.ID, peer: a.BSSID, device: a.Device, err: outcome.Err}
	if outcome.Err == nil {
		settings := run.settings
		if settings == nil {
			settings = outcome.APSettings
		}
		kept := clone(*settings)
		kept.MAC = outcome.APSettings.MAC
		given := clone(kept)
		// if those of a thousand others are kept these are told all the same
		_ = r.setSettings(now, a, kept)
		if run.settings != nil && a.Device.State != wsc.Configured {
			a.Device.State = wsc.Configured
			r.changed(a)
		}
		result.settings = &given
	}
	if outcome.APSettings != nil {
		outcome.APSettings.Wipe()
	}
	r.closeAPRun(a, result)
}

// endAPRun ends the run with an access point, if there is one, for a reason of ours. It is told if
// it expects a message.
func (r *Registrar) endAPRun(now time.Time, a *ap, why error) {
	run := a.run
	if run == nil {
		return
	}
	outcome := run.machine.Outcome()
	tell := !errors.Is(why, ErrUnreachable) && !errors.Is(why, ErrAPGone) && run.sent != 0
	for _, m := range run.machine.Abort(now).Send { // whoever is told of it: it forgets the keys
		if tell {
			r.post(a, outgoing{action: upnp.Action{Name: upnp.PutMessage, Message: m}, run: run})
		}
	}
	if outcome.APSettings != nil {
		outcome.APSettings.Wipe()
	}
	r.closeAPRun(a, ended{ap: a.ID, peer: a.BSSID, device: a.Device, err: why})
}

func (r *Registrar) closeAPRun(a *ap, e ended) {
	run := a.run
	a.run = nil
	run.wipe()
	e.run = run.id
	r.tellEnded(e)
}

// ended is how a run ended.
type ended struct {
	run      RunID
	ap       APID
	peer     wsc.MAC
	device   wsc.Device
	settings *wsc.Credential
	err      error
}

func (r *Registrar) tellEnded(e ended) {
	r.tell(RunEnded{e.run, e.ap, e.peer, e.device.UUID, e.device, e.settings, e.err})
}

// TagFinder finds the password of the NFC tag that an access point's M1 names by its id, for the
// hash of its key, as registration.RegistrarConfig.Token does. The secret stays the finder's.
type TagFinder func(now time.Time, id wsc.DevicePasswordID,
	keyHash [20]byte) (registration.Token, bool)

// apRun learns or configures an access point: it is the Enrollee, and its answers come with the
// requests.
type apRun struct {
	id       RunID
	password devpass.Password
	tag      TagFinder       // in place of password
	settings *wsc.Credential // new ones; nil: learn
	machine  *registration.Registrar
	ask      bool // GetDeviceInfo goes next: it begins a run of the access point's
	tries    int
	deadline time.Time
	sent     wsc.MessageType
	heard    wsc.MessageType // the newest that got on with the run
}

// Learn asks an access point for its settings, which takes its PIN. The access point keeps them.
func (r *Registrar) Learn(now time.Time, ap APID, password devpass.Password) (RunID,
	[]Action, error) {
	return r.begin(now, ap, apRun{password: password})
}

// LearnByTag is Learn with the password of the access point's NFC tag in place of its PIN.
func (r *Registrar) LearnByTag(now time.Time, ap APID, tag TagFinder) (RunID, []Action, error) {
	return r.begin(now, ap, apRun{tag: tag})
}

// Configure gives an access point new settings, which takes its PIN.
func (r *Registrar) Configure(now time.Time, ap APID, password devpass.Password,
	settings wsc.Credential) (RunID, []Action, error) {
	return r.begin(now, ap, apRun{password: password, settings: &settings})
}

// ConfigureByTag is Configure with the password of the access point's NFC tag in place of its PIN.
func (r *Registrar) ConfigureByTag(now time.Time, ap APID, tag TagFinder,
	settings wsc.Credential) (RunID, []Action, error) {
	return r.begin(now, ap, apRun{tag: tag, settings: &settings})
}

// begin begins a run with secrets of its own.
func (r *Registrar) begin(now time.Time, id APID, run apRun) (RunID, []Action, error) {
	a, err := r.usable(id)
	switch {
	case err != nil:
		return 0, nil, err
	case a.run != nil:
		return 0, nil, ErrBusy
	}
	run.password.Value = run.password.Value.Clone()
	if run.settings != nil {
		c := clone(*run.settings)
		run.settings = &c
	}
	r.lastRun++
	run.id = r.lastRun
	if err := r.prepare(now, &run); err != nil {
		run.wipe()
		return 0, nil, err
	}
	a.run = &run
	r.pump(now, a)
	return run.id, r.done(now), nil
}
