package sim_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// TestNFCCommands: files take the place of tags.
func TestNFCCommands(t *testing.T) {
	t.Parallel()
	w := sim.NewWorld(sim.WorldOptions{})
	if _, err := w.AddAP(sim.APOptions{SSID: "two words", Security: sim.WPA2,
		Key:  secret.FromString("correct horse"),
		BSSs: []sim.BSS{{BSSID: wsc.MAC{2, 0, 0, 0, 1, 0}, Frequency: 2412}}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if content != nil {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	tag := file("tag", (&ndef.PasswordToken{ID: 0x10,
		Password: secret.New(make([]byte, 16))}).AppendNDEF(nil))
	token := ndef.ConfigurationToken{Credentials: []wsc.Credential{{SSID: []byte("x"),
		AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone}}}
	network := file("network", token.Append(nil))
	request := file("request", (&ndef.HandoverRequest{PublicKeyHash: [20]byte{1}}).AppendMessage(
		nil, 1))
	for _, good := range []string{"tag two words " + tag, "token two words " + file("token", nil),
		"handover two words " + request + " " + file("select", nil)} {
		if err := w.Command(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if b, err := os.ReadFile(file("token", nil)); err != nil {
		t.Error(err)
	} else if k, err := ndef.Parse(b); err != nil || k.Password == nil {
		t.Errorf("the access point's token: %v", err)
	}
	if b, err := os.ReadFile(file("select", nil)); err != nil {
		t.Error(err)
	} else if s, err := ndef.ParseHandoverSelect(b); err != nil || string(s.SSID) != "two words" {
		t.Errorf("the answer: %v", err)
	}
	for _, bad := range []string{"tag two words", "tag nobody " + tag, "tag two words " + network,
		"tag two words " + filepath.Join(dir, "none"),
		"handover two words " + tag + " " + file("x", nil), "handover " + request} {
		if err := w.Command(bad); err == nil {
			t.Errorf("%s is done", bad)
		}
	}
	if err := w.Command("tag two"); !errors.Is(err, sim.ErrCommand) {
		t.Errorf("%v", err)
	}
}

// TestDeviceTags has devices join by their tags, at an access point that read them.
func TestDeviceTags(t *testing.T) {
	t.Parallel()
	bubbles(t, []bubble{
		{"a device joins with the tag that the access point reads", inHotspot(func(h *hotspot) {
			e := h.camera()
			tag, err := e.PasswordTag()
			h.do(err)
			h.do(h.AccessPoint.AllowToken(h.Context(), tag))
			h.isIn(e, h.ap)
			h.wantTold(drivers.APRunStarted, drivers.APEnrolled, drivers.APSuccess)
		})},
		{"another device's tag is of no use", inHotspot(func(h *hotspot) {
			e, other := h.camera(), h.device("other", wsc.MAC{2, 0, 0, 0, 9, 2})
			tag, err := other.PasswordTag()
			h.do(err)
			other.Stop()
			h.do(h.ap.ReadTag(tag))
			_, err = e.PasswordTag()
			h.do(err)
			h.ends(e, sim.ErrWalkTime)
		})},
		{"the access point's own token configures it, handover lets in, and both come in either form", inHotspot(func(h *hotspot) {
			ap := h.AccessPoint
			whole, err := ap.PasswordToken(h.Context(), "NDEF")
			h.do(err)
			bare, err := ap.PasswordToken(h.Context(), "WPS")
			h.do(err)
			if !bytes.HasSuffix(whole.Bytes(), bare.Bytes()) || bare.Len() == 0 {
				h.Error("they are two tokens")
			}
			if _, err := ap.ConfigToken(h.Context(), "WPS"); !errors.Is(err,
				drivers.ErrNotSupported) {
				h.Errorf("a configuration token: %v", err)
			}
			sel, err := ap.HandoverSelect(h.Context())
			h.do(err)
			if s, err := ndef.ParseHandoverSelect(sel); err != nil || string(s.SSID) != "home" {
				h.Errorf("%+v, %v", s, err)
			}
			h.do(ap.HandoverReport(h.Context(),
				(&ndef.HandoverRequest{PublicKeyHash: [20]byte{1}}).AppendCarrier(nil), sel))
			if _, a := h.bss(homeBSSID); !a.SelectedRegistrar {
				h.Error("nobody is waited for")
			}
			if err := ap.HandoverReport(h.Context(), []byte{1}, sel); err == nil {
				h.Error("a request that is none is taken")
			}
		})},
	})
}
