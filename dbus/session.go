package dbus

import (
	"context"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// addSession makes the object of a session.
func (t *tree) addSession(s state.Session, emit emitter) {
	t.putSession(s)
	t.add(sessionPath(s.ID), identity{session: s.ID}, emit,
		face{iface: sessionIface, render: func() values { return t.sessionValues(s.ID) }})
}

// endSession tells how a session ended: its properties first, then one signal.
func (t *tree) endSession(s state.Session, emit emitter) {
	t.putSession(s)
	path := sessionPath(s.ID)
	t.update(path, emit)
	if s.State == state.StateSucceeded {
		emit(signal{path, sessionIface, "Succeeded", []any{networkPaths(s.Networks)}})
		return
	}
	emit(signal{path, sessionIface, "Failed",
		[]any{string(s.Reason), uint16(s.ConfigError), printable(s.Sentence)}})
}

// putSession notes what a session is like now. That it begins or ends to scan shows at its
// interface, too.
func (t *tree) putSession(s state.Session) {
	before := t.sessions[s.ID]
	if (before.State == state.StateScanning) != (s.State == state.StateScanning) {
		t.stale[interfacePath(s.Interface)] = true
	}
	t.sessions[s.ID] = s
}

// staleSessions marks the sessions of an interface: the access point that they name came or went.
func (t *tree) staleSessions(ifname string) {
	for id, s := range t.sessions {
		if s.Interface == ifname {
			t.stale[sessionPath(id)] = true
		}
	}
}

// sessionValues are the properties of fi.w1.wps.Session.
func (t *tree) sessionValues(id state.SessionID) values {
	s := t.sessions[id]
	peer, ap, message := "", noPath, ""
	if !s.Peer.IsZero() {
		peer = s.Peer.String()
		if _, ok := t.accessPoints[accessPointKey{s.Interface, s.Peer}]; ok {
			ap = accessPointPath(s.Interface, s.Peer)
		}
	}
	// since the session ended, an External Registrar that began anew may have given it to another
	key := erAPKey{s.Interface, s.ERAP}
	if o, known := t.er.accessPoints[key]; known && o.uuid == s.ERAPUUID {
		ap = o.path
	}
	if s.Message != 0 {
		message = s.Message.String()
	}
	return values{
		"Interface":   variant(interfacePath(s.Interface)),
		"Role":        variant(string(s.Role)),
		"Purpose":     variant(string(s.Purpose)),
		"Method":      variant(string(s.Method)),
		"State":       variant(string(s.State)),
		"Message":     variant(message),
		"Peer":        variant(peer),
		"AccessPoint": variant(ap),
		"Started":     variant(microseconds(s.Started)),
		"Deadline":    variant(microseconds(s.Deadline)),
		"Step":        variant(string(s.Step())),
		"Progress":    variant(s.Progress()),

		"StartedMonotonic":  variant(t.clock.microseconds(s.Started)),
		"DeadlineMonotonic": variant(t.clock.microseconds(s.Deadline)),
		"Reason":            variant(string(s.Reason)),
		"ConfigError":       variant(uint16(s.ConfigError)),
		"Detail":            variant(detailValues(s)),
		"Networks":          variant(networkPaths(s.Networks)),
	}
}

// detailValues are what is known beyond the reason; what is not known is not there.
func detailValues(s state.Session) values {
	v := values{}
	for name, value := range s.Detail.Values() {
		if at, ok := value.(outcome.ObjectPath); ok {
			if value = godbus.ObjectPath(at); !godbus.ObjectPath(at).IsValid() {
				continue // no message may have it
			}
		}
		v[name] = variant(value)
	}
	if s.PeerUUID != (wsc.UUID{}) {
		v["uuid"] = variant(s.PeerUUID.String())
	}
	if s.ERAPUUID != (wsc.UUID{}) {
		v["ap-uuid"] = variant(s.ERAPUUID.String())
	}
	return v
}

// getCredentials implements Session.GetCredentials.
func getCredentials(_ context.Context, svc Rooms, id state.SessionID) ([]any, error) {
	list, err := svc.Credentials(id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, outcome.ErrNoCredentials
	}
	dicts := make([]values, 0, len(list))
	for _, n := range list {
		dicts = append(dicts, credentialValues(n))
		wipe(n)
	}
	return []any{dicts}, nil
}

// credentialValues are a credential with its key. It goes to one caller who may have it, never into
// a broadcast. Its secrets are copies, which are wiped when they were sent.
func credentialValues(n credential.Network) values {
	return values{
		"ssid":          variant(octets(n.SSID)),
		"auth":          variant(credential.AuthName(n.Auth, n.WPA3Only)),
		"encryption":    variant(n.Encryption.String()),
		"key":           variant(bus.Octets{Value: n.Key.Clone()}),
		"key-kind":      variant(string(n.KeyKind)),
		"key-index":     variant(uint32(n.KeyIndex)),
		"mac":           variant(n.MAC.String()),
		"network-index": variant(uint32(n.NetworkIndex)),
		"wifi-uri":      variant(bus.Text{Value: n.WifiURI()}),
	}
}

// wipe overwrites the secrets of a credential that the service gave us a copy of.
func wipe(n credential.Network) {
	n.Key.Wipe()
	n.Raw.Wipe()
}

func networkPaths(ids []state.NetworkID) []godbus.ObjectPath {
	paths := make([]godbus.ObjectPath, 0, len(ids))
	for _, id := range ids {
		paths = append(paths, networkPath(id))
	}
	return paths
}

// octets is b as a value of type ay, empty rather than nil.
func octets(b []byte) []byte { return append([]byte{}, b...) }

// microseconds is a time as clients get it: since 1970, 0 for none.
func microseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(t.UnixMicro(), 0))
}
