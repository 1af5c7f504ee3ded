package control

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/state"
)

// scan is SCAN. Of its options only the one that means nothing here is known: TYPE=ONLY, not to
// connect afterwards.
func (c *call) scan() string {
	if c.args != "" && c.args != "TYPE=ONLY" {
		return c.fail(errors.New("scans take no options here"))
	}
	err := c.svc().Scan(c.ctx, c.ifname)
	if errors.Is(err, state.ErrBusy) {
		return replyBusy
	}
	return c.done(err)
}

// scanResults is SCAN_RESULTS: what was heard, as much as fits.
func (c *call) scanResults() string {
	list, err := c.svc().BSSs(c.ifname)
	if err != nil {
		return c.fail(err)
	}
	own := c.iface().HardwareAddr
	out := page{text: "bssid / frequency / signal level / flags / ssid\n"}
	for i := range list {
		b := &list[i]
		ssid, _ := ie.SSID(b.IEs)
		if !out.add(fmt.Sprintf("%s\t%d\t%d\t%s\t%s\n", wsc.MAC(b.BSSID), b.Frequency, b.Signal,
			flagsOf(&b.BSS, own), quoteSSID(ssid))) {
			break
		}
	}
	return out.text
}

// page is a reply that ends with the last piece that fits.
type page struct{ text string }

func (p *page) add(piece string) bool {
	if len(p.text)+len(piece) > maxReply-1 {
		return false
	}
	p.text += piece
	return true
}

// What BSS shows, by the bits of its MASK.
const (
	maskID = 1 << iota
	maskBSSID
	maskFrequency
	maskInterval
	maskCapabilities
	maskQuality
	maskNoise
	maskLevel
	maskTSF
	maskAge
	maskIE
	maskFlags
	maskSSID
	maskWPS
)

const (
	maskDelimiter = 1 << 17
	maskSNR       = 1 << 19
	maskBeaconIE  = 1 << 23
	maskAll       = 0xfffdffff // without the delimiter
)

// Noise floors where no driver tells one (wpa_supplicant's numbers).
const (
	noise2GHz = -89
	noise5GHz = -92
)

// bss is BSS WHICH [MASK=0x…]: one access point, or with RANGE= several. The reply to one that is
// not there is empty.
func (c *call) bss() string {
	which, mask := c.args, uint64(maskAll)
	if before, text, ok := strings.Cut(c.args, "MASK="); ok {
		which = strings.TrimRight(before, " ")
		if n, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16,
			32); err == nil && n != 0 {
			mask = n
		}
	}
	list, err := c.svc().BSSs(c.ifname)
	if err != nil {
		return c.fail(err)
	}
	chosen := chooseBSS(list, which)
	own := c.iface().HardwareAddr
	now := time.Now()
	var out page
	for n := range chosen {
		text := writeBSS(&chosen[n], mask, own, now)
		switch {
		case mask&maskDelimiter == 0:
		case n == len(chosen)-1 && strings.HasPrefix(which, "RANGE="):
			text += "####\n"
		default:
			text += "====\n"
		}
		if !out.add(text) {
			break
		}
	}
	return out.text
}

// chooseBSS finds what BSS names: FIRST, LAST, ID-n, NEXT-n, RANGE=ALL, RANGE=n-m, CURRENT, a
// BSSID, or the n-th.
func chooseBSS(list []air.BSS, which string) []air.BSS {
	one := func(fits func(n int, b *air.BSS) bool) []air.BSS {
		for n := range list {
			if fits(n, &list[n]) {
				return list[n : n+1]
			}
		}
		return nil
	}
	after := func(prefix string) uint32 {
		return uint32(max(atoi(strings.TrimPrefix(which, prefix)), 0))
	}
	bssid, err := wsc.ParseMAC(which)
	switch {
	case which == "FIRST":
		return one(func(int, *air.BSS) bool { return true })
	case which == "LAST":
		return one(func(n int, _ *air.BSS) bool { return n == len(list)-1 })
	case which == "CURRENT":
		return one(func(_ int, b *air.BSS) bool { return b.Associated })
	case strings.HasPrefix(which, "ID-"):
		return one(func(_ int, b *air.BSS) bool { return b.ID == after("ID-") })
	case strings.HasPrefix(which, "NEXT-"):
		return one(func(_ int, b *air.BSS) bool { return b.ID > after("NEXT-") })
	case strings.HasPrefix(which, "RANGE="):
		return rangeBSS(list, strings.TrimPrefix(which, "RANGE="))
	case strings.HasPrefix(which, "p2p_dev_addr="):
		return nil // wpsd does not know Wi-Fi Direct devices
	case err == nil:
		return one(func(_ int, b *air.BSS) bool { return b.BSSID == bssid })
	}
	return one(func(n int, _ *air.BSS) bool { return n == atoi(which) })
}

