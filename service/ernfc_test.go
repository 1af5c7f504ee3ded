package service

import (
	"crypto/rand"
	"errors"
	"testing"

	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// tagOf makes a device's password token and its key pair.
func tagOf(t testing.TB) (*ndef.PasswordToken, *wsccrypto.KeyPair) {
	t.Helper()
	pair, err := wsccrypto.GenerateKeyPair(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := ndef.NewPasswordToken(rand.Reader, wsccrypto.PublicKeyHash(pair.Public()))
	if err != nil {
		t.Fatal(err)
	}
	return tag, pair
}

// README-WPS: wps_er_nfc_config_token, nfc_get_handover_sel with a UUID, wps_nfc_tag_read with an External Registrar.
func TestERNFC(t *testing.T) {
	t.Parallel()
	byUUID := func(h *erHouse) ERPeer { return ERPeer{UUID: h.lan.uuid} }
	playER(t, map[string]func(h *erHouse){
		"a configuration token has what its Enrollees are given": func(h *erHouse) {
			if _, err := h.svc.ERNFCConfigToken(h.Context(), "wlan0", byUUID(h), NFCFormatNDEF); !errors.Is(err, ErrNoERSettings) {
				h.Errorf("before it was learned: %v", err)
			}
			h.end(h.learn(labelPIN))
			v, err := h.svc.ERNFCConfigToken(h.Context(), "wlan0", ERPeer{MAC: homeBSSID}, NFCFormatNDEF)
			if err != nil {
				h.Fatal(err)
			}
			tag, err := ndef.Parse(v.Bytes())
			if err != nil || tag.Configuration == nil {
				h.Fatal(err)
			}
			if c := tag.Configuration.Credentials[0]; string(c.SSID) != "home" || string(c.NetworkKey.Bytes()) != passphrase || c.NetworkIndex != 1 {
				h.Errorf("%v", c)
			}
			if _, err := h.svc.ERNFCConfigToken(h.Context(), "wlan0", ERPeer{MAC: camera}, NFCFormatNDEF); !errors.Is(err, ErrNoERAP) {
				h.Errorf("of another: %v", err)
			}
		},
		"a device whose tag was read is let in": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			tag, pair := tagOf(h)
			got, err := h.svc.ERNFCTagRead(h.Context(), NFCTagRequest{Interface: "wlan0", Payload: tag.AppendNDEF(nil), Owner: ":1.2"})
			if err != nil || got.Kind != NFCTagPassword || got.PasswordID != tag.ID {
				h.Fatal(got, err)
			}
			password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.joinAs(registration.EnrolleeConfig{Device: device("station", camera, wsc.NotConfigured), Password: password, KeyPair: pair})
			s, _ := h.svc.Session(got.Session)
			s = h.end(s)
			if s.State != StateSucceeded || s.Method != MethodNFC || s.Peer != camera || len(m.Outcome().Credentials) != 1 {
				h.Errorf("%+v, %v", s, m.Outcome())
			}
		},
		"a device with another key than its tag says is not": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			tag, _ := tagOf(h)
			got, err := h.svc.ERNFCTagRead(h.Context(), NFCTagRequest{Interface: "wlan0", Payload: tag.Append(nil), Owner: ":1.2"})
			if err != nil {
				h.Fatal(err)
			}
			password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.join(camera, password)
			s, _ := h.svc.Session(got.Session)
			if s = h.end(s); s.State != StateFailed || len(m.Outcome().Credentials) != 0 || s.Sentence == "" {
				h.Errorf("%+v", s)
			}
		},
		"a handover brings the network at once": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			_, pair := tagOf(h)
			request := &ndef.HandoverRequest{PublicKeyHash: wsccrypto.PublicKeyHash(pair.Public()), UUIDE: wsc.UUIDFromMAC(camera), Version2: wsc.Version20}
			answer, err := h.svc.ERNFCHandoverSelect(h.Context(), "wlan0", byUUID(h), NFCFormatNDEF, NFCCarrierMessage)
			if err != nil {
				h.Fatal(err)
			}
			sel, err := ndef.ParseHandoverSelect(answer)
			if err != nil || string(sel.SSID) != "home" || !sel.BSSID.IsZero() {
				h.Fatalf("%+v, %v", sel, err)
			}
			report := NFCHandover{Interface: "wlan0", Request: request.AppendMessage(nil, 1), Select: answer, Owner: ":1.2"}
			s, err := h.svc.NFCReportHandover(h.Context(), report)
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.joinAs(registration.EnrolleeConfig{
				Device: device("station", camera, wsc.NotConfigured), Password: devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover},
				KeyPair: pair, RegistrarKeyHash: &sel.PublicKeyHash,
			})
			if s = h.end(s); s.State != StateSucceeded || s.Peer != camera || len(m.Outcome().Credentials) != 1 || s.Role != RoleExternalRegistrar {
				h.Errorf("%+v, %v", s, m.Outcome())
			}
			if _, err := h.svc.NFCReportHandover(h.Context(), report); !errors.Is(err, ErrNoToken) {
				h.Errorf("once more: %v", err)
			}
			byMAC, err := h.svc.ERNFCHandoverSelect(h.Context(), "wlan0", ERPeer{MAC: homeBSSID}, NFCFormatWPS, NFCCarrierRecord)
			if err != nil {
				h.Fatal(err)
			}
			if sel, err := ndef.ParseHandoverSelect(byMAC); err != nil || sel.BSSID != homeBSSID {
				h.Errorf("named by its BSSID: %+v, %v", sel, err)
			}
		},
		"a network on a tag is stored, and what is no tag is refused": func(h *erHouse) {
			token := ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1, SSID: []byte("cabin"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone}}}
			got, err := h.svc.ERNFCTagRead(h.Context(), NFCTagRequest{Interface: "wlan0", Payload: token.Append(nil)})
			if err != nil || len(got.Networks) != 1 {
				h.Errorf("%+v, %v", got, err)
			}
			if _, err := h.svc.ERNFCTagRead(h.Context(), NFCTagRequest{Interface: "wlan0", Payload: []byte("x")}); !errors.Is(err, ErrBadTag) {
				h.Errorf("%v", err)
			}
		},
		"after the External Registrar has stopped nothing is left": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			if err := h.svc.StopER(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			tag, _ := tagOf(h)
			if _, err := h.svc.ERNFCTagRead(h.Context(), NFCTagRequest{Interface: "wlan0", Payload: tag.Append(nil)}); !errors.Is(err, ErrERStopped) {
				h.Errorf("%v", err)
			}
			if _, err := h.svc.ERNFCHandoverSelect(h.Context(), "wlan0", byUUID(h), NFCFormatNDEF, NFCCarrierRecord); !errors.Is(err, ErrERStopped) {
				h.Errorf("%v", err)
			}
		},
	})
}
