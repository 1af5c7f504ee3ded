package ie

import (
	"bytes"
	"encoding/binary"
)

// Cipher is a set of cipher suites, one bit for each.
type Cipher uint16

// Ciphers for data, and those that protect management frames (IEEE 802.11, "Cipher suite
// selectors").
const (
	TKIP Cipher = 1 << iota
	CCMP
	GCMP
	CCMP256
	GCMP256
	AESCMAC // BIP-CMAC-128, what protects management frames unless another is named
	BIPGMAC128
	BIPGMAC256
	BIPCMAC256
)

// cipherNames are those that hostapd and wpa_supplicant use.
var cipherNames = [...]string{"TKIP", "CCMP", "GCMP", "CCMP-256", "GCMP-256", "AES-128-CMAC",
	"BIP-GMAC-128", "BIP-GMAC-256", "BIP-CMAC-256"}

// Names gives the names of the ciphers of a set, as hostapd and wpa_supplicant know them.
func (c Cipher) Names() []string {
	var list []string
	for i, name := range cipherNames {
		if c&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return list
}

// Ciphers are those that a BSS announces: what one has to be able to join it. Zero: none that is
// known here.
type Ciphers struct {
	Pairwise, Group Cipher
	Management      Cipher // for group-addressed management frames; zero: they are not protected
}

// Add takes in what another BSS of the same network announces.
func (c *Ciphers) Add(other Ciphers) {
	c.Pairwise |= other.Pairwise
	c.Group |= other.Group
	c.Management |= other.Management
}

// managementCapable is a bit of an RSN element's capabilities (IEEE 802.11, "RSN Capabilities").
const managementCapable = 1 << 7

// CiphersOf tells what the BSS with these elements announces, in its RSN and its WPA element. The
// group cipher of the two is the same.
func CiphersOf(ies []byte) Ciphers {
	var c Ciphers
	for id, v := range Elements(ies) {
		switch {
		case id == IDRSN:
			c.addRSN(v)
		case id == IDVendor && bytes.HasPrefix(v, wpaOUI):
			if lists, ok := parseSuites(v[len(wpaOUI):]); ok {
				c.Group |= cipherSet(lists.group, 0x0050F2)
				c.Pairwise |= cipherSet(lists.pairwise, 0x0050F2)
			}
		}
	}
	return c
}

func (c *Ciphers) addRSN(v []byte) {
	lists, ok := parseSuites(v)
	if !ok {
		return
	}
	const rsn = 0x000FAC
	orDefault := func(list []byte, otherwise Cipher) Cipher {
		if list == nil {
			return otherwise
		}
		return cipherSet(list, rsn)
	}
	c.Group |= orDefault(lists.group, CCMP)
	c.Pairwise |= orDefault(lists.pairwise, CCMP)
	if len(lists.rest) < 2 {
		return
	}
	capabilities := binary.LittleEndian.Uint16(lists.rest)
	if capabilities&managementCapable == 0 {
		return
	}
	c.Management = AESCMAC
	if rest := lists.rest[2:]; len(rest) >= 2 { // PMKIDs of 16 bytes, then the cipher
		pmkids := 2 + 16*int(binary.LittleEndian.Uint16(rest))
		if len(rest) >= pmkids+suiteLen {
			c.Management = cipherSet(rest[pmkids:pmkids+suiteLen], rsn)
		}
	}
}

// cipherSet reads suites of one OUI.
func cipherSet(list []byte, oui uint32) Cipher {
	var c Cipher
	for ; len(list) >= suiteLen; list = list[suiteLen:] {
		suite := binary.BigEndian.Uint32(list)
		if suite>>8 != oui {
			continue
		}
		c |= map[uint32]Cipher{
			2: TKIP, 4: CCMP, 6: AESCMAC, 8: GCMP, 9: GCMP256, 10: CCMP256, 11: BIPGMAC128,
			12: BIPGMAC256, 13: BIPCMAC256,
		}[suite&0xff]
	}
	return c
}
