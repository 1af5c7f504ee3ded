package wpasupplicant

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Why wpa_supplicant cannot have a network.
var (
	ErrWEP  = errors.New("wpa_supplicant: WEP is broken and not handed over: set the access point to WPA2")
	ErrText = errors.New("wpa_supplicant: over D-Bus it takes a passphrase only if that is UTF-8")
	ErrSAE  = fmt.Errorf("wpa_supplicant: it or the radio has no SAE: %w", credential.ErrWPA3Only)
)

// check refuses what wpa_supplicant would, in words that help.
func check(n *credential.Offer) error {
	switch {
	case n.KeyKind == credential.KeyWEP || n.Encryption&wsc.EncrWEP != 0:
		return ErrWEP
	case !utf8.Valid(n.Key.Bytes()):
		return ErrText
	}
	return nil
}

// value is one setting of a network block.
type value struct {
	name string
	form form
	text string       // a word, or digits
	key  secret.Value // text, or bytes
	raw  []byte       // bytes that are no secret
}

// form is how a value is written, over D-Bus and over the control socket.
type form uint8

const (
	word   form = iota // as it stands: a word, or several
	number             // digits
	quoted             // text between quotes
	octets             // any bytes
)

// content is the value's own bytes.
func (v *value) content() []byte {
	switch {
	case !v.key.IsZero():
		return v.key.Bytes()
	case v.raw != nil:
		return v.raw
	}
	return []byte(v.text)
}

// wipe forgets a key that is a copy.
func wipe(values []value) {
	for i := range values {
		values[i].key.Wipe()
	}
}

// abilities are what a wpa_supplicant and its radio can do, in the words of wpa_supplicant, in
// upper case.
type abilities struct{ management, pairwise, group, groupManagement []string }

// settings are those of the network block for an offer, which the caller wipes. have is the block
// that there is; nil: it is a new one.
func settings(n *credential.Offer, have map[string]string, can abilities) ([]value, error) {
	list := []value{{name: "ssid", form: octets, raw: n.SSID}}
	if n.Backhaul {
		list = append(list, value{name: "multi_ap_backhaul_sta", form: number, text: "1"})
	}
	if n.Priority != 0 {
		list = append(list, value{name: "priority", form: number, text: strconv.Itoa(n.Priority)})
	}
	if n.KeyKind == credential.KeyNone {
		return append(list, value{name: "key_mgmt", text: "NONE"}), nil
	}
	if n.KeyKind == credential.KeyRawPSK { // no password: SAE has no use for it
		psk := make([]byte, 32)
		if _, err := hex.Decode(psk, n.Key.Bytes()); err != nil {
			return nil, errors.New("the key is not 64 hex digits")
		}
		list = append(list, value{name: "key_mgmt", text: "WPA-PSK"})
		list = append(list, ciphers(n, have, can)...)
		return append(list, value{name: "psk", form: octets, key: secret.New(psk)}), nil
	}
	// WPA2 and, so that a WPA2/WPA3 access point is joined with the better one, SAE where radio and
	// build have it. SAE needs protected management frames where the access point can.
	management, protect := "WPA-PSK WPA-PSK-SHA256", 1
	sae := slices.Contains(can.management, "SAE")
	switch {
	case n.WPA3Only && !sae:
		return nil, ErrSAE
	case n.WPA3Only:
		management, protect = "SAE", 2
	case sae && !n.NoSAE:
		management += " SAE"
	}
	list = append(list, value{name: "key_mgmt", text: management},
		value{name: "ieee80211w", form: number, text: strconv.Itoa(protect)})
	list = append(list, ciphers(n, have, can)...)
	return append(list, value{name: "psk", form: quoted, key: n.Key.Clone()}), nil
}

// ciphers names those that the access point was heard with, where wpa_supplicant would not use them
// by itself: its default is CCMP and TKIP. In a block that somebody may have made stricter, only
// what is needed to get in is added.
func ciphers(n *credential.Offer, have map[string]string, can abilities) []value {
	if !n.Heard {
		return nil
	}
	var list []value
	add := func(name, otherwise string, heard ie.Cipher, able []string, all bool) {
		is := strings.Fields(otherwise)
		if set := strings.Fields(have[name]); len(set) > 0 {
			is = set
		}
		before, wanted := len(is), false
		var missing []string
		for _, c := range heard.Names() {
			switch {
			case slices.Contains(is, c):
				wanted = true
			case slices.Contains(able, c):
				missing = append(missing, c)
			}
		}
		if !wanted || all && have == nil {
			is = append(is, missing...)
		}
		if len(is) > before {
			list = append(list, value{name: name, text: strings.Join(is, " ")})
		}
	}
	add("pairwise", "CCMP TKIP", n.Ciphers.Pairwise, can.pairwise, true)
	add("group", "CCMP TKIP", n.Ciphers.Group, can.group, false)
	if n.KeyKind == credential.KeyPassphrase {
		add("group_mgmt", "AES-128-CMAC", n.Ciphers.Management, can.groupManagement, false)
	}
	return list
}

// network is one that is configured there.
type network struct {
	id      string
	enabled bool
	// have are its settings as they would stand in the configuration file: ssid, mode, key_mgmt,
	// pairwise, group, group_mgmt and scan_freq.
	have map[string]string
}

// configured are the names of settings in network.have.
var configured = []string{"ssid", "mode", "key_mgmt", "pairwise", "group", "group_mgmt",
	"scan_freq"}

// named reports whether a configured network has this one's name.
func (c *network) named(n *credential.Network) bool {
	mode := c.have["mode"]
	return bytesOf(c.have["ssid"], n.SSID) && (mode == "" || mode == "0")
}

// fits reports whether a configured network is this one.
func (c *network) fits(n *credential.Network) bool {
	if !c.named(n) {
		return false
	}
	methods := strings.Fields(c.have["key_mgmt"])
	if n.KeyKind == credential.KeyNone {
		return slices.Equal(methods, []string{"NONE"})
	}
	return slices.ContainsFunc(methods, func(m string) bool {
		return strings.HasPrefix(m, "WPA-PSK") || m == "SAE"
	})
}

// bytesOf reports whether a value of a configuration file, text in quotes or hex, is these bytes.
func bytesOf(value string, b []byte) bool {
	if len(value) >= 2 && value[0] == '"' {
		return value[1:len(value)-1] == string(b)
	}
	return strings.EqualFold(value, hex.EncodeToString(b))
}
