package control

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/drivers/sim"
	"wpsd/engine/ie"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/air"
	"wpsd/service/control/reply"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	play(t, nil, map[string]func(h *house){
		"who may only look changes nothing and sees no PIN": func(h *house) {
			for name, cmd := range onInterface {
				if cmd.may != accessFull {
					continue
				}
				for _, text := range []string{name, name + " x"} {
					if got := h.peek(text); got != "FAIL\n" && got != "UNKNOWN COMMAND\n" {
						h.Errorf("%s: %q", text, got)
					}
				}
			}
			if len(h.svc.Published().Snapshot().Sessions) != 0 {
				h.Error("a session was started")
			}
			for _, text := range []string{"PING", "STATUS", "SCAN_RESULTS", "LIST_NETWORKS",
				"GET_CAPABILITY eap", "ATTACH", "DETACH"} {
				if got := h.peek(text); got == "FAIL\n" || got == "UNKNOWN COMMAND\n" {
					h.Errorf("%s: %q", text, got)
				}
			}
		},
		"one session at a time, and FAIL for what cannot be": func(h *house) {
			h.ap(nil)
			h.want([2]string{"WPS_PBC", "OK\n"}, [2]string{"SCAN", "FAIL-BUSY\n"},
				[2]string{"WPS_PBC any multi_ap=1", "FAIL\n"},
				[2]string{"WPS_PBC xmulti_ap=1", "FAIL\n"}, [2]string{"WPS_PBC  any", "FAIL\n"},
				[2]string{"wps_pbc", "UNKNOWN COMMAND\n"}, [2]string{"SCAN freq=2412", "FAIL\n"},
				[2]string{"DISCONNECT", "OK\n"})
			h.over()
		},
		"a button for a link between access points": func(h *house) {
			h.ap(nil)
			for _, command := range []string{"WPS_PBC multi_ap=1",
				"WPS_PBC 02:00:00:00:01:00 multi_ap=1", "WPS_PBC multi_ap=0"} {
				h.want([2]string{command, "OK\n"}, [2]string{"WPS_CANCEL", "OK\n"})
				h.over()
			}
		},
		"each command begins anew, without a word of the one before": func(h *house) {
			h.ap(nil)
			h.want([2]string{"WPS_PBC", "OK\n"})
			time.Sleep(time.Second)
			h.want([2]string{"WPS_PBC", "OK\n"}, [2]string{"WPS_PIN any 12345670", "12345670"})
			time.Sleep(time.Second)
			running := 0
			for _, s := range h.svc.Published().Snapshot().Sessions {
				if !s.State.Ended() {
					running++
				}
				if got := s.State.Ended(); got != s.Replaced {
					h.Errorf("%+v", s)
				}
			}
			if told := h.told(); running != 1 || slices.Contains(told, "<3>WPS-CANCEL ") ||
				slices.Contains(told, "<3>WPS-FAIL ") {
				h.Errorf("%d sessions run; told %q", running, told)
			}
			// What is canceled is told, also if the next one begins at once.
			h.want([2]string{"WPS_CANCEL", "OK\n"}, [2]string{"WPS_PBC", "OK\n"})
			time.Sleep(time.Second)
			if told := h.told(); !slices.Contains(told, "<3>WPS-CANCEL ") {
				h.Errorf("told %q", told)
			}
			h.want([2]string{"WPS_CANCEL", "OK\n"})
			h.over()
		},
		"a PIN of one's own, a new one, and one with a typing error": func(h *house) {
			h.ap(nil)
			pin := h.ask("WPS_PIN any")
			if got := h.ask("WPS_CHECK_PIN " + pin); got != pin || len(pin) != 8 {
				h.Errorf("%q, checked %q", pin, got)
			}
			h.want([2]string{"WPS_CANCEL", "OK\n"})
			h.over()
			h.want([2]string{"WPS_PIN any 1234567", "FAIL\n"},
				[2]string{"WPS_PIN any 12345671", "12345671"}, [2]string{"WPS_CANCEL", "OK\n"})
			h.over()
			h.want([2]string{"WPS_PIN any 1234-5670", "1234-5670"}, [2]string{"WPS_CANCEL", "OK\n"})
			h.over()
			if got := h.ask("WPS_PIN 02:00:00:00:01:00 "); len(got) != 8 {
				h.Errorf("an empty PIN: %q", got)
			}
			h.want([2]string{"WPS_CANCEL", "OK\n"})
			h.over()
		},
		"new settings need all four fields, known words and a key that is one": func(h *house) {
			const head = "WPS_REG 02:00:00:00:01:00 12345670 "
			h.want([2]string{head + "6e6577 WPA2PSK CCMP", "FAIL\n"},
				[2]string{head + "6e6577 OPEN NONE", "FAIL\n"},
				[2]string{head + "6e657 OPEN NONE ", "FAIL\n"},
				[2]string{head + "6e6577 WPA9PSK CCMP 3132333435363738", "FAIL\n"},
				[2]string{head + "6e6577 WPA2PSK WEP 3132333435363738", "FAIL\n"},
				[2]string{head + "6e6577 WPA2PSK CCMP 31", "FAIL\n"},
				[2]string{head + "6e6577 OPEN NONE ", "OK\n"}, [2]string{"WPS_CANCEL", "OK\n"},
				[2]string{"WPS_REG 02:00:00:00:01:00 nfc-pw", "FAIL\n"},
				[2]string{"WPS_REG 02:00:00:00:01:00", "FAIL\n"},
				[2]string{"WPS_REG any 12345670", "FAIL\n"})
			h.over()
		},
		"what is said of this device": func(h *house) {
			h.want([2]string{"GET device_name", "laptop"},
				[2]string{"SET device_name new name", "OK\n"},
				[2]string{"GET device_name", "new name"},
				[2]string{"SET device_name " + strings.Repeat("x", 33), "FAIL\n"},
				[2]string{"GET model_name", "FAIL\n"},
				[2]string{"SET uuid 12345678-9abc-def0-1234-56789abcdef0", "OK\n"},
				[2]string{"GET uuid", "12345678-9abc-def0-1234-56789abcdef0"},
				[2]string{"SET uuid 00000000-0000-0000-0000-000000000000", "FAIL\n"},
				[2]string{"SET os_version 01020300", "OK\n"},
				[2]string{"GET os_version", "01020300"}, [2]string{"SET os_version 1", "FAIL\n"},
				[2]string{"SET device_type 1-0050F204-5", "OK\n"},
				[2]string{"GET device_type", "1-0050F204-5"},
				[2]string{"SET device_type 1", "FAIL\n"},
				[2]string{"SET config_methods virtual_display keypad", "OK\n"},
				[2]string{"GET config_methods", "virtual_display keypad"},
				[2]string{"SET config_methods bogus", "FAIL\n"},
				[2]string{"SET config_methods label display", "FAIL\n"},
				[2]string{"SET wps_cred_processing 1", "OK\n"},
				[2]string{"GET wps_cred_processing", "1"},
				[2]string{"SET wps_cred_processing 3", "FAIL\n"},
				[2]string{"GET update_config", "1"}, [2]string{"SET device_name", "FAIL\n"})
			d := h.svc.Published().Snapshot().Manager
			if d.Device.DeviceName != "new name" || d.Device.OSVersion != 0x01020300 ||
				d.Processing != state.ProcessingExternal {
				h.Errorf("%+v", d)
			}
		},
		"what managers are to make of received networks": func(h *house) {
			h.want([2]string{"GET wps_priority", "0"}, [2]string{"SET wps_priority x", "FAIL\n"},
				[2]string{"SET wps_priority 7", "OK\n"}, [2]string{"GET wps_priority", "7"},
				[2]string{"SET wps_cred_add_sae 2", "FAIL\n"},
				[2]string{"SET wps_cred_add_sae 0", "OK\n"}, [2]string{"GET wps_cred_add_sae", "0"},
				[2]string{"SET wps_cred_add_sae 1", "OK\n"}, [2]string{"GET wps_cred_add_sae", "1"},
				[2]string{"SET wps_fragment_size 49", "FAIL\n"},
				[2]string{"SET wps_fragment_size 100", "OK\n"},
				[2]string{"SET wps_fragment_size 0", "OK\n"},
				[2]string{"GET wps_fragment_size", "FAIL\n"},
				[2]string{"ADD_NETWORK", "0\n"}, [2]string{"SET_NETWORK 0 ssid \"cabin\"", "OK\n"},
				[2]string{"SET_NETWORK 0 key_mgmt NONE", "OK\n"},
				[2]string{"ENABLE_NETWORK 0", "OK\n"})
			if err := h.ap(nil).PressButton(); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PBC", "OK\n"})
			h.over()
			h.want([2]string{"GET_NETWORK 0 priority", "0"},
				[2]string{"GET_NETWORK 1 priority", "7"})
		},
		"the log's level": func(h *house) {
			h.want([2]string{"LOG_LEVEL", "Current level: INFO\nTimestamp: 1\n"},
				[2]string{"LOG_LEVEL DEBUG", "OK\n"},
				[2]string{"LOG_LEVEL", "Current level: DEBUG\nTimestamp: 1\n"},
				[2]string{"LOG_LEVEL ERROR 1", "OK\n"}, [2]string{"LOG_LEVEL FOO", "FAIL\n"},
				[2]string{"LOG_LEVEL", "Current level: ERROR\nTimestamp: 1\n"})
		},
		"nothing begins while the machine sleeps": func(h *house) {
			h.ap(nil)
			h.want([2]string{"WPS_PBC", "OK\n"}, [2]string{"SUSPEND", "OK\n"},
				[2]string{"SUSPEND", "OK\n"})
			if snap := h.svc.Published().Snapshot(); snap.Interfaces[0].Session != 0 ||
				snap.Sessions[0].Reason != outcome.ReasonSuspended {
				h.Errorf("after SUSPEND: %+v", snap.Sessions)
			}
			h.want([2]string{"WPS_PBC", "FAIL\n"}, [2]string{"SCAN", "FAIL\n"},
				[2]string{"RESUME", "OK\n"}, [2]string{"WPS_PBC", "OK\n"},
				[2]string{"WPS_CANCEL", "OK\n"})
			h.over()
		},
		"nobody ends the daemon": func(h *house) { h.want([2]string{"TERMINATE", "FAIL\n"}) },
		"interfaces without a radio come and go": func(h *house) {
			for _, row := range [][2]string{
				{"INTERFACES", "wlan0\n"}, {"INTERFACE_ADD eth77\t\tnone", "OK\n"},
				{"INTERFACE_ADD eth77\t\tnone", "FAIL\n"}, {"INTERFACES", "eth77\nwlan0\n"},
				{"INTERFACE_ADD wlan1\t\tnl80211", "FAIL\n"},
				{"INTERFACE_ADD eth1\tx.conf\tnone", "FAIL\n"},
				{"INTERFACE_ADD eth1\t\tnone\t/elsewhere", "FAIL\n"},
				{"INTERFACE_ADD eth1\t\tnone\t\tparam", "FAIL\n"},
				{"INTERFACE_ADD ../x\t\tnone", "FAIL\n"}, {"INTERFACE_ADD \t\tnone", "FAIL\n"},
				{"INTERFACE_ADD", "UNKNOWN COMMAND\n"},
				{"IFNAME=eth77 WPS_PBC", "FAIL\n"}, {"IFNAME=eth77 WPS_ER_START", "FAIL\n"},
				{"IFNAME= PING", "FAIL-NO-IFNAME-MATCH\n"}, {"IFNAME=wlan0", "UNKNOWN COMMAND\n"},
				{"STATUS", "ifname=eth77\naddress=00:00:00:00:00:00\nifname=wlan0\naddress=02:00:00:00:00:01\n"},
				{"INTERFACE_REMOVE eth77", "OK\n"}, {"INTERFACE_REMOVE wlan0", "FAIL\n"},
				{"INTERFACE_LIST", ""}, {"WPS_PBC", "UNKNOWN COMMAND\n"},
			} {
				if got := h.askGlobal(row[0]); got != row[1] {
					h.Errorf("%q: %q, not %q", row[0], got, row[1])
				}
			}
		},
		"a flood of access points ends with the last one that fits": func(h *house) {
			for i := range 100 {
				h.ap(func(o *sim.APOptions) {
					o.SSID, o.BSSs = fmt.Sprintf("network %03d with a long name", i),
						[]sim.BSS{{BSSID: wsc.MAC{2, 0, 0, 1, 0, byte(i)}, Frequency: 2437}}
				})
			}
			h.want([2]string{"SCAN", "OK\n"})
			time.Sleep(20 * time.Second)
			for _, command := range []string{"SCAN_RESULTS", "BSS RANGE=ALL",
				"BSS RANGE=ALL MASK=0x20000", "BSS RANGE=3-90"} {
				if got := h.ask(command); len(got) >= maxReply || len(got) < 200 ||
					!strings.HasSuffix(got, "\n") {
					h.Errorf("%s: %d bytes that end with %q", command, len(got),
						got[max(0, len(got)-20):])
				}
			}
			h.want([2]string{"BSS RANGE=3-4 MASK=0x20001", "id=3\n====\nid=4\n####\n"},
				[2]string{"BSS RANGE=98- MASK=1", "id=98\nid=99\n"},
				[2]string{"BSS RANGE=-1 MASK=1", "id=0\nid=1\n"},
				[2]string{"BSS RANGE=7 MASK=1", ""}, [2]string{"BSS -1 MASK=1", ""},
				[2]string{"BSS 99999999999999999999 MASK=1", "id=0\n"})
		},
	})
}

