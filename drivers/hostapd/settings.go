package hostapd

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

// fields reads "key=value" lines; the last of a key wins, as in hostapd's own client.
func fields(reply []byte) map[string][]byte {
	m := map[string][]byte{}
	for line := range bytes.Lines(reply) {
		key, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte("="))
		if ok && len(key) > 0 && len(m) < 512 {
			m[string(key)] = value
		}
	}
	return m
}

// parseSettings reads hostapd's GET_CONFIG, completed by STATUS for the channel.
func parseSettings(config, status map[string][]byte) (drivers.APSettings, error) {
	var s drivers.APSettings
	mac, ok := parseMAC(string(config["bssid"]))
	if !ok {
		return s, fmt.Errorf("hostapd: settings without a BSSID")
	}
	ssid, err := unescape(config["ssid"])
	if err != nil || len(ssid) == 0 || len(ssid) > 32 {
		return s, fmt.Errorf("hostapd: settings without a usable SSID")
	}
	s.BSSID, s.SSID = mac, ssid
	state := string(config["wps_state"])
	s.WPS, s.Configured = state != "" && state != "disabled", state == "configured"
	wpa, _ := strconv.Atoi(string(config["wpa"]))
	s.WPA, s.RSN = wpa&1 != 0, wpa&2 != 0
	management := strings.Fields(string(config["key_mgmt"]))
	for _, k := range management {
		s.SAE = s.SAE || strings.HasPrefix(k, "SAE")
	}
	for _, key := range []string{"rsn_pairwise_cipher", "wpa_pairwise_cipher"} {
		for _, c := range strings.Fields(string(config[key])) {
			s.TKIP, s.CCMP = s.TKIP || c == "TKIP", s.CCMP || c == "CCMP"
		}
	}
	for _, key := range []string{"psk", "passphrase"} { // the passphrase wins: SAE needs it
		if v := config[key]; len(v) >= 8 {
			s.Key = secret.New(v)
		}
	}
	if f, err := strconv.Atoi(string(status["freq"])); err == nil && f > 0 && f < 100_000 {
		s.Frequency = f
	}
	return s, nil
}

// Settings implements drivers.AccessPoint.
func (a *accessPoint) Settings(ctx context.Context) (drivers.APSettings, error) {
	status, err := a.request(ctx, []byte("STATUS"))
	if err != nil {
		return drivers.APSettings{}, err
	}
	st := fields(status)
	if a.supplicant(st) {
		return a.supplicantSettings(ctx, st)
	}
	config, err := a.request(ctx, []byte("GET_CONFIG"))
	if err != nil {
		return drivers.APSettings{}, err
	}
	defer clear(config)
	return parseSettings(fields(config), st)
}

// supplicant tells wpa_supplicant's STATUS from hostapd's.
func (a *accessPoint) supplicant(status map[string][]byte) bool {
	return status["wpa_state"] != nil
}

// supplicantSettings asks wpa_supplicant, whose STATUS-WPS shows the key of its own access point.
func (a *accessPoint) supplicantSettings(ctx context.Context,
	status map[string][]byte) (drivers.APSettings, error) {
	if string(status["mode"]) != "AP" && string(status["mode"]) != "P2P GO" {
		return drivers.APSettings{},
			fmt.Errorf("hostapd: wpa_supplicant is not in AP mode: %w", drivers.ErrNotSupported)
	}
	reply, err := a.request(ctx, []byte("STATUS-WPS"))
	if err != nil {
		return drivers.APSettings{}, err
	}
	defer clear(reply)
	f := fields(reply)
	config := map[string][]byte{"bssid": f["bssid"], "ssid": f["ssid"],
		"wps_state": []byte("configured"), "passphrase": f["passphrase"], "psk": f["psk"]}
	if len(f["passphrase"]) > 0 || len(f["psk"]) > 0 {
		config["wpa"], config["key_mgmt"] = []byte("2"), []byte("WPA-PSK")
		config["rsn_pairwise_cipher"] = f["pairwise_cipher"]
	}
	return parseSettings(config, f)
}

// unescape reads text as hostap prints it: printable ASCII as it is, the rest as \xHH, \n, \r, \t,
// \e, \" and \\.
func unescape(b []byte) ([]byte, error) {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		i++
		if i == len(b) {
			return nil, fmt.Errorf("hostapd: text ends in a backslash")
		}
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'e':
			out = append(out, 0x1b)
		case '"', '\\':
			out = append(out, b[i])
		case 'x':
			if i+2 >= len(b) {
				return nil, fmt.Errorf("hostapd: text ends within an escape")
			}
			v, err := strconv.ParseUint(string(b[i+1:i+3]), 16, 8)
			if err != nil {
				return nil, fmt.Errorf("hostapd: bad escape in text")
			}
			out = append(out, byte(v))
			i += 2
		default:
			return nil, fmt.Errorf("hostapd: bad escape in text")
		}
	}
	return out, nil
}
