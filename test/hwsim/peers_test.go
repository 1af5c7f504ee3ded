//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ap describes an access point for hostapd. The zero value of a field stands for what is in
// brackets.
type ap struct {
	radio      string // ["wlan0"]
	ssid       string // any bytes ["wpsd-test"]
	channel    int    // above 14: 5 GHz [1]
	security   string // "wpa2", "mixed" (WPA and WPA2), "open" ["wpa2"]
	passphrase string // ["correct horse"]
	psk        string // 64 hexadecimal digits, in place of the passphrase
	uuid       string // [hostapd's own]
	version    string // of WPS: "1.0" takes a hostapd built for testing ["2.0"]
	testing    bool   // a hostapd built for testing
	extra      []string
}

const (
	testSSID       = "wpsd-test"
	testPassphrase = "correct horse"
	testPSK        = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	labelPIN       = "12345670"
	firstHalfPIN   = "12340002" // differs from labelPIN in its second half only
	otherPIN       = "98765430" // differs in both
)

// hostapd is a running access point and its control socket.
type hostapd struct {
	w *world
	*process
	*control
	ap    ap
	bssid string
}

// startAP starts one hostapd with one access point and waits until it beacons.
func (w *world) startAP(a ap) *hostapd {
	w.t.Helper()
	return w.startAPs(a)[0]
}

// startAPs starts one hostapd with several access points: they share WPS state and UUID, as the
// radios of one dual-band device do.
func (w *world) startAPs(aps ...ap) []*hostapd {
	w.t.Helper()
	program := "hostapd"
	if aps[0].version == "1.0" || aps[0].testing {
		program = "/in/hostapd-testing"
		if _, err := os.Stat(program); err != nil {
			w.t.Skip("there is no hostapd that was built for testing (see hostapd-testing)")
		}
	}
	args := []string{program, "-t"}
	if !w.quiet {
		args = append(args, "-d")
	}
	for i := range aps {
		aps[i] = aps[i].withDefaults()
		w.must(os.RemoveAll(aps[i].controlDir())) // a killed one leaves its socket
		args = append(args, w.write("hostapd-"+aps[i].radio+".conf", aps[i].config()))
	}
	p := w.start("hostapd-"+aps[0].radio, args...)
	var started []*hostapd
	for _, a := range aps {
		c := w.dialControl(p, filepath.Join(a.controlDir(), a.radio))
		w.until("hostapd on "+a.radio+" is enabled", 20*time.Second, func() bool {
			return strings.Contains(c.ask("STATUS"), "state=ENABLED")
		})
		if a.version == "1.0" {
			c.mustOK("SET wps_version_number 0x10")
		}
		started = append(started,
			&hostapd{w: w, process: p, control: c, ap: a, bssid: w.mac(a.radio)})
	}
	return started
}

func (a ap) withDefaults() ap {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&a.radio, "wlan0")
	set(&a.ssid, testSSID)
	set(&a.security, "wpa2")
	set(&a.passphrase, testPassphrase)
	if a.channel == 0 {
		a.channel = 1
	}
	return a
}

// controlDir is short: the path of a Unix socket has room for 107 bytes.
func (a ap) controlDir() string { return filepath.Join(scratch, "hostapd-"+a.radio) }

