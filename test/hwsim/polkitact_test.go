//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// In these scenarios the real polkitd is asked for two users who may do what somebody who sits at
// the machine may: join networks. What a call would do decides whether that is enough.

// tagWith is a configuration token of a network with a key.
func tagWith(ssid, key string) []byte {
	return (&ndef.ConfigurationToken{Version2: wsc.Version20, Credentials: []wsc.Credential{{
		NetworkIndex: 1, SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString(key),
	}}}).AppendNDEF(nil)
}

// TestPolkitWhoMayJoinLetsNobodyIn: at an access point of this machine the same methods let devices
// into its network.
func TestPolkitWhoMayJoinLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	w.startBus()
	w.startPolkitd()
	d := w.startDaemonOn(apRadio, "hostapd_ctrl_interface="+h.ap.controlDir())
	e := w.startSupplicant(station)
	tag, request := e.hex("WPS_NFC_TOKEN NDEF"), e.hex("NFC_GET_HANDOVER_REQ NDEF WPS-CR")
	sel := d.nfc("NfcHandoverSelect", "NDEF", "WPS-CR", options())
	web, games := w.connectAs(uidWeb), w.connectAs(uidGames)
	for _, call := range []struct {
		method string
		args   []any
	}{
		{"StartPbc", []any{options("detach", true)}},
		{"StartPin", []any{options("pin", labelPIN)}},
		{"StartNfc", []any{options()}},
		{"NfcTagRead", []any{tag, options("detach", true)}},
		{"NfcReportHandover", []any{"RESP", "WPS", request, sel, options("detach", true)}},
		{"NfcHandoverSelect", []any{"NDEF", "WPS-CR", options()}},
	} {
		web.refused("NotAuthorized", d.iface(), "Interface."+call.method, call.args...)
		if s := d.property(d.iface(), "Interface", "Session"); s != godbus.ObjectPath("/") {
			t.Errorf("%s: a session runs", call.method)
		}
	}
	if status := h.ask("WPS_GET_STATUS"); strings.Contains(status, "PBC Status: Active") {
		t.Errorf("the access point's button is pressed: %s", status)
	}
	e.refusedByTag(h.bssid)
	e.refused(h.bssid, labelPIN)

	// Who may: with the PIN, and by the tag. The first user cannot end that, another process of the
	// same one can.
	s := d.begin(games, "StartPin", "pin", labelPIN)
	web.refused("NotAuthorized", s.path, "Session.Cancel")
	web.refused("NotAuthorized", d.iface(), "Interface.Cancel")
	w.connectAs(uidGames).mustCall(d.iface(), "Interface.Cancel")
	s.fails(10*time.Second, "canceled")
	s = d.begin(games, "StartPin", "pin", labelPIN)
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
}

// TestPolkitSessionsOfOthers: whoever may join networks does not end what another user has begun;
// what one has begun oneself ends from another terminal, also when the first was closed.
func TestPolkitSessionsOfOthers(t *testing.T) {
	w := newWorld(t)
	w.startAP(ap{})
	d, _ := w.startPolkitDaemon()
	web, backup := w.connectAs(uidWeb), w.connectAs(uidBackup)
	s := d.begin(web, "StartPbc", "detach", true)
	s.owner = d.client // who starts it leaves
	w.must(web.conn.Close())
	backup.refused("NotAuthorized", s.path, "Session.Cancel")
	backup.refused("NotAuthorized", d.iface(), "Interface.Cancel")
	backup.refused("Busy", d.iface(), "Interface.StartPbc", options())
	if state := s.property("State"); state != "scanning" {
		t.Errorf("State %v", state)
	}
	if scanning := d.property(d.iface(), "Interface", "Scanning"); scanning != true {
		t.Errorf("the session scans, Scanning is %v", scanning)
	}
	again := w.connectAs(uidWeb)
	again.mustCall(s.path, "Session.Cancel")
	s.fails(10*time.Second, "canceled")
	again.refused("NoSession", d.iface(), "Interface.Cancel")
}

