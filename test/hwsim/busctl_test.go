//go:build hwsim

package hwsim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// In these scenarios a shell starts each kind of session there is: busctl, which makes one call and
// leaves the bus. Peers are real, and each session is seen to end well.

// detached is the last argument of a method that starts something, as busctl wants it.
var detached = []string{"1", "detach", "b", "true"}

// bytesArg is a value of type ay for busctl.
func bytesArg(b []byte) []string {
	args := []string{fmt.Sprint(len(b))}
	for _, c := range b {
		args = append(args, fmt.Sprint(c))
	}
	return args
}

// busctl makes a call; it is over, and its caller has left the bus, when busctl returns.
func (d *daemon) busctl(path godbus.ObjectPath, method, signature string, args ...[]string) string {
	d.w.t.Helper()
	iface, member, _ := cutLast(method)
	command := []string{"busctl", "--system", "call", busName, string(path), busName + "." + iface,
		member, signature}
	for _, a := range args {
		command = append(command, a...)
	}
	got := d.w.run(command...)
	if got.status != 0 {
		d.w.t.Fatalf("busctl %s: exit code %d: %s", method, got.status, got.stderr)
	}
	return strings.TrimSpace(got.stdout)
}

// cutLast cuts "ER.Learn" into "ER" and "Learn".
func cutLast(name string) (before, after string, ok bool) {
	n := strings.LastIndex(name, ".")
	if n < 0 {
		return "", name, false
	}
	return name[:n], name[n+1:], true
}

// busctlStarts makes a call that starts a session, which is the newest then, whatever the call
// returns.
func (d *daemon) busctlStarts(method, signature string, args ...[]string) *session {
	d.w.t.Helper()
	s := &session{d: d, owner: d.client, from: d.signals.len(), began: time.Now()}
	d.busctl(d.iface(), method, signature, args...)
	added := d.client.wait(s.from, 5*time.Second, "the session that busctl started with "+method,
		func(g signal) bool {
			if g.Name != "org.freedesktop.DBus.ObjectManager.InterfacesAdded" {
				return false
			}
			path, ok := g.Body[0].(godbus.ObjectPath)
			return ok && strings.Contains(string(path), "/sessions/")
		})
	s.path = added.Body[0].(godbus.ObjectPath)
	return s
}

// brings waits for a good end of a session that is somebody else's, and returns the network that it
// stored.
func (s *session) brings(timeout time.Duration) credential {
	t := s.d.w.t
	t.Helper()
	o := s.end(timeout)
	if len(o.networks) != 1 {
		t.Fatalf("networks %v: %s (configuration error %d): %s", o.networks, o.reason,
			o.configError, o.sentence)
	}
	return newCredential(s.d.mustCall(o.networks[0],
		"Network.GetSecrets")[0].(map[string]godbus.Variant))
}

// crookedPIN has a wrong check digit.
const crookedPIN = "12345671"

func TestBusctlStartsWhateverAStationCan(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()

	t.Log("without detach a session ends with its caller")
	d.busctlStarts("Interface.StartPbc", "a{sv}", []string{"0"}).fails(5*time.Second, "owner-left")

	t.Log("StartPbc")
	h.mustOK("WPS_PBC")
	h.gives(d.busctlStarts("Interface.StartPbc", "a{sv}", detached).brings(oneRun))

	t.Log("StartPin, with a PIN whose check digit is wrong")
	h.ask("WPS_PIN any %s", crookedPIN)
	d.refused("InvalidPinChecksum", d.iface(), "Interface.StartPin", options("pin", crookedPIN))
	h.gives(d.busctlStarts("Interface.StartPin", "a{sv}",
		[]string{"3", "detach", "b", "true", "force", "b", "true", "pin", "s", crookedPIN}).brings(
		oneRun))

	t.Log("StartNfc")
	h.mustOK("WPS_NFC_TAG_READ %x", d.nfc("NfcPasswordToken", "NDEF"))
	h.gives(d.busctlStarts("Interface.StartNfc", "a{sv}", detached).brings(oneRun))

	t.Log("NfcTagRead of a network")
	got := d.busctl(d.iface(), "Interface.NfcTagRead", "aya{sv}",
		bytesArg(h.hex("WPS_NFC_CONFIG_TOKEN NDEF")), detached)
	if !strings.Contains(got, `"configuration"`) {
		t.Errorf("NfcTagRead: %s", got)
	}

	t.Log("Learn, with a PIN whose check digit is wrong")
	h.ask("WPS_AP_PIN set %s", crookedPIN)
	d.refused("InvalidPinChecksum", d.iface(), "Interface.Learn", h.bssid, crookedPIN, options())
	h.gives(d.busctlStarts("Interface.Learn", "ssa{sv}",
		[]string{h.bssid, crookedPIN, "2", "detach", "b", "true", "force", "b", "true"}).brings(
		oneRun))

	t.Log("Configure")
	c := d.busctlStarts("Interface.Configure", "ssa{sv}", []string{h.bssid, crookedPIN, "6"},
		[]string{"detach", "b", "true", "force", "b", "true"},
		[]string{"ssid", "ay"}, bytesArg([]byte("by shell")),
		[]string{"auth", "s", "WPA2PSK", "encryption", "s", "CCMP", "key", "ay"},
		bytesArg([]byte("from a shell"))).brings(oneRun)
	if string(c.ssid) != "by shell" || string(c.key) != "from a shell" {
		t.Errorf("configured as %q", c.ssid)
	}

	// Last: hostapd 2.10 that has answered a handover dies when a Registrar comes with its PIN,
	// since it has an id of a Device Password from the handover then, but no password.
	t.Log("NfcReportHandover")
	h.ap.ssid, h.ap.passphrase = "by shell", "from a shell"
	request := d.nfc("NfcHandoverRequest", "NDEF", "WPS-CR")
	sel := h.hex("NFC_GET_HANDOVER_SEL NDEF WPS-CR")
	h.mustOK("NFC_REPORT_HANDOVER RESP WPS %x %x", request, sel)
	h.gives(d.busctlStarts("Interface.NfcReportHandover", "ssayaya{sv}", []string{"INIT", "WPS"},
		bytesArg(request), bytesArg(sel), detached).brings(oneRun))
}

