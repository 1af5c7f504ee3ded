package service

import (
	"context"
	"fmt"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Learn begins to read the settings of an access point with its own PIN (wps_reg BSSID PIN): they
// are stored as a network. The AP's settings stay as they are. A wrong PIN is tried once only.
func (s *Service) Learn(_ context.Context, r session.StartRequest) (state.Session, error) {
	return s.startRegistrar(r, session.Task{Purpose: state.PurposeLearn, Method: state.MethodPIN})
}

// Configure begins to give an access point new settings, with its own PIN; when it took them, they
// are stored as a network. They are sent as they are, also weak ones: what an access point makes of
// them is its decision. The key of settings is copied.
func (s *Service) Configure(_ context.Context, r session.StartRequest,
	settings session.Settings) (state.Session, error) {
	if err := settings.Check(); err != nil {
		return state.Session{}, err
	}
	settings.Key = settings.Key.Clone()
	return s.startRegistrar(r, session.Task{Purpose: state.PurposeConfigure,
		Method:   state.MethodPIN,
		Settings: &settings})
}

func (s *Service) startRegistrar(r session.StartRequest, t session.Task) (state.Session, error) {
	if r.BSSID.IsZero() {
		t.Wipe()
		return state.Session{}, fmt.Errorf("%w: name the access point", state.ErrUnknownBSSID)
	}
	if r.NFC {
		if !s.tokens.HasTokens() {
			t.Wipe()
			return state.Session{},
				fmt.Errorf("%w: read the access point's tag first", state.ErrNoToken)
		}
		t.Method = state.MethodNFC
		return s.start(r, t)
	}
	pin, err := session.ReadPIN(r.PIN, r.Force)
	if err != nil {
		t.Wipe()
		return state.Session{}, err
	}
	t.Password = devpass.FromPIN(pin)
	return s.start(r, t)
}

// apPassword gives the access point's PIN for whatever kind of it M1 names. A push button is none:
// an access point is never configured by one. One that names its NFC token takes the PIN in its
// place (hostap).
func (e *Enrolment) apPassword(_ time.Time, _ wsc.Device,
	id wsc.DevicePasswordID) (devpass.Password, bool) {
	if e.Method == state.MethodNFC {
		return devpass.Password{}, false
	}
	if id >= wsc.PasswordIDFirstToken {
		return devpass.Password{ID: wsc.PasswordIDDefault, Value: e.Password.Value}, true
	}
	switch id {
	case wsc.PasswordIDDefault, wsc.PasswordIDUserSpecified, wsc.PasswordIDMachineSpecified,
		wsc.PasswordIDRegistrarSpecified, wsc.PasswordIDP2PSDefault:
		return devpass.Password{ID: id, Value: e.Password.Value}, true
	default:
		return devpass.Password{}, false
	}
}

// apToken gives the password of the tag that M1 names. The secret is the session's own: a tag that
// is read meanwhile may take the kept one's place.
func (e *Enrolment) apToken(_ time.Time, id wsc.DevicePasswordID,
	_ [20]byte) (registration.Token, bool) {
	password, hash, ok := e.TagPassword(id)
	if !ok {
		return registration.Token{}, false
	}
	e.Password.Wipe()
	e.Password = password
	return registration.Token{Password: password, EnrolleeKeyHash: &hash}, true
}

// usedToken forgets the password with which a run succeeded: a tag's password is for one.
func (e *Enrolment) usedToken() {
	if e.Method != state.MethodNFC || e.Purpose == state.PurposeEnroll || !e.received {
		return
	}
	e.TagUsed(e.Password.ID)
}

// AddNetwork stores a network that somebody knows. The key is copied.
func (s *Service) AddNetwork(_ context.Context, settings session.Settings,
	bssid wsc.MAC) (state.Network, error) {
	if bssid.IsMulticast() {
		return state.Network{}, fmt.Errorf("%w (%s)", state.ErrUnknownBSSID, bssid)
	}
	if err := settings.Check(); err != nil {
		return state.Network{}, err
	}
	c := settings.Credential()
	c.MAC = bssid
	raw := c.Append(nil)
	c.Raw = secret.New(raw)
	clear(raw)
	n, err := credentialNetwork(c)
	if err != nil {
		return state.Network{}, err
	}
	c.Wipe()
	added := &receive.Credentials{Networks: []credential.Network{n}}
	defer added.Wipe()
	if came := s.arrivals.Take(arrival.Arrival{Credentials: added, Typed: true,
		From: receive.Origin{BSSID: bssid, Source: "added"}}); came.Err != nil {
		return state.Network{}, came.Err
	}
	return arrival.NetworkOf(added.Stored[0].Network), nil
}

// credentialNetwork makes a network of a Credential that nobody sent.
func credentialNetwork(c wsc.Credential) (credential.Network, error) {
	n, err := credential.FromWSC(c, wsc.MAC{})
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w: %w", state.ErrInvalid, err)
	}
	return n, nil
}
