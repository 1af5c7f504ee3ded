// Package eapol carries EAP packets in 802.1X frames. A Supplicant is the station's side and an
// Authenticator the access point's. Their frames begin with the 802.1X version: the Ethernet
// header, or whatever the driver has instead, is the driver's business.
package eapol

import "encoding/binary"

// packetType is the second byte of an 802.1X frame (IEEE 802.1X-2020, section 11.3.2).
type packetType uint8

const (
	typeEAP    packetType = 0
	typeStart  packetType = 1
	typeLogoff packetType = 2
)

// headerLen is the length of version, type and length.
const headerLen = 4

// The versions that we send: what wpa_supplicant and hostapd say by default. Some old access points
// drop what is newer than they are.
const (
	versionSupplicant    = 1
	versionAuthenticator = 2
)

// eapHeaderLen is the length of the part of an EAP packet that tells its length.
const eapHeaderLen = 4

// parse reads a frame. What it returns is a part of it.
func parse(b []byte) (t packetType, body []byte, ok bool) {
	if len(b) < headerLen || b[0] == 0 { // version 0 never was; all others are read alike
		return 0, nil, false
	}
	t, body = packetType(b[1]), b[headerLen:]
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n > len(body) {
		return 0, nil, false
	}
	if t == typeEAP && len(body) >= eapHeaderLen {
		// A Buffalo WHR-G125 (1.47) tells a length of 14 whatever follows. The EAP packet within
		// knows its own (hostap behaviour).
		if inner := int(binary.BigEndian.Uint16(body[2:])); n < inner && inner <= len(body) {
			n = inner
		}
	}
	return t, body[:n:n], true
}

// newFrame makes a frame.
func newFrame(version uint8, t packetType, body []byte) []byte {
	b := make([]byte, 0, headerLen+len(body))
	b = append(b, version, byte(t))
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

// wrap puts EAP packets into frames.
func wrap(version uint8, packets [][]byte) [][]byte {
	var frames [][]byte
	for _, p := range packets {
		frames = append(frames, newFrame(version, typeEAP, p))
	}
	return frames
}