func TestTerminateWhereItIsAllowed(t *testing.T) {
	t.Parallel()
	ended := false
	play(t, func(_ *service.Config, o *Options) { o.Terminate = func() { ended = true } },
		map[string]func(h *house){
			"it ends the daemon": func(h *house) { h.want([2]string{"TERMINATE", "OK\n"}) },
		})
	if !ended {
		t.Error("nothing happened")
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	const header = "network id / ssid / bssid / flags\n"
	play(t, nil, map[string]func(h *house){
		"a network is stored when it is enabled, and not before": func(h *house) {
			h.want([2]string{"ADD_NETWORK", "0\n"},
				[2]string{"SET_NETWORK 0 ssid \"a \\ b\"", "OK\n"},
				[2]string{"ENABLE_NETWORK 0", "FAIL\n"},
				[2]string{"SET_NETWORK 0 psk \"" + passphrase + "\"", "OK\n"},
				[2]string{"LIST_NETWORKS", header + "0\ta \\\\ b\tany\t[DISABLED]\n"})
			if n := h.svc.Published().Snapshot().Networks; len(n) != 0 {
				h.Errorf("stored: %+v", n)
			}
			h.want([2]string{"ENABLE_NETWORK 0", "OK\n"}, [2]string{"GET_NETWORK 0 psk", "*"},
				[2]string{"GET_NETWORK 0 ssid", `"a \ b"`}, [2]string{"GET_NETWORK 0 proto", "RSN"})
			n := h.svc.Published().Snapshot().Networks
			if len(n) != 1 || string(n[0].SSID) != `a \ b` || n[0].Auth != wsc.AuthWPA2PSK {
				h.Fatalf("stored: %+v", n)
			}
			kept, err := h.svc.NetworkSecrets(n[0].ID)
			if err != nil || string(kept.Key.Bytes()) != passphrase {
				h.Error("another key", err)
			}
			h.tells("CTRL-EVENT-NETWORK-ADDED 0")
		},
		"a stored network is changed": func(h *house) {
			h.want([2]string{"ADD_NETWORK", "0\n"}, [2]string{"SET_NETWORK 0 ssid 00ff", "OK\n"},
				[2]string{"SET_NETWORK 0 key_mgmt NONE", "OK\n"}, [2]string{"SAVE_CONFIG", "OK\n"},
				[2]string{"SET_NETWORK 0 key_mgmt WPA-PSK", "OK\n"},
				[2]string{"SET_NETWORK 0 psk " + strings.Repeat("ab", 32), "OK\n"},
				[2]string{"SAVE_CONFIG", "OK\n"},
				[2]string{"LIST_NETWORKS", header + "0\t\\x00\\xff\tany\t\n"},
				[2]string{"GET_NETWORK 0 ssid", "00ff"})
			if n := h.svc.Published().Snapshot().Networks; len(n) != 1 || n[0].Auth != wsc.AuthWPA2PSK ||
				n[0].ID != 2 {
				h.Errorf("stored: %+v", n)
			}
			h.tells("CTRL-EVENT-NETWORK-ADDED 0")
		},
		"a network that is added once more is the same one, under the newer number": func(h *house) {
			for _, id := range []string{"0", "1"} {
				h.want([2]string{"ADD_NETWORK", id + "\n"},
					[2]string{"SET_NETWORK " + id + " ssid \"home\"", "OK\n"},
					[2]string{"SET_NETWORK " + id + " psk \"" + passphrase + id + "\"", "OK\n"},
					[2]string{"ENABLE_NETWORK " + id, "OK\n"})
			}
			h.want([2]string{"LIST_NETWORKS", header + "1\thome\tany\t\n"},
				[2]string{"ENABLE_NETWORK 0", "FAIL\n"})
			n := h.svc.Published().Snapshot().Networks
			if len(n) != 1 || n[0].ID != 1 {
				h.Fatalf("stored: %+v", n)
			}
			if kept, err := h.svc.NetworkSecrets(1); err != nil ||
				string(kept.Key.Bytes()) != passphrase+"1" {
				h.Error("another key", err)
			}
			h.tells("CTRL-EVENT-NETWORK-ADDED 0", "CTRL-EVENT-NETWORK-ADDED 1",
				"CTRL-EVENT-NETWORK-REMOVED 0")
		},
		"numbers are not used twice while a later one is there": func(h *house) {
			h.want([2]string{"ADD_NETWORK", "0\n"}, [2]string{"ADD_NETWORK", "1\n"},
				[2]string{"REMOVE_NETWORK 0", "OK\n"}, [2]string{"ADD_NETWORK", "2\n"},
				[2]string{"REMOVE_NETWORK 0", "FAIL\n"},
				[2]string{"LIST_NETWORKS LAST_ID=1", header + "2\t\tany\t[DISABLED]\n"},
				[2]string{"REMOVE_NETWORK all", "OK\n"}, [2]string{"ADD_NETWORK", "0\n"})
			h.tells("CTRL-EVENT-NETWORK-ADDED 0", "CTRL-EVENT-NETWORK-ADDED 1",
				"CTRL-EVENT-NETWORK-REMOVED 0", "CTRL-EVENT-NETWORK-ADDED 2",
				"CTRL-EVENT-NETWORK-REMOVED 1", "CTRL-EVENT-NETWORK-REMOVED 2",
				"CTRL-EVENT-NETWORK-ADDED 0")
		},
		"what would have no effect is refused": func(h *house) {
			h.want([2]string{"ADD_NETWORK", "0\n"})
			for _, text := range []string{
				"eap TLS", "key_mgmt SAE", "key_mgmt WPA-EAP", "priority 5", "mode 2",
				"wep_key0 \"abcde\"", "proto WPA3", "pairwise GCMP", "ssid \"x", "ssid xyz",
				"psk \"short\"", "psk abcd",
				"psk \"" + strings.Repeat("x", 64) + "\"", "disabled 2", "bssid 02:00:00",
				"bssid ff:ff:ff:ff:ff:ff", "ssid " + strings.Repeat("ab", 33), "", "ssid",
			} {
				if got := h.ask("SET_NETWORK 0 " + text); got != "FAIL\n" {
					h.Errorf("%s: %q", text, got)
				}
			}
			for _, text := range []string{"SET_NETWORK x ssid 00", "SET_NETWORK -1 ssid 00",
				"GET_NETWORK 0", "GET_NETWORK 5 ssid", "REMOVE_NETWORK x", "LIST_NETWORKS x",
				"SELECT_NETWORK 0", "DISABLE_NETWORK 5"} {
				if got := h.ask(text); got != "FAIL\n" {
					h.Errorf("%s: %q", text, got)
				}
			}
			h.want([2]string{"SET_NETWORK 0 bssid 02:00:00:00:01:00", "OK\n"},
				[2]string{"GET_NETWORK 0 bssid", "02:00:00:00:01:00"},
				[2]string{"SET_NETWORK 0 bssid any", "OK\n"},
				[2]string{"SET_NETWORK 0 pairwise CCMP TKIP", "OK\n"},
				[2]string{"GET_NETWORK 0 pairwise", "CCMP TKIP"},
				[2]string{"SET_NETWORK 0 proto WPA RSN", "OK\n"},
				[2]string{"GET_NETWORK 0 proto", "WPA RSN"},
				[2]string{"SET_NETWORK 0 disabled 0", "OK\n"},
				[2]string{"GET_NETWORK 0 disabled", "0"}, [2]string{"DISABLE_NETWORK 0", "OK\n"},
				[2]string{"SET_NETWORK 0 scan_ssid 1", "OK\n"})
		},
		"there is an end to what is not saved": func(h *house) {
			for i := range maxDrafts {
				h.want([2]string{"ADD_NETWORK", fmt.Sprintf("%d\n", i)})
			}
			h.want([2]string{"ADD_NETWORK", "FAIL\n"})
		},
		"one that somebody else removes is gone here": func(h *house) {
			n, err := h.svc.AddNetwork(h.Context(),
				session.Settings{SSID: []byte("guest"), Auth: wsc.AuthOpen,
					Encryption: wsc.EncrNone}, wsc.MAC{})
			if err != nil {
				h.Fatal(err)
			}
			h.tells("CTRL-EVENT-NETWORK-ADDED 0")
			h.want([2]string{"GET_NETWORK 0 key_mgmt", "NONE"},
				[2]string{"GET_NETWORK 0 psk", "FAIL\n"})
			if err := h.svc.DeleteNetwork(h.Context(), n.ID); err != nil {
				h.Fatal(err)
			}
			h.tells("CTRL-EVENT-NETWORK-REMOVED 0")
			h.want([2]string{"LIST_NETWORKS", header})
		},
	})
	play(t, func(_ *service.Config, o *Options) { o.Forget = true }, map[string]func(h *house){
		"nothing is saved where nothing is to be": func(h *house) {
			h.want([2]string{"SAVE_CONFIG", "FAIL\n"}, [2]string{"GET update_config", "0"},
				[2]string{"SET_NETWORK 0 ssid 00", "FAIL\n"})
		},
	})
}

// TestFlags: the samples are elements of real access points, and what wpa_supplicant 2.10 wrote of
// them.
func TestFlags(t *testing.T) {
	t.Parallel()
	rsn := func(body string) string { return fmt.Sprintf("30%02x%s", len(body)/2, body) }
	for _, tt := range []struct {
		name, ies  string
		capability uint16
		want       string
	}{
		{"WPA2 of hostapd with WPS", "0009777073642d746573740108" + "82848b960c121824" +
			"30140100000fac040100000fac040100000fac020000" + "dd0e0050f204104a0001101044000102",
			0x0411, "[WPA2-PSK-CCMP][WPS][ESS]"},
		{"WPA and WPA2", "30140100000fac020100000fac040100000fac020000" +
			"dd160050f20101000050f20201000050f20201000050f202", 0x0411,
			"[WPA-PSK-TKIP][WPA2-PSK-CCMP][ESS]"},
		{"WPA2 and WPA3 with preauthentication",
			rsn("0100000fac040200000fac04000fac080200000fac02000fac080100"), 0x0011,
			"[WPA2-PSK+SAE-CCMP+GCMP-preauth][ESS]"},
		{"an element that ends after the version is 802.1X with CCMP", rsn("0100"), 0x0011,
			"[WPA2-EAP-CCMP][ESS]"},
		{"an element that ends after the group cipher, too", rsn("0100000fac04"), 0x0011,
			"[WPA2-EAP-CCMP][ESS]"},
		{"an element that is cut off", rsn("0100000fac0401"), 0x0011, "[WPA2-?][ESS]"},
		{"an element with a count beyond its end", rsn("0100000fac04ffff000fac04"), 0x0011,
			"[WPA2-?][ESS]"},
		{"an element of another version", rsn("0200000fac04"), 0x0011, "[WPA2-?][ESS]"},
		{"WEP", "0001" + "61", 0x0011, "[WEP][ESS]"},
		{"open", "0001" + "61", 0x0001, "[ESS]"},
		{"nothing at all", "", 0, ""},
		{"an ad-hoc network", "", 2, "[IBSS]"},
		{"OWE in transition", "dd04506f9a1c", 1, "[OWE-TRANS-OPEN][ESS]"},
		{"Wi-Fi Direct and Passpoint, with a name in UTF-8",
			"dd04506f9a09" + "dd04506f9a10" + "7f07" + "00000000000001", 1,
			"[ESS][P2P][HS20][UTF-8]"},
		{"SAE by hash to element", rsn("0100000fac040100000fac040100000fac080000") + "f40120", 0x11,
			"[WPA2-SAE-CCMP][SAE-H2E][ESS]"},
		{"a WPS element that cannot be read", "dd060050f2041044", 1, "[WPS][ESS]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ies, err := hex.DecodeString(tt.ies)
			if err != nil {
				t.Fatal(err)
			}
			b := drivers.BSS{IEs: ies, Capability: tt.capability, Privacy: tt.capability&0x10 != 0}
			if got := flagsOf(&b, laptop); got != tt.want {
				t.Errorf("%s, not %s", got, tt.want)
			}
		})
	}
}

