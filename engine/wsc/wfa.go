package wsc

import "encoding/binary"

// wfaVendorID is the owner of the Vendor Extension in which WSC 2.0 keeps what 1.0 does not know.
var wfaVendorID = [3]byte{0x00, 0x37, 0x2A}

// The subelements of the WFA extension: one byte of identifier, one of length, the value.
const (
	wfaVersion2                      = 0x00
	wfaAuthorizedMACs                = 0x01
	wfaNetworkKeyShareable           = 0x02
	wfaRequestToEnroll               = 0x03
	wfaSettingsDelayTime             = 0x04
	wfaRegistrarConfigurationMethods = 0x05
	wfaMultiAP                       = 0x06
)

// MaxAuthorizedMACs is how many addresses the AuthorizedMACs subelement may hold.
const MaxAuthorizedMACs = 5

// wfaExtension is what the WFA extension of a message says.
type wfaExtension struct {
	version2            Version // 0: absent, the sender is a 1.0 device
	authorizedMACs      []byte  // n times 6 bytes, a part of the message
	networkKeyShareable []byte  // one byte; nil: absent
	requestToEnroll     bool
	multiAP             []byte // one byte; nil: absent
}

// parse takes the subelements of one extension; a second extension adds to the first. A known
// subelement of a wrong length makes the message invalid; one that runs over the end merely ends
// the extension (hostap behaviour, both).
func (x *wfaExtension) parse(b []byte) error {
	for len(b) >= 2 {
		id, length := b[0], int(b[1])
		b = b[2:]
		if length > len(b) {
			return nil
		}
		if !x.set(id, b[:length:length]) {
			return ErrLength
		}
		b = b[length:]
	}
	return nil
}

// set takes one subelement and reports whether its length is right. Unknown ones are skipped.
func (x *wfaExtension) set(id byte, v []byte) bool {
	switch id {
	case wfaVersion2:
		if len(v) == 1 {
			x.version2 = Version(v[0])
		}
		return len(v) == 1
	case wfaAuthorizedMACs:
		x.authorizedMACs = v
		return len(v) > 0 && len(v)%6 == 0 && len(v) <= MaxAuthorizedMACs*6
	case wfaNetworkKeyShareable:
		x.networkKeyShareable = v
		return len(v) == 1
	case wfaRequestToEnroll:
		x.requestToEnroll = len(v) == 1 && v[0] != 0
		return len(v) == 1
	case wfaMultiAP:
		x.multiAP = v
		return len(v) == 1
	case wfaSettingsDelayTime:
		return len(v) == 1
	case wfaRegistrarConfigurationMethods:
		return len(v) == 2
	}
	return true
}

// appendVersion2 appends the WFA extension with Version2 alone, which every message of a 2.0 device
// carries; nothing for a 1.0 device.
func appendVersion2(b []byte, v Version) []byte {
	x := wfaExtension{version2: v}
	return x.append(b)
}

// append appends the extension in hostap's order. iwd wants Version2 first.
func (x *wfaExtension) append(b []byte) []byte {
	start := len(b)
	b = appendHeader(b, AttrVendorExtension, 0)
	b = append(b, wfaVendorID[:]...)
	empty := len(b)
	if x.version2 != 0 {
		b = append(b, wfaVersion2, 1, uint8(x.version2))
	}
	if x.requestToEnroll {
		b = append(b, wfaRequestToEnroll, 1, 1)
	}
	if n := len(x.authorizedMACs); n > 0 {
		b = append(b, wfaAuthorizedMACs, uint8(n))
		b = append(b, x.authorizedMACs...)
	}
	if len(x.networkKeyShareable) == 1 {
		b = append(b, wfaNetworkKeyShareable, 1, x.networkKeyShareable[0])
	}
	if len(x.multiAP) == 1 {
		b = append(b, wfaMultiAP, 1, x.multiAP[0])
	}
	if len(b) == empty {
		return b[:start]
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-headerLen))
	return b
}
