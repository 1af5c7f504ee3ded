//go:build hwsim

package hwsim

import (
	"fmt"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wpa_cli with wpsd in the roles other than a station: External Registrar, access point, and what
// concerns NFC tags.

// named picks the events with one of these names, each text once.
func named(events []event, names ...string) []string {
	var list []string
	for _, e := range events {
		for _, name := range names {
			if strings.HasPrefix(e.text, name) && !slices.Contains(list, e.text) {
				list = append(list, e.text)
			}
		}
	}
	slices.Sort(list)
	return list
}

// erStory is README-WPS's External Registrar from its start to its stop, with Debian's wpa_cli. It
// returns the events that tell of access points and devices.
func erStory(w *world, h *hostapd, c wpaCli, events *control) []string {
	t := w.t
	t.Helper()
	expect := func(reply string, args ...string) {
		t.Helper()
		if got := c.run(args...); got != reply {
			t.Errorf("wpa_cli %s: %q, not %q", strings.Join(args, " "), got, reply)
		}
	}
	begin := events.mark()
	events.level(2) // what wpa_supplicant calls debugging: WPS-ER-AP-SET-SEL-REG
	c.must("wps_er_start")
	events.wait(begin, "WPS-ER-AP-ADD "+upnpUUID, 20*time.Second)
	c.must("wps_er_learn", upnpUUID, labelPIN)
	events.wait(begin, "WPS-ER-AP-SETTINGS ", 20*time.Second)
	events.wait(begin, "WPS-FAIL msg=11 config_error=0", 5*time.Second)
	tokens := []string{c.run("wps_er_nfc_config_token", "WPS", upnpUUID),
		c.run("wps_er_nfc_config_token", "NDEF", h.bssid),
		c.run("wps_er_nfc_config_token", "NDEF", "any")}
	mark := events.mark()
	c.must("wps_er_start") // again: everything is told again
	events.wait(mark, "WPS-ER-AP-ADD "+upnpUUID, 5*time.Second)

	// A device with a PIN, one with a button, and one that nobody knows.
	device := w.startSupplicant(station, "config_methods=display keypad virtual_push_button",
		"device_name=Wireless Client", "manufacturer=Company",
		"model_name=cmodel", "model_number=123", "serial_number=12345", "device_type=1-0050F204-1")
	c.must("wps_er_pin", "any", otherPIN, w.mac(station))
	mark = device.mark()
	device.ask("WPS_PIN any %s", otherPIN)
	device.wait(mark, "WPS-SUCCESS", 60*time.Second)
	device.wait(mark, "CTRL-EVENT-CONNECTED", 20*time.Second)
	seen := events.wait(begin, "WPS-ER-ENROLLEE-ADD ", 5*time.Second)
	device.mustOK("REMOVE_NETWORK all")
	time.Sleep(12 * time.Second) // an Enrollee is forgotten 10 s after its run

	mark = events.mark()
	other := device.mark()
	device.mustOK("WPS_PBC")
	events.wait(mark, "WPS-ER-ENROLLEE-ADD ", 20*time.Second)
	c.must("wps_er_pbc", anyUUID.FindString(seen.text))
	device.wait(other, "WPS-SUCCESS", 60*time.Second)
	expect("FAIL-UNKNOWN-UUID\n", "wps_er_pbc", "11111111-2222-3333-4444-555555555555")
	expect("FAIL\n", "wps_er_pbc", "any")
	expect("FAIL\n", "wps_er_learn", "11111111-2222-3333-4444-555555555555", labelPIN)
	device.stop()

	// What the next devices are given, from a network that is configured here; then new settings
	// for the access point.
	id := strings.TrimSpace(c.run("add_network"))
	c.must("set_network", id, "ssid", `"testing"`)
	c.must("set_network", id, "psk", `"12345678"`)
	c.must("wps_er_set_config", upnpUUID, id)
	mark = events.mark()
	c.must("wps_er_config", upnpUUID, labelPIN, "testing", "WPA2PSK", "CCMP", "12345678")
	events.wait(mark, "WPS-SUCCESS ", 30*time.Second)
	w.until("hostapd has the new settings", 20*time.Second, func() bool {
		return strings.Contains(h.ask("GET_CONFIG"), "\nssid=testing\n")
	})
	c.must("wps_er_stop")
	expect("OK\n", "wps_er_stop")
	return append(named(events.events.all(begin), "WPS-ER-AP-ADD", "WPS-ER-AP-SETTINGS",
		"WPS-ER-ENROLLEE-ADD", "WPS-ER-AP-SET-SEL-REG"), tokens...)
}

func TestWpaCliExternalRegistrar(t *testing.T) {
	config := []string{"ctrl_interface=DIR=" + controlPlace + " GROUP=netdev",
		"config_methods=virtual_display virtual_push_button keypad"}
	run := func(t *testing.T, start func(w *world) *process) (list []string) {
		w := newWorld(t)
		h := w.startAP(withUPnP(ap{}, "friendly_name=Very friendly name",
			"model_description=Long description of the model"))
		w.sh("ip link set lo up")
		p := start(w)
		events := w.dialControl(p, filepath.Join(controlPlace, "lo"))
		list = erStory(w, h, wpaCli{w, controlPlace, "lo"}, events)
		p.stop()
		h.stop()
		return list
	}
	var want, got []string
	t.Run("wpa_supplicant", func(t *testing.T) {
		want = run(t, func(w *world) *process {
			file := w.write("er.conf",
				strings.Join(config, "\n")+"\ndevice_name=WPS External Registrar\n")
			return w.start("wpa_supplicant-lo", "wpa_supplicant", "-t", "-d", "-D", "none", "-i",
				"lo", "-c", file)
		})
	})
	t.Run("wpsd", func(t *testing.T) {
		got = run(t, func(w *world) *process {
			w.startBus()
			return w.startERDaemon(config...).process
		})
	})
	if !slices.Equal(got, want) {
		t.Errorf("wpsd tells\n\t%s\nwpa_supplicant\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(want, "\n\t"))
	}
	// The samples of README-WPS, with what is on the air here.
	for _, sample := range []string{
		`^WPS-ER-AP-ADD ` + upnpUUID + ` 02(:00){5} pri_dev_type=6-0050F204-1 wps_state=2 \|Very friendly name\|wpsd\|Long description of the model\|hwsim\|http://www\.example\.com/\|http://www\.example\.com/model/\|$`,
		`^WPS-ER-ENROLLEE-ADD ` + anyUUID.String() +
			` 02:00:00:00:01:00 M1=1 config_methods=0x[0-9a-f]+ dev_passwd_id=0 pri_dev_type=1-0050F204-1 \|Wireless Client\|Company\|cmodel\|123\|12345\|$`,
		`^WPS-ER-AP-SETTINGS uuid=` + upnpUUID + ` ssid=` + testSSID +
			` auth_type=0x0020 encr_type=0x0008 key=` + testPassphrase + `$`,
	} {
		if !slices.ContainsFunc(got, regexp.MustCompile(sample).MatchString) {
			t.Errorf("nothing like %s", sample)
		}
	}
}

func TestWpaCliAtAnAccessPoint(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	w.startBus()
	d := w.startDaemonOn(apRadio, "hostapd_ctrl_interface="+h.ap.controlDir(),
		"ctrl_interface=DIR="+controlPlace+" GROUP=netdev")
	c := wpaCli{w, controlPlace, apRadio}
	events := w.dialControl(d.process, filepath.Join(controlPlace, apRadio))
	w.until("wpsd steers hostapd", 10*time.Second, func() bool {
		return c.run("wps_ap_pin", "disable") == "OK\n"
	})
	expect := func(reply string, args ...string) {
		t.Helper()
		if got := c.run(args...); got != reply {
			t.Errorf("wpa_cli %s: %q, not %q", strings.Join(args, " "), got, reply)
		}
	}
	if got := c.run("status"); !strings.HasPrefix(got, "mode=AP\n") {
		t.Errorf("status: %q", got)
	}
	expect("FAIL\n", "wps_ap_pin", "get")
	expect(labelPIN, "wps_ap_pin", "set", labelPIN, "300")
	expect(labelPIN, "wps_ap_pin", "get")
	if pin := c.run("wps_ap_pin", "random"); !anyPIN.MatchString(pin) ||
		c.run("wps_ap_pin", "get") != pin {
		t.Errorf("wps_ap_pin random: %q", pin)
	}
	expect("OK\n", "wps_ap_pin", "disable")
	expect("FAIL\n", "wps_ap_pin", "nonsense")
	expect("FAIL\n", "wps_cancel")
	expect("FAIL\n", "wps_reg", h.bssid, labelPIN)

	// A device that nobody has asked in, one with a PIN, one with its button.
	device := w.startSupplicant(station, "config_methods=display keypad virtual_push_button",
		"device_name=Wireless Client", "model_name=cmodel")
	mark, own := events.mark(), h.mark()
	device.ask("WPS_PIN %s %s", h.bssid, otherPIN)
	events.wait(mark, "WPS-PIN-NEEDED ", 40*time.Second)
	device.mustOK("WPS_CANCEL")
	expect(labelPIN, "wps_pin", "any", labelPIN, "300")
	from := device.mark()
	device.ask("WPS_PIN any %s", labelPIN)
	device.joins(from, 60*time.Second)
	events.wait(mark, "WPS-REG-SUCCESS "+w.mac(station), 5*time.Second)
	device.mustOK("REMOVE_NETWORK all")
	time.Sleep(2 * time.Second)
	expect("OK\n", "wps_pbc")
	events.wait(mark, "WPS-PBC-ACTIVE ", 5*time.Second)
	from = device.mark()
	device.mustOK("WPS_PBC")
	device.joins(from, 60*time.Second)
	events.wait(mark, "WPS-PBC-DISABLE ", 5*time.Second)
	for _, name := range []string{"WPS-PIN-NEEDED", "WPS-REG-SUCCESS", "WPS-PBC-ACTIVE",
		"WPS-PBC-DISABLE", "WPS-SUCCESS", "WPS-ENROLLEE-SEEN"} {
		got, want := named(events.events.all(mark), name), named(h.events.all(own), name)
		if !slices.Equal(got, want) {
			t.Errorf("wpsd tells\n\t%s\nhostapd\n\t%s", strings.Join(got, "\n\t"),
				strings.Join(want, "\n\t"))
		}
	}
	for _, format := range []string{"WPS", "NDEF"} {
		if got, want := c.run("wps_nfc_config_token", format),
			h.ask("WPS_NFC_CONFIG_TOKEN %s", format); got != want+"\n" {
			t.Errorf("wps_nfc_config_token %s: %q, hostapd says %q", format, got, want)
		}
	}
	if got, want := c.run("nfc_get_handover_sel", "NDEF", "WPS-CR"),
		h.ask("NFC_GET_HANDOVER_SEL NDEF WPS-CR"); got != want+"\n" {
		t.Errorf("nfc_get_handover_sel: %q, hostapd says %q", got, want)
	}
	expect(labelPIN, "wps_pin", w.mac("wlan3"), labelPIN)
	expect("OK\n", "wps_cancel")
	time.Sleep(time.Second) // a PIN is taken back without a word
	if list := named(events.events.all(mark), "WPS-CANCEL", "WPS-TIMEOUT"); len(list) > 0 {
		t.Errorf("told of a PIN that was taken back: %q", list)
	}
}

// TestWpaCliExternalRegistrarByTag: tags that are read before the External Registrar knows an
// access point: that one's own, in the place of its PIN, and a device's, which is let in once there
// is a network for it.
func TestWpaCliExternalRegistrarByTag(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	device := w.startSupplicant(station)
	w.startBus()
	p := w.startERDaemon("ctrl_interface=DIR=" + controlPlace + " GROUP=netdev").process
	c, events := wpaCli{w, controlPlace, "lo"}, w.dialControl(p, filepath.Join(controlPlace, "lo"))
	mark := events.mark()
	c.must("wps_er_start")
	events.wait(mark, "WPS-ER-AP-ADD "+upnpUUID, 20*time.Second)
	if got := c.run("wps_er_learn", upnpUUID, "nfc-pw"); got != "FAIL\n" {
		t.Errorf("before any tag was read: %q", got)
	}
	c.must("wps_nfc_tag_read", device.ask("WPS_NFC_TOKEN NDEF"))
	tag := h.ask("WPS_NFC_TOKEN NDEF")
	h.ask("WPS_NFC_TOKEN enable")
	c.must("wps_nfc_tag_read", tag)
	mark = events.mark()
	c.must("wps_er_learn", upnpUUID, "nfc-pw")
	if e := events.wait(mark, "WPS-ER-AP-SETTINGS ", 20*time.Second); !strings.HasSuffix(e.text,
		"key="+testPassphrase) {
		t.Errorf("learned %s", e.text)
	}
	from := device.mark()
	device.mustOK("WPS_NFC")
	device.joins(from, oneRun)
	events.wait(mark, "WPS-SUCCESS ", 10*time.Second)
	device.stop()

	c.must("wps_nfc_tag_read", tag)
	mark = events.mark()
	c.must("wps_er_config", upnpUUID, "nfc-pw", "testing", "WPA2PSK", "CCMP", "12345678")
	events.wait(mark, "WPS-SUCCESS ", 30*time.Second)
	w.until("hostapd has the new settings", 20*time.Second, func() bool {
		return strings.Contains(h.ask("GET_CONFIG"), "\nssid=testing\n")
	})
}

// TestWpaCliCancelsAtAnAccessPoint: wpa_supplicant as an access point, asked itself and through
// wpsd.
func TestWpaCliCancelsAtAnAccessPoint(t *testing.T) {
	w := newWorld(t)
	a := w.startSupplicant(apRadio, "network={", "mode=2", fmt.Sprintf("ssid=%x", testSSID),
		"frequency=2412",
		"key_mgmt=WPA-PSK", "proto=RSN", "pairwise=CCMP",
		fmt.Sprintf("psk=%q", testPassphrase), "}")
	a.wait(0, "CTRL-EVENT-CONNECTED", 20*time.Second)
	do := func(c wpaCli, events *control) (list []string) {
		t.Helper()
		for _, command := range [][]string{{"wps_cancel"}, {"wps_pbc"}, {"wps_cancel"},
			{"wps_pin", "any", labelPIN}, {"wps_cancel"}, {"wps_cancel"}} {
			mark := events.mark()
			reply := c.run(command...)
			time.Sleep(time.Second)
			list = append(list,
				fmt.Sprintf("%q: %q, %q", command, reply, named(events.events.all(mark), "WPS-")))
		}
		return list
	}
	want := do(wpaCli{w, filepath.Join(scratch, "supplicant-"+apRadio), apRadio}, a.control)
	w.startBus()
	d := w.startDaemonOn(apRadio, "hostapd_ctrl_interface="+
		filepath.Join(scratch, "supplicant-"+apRadio),
		"ctrl_interface=DIR="+controlPlace+" GROUP=netdev")
	c := wpaCli{w, controlPlace, apRadio}
	events := w.dialControl(d.process, filepath.Join(controlPlace, apRadio))
	w.until("wpsd steers it", 10*time.Second, func() bool {
		return c.run("wps_ap_pin", "disable") == "OK\n"
	})
	if got := do(c, events); !slices.Equal(got, want) {
		t.Errorf("wpsd\n\t%s\nwpa_supplicant\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(want, "\n\t"))
	}
}

// TestWpaCliExternalRegistrarElsewhere: wps_er_start ifname=, on a station's socket: the access
// points are those of another network, and are told of and spoken with by this socket.
func TestWpaCliExternalRegistrarElsewhere(t *testing.T) {
	w := newWorld(t)
	w.startAP(withUPnP(ap{}))
	w.sh("ip link set lo up")
	do := func(c wpaCli, events *control) []string {
		t.Helper()
		mark := events.mark()
		replies := []string{c.run("wps_er_start", "ifname=nonsense0"), c.run("wps_er_stop"),
			c.run("wps_er_start", "ifname=lo")}
		events.wait(mark, "WPS-ER-AP-ADD "+upnpUUID, 20*time.Second)
		c.must("wps_er_learn", upnpUUID, labelPIN)
		events.wait(mark, "WPS-ER-AP-SETTINGS ", 20*time.Second)
		replies = append(replies, c.run("wps_er_stop"), c.run("wps_er_learn", upnpUUID, labelPIN))
		return append(replies, named(events.events.all(mark), "WPS-ER-AP-ADD",
			"WPS-ER-AP-SETTINGS")...)
	}
	s, c := w.startCompared()
	want := do(c, s.control)
	s.stop()
	_, c, events := w.startControlled()
	if got := do(c, events); !slices.Equal(got, want) {
		t.Errorf("wpsd\n\t%s\nwpa_supplicant\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(want, "\n\t"))
	}
}

func TestWpaCliAtAnAccessPointWithTwoButtons(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	w.startBus()
	w.startDaemonOn(apRadio, "hostapd_ctrl_interface="+h.ap.controlDir(),
		"ctrl_interface=DIR="+controlPlace+" GROUP=netdev")
	c := wpaCli{w, controlPlace, apRadio}
	w.until("wpsd steers hostapd", 10*time.Second, func() bool {
		return c.run("wps_ap_pin", "disable") == "OK\n"
	})
	for _, radio := range []string{station, "wlan3"} {
		s := w.startSupplicant(radio, "config_methods=virtual_push_button")
		s.mustOK("WPS_PBC")
		s.wait(0, "CTRL-EVENT-SCAN-RESULTS", 20*time.Second)
	}
	time.Sleep(3 * time.Second)
	if got := c.run("wps_pbc"); got != "FAIL-PBC-OVERLAP\n" {
		t.Errorf("wps_pbc: %q", got)
	}
}

func TestWpaCliWithTags(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d, c, events := w.startControlled()
	expect := func(reply string, args ...string) {
		t.Helper()
		if got := c.run(args...); got != reply {
			t.Errorf("wpa_cli %s: %q, not %q", strings.Join(args, " "), got, reply)
		}
	}
	hexLine := regexp.MustCompile(`^[0-9A-F]{40,}\n$`)
	token := func(args ...string) string {
		t.Helper()
		got := c.run(args...)
		if !hexLine.MatchString(got) {
			t.Fatalf("wpa_cli %s: %q", strings.Join(args, " "), got)
		}
		return strings.TrimSpace(got)
	}
	expect("FAIL\n", "wps_nfc") // nobody has made a token yet
	password := token("wps_nfc_token", "WPS")
	if ndef := token("wps_nfc_token", "NDEF"); !strings.HasPrefix(ndef, "D217") ||
		!strings.HasSuffix(ndef, password) {
		t.Errorf("the token in NDEF is %s, without %s", ndef, password)
	}
	token("nfc_get_handover_req", "NDEF", "WPS-CR")

	// A network from here on a tag, and from the tag to here.
	expect("0\n", "add_network")
	c.must("set_network", "0", "ssid", `"`+testSSID+`"`)
	c.must("set_network", "0", "psk", `"`+testPassphrase+`"`)
	tag := token("wps_nfc_config_token", "NDEF", "0")
	c.must("remove_network", "all")
	mark := events.mark()
	c.must("wps_nfc_tag_read", tag)
	events.wait(mark, "WPS-CRED-RECEIVED ", 5*time.Second)
	if got := c.run("list_networks"); !strings.Contains(got, "\t"+testSSID+"\tany\t") {
		t.Errorf("list_networks: %q", got)
	}
	c.must("wps_nfc")
	events.wait(mark, "WPS-PIN-ACTIVE ", 5*time.Second)
	c.must("wps_cancel")
	expect("FAIL\n", "wps_reg", a.bssid, "nfc-pw") // no tag of an access point was read
	d.givenBack()
}

// TestWpaCliNFCRuns: README-WPS's chapter on NFC from the tag to the network, with hostapd at the
// other end.
func TestWpaCliNFCRuns(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	_, c, events := w.startControlled("wps_cred_processing=2")
	line := func(args ...string) string {
		t.Helper()
		got := c.run(args...)
		if !regexp.MustCompile(`^[0-9A-F]{40,}\n$`).MatchString(got) {
			t.Fatalf("wpa_cli %s: %q", strings.Join(args, " "), got)
		}
		return strings.TrimSpace(got)
	}
	// over waits for a run's end, which gave the access point's network.
	over := func(mark int, success string) {
		t.Helper()
		e := events.wait(mark, "WPS-CRED-RECEIVED 100e", oneRun)
		if !strings.Contains(e.text, fmt.Sprintf("%x", testSSID)) {
			t.Errorf("received %s", e.text)
		}
		events.wait(mark, success, 10*time.Second)
		events.wait(mark, "CTRL-EVENT-DISCONNECTED", 10*time.Second)
		w.until("the run is over", 10*time.Second, func() bool {
			return !strings.Contains(c.run("status"), "key_mgmt=WPS")
		})
		time.Sleep(time.Second)
	}

	h.mustOK("WPS_NFC_TAG_READ %s", line("wps_nfc_token", "NDEF"))
	mark := events.mark()
	c.must("wps_nfc")
	over(mark, "WPS-SUCCESS ")
	h.mustOK("WPS_NFC_TAG_READ %s", line("wps_nfc_token", "WPS"))
	mark = events.mark()
	c.must("wps_nfc", h.bssid)
	over(mark, "WPS-SUCCESS ")

	request := line("nfc_get_handover_req", "NDEF", "WPS-CR")
	sel := h.ask("NFC_GET_HANDOVER_SEL NDEF WPS-CR")
	h.mustOK("NFC_REPORT_HANDOVER RESP WPS %s %s", request, sel)
	mark = events.mark()
	c.must("nfc_report_handover", "INIT", "WPS", request, sel)
	over(mark, "WPS-SUCCESS ")

	tag := h.ask("WPS_NFC_TOKEN NDEF")
	h.ask("WPS_NFC_TOKEN enable")
	c.must("wps_nfc_tag_read", tag)
	mark = events.mark()
	c.must("wps_reg", h.bssid, "nfc-pw")
	over(mark, "WPS-FAIL msg=11 config_error=0")

	c.must("remove_network", "all")
	mark = events.mark()
	c.must("wps_nfc_tag_read", h.ask("WPS_NFC_CONFIG_TOKEN NDEF"))
	if e := events.wait(mark, "WPS-CRED-RECEIVED 100e", 5*time.Second); !strings.Contains(e.text,
		fmt.Sprintf("%x", testSSID)) {
		t.Errorf("received %s", e.text)
	}
	if got := c.run("list_networks"); !strings.Contains(got, "\t"+testSSID+"\tany\t") {
		t.Errorf("list_networks: %q", got)
	}
}

func TestWpaCliConfiguresAnOpenNetwork(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d, c, events := w.startControlled()
	mark := events.mark()
	c.must("wps_reg", h.bssid, labelPIN, "clear", "OPEN", "NONE", "") // as README-WPS has it
	events.wait(mark, "WPS-SUCCESS ", oneRun)
	w.until("hostapd is open", 20*time.Second, func() bool {
		config := h.ask("GET_CONFIG")
		return strings.Contains(config, "\nssid=clear\n") &&
			!strings.Contains(config, "passphrase=")
	})
	if got := c.run("list_networks"); !strings.Contains(got, "0\tclear\tany\t") ||
		c.run("get_network", "0", "key_mgmt") != "NONE" {
		t.Errorf("list_networks: %q", got)
	}
	d.givenBack()
}

// TestWpaCliGlobal: the global socket, with an interface that is added and removed.
func TestWpaCliGlobal(t *testing.T) {
	w := newWorld(t)
	w.startBus()
	w.sh("ip link set lo up")
	file := w.write("wpsd.conf", "ctrl_interface=DIR="+controlPlace+"\n")
	p, socket := w.startGlobal(file, "--driver", "nl80211", "--interface", station)
	events := w.dialControl(p, socket)
	expect := func(reply string, args ...string) {
		t.Helper()
		r := w.run(append([]string{"wpa_cli", "-g", socket}, args...)...)
		if r.stdout != reply {
			t.Errorf("wpa_cli -g %s: %q, not %q", strings.Join(args, " "), r.stdout+r.stderr, reply)
		}
	}
	expect("PONG\n", "ping")
	expect("wlan1\n", "raw", "INTERFACES")
	expect("wlan1 ctrl_iface="+controlPlace+"\n", "raw", "INTERFACES ctrl")
	expect("FAIL-NO-IFNAME-MATCH\n", "raw", "IFNAME=foo PING")
	expect("PONG\n", "raw", "IFNAME=wlan1 PING")
	expect("UNKNOWN COMMAND\n", "raw", "WPS_PBC")
	expect("OK\n", "interface_add", "lo", "", "none")
	expect("lo\nwlan1\n", "raw", "INTERFACES")
	c := wpaCli{w, controlPlace, "lo"}
	w.until("the new interface has a socket", 5*time.Second, func() bool {
		return c.run("ping") == "PONG\n"
	})
	if got := c.run("wps_pbc"); got != "FAIL\n" {
		t.Errorf("a button without a radio: %q", got)
	}
	mark := events.mark()
	c.must("wps_er_start")
	c.must("wps_er_stop")
	expect("OK\n", "raw", "IFNAME=wlan1 SCAN")
	if e := events.wait(mark, "IFNAME=wlan1 <3>CTRL-EVENT-SCAN-RESULTS ", oneRun); e.text == "" {
		t.Error("no event")
	}
	expect("OK\n", "interface_remove", "lo")
	expect("wlan1\n", "raw", "INTERFACES")
	expect("FAIL\n", "interface_remove", "lo")
	expect("FAIL\n", "interface_remove", "wlan1")
	expect("FAIL\n", "terminate")
	if !p.running() {
		t.Error("it was terminated")
	}
}

// TestWpaCliGroups: with two groups the members of one may do everything, those of the other look,
// and others nothing. With one the kernel lets nobody else in.
func TestWpaCliGroups(t *testing.T) {
	w := newWorld(t)
	w.startBus()
	as := func(gid uint32, args ...string) string {
		t.Helper()
		cmd := exec.Command("wpa_cli",
			append([]string{"-p", controlPlace, "-i", station}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: gid}}
		out, _ := cmd.CombinedOutput() // its exit status says nothing
		return string(out)
	}
	w.sh("chmod 1777 /tmp") // where they bind their end
	group, err := user.LookupGroup("netdev")
	w.must(err)
	number, err := strconv.ParseUint(group.Gid, 10, 32)
	w.must(err)
	everything := uint32(number) // the packaged service has no other group to give
	const look, other = 5001, 5002
	d := w.startDaemonOn(station,
		fmt.Sprintf("ctrl_interface=DIR=%s GROUP=%d READ_GROUP=%d", controlPlace, everything, look))
	for _, row := range []struct {
		gid     uint32
		command string
		want    string
	}{
		{everything, "ping", "PONG\n"}, {look, "ping", "PONG\n"}, {look, "scan", "FAIL\n"},
		{look, "wps_pbc", "FAIL\n"}, {look, "status", "wpa_state=INACTIVE\n"},
		{everything, "wps_pbc", "OK\n"}, {look, "wps_cancel", "FAIL\n"},
		{everything, "wps_cancel", "OK\n"},
	} {
		if got := as(row.gid, row.command); !strings.HasPrefix(got, row.want) {
			t.Errorf("group %d: %s: %q, not %q", row.gid, row.command, got, row.want)
		}
	}
	if got := as(other, "ping"); !strings.Contains(got, "Permission denied") {
		t.Errorf("another group beside READ_GROUP: %q", got)
	}
	d.stop()
	d = w.startDaemonAgain(fmt.Sprintf("ctrl_interface=DIR=%s GROUP=%d", controlPlace, everything))
	if got := as(everything, "ping"); got != "PONG\n" {
		t.Errorf("the group: %q", got)
	}
	for _, gid := range []uint32{look, other} {
		if got := as(gid, "ping"); !strings.Contains(got, "Permission denied") {
			t.Errorf("another group: %q", got)
		}
	}
	d.givenBack()
}
