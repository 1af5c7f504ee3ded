package service

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/hotspot/hotspottest"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// tagIn is the tag of a command.
func tagIn(h *house, command string) *ndef.PasswordToken {
	h.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(command, "token "))
	if err != nil {
		h.Fatal(err)
	}
	t, err := ndef.Parse(b)
	if err != nil || t.Password == nil {
		h.Fatalf("%s: %v", command, err)
	}
	return t.Password
}

// asks is everything of NFC that goes to the software of an access point.
func (h *house) asks(tag []byte) map[string]func() error {
	request := (&ndef.HandoverRequest{PublicKeyHash: [20]byte{1}, UUIDE: wsc.UUIDFromMAC(camera),
		Version2: wsc.Version20}).AppendMessage(nil, 7)
	return map[string]func() error{
		"NFCPasswordToken": func() error {
			_, err := h.svc.NFC().NFCPasswordToken(h.Context(), "uap0", nfc.FormatNDEF)
			return err
		},
		"NFCHandoverSelect": func() error {
			_, err := h.svc.NFC().NFCHandoverSelect(h.Context(), "uap0", nfc.FormatNDEF,
				nfc.CarrierRecord)
			return err
		},
		"NFCTagRead": func() error {
			got, err := h.svc.NFC().NFCTagRead(h.Context(),
				nfc.TagRequest{Interface: "uap0", Payload: tag, Owner: ":1.1"})
			return h.failedSession(got.Session, err)
		},
		"NFCReportHandover": func() error {
			s, err := h.svc.NFC().NFCReportHandover(h.Context(),
				nfc.Handover{Interface: "uap0", Request: request,
					Select: hotspottest.Answer().AppendMessage(nil), Owner: ":1.1"})
			return h.failedSession(s.ID, err)
		},
	}
}

// failedSession waits for the session's end, which is an error.
func (h *house) failedSession(id state.SessionID, err error) error {
	if err != nil {
		return err
	}
	s, _ := h.svc.Published().Session(id)
	if s = h.end(s); s.State == state.StateSucceeded {
		return nil
	}
	return fmt.Errorf("%s: %s", s.Reason, s.Sentence)
}