// TestPolkitTags: a tag with a new network is for everybody who may join; one that changes the key
// of a stored network, and one with a device's password, are not.
func TestPolkitTags(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d, _ := w.startPolkitDaemon()
	web, games := w.connectAs(uidWeb), w.connectAs(uidGames)
	read := func(c *client, tag []byte) godbus.ObjectPath {
		t.Helper()
		return c.mustCall(d.iface(), "Interface.NfcTagRead", tag,
			options())[0].(map[string]godbus.Variant)["network"].Value().(godbus.ObjectPath)
	}
	keyOf := func(network godbus.ObjectPath) string {
		t.Helper()
		return string(newCredential(d.mustCall(network,
			"Network.GetSecrets")[0].(map[string]godbus.Variant)).key)
	}
	network := read(web, a.hex("WPS_NFC_CONFIG_TOKEN NDEF"))
	// it is known just so
	if again := read(web, a.hex("WPS_NFC_CONFIG_TOKEN NDEF")); again != network {
		t.Errorf("the same network is %s, and was %s", again, network)
	}
	evil := tagWith(testSSID, "another passphrase")
	web.refused("NotAuthorized", d.iface(), "Interface.NfcTagRead", evil, options())
	web.refused("NotAuthorized", d.iface(), "ER.NfcTagRead", evil, options())
	web.refused("NotAuthorized", rootPath, "Manager.NfcTagRead", evil, options())
	web.refused("NotAuthorized", d.iface(), "Interface.NfcTagRead",
		a.hex("WPS_NFC_TOKEN NDEF"), options())
	web.refused("NotAuthorized", rootPath, "Manager.NfcTagRead",
		a.hex("WPS_NFC_TOKEN NDEF"), options())
	web.refused("InvalidTag", d.iface(), "Interface.NfcTagRead", []byte("noise"), options())
	if got := keyOf(network); got != testPassphrase || len(d.networks()) != 1 {
		t.Errorf("%d networks, the key is %q", len(d.networks()), got)
	}
	if got := keyOf(read(games, evil)); got != "another passphrase" {
		t.Errorf("who may has the key %q", got)
	}
	web.refused("NoToken", d.iface(), "Interface.StartNfc", options())
	web.mustCall(rootPath, "Manager.NfcTagRead", tagWith("a cabin", "yet another one"), options())
}

// TestManagerNetworkIsNotChangedByATag: NetworkManager has a profile, wpsd has never heard of it.
func TestManagerNetworkIsNotChangedByATag(t *testing.T) {
	w := newWorld(t)
	w.startBus()
	n := w.startNetworkManager()
	if !sandboxed() {
		w.startPolkitd()
	}
	d := w.startDaemonAgain()
	web := w.connectAs(uidWeb)
	evil := tagWith(oldSSID, "another passphrase")
	web.refused("NotAuthorized", d.iface(), "Interface.NfcTagRead", evil, options())
	web.refused("NotAuthorized", d.iface(), "Interface.NfcTagRead", evil,
		options("apply", "networkmanager"))
	if got := n.mustNmcli("-s", "-g", "802-11-wireless-security.psk", "con", "show",
		oldSSID); got != oldPassphrase || len(d.networks()) != 0 {
		t.Errorf("NetworkManager has the key %q, wpsd %d networks", got, len(d.networks()))
	}
	// NetworkManager has nothing to do with it
	web.mustCall(d.iface(), "Interface.NfcTagRead", evil, options("apply", "none"))
	web.mustCall(d.iface(), "Interface.NfcTagRead",
		tagWith("a cabin", "yet another one"), options())
	web.mustCall(d.iface(), "Interface.NfcTagRead", tagWith(oldSSID, "another passphrase"),
		options("apply", "none"))
	web.refused("NotAuthorized", d.iface(), "Interface.NfcTagRead",
		tagWith("elsewhere", "not so far away"), options())
}

// TestPolkitPermissions: what an applet shows as possible is what polkit says.
func TestPolkitPermissions(t *testing.T) {
	w := newWorld(t)
	d, _ := w.startPolkitDaemon()
	for uid, want := range map[int]string{
		0: "yes yes yes yes yes", uidGames: "yes yes yes yes yes", uidMail: "no no no no no",
		uidWeb: "yes yes no no no", uidList: "auth auth auth auth auth",
		uidNobody: "no no no no no",
	} {
		may := w.connectAs(uid).mustCall(rootPath, "Manager.GetPermissions")[0].(map[string]string)
		got := ""
		for _, action := range []string{"scan", "enroll", "register", "read-secrets", "manage"} {
			got += " " + may["fi.w1.wps."+action]
		}
		if strings.TrimSpace(got) != want || len(may) != 5 {
			t.Errorf("user %d: %v, want %s", uid, may, want)
		}
	}
	if v := d.property(rootPath, "Manager", "ApiVersion"); v != uint32(1) {
		t.Errorf("ApiVersion %v", v)
	}
	if v := d.property(d.iface(), "Interface", "Capabilities").([]string); strings.Join(v,
		" ") != "scan pbc pin nfc learn configure er" {
		t.Errorf("Capabilities %v", v)
	}
}
