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

// readERStart reads the arguments of ER.Start.
func readERStart(r *request) (external.Start, error) {
	start := external.Start{Interface: r.ifname, Owner: r.caller, User: r.user}
	var address string
	if err := decodeOptions(r.options(0),
		map[string]any{"address": &address, "detach": &start.Detach}); err != nil {
		return start, err
	}
	if _, given := r.options(0)["address"]; given {
		var err error
		if start.Address, err = netip.ParseAddr(address); err != nil || !start.Address.Is4() ||
			start.Address.IsUnspecified() {
			return start, outcome.BadAddress.Of(quote(address))
		}
	}
	return start, nil
}

// erStopRequest says which External Registrar is to end.
type erStopRequest struct {
	ifname, user string
	own          bool // only if it is that user's
}

// readERStop is for ER.Stop.
func readERStop(r *request) (erStopRequest, error) {
	return erStopRequest{r.ifname, r.user, r.own}, nil
}

// erStop implements ER.Stop.
func erStop(svc Rooms, ctx context.Context, r erStopRequest) error {
	if r.own {
		return svc.StopOwnER(ctx, r.ifname, r.user)
	}
	return svc.StopER(ctx, r.ifname)
}

// readERLearn reads the arguments of ER.Learn.
func readERLearn(r *request) (external.Request, error) { return erRegister(r, nil) }

// readERConfigure reads the arguments of ER.Configure.
func readERConfigure(r *request) (configuration[external.Request], error) {
	return readSettings(r, erRegister)
}

// erConfigure implements ER.Configure.
func erConfigure(svc Rooms, ctx context.Context,
	c configuration[external.Request]) (state.Session, error) {
	return svc.ERConfigure(ctx, c.start, c.settings)
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

// erSetConfigRequest says which access point is of which stored network.
type erSetConfigRequest struct {
	ifname  string
	ap      external.Peer
	network state.NetworkID
}

// readERSetConfig reads the arguments of ER.SetConfig.
func readERSetConfig(r *request) (c erSetConfigRequest, err error) {
	c.ifname = r.ifname
	if c.ap, err = peerArg(r.text(0), "access point"); err != nil {
		return c, err
	}
	path := r.path(1)
	id, ok := strings.CutPrefix(string(path), string(rootPath)+"/networks/")
	n, err := strconv.ParseUint(id, 10, 32)
	if !ok || err != nil {
		return c, outcome.NoNetworkPath.Of(quote(string(path)))
	}
	c.network = state.NetworkID(n)
	return c, nil
}

// erSetConfig implements ER.SetConfig.
func erSetConfig(svc Rooms, ctx context.Context, c erSetConfigRequest) error {
	return svc.ERSetConfig(ctx, c.ifname, c.ap, c.network)
}

// readEREnrollPbc reads the arguments of ER.EnrollPbc.
func readEREnrollPbc(r *request) (external.Request, error) {
	start := external.Request{Interface: r.ifname, Owner: r.caller, User: r.user}
	run, err := r.decodeRun(r.options(1), admits, nil)
	if err != nil {
		return start, err
	}
	start.Detach = run.detach
	start.Enrollee, err = enrolleeArg(r.text(0))
	return start, err
}

// readEREnrollPin reads the arguments of ER.EnrollPin.
func readEREnrollPin(r *request) (external.Request, error) {
	start := external.Request{Interface: r.ifname, Owner: r.caller, User: r.user}
	var mac, ap string
	var timeout uint32
	run, err := r.decodeRun(r.options(2), admitsPIN,
		map[string]any{"mac": &mac, "ap": &ap, "timeout": &timeout})
	if err != nil {
		return start, err
	}
	start.Detach, start.Force = run.detach, run.force
	if start.Enrollee, err = enrolleeArg(r.text(0)); err != nil {
		return start, err
	}
	given := r.options(2)
	if _, ok := given["mac"]; ok {
		if start.MAC, err = wsc.ParseMAC(mac); err != nil || start.MAC.IsZero() {
			return start, outcome.BadMAC.Of(quote(mac))
		}
	}
	if _, ok := given["ap"]; ok {
		if start.AP, err = peerArg(ap, "access point"); err != nil {
			return start, err
		}
	}
	if _, ok := given["timeout"]; ok {
		if timeout == 0 {
			return start, outcome.NoTimeToLetIn.Of()
		}
		start.Timeout = time.Duration(timeout) * time.Second
	}
	start.PIN, err = pinArg(r.secret(1))
	return start, err
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
