package hostapd

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

func openNFC(t *testing.T, answers map[string]string) (drivers.AccessPoint, *fake) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wlan0")
	f := startFake(t, path, answers)
	return open(t, path), f
}

func TestNFC(t *testing.T) {
	t.Parallel()
	a, f := openNFC(t, map[string]string{
		"STATUS": "state=ENABLED\n", "WPS_NFC_TAG_READ": "OK\n",
		"NFC_REPORT_HANDOVER RESP WPS": "OK\n",
		"WPS_NFC_TOKEN NDEF":           "D217AB\n", "WPS_NFC_TOKEN enable": "",
		"WPS_NFC_CONFIG_TOKEN WPS":         "100E0001FF\n",
		"NFC_GET_HANDOVER_SEL NDEF WPS-CR": "D21701\n",
	})
	ctx := t.Context()
	if err := a.AllowToken(ctx, []byte{0x10, 0x2c, 0, 0xab}); err != nil {
		t.Error(err)
	}
	if err := a.HandoverReport(ctx, []byte{1, 2}, []byte{3}); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]struct {
		get  func() ([]byte, error)
		want []byte
	}{
		"PasswordToken": {func() ([]byte, error) { return bytesOf(a.PasswordToken(ctx, "NDEF")) },
			[]byte{0xd2, 0x17, 0xab}},
		"ConfigToken": {func() ([]byte, error) { return bytesOf(a.ConfigToken(ctx, "WPS")) },
			[]byte{0x10, 0x0e, 0, 1, 0xff}},
		"HandoverSelect": {func() ([]byte, error) { return a.HandoverSelect(ctx) },
			[]byte{0xd2, 0x17, 1}},
	} {
		if got, err := c.get(); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %x, %v", what, got, err)
		}
	}
	heard := strings.Join(f.commands(), "\n")
	for _, want := range []string{"WPS_NFC_TAG_READ 102c00ab",
		"NFC_REPORT_HANDOVER RESP WPS 0102 03", "WPS_NFC_TOKEN enable"} {
		if !strings.Contains(heard, want) {
			t.Errorf("%q was not sent: %s", want, heard)
		}
	}
}

func bytesOf(v secret.Value, err error) ([]byte, error) { return v.Bytes(), err }

// TestNFCRefused: what hostapd says no to, what it was built without, and what nobody could read.
func TestNFCRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers map[string]string
		want    error
	}{
		"refused": {map[string]string{"STATUS": "state=ENABLED\n",
			"WPS_NFC": "FAIL\n", "NFC_": "FAIL\n"}, drivers.ErrRefused},
		"built without NFC": {map[string]string{"STATUS": "state=ENABLED\n"},
			drivers.ErrNotSupported},
		"half a byte": {map[string]string{"STATUS": "state=ENABLED\n",
			"WPS_NFC": "ABC\n", "NFC_": "ABC\n"}, nil},
		"no answer worth a word": {map[string]string{"STATUS": "state=ENABLED\n",
			"WPS_NFC": "MAYBE\n", "NFC_": "MAYBE\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := openNFC(t, c.answers)
			ctx := t.Context()
			_, password := a.PasswordToken(ctx, "NDEF")
			_, config := a.ConfigToken(ctx, "NDEF")
			_, sel := a.HandoverSelect(ctx)
			for what, err := range map[string]error{
				"AllowToken":     a.AllowToken(ctx, []byte{1}),
				"HandoverReport": a.HandoverReport(ctx, []byte{1}, []byte{2}),
				"PasswordToken":  password, "ConfigToken": config, "HandoverSelect": sel,
			} {
				if err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("%s: %v", what, err)
				}
				if c.want == drivers.ErrNotSupported &&
					!strings.Contains(err.Error(), "CONFIG_WPS_NFC") {
					t.Errorf("%s does not say why: %v", what, err)
				}
			}
		})
	}
	// wpa_supplicant's own token is the station's.
	a, _ := openNFC(t, map[string]string{"STATUS": "wpa_state=COMPLETED\nmode=AP\n",
		"WPS_NFC_TOKEN": "D217AB\n"})
	if _, err := a.PasswordToken(t.Context(), "NDEF"); !errors.Is(err, drivers.ErrNotSupported) {
		t.Errorf("wpa_supplicant: %v", err)
	}
	if err := a.AllowToken(t.Context(), []byte{1}); !errors.Is(err, drivers.ErrNotSupported) {
		t.Errorf("wpa_supplicant: %v", err)
	}
}
