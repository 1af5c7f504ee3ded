//go:build hwsim

package hwsim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/ndef"
)

// Debian's hostapd and wpa_supplicant are built with NFC (CONFIG_WPS_NFC): their control sockets
// take the place of tags and of the link between two devices.

// nfc calls a method of the interface that gives a token or a record.
func (d *daemon) nfc(method string, args ...any) []byte {
	d.w.t.Helper()
	return d.mustCall(d.iface(), "Interface."+method, args...)[0].([]byte)
}

// readTag lets wpsd read a tag.
func (d *daemon) readTag(tag []byte) map[string]godbus.Variant {
	d.w.t.Helper()
	return d.mustCall(d.iface(), "Interface.NfcTagRead", tag,
		options())[0].(map[string]godbus.Variant)
}

// admitsTag lets the access point that wpsd steers read a tag; the session lets its device in.
func (d *daemon) admitsTag(tag []byte) *session {
	d.w.t.Helper()
	s := &session{d: d, owner: d.client, from: d.signals.len(), began: time.Now()}
	what := d.readTag(tag)
	path, ok := what["session"].Value().(godbus.ObjectPath)
	if !ok || what["kind"].Value() != "password" {
		d.w.t.Fatalf("the tag gives %v", what)
	}
	s.path = path
	return s
}

// reportHandover reports a handover; the session is the interface's.
func (d *daemon) reportHandover(role string, request, sel []byte) *session {
	d.w.t.Helper()
	s := &session{d: d, owner: d.client, from: d.signals.len(), began: time.Now()}
	d.mustCall(d.iface(), "Interface.NfcReportHandover", role, "WPS", request, sel, options())
	s.path = d.property(d.iface(), "Interface", "Session").(godbus.ObjectPath)
	if s.path == "/" {
		d.w.t.Fatal("the handover started nothing")
	}
	return s
}

// hex asks for something that is answered in hex digits.
func (c *control) hex(format string, args ...any) []byte {
	c.w.t.Helper()
	answer := c.ask(format, args...)
	b, err := hex.DecodeString(strings.TrimSpace(answer))
	if err != nil || len(b) == 0 {
		c.w.t.Fatalf("%s: %q", fmt.Sprintf(format, args...), answer)
	}
	return b
}

// networkOfTag is the stored network that came of a tag, with its key.
func (d *daemon) networkOfTag(what map[string]godbus.Variant) credential {
	d.w.t.Helper()
	path, ok := what["network"].Value().(godbus.ObjectPath)
	if !ok || what["kind"].Value() != "configuration" {
		d.w.t.Fatalf("the tag gives %v", what)
	}
	return newCredential(d.mustCall(path, "Network.GetSecrets")[0].(map[string]godbus.Variant))
}

func TestNFCPasswordTokenAtHostapd(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	d := w.startDaemon()
	for _, format := range []string{"NDEF", "WPS"} {
		h.mustOK("WPS_NFC_TAG_READ %x", d.nfc("NfcPasswordToken", format))
		s := d.begin(d.client, "StartNfc")
		c := s.succeeds(oneRun)
		h.gives(c)
		if method := s.property("Method"); method != "nfc" {
			t.Errorf("Method %v", method)
		}
		w.connects(station, c, h)
		w.forgetScans(station)
	}
	// hostapd has used the token up.
	o := d.begin(d.client, "StartNfc", "bssid", h.bssid).fails(130*time.Second, "registrar-busy",
		"setup-locked")
	if !strings.Contains(o.sentence, "has not read this device's tag") {
		t.Error(o.sentence)
	}
}

func TestNFCHostapdRefusesATokenWithAnotherKey(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	d := w.startDaemon()
	tag, err := ndef.Parse(d.nfc("NfcPasswordToken", "NDEF"))
	w.must(err)
	tag.Password.PublicKeyHash[7] ^= 0x40
	h.mustOK("WPS_NFC_TAG_READ %x", tag.Password.AppendNDEF(nil))
	s := d.begin(d.client, "StartNfc", "bssid", h.bssid)
	d.w.until("hostapd has answered", oneRun, func() bool {
		return strings.Contains(h.output(), "Public Key Hash mismatch") ||
			strings.Contains(h.output(), "hash mismatch") ||
			strings.Contains(h.output(), "config_error=20")
	})
	d.mustCall(s.path, "Session.Cancel")
	if o := s.end(5 * time.Second); o.networks != nil {
		t.Errorf("it succeeded: %+v", o)
	}
}

