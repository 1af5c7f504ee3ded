//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestManagerWpaCli: Debian's wpa_cli as people leave it running, beside the real NetworkManager:
// one that is typed into, one that runs a script (-a), and one of a user who may only look.
func TestManagerWpaCli(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	w.hasAddress(oldAddress)
	const look = 5001
	config := []string{fmt.Sprintf("ctrl_interface=DIR=%s GROUP=netdev READ_GROUP=%d", controlPlace,
		look), "wps_cred_processing=2"}
	d := w.startDaemonAgain(config...)
	c := wpaCli{w, controlPlace, station}
	events := w.dialControl(d.process, filepath.Join(controlPlace, station))
	w.sh("chmod 1777 /tmp") // where wpa_cli binds its end
	command := []string{"wpa_cli", "-p", controlPlace, "-i", station}
	shell, typeLine := w.startTyped(0, "wpa_cli", command...)
	reader, readerTypes := w.startTyped(look, "wpa_cli-reader", command...)
	told := filepath.Join(w.dir, "told")
	w.start("wpa_cli-action", append(command, "-a", w.script("action", "echo \"$@\" >> "+told))...)
	shell.waitLog("Interactive mode", 10*time.Second)
	reader.waitLog("Interactive mode", 10*time.Second)

	if got := c.run("status"); !strings.Contains(got,
		"\nssid="+oldSSID+"\nmode=station\nwpa_state=COMPLETED\nip_address="+oldAddress) {
		t.Errorf("status in the old network: %q", got)
	}
	fresh.mustOK("WPS_PBC")
	mark := events.mark()
	typeLine("wps_pbc")
	events.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+fresh.bssid+
		" completed [id=0 id_str=]", 2*time.Minute)
	if link := w.sh("iw dev %s link", station); !strings.Contains(link, "SSID: "+testSSID+"\n") {
		t.Errorf("connected was told, and the station is here:\n%s", link)
	}
	nm.connectedTo(testSSID)
	w.hasAddress(newAddress)
	want := "bssid=" + fresh.bssid + "\nfreq=2412\nssid=" + testSSID +
		"\nid=0\nmode=station\nwpa_state=COMPLETED\nip_address=" + newAddress
	if got := c.run("status"); !strings.HasPrefix(got, want) {
		t.Errorf("status: %q, not %q", got, want)
	}
	typeLine("status")
	shell.waitLog("ip_address="+newAddress, 10*time.Second)

	// What was received is for those who may do everything.
	secret := fmt.Sprintf("%x", testPassphrase)
	shell.waitLog("WPS-CRED-RECEIVED 100e", 5*time.Second)
	if !strings.Contains(shell.output(), secret) {
		t.Error("the credential was not told")
	}
	for _, line := range []string{"get_network 0 psk", "wps_nfc_token NDEF",
		"wps_nfc_config_token NDEF 0", "wps_pin any"} {
		readerTypes(line)
	}
	reader.waitLog("WPS-SUCCESS", 5*time.Second)
	w.until("the reader is refused", 10*time.Second, func() bool {
		return strings.Count(reader.output(), "FAIL\n") == 3
	})
	if out := reader.output(); !strings.Contains(out, "WPS-CRED-RECEIVED \n") ||
		strings.Contains(out, secret) || strings.Contains(out, testPassphrase) {
		t.Errorf("who may only look is told\n%s", out)
	}

	// The connection is NetworkManager's, and ends when wpa_cli says so.
	mark = events.mark()
	typeLine("disconnect")
	events.wait(mark, "CTRL-EVENT-DISCONNECTED bssid="+fresh.bssid+" reason=3 locally_generated=1",
		20*time.Second)
	if got := nm.mustNmcli("-g", "GENERAL.STATE", "dev", "show",
		station); got != "30 (disconnected)" {
		t.Errorf("NetworkManager is %s", got)
	}
	if got := c.run("status"); !strings.HasPrefix(got, "wpa_state=DISCONNECTED\naddress=") {
		t.Errorf("status without a connection: %q", got)
	}
	c.must("select_network", "0")
	events.wait(mark, "CTRL-EVENT-CONNECTED", time.Minute)
	nm.connectedTo(testSSID)
	w.until("the script has run", 10*time.Second, func() bool {
		text, _ := os.ReadFile(told)
		_, rest, ok := strings.Cut(string(text), station+" WPS-SUCCESS\n")
		return ok && strings.HasSuffix(rest,
			station+" CONNECTED\n"+station+" DISCONNECTED\n"+station+" CONNECTED\n")
	})

	// NetworkManager disconnects and connects by itself.
	mark = events.mark()
	nm.mustNmcli("dev", "disconnect", station)
	events.wait(mark, "CTRL-EVENT-DISCONNECTED bssid="+fresh.bssid+" reason=0", 20*time.Second)
	nm.mustNmcli("con", "up", testSSID)
	events.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+fresh.bssid+" completed",
		20*time.Second)

	// wpsd is restarted, and wpa_cli finds it again.
	d.stop()
	shell.waitLog("trying to reconnect", time.Minute)
	w.startDaemonAgain(config...)
	shell.waitLog("re-established", time.Minute)
	typeLine("wps_check_pin 1234-5670")
	shell.waitLog(labelPIN, 10*time.Second)
	w.owesNothing()
}

// script writes a shell script into the scenario's folder.
func (w *world) script(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	w.must(os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	return path
}