// config writes hostapd.conf. WPS is configured (wps_state=2) and the internal Registrar on.
func (a ap) config() string {
	mode := "g"
	if a.channel > 14 {
		mode = "a"
	}
	lines := []string{
		"driver=nl80211", "interface=" + a.radio, "ctrl_interface=" + a.controlDir(),
		fmt.Sprintf("ssid2=%x", a.ssid), "hw_mode=" + mode, fmt.Sprintf("channel=%d", a.channel),
		"eap_server=1", "wps_state=2", "ap_setup_locked=1",
		"device_name=Test access point", "manufacturer=wpsd", "model_name=hwsim", "model_number=1",
		"serial_number=12345", "device_type=6-0050F204-1", "os_version=01020300",
		"config_methods=label virtual_display virtual_push_button keypad",
	}
	if sandboxed() { // what wpsd's own user takes (see wpsd.service)
		lines = append(lines, "ctrl_interface_group=netdev")
	}
	if a.uuid != "" {
		lines = append(lines, "uuid="+a.uuid)
	}
	switch a.security {
	case "wpa2":
		lines = append(lines, "wpa=2", "rsn_pairwise=CCMP")
	case "mixed":
		lines = append(lines, "wpa=3", "wpa_pairwise=TKIP", "rsn_pairwise=CCMP")
	}
	if a.security != "open" {
		lines = append(lines, "wpa_key_mgmt=WPA-PSK")
		if a.psk != "" {
			lines = append(lines, "wpa_psk="+a.psk)
		} else {
			lines = append(lines, "wpa_passphrase="+a.passphrase)
		}
	}
	return strings.Join(append(lines, a.extra...), "\n") + "\n"
}

// mac reads an interface's address.
func (w *world) mac(radio string) string {
	w.t.Helper()
	text, err := os.ReadFile("/sys/class/net/" + radio + "/address")
	w.must(err)
	return strings.TrimSpace(string(text))
}

// supplicant is a running wpa_supplicant and its control socket.
type supplicant struct {
	w *world
	*process
	*control
}

// startSupplicant starts wpa_supplicant on a radio with the given lines in its configuration.
func (w *world) startSupplicant(radio string, lines ...string) *supplicant {
	w.t.Helper()
	dir := filepath.Join(scratch, "supplicant-"+radio)
	w.must(os.RemoveAll(dir))
	config := w.write("wpa_supplicant-"+radio+".conf",
		"ctrl_interface=DIR="+dir+" GROUP=netdev\n"+strings.Join(lines, "\n")+"\n")
	p := w.start("wpa_supplicant-"+radio, "wpa_supplicant", "-t", "-d", "-K", "-D", "nl80211", "-i",
		radio, "-c", config)
	return &supplicant{w, p, w.dialControl(p, filepath.Join(dir, radio))}
}

// connects hands a network to a real wpa_supplicant on the radio, which has to get through the
// 4-way handshake with it, and gives the radio back.
func (w *world) connects(radio string, c credential, a *hostapd) {
	w.t.Helper()
	network := []string{"network={", fmt.Sprintf("ssid=%x", c.ssid), "bssid=" + a.bssid,
		"scan_ssid=1", fmt.Sprintf("scan_freq=%d", a.frequency())}
	switch {
	case c.auth == "OPEN":
		network = append(network, "key_mgmt=NONE")
	case c.keyKind == "raw-psk":
		network = append(network, "psk="+string(c.key))
	default:
		// up to the last quote; nothing is escaped
		network = append(network, `psk="`+string(c.key)+`"`)
	}
	s := w.startSupplicant(radio, append(network, "}")...)
	defer s.stop()
	s.wait(0, "CTRL-EVENT-CONNECTED - Connection to "+a.bssid, 20*time.Second)
}

// holdMidRun stops the access point in its tracks when the EAP exchange has begun, counting its
// events from mark: the run then stands still in its middle. A short fragment_size makes sure that
// it is not over too soon.
func (h *hostapd) holdMidRun(mark int, s *session) {
	h.w.t.Helper()
	h.wait(mark, "CTRL-EVENT-EAP-STARTED", 40*time.Second)
	h.signal(syscall.SIGSTOP)
	if state := s.property("State"); state != "exchanging" && state != "associating" {
		h.w.t.Fatalf("the session is %v after EAP began", state)
	}
}

// goOn lets a held access point run again.
func (h *hostapd) goOn() { h.signal(syscall.SIGCONT) }

// frequency in MHz of the access point's channel.
func (h *hostapd) frequency() int {
	if h.ap.channel > 14 {
		return 5000 + 5*h.ap.channel
	}
	return 2407 + 5*h.ap.channel
}