// TestNFCManufacturedToken: the lines of nfc_pw_token are the configuration, and what it prints as
// the tag is read by hostapd.
func TestNFCManufacturedToken(t *testing.T) {
	w := newWorld(t)
	lines := strings.Split(strings.TrimSpace(w.sh("/in/nfc_pw_token")), "\n")
	tag, ok := strings.CutPrefix(lines[1], "#NDEF=")
	if !ok || len(lines) != 6 {
		t.Fatalf("nfc_pw_token printed %q", lines)
	}
	h := w.startAP(ap{})
	d := w.startDaemon(lines...)
	if own := d.nfc("NfcPasswordToken", "NDEF"); fmt.Sprintf("%X", own) != tag {
		t.Errorf("the configured token is %X, on the tag is %s", own, tag)
	}
	h.mustOK("WPS_NFC_TAG_READ %s", tag)
	h.gives(d.begin(d.client, "StartNfc").succeeds(oneRun))

	// The same lines make the same token of wpa_supplicant.
	s := w.startSupplicant("wlan2", lines[2:]...)
	if theirs := s.hex("WPS_NFC_TOKEN NDEF"); fmt.Sprintf("%X", theirs) != tag {
		t.Errorf("wpa_supplicant makes %X of the lines", theirs)
	}
}

func TestNFCTokenOfASupplicantAtOurAccessPoint(t *testing.T) {
	w := newWorld(t)
	h, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	for _, format := range []string{"NDEF", "WPS"} {
		tag := e.hex("WPS_NFC_TOKEN %s", format)
		s := d.admitsTag(tag)
		mark := e.mark()
		e.mustOK("WPS_NFC")
		s.admits(station, oneRun)
		e.joins(mark, 10*time.Second)
		e.mustOK("DISCONNECT")
		e.mustOK("REMOVE_NETWORK all")
	}
	// And nobody comes.
	s := d.admitsTag(e.hex("WPS_NFC_TOKEN NDEF"))
	s.fails(125*time.Second, "walk-time-expired")
	e.refusedByTag(h.bssid)
	// And it is canceled.
	s = d.admitsTag(e.hex("WPS_NFC_TOKEN NDEF"))
	d.mustCall(s.path, "Session.Cancel")
	s.fails(5*time.Second, "canceled")
	e.refusedByTag(h.bssid)
	// A handover, too.
	request := e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := d.nfc("NfcHandoverSelect", "NDEF", "WPS-CR", options())
	s = d.reportHandover("RESP", request, sel)
	s.reaches("State", time.Second, "exchanging")
	time.Sleep(time.Second)
	d.mustCall(s.path, "Session.Cancel")
	s.fails(5*time.Second, "canceled")
	mark := e.mark()
	e.mustOK("NFC_REPORT_HANDOVER INIT WPS %x %x", request, sel)
	e.wait(mark, "WPS-M2D", 30*time.Second)
	e.mustOK("WPS_CANCEL")
	if e.saw(mark, "WPS-SUCCESS") {
		t.Error("a canceled handover lets the device in")
	}
}

// refusedByTag tries with the supplicant's own token and has to be told no.
func (s *supplicant) refusedByTag(bssid string) {
	s.w.t.Helper()
	mark := s.mark()
	s.mustOK("WPS_NFC %s", bssid)
	s.wait(mark, "WPS-M2D", 30*time.Second)
	s.mustOK("WPS_CANCEL")
	if s.saw(mark, "WPS-SUCCESS") || s.saw(mark, "WPS-CRED-RECEIVED") {
		s.w.t.Error("a device was let in whose tag was taken back")
	}
}

