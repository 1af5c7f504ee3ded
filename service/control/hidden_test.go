package control

import (
	"strings"
	"testing"
)

// TestSecretsOfCommands: in what is made a string of a command its secrets are marks, and each is
// found again by its mark.
func TestSecretsOfCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, text, secrets string }{
		{"WPS_PIN any 12345670", "WPS_PIN any \x000", "12345670"},
		{"WPS_PIN any 12345670 60", "WPS_PIN any \x000 60", "12345670"},
		{"IFNAME=wlan0 WPS_PIN any 12345670", "IFNAME=wlan0 WPS_PIN any \x000", "12345670"},
		{"WPS_PIN any", "WPS_PIN any", ""},
		{"WPS_PIN get", "WPS_PIN get", ""},
		{"WPS_CHECK_PIN 1234 5670", "WPS_CHECK_PIN \x000", "1234 5670"},
		{"WPS_REG 02:00:00:00:03:00 12345670", "WPS_REG 02:00:00:00:03:00 \x000", "12345670"},
		{"WPS_REG 02:00:00:00:03:00 nfc-pw 68 WPA2PSK CCMP 6b",
			"WPS_REG 02:00:00:00:03:00 nfc-pw 68 WPA2PSK CCMP \x000", "6b"},
		{"WPS_REG 02:00:00:00:03:00 12345670 68 OPEN NONE ",
			"WPS_REG 02:00:00:00:03:00 \x000 68 OPEN NONE ", "12345670"},
		{"WPS_AP_PIN set 12345670 300", "WPS_AP_PIN set \x000 300", "12345670"},
		{"WPS_AP_PIN random 300", "WPS_AP_PIN random 300", ""},
		{"WPS_ER_PIN any 12345670 02:00:00:00:03:00", "WPS_ER_PIN any \x000 02:00:00:00:03:00",
			"12345670"},
		{"WPS_ER_LEARN 02:00:00:00:03:00 any text", "WPS_ER_LEARN 02:00:00:00:03:00 \x000",
			"any text"},
		{"WPS_ER_CONFIG 02:00:00:00:03:00 1234 68 WPA2PSK CCMP 6b",
			"WPS_ER_CONFIG 02:00:00:00:03:00 \x000 68 WPA2PSK CCMP \x001", "1234,6b"},
		{`SET_NETWORK 0 psk "a  b"`, "SET_NETWORK 0 psk \x000", `"a  b"`},
		{`SET_NETWORK 0 ssid "a  b"`, `SET_NETWORK 0 ssid "a  b"`, ""},
		{"SET_NETWORK 0 psk", "SET_NETWORK 0 psk", ""},
		{"STATUS", "STATUS", ""}, {"", "", ""}, {"IFNAME=wlan0", "IFNAME=wlan0", ""},
		{"WPS_AP_PIN", "WPS_AP_PIN", ""}, {"WPS_REG ", "WPS_REG ", ""},
	} {
		var h hidden
		text := h.conceal([]byte(c.command))
		var secrets []string
		for _, v := range h {
			secrets = append(secrets, string(v.Bytes()))
		}
		if got := strings.Join(secrets, ","); text != c.text || got != c.secrets {
			t.Errorf("%q is %q with %q, want %q with %q", c.command, text, got, c.text, c.secrets)
		}
	}
	var h hidden
	for _, text := range []string{"", "0", "\x00", "\x000", "\x00-1", "\x00x"} {
		if v, ok := h.find(text); ok {
			t.Errorf("%q finds %d bytes", text, v.Len())
		}
	}
}