// FuzzFlags: whatever an access point sends, the flags are brackets and words, and the lines of BSS
// are lines.
func FuzzFlags(f *testing.F) {
	f.Add([]byte("\x30\x14\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x02\x00\x00"), uint16(0x11))
	f.Add([]byte("\xdd\x16\x00\x50\xf2\x01\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02"), uint16(1))
	ad := wsc.Advertisement{State: wsc.Configured, DeviceName: "a\nb\x00|", Version2: wsc.Version20,
		SelectedRegistrar: true}
	f.Add(ie.AppendWSC([]byte("\x00\x03a\nb"), ad.AppendProbeResponse(nil)), uint16(0x431))
	f.Fuzz(func(t *testing.T, ies []byte, capability uint16) {
		b := air.BSS{BSS: drivers.BSS{IEs: ies, Capability: capability,
			Privacy: capability&0x10 != 0}}
		flags := flagsOf(&b.BSS, laptop)
		if strings.ContainsAny(flags, "\n\t\x00") || flags != "" &&
			(flags[0] != '[' || flags[len(flags)-1] != ']') || len(flags) > 600 {
			t.Fatalf("flags %q", flags)
		}
		text := writeBSS(&b, maskAll, laptop, time.Unix(0, 0))
		names := []string{}
		for line := range strings.Lines(text) {
			name, _, ok := strings.Cut(line, "=")
			if !ok || slices.Contains(names, name) ||
				strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\n\r\x00\x1b") {
				t.Fatalf("line %q in %q", line, text)
			}
			names = append(names, name)
		}
	})
}

