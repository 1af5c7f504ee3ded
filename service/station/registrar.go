package station

import (
	"fmt"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Learn is the task of a session that reads the settings of an access point.
func (s *Stations) Learn(r session.StartRequest) (session.Task, error) {
	return s.registrar(r, session.Task{Purpose: state.PurposeLearn, Method: state.MethodPIN})
}

// Configure is the task of a session that gives an access point new settings. The key of settings
// is copied.
func (s *Stations) Configure(r session.StartRequest,
	settings session.Settings) (session.Task, error) {
	if err := settings.Check(); err != nil {
		return session.Task{}, err
	}
	settings.Key = settings.Key.Clone()
	return s.registrar(r, session.Task{Purpose: state.PurposeConfigure, Method: state.MethodPIN,
		Settings: &settings})
}

// registrar completes a task with the password of the access point. It has no secrets if it cannot
// be done.
func (s *Stations) registrar(r session.StartRequest, t session.Task) (session.Task, error) {
	if r.BSSID.IsZero() {
		t.Wipe()
		return session.Task{}, fmt.Errorf("%w: name the access point", state.ErrUnknownBSSID)
	}
	if r.NFC {
		if err := s.Tags.Check(); err != nil {
			t.Wipe()
			return session.Task{}, err
		}
		t.Method = state.MethodNFC
		return t, nil
	}
	pin, err := session.ReadPIN(r.PIN, r.Force)
	if err != nil {
		t.Wipe()
		return session.Task{}, err
	}
	t.Password = devpass.FromPIN(pin)
	return t, nil
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