func TestNFCConfigurationTokenOfHostapd(t *testing.T) {
	for _, a := range []ap{{}, {security: "open"}, {psk: testPSK}, {channel: 36}} {
		t.Run(fmt.Sprintf("%s %d %d", a.security, a.channel, len(a.psk)), func(t *testing.T) {
			w := newWorld(t)
			h := w.startAP(a)
			d := w.startDaemon()
			var made []byte
			for _, format := range []string{"NDEF", "WPS"} {
				made = h.hex("WPS_NFC_CONFIG_TOKEN %s", format)
				c := d.networkOfTag(d.readTag(made))
				h.gives(c)
				if format == "NDEF" {
					w.connects("wlan2", c, h)
				}
			}
			// What hostapd made, we would make byte for byte.
			tag, err := ndef.Parse(made)
			w.must(err)
			if again := tag.Configuration.Append(nil); !bytes.Equal(again, made) {
				t.Errorf("hostapd's token is %x, ours of the same %x", made, again)
			}
		})
	}
}

func TestNFCConfigurationTokenConnectsASupplicant(t *testing.T) {
	w := newWorld(t)
	h, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	connects := func(tag []byte) {
		t.Helper()
		mark := e.mark()
		e.mustOK("WPS_NFC_TAG_READ %x", tag)
		e.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+h.bssid, 30*time.Second)
		e.mustOK("DISCONNECT")
		e.mustOK("REMOVE_NETWORK all")
	}
	// The access point's own, as its software makes it.
	connects(d.nfc("NfcConfigToken", "NDEF", options()))
	connects(d.nfc("NfcConfigToken", "WPS", options()))
	// That of a stored network.
	path := d.mustCall(rootPath, "Manager.AddNetwork",
		options("ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte(testPassphrase)))[0]
	connects(d.nfc("NfcConfigToken", "NDEF", options("network", path)))
}

// TestNFCOurTokensAreHostapds: of the same settings, byte for byte.
func TestNFCOurTokensAreHostapds(t *testing.T) {
	w := newWorld(t)
	h, d := w.startHotspot(ap{})
	for _, format := range []string{"NDEF", "WPS"} {
		if ours, theirs := d.nfc("NfcConfigToken", format, options()),
			h.hex("WPS_NFC_CONFIG_TOKEN %s", format); !bytes.Equal(ours, theirs) {
			t.Errorf("%s: %x, hostapd says %x", format, ours, theirs)
		}
	}
	sel := h.hex("NFC_GET_HANDOVER_SEL NDEF WPS-CR")
	if ours := d.nfc("NfcHandoverSelect", "NDEF", "WPS-CR", options()); !bytes.Equal(ours, sel) {
		t.Errorf("handover select %x, hostapd says %x", ours, sel)
	}
}

func TestNFCAccessPointsTokenInPlaceOfItsPIN(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	d.refused("NoToken", d.iface(), "Interface.Learn", h.bssid, "nfc-pw", options())
	token := h.hex("WPS_NFC_TOKEN NDEF")
	if got := h.ask("WPS_NFC_TOKEN enable"); strings.TrimSpace(got) != "" && got != "OK" {
		t.Fatalf("enable: %q", got)
	}
	if what := d.readTag(token); what["kind"].Value() != "password" {
		t.Fatalf("the tag gives %v", what)
	}
	h.gives(d.call(d.client, "Learn", h.bssid, "nfc-pw", options()).succeeds(oneRun))
	// Its PIN is good beside its token.
	h.gives(d.learn(h, labelPIN).succeeds(oneRun))
	d.readTag(token)
	c := d.call(d.client, "Configure", h.bssid, "nfc-pw",
		options("ssid", []byte("by tag"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte("a new passphrase"))).succeeds(oneRun)
	if string(c.ssid) != "by tag" || string(c.key) != "a new passphrase" {
		t.Errorf("configured as %q", c.ssid)
	}
}

func TestNFCOurAccessPointsTokenAtASupplicant(t *testing.T) {
	w := newWorld(t)
	h, d := w.startHotspot(withAPPIN(ap{}))
	e := w.startSupplicant(station)
	e.mustOK("WPS_NFC_TAG_READ %x", d.nfc("NfcPasswordToken", "NDEF"))
	mark := e.mark()
	e.mustOK("WPS_REG %s nfc-pw", h.bssid)
	e.wait(mark, "WPS-CRED-RECEIVED", oneRun)
	e.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+h.bssid, 30*time.Second)
}

func TestNFCHandoverWithHostapd(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	d := w.startDaemon()
	for range 2 {
		request := d.nfc("NfcHandoverRequest", "NDEF", "WPS-CR")
		sel := h.hex("NFC_GET_HANDOVER_SEL NDEF WPS-CR")
		h.mustOK("NFC_REPORT_HANDOVER RESP WPS %x %x", request, sel)
		s := d.reportHandover("INIT", request, sel)
		c := s.succeeds(oneRun)
		h.gives(c)
		if peer, message := s.property("Peer"), s.property("Message"); peer != h.bssid ||
			message != "WSC_DONE" {
			t.Errorf("Peer %v, Message %v", peer, message)
		}
		d.refused("NoToken", d.iface(), "Interface.NfcReportHandover", "INIT", "WPS", request,
			sel, options())
	}
	// A Registrar with another key than it said gets nothing from us.
	request := d.nfc("NfcHandoverRequest", "NDEF", "WPS-CR")
	answer, err := ndef.ParseHandoverSelect(h.hex("NFC_GET_HANDOVER_SEL NDEF WPS-CR"))
	w.must(err)
	h.mustOK("NFC_REPORT_HANDOVER RESP WPS %x %x", request, answer.AppendCarrier(nil))
	answer.PublicKeyHash[0] ^= 1
	s := d.reportHandover("INIT", request, answer.AppendMessage(nil))
	if o := s.fails(oneRun, "protocol-error"); o.configError != 20 ||
		!strings.Contains(o.sentence, "another key") {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
}

func TestNFCHandoverWithASupplicant(t *testing.T) {
	w := newWorld(t)
	_, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	request := e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := d.nfc("NfcHandoverSelect", "NDEF", "WPS-CR", options())
	s := d.reportHandover("RESP", request, sel)
	mark := e.mark()
	e.mustOK("NFC_REPORT_HANDOVER INIT WPS %x %x", request, sel)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
}

// TestNFCTagsThatAreNone: what hostap's own tests say has to be refused is refused by both.
func TestNFCTagsThatAreNone(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	d := w.startDaemon()
	for _, bad := range []string{
		"11223344", "00112233", "0000112233445566", "0800112233445566", "080011223344", "18000000",
		"18010000", "90000050", "9000005000",
		"9001013344", "98010101334455", "0017ffffffe3", "0017ffffffe4", "0017ffffffe9",
		"0000fffffffa", "080000000000",
		"00", "000000", "10000001", "10000000", "00000000", "100e0000", "100e0001ff",
		"100e000411110000", "100e0004100e0001",
	} {
		b, err := hex.DecodeString(bad)
		w.must(err)
		d.refused("InvalidTag", d.iface(), "Interface.NfcTagRead", b, options())
		if got := h.ask("WPS_NFC_TAG_READ %s", bad); !strings.HasPrefix(got, "FAIL") {
			t.Errorf("hostapd takes %s: %q", bad, got)
		}
	}
}

// TestNFCExternalRegistrar: a supplicant's tag is read, a configuration token is made, and a
// handover answered, by an External Registrar of hostapd.
func TestNFCExternalRegistrar(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})
	e := w.startSupplicant(station)

	t.Log("a configuration token")
	tag := r.mustCall(r.iface(), "ER.NfcConfigToken", upnpUUID, "NDEF")[0].([]byte)
	mark := e.mark()
	e.mustOK("WPS_NFC_TAG_READ %x", tag)
	e.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+h.bssid, 30*time.Second)
	e.mustOK("DISCONNECT")
	e.mustOK("REMOVE_NETWORK all")

	t.Log("the tag of a device")
	s := &session{d: r.daemon, owner: r.client, from: r.signals.len(), began: time.Now()}
	what := r.mustCall(r.iface(), "ER.NfcTagRead", e.hex("WPS_NFC_TOKEN NDEF"),
		options())[0].(map[string]godbus.Variant)
	s.path = what["session"].Value().(godbus.ObjectPath)
	mark = e.mark()
	e.mustOK("WPS_NFC")
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
	if method := s.property("Method"); method != "nfc" {
		t.Errorf("Method %v", method)
	}
	e.mustOK("DISCONNECT")
	e.mustOK("REMOVE_NETWORK all")

	t.Log("a handover")
	request := e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := r.mustCall(r.iface(), "ER.NfcHandoverSelect", h.bssid, "NDEF", "WPS-CR")[0].([]byte)
	s = &session{d: r.daemon, owner: r.client, from: r.signals.len(), began: time.Now()}
	r.mustCall(r.iface(), "Interface.NfcReportHandover", "RESP", "WPS", request, sel, options())
	added := r.client.wait(s.from, time.Second, "the session", func(g signal) bool {
		path, ok := g.Body[0].(godbus.ObjectPath)
		return g.Name == "org.freedesktop.DBus.ObjectManager.InterfacesAdded" && ok &&
			strings.Contains(string(path), "/sessions/")
	})
	s.path = added.Body[0].(godbus.ObjectPath)
	mark = e.mark()
	e.mustOK("NFC_REPORT_HANDOVER INIT WPS %x %x", request, sel)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)

	t.Log("the tag of the access point, in place of its PIN")
	r.refused("NoToken", r.iface(), "ER.Learn", upnpUUID, "nfc-pw", options())
	tag = h.hex("WPS_NFC_TOKEN NDEF")
	h.ask("WPS_NFC_TOKEN enable")
	r.readTag(tag)
	learned := r.er("Learn", upnpUUID, "nfc-pw", options())
	h.gives(learned.succeeds(oneRun))
	if method := learned.property("Method"); method != "nfc" {
		t.Errorf("Method %v", method)
	}
	r.refused("NoToken", r.iface(), "ER.Configure", upnpUUID, "nfc-pw",
		options("ssid", []byte("x"), "auth", "OPEN", "encryption", "NONE"))
	forged := bytes.Clone(tag)
	// the hash of the key comes first in the password attribute
	forged[bytes.Index(forged, []byte{0x10, 0x2c})+4] ^= 1
	r.readTag(forged)
	if o := r.er("Learn", upnpUUID, "nfc-pw", options()).fails(oneRun, "protocol-error", "rejected",
		"registrar-busy"); o.configError != 20 {
		t.Errorf("with another key: configuration error %d: %s", o.configError, o.sentence)
	}
	r.readTag(tag)
	settings := h.ap
	r.er("Configure", upnpUUID, "nfc-pw", options("ssid", []byte(settings.ssid), "auth", "WPA2PSK",
		"encryption", "CCMP", "key", []byte(settings.passphrase))).succeeds(oneRun)
	h.wait(0, "WPS-NEW-AP-SETTINGS", 5*time.Second)
}

