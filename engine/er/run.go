package er

import (
	"errors"
	"fmt"
	"io"
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
func (r *runs) prepare(now time.Time, run *apRun) error {
	password, pair := run.password, r.takeKeyPair()
	machine, err := registration.NewRegistrar(registration.RegistrarConfig{
		Device: r.device,
		Password: func(_ time.Time, _ wsc.Device,
			id wsc.DevicePasswordID) (devpass.Password, bool) {
			// A PIN is offered to an access point with a token, too; a token fits itself only.
			return password, run.tag == nil &&
				(id == password.ID || password.ID == wsc.PasswordIDDefault)
		},
		Token:       run.tag,
		NewSettings: run.settings,
		KeyPair:     pair,
		Rand:        r.rand,
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

// takeKeyPair gives a key pair that was made ahead of time; nil: there is none.
func (r *runs) takeKeyPair() *wsccrypto.KeyPair {
	if r.keyPair == nil {
		return nil
	}
	return r.keyPair()
}

// onRunInfo takes the M1 that a run begins with.
func (r *runs) onRunInfo(now time.Time, a *ap, run *apRun, resp upnp.Response) {
	message, err := upnp.GetDeviceInfo.ParseReply(resp)
	if err == nil {
		before := a.BSSID
		if err = r.onAPM1(now, a, message); err == nil &&
			(a.noInfo != "" || a.BSSID != before) {
			a.noInfo = ""
			r.publishChange(a)
		}
	}
	if err != nil {
		r.endAPRun(now, a, err)
		return
	}
	run.machine.Start(now)
	run.newest = wsc.MsgM1
	r.publish(RunChanged{run.id, a.ID, wsc.MsgM1, a.BSSID, a.Device.UUID})
	r.apRunStep(now, a, run.machine.Handle(now, message))
}

// onRunReply takes the answer to a message of ours.
func (r *runs) onRunReply(now time.Time, a *ap, run *apRun, resp upnp.Response) {
	message, err := upnp.PutMessage.ParseReply(resp)
	if err != nil {
		r.endAPRun(now, a, err)
		return
	}
	kind, err := wsc.PeekMessageType(message)
	if repeats := err == nil && kind <= run.newest; repeats {
		r.endAPRun(now, a, ErrNonsense) // to answer it once more would go on for ever
		return
	}
	step := run.machine.Handle(now, message)
	if len(step.Send) == 0 && !step.Done {
		r.endAPRun(now, a, ErrNonsense) // there is no second answer to wait for
		return
	}
	if err == nil {
		run.newest = kind
	}
	if err == nil {
		r.publish(RunChanged{run.id, a.ID, kind, a.BSSID, a.Device.UUID})
		if kind == wsc.MsgM3 && len(step.Send) > 0 {
			r.setLocked(a, false)
		}
	}
	r.apRunStep(now, a, step)
}

// onRunFailed handles a request that got no answer, and reports whether the run ended. Before M4
// the access point has seen nothing of the password, and a run can begin again, once.
func (r *runs) onRunFailed(now time.Time, a *ap, err error) (ended bool) {
	run := a.run
	if run.tries++; run.tries == 1 && run.sent <= wsc.MsgM2 {
		if r.prepare(now, run) == nil {
			return false
		}
	}
	r.endAPRun(now, a, fmt.Errorf("%w: %w", ErrUnreachable, err))
	return true
}

// apRunStep does what the machine says.
func (r *runs) apRunStep(now time.Time, a *ap, step engine.Step) {
	run := a.run
	answers := run.sent // what this step is about
	for _, m := range step.Send {
		r.post(a, outgoing{action: upnp.Action{Name: upnp.PutMessage, Message: m}, run: run})
		if kind, err := wsc.PeekMessageType(m); err == nil {
			run.sent = kind
			r.publish(RunChanged{run.id, a.ID, kind, a.BSSID, a.Device.UUID})
		}
	}
	run.deadline = step.Deadline
	if !step.Done {
		return
	}
	outcome := run.machine.Outcome()
	if errors.Is(outcome.Err, registration.ErrLocked) && answers == wsc.MsgM2 {
		r.setLocked(a, true)
	}
	result := runEnd{ap: a.ID, peer: a.BSSID, device: a.Device, err: outcome.Err}
	if outcome.Err == nil {
		settings := run.settings
		if settings == nil {
			settings = outcome.APSettings
		}
		kept := clone(*settings)
		kept.MAC = outcome.APSettings.MAC
		given := clone(kept)
		// the settings are published even where those of a thousand others are kept
		_ = r.setSettings(now, a, kept)
		if run.settings != nil && a.Device.State != wsc.Configured {
			a.Device.State = wsc.Configured
			r.publishChange(a)
		}
		result.settings = &given
	}
	if outcome.APSettings != nil {
		outcome.APSettings.Wipe()
	}
	r.closeAPRun(a, result)
}

// endAPRun ends the run with an access point, if there is one, for a reason of ours. It hears so if
// it expects a message.
func (r *runs) endAPRun(now time.Time, a *ap, why error) {
	run := a.run
	if run == nil {
		return
	}
	outcome := run.machine.Outcome()
	hears := !errors.Is(why, ErrUnreachable) && !errors.Is(why, ErrAPGone) && run.sent != 0
	// whoever hears of it: the machine forgets its keys
	for _, m := range run.machine.Abort(now).Send {
		if hears {
			r.post(a, outgoing{action: upnp.Action{Name: upnp.PutMessage, Message: m}, run: run})
		}
	}
	if outcome.APSettings != nil {
		outcome.APSettings.Wipe()
	}
	r.closeAPRun(a, runEnd{ap: a.ID, peer: a.BSSID, device: a.Device, err: why})
}

func (r *runs) closeAPRun(a *ap, e runEnd) {
	run := a.run
	a.run = nil
	run.wipe()
	e.run = run.id
	r.publishEnd(e)
}

// runEnd is how a run ended.
type runEnd struct {
	run      RunID
	ap       APID
	peer     wsc.MAC
	device   wsc.Device
	settings *wsc.Credential
	err      error
}

func (r *runs) publishEnd(e runEnd) {
	r.publish(RunEnded{e.run, e.ap, e.peer, e.device.UUID, e.device, e.settings, e.err})
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
	newest   wsc.MessageType // the newest that got on with the run
}

// runs is the runs of the Registration Protocol: with access points, and through them with the
// Enrollees that users allowed.
type runs struct {
	identities
	keyPair func() *wsccrypto.KeyPair // nil: made in the run
	rand    io.Reader
	last    RunID
	grants  map[RunID]*grant
}

// begin begins a run with secrets of its own.
func (r *runs) begin(now time.Time, id APID, run apRun) (RunID, error) {
	a, err := r.usable(id)
	switch {
	case err != nil:
		return 0, err
	case a.run != nil:
		return 0, ErrBusy
	}
	run.password.Value = run.password.Value.Clone()
	if run.settings != nil {
		c := clone(*run.settings)
		run.settings = &c
	}
	r.last++
	run.id = r.last
	if err := r.prepare(now, &run); err != nil {
		run.wipe()
		return 0, err
	}
	a.run = &run
	r.pump(now, a)
	return run.id, nil
}
