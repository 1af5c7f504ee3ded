//go:build hwsim

package hwsim

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// Of mac80211_hwsim's own netlink family (drivers/net/wireless/mac80211_hwsim.h).
const (
	hwsimNewRadio     = 4
	hwsimAttrChannels = 9
)

// addRadio makes a radio that can be on so many channels at once.
func (w *world) addRadio(channels uint32) {
	w.t.Helper()
	conn, err := genetlink.Dial(nil)
	w.must(err)
	defer conn.Close()
	family, err := conn.GetFamily("MAC80211_HWSIM")
	w.must(err)
	e := netlink.NewAttributeEncoder()
	e.Uint32(hwsimAttrChannels, channels)
	data, err := e.Encode()
	w.must(err)
	_, err = conn.Send(genetlink.Message{Header: genetlink.Header{Command: hwsimNewRadio,
		Version: 1}, Data: data}, family.ID, netlink.Request)
	w.must(err) // the answer is the radio's number; that it is there the caller sees
}

// roomyStation gives the station's name to a new radio that can be on two channels at once.
func (w *world) roomyStation() {
	w.t.Helper()
	before := w.radios()
	w.addRadio(2)
	var added string
	w.until("the new radio is there", 10*time.Second, func() bool {
		for _, r := range w.radios() {
			if !slices.Contains(before, r) {
				added = r
			}
		}
		return added != ""
	})
	index := strings.TrimSpace(w.sh("cat /sys/class/net/%s/phy80211/index", added))
	w.sh("ip link set %s down; ip link set %s name spare; ip link set %s down; ip link set %s name %s", station, station, added, added, station)
	w.t.Cleanup(func() {
		w.sh("ip link set %s down; ip link set %s name roomy%s; ip link set spare down; ip link set spare name %s", station, station, index, station)
	})
}

// Who asks for it keeps the connection where the radio has room.
func TestManagerSupplicantStaysConnectedWhereTheRadioHasRoom(t *testing.T) {
	w := newWorld(t)
	w.roomyStation()
	_, fresh := w.home()
	w.startBus()
	s := w.startSupplicantManager(block(oldSSID, oldPassphrase) +
		block("elsewhere", "not in reach"))
	s.connectedTo(oldSSID)
	w.hasAddress(oldAddress)
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	run := d.startPBC("apply", "none", "beside", true)
	run.reaches("State", time.Minute, "exchanging", "succeeded")
	if left, _ := filepath.Glob(filepath.Join(w.stateDir(), "owed/*.json")); len(left) > 0 {
		t.Errorf("nothing was taken, and this is owed: %v", left)
	}
	if o := run.ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	if strings.Contains(s.output(), "CTRL-EVENT-DISCONNECTED") {
		t.Error("wpa_supplicant was disconnected meanwhile")
	}
	s.connectedTo(oldSSID)
	if strings.Contains(w.sh("ip link"), "wps0") {
		t.Error("our own interface is still there")
	}
	fresh.mustOK("WPS_PBC")
	if o := d.startPBC("beside", true).ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(testSSID)
	w.hasAddress(newAddress)
}

// An access point that has a key for each station gives one that is good for one address: the
// network manager's, unless somebody wanted the session to have an interface of its own.
func TestManagerSupplicantHasTheAddressThatTheKeyIsFor(t *testing.T) {
	w := newWorld(t)
	w.roomyStation()
	keys := w.write("keys-of-stations", "")
	perStation := ap{security: "open", extra: []string{"wpa=2", "rsn_pairwise=CCMP",
		"wpa_key_mgmt=WPA-PSK", "wpa_psk_file=" + keys}}
	fresh := w.startAP(perStation)
	w.startAP(ap{radio: "wlan2", channel: 6, ssid: oldSSID, passphrase: oldPassphrase})
	w.startBus()
	s := w.startSupplicantManager(block(oldSSID, oldPassphrase))
	s.connectedTo(oldSSID)
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	o := d.startPBC("beside", true).ends(4 * time.Minute)
	if o.reason != "handover-failed" || !strings.Contains(o.sentence, "tied to the address") {
		t.Errorf("with another address: %q: %s", o.reason, o.sentence)
	}
	s.connectedTo(oldSSID)
	fresh.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(testSSID)
	if text := w.sh("cat %s", keys); !strings.Contains(text, w.mac(station)) {
		t.Errorf("the access point has no key of this station:\n%s", text)
	}
	w.owesNothing()
}
