// Package eapwsc carries the Registration Protocol in EAP: the method "WSC" as an expanded EAP
// type, with fragmentation. A Peer is the station's side and a Server the access point's; either
// carries an Enrollee or a Registrar, whichever the identity says. Their frames are EAP packets.
//
// EAP is lock-step: the Server asks, the Peer answers, and only the Server repeats itself. So a
// Peer can say something only while a request is unanswered. The method has no good end in EAP's
// terms: a Server closes with EAP-Failure even after a success (WSC, EAP transport), and how the
// run ended is asked of the machine inside.
package eapwsc

import (
	"encoding/binary"
	"time"
)

// The identities that select the method, and the WSC role of the station (WSC, EAP identity).
const (
	IdentityEnrollee  = "WFA-SimpleConfig-Enrollee-1-0"
	IdentityRegistrar = "WFA-SimpleConfig-Registrar-1-0"
)

// code is the first byte of an EAP packet (RFC 3748, section 4).
type code uint8

const (
	codeRequest  code = 1
	codeResponse code = 2
	codeSuccess  code = 3
	codeFailure  code = 4
)

// method is the Type of a request or response (RFC 3748, section 5).
type method uint8

const (
	methodIdentity     method = 1
	methodNotification method = 2
	methodNak          method = 3
	methodExpanded     method = 254
)

// headerLen is the length of Code, Identifier and Length.
const headerLen = 4

// maxPacket is the longest packet that EAP's Length can tell.
const maxPacket = 0xFFFF

// packet is an EAP packet.
type packet struct {
	code   code
	id     uint8
	method method // of a request or response
	data   []byte // behind the Type; a part of the frame
	raw    []byte // all of it; likewise
}

// parsePacket reads a packet. What follows behind the packet's own Length is padding of the layer
// below (RFC 3748, section 4). A packet that is shorter than it says is none; the sender repeats
// it.
func parsePacket(b []byte) (packet, bool) {
	if len(b) < headerLen {
		return packet{}, false
	}
	p := packet{code: code(b[0]), id: b[1]}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headerLen || n > len(b) {
		return packet{}, false
	}
	switch p.code {
	case codeSuccess, codeFailure:
		return p, true
	case codeRequest, codeResponse:
		if n == headerLen {
			return packet{}, false
		}
		p.method, p.data, p.raw = method(b[headerLen]), b[headerLen+1:n:n], b[:n:n]
		return p, true
	}
	// some access points send code 10 (hostap knows of it): nobody's business
	return packet{}, false
}

// newPacket makes a request or response.
func newPacket(c code, id uint8, m method, data []byte) []byte {
	b := make([]byte, 0, headerLen+1+len(data))
	b = append(b, byte(c), id, 0, 0, byte(m))
	b = append(b, data...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// newResult makes an EAP-Success or EAP-Failure, which have no Type.
func newResult(c code, id uint8) []byte {
	return []byte{byte(c), id, 0, headerLen}
}

// expandedWSC is how an expanded type names our method: the Wi-Fi Alliance's vendor id, 00:37:2a,
// and its vendor type 1, SimpleConfig (WSC, EAP transport).
var expandedWSC = [7]byte{0x00, 0x37, 0x2a, 0x00, 0x00, 0x00, 0x01}

// isWSC reports whether p is of our method.
func (p packet) isWSC() bool {
	return p.method == methodExpanded && len(p.data) >= len(expandedWSC) &&
		[7]byte(p.data) == expandedWSC
}

// isNak reports whether p refuses a method, by a legacy or an expanded Nak (RFC 3748, section 5.3).
func (p packet) isNak() bool {
	expandedNak := [7]byte{6: byte(methodNak)}
	return p.method == methodNak ||
		p.method == methodExpanded && len(p.data) >= len(expandedNak) &&
			[7]byte(p.data) == expandedNak
}

// nak answers a request for another method: we do only ours. An expanded request gets an expanded
// Nak, which can name it; a legacy one can only be told "an expanded one" (RFC 3748, section 5.3).
func nak(p packet) []byte {
	if p.method != methodExpanded {
		return newPacket(codeResponse, p.id, methodNak, []byte{byte(methodExpanded)})
	}
	data := []byte{0, 0, 0, 0, 0, 0, byte(methodNak), byte(methodExpanded)}
	return newPacket(codeResponse, p.id, methodExpanded, append(data, expandedWSC[:]...))
}

// due reports whether a deadline, which may be none, has passed.
func due(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }
