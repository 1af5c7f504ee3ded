//go:build hwsim

package hwsim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// README-WPS has WPAPSK and TKIP for wps_reg and wps_er_config. In these scenarios hostapd gets
// such settings from wpa_supplicant, and from wpsd in each way that there is; they are the same on
// the air, and so is what it makes of them.

// weakPairs are authentication and encryption, and their numbers in the Credential.
var weakPairs = []struct{ auth, encr, attributes string }{
	{"WPAPSK", "TKIP", "100300020002 100f00020004"},
	{"WPAPSK", "CCMP", "100300020002 100f00020008"},
	{"WPA2PSK", "TKIP", "100300020020 100f00020004"},
}

// tellsSettings has hostapd tell what it was sent, besides using it.
const tellsSettings = "wps_cred_processing=2"

var newSettings = regexp.MustCompile(`WPS-NEW-AP-SETTINGS ([0-9a-f]+)`)

// configuredAs waits until hostapd has taken new settings since a mark: what was sent, and what it
// is then.
func (h *hostapd) configuredAs(mark int, ssid string, attributes string) string {
	t := h.w.t
	t.Helper()
	event := h.wait(mark, "WPS-NEW-AP-SETTINGS 10", oneRun)
	sent := newSettings.FindStringSubmatch(event.text)
	if sent == nil {
		t.Fatalf("hostapd tells %q", event.text)
	}
	for _, attribute := range strings.Fields(attributes) {
		if !strings.Contains(sent[1], attribute) {
			t.Errorf("%s: %s is not in what was sent: %s", ssid, attribute, sent[1])
		}
	}
	var lines []string
	h.w.until("hostapd has the name "+ssid, 20*time.Second, func() bool {
		lines = strings.Split(h.ask("GET_CONFIG"), "\n")
		return slices.Contains(lines, "ssid="+ssid)
	})
	lines = slices.DeleteFunc(lines, func(l string) bool { // what differs from one to the next
		return strings.HasPrefix(l, "ssid=") || strings.HasPrefix(l, "passphrase=") ||
			strings.HasPrefix(l, "psk=")
	})
	return strings.Join(lines, "\n")
}

// isStored checks a network that wpsd has stored: what hostapd makes of all of these.
func (d *daemon) isStored(path godbus.ObjectPath, ssid string, encr string) {
	t := d.w.t
	t.Helper()
	c := newCredential(d.mustCall(path, "Network.GetSecrets")[0].(map[string]godbus.Variant))
	want := "CCMP"
	if encr == "TKIP" {
		want = "TKIP|CCMP"
	}
	if string(c.ssid) != ssid || c.auth != "WPA2PSK" || c.encryption != want {
		t.Errorf("stored as %v, want %s, WPA2PSK, %s", c, ssid, want)
	}
}

// newest is the network that was stored last.
func (d *daemon) newest() godbus.ObjectPath {
	d.w.t.Helper()
	all := d.networks()
	if len(all) == 0 {
		d.w.t.Fatal("nothing is stored")
	}
	return all[len(all)-1]
}

