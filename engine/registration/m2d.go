package registration

import (
	"time"

	"wpsd/engine"
	"wpsd/engine/wsc"
)

// The runs in which nobody is let in: the Registrar knows the Enrollee and says so with M2D, or
// meets another Registrar.

// m2d tells the Enrollee that it is known, but cannot be enrolled now.
func (r *Registrar) m2d(now time.Time, frame []byte, code wsc.ConfigError, why error) engine.Step {
	r.refused, r.code = why, code
	m := wsc.M2D{Device: r.c.Device, EnrolleeNonce: r.enrolleeNonce, ConfigError: code}
	return r.reply(now, frame, m.Append(nil), expectM2DAck)
}

// ack ends a run that began and ended with M2D. hostap's M2D has a Registrar Nonce of zeros, and so
// has ours.
func (r *Registrar) ack(frame []byte) engine.Step {
	a, err := wsc.ParseAck(frame)
	if err != nil || r.state != expectM2DAck || a.EnrolleeNonce != r.enrolleeNonce {
		return r.ignore()
	}
	r.last = wsc.MsgAck
	r.fail(&Error{ConfigError: r.code, Local: true, Err: r.refused})
	return r.finish(nil)
}

// nackToM2D ends a run that began and ended with M2D, too: an access point answers so. Why we
// refused it says more than the 0 that it sends.
func (r *Registrar) nackToM2D(frame []byte) engine.Step {
	n, err := wsc.ParseNack(frame)
	if err != nil || n.EnrolleeNonce != r.enrolleeNonce {
		return r.ignore()
	}
	r.last = wsc.MsgNack
	r.fail(&Error{ConfigError: r.code, Local: true, Err: r.refused})
	return r.finish(nil)
}

// otherRegistrar ends a run with a peer that thinks it is the Registrar, too: an access point that
// cannot be configured may answer so. Neither side would ever send M1.
func (r *Registrar) otherRegistrar() engine.Step {
	if r.state != expectM1 {
		return r.ignore()
	}
	r.fail(&Error{Err: ErrM2D})
	return r.finish(nil)
}
