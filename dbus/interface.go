package dbus

import (
	"context"
	"maps"

	"wpsd/dbus/bus"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// addInterface makes the object of an interface.
func (t *tree) addInterface(ifname string, emit emitter) {
	t.add(interfacePath(ifname), identity{ifname: ifname}, emit,
		face{iface: interfaceIface, render: func() values { return t.interfaceValues(ifname) }},
		face{iface: erIface, render: func() values { return t.erValues(ifname) }})
	t.stale[rootPath] = true
}

// removeInterface removes an interface and the access points heard on it. Its sessions end on their
// own.
func (t *tree) removeInterface(ifname string, emit emitter) {
	for _, path := range t.accessPointPaths(ifname) {
		t.remove(path, emit)
	}
	for key := range t.accessPoints {
		if key.ifname == ifname {
			delete(t.accessPoints, key)
		}
	}
	delete(t.interfaces, ifname)
	delete(t.er.running, ifname)
	t.remove(interfacePath(ifname), emit)
	t.stale[rootPath] = true
	t.staleSessions(ifname)
}

// interfaceValues are the properties of fi.w1.wps.Interface.
func (t *tree) interfaceValues(ifname string) values {
	i := t.interfaces[ifname]
	session := noPath
	if i.Session != 0 {
		session = sessionPath(i.Session)
	}
	return values{
		"Name":            variant(i.Name),
		"Driver":          variant(i.Driver),
		"Mode":            variant(i.Mode.String()),
		"Capabilities":    variant(append([]string{}, i.Capabilities()...)),
		"HardwareAddress": variant(i.HardwareAddr.String()),
		"Scanning": variant(i.Scanning ||
			t.sessions[i.Session].State == state.StateScanning),
		"AccessPoints": variant(t.accessPointPaths(ifname)),
		"Enrollees":    variant(t.enrolleePaths(ifname)),
		"Session":      variant(session),
		"SetupLocked":  variant(i.SetupLocked),
		"Manager":      variant(i.Manager),
		"Connected":    variant(i.Connected),
		"Disconnects":  variant(i.Disconnects()),
	}
}

// startOptions reads what all Start methods take: a set of the common options, the access point,
// and more.
func startOptions(r *request, set []string, more map[string]any) (session.StartRequest, error) {
	start := session.StartRequest{Interface: r.ifname, Owner: r.caller, User: r.user,
		Purpose: r.purpose}
	var bssid string
	fields := map[string]any{"bssid": &bssid}
	maps.Copy(fields, more)
	run, err := r.decodeRun(r.options(0), set, fields)
	if err != nil {
		return start, err
	}
	start.Detach, start.Apply, start.Force = run.detach, run.apply, run.force
	if _, given := r.options(0)["bssid"]; given {
		mac, err := wsc.ParseMAC(bssid)
		if err != nil {
			return start, outcome.BadBSSIDOfAny.Of(quote(bssid))
		}
		if mac.IsZero() { // which would mean any to the service
			return start, state.ErrUnknownBSSID
		}
		start.BSSID = mac
	}
	return start, nil
}

// readScan reads the arguments of Interface.Scan.
func readScan(r *request) (ifname string, err error) {
	return r.ifname, decodeOptions(r.options(0), nil)
}

// readStartPbc reads the arguments of Interface.StartPbc.
func readStartPbc(r *request) (session.StartRequest, error) {
	var beside, besideOnly, multiAP bool
	start, err := startOptions(r, receives, map[string]any{"beside": &beside,
		"beside-only": &besideOnly, "multi-ap": &multiAP})
	start.Beside, start.BesideOnly, start.MultiAP = beside, besideOnly, multiAP
	return start, err
}

// readStartPin reads the arguments of Interface.StartPin.
func readStartPin(r *request) (session.StartRequest, error) {
	var pin bus.Text
	var mac string
	var timeout uint32
	var beside, besideOnly bool
	start, err := startOptions(r, usesPIN, map[string]any{optionPIN: &pin, "timeout": &timeout,
		"mac": &mac, "beside": &beside, "beside-only": &besideOnly})
	if err != nil {
		return start, err
	}
	start.Beside, start.BesideOnly = beside, besideOnly
	if err := admitOptions(r, &start, timeout, mac); err != nil {
		return start, err
	}
	if _, given := r.options(0)["pin"]; given {
		if pin.IsZero() { // which would mean a new one to the service
			return start, outcome.EmptyPIN.Of()
		}
		start.PIN = pin.Value
	}
	return start, nil
}

// startPin implements Interface.StartPin.
func startPin(ctx context.Context, svc Rooms, start session.StartRequest) ([]any, error) {
	s, used, err := svc.StartPIN(ctx, start)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID), bus.Text{Value: used}}, nil
}

// cancelRequest says what to cancel: a session, or whatever runs on an interface.
type cancelRequest struct {
	session state.SessionID // 0: by the interface
	ifname  string
}

// readCancel is for Interface.Cancel. Who was not asked cancels its own session, not one
// that began meanwhile.
func readCancel(r *request) (cancelRequest, error) {
	switch {
	case r.session == 0:
		return cancelRequest{}, outcome.NoSessionOn(r.ifname)
	case r.free:
		return cancelRequest{session: r.session}, nil
	}
	return cancelRequest{ifname: r.ifname}, nil
}

// cancel implements Interface.Cancel.
func cancel(svc Rooms, ctx context.Context, c cancelRequest) error {
	if c.session != 0 {
		return svc.Cancel(ctx, c.session)
	}
	return svc.CancelInterface(ctx, c.ifname)
}