func TestRegistrarSendsWeakSettingsAsAsked(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}, tellsSettings))
	d, cli, events := w.startControlled()
	e := w.startSupplicant("wlan2")
	key := []byte("weak passphrase")
	for n, p := range weakPairs {
		name := func(way string) string { return fmt.Sprintf("%s %d", way, n) }
		t.Log(p.auth, p.encr)
		w.forgetScans(station)

		e.mustOK("BSS_FLUSH 0") // the access point has another name by now
		mark := h.mark()
		e.mustOK("WPS_REG %s %s %x %s %s %x", h.bssid, labelPIN, name("theirs"), p.auth,
			p.encr, key)
		want := h.configuredAs(mark, name("theirs"), p.attributes)
		e.mustOK("DISCONNECT")
		e.mustOK("REMOVE_NETWORK all")
		t.Log(want)

		mark = h.mark()
		c := d.configure(h, "ssid", []byte(name("bus")), "auth", p.auth, "encryption", p.encr,
			"key", key).succeeds(oneRun)
		if got := h.configuredAs(mark, name("bus"), p.attributes); got != want {
			t.Errorf("over D-Bus hostapd becomes\n%s\nwith wpa_supplicant\n%s", got, want)
		}
		d.isStored(d.newest(), name("bus"), p.encr)
		w.connects(station, c, renamed(h, name("bus")))

		mark = h.mark()
		file := w.write("weak.txt", labelPIN+"\n"+string(key)+"\n")
		r := w.run("sh", "-c", fmt.Sprintf("/in/wpsctl configure %s '%s' --auth %s --encryption %s < %s",
			h.bssid, name("wpsctl"), p.auth, p.encr, file))
		if r.status != 0 || !strings.Contains(r.stderr, "is weak") {
			t.Errorf("wpsctl: status %d: %s%s", r.status, r.stdout, r.stderr)
		}
		if got := h.configuredAs(mark, name("wpsctl"), p.attributes); got != want {
			t.Errorf("with wpsctl hostapd becomes\n%s\nwith wpa_supplicant\n%s", got, want)
		}
		d.isStored(d.newest(), name("wpsctl"), p.encr)

		mark, told := h.mark(), events.mark()
		cli.must("wps_reg", h.bssid, labelPIN, name("socket"), p.auth, p.encr, string(key))
		events.wait(told, "WPS-SUCCESS ", oneRun)
		if got := h.configuredAs(mark, name("socket"), p.attributes); got != want {
			t.Errorf("over the socket hostapd becomes\n%s\nwith wpa_supplicant\n%s", got, want)
		}
		d.isStored(d.newest(), name("socket"), p.encr)
	}

	t.Log("WEP gets nobody anywhere")
	mark, told := h.mark(), e.mark()
	reply := e.ask("WPS_REG %s %s %x OPEN WEP %x", h.bssid, labelPIN, "wep", "12345")
	t.Logf("wpa_supplicant says %q", reply)
	// it says OK to any word, and finds out in the run (wpa_supplicant 2.10)
	time.Sleep(20 * time.Second)
	if e.saw(told, "WPS-SUCCESS") {
		t.Error("wpa_supplicant gets somewhere with WEP, and wpsd does not")
	}
	e.ask("WPS_CANCEL")
	if got := cli.run("raw", fmt.Sprintf("WPS_REG %s %s %x OPEN WEP %x", h.bssid, labelPIN, "wep",
		"12345")); !strings.HasPrefix(got, "FAIL") {
		t.Errorf("wpsd says %q", got)
	}
	d.refused("InvalidArguments", d.iface(), "Interface.Configure", h.bssid, labelPIN,
		options("ssid", []byte("wep"), "auth", "OPEN", "encryption", "WEP", "key", []byte("12345")))
	if h.saw(mark, "WPS-NEW-AP-SETTINGS") {
		t.Error("hostapd took WEP")
	}
}

// renamed is an access point under its new name, for those who look whether one can connect to it.
func renamed(h *hostapd, ssid string) *hostapd {
	other := *h
	other.ap.ssid = ssid
	return &other
}

func TestERSendsWeakSettingsAsAsked(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{extra: []string{tellsSettings}}))
	r := w.startER()
	r.finds(upnpUUID, 10*time.Second)
	for n, p := range weakPairs {
		ssid := fmt.Sprintf("by wire %d", n)
		mark := h.mark()
		s := r.er("Configure", h.bssid, labelPIN,
			options("ssid", []byte(ssid), "auth", p.auth, "encryption", p.encr, "key",
				[]byte("weak passphrase")))
		s.succeeds(oneRun)
		h.configuredAs(mark, ssid, p.attributes)
		r.isStored(s.property("Networks").([]godbus.ObjectPath)[0], ssid, p.encr)
		r.w.until("it is found again", 30*time.Second, func() bool {
			return len(r.property(r.iface(), "ER", "AccessPoints").([]godbus.ObjectPath)) == 1
		})
	}
}