func TestBusctlStartsWhateverAnAccessPointCan(t *testing.T) {
	w := newWorld(t)
	_, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	joins := func(s *session, start string, args ...any) {
		t.Helper()
		mark := e.mark()
		e.ask(start, args...)
		s.admits(station, oneRun)
		e.joins(mark, 10*time.Second)
		e.mustOK("DISCONNECT")
		e.mustOK("REMOVE_NETWORK all")
	}

	t.Log("StartPin, with a PIN whose check digit is wrong")
	joins(d.busctlStarts("Interface.StartPin", "a{sv}",
		[]string{"3", "detach", "b", "true", "force", "b", "true", "pin", "s",
			crookedPIN}), "WPS_PIN any %s", crookedPIN)

	t.Log("NfcTagRead of a device's password")
	tag := e.hex("WPS_NFC_TOKEN NDEF")
	joins(d.busctlStarts("Interface.NfcTagRead", "aya{sv}", bytesArg(tag), detached), "WPS_NFC")

	t.Log("NfcReportHandover")
	request := e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := d.nfc("NfcHandoverSelect", "NDEF", "WPS-CR", options())
	joins(d.busctlStarts("Interface.NfcReportHandover", "ssayaya{sv}", []string{"RESP", "WPS"},
		bytesArg(request), bytesArg(sel), detached),
		"NFC_REPORT_HANDOVER INIT WPS %x %x", request, sel)

	t.Log("StartPbc")
	joins(d.busctlStarts("Interface.StartPbc", "a{sv}", detached), "WPS_PBC")
}

func TestBusctlStartsWhateverAnExternalRegistrarCan(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	w.startBus()
	r := w.startERDaemon()
	e := w.startSupplicant(station)
	r.busctl(r.iface(), "ER.Start", "a{sv}", detached)
	r.finds(upnpUUID, 10*time.Second)
	joins := func(s *session, start string, args ...any) {
		t.Helper()
		mark := e.mark()
		e.ask(start, args...)
		s.admitsByER(station, oneRun)
		e.joins(mark, 10*time.Second)
		e.mustOK("DISCONNECT")
		e.mustOK("REMOVE_NETWORK all")
	}

	t.Log("Learn")
	h.gives(r.busctlStarts("ER.Learn", "ssa{sv}", []string{upnpUUID, labelPIN},
		detached).brings(oneRun))

	t.Log("EnrollPin, with a PIN whose check digit is wrong")
	joins(r.busctlStarts("ER.EnrollPin", "ssa{sv}",
		[]string{"any", crookedPIN, "2", "detach", "b", "true", "force", "b",
			"true"}), "WPS_PIN any %s", crookedPIN)

	t.Log("NfcTagRead of a device's password")
	tag := e.hex("WPS_NFC_TOKEN NDEF")
	joins(r.busctlStarts("ER.NfcTagRead", "aya{sv}", bytesArg(tag), detached), "WPS_NFC")

	t.Log("NfcReportHandover")
	request := e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := r.mustCall(r.iface(), "ER.NfcHandoverSelect", h.bssid, "NDEF", "WPS-CR")[0].([]byte)
	joins(r.busctlStarts("Interface.NfcReportHandover", "ssayaya{sv}", []string{"RESP", "WPS"},
		bytesArg(request), bytesArg(sel), detached),
		"NFC_REPORT_HANDOVER INIT WPS %x %x", request, sel)

	t.Log("EnrollPbc")
	joins(r.busctlStarts("ER.EnrollPbc", "sa{sv}", []string{"any"}, detached), "WPS_PBC")

	t.Log("Configure")
	c := r.busctlStarts("ER.Configure", "ssa{sv}",
		[]string{upnpUUID, labelPIN, "5", "detach", "b", "true", "ssid", "ay"},
		bytesArg([]byte("by shell")),
		[]string{"auth", "s", "WPA2PSK", "encryption", "s", "CCMP", "key", "ay"},
		bytesArg([]byte("from a shell"))).brings(oneRun)
	if string(c.ssid) != "by shell" {
		t.Errorf("configured as %q", c.ssid)
	}
}
