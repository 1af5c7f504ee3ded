//go:build hwsim

package hwsim

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// In these scenarios Debian's wpa_cli talks to wpsd, and the same wpa_cli to a real wpa_supplicant:
// what they answer and what they tell has to be the same.

// controlPlace is where wpsd makes its sockets.
const controlPlace = "/run/wpsd/control"

// wpaCli is Debian's wpa_cli for one interface.
type wpaCli struct {
	w           *world
	dir, ifname string
}

// run runs one command, as README-WPS has it, and returns what it prints.
func (c wpaCli) run(args ...string) string {
	c.w.t.Helper()
	r := c.w.run(append([]string{"wpa_cli", "-p", c.dir, "-i", c.ifname}, args...)...)
	return r.stdout + r.stderr
}

// must runs a command that has to be OK.
func (c wpaCli) must(args ...string) {
	c.w.t.Helper()
	if got := c.run(args...); got != "OK\n" {
		c.w.t.Fatalf("wpa_cli %v: %q", args, got)
	}
}

// startControlled starts wpsd with control sockets, and attaches to the station's.
func (w *world) startControlled(config ...string) (*daemon, wpaCli, *control) {
	w.t.Helper()
	d := w.startDaemon(append(config, "ctrl_interface=DIR="+controlPlace+" GROUP=netdev")...)
	return d, wpaCli{w, controlPlace, station},
		w.dialControl(d.process, filepath.Join(controlPlace, station))
}

// startCompared starts a wpa_supplicant for the same.
func (w *world) startCompared(config ...string) (*supplicant, wpaCli) {
	w.t.Helper()
	s := w.startSupplicant(station, config...)
	return s, wpaCli{w, filepath.Join(scratch, "supplicant-"+station), station}
}

var (
	anyUUID  = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	anyPIN   = regexp.MustCompile(`^[0-9]{8}$`)
	varying  = regexp.MustCompile(`(?m)^(tsf|age|noise|snr|est_throughput|update_idx|beacon_ie|p2p_device_address|wpa_state)=.*\n`)
	anyToken = regexp.MustCompile(`^[0-9A-F]{40,}$`)
)

// masked takes out of a reply what cannot be the same twice.
func masked(reply string) string {
	reply = varying.ReplaceAllString(anyUUID.ReplaceAllString(reply, "UUID"), "")
	reply = anyToken.ReplaceAllString(strings.TrimSuffix(reply, "\n"), "TOKEN") +
		strings.Repeat("\n", strings.Count(reply,
			"\n")-strings.Count(strings.TrimSuffix(reply, "\n"), "\n"))
	return anyPIN.ReplaceAllString(reply, "PIN")
}

