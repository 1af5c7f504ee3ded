package upnp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The names by which the service announces itself. There is only version 1.
const (
	DeviceType  = "urn:schemas-wifialliance-org:device:WFADevice:1"
	ServiceType = "urn:schemas-wifialliance-org:service:WFAWLANConfig:1"
)

// Multicast is the address that SSDP speaks to.
var Multicast = netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), 1900)

const (
	maxLines  = 64             // of one SSDP header
	maxMaxAge = 24 * time.Hour // a device that lives longer than that will have said so again
)

// Kind is what an Announcement says.
type Kind uint8

// The kinds of announcement.
const (
	_      Kind = iota
	Alive       // NOTIFY with ssdp:alive: a device is there
	Byebye      // NOTIFY with ssdp:byebye: it goes
	Answer      // the answer to our search
)

// String gives the word of the protocol.
func (k Kind) String() string {
	switch k {
	case Alive:
		return "ssdp:alive"
	case Byebye:
		return "ssdp:byebye"
	case Answer:
		return "answer"
	}
	return "unknown"
}

// Announcement is what a WFADevice says about itself over SSDP.
type Announcement struct {
	From     netip.Addr // the sender; not in the datagram
	Kind     Kind
	Service  bool          // it is about the service, not the device: each announces both
	UUID     [16]byte      // of USN
	HasUUID  bool          // hostap takes an announcement without one
	Location URL           // of the description, on From; zero in a Byebye
	MaxAge   time.Duration // how long it holds, at least one second; zero in a Byebye
}

// ParseAnnouncement reads a datagram that came from an address. What is about other devices is
// ErrNotOurs, and is recognised without looking at the rest. What is accepted is what hostap's
// External Registrar accepts, but for a LOCATION that leads elsewhere: nobody may send us to a
// third party.
func ParseAnnouncement(from netip.Addr, datagram []byte) (Announcement, error) {
	a := Announcement{From: from.Unmap(), Kind: Answer,
		Service: bytes.Contains(datagram, []byte(ServiceType))}
	if !a.Service && !bytes.Contains(datagram, []byte(DeviceType)) ||
		bytes.HasPrefix(datagram, []byte("M-SEARCH ")) {
		return Announcement{}, wrong("SSDP", "", ErrNotOurs)
	}
	first, h, err := parseLines(datagram)
	if err != nil {
		return Announcement{}, err
	}
	switch {
	case strings.HasPrefix(first, "HTTP/1.1 200 ") || first == "HTTP/1.1 200":
	case strings.HasPrefix(first, "NOTIFY "):
		switch strings.ToLower(h.Get("NTS")) {
		case "ssdp:alive":
			a.Kind = Alive
		case "ssdp:byebye":
			a.Kind = Byebye
		default: // ssdp:update and what else may come says nothing we need
			return Announcement{}, wrong("SSDP", "NTS", ErrValue)
		}
	default:
		return Announcement{}, wrong("SSDP", "first line", ErrSyntax)
	}
	if err := a.readUSN(h.Get("USN")); err != nil {
		return Announcement{}, err
	}
	if a.Kind == Byebye {
		return a, nil
	}
	if err := a.readPlace(h); err != nil {
		return Announcement{}, err
	}
	return a, nil
}

// readUSN takes the UUID of "uuid:<uuid>::<target>".
func (a *Announcement) readUSN(usn string) (err error) {
	if usn == "" {
		return nil
	}
	id, _, _ := strings.Cut(usn, "::")
	if a.UUID, err = ParseUDN(id); err != nil {
		return wrong("SSDP", "USN", ErrSyntax)
	}
	a.HasUUID = true
	return nil
}

// readPlace takes LOCATION and how long it holds.
func (a *Announcement) readPlace(h Header) error {
	location, ok := h.Find("LOCATION")
	if !ok {
		return wrong("SSDP", "LOCATION", ErrMissing)
	}
	u, err := ParseURL(location)
	if err != nil {
		return wrong("SSDP", "LOCATION", ErrAddress)
	}
	if u.Host.Addr() != a.From.WithZone("") {
		return wrong("SSDP", "LOCATION", ErrElsewhere)
	}
	a.Location = u
	if a.MaxAge, ok = parseMaxAge(h.Get("CACHE-CONTROL")); !ok {
		return wrong("SSDP", "max-age", ErrValue)
	}
	return nil
}

// parseMaxAge reads max-age of at least a second, as hostap wants it, out of a list of directives.
func parseMaxAge(s string) (time.Duration, bool) {
	for directive := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(directive, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
		return min(time.Duration(n)*time.Second, maxMaxAge), err == nil && n >= 1
	}
	return 0, false
}

