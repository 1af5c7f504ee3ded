package control

import (
	"bytes"
	"encoding/binary"
	"strings"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Capability bits (IEEE 802.11, capability information).
const (
	capabilityESS  = 1 << 0
	capabilityIBSS = 1 << 1
)

// Elements and vendor types that show in the flags.
const (
	idExtendedCapabilities = 127
	idRSNX                 = 244
	utf8Bit                = 48 // of the extended capabilities: the SSID is UTF-8
	saeH2EBit              = 5  // of the RSN extension: SAE by hash to element
	savePKBit              = 6  // SAE with a public key
)

var (
	wpaType = []byte{0x00, 0x50, 0xf2, 0x01}
	p2pType = []byte{0x50, 0x6f, 0x9a, 0x09}
	hs20    = []byte{0x50, 0x6f, 0x9a, 0x10}
	oweType = []byte{0x50, 0x6f, 0x9a, 0x1c}
)

// suite is a cipher or key management suite: an OUI and a type.
type suite uint32

const (
	rsnOUI = 0x000fac00
	wpaOUI = 0x0050f200
)

// rsnKeys and wpaKeys name key managements in the order of wpa_supplicant's text.
var (
	rsnKeys = []named{
		{rsnOUI | 1, "EAP"}, {rsnOUI | 2, "PSK"}, {rsnOUI | 8, "SAE"}, {rsnOUI | 24, "SAE-EXT-KEY"},
		{rsnOUI | 3, "FT/EAP"}, {rsnOUI | 4, "FT/PSK"}, {rsnOUI | 9, "FT/SAE"},
		{rsnOUI | 5, "EAP-SHA256"}, {rsnOUI | 6, "PSK-SHA256"}, {rsnOUI | 11, "EAP-SUITE-B"},
		{rsnOUI | 12, "EAP-SUITE-B-192"},
		{rsnOUI | 14, "FILS-SHA256"}, {rsnOUI | 15, "FILS-SHA384"}, {rsnOUI | 16, "FT-FILS-SHA256"},
		{rsnOUI | 17, "FT-FILS-SHA384"}, {rsnOUI | 18, "OWE"},
	}
	wpaKeys = []named{{wpaOUI | 1, "EAP"}, {wpaOUI | 2, "PSK"}}

	rsnCiphers = []named{
		{rsnOUI | 10, "CCMP-256"}, {rsnOUI | 9, "GCMP-256"}, {rsnOUI | 4, "CCMP"},
		{rsnOUI | 8, "GCMP"}, {rsnOUI | 2, "TKIP"},
		{rsnOUI | 5, "WEP104"}, {rsnOUI | 1, "WEP40"},
	}
	wpaCiphers = []named{{wpaOUI | 4, "CCMP"}, {wpaOUI | 2, "TKIP"}, {wpaOUI | 5, "WEP104"},
		{wpaOUI | 1, "WEP40"}}
)

type named struct {
	suite suite
	text  string
}

// flagsOf writes a BSS's flags: "[WPA2-PSK-CCMP][WPS-PBC][ESS]".
func flagsOf(b *drivers.BSS, own wsc.MAC) string {
	var out strings.Builder
	wpa, rsn, vendor := false, false, map[string]bool{}
	for id, v := range ie.Elements(b.IEs) {
		switch {
		case id == ie.IDVendor && bytes.HasPrefix(v, wpaType) && !wpa:
			wpa = true
			writeSecurity(&out, "WPA", v[len(wpaType):], wpaKeys, wpaCiphers, wpaOUI|2)
		case id == ie.IDVendor && len(v) >= 4:
			vendor[string(v[:4])] = true
		}
	}
	if v, ok := ie.Find(b.IEs, ie.IDRSN); ok {
		rsn = true
		writeSecurity(&out, "WPA2", v, rsnKeys, rsnCiphers, rsnOUI|4)
	}
	if bit(b.IEs, idRSNX, saeH2EBit) {
		out.WriteString("[SAE-H2E]")
	}
	if bit(b.IEs, idRSNX, savePKBit) {
		out.WriteString("[SAE-PK]")
	}
	if vendor[string(oweType)] && !rsn {
		out.WriteString("[OWE-TRANS-OPEN]")
	} else if vendor[string(oweType)] {
		out.WriteString("[OWE-TRANS]")
	}
	if data, ok := ie.WSC(b.IEs, nil); ok {
		ad, err := wsc.ParseAdvertisement(data)
		if err != nil {
			ad = nil
		}
		out.WriteString("[" + discovery.Classify(ad, own).String() + "]")
	}
	if b.Privacy && !wpa && !rsn {
		out.WriteString("[WEP]")
	}
	if b.Capability&capabilityIBSS != 0 {
		out.WriteString("[IBSS]")
	}
	if b.Capability&capabilityESS != 0 {
		out.WriteString("[ESS]")
	}
	if vendor[string(p2pType)] {
		out.WriteString("[P2P]")
	}
	if vendor[string(hs20)] {
		out.WriteString("[HS20]")
	}
	if bit(b.IEs, idExtendedCapabilities, utf8Bit) {
		out.WriteString("[UTF-8]")
	}
	return out.String()
}

// bit reads one bit of an element.
func bit(ies []byte, id byte, n int) bool {
	v, ok := ie.Find(ies, id)
	return ok && n/8 < len(v) && v[n/8]&(1<<(n%8)) != 0
}

// writeSecurity writes "[WPA2-PSK+SAE-CCMP]" of an RSN or WPA element, and "[WPA2-?]" of one that
// cannot be read. What the element leaves out is 802.1X with the cipher of its generation (IEEE
// 802.11, RSNE).
func writeSecurity(out *strings.Builder, generation string, v []byte, keys, ciphers []named,
	cipher suite) {
	pairwise, akm, capabilities, ok := suites(v, cipher)
	if !ok {
		out.WriteString("[" + generation + "-?]")
		return
	}
	text := strings.Join(names(akm, keys), "+")
	if len(akm) == 0 {
		text = "EAP"
	}
	if c := names(pairwise, ciphers); len(c) > 0 {
		text += "-" + strings.Join(c, "+")
	}
	if generation == "WPA2" && capabilities&1 != 0 {
		text += "-preauth"
	}
	out.WriteString("[" + generation + "-" + text + "]")
}

// names lists the known ones of some suites.
func names(list []suite, known []named) []string {
	var out []string
	for _, k := range known {
		for _, s := range list {
			if s == k.suite {
				out = append(out, k.text)
				break
			}
		}
	}
	return out
}

// suites reads an RSN or WPA element: version, group cipher, pairwise ciphers, key managements,
// capabilities. It may end after any of them.
func suites(v []byte, cipher suite) (pairwise, akm []suite, capabilities uint16, ok bool) {
	if len(v) < 2 || binary.LittleEndian.Uint16(v) != 1 {
		return nil, nil, 0, false
	}
	v = v[2:]
	if len(v) < 4 {
		return []suite{cipher}, nil, 0, len(v) == 0
	}
	v = v[4:]
	if pairwise, v, ok = suiteList(v); !ok {
		return nil, nil, 0, false
	}
	if pairwise == nil {
		pairwise = []suite{cipher}
	}
	if akm, v, ok = suiteList(v); !ok {
		return nil, nil, 0, false
	}
	if len(v) >= 2 {
		capabilities = binary.LittleEndian.Uint16(v)
	}
	return pairwise, akm, capabilities, true
}

// suiteList reads a count and as many suites; nothing at all is no list.
func suiteList(v []byte) (list []suite, rest []byte, ok bool) {
	if len(v) < 2 {
		return nil, nil, len(v) == 0
	}
	n := int(binary.LittleEndian.Uint16(v))
	if v = v[2:]; n*4 > len(v) {
		return nil, nil, false
	}
	for range n {
		list = append(list, suite(binary.BigEndian.Uint32(v)))
		v = v[4:]
	}
	return list, v, true
}
