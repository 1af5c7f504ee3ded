package dbus

import (
	"fmt"
	"strconv"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// Names on the bus.
const (
	// BusName is the name that wpsd owns.
	BusName = "fi.w1.wps"

	rootPath = godbus.ObjectPath("/fi/w1/wps")
	noPath   = godbus.ObjectPath("/") // how a property says "none"

	managerIface     = "fi.w1.wps.Manager"
	interfaceIface   = "fi.w1.wps.Interface"
	accessPointIface = "fi.w1.wps.AccessPoint"
	enrolleeIface    = "fi.w1.wps.Enrollee"

	erAccessPointIface = "fi.w1.wps.ER.AccessPoint"
	erEnrolleeIface    = "fi.w1.wps.ER.Enrollee"

	erIface      = "fi.w1.wps.ER"
	sessionIface = "fi.w1.wps.Session"
	networkIface = "fi.w1.wps.Network"
	agentIface   = "fi.w1.wps.CredentialAgent" // of others

	peerIface           = "org.freedesktop.DBus.Peer"
	introspectableIface = "org.freedesktop.DBus.Introspectable"
	propertiesIface     = "org.freedesktop.DBus.Properties"
	objectManagerIface  = "org.freedesktop.DBus.ObjectManager"
)

func interfacePath(ifname string) godbus.ObjectPath {
	return rootPath + "/interfaces/" + godbus.ObjectPath(escape(ifname))
}

// interfaceOf is interfacePath backwards; false: not the path of an interface.
func interfaceOf(path godbus.ObjectPath) (string, bool) {
	text, ok := strings.CutPrefix(string(path), string(rootPath)+"/interfaces/")
	var name strings.Builder
	for i := 0; ok && i < len(text) && text != "_"; i++ {
		if text[i] != '_' {
			name.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", false
		}
		c, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		name.WriteByte(byte(c))
		i += 2
	}
	return name.String(), ok && interfacePath(name.String()) == path
}

func accessPointPath(ifname string, bssid wsc.MAC) godbus.ObjectPath {
	return interfacePath(ifname) + "/aps/" + godbus.ObjectPath(
		strings.ReplaceAll(bssid.String(), ":", "_"))
}

func sessionPath(id state.SessionID) godbus.ObjectPath {
	return godbus.ObjectPath(fmt.Sprintf("%s/sessions/%d", rootPath, id))
}

func networkPath(id state.NetworkID) godbus.ObjectPath {
	return godbus.ObjectPath(fmt.Sprintf("%s/networks/%d", rootPath, id))
}

// networkOf is networkPath backwards; false: not the path of a network.
func networkOf(path godbus.ObjectPath) (state.NetworkID, bool) {
	digits, ok := strings.CutPrefix(string(path), string(rootPath)+"/networks/")
	id, err := strconv.ParseUint(digits, 10, 32)
	n := state.NetworkID(id)
	return n, ok && err == nil && id != 0 && networkPath(n) == path
}

// escape makes one element of an object path of any text, as systemd does: a byte that is not an
// ASCII letter, or a digit behind the first byte, becomes _ and two hex digits, and empty text
// becomes _.
func escape(s string) string {
	if s == "" {
		return "_"
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', i > 0 && '0' <= c && c <= '9':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}
