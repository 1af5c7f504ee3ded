//go:build hwsim

package hwsim

import (
	"bufio"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// nmAgent is a running "wpsctl nm-agent".
type nmAgent struct {
	*process
	w *world
}

func (w *world) startNMAgent(name string) *nmAgent {
	w.t.Helper()
	return &nmAgent{w.start(name, "/in/wpsctl", "--json", "nm-agent", "--unattended"), w}
}

// events are those that it has told so far.
func (a *nmAgent) events() (kinds []string, last map[string]any) {
	a.w.t.Helper()
	for s := bufio.NewScanner(strings.NewReader(a.output())); s.Scan(); {
		var e map[string]any
		if json.Unmarshal(s.Bytes(), &e) == nil {
			kind, _ := e["event"].(string)
			kinds, last = append(kinds, kind), e
		}
	}
	return kinds, last
}

// tells waits until the newest event is this one, and no other than the first so many.
func (a *nmAgent) tells(kind string) map[string]any {
	a.w.t.Helper()
	var last map[string]any
	a.w.until(a.name+" tells "+kind, time.Minute, func() bool {
		var kinds []string
		kinds, last = a.events()
		return len(kinds) > 0 && kinds[len(kinds)-1] == kind
	})
	return last
}

// keyless adds a connection to a network without its key, once NetworkManager hears that.
func (n *networkManager) keyless(ssid, wpsMethod string) {
	n.w.t.Helper()
	n.mustNmcli("con", "add", "type", "wifi", "ifname", station, "con-name", ssid, "ssid",
		ssid, "wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.wps-method", wpsMethod,
		"connection.autoconnect", "no", "ipv6.method", "disabled")
	n.w.until("NetworkManager hears the network", 60*time.Second, func() bool {
		list := n.nmcli("-g", "SSID", "dev", "wifi", "list", "ifname", station, "--rescan", "yes")
		return slices.Contains(strings.Split(list.stdout, "\n"), ssid)
	})
}

// up begins to connect as a person does who has no password to give.
func (n *networkManager) up(ssid string) *process {
	return n.w.start("nmcli-up", "nmcli", "-w", "100", "con", "up", ssid)
}

// NetworkManager that lacks a key asks the agent, a button is pressed, and it is connected, has an
// address, and has kept the key: with wpa_supplicant, and with iwd, whose WPS it does not use.
func TestManagerNetworkManagerAsksTheAgentForAKey(t *testing.T) {
	for _, backend := range []string{"wpa_supplicant", "iwd"} {
		t.Run(backend, func(t *testing.T) {
			w := newWorld(t)
			fresh := w.startAP(ap{})
			neighbour := w.startAP(ap{radio: "wlan2", ssid: "neighbour"})
			w.serveAddresses(fresh, newAddress)
			w.startBus()
			var nm *networkManager
			if backend == "iwd" {
				w.startIwdWith("false")
				nm = w.startNetworkManagerAlone("[device]", "wifi.backend=iwd")
			} else {
				nm = w.startNetworkManager()
			}
			d := w.startDaemonAgain()
			nm.keyless(testSSID, "disabled")
			agent := w.startNMAgent("nm-agent")
			agent.tells("registered")
			second := w.startNMAgent("nm-agent-2")
			second.tells("refused")
			second.stop()

			t.Log("NetworkManager stops to want the key")
			up := nm.up(testSSID)
			agent.tells("waiting")
			if r := nm.nmcli("con", "down", testSSID); r.status != 0 {
				t.Fatalf("%s\n%s", r.stderr, agent.output())
			}
			agent.tells("canceled")
			<-up.done

			t.Log("the button of another network is pressed, then the right one")
			up = nm.up(testSSID)
			session := agent.tells("waiting")["session"].(string)
			neighbour.mustOK("WPS_PBC")
			wrong := d.conn.Object(busName, d.iface()+"/aps/"+
				godbus.ObjectPath(strings.ReplaceAll(neighbour.bssid, ":", "_")))
			w.until("wpsd hears the wrong button", time.Minute, func() bool {
				flags, err := wrong.GetProperty(busName + ".AccessPoint.Flags")
				return err == nil && flags.Value() == "WPS-PBC"
			})
			began := time.Now()
			fresh.mustOK("WPS_PBC")
			nm.connectedTo(testSSID)
			w.hasAddress(newAddress)
			t.Logf("connected %v after the button", time.Since(began))
			<-up.done
			agent.tells("answered")
			if up.cmd.ProcessState.ExitCode() != 0 || !nm.knows(testSSID, testPassphrase) {
				t.Errorf("NetworkManager has not kept the key: %s", up.output())
			}
			if strings.Contains(agent.output()+d.output(), testPassphrase) {
				t.Error("a log has the key")
			}
			t.Logf("wpsd's session was %s", session)
			w.owesNothing()
		})
	}
}

// Where NetworkManager runs push button itself the agent keeps out of it, and so it does where the
// network has no WPS. It registers again with a NetworkManager that was restarted.
func TestManagerNetworkManagerRunsItsOwnPushButton(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{})
	const plain = "without wps"
	w.startAP(ap{radio: "wlan2", channel: 6, ssid: plain, extra: []string{"wps_state=0"}})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	nm := w.startNetworkManager()
	d := w.startDaemonAgain()
	nm.keyless(testSSID, "default")
	agent := w.startNMAgent("nm-agent")
	agent.tells("registered")
	up := nm.up(testSSID)
	if e := agent.tells("declined"); !strings.Contains(e["message"].(string), "itself") {
		t.Errorf("the agent says %v", e)
	}
	<-up.done
	nm.keyless(plain, "disabled")
	up = nm.up(plain)
	w.until("the agent has nothing to offer there", time.Minute, func() bool {
		return strings.Contains(agent.output(), "does not offer WPS")
	})
	<-up.done
	nm.process.stop()
	agent.tells("left")
	nm.process = w.runNetworkManager(nm.config)
	agent.tells("registered")
	if got := d.property(d.iface(), "Interface", "Session"); got != godbus.ObjectPath("/") {
		t.Errorf("wpsd has a session: %v", got)
	}
}