// parseLines reads a first line and a header. Names are compared whatever their case, spaces around
// values do not count, lines may end with a bare LF and the empty line at the end may be missing
// (hostap behaviour; real devices do so).
func parseLines(datagram []byte) (first string, h Header, err error) {
	if len(datagram) > MaxDatagram {
		return "", nil, wrong("SSDP", "", ErrTooLong)
	}
	text := string(datagram)
	first, text, _ = strings.Cut(text, "\n")
	for n := 0; text != ""; n++ {
		if n == maxLines {
			return "", nil, wrong("SSDP", "header", ErrTooLong)
		}
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return "", nil, wrong("SSDP", "header", ErrSyntax)
		}
		h = append(h, Field{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return strings.TrimSpace(first), h, nil
}

// Append appends the datagram, the way a device sends it.
func (a Announcement) Append(b []byte) []byte {
	target, usn := DeviceType, ""
	if a.Service {
		target = ServiceType
	}
	if a.HasUUID {
		usn = "USN: " + FormatUDN(a.UUID) + "::" + target + "\r\n"
	}
	if a.Kind == Answer {
		b = append(b, "HTTP/1.1 200 OK\r\nEXT:\r\nST: "+target+"\r\n"...)
	} else {
		b = append(b, "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: "+target+"\r\nNTS: "+
			a.Kind.String()+"\r\n"...)
	}
	if a.Kind != Byebye {
		b = append(b, "CACHE-CONTROL: max-age="+strconv.Itoa(int(a.MaxAge/time.Second))+"\r\n"...)
		b = append(b, "LOCATION: "+a.Location.String()+"\r\nSERVER: Linux UPnP/1.0 wpsd\r\n"...)
	}
	return append(b, usn+"\r\n"...)
}

// Search is a request for answers: M-SEARCH.
type Search struct {
	Target string // DeviceType, ServiceType, "ssdp:all", "upnp:rootdevice" or "uuid:…"
	MX     uint8  // over how many seconds the answers are to be spread; up to 120
}

// Append appends the datagram.
func (s Search) Append(b []byte) []byte {
	return append(b, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: "+
		strconv.Itoa(int(s.MX))+"\r\nST: "+s.Target+"\r\n\r\n"...)
}

// ParseSearch reads the datagram as a device does. HOST has to be there but its content does not
// count: some write odd ones (hostap behaviour).
func ParseSearch(datagram []byte) (Search, error) {
	if !bytes.HasPrefix(datagram, []byte("M-SEARCH ")) {
		return Search{}, wrong("M-SEARCH", "", ErrNotOurs)
	}
	_, h, err := parseLines(datagram)
	if err != nil {
		return Search{}, err
	}
	if _, ok := h.Find("HOST"); !ok {
		return Search{}, wrong("M-SEARCH", "HOST", ErrMissing)
	}
	if h.Get("MAN") != `"ssdp:discover"` {
		return Search{}, wrong("M-SEARCH", "MAN", ErrValue)
	}
	mx, err := strconv.ParseUint(h.Get("MX"), 10, 31)
	if err != nil {
		return Search{}, wrong("M-SEARCH", "MX", ErrValue)
	}
	s := Search{Target: h.Get("ST"), MX: uint8(min(mx, 120))}
	if !printable(s.Target, 128) {
		return Search{}, wrong("M-SEARCH", "ST", ErrValue)
	}
	return s, nil
}

// ParseUDN reads "uuid:" and a UUID in its 8-4-4-4-12 form, in either case.
func ParseUDN(s string) (u [16]byte, err error) {
	const form = "uuid:00000000-0000-0000-0000-000000000000"
	if len(s) != len(form) || !strings.EqualFold(s[:5], form[:5]) {
		return u, wrong("UDN", "", ErrSyntax)
	}
	digits := make([]byte, 0, 32)
	for i := 5; i < len(s); i++ {
		if form[i] != '-' {
			digits = append(digits, s[i])
		} else if s[i] != '-' {
			return u, wrong("UDN", "", ErrSyntax)
		}
	}
	if _, err := hex.Decode(u[:], digits); err != nil {
		return [16]byte{}, wrong("UDN", "", ErrSyntax)
	}
	return u, nil
}

// FormatUDN is the mirror of ParseUDN.
func FormatUDN(u [16]byte) string {
	s := hex.EncodeToString(u[:])
	return "uuid:" + s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
