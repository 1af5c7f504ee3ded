package hostapd

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"

	"wpsd/drivers"
)

// simpleEvents are the events whose arguments say nothing that we need. Every name is followed by
// one space, also where there is no argument.
var simpleEvents = map[string]drivers.APEventKind{
	"WPS-SUCCESS":           drivers.APSuccess,
	"WPS-TIMEOUT":           drivers.APTimeout,
	"WPS-OVERLAP-DETECTED":  drivers.APOverlap,
	"WPS-PBC-ACTIVE":        drivers.APPBCActive,
	"WPS-PBC-DISABLE":       drivers.APPBCDisabled,
	"WPS-CANCEL":            drivers.APCanceled,
	"WPS-AP-SETUP-LOCKED":   drivers.APSetupLocked,
	"WPS-AP-SETUP-UNLOCKED": drivers.APSetupUnlocked,
	"WPS-AP-PIN-DISABLED":   drivers.APPINDisabled,
	// The argument of this one may hold the new key: it is not looked at.
	"WPS-NEW-AP-SETTINGS":    drivers.APNewSettings,
	"CTRL-EVENT-TERMINATING": drivers.APGone,
	"AP-DISABLED":            drivers.APGone,
	"AP-ENABLED":             drivers.APBack,
}

// parseEvent reads one datagram of an attached control connection: "<3>WPS-SUCCESS ". The text
// comes from stations in the air in part and is not trusted; what does not parse is not an event.
func parseEvent(datagram []byte) (drivers.APEvent, bool) {
	text := bytes.TrimRight(datagram, "\n\x00")
	if bytes.HasPrefix(text, []byte("IFNAME=")) {
		if _, rest, ok := bytes.Cut(text, []byte(" ")); ok {
			text = rest
		}
	}
	if !bytes.HasPrefix(text, []byte("<")) {
		return drivers.APEvent{}, false
	}
	_, text, ok := bytes.Cut(text, []byte(">"))
	if !ok {
		return drivers.APEvent{}, false
	}
	name, arguments, _ := strings.Cut(string(text), " ")
	if kind, ok := simpleEvents[name]; ok {
		return drivers.APEvent{Kind: kind}, true
	}
	switch name {
	case "WPS-REG-SUCCESS":
		return parseEnrolled(arguments)
	case "CTRL-EVENT-EAP-STARTED":
		mac, ok := parseMAC(arguments)
		return drivers.APEvent{Kind: drivers.APRunStarted, MAC: mac}, ok
	case "WPS-FAIL":
		return parseFail(arguments)
	case "WPS-PIN-NEEDED":
		return parsePINNeeded(arguments)
	case "WPS-ENROLLEE-SEEN":
		return parseSeen(arguments)
	}
	return drivers.APEvent{}, false
}

// parseEnrolled: "<mac> <uuid>".
func parseEnrolled(s string) (drivers.APEvent, bool) {
	f := strings.Fields(s)
	if len(f) < 2 {
		return drivers.APEvent{}, false
	}
	mac, ok := parseMAC(f[0])
	return drivers.APEvent{Kind: drivers.APEnrolled, MAC: mac, UUID: f[1]}, ok && isUUID(f[1])
}

// parseFail: nothing, or "msg=%d config_error=%d" and perhaps more.
func parseFail(s string) (drivers.APEvent, bool) {
	e := drivers.APEvent{Kind: drivers.APFailed}
	for _, f := range strings.Fields(s) {
		key, value, _ := strings.Cut(f, "=")
		n, err := strconv.ParseUint(value, 10, 16)
		switch {
		case err != nil:
		case key == "msg" && n <= 0xff:
			e.Message = uint8(n)
		case key == "config_error":
			e.ConfigError = uint16(n)
		}
	}
	return e, true
}

// parsePINNeeded: "<uuid> <mac> [name|manufacturer|model name|model number|serial|device type]".
func parsePINNeeded(s string) (drivers.APEvent, bool) {
	uuid, rest, _ := strings.Cut(s, " ")
	address, rest, _ := strings.Cut(rest, " ")
	mac, ok := parseMAC(address)
	if !ok || !isUUID(uuid) {
		return drivers.APEvent{}, false
	}
	e := drivers.APEvent{Kind: drivers.APPINNeeded, MAC: mac, UUID: uuid}
	if strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "]") {
		f := strings.Split(rest[1:len(rest)-1], "|")
		for i, to := range []*string{&e.Device.Name, &e.Device.Manufacturer, &e.Device.ModelName,
			&e.Device.ModelNumber, &e.Device.SerialNumber, &e.Device.DeviceType} {
			if i < len(f) {
				*to = clean(f[i])
			}
		}
	}
	return e, true
}

// parseSeen: "<mac> <uuid> <devtype> 0x<config methods> <password id> <request type> [name]".
func parseSeen(s string) (drivers.APEvent, bool) {
	f := strings.SplitN(s, " ", 7)
	if len(f) < 6 {
		return drivers.APEvent{}, false
	}
	mac, ok := parseMAC(f[0])
	methods, err1 := strconv.ParseUint(strings.TrimPrefix(f[3], "0x"), 16, 16)
	id, err2 := strconv.ParseUint(f[4], 10, 16)
	if !ok || !isUUID(f[1]) || err1 != nil || err2 != nil {
		return drivers.APEvent{}, false
	}
	e := drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: mac, UUID: f[1]}
	e.Device.DeviceType = clean(f[2])
	e.Device.ConfigMethods, e.Device.DevicePasswordID = uint16(methods), uint16(id)
	if len(f) == 7 {
		e.Device.Name = clean(strings.TrimSuffix(strings.TrimPrefix(f[6], "["), "]"))
	}
	return e, true
}

// clean keeps text from the air printable, and short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:64], "")
	}
	return s
}

func parseMAC(s string) (mac [6]byte, ok bool) {
	if len(s) != 17 {
		return mac, false
	}
	for i := range mac {
		b, err := hex.DecodeString(s[3*i : 3*i+2])
		if err != nil || i < 5 && s[3*i+2] != ':' {
			return [6]byte{}, false
		}
		mac[i] = b[0]
	}
	return mac, true
}

// isUUID checks the form 8-4-4-4-12.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash &&
			!strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}
