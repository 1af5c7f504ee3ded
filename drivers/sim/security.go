package sim

import (
	"fmt"

	"wpsd/engine/ie"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Security is how an access point protects its network.
type Security uint8

// The kinds of protection.
const (
	Open     Security = iota // none
	WPA2                     // WPA2-Personal, CCMP
	WPAMixed                 // WPA and WPA2-Personal, TKIP and CCMP
	WPA2WPA3                 // WPA2-Personal and SAE, the transition mode of WPA3
	WPA3                     // SAE only
)

// String names the kind of protection.
func (s Security) String() string {
	switch s {
	case Open:
		return "open"
	case WPA2:
		return "WPA2"
	case WPAMixed:
		return "WPA/WPA2"
	case WPA2WPA3:
		return "WPA2/WPA3"
	case WPA3:
		return "WPA3"
	}
	return fmt.Sprintf("security %d", uint8(s))
}

// privacy is the capability bit of the same name.
func (s Security) privacy() bool { return s != Open }

// Suite selectors of OUI 00-0F-AC (IEEE 802.11); WPA has the same numbers under 00-50-F2.
const (
	suiteTKIP  = 2
	suiteCCMP  = 4
	suiteBIP   = 6
	suitePSK   = 2
	suiteSAE   = 8
	idRSN      = ie.IDRSN
	capMFPR    = 1 << 6 // management frame protection required
	capMFPC    = 1 << 7 // and possible
	rsnxH2E    = 1 << 5 // SAE hash to element
	idRSNXE    = 244
	rsnReplays = 3 << 2 // 16 PTKSA replay counters, as most drivers say
)

// append appends the RSN, RSN extension and WPA elements of the protection.
func (s Security) append(b []byte) []byte {
	switch s {
	case Open:
	case WPA2:
		b = appendRSN(b, suiteCCMP, []byte{suiteCCMP}, []byte{suitePSK}, rsnReplays)
	case WPAMixed:
		// The group cipher must be one that every station can: TKIP.
		b = appendRSN(b, suiteTKIP, []byte{suiteCCMP, suiteTKIP}, []byte{suitePSK}, rsnReplays)
		b = appendWPA(b)
	case WPA2WPA3:
		b = appendRSN(b, suiteCCMP, []byte{suiteCCMP}, []byte{suitePSK, suiteSAE},
			rsnReplays|capMFPC)
		b = ie.Append(b, idRSNXE, []byte{rsnxH2E})
	case WPA3:
		b = appendRSN(b, suiteCCMP, []byte{suiteCCMP}, []byte{suiteSAE}, rsnReplays|capMFPC|capMFPR)
		b = ie.Append(b, idRSNXE, []byte{rsnxH2E})
	}
	return b
}

// appendRSN appends an RSN element; its numbers are little endian (IEEE 802.11, RSNE).
func appendRSN(b []byte, group byte, pairwise, akm []byte, capabilities uint16) []byte {
	oui := [3]byte{0x00, 0x0f, 0xac}
	v := []byte{1, 0}
	v = appendSuite(v, oui, group)
	v = appendSuites(v, oui, pairwise)
	v = appendSuites(v, oui, akm)
	v = append(v, byte(capabilities), byte(capabilities>>8))
	if capabilities&capMFPC != 0 {
		v = append(v, 0, 0) // no PMKIDs
		v = appendSuite(v, oui, suiteBIP)
	}
	return ie.Append(b, idRSN, v)
}

// appendWPA appends the vendor element of WPA version 1 with TKIP and PSK.
func appendWPA(b []byte) []byte {
	oui := [3]byte{0x00, 0x50, 0xf2}
	v := append(oui[:], 1, 1, 0)
	v = appendSuite(v, oui, suiteTKIP)
	v = appendSuites(v, oui, []byte{suiteTKIP})
	v = appendSuites(v, oui, []byte{suitePSK})
	return ie.Append(b, ie.IDVendor, v)
}

func appendSuite(b []byte, oui [3]byte, suite byte) []byte {
	return append(append(b, oui[:]...), suite)
}

func appendSuites(b []byte, oui [3]byte, suites []byte) []byte {
	b = append(b, byte(len(suites)), 0)
	for _, s := range suites {
		b = appendSuite(b, oui, s)
	}
	return b
}

// network is what an access point's stations share: it changes when somebody configures the
// access point.
type network struct {
	ssid       []byte
	security   Security
	key        secret.Value // passphrase, or 64 hex digits; empty: open
	configured bool         // WPS state
}

// credential is the network as WSC hands it out. A single authentication bit, since there are
// stations that dislike two, and WPA2-Personal with AES for everything newer (hostap does both).
func (n *network) credential() wsc.Credential {
	c := wsc.Credential{NetworkIndex: 1, SSID: n.ssid, AuthType: wsc.AuthWPA2PSK,
		EncrType: wsc.EncrAES, NetworkKey: n.key.Clone()}
	if n.security == Open {
		c.AuthType, c.EncrType, c.NetworkKey = wsc.AuthOpen, wsc.EncrNone, secret.Value{}
	}
	return c
}

// networkFrom reads new settings that a Registrar gave (M8). What is too weak is raised, as hostapd
// does: TKIP gets AES beside it, WPA gets WPA2. WEP is refused.
func networkFrom(c *wsc.Credential) (network, bool) {
	n := network{ssid: c.SSID, configured: true, key: c.NetworkKey.Clone()}
	switch {
	case c.EncrType&wsc.EncrWEP != 0 || c.AuthType&wsc.AuthShared != 0:
		return network{}, false
	case len(c.SSID) == 0 || len(c.SSID) > 32:
		return network{}, false
	case c.AuthType&(wsc.AuthWPAPSK|wsc.AuthWPA2PSK) == 0:
		n.security, n.key = Open, secret.Value{}
		return n, c.AuthType == wsc.AuthOpen
	case c.AuthType&wsc.AuthWPAPSK != 0 || c.EncrType&wsc.EncrTKIP != 0:
		n.security = WPAMixed
	default:
		n.security = WPA2
	}
	return n, c.NetworkKey.Len() >= 8
}
