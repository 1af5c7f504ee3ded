package nfc

import (
	"errors"
	"testing"

	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/hotspot/hotspottest"
	"wpsd/service/state"
)

// FuzzNFCTouched takes whatever somebody holds to the reader: it is refused as no tag of ours, or
// it becomes networks and passwords, within bounds.
func FuzzNFCTouched(f *testing.F) {
	network := ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
		SSID: []byte("cabin"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString("correct horse")}}}
	password := ndef.PasswordToken{ID: 0x10, Password: secret.New(make([]byte, 16))}
	answer := hotspottest.Answer()
	for _, seed := range [][]byte{network.Append(nil), network.AppendNDEF(nil),
		password.Append(nil), password.AppendNDEF(nil), answer.Append(nil),
		answer.AppendMessage(nil), {0, 0}, {0x10}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		r := newRoom(t, nil)
		err := r.NFCTouched(t.Context(), payload)
		networks, tokens := len(r.hub.store.Networks()), r.tags.Count()
		if err != nil && (!errors.Is(err, state.ErrBadTag) || networks+tokens > 0) {
			t.Errorf("%v, with %d networks and %d passwords", err, networks, tokens)
		}
		if err == nil && networks > wsc.MaxCredentials || tokens > 1 {
			t.Errorf("%d networks and %d passwords", networks, tokens)
		}
		if _, err := r.NFCReportHandover(t.Context(),
			Handover{Request: payload, Select: payload, Initiator: true}); err == nil {
			t.Error("a handover began without a request of ours")
		}
	})
}
