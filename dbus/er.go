package dbus

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// erStart implements ER.Start.
func erStart(ctx context.Context, r *request) ([]any, error) {
	start := external.Start{Interface: r.ifname, Owner: r.caller, User: r.user}
	var address string
	if err := decodeOptions(r.options(0),
		map[string]any{"address": &address, "detach": &start.Detach}); err != nil {
		return nil, err
	}
	if _, given := r.options(0)["address"]; given {
		var err error
		if start.Address, err = netip.ParseAddr(address); err != nil || !start.Address.Is4() ||
			start.Address.IsUnspecified() {
			return nil, outcome.BadAddress.Of(quote(address))
		}
	}
	return nil, r.svc.StartER(ctx, start)
}

// erStop implements ER.Stop.
func erStop(ctx context.Context, r *request) ([]any, error) {
	if r.own {
		return nil, r.svc.StopOwnER(ctx, r.ifname, r.user)
	}
	return nil, r.svc.StopER(ctx, r.ifname)
}

// erLearn implements ER.Learn.
func erLearn(ctx context.Context, r *request) ([]any, error) {
	start, err := erRegister(r, nil)
	if err != nil {
		return nil, err
	}
	s, err := r.svc.ERLearn(ctx, start)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
}

// erConfigure implements ER.Configure.
func erConfigure(ctx context.Context, r *request) ([]any, error) {
	var given settingsFields
	start, err := erRegister(r, given.fields())
	if err != nil {
		return nil, err
	}
	settings, err := given.settings(r.options(2))
	if err != nil {
		return nil, err
	}
	s, err := r.svc.ERConfigure(ctx, start, settings)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
}

// erRegister reads what Learn and Configure have in common: the access point, its PIN, and a
// dictionary with more fields.
func erRegister(r *request, more map[string]any) (external.Request, error) {
	start := external.Request{Interface: r.ifname, Owner: r.caller, User: r.user}
	run, err := r.decodeRun(r.options(2), usesPIN, more)
	if err != nil {
		return start, err
	}
	start.Detach, start.Apply, start.Force = run.detach, run.apply, run.force
	if start.AP, err = peerArg(r.text(0), "access point"); err != nil {
		return start, err
	}
	if start.NFC = string(r.secret(1).Bytes()) == nfcPassword; start.NFC {
		return start, nil
	}
	start.PIN, err = pinArg(r.secret(1))
	return start, err
}

// erSetConfig implements ER.SetConfig.
func erSetConfig(ctx context.Context, r *request) ([]any, error) {
	ap, err := peerArg(r.text(0), "access point")
	if err != nil {
		return nil, err
	}
	path := r.path(1)
	id, ok := strings.CutPrefix(string(path), string(rootPath)+"/networks/")
	n, err := strconv.ParseUint(id, 10, 32)
	if !ok || err != nil {
		return nil, outcome.NoNetworkPath.Of(quote(string(path)))
	}
	return nil, r.svc.ERSetConfig(ctx, r.ifname, ap, state.NetworkID(n))
}

// erEnrollPbc implements ER.EnrollPbc.
func erEnrollPbc(ctx context.Context, r *request) ([]any, error) {
	run, err := r.decodeRun(r.options(1), admits, nil)
	if err != nil {
		return nil, err
	}
	enrollee, err := enrolleeArg(r.text(0))
	if err != nil {
		return nil, err
	}
	s, err := r.svc.EREnrollPBC(ctx, external.Request{Interface: r.ifname, Owner: r.caller,
		User: r.user, Enrollee: enrollee, Detach: run.detach})
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
}

// erEnrollPin implements ER.EnrollPin.
func erEnrollPin(ctx context.Context, r *request) ([]any, error) {
	start := external.Request{Interface: r.ifname, Owner: r.caller, User: r.user}
	var mac, ap string
	var timeout uint32
	run, err := r.decodeRun(r.options(2), admitsPIN,
		map[string]any{"mac": &mac, "ap": &ap, "timeout": &timeout})
	if err != nil {
		return nil, err
	}
	start.Detach, start.Force = run.detach, run.force
	if start.Enrollee, err = enrolleeArg(r.text(0)); err != nil {
		return nil, err
	}
	given := r.options(2)
	if _, ok := given["mac"]; ok {
		if start.MAC, err = wsc.ParseMAC(mac); err != nil || start.MAC.IsZero() {
			return nil, outcome.BadMAC.Of(quote(mac))
		}
	}
	if _, ok := given["ap"]; ok {
		if start.AP, err = peerArg(ap, "access point"); err != nil {
			return nil, err
		}
	}
	if _, ok := given["timeout"]; ok {
		if timeout == 0 {
			return nil, outcome.NoTimeToLetIn.Of()
		}
		start.Timeout = time.Duration(timeout) * time.Second
	}
	if start.PIN, err = pinArg(r.secret(1)); err != nil {
		return nil, err
	}
	s, err := r.svc.EREnrollPIN(ctx, start)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
}

// peerArg reads the name of one access point or device.
func peerArg(text, what string) (external.Peer, error) {
	p, err := external.ParsePeer(text)
	if err != nil || p.IsAny() {
		return p, outcome.BadPeer.Of(what, quote(text), ipHint(what))
	}
	return p, nil
}

// ipHint tells that an access point has one more name.
func ipHint(what string) string {
	if what == "access point" {
		return " or 192.0.2.1"
	}
	return ""
}

// enrolleeArg is peerArg where anybody may be meant.
func enrolleeArg(text string) (external.Peer, error) {
	if text == "any" {
		return external.Peer{}, nil
	}
	return peerArg(text, "device")
}

// pinArg reads a PIN that has to be there. It is wiped with the arguments.
func pinArg(pin secret.Value) (secret.Value, error) {
	if pin.IsZero() {
		return secret.Value{}, outcome.EmptyDevicePIN.Of()
	}
	return pin, nil
}

// tellSettings sends what a session learned of an access point to its owner, and to nobody else.
func (s *Server) tellSettings(e state.ERAPSettings) {
	session, ok := s.objects.sessions[e.Session]
	if !ok || !onBus(session.Owner) {
		return
	}
	list, err := s.svc.Received(e.Session)
	if err != nil {
		s.log.Error("settings of an access point", "session", e.Session, "err", err)
		return
	}
	o, known := s.objects.er.accessPoints[erAPKey{e.Interface, e.AccessPoint}]
	if !known {
		o.path = noPath
	}
	for _, n := range list {
		s.bus.emit(session.Owner, interfacePath(e.Interface), erIface, "ApSettings", o.path,
			credentialValues(n))
		wipe(n)
	}
}
