//go:build hwsim

package hwsim

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
)

// TestERUsesDevicesWithBadDescriptions: what people and vendors write into the name of an access
// point keeps neither wpa_supplicant, which looks for the tags that it needs, nor us from using it.
// One is a real hostapd, which escapes & and < only; the others show its M1 at addresses of their
// own.
func TestERUsesDevicesWithBadDescriptions(t *testing.T) {
	w := newWorld(t)
	w.startAP(withUPnP(ap{}, "friendly_name=M\xfcller\x01s router"))
	p := w.startControlPoint()
	_, d := p.find()
	m1, err := upnp.GetDeviceInfo.ParseReply(
		p.do(upnp.Action{Name: upnp.GetDeviceInfo}.Request(d.Control), 200))
	w.must(err)

	names := map[string]string{upnpUUID: "Müller s router"}
	for n, c := range []struct{ written, encoding, shown string }{
		{"R&D", "", "R&D"},
		{"M\xfcller", "", "Müller"},
		{"M\xfcller \x93x\x94", "windows-1252", "Müller “x”"},
		{"a\x01b\x1b[31m", "UTF-8", "a b [31m"}, // at a zero wpa_supplicant stops reading
		{"a < b", "", "a < b"},
		{"Caf&eacute;&#0;", "x-unknown", "Café"},
	} {
		uuid := [16]byte{1, 2, 3, 4, 15: byte(n)}
		names[strings.TrimPrefix(upnp.FormatUDN(uuid), "uuid:")] = c.shown
		a := controlpointtest.New(t, controlpointtest.Config{
			Address: netip.AddrFrom4([4]byte{127, 0, 1, byte(n + 1)}), UUID: uuid,
			Document: func(xml []byte) []byte {
				xml = bytes.Replace(xml, []byte("WPS Access Point"), []byte(c.written), 1)
				if c.encoding == "" {
					return xml
				}
				return bytes.Replace(xml, []byte(`"1.0"`),
					[]byte(`"1.0" encoding="`+c.encoding+`"`), 1)
			},
			Act: func(upnp.Action) ([]byte, error) { return m1, nil },
		})
		a.Announce(t, upnp.Alive)
	}

	rival := w.startRivalER()
	mark := rival.mark()
	rival.mustOK("WPS_ER_START")
	w.startBus()
	r := w.startERDaemon()
	r.mustCall(r.iface(), "ER.Start", options())
	for uuid, name := range names {
		rival.wait(mark, "WPS-ER-AP-ADD "+uuid, 20*time.Second)
		path := r.finds(uuid, 20*time.Second)
		if got := r.property(path, "ER.AccessPoint", "FriendlyName"); got != name ||
			r.property(path, "ER.AccessPoint", "Problem") != "" {
			t.Errorf("%s is called %q, not %q, problem %q", uuid, got, name,
				r.property(path, "ER.AccessPoint", "Problem"))
		}
	}
	r.er("Learn", upnpUUID, labelPIN, options()).succeeds(oneRun)
}