// sameReplies are commands to which both answer the same, byte for byte, apart from what masked
// takes out. The access points on the air are the same for both.
var sameReplies = [][]string{
	{"ping"}, {"ifname"}, {"status"}, {"status", "wps"},
	{"scan_results"}, {"bss", "0"}, {"bss", "1"}, {"raw", "BSS RANGE=ALL MASK=0x3"},
	{"raw", "BSS FIRST MASK=0x20003"}, {"raw", "BSS RANGE=ALL MASK=0x20003"},
	{"bss", "77"}, {"raw", "BSS ID-1 MASK=0x1881"}, {"raw", "BSS NEXT-0 MASK=0x2003"},
	{"raw", "BSS foo MASK=2"}, {"raw", "BSS LAST MASK=2"}, {"raw", "BSS CURRENT"},
	{"raw", "BSS 02:00:00:00:00:00 MASK=0x2000"}, {"raw", "BSS p2p_dev_addr=02:00:00:00:00:00"},
	{"wps_check_pin", "1234-5670"}, {"wps_check_pin", "12345671"}, {"wps_check_pin", "123"},
	{"wps_check_pin", "1234"}, {"raw", "WPS_CHECK_PIN"},
	{"wps_pin", "get"}, {"wps_cancel"}, {"wps_ap_pin", "get"}, {"wps_ap_pin", "random"},
	{"wps_ap_pin", "disable"},
	{"raw", "WPS_PIN"}, {"raw", "WPS_PIN foo"}, {"raw", "WPS_PBC 00:11:22:33:44"},
	{"raw", "WPS_REG"}, {"raw", "WPS_REG foo 12345670"},
	{"raw", "WPS_NFC"}, {"raw", "WPS_NFC_TOKEN"}, {"raw", "WPS_NFC_TOKEN FOO"},
	{"raw", "WPS_NFC_TAG_READ 00"}, {"raw", "WPS_NFC_TAG_READ"}, {"wps_nfc_config_token", "WPS"},
	{"nfc_get_handover_req", "WPS", "WPS-CR"}, {"nfc_get_handover_sel", "NDEF", "WPS-CR"},
	{"nfc_report_handover", "INIT", "WPS", "00", "00"},
	{"nfc_get_handover_req", "NDEF", "WPS-CR"}, {"wps_nfc_token", "WPS"}, {"wps_nfc_token", "NDEF"},
	{"wps_er_stop"}, {"wps_er_pbc", "any"}, {"raw", "WPS_ER_START 1.2.3"}, {"raw", "WPS_ER_PBC"},
	{"raw", "WPS_ER_LEARN"},
	{"raw", "FOO"}, {"raw", "HELP"}, {"raw", "TERMINATEX"}, {"raw", "LEVEL"}, {"raw", "LEVEL 2"},
	{"raw", "DETACH"}, {"raw", "LIST_CREDS"}, {"raw", "STA-FIRST"}, {"signal_poll"},
	{"raw", "SET uuid abc"}, {"raw", "SET device_name Foo"}, {"raw", "GET device_name"},
	{"raw", "GET wps_cred_processing"}, {"raw", "SET wps_cred_processing 7"},
	{"raw", "SET foo bar"}, {"raw", "GET foo"}, {"raw", "SET device_type 1-0050F204-1"},
	{"raw", "SET os_version 01020300"}, {"raw", "GET update_config"},
	{"raw", "WPS_PIN any 12345671"}, {"raw", "WPS_PIN any 1234-5670"}, {"raw", "WPS_PIN any 1234"},
	{"wps_pbc"}, {"wps_pbc"}, {"wps_cancel"},
	{"raw", "WPS_REG 02:00:00:00:00:77 12345671"}, {"wps_cancel"},
	{"raw", "SET wps_fragment_size 200"}, {"raw", "GET wps_fragment_size"},
	{"raw", "SET wps_fragment_size 0"},
	{"raw", "GET wps_priority"}, {"raw", "SET wps_priority x"}, {"raw", "SET wps_priority 7"},
	{"raw", "GET wps_priority"}, {"raw", "SET wps_priority 0"},
	{"raw", "SET wps_cred_add_sae 2"}, {"raw", "SET wps_cred_add_sae 1"},
	{"raw", "GET wps_cred_add_sae"}, {"raw", "SET wps_cred_add_sae 0"},
	{"raw", "GET wps_cred_add_sae"},
	{"set", "wps_cred_processing", "2"}, {"raw", "GET_CAPABILITY foo"},
	{"log_level", "FOO"}, {"log_level", "DEBUG"}, {"raw", "LOG_LEVEL"}, {"suspend"}, {"resume"},
	{"raw", "SUSPEND now"},
	{"list_networks"}, {"add_network"}, {"add_network"}, {"set_network", "0", "ssid", `"foo"`},
	{"set_network", "0", "psk", `"short"`}, {"set_network", "0", "psk", `"12345678"`},
	{"get_network", "0", "psk"}, {"get_network", "0", "ssid"}, {"get_network", "1", "ssid"},
	{"get_network", "1", "psk"}, {"get_network", "0", "foo"}, {"set_network", "0", "foo", "bar"},
	{"set_network", "7", "ssid", `"foo"`}, {"get_network", "0", "bssid"},
	{"get_network", "0", "disabled"}, {"get_network", "0", "mode"},
	{"get_network", "0", "priority"},
	{"set_network", "0", "key_mgmt", "WPA-PSK"}, {"get_network", "0", "key_mgmt"},
	{"set_network", "0", "proto", "RSN"}, {"get_network", "0", "proto"},
	{"set_network", "0", "pairwise", "CCMP"}, {"get_network", "0", "pairwise"},
	{"set_network", "1", "ssid", "00ff"}, {"get_network", "1", "ssid"},
	{"list_networks"}, {"raw", "LIST_NETWORKS LAST_ID=0"}, {"raw", "SELECT_NETWORK 9"},
	{"enable_network", "9"}, {"remove_network", "9"}, {"remove_network", "1"},
	{"remove_network", "all"},
	{"list_networks"}, {"disconnect"},
}