// TestNFCAccessPointOfWPASupplicant: wpa_supplicant knows handover and configuration tokens in AP
// mode, but has no token for its access point, and takes those of others for its External Registrar
// only: that is said, and nobody waits.
func TestNFCAccessPointOfWPASupplicant(t *testing.T) {
	w := newWorld(t)
	a := w.startSupplicant(apRadio, "network={", "mode=2", fmt.Sprintf("ssid=%x", testSSID),
		"frequency=2412", "key_mgmt=WPA-PSK", "proto=RSN", "pairwise=CCMP",
		fmt.Sprintf("psk=%q", testPassphrase), "}")
	a.wait(0, "AP-ENABLED", 20*time.Second)
	d := w.startSteering(filepath.Join(scratch, "supplicant-"+apRadio))
	e := w.startSupplicant(station)
	joins := func(s *session, mark int) {
		t.Helper()
		s.admits(station, oneRun)
		e.joins(mark, 10*time.Second)
		e.mustOK("DISCONNECT")
		e.mustOK("REMOVE_NETWORK all")
	}
	o := d.admitsTag(e.hex("WPS_NFC_TOKEN NDEF")).fails(5*time.Second, "not-supported")
	if !strings.Contains(o.sentence, "hostapd") {
		t.Error(o.sentence)
	}

	request := e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := d.nfc("NfcHandoverSelect", "NDEF", "WPS-CR", options())
	s := d.reportHandover("RESP", request, sel)
	mark := e.mark()
	e.mustOK("NFC_REPORT_HANDOVER INIT WPS %x %x", request, sel)
	joins(s, mark)

	mark = e.mark()
	e.mustOK("WPS_NFC_TAG_READ %x", d.nfc("NfcConfigToken", "NDEF", options()))
	e.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+w.mac(apRadio), 30*time.Second)
	d.refused("NotSupported", d.iface(), "Interface.NfcPasswordToken", "NDEF")
}

