package service

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/state"
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

// README-WPS: wps_er_nfc_config_token, nfc_get_handover_sel with a UUID, wps_nfc_tag_read with an
// External Registrar.
func TestERNFC(t *testing.T) {
	t.Parallel()
	byUUID := func(h *erHouse) external.Peer { return external.Peer{UUID: h.lan.uuid} }
	playER(t, map[string]func(h *erHouse){
		"a configuration token has what its Enrollees are given": func(h *erHouse) {
			if _, err := h.svc.NFC().ERNFCConfigToken(h.Context(), "wlan0", byUUID(h),
				nfc.FormatNDEF); !errors.Is(err, state.ErrNoERSettings) {
				h.Errorf("before it was learned: %v", err)
			}
			h.end(h.learn(labelPIN))
			v, err := h.svc.NFC().ERNFCConfigToken(h.Context(), "wlan0",
				external.Peer{MAC: homeBSSID},
				nfc.FormatNDEF)
			if err != nil {
				h.Fatal(err)
			}
			tag, err := ndef.Parse(v.Bytes())
			if err != nil || tag.Configuration == nil {
				h.Fatal(err)
			}
			if c := tag.Configuration.Credentials[0]; string(c.SSID) != "home" ||
				string(c.NetworkKey.Bytes()) != passphrase || c.NetworkIndex != 1 {
				h.Errorf("%v", c)
			}
			if _, err := h.svc.NFC().ERNFCConfigToken(h.Context(), "wlan0",
				external.Peer{MAC: camera},
				nfc.FormatNDEF); !errors.Is(err, state.ErrNoERAP) {
				h.Errorf("of another: %v", err)
			}
		},
		"a device whose tag was read is let in": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			tag, pair := tagOf(h)
			got, err := h.svc.NFC().ERNFCTagRead(h.Context(),
				nfc.TagRequest{Interface: "wlan0", Payload: tag.AppendNDEF(nil), Owner: ":1.2"})
			if err != nil || got.Kind != nfc.TagPassword || got.PasswordID != tag.ID {
				h.Fatal(got, err)
			}
			password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.joinAs(registration.EnrolleeConfig{Device: device("station", camera,
				wsc.NotConfigured), Password: password, KeyPair: pair})
			s, _ := h.svc.Published().Session(got.Session)
			s = h.end(s)
			if s.State != state.StateSucceeded || s.Method != state.MethodNFC || s.Peer != camera ||
				len(m.Outcome().Credentials) != 1 {
				h.Errorf("%+v, %v", s, m.Outcome())
			}
		},
		"a device whose tag was read before there was a network is let in once there is one": func(h *erHouse) {
			tag, pair := tagOf(h)
			r := nfc.TagRequest{Interface: "wlan0", Payload: tag.Append(nil), Owner: ":1.2",
				Detach: true}
			if _, err := h.svc.NFC().ERNFCTagRead(h.Context(), r); !errors.Is(err,
				state.ErrNoERSettings) {
				h.Errorf("by who does not wait: %v", err)
			}
			r.Await = true
			if got, err := h.svc.NFC().ERNFCTagRead(h.Context(), r); err != nil ||
				got.Kind != nfc.TagPassword || got.Session != 0 {
				h.Fatal(got, err)
			}
			h.end(h.learn(labelPIN))
			var s state.Session
			for _, ses := range h.svc.Published().Snapshot().Sessions {
				if ses.Method == state.MethodNFC && !ses.State.Ended() {
					s = ses
				}
			}
			if s.Purpose != state.PurposeAdmit || s.Owner != ":1.2" || !s.Detached {
				h.Fatalf("%+v", s)
			}
			password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.joinAs(registration.EnrolleeConfig{Device: device("station", camera,
				wsc.NotConfigured), Password: password, KeyPair: pair})
			if s = h.end(s); s.State != state.StateSucceeded || len(m.Outcome().Credentials) != 1 {
				h.Errorf("%+v, %v", s, m.Outcome())
			}
			// What an access point was learned by was its own tag: nobody else has it.
			own := h.writeTag()
			r.Payload = own.Append(nil)
			h.readTag(own)
			learn := h.request("")
			learn.NFC = true
			h.end(h.must(h.svc.Registrars().ERLearn(h.Context(), learn)))
			for _, ses := range h.svc.Published().Snapshot().Sessions {
				if !ses.State.Ended() {
					h.Errorf("%+v", ses)
				}
			}
		},
		"a device with another key than its tag says is not": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			tag, _ := tagOf(h)
			got, err := h.svc.NFC().ERNFCTagRead(h.Context(),
				nfc.TagRequest{Interface: "wlan0", Payload: tag.Append(nil), Owner: ":1.2"})
			if err != nil {
				h.Fatal(err)
			}
			password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.join(camera, password)
			s, _ := h.svc.Published().Session(got.Session)
			if s = h.end(s); s.State != state.StateFailed || len(m.Outcome().Credentials) != 0 ||
				s.Sentence == "" {
				h.Errorf("%+v", s)
			}
		},
		"a handover brings the network at once": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			_, pair := tagOf(h)
			request := &ndef.HandoverRequest{PublicKeyHash: wsccrypto.PublicKeyHash(pair.Public()),
				UUIDE: wsc.UUIDFromMAC(camera), Version2: wsc.Version20}
			answer, err := h.svc.NFC().ERNFCHandoverSelect(h.Context(), "wlan0", byUUID(h),
				nfc.FormatNDEF,
				nfc.CarrierMessage)
			if err != nil {
				h.Fatal(err)
			}
			sel, err := ndef.ParseHandoverSelect(answer)
			if err != nil || string(sel.SSID) != "home" || !sel.BSSID.IsZero() {
				h.Fatalf("%+v, %v", sel, err)
			}
			report := nfc.Handover{Interface: "wlan0", Request: request.AppendMessage(nil, 1),
				Select: answer, Owner: ":1.2"}
			s, err := h.svc.NFC().NFCReportHandover(h.Context(), report)
			if err != nil {
				h.Fatal(err)
			}
			m := h.lan.joinAs(registration.EnrolleeConfig{
				Device:   device("station", camera, wsc.NotConfigured),
				Password: devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover},
				KeyPair:  pair, RegistrarKeyHash: &sel.PublicKeyHash,
			})
			if s = h.end(s); s.State != state.StateSucceeded || s.Peer != camera ||
				len(m.Outcome().Credentials) != 1 || s.Role != state.RoleExternalRegistrar {
				h.Errorf("%+v, %v", s, m.Outcome())
			}
			if _, err := h.svc.NFC().NFCReportHandover(h.Context(), report); !errors.Is(err,
				state.ErrNoToken) {
				h.Errorf("once more: %v", err)
			}
			byMAC, err := h.svc.NFC().ERNFCHandoverSelect(h.Context(), "wlan0",
				external.Peer{MAC: homeBSSID},
				nfc.FormatWPS, nfc.CarrierRecord)
			if err != nil {
				h.Fatal(err)
			}
			if sel, err := ndef.ParseHandoverSelect(byMAC); err != nil || sel.BSSID != homeBSSID {
				h.Errorf("named by its BSSID: %+v, %v", sel, err)
			}
		},
		"a network on a tag is stored, and what is no tag is refused": func(h *erHouse) {
			token := ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
				SSID: []byte("cabin"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone}}}
			got, err := h.svc.NFC().ERNFCTagRead(h.Context(),
				nfc.TagRequest{Interface: "wlan0", Payload: token.Append(nil)})
			if err != nil || len(got.Networks) != 1 {
				h.Errorf("%+v, %v", got, err)
			}
			if _, err := h.svc.NFC().ERNFCTagRead(h.Context(),
				nfc.TagRequest{Interface: "wlan0", Payload: []byte("x")}); !errors.Is(err,
				state.ErrBadTag) {
				h.Errorf("%v", err)
			}
		},
		"after the External Registrar has stopped nothing is left": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			if err := h.svc.Registrars().StopER(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			tag, _ := tagOf(h)
			if _, err := h.svc.NFC().ERNFCTagRead(h.Context(),
				nfc.TagRequest{Interface: "wlan0", Payload: tag.Append(nil)}); !errors.Is(err,
				state.ErrERStopped) {
				h.Errorf("%v", err)
			}
			if _, err := h.svc.NFC().ERNFCHandoverSelect(h.Context(), "wlan0", byUUID(h),
				nfc.FormatNDEF,
				nfc.CarrierRecord); !errors.Is(err, state.ErrERStopped) {
				h.Errorf("%v", err)
			}
		},
	})
}