func TestWpaCliGetsTheRepliesOfWpaSupplicant(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	w.startAP(ap{radio: "wlan2", channel: 6, ssid: "\"\xc3\xa4 |\\\n\x00\xff", security: "mixed",
		extra: []string{"wps_state=0"}})
	answers := func(c wpaCli, events *control) []string {
		t.Helper()
		mark := events.mark()
		c.must("scan")
		events.wait(mark, "CTRL-EVENT-SCAN-RESULTS", oneRun)
		var list []string
		for _, command := range sameReplies {
			list = append(list, c.run(command...))
		}
		return list
	}
	s, c := w.startCompared("update_config=1", "device_name=Station", "wps_cred_processing=1")
	want := answers(c, s.control)
	s.stop()
	w.forgetScans(station)
	d, c, events := w.startControlled("device_name=Station", "wps_cred_processing=1")
	got := answers(c, events)
	for i, command := range sameReplies {
		if masked(got[i]) != masked(want[i]) {
			t.Errorf("wpa_cli %s\nwpsd:\n%s\nwpa_supplicant:\n%s", strings.Join(command, " "),
				got[i], want[i])
		}
	}
	if len(got) < 100 || !strings.Contains(strings.Join(got, ""),
		"[WPA-PSK-TKIP][WPA2-PSK-CCMP][ESS]") || !strings.Contains(strings.Join(got, ""), a.bssid) {
		t.Errorf("%d replies, and not those that were to be compared", len(got))
	}
	t.Logf("%d replies are the same", len(got))
	d.givenBack()
}

// toldOf picks from a peer's events those of one run that wpsd has, too: from the start to the end
// of the connection. How often it was looked around differs.
func toldOf(events []event) []string {
	var list []string
	ended := false
	for _, e := range events {
		text := e.text
		if strings.HasPrefix(text, "CTRL-EVENT-DISCONNECTED") {
			ended = true
		} else if ended && !strings.HasPrefix(text, "WPS-") {
			continue // wpa_supplicant connects, or looks around again
		}
		keep := strings.HasPrefix(text, "WPS-") || strings.HasPrefix(text, "CTRL-EVENT-EAP-") ||
			strings.HasPrefix(text, "Trying to associate") ||
			strings.HasPrefix(text, "Associated with") || text == "CTRL-EVENT-SCAN-STARTED " ||
			text == "CTRL-EVENT-SCAN-RESULTS " || strings.HasPrefix(text, "CTRL-EVENT-DISCONNECTED")
		if !keep || slices.Contains(list, text) &&
			(strings.HasPrefix(text, "CTRL-EVENT-SCAN-") ||
				strings.HasPrefix(text, "WPS-AP-AVAILABLE")) {
			continue
		}
		list = append(list, text)
	}
	return list
}

// wpsRun is one run as a user of wpa_cli makes it.
type wpsRun struct {
	name    string
	prepare func(h *hostapd)
	command func(h *hostapd) []string
	reply   string
	until   string // an event with which it is over
	// after are events that only wpsd tells at the end: its session is over then.
	after []string
}

var wpsRuns = []wpsRun{
	{
		name: "push button", prepare: func(h *hostapd) { h.mustOK("WPS_PBC") },
		command: func(*hostapd) []string { return []string{"wps_pbc"} }, reply: "OK\n",
		until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name: "push button of a named access point", prepare: func(h *hostapd) {
			h.mustOK("WPS_PBC")
		},
		command: func(h *hostapd) []string { return []string{"wps_pbc", h.bssid} }, reply: "OK\n",
		until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name: "PIN", prepare: func(h *hostapd) { h.ask("WPS_PIN any %s", labelPIN) },
		command: func(*hostapd) []string { return []string{"wps_pin", "any", labelPIN} },
		reply:   labelPIN, until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name: "PIN of a named access point", prepare: func(h *hostapd) {
			h.ask("WPS_PIN any %s", labelPIN)
		},
		command: func(h *hostapd) []string { return []string{"wps_pin", h.bssid, labelPIN} },
		reply:   labelPIN, until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name: "PIN whose first half is wrong", prepare: func(h *hostapd) {
			h.ask("WPS_PIN any %s", labelPIN)
		},
		command: func(h *hostapd) []string { return []string{"wps_pin", h.bssid, otherPIN} },
		reply:   otherPIN, until: "CTRL-EVENT-DISCONNECTED",
		after: []string{"WPS-FAIL "},
	},
	{
		name: "PIN whose second half is wrong", prepare: func(h *hostapd) {
			h.ask("WPS_PIN any %s", labelPIN)
		},
		command: func(h *hostapd) []string { return []string{"wps_pin", h.bssid, firstHalfPIN} },
		reply:   firstHalfPIN, until: "CTRL-EVENT-DISCONNECTED",
		after: []string{"WPS-FAIL "},
	},
	{
		name:    "learn",
		command: func(h *hostapd) []string { return []string{"wps_reg", h.bssid, labelPIN} },
		reply:   "OK\n", until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name:    "learn with a wrong PIN",
		command: func(h *hostapd) []string { return []string{"wps_reg", h.bssid, wrongHalfPIN} },
		reply:   "OK\n", until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name: "configure",
		command: func(h *hostapd) []string {
			return []string{"wps_reg", h.bssid, labelPIN, testSSID, "WPA2PSK", "CCMP",
				testPassphrase}
		}, reply: "OK\n", until: "CTRL-EVENT-DISCONNECTED",
	},
	{
		name: "nobody presses the button", command: func(*hostapd) []string {
			return []string{"wps_pbc"}
		}, reply: "OK\n", until: "WPS-TIMEOUT",
	},
}