// FuzzCommand sends any text as a command: it is answered, with a bounded reply, and the Server
// lives on.
func FuzzCommand(f *testing.F) {
	for name := range onInterface {
		f.Add(name, true)
		f.Add(name+" ", true)
		f.Add(name+" 02:00:00:00:01:00 12345670 6e6577 WPA2PSK CCMP 3132333435363738", true)
		f.Add(name+" 0 ssid \"x\"", false)
	}
	for name := range onGlobal {
		f.Add(name+" eth0\t\tnone", true)
	}
	f.Add("IFNAME=eth7 PING", true)
	f.Add("BSS RANGE=0-99 MASK=0x20003", true)
	f.Add("WPS_NFC_TAG_READ 102600010110450004686f6d65", true)
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, text string, full bool) {
		may := accessRead
		if full {
			may = accessFull
		}
		for _, p := range s.ports {
			reply := p.answer(t.Context(), caller{address: "/x", may: may}, []byte(text))
			if len(reply) >= maxReply || strings.HasPrefix(string(reply), "<") {
				t.Fatalf("%q: %q", text, reply)
			}
		}
		s.svc.Resume() // whatever it was, the next command is not to find everything asleep
	})
}

// fuzzServer is a Server with a radio, an access point in reach, and an interface without a radio:
// what a command is good for, it does.
func fuzzServer(f *testing.F) *Server {
	world := sim.NewWorld(sim.WorldOptions{})
	_, apErr := world.AddAP(sim.APOptions{SSID: "home", Security: sim.WPA2,
		Key:  secret.FromString(passphrase),
		BSSs: []sim.BSS{{BSSID: homeBSSID, Frequency: 2437, Signal: -50}}})
	driver, err := sim.New(sim.Options{World: world, Speed: 1000})
	if err := errors.Join(world.AddRadio(sim.Radio{Name: "wlan0", MAC: laptop}), apErr,
		err); err != nil {
		f.Fatal(err)
	}
	svc, err := service.New(service.Config{Drivers: []drivers.Driver{driver,
		none.New([]string{"eth7"})}})
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(svc, Options{})
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	f.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, driver.Close()); err != nil {
			f.Error(err)
		}
	})
	<-svc.Ready()
	for _, ifname := range []string{"", "eth7", "wlan0"} {
		s.ports[ifname] = &port{server: s, ifname: ifname,
			monitors: newMonitors(func(reply.Recipient, []byte) (*reply.Held, error) {
				return nil, nil
			})}
	}
	return s
}