// writeTag gives the access point a tag of its own, and returns what is on it.
func (h *erHouse) writeTag() *ndef.PasswordToken {
	h.Helper()
	tag, pair := tagOf(h)
	password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
	if err != nil {
		h.Fatal(err)
	}
	h.lan.mu.Lock()
	defer h.lan.mu.Unlock()
	h.lan.tag, h.lan.tagKey = password, pair.Private().Clone()
	return tag
}

func (h *erHouse) readTag(tag *ndef.PasswordToken) {
	h.Helper()
	if got, err := h.svc.NFC().NFCTagRead(h.Context(),
		nfc.TagRequest{Interface: "wlan0", Payload: tag.AppendNDEF(nil),
			Owner: ":1.2"}); err != nil || got.Kind != nfc.TagPassword || got.Session != 0 {
		h.Fatal(got, err)
	}
}

// An access point is learned and configured over the network by its tag.
func TestERManagesByTag(t *testing.T) {
	t.Parallel()
	learn := func(h *erHouse) state.Session {
		h.Helper()
		r := h.request("")
		r.NFC = true
		return h.end(h.must(h.svc.Registrars().ERLearn(h.Context(), r)))
	}
	playER(t, map[string]func(h *erHouse){
		"the password of its tag is good for one run that succeeds, and its PIN beside it": func(h *erHouse) {
			r := h.request("")
			r.NFC = true
			if _, err := h.svc.Registrars().ERLearn(h.Context(), r); !errors.Is(err,
				state.ErrNoToken) {
				h.Errorf("before the tag was read: %v", err)
			}
			tag := h.writeTag()
			h.readTag(tag)
			s := learn(h)
			h.wantNetwork(s, "home", passphrase)
			if s.Method != state.MethodNFC || s.Purpose != state.PurposeLearn ||
				h.svc.tags.Count() > 0 {
				h.Errorf("%+v; tokens are left: %v", s, h.svc.tags.Count() > 0)
			}
			h.wantNetwork(h.end(h.learn(labelPIN)), "home", passphrase)
			h.readTag(tag)
			s = h.end(h.must(h.svc.Registrars().ERConfigure(h.Context(), r,
				wpa2("new name", "new passphrase"))))
			h.wantNetwork(s, "new name", "new passphrase")
			if h.svc.tags.Count() > 0 {
				h.Error("the password is kept")
			}
		},
		"a tag with another key's hash is refused with configuration error 20": func(h *erHouse) {
			tag := h.writeTag()
			tag.PublicKeyHash[3]++
			h.readTag(tag)
			s := learn(h)
			if s.State != state.StateFailed ||
				s.ConfigError != wsc.ConfigErrorPublicKeyHashMismatch ||
				!strings.Contains(s.Sentence, "another key than its tag") {
				h.Errorf("%+v", s)
			}
			if h.svc.tags.Count() == 0 {
				h.Error("a run that failed used the password up")
			}
		},
		"another password than the tag's is told": func(h *erHouse) {
			tag := h.writeTag()
			tag.Password = secret.New(bytes.Repeat([]byte{1}, 32))
			h.readTag(tag)
			s := learn(h)
			h.wantEnd(s, state.StateFailed, outcome.ReasonWrongPINFirst,
				wsc.ConfigErrorDevicePasswordAuthFailure)
			if !strings.Contains(s.Sentence, "tag") || strings.Contains(s.Sentence, "PIN") {
				h.Error(s.Sentence)
			}
		},
		"the tag of another access point is none of this one": func(h *erHouse) {
			tag := h.writeTag()
			other, _ := tagOf(h)
			for other.ID == tag.ID {
				other.ID++
			}
			h.readTag(other)
			s := learn(h)
			if s.State != state.StateFailed || !strings.Contains(s.Sentence, "own tag") ||
				h.svc.tags.Count() == 0 {
				h.Errorf("%+v", s)
			}
		},
		"an access point that expects its PIN is told apart": func(h *erHouse) {
			tag, _ := tagOf(h)
			h.readTag(tag)
			if s := learn(h); s.State != state.StateFailed ||
				s.Reason != outcome.ReasonRegistrarBusy {
				h.Errorf("%+v", s)
			}
		},
	})
}
