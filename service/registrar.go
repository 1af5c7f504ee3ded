package service

import (
	"context"
	"fmt"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/receive"
)

// Learn begins to read the settings of an access point with its own PIN (wps_reg BSSID PIN): they
// are stored as a network. The AP's settings stay as they are. A wrong PIN is tried once only.
func (s *Service) Learn(_ context.Context, r StartRequest) (Session, error) {
	return s.startRegistrar(r, task{purpose: PurposeLearn, method: MethodPIN})
}

// Configure begins to give an access point new settings, with its own PIN; when it took them, they
// are stored as a network. They are sent as they are, also weak ones: what an access point makes of
// them is its decision. The key of settings is copied.
func (s *Service) Configure(_ context.Context, r StartRequest, settings Settings) (Session, error) {
	if err := settings.check(); err != nil {
		return Session{}, err
	}
	settings.Key = settings.Key.Clone()
	return s.startRegistrar(r, task{purpose: PurposeConfigure, method: MethodPIN,
		settings: &settings})
}

func (s *Service) startRegistrar(r StartRequest, t task) (Session, error) {
	if r.BSSID.IsZero() {
		t.wipe()
		return Session{}, fmt.Errorf("%w: name the access point", ErrUnknownBSSID)
	}
	if r.NFC {
		if !s.hasTokens() {
			t.wipe()
			return Session{}, fmt.Errorf("%w: read the access point's tag first", ErrNoToken)
		}
		t.method = MethodNFC
		return s.start(r, t)
	}
	pin, err := readPIN(r.PIN, r.Force)
	if err != nil {
		t.wipe()
		return Session{}, err
	}
	t.password = devpass.FromPIN(pin)
	return s.start(r, t)
}

// apPassword gives the access point's PIN for whatever kind of it M1 names. A push button is none:
// an access point is never configured by one. One that names its NFC token takes the PIN in its
// place (hostap).
func (e *enrolment) apPassword(_ time.Time, _ wsc.Device,
	id wsc.DevicePasswordID) (devpass.Password, bool) {
	if e.method == MethodNFC {
		return devpass.Password{}, false
	}
	if id >= wsc.PasswordIDFirstToken {
		return devpass.Password{ID: wsc.PasswordIDDefault, Value: e.password.Value}, true
	}
	switch id {
	case wsc.PasswordIDDefault, wsc.PasswordIDUserSpecified, wsc.PasswordIDMachineSpecified,
		wsc.PasswordIDRegistrarSpecified, wsc.PasswordIDP2PSDefault:
		return devpass.Password{ID: id, Value: e.password.Value}, true
	default:
		return devpass.Password{}, false
	}
}

// AddNetwork stores a network that somebody knows. The key is copied.
func (s *Service) AddNetwork(_ context.Context, settings Settings, bssid wsc.MAC) (Network, error) {
	if bssid.IsMulticast() {
		return Network{}, fmt.Errorf("%w (%s)", ErrUnknownBSSID, bssid)
	}
	if err := settings.check(); err != nil {
		return Network{}, err
	}
	c := settings.credential()
	c.MAC = bssid
	raw := c.Append(nil)
	c.Raw = secret.New(raw)
	clear(raw)
	n, err := credentialNetwork(c)
	if err != nil {
		return Network{}, err
	}
	c.Wipe()
	added := &receive.Credentials{Networks: []credential.Network{n}}
	defer added.Wipe()
	if err := s.keep(added, receive.Origin{BSSID: bssid, Source: "added"}, nil); err != nil {
		return Network{}, err
	}
	if added.NotStored != nil {
		s.log.Error("the network cannot be stored", "err", added.NotStored)
		return Network{}, &notStoredError{added.NotStored}
	}
	s.announce(added.Stored)
	return networkOf(added.Stored[0].Network), nil
}

// credentialNetwork makes a network of a Credential that nobody sent.
func credentialNetwork(c wsc.Credential) (credential.Network, error) {
	n, err := credential.FromWSC(c, wsc.MAC{})
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return n, nil
}
