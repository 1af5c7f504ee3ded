package upnp

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxPath bounds the path of a URL, query included.
const maxPath = 1024

// URL is where in the local network to send a request: always http, always a numeric address. It is
// comparable.
type URL struct {
	Host netip.AddrPort
	Path string // starts with a slash; with the query, escaped as it came
}

// ParseURL reads an absolute URL. Names are refused, so that nobody makes us ask a DNS server, and
// so are other schemes, users, and addresses that no device answers from.
func ParseURL(s string) (URL, error) {
	const scheme = "http://"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return URL{}, wrong("URL", "", ErrAddress)
	}
	s, _, _ = strings.Cut(s[len(scheme):], "#")
	host, path := s, ""
	if i := strings.IndexAny(s, "/?"); i >= 0 {
		host, path = s[:i], s[i:]
	}
	if path = rooted(path); !printable(path, maxPath) {
		return URL{}, wrong("URL", "path", ErrSyntax)
	}
	at, err := parseHost(host)
	if err != nil {
		return URL{}, err
	}
	return URL{at, path}, nil
}

// parseHost reads address[:port]. UDA 1.0 has no IPv6; with it, the address is in brackets (RFC
// 3986, 3.2.2) and has no zone: whoever dials knows the interface.
func parseHost(s string) (netip.AddrPort, error) {
	host, port := s, "80"
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host, port = s[:i], s[i+1:]
	}
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if bracketed {
		host = host[1 : len(host)-1]
	}
	if len(host) > 45 {
		return netip.AddrPort{}, wrong("URL", "host", ErrAddress)
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Is4() == bracketed || a.Zone() != "" || a.Is4In6() || !reachable(a) {
		return netip.AddrPort{}, wrong("URL", "host", ErrAddress)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || isForeign(uint16(n)) {
		return netip.AddrPort{}, wrong("URL", "port", ErrValue)
	}
	return netip.AddrPortFrom(a, uint16(n)), nil
}

// reachable reports whether one device can have this address.
func reachable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// Resolve reads a reference found in what u led to. It stays on u's address, whatever it says:
// another port is fine (routers have several servers), another host is ErrElsewhere. Without scheme
// it is resolved as hostap does: from the root with a leading slash, else in place of what follows
// u's last slash.
func (u URL) Resolve(ref string) (URL, error) {
	if ref == "" {
		return URL{}, wrong("URL", "", ErrMissing)
	}
	if strings.Contains(ref[:min(len(ref), 16)], "://") {
		r, err := ParseURL(ref)
		if err == nil && r.Host.Addr() != u.Host.Addr() {
			return URL{}, wrong("URL", "host", ErrElsewhere)
		}
		return r, err
	}
	ref, _, _ = strings.Cut(ref, "#")
	if !strings.HasPrefix(ref, "/") {
		base, _, _ := strings.Cut(u.Path, "?")
		ref = climb(base[:strings.LastIndexByte(base, '/')+1], ref)
	}
	if ref = rooted(ref); !printable(ref, maxPath) {
		return URL{}, wrong("URL", "path", ErrSyntax)
	}
	return URL{u.Host, ref}, nil
}

// rooted makes a path start with one slash: two would make it a host in a request line.
func rooted(path string) string { return "/" + strings.TrimLeft(path, "/") }

// climb joins a relative path to a directory, which ends with a slash: "./" stays there, "../" goes
// up (RFC 3986, 5.2.4).
func climb(dir, ref string) string {
	for {
		if rest, ok := strings.CutPrefix(ref, "./"); ok {
			ref = rest
		} else if rest, ok := strings.CutPrefix(ref, "../"); ok {
			ref = rest
			if dir != "/" {
				dir = dir[:strings.LastIndexByte(dir[:len(dir)-1], '/')+1]
			}
		} else {
			return dir + ref
		}
	}
}

// IsZero reports whether u is unset.
func (u URL) IsZero() bool { return u == URL{} }

// String gives the URL as ParseURL reads it, always with its port; empty if there is none.
func (u URL) String() string {
	if u.IsZero() {
		return ""
	}
	return "http://" + u.Host.String() + u.Path
}