func TestWpaCliSeesTheEventsOfWpaSupplicant(t *testing.T) {
	for _, run := range wpsRuns {
		t.Run(run.name, func(t *testing.T) {
			w := newWorld(t)
			h := w.startAP(withAPPIN(ap{}))
			// so that hostapd gives both the same key
			const methods = "config_methods=display keypad virtual_push_button"
			do := func(c wpaCli, events *control) []string {
				t.Helper()
				if run.prepare != nil {
					run.prepare(h)
				}
				mark := events.mark()
				if got := c.run(run.command(h)...); got != run.reply {
					t.Errorf("the reply is %q, not %q", got, run.reply)
				}
				events.wait(mark, run.until, 130*time.Second)
				time.Sleep(500 * time.Millisecond)
				list := toldOf(events.events.all(mark))
				h.ask("WPS_CANCEL")
				return list
			}
			s, c := w.startCompared(methods, "wps_cred_processing=2")
			want := do(c, s.control)
			s.stop()
			// hostapd does not listen to a device right after its push button
			time.Sleep(6 * time.Second)
			w.until("hostapd is there", 20*time.Second, func() bool {
				return strings.Contains(h.ask("STATUS"), "state=ENABLED")
			})
			w.forgetScans(station)
			d, c, events := w.startControlled(methods, "wps_cred_processing=2")
			got := do(c, events)
			if want := append(want, run.after...); !slices.Equal(got, want) {
				t.Errorf("wpsd tells\n\t%s\nwpa_supplicant\n\t%s", strings.Join(got, "\n\t"),
					strings.Join(want, "\n\t"))
			}
			d.givenBack()
		})
	}
}

func TestWpaCliTellsOfAnOverlap(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	do := func(c wpaCli, events *control) []string {
		t.Helper()
		a.mustOK("WPS_PBC")
		b.mustOK("WPS_PBC")
		mark := events.mark()
		c.must("wps_pbc")
		events.wait(mark, "WPS-CANCEL", oneRun)
		a.ask("WPS_CANCEL")
		b.ask("WPS_CANCEL")
		return toldOf(events.events.all(mark))
	}
	s, c := w.startCompared()
	want := do(c, s.control)
	s.stop()
	w.forgetScans(station)
	_, c, events := w.startControlled()
	if got := do(c, events); !slices.Equal(got, want) {
		t.Errorf("wpsd tells\n\t%s\nwpa_supplicant\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(want, "\n\t"))
	}
}

// TestWpaCliTwoDaemons: who comes second says who is there already, and whoever was first goes on.
func TestWpaCliTwoDaemons(t *testing.T) {
	w := newWorld(t)
	w.byHand = true // in its unit it has a directory of its own
	s, _ := w.startCompared()
	w.startBus()
	file := w.write("wpsd.conf",
		"ctrl_interface="+filepath.Join(scratch, "supplicant-"+station)+"\n")
	r := w.runWpsd(file, "--driver", "nl80211", "--interface", station)
	if want := fmt.Sprintf(`\"wpa_supplicant\" (process %d) answers on`, s.pid()); r.status != 1 ||
		!strings.Contains(r.stderr, want) {
		t.Errorf("beside wpa_supplicant: status %d\n%s", r.status, r.stderr)
	}
	if got := s.ask("PING"); got != "PONG" {
		t.Errorf("wpa_supplicant: %q", got)
	}
	s.kill()
	// What a killed one leaves is no obstacle.
	d := w.startDaemonAgain("ctrl_interface=" + filepath.Join(scratch, "supplicant-"+station))
	c := wpaCli{w, filepath.Join(scratch, "supplicant-"+station), station}
	w.until("wpsd answers in its place", 10*time.Second, func() bool {
		return c.run("ping") == "PONG\n"
	})
	d.stop()
	if got := c.run("ping"); !strings.Contains(got, "No such file") {
		t.Errorf("after the end: %q", got)
	}
}
