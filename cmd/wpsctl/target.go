package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"
)

// addressOf reads a MAC address or BSSID, in the form that D-Bus has: lower case with colons.
func addressOf(text string) (string, bool) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 {
		return "", false
	}
	return mac.String(), true
}

// addressPart is what looks like an address that somebody began to type, or mistyped.
var addressPart = regexp.MustCompile(`^[0-9a-fA-F]{1,2}([:-][0-9a-fA-F]{0,2})+$`)

// isNamed tells whether somebody who typed name means these bytes: as they are, or as we print
// them.
func isNamed(name string, ssid []byte) bool {
	return len(ssid) > 0 && (name == string(ssid) || name == ssidText(ssid))
}

// bssid finds the access point that n hears and that somebody means with a BSSID or an SSID. A
// BSSID is taken as it is. For an SSID that is not known yet it scans. Several access points of one
// router and one name are one: the one that is ready for something counts, then the strongest.
func (a *app) bssid(ctx context.Context, c *client, n netif, signals <-chan *godbus.Signal,
	name string) (string, error) {
	if address, ok := addressOf(name); ok {
		return address, nil
	}
	t, err := c.objects(ctx)
	if err != nil {
		return "", err
	}
	found := t.of(n)
	if !slices.ContainsFunc(found, func(ap accessPoint) bool { return isNamed(name, ap.ssid) }) {
		if err := a.newScan(ctx, c, n, signals); err != nil {
			return "", err
		}
		if t, err = c.objects(ctx); err != nil {
			return "", err
		}
		found = t.of(n)
	}
	return pickBSSID(found, name)
}

// pickBSSID finds the access point that somebody means with a BSSID, or with the SSID of one of
// those that are heard, the strongest first.
func pickBSSID(heard []accessPoint, name string) (string, error) {
	if address, ok := addressOf(name); ok {
		return address, nil
	}
	var found []accessPoint
	for _, ap := range heard {
		if isNamed(name, ap.ssid) {
			found = append(found, ap)
		}
	}
	switch {
	case len(found) == 0 && addressPart.MatchString(name):
		return "", &failure{Exit: exitUsage, Hint: scanHint, Text: `"` + printable(name) +
			`" is not a BSSID, such as 02:11:22:33:44:55, nor the name of an access point in range`}
	case len(found) == 0:
		return "", &failure{Exit: exitNotFound, Hint: scanHint,
			Text: `no access point with WPS in range has the name "` + printable(name) + `"`}
	case len(routers(found)) > 1:
		return "", ambiguousName(name, "access points have the name", found,
			func(ap accessPoint) string {
				return orDash(ap.BSSID) + " (" + accessPointText(ap) + ")"
			})
	}
	slices.SortStableFunc(found, func(a, b accessPoint) int { return readiness(b) - readiness(a) })
	return found[0].BSSID, nil
}

// readiness orders the access points of one router: those that expect somebody come first.
func readiness(ap accessPoint) int {
	return slices.Index([]string{"WPS", "WPS-PIN", "WPS-PBC", "WPS-AUTH"}, ap.Flags)
}

// routers sorts access points by the router that they belong to: BSSs with one UUID are one router.
// One that does not tell its UUID is a router of its own. The order stays.
func routers(all []accessPoint) [][]accessPoint {
	var list [][]accessPoint
	at := map[string]int{}
	for _, ap := range all {
		i, known := at[ap.UUID]
		if !known || ap.UUID == "" {
			i = len(list)
			at[ap.UUID] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], ap)
	}
	return list
}

// accessPointText tells access points of one name apart for a person.
func accessPointText(ap accessPoint) string {
	text := fmt.Sprintf("%d dBm", ap.Signal)
	if d := device(ap); d != "-" {
		text = d + ", " + text
	}
	if ap.Flags != "WPS" && ap.Flags != "" {
		text += ", " + printable(ap.Flags)
	}
	return text
}

// ambiguousName is what one is told whose name is that of several things: which there are, by what
// they differ.
func ambiguousName[T any](name, what string, found []T, text func(T) string) error {
	list := make([]string, len(found))
	for i, one := range found {
		list[i] = text(one)
	}
	return &failure{Exit: exitUsage,
		Text: count(len(found), "", what) + ` "` + printable(name) + `": say which one`,
		Hint: "There are: " + strings.Join(list, "; ") + "."}
}

// session finds the one that somebody means with its number or its path.
func (t *tree) session(name string) (session, error) {
	for _, s := range t.Sessions {
		if path.Base(string(s.Path)) == name || string(s.Path) == name {
			return s, nil
		}
	}
	return session{}, &failure{Exit: exitNotFound,
		Text: `no session has the number "` + printable(name) + `"`,
		Hint: `It may have ended more than ten minutes ago; "wpsctl status" shows what is going on.`}
}

// network finds the stored network that somebody means with its number or its SSID. A number is a
// number first.
func (c *client) network(ctx context.Context, name string) (network, error) {
	t, err := c.objects(ctx)
	if err != nil {
		return network{}, err
	}
	return t.network(name)
}