// rangeBSS reads "ALL", "5-9", "5-" and "-9", of identifiers.
func rangeBSS(list []air.BSS, text string) []air.BSS {
	first, last := 0, -1
	if text != "ALL" {
		from, to, ok := strings.Cut(text, "-")
		if !ok {
			return nil
		}
		first = atoi(from)
		if to != "" {
			last = atoi(to)
		}
	}
	var chosen []air.BSS
	for _, b := range list {
		if int(b.ID) >= first && (last < 0 || int(b.ID) <= last) {
			chosen = append(chosen, b)
		}
	}
	return chosen
}

// writeBSS writes the lines of one access point. There is no est_throughput: it would be an
// invention.
func writeBSS(b *air.BSS, mask uint64, own wsc.MAC, now time.Time) string {
	var out strings.Builder
	line := func(bit uint64, format string, args ...any) {
		if mask&bit != 0 {
			_, _ = fmt.Fprintf(&out, format+"\n", args...)
		}
	}
	noise := noise2GHz
	if b.Frequency > 4000 {
		noise = noise5GHz
	}
	ssid, _ := ie.SSID(b.IEs)
	line(maskID, "id=%d", b.ID)
	line(maskBSSID, "bssid=%s", wsc.MAC(b.BSSID))
	line(maskFrequency, "freq=%d", b.Frequency)
	line(maskInterval, "beacon_int=%d", b.Interval)
	line(maskCapabilities, "capabilities=0x%04x", b.Capability)
	line(maskQuality, "qual=0")
	line(maskNoise, "noise=%d", noise)
	line(maskLevel, "level=%d", b.Signal)
	line(maskTSF, "tsf=%016d", b.TSF)
	line(maskAge, "age=%d", max(int(now.Sub(b.Seen).Seconds()), 0))
	line(maskIE, "ie=%s", hex.EncodeToString(b.IEs))
	line(maskFlags, "flags=%s", flagsOf(&b.BSS, own))
	line(maskSSID, "ssid=%s", quoteSSID(ssid))
	if mask&maskWPS != 0 {
		out.WriteString(wpsLines(b.IEs))
	}
	line(maskSNR, "snr=%d", b.Signal-noise)
	if len(b.BeaconIEs) > 0 && string(b.BeaconIEs) != string(b.IEs) {
		line(maskBeaconIE, "beacon_ie=%s", hex.EncodeToString(b.BeaconIEs))
	}
	return out.String()
}

// wpsLines tells what the WSC element says; nothing if there is none or it cannot be read.
func wpsLines(ies []byte) string {
	data, ok := ie.WSC(ies, nil)
	if !ok {
		return ""
	}
	ad, err := wsc.ParseAdvertisement(data)
	if err != nil {
		return ""
	}
	var out strings.Builder
	line := func(there bool, format string, args ...any) {
		if there {
			_, _ = fmt.Fprintf(&out, format+"\n", args...)
		}
	}
	line(ad.State == wsc.NotConfigured, "wps_state=unconfigured")
	line(ad.State == wsc.Configured, "wps_state=configured")
	line(ad.SetupLocked, "wps_ap_setup_locked=1")
	line(ad.SelectedRegistrar, "wps_selected_registrar=1")
	line(ad.HasDevicePasswordID, "wps_device_password_id=%d", uint16(ad.DevicePasswordID))
	line(ad.HasSelectedRegistrarConfigMethods, "wps_selected_registrar_config_methods=0x%04x",
		uint16(ad.SelectedRegistrarConfigMethods))
	line(ad.PrimaryDeviceType != wsc.DeviceType{}, "wps_primary_device_type=%s",
		ad.PrimaryDeviceType)
	line(ad.DeviceName != "", "wps_device_name=%s", noControls(ad.DeviceName))
	line(ad.ConfigMethods != 0, "wps_config_methods=0x%04x", uint16(ad.ConfigMethods))
	return out.String()
}

// noControls puts an underscore in the place of what a line of text must not hold. Other bytes stay
// as they are, also if they are no UTF-8.
func noControls(text string) string {
	b := []byte(text)
	for i, ch := range b {
		if ch < 0x20 {
			b[i] = '_'
		}
	}
	return string(b)
}
