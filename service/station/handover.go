package station

import (
	"context"
	"errors"

	"wpsd/engine/credential"
	"wpsd/service/ending"
	"wpsd/service/lending"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// finish gives the interface back, and hands over what was received.
func (e *Enrolment) finish(ctx context.Context, loan *lending.Loan) error {
	sink := e.Managers.SinkFor(e.apply, loan.Owner())
	useless := errors.Is(e.came.Err, receive.ErrUseless)
	if !e.received || useless || sink == nil || e.external &&
		(e.apply == "" || e.apply == session.ApplyAuto) {
		loan.Return(ctx)
		return e.came.Err
	}
	e.change(func(ses *state.Session) {
		ses.State, ses.Detail.Manager = state.StateHandingOver, sink.Name()
	})
	networks, offers := e.offers()
	defer credential.WipeAll(networks)
	for i := range offers {
		offers[i].Backhaul = e.backhaul
		if !loan.Apart() {
			offers[i].Station = e.device.MAC
		}
	}
	made, err := loan.Deliver(ctx, sink, offers)
	if err != nil {
		if failed, ok := errors.AsType[*ending.HandoverError](err); ok && loan.Apart() {
			failed.Run = e.device.MAC
		}
		return errors.Join(e.came.Err, err)
	}
	e.change(func(ses *state.Session) {
		ses.Detail.HandedOver = true
		ses.Detail.Connection, ses.Detail.ConnectionUUID = made.Path, made.UUID
	})
	return e.came.Err
}

// offers are the networks that were received, with secrets of the caller's own, and what was heard
// of them.
func (e *Enrolment) offers() ([]credential.Network, []credential.Offer) {
	networks := e.session.Usable()
	return networks, e.Managers.OnTerms(e.iface.Air.Offers(networks, e.session.Peer))
}