// network is client.network without the question to wpsd.
func (t *tree) network(name string) (network, error) {
	var found []network
	for _, n := range t.Networks {
		if n.ID == name || string(n.Path) == name {
			return n, nil
		}
		if isNamed(name, n.ssid) {
			found = append(found, n)
		}
	}
	switch {
	case len(found) > 1:
		return network{}, ambiguousName(name, "stored networks have the name", found,
			func(n network) string {
				return "number " + orDash(n.ID) + " (" + security(n.Auth, n.Encryption) + ")"
			})
	case len(found) == 1:
		return found[0], nil
	}
	return network{}, &failure{Exit: exitNotFound, Hint: networksHint,
		Text: `no stored network has the number or the name "` + printable(name) + `"`}
}

// erAP finds the access point of the External Registrar that somebody means: UUID, BSSID and
// address are taken as they are, for wpsd to say what is not there. A name is the one that "wpsctl
// er aps" shows, or the SSID of what a radio hears with the same BSSID or UUID.
func (t *tree) erAP(n netif, name string) (string, error) {
	if address, ok := addressOf(name); ok {
		return address, nil
	}
	var found []erAccessPoint
	for _, ap := range t.ERAccessPoints {
		if ap.Interface != n.Name {
			continue
		}
		if strings.EqualFold(ap.UUID, name) || ap.Address == name ||
			slices.Contains(ap.OtherAddresses, name) {
			return strings.ToLower(name), nil
		}
		if ap.FriendlyName == name || printable(ap.FriendlyName) == name || t.erHasSSID(ap, name) {
			found = append(found, ap)
		}
	}
	switch {
	case len(found) == 0 && isUUIDOrIP(name):
		return strings.ToLower(name), nil // wpsd says that it is not there
	case len(found) == 0:
		return "", &failure{Exit: exitNotFound, Hint: erAPsHint,
			Text: `the External Registrar has found no access point with the name "` +
				printable(name) + `"`}
	case len(found) > 1:
		return "", ambiguousName(name, "access points have the name", found,
			func(ap erAccessPoint) string {
				if name := ap.shortName(); name != ap.Address {
					return name + " (at " + orDash(ap.Address) + ")"
				}
				return ap.Address
			})
	}
	return found[0].shortName(), nil
}

// erHasSSID tells whether what a radio of this machine hears of that access point has this SSID.
func (t *tree) erHasSSID(ap erAccessPoint, name string) bool {
	return slices.ContainsFunc(t.AccessPoints, func(heard accessPoint) bool {
		same := heard.BSSID == ap.BSSID && ap.BSSID != "" || heard.UUID == ap.UUID && ap.UUID != ""
		return same && isNamed(name, heard.ssid)
	})
}

// shortName is what wpsd knows the access point by: its BSSID, its UUID if it does not tell that,
// or its address if others say to be the same.
func (ap *erAccessPoint) shortName() string {
	if len(ap.OtherAddresses) > 0 {
		return ap.Address
	}
	if ap.BSSID != "" {
		return ap.BSSID
	}
	return ap.UUID
}

// enrollee finds the device that somebody means with "any", a UUID, a MAC address, or the name that
// "wpsctl er enrollees" shows.
func (t *tree) enrollee(n netif, name string) (string, error) {
	if address, ok := addressOf(name); ok {
		return address, nil
	}
	name = lowerUUID(name)
	var found []erEnrollee
	for _, e := range t.EREnrollees {
		if e.Interface == n.Name && e.DeviceName != "" &&
			(e.DeviceName == name || printable(e.DeviceName) == name) {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 0 && (name == "any" || isUUIDOrIP(name)):
		return name, nil
	case len(found) == 0:
		return "", &failure{Exit: exitNotFound, Hint: `"wpsctl er enrollees" lists those that do.`,
			Text: `no device with the name "` + printable(name) + `" asks to be let in`}
	case len(found) > 1:
		return "", ambiguousName(name, "devices have the name", found, func(e erEnrollee) string {
			return orDash(e.MAC)
		})
	}
	return found[0].MAC, nil
}

// uuid is how UUIDs are written (RFC 9562, section 4).
var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// isUUIDOrIP tells whether text has the form of what wpsd knows an access point by, besides its
// BSSID.
func isUUIDOrIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil || uuid.MatchString(text)
}

// deviceAddress reads the MAC address of a device for an option.
func deviceAddress(option, text string) (string, error) {
	address, ok := addressOf(text)
	if !ok {
		return "", usagef("%s: %q is not the address of a device, such as 02:11:22:33:44:55",
			option, printable(text))
	}
	return address, nil
}

// lowerUUID is a UUID as D-Bus has it; what is none stays as it is.
func lowerUUID(text string) string {
	if uuid.MatchString(text) {
		return strings.ToLower(text)
	}
	return text
}

// enrolleeOrAP is enrollee, for what can be an access point as well: whoever presses the button
// there. No name is any.
func (t *tree) enrolleeOrAP(n netif, name string) (string, error) {
	if name == "" {
		return "any", nil
	}
	who, err := t.enrollee(n, name)
	if err == nil {
		return who, nil
	}
	if ap, notThere := t.erAP(n, name); notThere == nil {
		return ap, nil
	}
	return "", err
}
