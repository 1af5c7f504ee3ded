package service

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// forms are the ways in which a secret could show up in text.
func forms(name string, value []byte) map[string]string {
	var decimal, decimals []string
	for _, b := range value {
		decimal = append(decimal, fmt.Sprint(b))
		decimals = append(decimals, fmt.Sprintf("0x%02x", b))
	}
	m := map[string]string{
		"raw":          string(value),
		"quoted":       strings.Trim(fmt.Sprintf("%q", value), `"`),
		"hex":          hex.EncodeToString(value),
		"upper hex":    strings.ToUpper(hex.EncodeToString(value)),
		"spaced hex":   fmt.Sprintf("% x", value),
		"colon hex":    strings.ReplaceAll(fmt.Sprintf("% x", value), " ", ":"),
		"base64":       strings.TrimRight(base64.StdEncoding.EncodeToString(value), "="),
		"url base64":   strings.TrimRight(base64.URLEncoding.EncodeToString(value), "="),
		"decimal list": strings.Join(decimal, " "),
		"Go list":      strings.Join(decimal, ", "),
		"Go hex list":  strings.Join(decimals, ", "),
	}
	out := make(map[string]string, len(m))
	for form, text := range m {
		out[name+", "+form] = text
	}
	return out
}

// TestNoSecretLeaks searches the log at its most talkative, and every event in every way of
// printing it, for each key and PIN that went through runs that end well and badly.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	psk := strings.Repeat("5c", 32)
	const pin, oddPIN = "65358979", "31415922"
	// A token whose secrets are known, as far as wpsd ever holds them: binary, and as the text that
	// the protocol uses.
	token := store.Token{ID: 0x4711, Private: secret.FromString(
		"a private key of a tag 0123456789"), Password: secret.FromString(
		"password of a tag 0123456")}
	tokenText := strings.ToUpper(hex.EncodeToString(token.Password.Bytes()))
	runs := []struct {
		name string
		run  func(h *house)
	}{
		{"NFC tokens, tags and a handover", func(h *house) {
			ap := h.ap(withPIN)
			if err := h.store.SetToken(token); err != nil {
				h.Fatal(err)
			}
			h.touches(ap, h.token(nfc.FormatNDEF))
			e := h.end(h.nfc(nil))
			config, err := h.svc.NFC().NFCConfigToken(h.Context(), "wlan0", nfc.FormatNDEF,
				e.Networks[0])
			if err != nil {
				h.Fatal(err)
			}
			h.reads(config.Bytes())
			h.reads(h.token(nfc.FormatWPS))
			if s, err := h.svc.Learn(h.Context(),
				session.StartRequest{Interface: "wlan0", BSSID: homeBSSID, NFC: true}); err != nil {
				h.Error(err)
			} else {
				h.end(s)
			}
			for _, bad := range [][]byte{config.Bytes()[:len(config.Bytes())-9],
				append(h.token(nfc.FormatWPS), 0x10)} {
				if _, err := h.svc.NFC().NFCTagRead(h.Context(),
					nfc.TagRequest{Payload: bad}); err == nil {
					h.Error("half a tag is taken")
				} else {
					h.log.WriteString(err.Error()) // callers get it, too
				}
			}
			request, err := h.svc.NFC().NFCHandoverRequest(h.Context(), "wlan0", nfc.FormatNDEF,
				nfc.CarrierMessage)
			if err != nil {
				h.Fatal(err)
			}
			sel, err := ap.Handover(request)
			if err != nil {
				h.Fatal(err)
			}
			s, err := h.svc.NFC().NFCReportHandover(h.Context(),
				nfc.Handover{Interface: "wlan0", Initiator: true, Request: request, Select: sel})
			if err != nil {
				h.Fatal(err)
			}
			h.end(s)
		}},
		{"push button", func(h *house) { h.press(h.ap(nil)); h.end(h.pbc(nil)) }},
		{"PIN, 64-digit key", func(h *house) {
			h.enter(h.ap(func(o *sim.APOptions) { o.Key = secret.FromString(psk) }), pin)
			h.end(h.pin(pin, wsc.MAC{}))
		}},
		{"wrong first half", func(h *house) {
			h.enter(h.ap(nil), oddPIN)
			h.end(h.pin(pin, wsc.MAC{}))
		}},
		{"wrong second half", func(h *house) {
			h.enter(h.ap(nil), pin[:4]+oddPIN[4:])
			h.end(h.pin(pin, homeBSSID))
		}},
		{"bad credential", func(h *house) {
			bad := wsc.Credential{NetworkIndex: 1, SSID: []byte("x"), AuthType: wsc.AuthWPA2PSK,
				EncrType: wsc.EncrAES, NetworkKey: secret.FromString("short")}
			h.press(h.ap(func(o *sim.APOptions) { o.Credentials = []wsc.Credential{bad} }))
			h.end(h.pbc(nil))
		}},
		{"agents that take, refuse and hang", func(h *house) {
			h.process(state.ProcessingBoth)
			h.agent(":1.7", nil)
			h.agent(":1.8", refuses)
			h.agent(":1.9", hangs)
			h.enrol(h.ap(nil))
			time.Sleep(5 * time.Minute)
		}},
		{"several credentials, one for WEP", func(h *house) {
			good := wsc.Credential{NetworkIndex: 1, SSID: []byte("x"), AuthType: wsc.AuthWPA2PSK,
				EncrType: wsc.EncrAES, NetworkKey: secret.FromString(passphrase)}
			wep := wsc.Credential{NetworkIndex: 1, SSID: []byte("y"), AuthType: wsc.AuthOpen,
				EncrType: wsc.EncrWEP, NetworkKey: secret.FromString("wepwepwepwep!")}
			h.press(h.ap(func(o *sim.APOptions) { o.Credentials = []wsc.Credential{good, wep} }))
			h.end(h.pbc(nil))
		}},
	}
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inHouse(t, nil, func(h *house) {
					r.run(h)
					h.drain()
					var text bytes.Buffer
					text.Write(h.log.Bytes())
					for _, e := range h.events {
						fmt.Fprintf(&text, "%v\n%+v\n%#v\n%s\n%x\n%d\n", e, e, e, e, e, e)
					}
					snap, sub := h.svc.Published().Subscribe()
					sub.Close()
					fmt.Fprintf(&text, "%+v\n%#v\n", snap, snap)
					if text.Len() < 2000 {
						t.Errorf("only %d bytes were searched", text.Len())
					}
					secrets := map[string]string{
						"passphrase": passphrase, "PSK": psk, "our PIN": pin, "its PIN": oddPIN,
						"WEP key":              "wepwepwepwep!",
						"private key of a tag": string(token.Private.Bytes()),
						"password of a tag":    string(token.Password.Bytes()),
						"its text":             tokenText,
					}
					for name, value := range secrets {
						for form, needle := range forms(name, []byte(value)) {
							if strings.Contains(text.String(), needle) {
								t.Errorf("%s is in the log or in an event", form)
							}
						}
					}
				})
			})
		})
	}
}
