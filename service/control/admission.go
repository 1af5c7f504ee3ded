package control

import (
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// admissionChanged tells how it goes on at an access point that lets a device in.
func (t *translator) admissionChanged(r *run, before state.Session) {
	if r.Detail.Granted && !before.Detail.Granted && r.Method == state.MethodPBC {
		t.tell(r.Interface, "WPS-PBC-ACTIVE ")
	}
	failed := r.ConfigError != 0 || r.Message != 0 && r.Message != wsc.MsgDone
	if failed && (r.Message != before.Message || r.ConfigError != before.ConfigError) {
		t.tell(r.Interface, "WPS-FAIL msg=%d config_error=%d", uint8(r.Message),
			uint16(r.ConfigError))
	}
}

func (t *translator) admissionEnded(r *run) {
	switch {
	case r.State == state.StateSucceeded:
		t.tell(r.Interface, "WPS-REG-SUCCESS %s %s", r.Peer, r.PeerUUID)
		if r.Method == state.MethodPBC {
			t.tell(r.Interface, "WPS-PBC-DISABLE ")
		}
		t.tell(r.Interface, "WPS-SUCCESS ")
	case r.State == state.StateCanceled && r.Method == state.MethodPBC:
		t.tell(r.Interface, "WPS-TIMEOUT ") // wpa_supplicant's word for it at an access point
	case r.State == state.StateCanceled: // a PIN is taken back without a word
	case r.Reason == outcome.ReasonOverlap:
		t.tell(r.Interface, "WPS-OVERLAP-DETECTED ")
	case r.Reason == outcome.ReasonWalkTime:
		t.tell(r.Interface, "WPS-TIMEOUT ")
	default:
		t.tell(r.Interface, "WPS-FAIL ")
	}
}

// pinNeeded tells of a device whose PIN nobody has given. Its text is its own.
func (t *translator) pinNeeded(e state.Enrollee) {
	t.tell(e.Interface, "WPS-PIN-NEEDED %s %s [%s|%s|%s|%s|%s|%s]", e.UUID, e.MAC,
		noControls(e.Name), noControls(e.Manufacturer),
		noControls(e.ModelName), noControls(e.ModelNumber), noControls(e.SerialNumber),
		noControls(e.DeviceType))
}

func (t *translator) enrolleeSeen(e state.Enrollee) {
	t.tell(e.Interface, "WPS-ENROLLEE-SEEN %s %s %s 0x%x %d %d [%s]", e.MAC, e.UUID,
		noControls(e.DeviceType), uint16(e.ConfigMethods),
		uint16(e.PasswordID), uint8(wsc.RequestEnrollee), noControls(e.Name))
}