// FuzzPlace: what is taken for a place is one, and says the same when it is written again.
func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"/run/wpsd/control", "DIR=/var/run/wpa_supplicant GROUP=admin",
		"DIR=/x OWNER=a GROUP=b READ_GROUP=c MODE=0660", "@abstract:x", "udp:8888", "DIR=",
		"DIR=/x MODE=9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePlace(text)
		if err != nil {
			return
		}
		again := "DIR=" + p.Dir
		for key, value := range map[string]string{"OWNER": p.Owner, "GROUP": p.Group,
			"READ_GROUP": p.ReadGroup} {
			if value != "" {
				again += " " + key + "=" + value
			}
		}
		if p.Mode != 0 {
			again += fmt.Sprintf(" MODE=%o", p.Mode)
		}
		if strings.ContainsAny(p.Dir, " \t") || strings.ContainsAny(p.Dir, "\u0085\u00a0\u2003") {
			return // a directory with spaces cannot be written in the long form
		}
		if q, err := ParsePlace(again); err != nil || q != p {
			if strings.IndexFunc(p.Dir, func(r rune) bool { return r > 127 }) < 0 {
				t.Fatalf("%q: %+v, %q: %+v, %v", text, p, again, q, err)
			}
		}
	})
}

// faulty makes a mistake when it is drawn from for the first time.
type faulty struct{ drawn bool }

func (f *faulty) Read(b []byte) (int, error) {
	if !f.drawn {
		f.drawn = true
		panic("a mistake in " + strconv.Itoa(len(b)) + " bytes")
	}
	for i := range b {
		b[i] = byte(i)
	}
	return len(b), nil
}

// TestAMistakeIsOneClients: it fails the command, and the next one is answered.
func TestAMistakeIsOneClients(t *testing.T) {
	t.Parallel()
	play(t, func(c *service.Config, _ *Options) { c.Rand = &faulty{} }, map[string]func(h *house){
		"WPS_PIN get": func(h *house) {
			h.want([2]string{"WPS_PIN get", "FAIL\n"})
			if got := h.ask("WPS_PIN get"); len(got) != 8 {
				h.Errorf("%q", got)
			}
			if log := h.log.String(); !strings.Contains(log, "something went wrong inside wpsd") ||
				!strings.Contains(log, "commands_test.go") {
				h.Error("not logged with its stack")
			}
		},
	})
}
