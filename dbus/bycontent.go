package dbus

import (
	"context"

	"wpsd/service/nfc"
	"wpsd/service/state"
)

// Where the action depends on what a call will do, it is found out before anybody is asked, and
// nothing is done yet. What was found is noted in the request, and the service does that and
// nothing else: an interface that has become an access point while somebody typed a password, or
// a network that was stored meanwhile, is not covered by that answer.

// The words of the manual for each.
const (
	askedByMode     = "fi.w1.wps.enroll, at an access point fi.w1.wps.register"
	askedByRole     = "fi.w1.wps.enroll with the role INIT, fi.w1.wps.register otherwise and at an access point"
	askedByTag      = "fi.w1.wps.enroll for a new network, fi.w1.wps.manage to change a known one, fi.w1.wps.register for a password"
	askedByStarters = "fi.w1.wps.scan, fi.w1.wps.manage if it runs for another user"
)

// byMode: a station joins a network, an access point lets somebody into its own.
func byMode(_ context.Context, r *request) Action {
	if r.ap {
		r.purpose = state.PurposeAdmit
		return ActionRegister
	}
	r.purpose = state.PurposeEnroll
	return ActionEnroll
}

// byRole is for a handover: whose request was answered by us is let in. The role itself says which
// the service does.
func byRole(_ context.Context, r *request) Action {
	if r.ap || r.text(0) != "INIT" {
		return ActionRegister
	}
	return ActionEnroll
}

// byTag looks at what is on a tag. What is none has no effect, and the handler says so.
func byTag(ctx context.Context, r *request) Action {
	tag, err := tagRequest(r)
	r.effect = nfc.TagAdds
	if err == nil {
		if effect, err := r.svc.NFCTagEffect(ctx, tag); err == nil {
			r.effect = effect
		}
	}
	switch r.effect {
	case nfc.TagAdmits:
		return ActionRegister
	case nfc.TagChanges:
		return ActionManage
	case nfc.TagAdds:
	}
	return ActionEnroll
}

// byStarters: to stop an External Registrar cancels the sessions of everybody who uses it.
func byStarters(_ context.Context, r *request) Action {
	r.own = r.svc.OwnsER(r.ifname, r.user)
	if r.own {
		return ActionScan
	}
	return ActionManage
}