// TestNFCUnconfiguredAccessPoint: an access point without settings chooses them when its token is
// made.
func TestNFCUnconfiguredAccessPoint(t *testing.T) {
	w := newWorld(t)
	h, d := w.startHotspot(ap{security: "open", extra: []string{"wps_state=1"}})
	tag, err := ndef.Parse(d.nfc("NfcConfigToken", "NDEF", options()))
	w.must(err)
	c := tag.Configuration.Credentials[0]
	if c.AuthType.String() != "WPA2PSK" || c.NetworkKey.Len() < 8 {
		t.Fatalf("the token has %v", c)
	}
	h.wait(0, "WPS-NEW-AP-SETTINGS", 5*time.Second)
	w.until("it has the settings of the token", 10*time.Second, func() bool {
		config := h.ask("GET_CONFIG")
		return strings.Contains(config, "passphrase="+string(c.NetworkKey.Bytes())) &&
			strings.Contains(config, "wps_state=configured")
	})
	e := w.startSupplicant(station)
	e.mustOK("WPS_NFC_TAG_READ %x", tag.Configuration.AppendNDEF(nil))
	e.wait(0, "CTRL-EVENT-CONNECTED - Connection to "+h.bssid, 30*time.Second)
}

// TestNFCWithWpsctl is what a person does who has a program that reads and writes tags.
func TestNFCWithWpsctl(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	w.startBus()
	r := w.startERDaemon()
	expect := func(status int, want string, args ...string) string {
		t.Helper()
		got := w.run(append([]string{"/in/wpsctl", "nfc"}, args...)...)
		if got.status != status || !strings.Contains(got.stdout+got.stderr, want) {
			t.Errorf("wpsctl nfc %v: status %d, want %d and %q\n%s%s", args, got.status, status,
				want, got.stdout, got.stderr)
		}
		return got.stdout
	}
	r.mustCall(r.iface(), "ER.Start", options())
	r.finds(upnpUUID, 10*time.Second)
	expect(16, "not known", "config-token", "--er", h.bssid)
	h.gives(r.er("Learn", upnpUUID, labelPIN, options()).succeeds(oneRun))
	e := w.startSupplicant(station)

	t.Log("a configuration token of the External Registrar")
	mark := e.mark()
	e.mustOK("WPS_NFC_TAG_READ %s",
		strings.TrimSpace(expect(0, "", "config-token", "--er", upnpUUID, "--hex")))
	e.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+h.bssid, 30*time.Second)
	e.mustOK("DISCONNECT")
	e.mustOK("REMOVE_NETWORK all")

	t.Log("the tag of a device")
	file := w.write("tag", string(e.hex("WPS_NFC_TOKEN NDEF")))
	done := make(chan result, 1)
	go func() { done <- w.run("/in/wpsctl", "nfc", "read", "--er", file) }()
	w.until("a session runs", 5*time.Second, func() bool {
		return strings.Contains(r.output(), "purpose=admit")
	})
	mark = e.mark()
	e.mustOK("WPS_NFC")
	if got := <-done; got.status != 0 ||
		!strings.Contains(got.stdout, w.mac(station)+" was let into the network") {
		t.Errorf("wpsctl nfc read: status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")
	e.mustOK("REMOVE_NETWORK all")

	t.Log("a handover")
	request := w.write("request", string(e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")))
	answer := filepath.Join(w.dir, "select")
	expect(0, "", "handover-select", "--er", h.bssid, "-o", answer)
	go func() { done <- w.run("/in/wpsctl", "nfc", "report-handover", "resp", request, answer) }()
	w.until("another session runs", 5*time.Second, func() bool {
		return strings.Count(r.output(), "purpose=admit") > 2
	})
	mark = e.mark()
	e.mustOK("NFC_REPORT_HANDOVER INIT WPS %s %s",
		strings.TrimSpace(w.sh("od -An -v -tx1 %s | tr -d ' \\n'", request)),
		strings.TrimSpace(w.sh("od -An -v -tx1 %s | tr -d ' \\n'", answer)))
	if got := <-done; got.status != 0 ||
		!strings.Contains(got.stdout, w.mac(station)+" was let into the network") {
		t.Errorf("wpsctl nfc report-handover: status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	e.joins(mark, 10*time.Second)
}
