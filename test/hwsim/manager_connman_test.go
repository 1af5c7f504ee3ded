//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// connManager is ConnMan 1.41, which looks after addresses itself.
type connManager struct {
	*process
	w *world
}

const connmanDirectory = "/var/lib/connman"

// startConnman starts it for the station, as Debian does, with the networks that it was told of;
// what drives the radio is there already.
func (w *world) startConnman(backend string) *connManager {
	w.t.Helper()
	w.must(os.RemoveAll(connmanDirectory))
	w.must(os.MkdirAll(connmanDirectory, 0o700))
	w.must(os.WriteFile(filepath.Join(connmanDirectory, "settings"),
		[]byte("[global]\nOfflineMode=false\n[WiFi]\nEnable=true\nTethering=false\n"), 0o600))
	w.must(os.WriteFile(filepath.Join(connmanDirectory, "ours.config"), []byte(fmt.Sprintf(
		"[service_old]\nType=wifi\nName=%s\nPassphrase=%s\n[service_else]\nType=wifi\nName=elsewhere\nPassphrase=not in reach\n",
		oldSSID, oldPassphrase)), 0o600))
	args := []string{"connmand", "-n", "-i", station, "--nodnsproxy"}
	if backend == "iwd" {
		w.startIwdWith("false")
		for _, ssid := range []string{oldSSID, "elsewhere"} {
			os.Remove(filepath.Join(iwdDirectory, ssid+".psk"))
		}
		args = append(args, "--wifi=iwd")
	} else {
		w.startSupplicantService()
	}
	return &connManager{w.start("connmand", args...), w}
}

func (*connManager) name() string { return "connman" }

// services is what it says of the networks in reach.
func (c *connManager) services() string {
	c.w.t.Helper()
	return c.w.run("busctl", "call", "net.connman", "/", "net.connman.Manager", "GetServices",
		"--json=short").stdout
}

var connmanState = regexp.MustCompile(`"State":\{"type":"s","data":"(\w+)"\}`)

func (c *connManager) connectedTo(ssid string) {
	c.w.t.Helper()
	c.w.until("ConnMan is connected to "+ssid, 90*time.Second, func() bool {
		for _, one := range strings.Split(c.services(), `["/net/connman/service/`) {
			state := connmanState.FindStringSubmatch(one)
			if strings.Contains(one, fmt.Sprintf("_%x_managed_", ssid)) && state != nil &&
				(state[1] == "ready" || state[1] == "online") {
				return true
			}
		}
		return false
	})
}

func (c *connManager) knows(ssid, key string) bool {
	c.w.t.Helper()
	for _, pattern := range []string{"*.config", "*/settings"} {
		files, _ := filepath.Glob(filepath.Join(connmanDirectory, pattern))
		for _, f := range files {
			text, err := os.ReadFile(f)
			c.w.must(err)
			if (strings.Contains(string(text), "Name="+ssid+"\n")) &&
				strings.Contains(string(text), "Passphrase="+key+"\n") {
				return true
			}
		}
	}
	return false
}

// ConnMan lets go, gets the network, and connects to it; after a cancel it is back in its own: with
// wpa_supplicant and with iwd.
func TestManagerConnmanGetsTheNetwork(t *testing.T) {
	for _, backend := range []string{"wpa_supplicant", "iwd"} {
		t.Run(backend, func(t *testing.T) {
			w := newWorld(t)
			_, fresh := w.home("fragment_size=100")
			w.startBus()
			m := w.startConnman(backend)
			m.connectedTo(oldSSID)
			w.hasAddress(oldAddress)
			d := w.startDaemonAgain("wps_fragment_size=100")

			t.Log("a session is canceled in its middle")
			mark := fresh.events.len()
			fresh.mustOK("WPS_PBC")
			s := d.startPBC()
			fresh.holdMidRun(mark, s)
			d.mustCall(s.path, "Session.Cancel")
			if o := s.ends(30 * time.Second); o.reason != "canceled" {
				t.Errorf("the session ended with %q: %s", o.reason, o.sentence)
			}
			m.connectedTo(oldSSID)
			w.hasAddress(oldAddress)
			w.owesNothing()
			fresh.goOn()
			fresh.mustOK("WPS_CANCEL")
			time.Sleep(6 * time.Second) // hostapd takes no notice of who has just pushed a button

			t.Log("the button is pressed")
			fresh.mustOK("WPS_PBC")
			s = d.startPBC()
			o := s.ends(2 * time.Minute)
			if o.networks == nil {
				t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
			}
			if manager := s.detail()["manager"].Value(); manager != m.name() {
				t.Errorf("Detail says that the network went to %v", manager)
			}
			m.connectedTo(testSSID)
			w.isIn(testSSID)
			w.hasAddress(newAddress)
			if !m.knows(testSSID, testPassphrase) || !m.knows(oldSSID, oldPassphrase) {
				t.Error("ConnMan has lost a network")
			}
			w.owesNothing()
		})
	}
}