func TestNFCAtAnAccessPoint(t *testing.T) {
	t.Parallel()
	tag, _ := tagOf(t)
	t.Run("a device whose tag was read is let in", func(t *testing.T) {
		inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
			for _, payload := range [][]byte{tag.Append(nil), tag.AppendNDEF(nil)} {
				got, err := h.svc.NFC().NFCTagRead(h.Context(),
					nfc.TagRequest{Interface: "uap0", Payload: payload, Owner: ":1.1"})
				if err != nil || got.Kind != nfc.TagPassword || got.PasswordID != tag.ID {
					h.Fatal(got, err)
				}
				synctest.Wait()
				u.Tell(cameraTries, cameraIsIn)
				s, _ := h.svc.Published().Session(got.Session)
				if s = h.end(s); s.State != state.StateSucceeded || s.Method != state.MethodNFC ||
					s.Purpose != state.PurposeAdmit || s.Peer != camera {
					h.Errorf("%+v", s)
				}
			}
			synctest.Wait()
			want := fmt.Sprintf("token %x", tag.AppendNDEF(nil))
			if u.Commands() != want+"; "+want {
				h.Errorf("commands %s", u.Commands())
			}
			if bytes.Contains(h.log.Bytes(), fmt.Appendf(nil, "%x", tag.Password.Bytes()[:8])) {
				h.Error("the log shows the password")
			}
		})
	})
	t.Run("nobody comes, and a run that fails uses the token up", func(t *testing.T) {
		inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
			read := func() state.Session {
				got, err := h.svc.NFC().NFCTagRead(h.Context(),
					nfc.TagRequest{Interface: "uap0", Payload: tag.Append(nil), Owner: ":1.1"})
				if err != nil {
					h.Fatal(err)
				}
				synctest.Wait()
				s, _ := h.svc.Published().Session(got.Session)
				return s
			}
			began := time.Now()
			e := h.end(read())
			h.wantEnd(e, state.StateFailed, outcome.ReasonWalkTime, wsc.ConfigErrorMessageTimeout)
			if took := time.Since(began); took != session.WalkTime ||
				!strings.Contains(e.Sentence, "whose tag was read") {
				h.Errorf("%v: %s", took, e.Sentence)
			}
			s := read()
			u.Tell(cameraTries, runFails(wsc.MsgM4, wsc.ConfigErrorDevicePasswordAuthFailure))
			if e := h.end(s); e.State != state.StateFailed ||
				e.ConfigError != wsc.ConfigErrorDevicePasswordAuthFailure {
				h.Errorf("%+v", e)
			}
			// Each time another tag of the same id takes its place before the access point is told
			// to wait no more.
			commands := strings.Split(u.Commands(), "; ")
			if len(commands) != 6 || commands[2] != "withdraw" || commands[5] != "withdraw" {
				h.Fatalf("commands %q", commands)
			}
			for _, pair := range [][2]string{{commands[0], commands[1]},
				{commands[3], commands[4]}} {
				read, nobody := tagIn(h, pair[0]), tagIn(h, pair[1])
				if read.ID != tag.ID || nobody.ID != tag.ID ||
					nobody.Password.Equal(tag.Password) ||
					nobody.PublicKeyHash == tag.PublicKeyHash {
					h.Errorf("commands %q", pair)
				}
			}
		})
	})
	t.Run("tokens and the answer to a handover are its software's", func(t *testing.T) {
		inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
			if v, err := h.svc.NFC().NFCPasswordToken(h.Context(), "uap0",
				nfc.FormatWPS); err != nil ||
				string(v.Bytes()) != "the access point's token" {
				h.Error(err)
			}
			if v, err := h.svc.NFC().NFCConfigToken(h.Context(), "uap0", nfc.FormatNDEF,
				0); err != nil ||
				string(v.Bytes()) != "the access point's network" {
				h.Error(err)
			}
			for format, want := range map[nfc.Format][]byte{
				nfc.FormatNDEF: hotspottest.Answer().AppendCarrier(nil),
				nfc.FormatWPS:  hotspottest.Answer().Append(nil),
			} {
				b, err := h.svc.NFC().NFCHandoverSelect(h.Context(), "uap0", format,
					nfc.CarrierRecord)
				if err != nil || !bytes.Equal(b, want) {
					h.Errorf("%x, %v", b, err)
				}
			}
			if u.Commands() != "password-token WPS; config-token NDEF; select; select" {
				h.Errorf("commands %s", u.Commands())
			}
			_, err := h.svc.NFC().StartNFC(h.Context(), session.StartRequest{Interface: "uap0"})
			if !errors.Is(err, state.ErrNotSupported) ||
				!strings.Contains(err.Error(), "read the tag") {
				h.Errorf("StartNFC: %v", err)
			}
		})
	})
	t.Run("a device that was answered over NFC is let in", func(t *testing.T) {
		inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
			request := &ndef.HandoverRequest{PublicKeyHash: [20]byte{1}, UUIDE: wsc.UUIDFromMAC(camera),
				Version2: wsc.Version20}
			answer, err := h.svc.NFC().NFCAnswer(h.Context(), request.Append(nil))
			if err != nil || !bytes.Equal(answer, hotspottest.Answer().Append(nil)) {
				h.Fatalf("%x, %v", answer, err)
			}
			synctest.Wait()
			u.Tell(cameraTries, cameraIsIn)
			s, _ := h.svc.Published().Session(1)
			if s = h.end(s); s.State != state.StateSucceeded || s.Peer != camera {
				h.Errorf("%+v", s)
			}
			want := fmt.Sprintf("select; handover %x %x", request.AppendCarrier(nil),
				hotspottest.Answer().AppendCarrier(nil))
			if u.Commands() != want {
				h.Errorf("commands %s", u.Commands())
			}
		})
	})
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"software without NFC":       {drivers.ErrNotSupported, "not"},
		"software that says no":      {drivers.ErrRefused, "its WPS settings and its log"},
		"software that is not there": {drivers.ErrUnreachable, "answer"},
	} {
		t.Run(name, func(t *testing.T) {
			inHotspot(t, func(u *hotspottest.Software) {
				for _, command := range []string{"token", "password-token", "select", "handover"} {
					u.Fail[command] = fmt.Errorf("hostapd: %w", c.err)
				}
			}, func(h *house, _ *hotspottest.Software) {
				for what, ask := range h.asks(tag.Append(nil)) {
					err := ask()
					if _, text := outcome.OfCall(err); err == nil ||
						!strings.Contains(text+err.Error(), c.says) {
						h.Errorf("%s: %v", what, err)
					}
				}
			})
		})
	}
	t.Run("software without NFC tells its settings, which are a token as well", func(t *testing.T) {
		inHotspot(t, func(u *hotspottest.Software) {
			u.Fail["config-token"] = drivers.ErrNotSupported
			u.Own = drivers.APSettings{BSSID: homeBSSID, SSID: []byte("hotspot"), WPS: true,
				RSN: true, CCMP: true, Key: secret.FromString(passphrase), Frequency: 2437}
		}, func(h *house, u *hotspottest.Software) {
			v, err := h.svc.NFC().NFCConfigToken(h.Context(), "uap0", nfc.FormatNDEF, 0)
			if err != nil {
				h.Fatal(err)
			}
			got, err := ndef.Parse(v.Bytes())
			if err != nil || got.Configuration == nil {
				h.Fatal(err)
			}
			k := got.Configuration
			c := k.Credentials[0]
			if string(c.SSID) != "hotspot" || c.AuthType != wsc.AuthWPA2PSK ||
				c.EncrType != wsc.EncrAES || string(c.NetworkKey.Bytes()) != passphrase ||
				c.MAC != homeBSSID {
				h.Errorf("%v", c)
			}
			if k.APChannel != 6 || k.RFBands != wsc.Band24GHz || k.BSSID != homeBSSID {
				h.Errorf("channel %d, bands %v, %v", k.APChannel, k.RFBands, k.BSSID)
			}
			u.Set(func() { u.Own.Key = secret.Value{} })
			_, err = h.svc.NFC().NFCConfigToken(h.Context(), "uap0", nfc.FormatNDEF, 0)
			if !errors.Is(err, state.ErrNotSupported) || !strings.Contains(err.Error(), "key") {
				h.Errorf("without its key: %v", err)
			}
		})
	})
}
