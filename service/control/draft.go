package control

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// protoWords, cipherWords and keyWords are what a network block says of security, as far as WPS
// hands out networks.
var (
	protoWords = map[string]wsc.AuthType{"WPA": wsc.AuthWPAPSK, "RSN": wsc.AuthWPA2PSK,
		"WPA2": wsc.AuthWPA2PSK}
	cipherWords = map[string]wsc.EncrType{"TKIP": wsc.EncrTKIP, "CCMP": wsc.EncrAES}
)

// set takes one variable of a network block, but for psk, which setKey takes. One that wpsd would
// have to ignore is refused: whoever sets it means it.
func (d *draft) set(variable, value string) error {
	switch variable {
	case "ssid":
		ssid, err := parseValue(value)
		if err == nil && len(ssid) > 32 {
			err = errors.New("an SSID has 32 bytes at most")
		}
		if err == nil {
			d.ssid = ssid
		}
		return err
	case "key_mgmt":
		return d.setKeyManagement(value)
	case "proto":
		auth, err := wordsOf(value, protoWords)
		if err == nil {
			d.auth = auth
		}
		return err
	case "pairwise":
		encr, err := wordsOf(value, cipherWords)
		if err == nil {
			d.encr = encr
		}
		return err
	case "bssid":
		bssid, err := wsc.ParseMAC(value)
		if value == "any" || value == `""` {
			bssid, err = wsc.MAC{}, nil
		}
		if err != nil || bssid.IsMulticast() {
			return errSyntax
		}
		d.bssid = bssid
		return nil
	case "disabled":
		if value != "0" && value != "1" {
			return errSyntax
		}
		d.disabled = value == "1"
		return nil
	}
	return d.confirm(variable, value)
}

// confirm takes variables that can only say what is the case anyway.
func (d *draft) confirm(variable, value string) error {
	always := map[string][]string{
		"auth_alg": {"OPEN"}, "mode": {"0"}, "priority": {"0"}, "scan_ssid": {"0", "1"},
		"group": {"CCMP TKIP", "TKIP CCMP", "CCMP", "TKIP"}, "ieee80211w": {"0"},
	}
	for _, v := range always[variable] {
		if v == value {
			return nil
		}
	}
	return fmt.Errorf("a network that wpsd keeps has no %.40q of its own, or not with this value", variable)
}

var errNoPSK = errors.New("a psk without quotes has 64 hex digits")

// setKey takes a passphrase in quotes, or 64 hex digits.
func (d *draft) setKey(value secret.Value) error {
	text := value.Bytes()
	if bytes.HasPrefix(text, []byte(`"`)) {
		if len(text) < 2 || text[len(text)-1] != '"' {
			return errSyntax
		}
		if text = text[1 : len(text)-1]; len(text) < 8 || len(text) > 63 {
			return errors.New("a passphrase has 8 to 63 characters")
		}
	} else if !credential.IsRawPSK(text) {
		return errNoPSK
	}
	d.key.Wipe()
	d.key = secret.New(text)
	return nil
}

func (d *draft) setKeyManagement(value string) error {
	switch value {
	case "NONE":
		d.auth, d.encr = wsc.AuthOpen, wsc.EncrNone
	case "WPA-PSK":
		if d.auth == wsc.AuthOpen {
			d.auth, d.encr = wsc.AuthWPA2PSK, wsc.EncrAES
		}
	default:
		return fmt.Errorf("key_mgmt %.40q: WPS knows NONE and WPA-PSK", value)
	}
	return nil
}

// wordsOf joins the bits of words.
func wordsOf[T ~uint16](value string, words map[string]T) (T, error) {
	var bits T
	for word := range strings.FieldsSeq(value) {
		b, ok := words[word]
		if !ok {
			return 0, errSyntax
		}
		bits |= b
	}
	if bits == 0 {
		return 0, errSyntax
	}
	return bits, nil
}

// get is the mirror of set; "" is a variable that is not set, or that there is not.
func (d *draft) get(variable string) string {
	open := d.auth == wsc.AuthOpen
	switch variable {
	case "ssid":
		return d.quotedSSID()
	case "psk":
		if !d.key.IsZero() {
			return "*"
		}
	case "key_mgmt":
		if open {
			return "NONE"
		}
		return "WPA-PSK"
	case "proto":
		var list []string
		if d.auth&wsc.AuthWPAPSK != 0 {
			list = append(list, "WPA")
		}
		if d.auth&wsc.AuthWPA2PSK != 0 {
			list = append(list, "RSN")
		}
		return strings.Join(list, " ")
	case "pairwise":
		var list []string
		if d.encr&wsc.EncrAES != 0 {
			list = append(list, "CCMP")
		}
		if d.encr&wsc.EncrTKIP != 0 {
			list = append(list, "TKIP")
		}
		return strings.Join(list, " ")
	case "bssid":
		if !d.bssid.IsZero() {
			return d.bssid.String()
		}
	case "disabled":
		if d.disabled {
			return "1"
		}
		return "0"
	case "auth_alg":
		return "OPEN"
	case "mode", "scan_ssid":
		return "0"
	}
	return ""
}

// quotedSSID is an SSID as a configuration file has it: in quotes if that can be read back, else in
// hex.
func (d *draft) quotedSSID() string {
	for _, ch := range d.ssid {
		if ch < 32 || ch > 126 {
			return hex.EncodeToString(d.ssid)
		}
	}
	if d.ssid == nil {
		return ""
	}
	return `"` + string(d.ssid) + `"`
}
