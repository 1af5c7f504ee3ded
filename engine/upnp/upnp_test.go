package upnp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	home     = netip.MustParseAddr("192.168.1.1")
	location = mustURL("http://192.168.1.1:49152/wps_device.xml")
	someUUID = [16]byte{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8}
	someMAC  = [6]byte{2, 0, 0, 0, 3, 0}
)

func mustURL(s string) URL {
	u, err := ParseURL(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxPath)
	for _, c := range []struct {
		name, in, want string
		err            error
	}{
		{"a plain URL", "http://192.168.1.1:49152/wps_device.xml",
			"http://192.168.1.1:49152/wps_device.xml", nil},
		{"the port is 80 when there is none", "http://10.0.0.1/x", "http://10.0.0.1:80/x", nil},
		{"the path is / when there is none", "http://10.0.0.1:81", "http://10.0.0.1:81/", nil},
		{"a query without a path", "http://10.0.0.1?x=1", "http://10.0.0.1:80/?x=1", nil},
		{"the scheme in capitals", "HTTP://10.0.0.1/", "http://10.0.0.1:80/", nil},
		{"a fragment is not sent", "http://10.0.0.1/a#b", "http://10.0.0.1:80/a", nil},
		{"IPv6 in brackets", "http://[fe80::1]:80/d", "http://[fe80::1]:80/d", nil},
		{"IPv6 without brackets", "http://fe80::1/d", "", ErrAddress},
		{"IPv6 with a zone", "http://[fe80::1%25eth0]/d", "", ErrAddress},
		{"IPv4 written as IPv6", "http://[::ffff:10.0.0.1]/d", "", ErrAddress},
		{"a name", "http://router.lan/d", "", ErrAddress},
		{"the name of this machine", "http://localhost/d", "", ErrAddress},
		{"an address that is only nearly numeric", "http://0x7f.1/d", "", ErrAddress},
		{"https", "https://10.0.0.1/", "", ErrAddress},
		{"a file", "file:///etc/passwd", "", ErrAddress},
		{"a user before the address", "http://admin@10.0.0.1/", "", ErrAddress},
		{"port 0", "http://10.0.0.1:0/", "", ErrValue},
		{"a port of ssh", "http://10.0.0.1:22/", "", ErrValue},
		{"a port of mail", "http://10.0.0.1:25/", "", ErrValue},
		{"a port of printers", "http://10.0.0.1:9100/", "", ErrValue},
		{"the last port that is none of ours", "http://10.0.0.1:10080/", "", ErrValue},
		{"the port of many routers", "http://10.0.0.1:5000/", "http://10.0.0.1:5000/", nil},
		{"port 65535", "http://10.0.0.1:65535/", "http://10.0.0.1:65535/", nil},
		{"port 65536", "http://10.0.0.1:65536/", "", ErrValue},
		{"an empty port", "http://10.0.0.1:/", "", ErrValue},
		{"a port with a sign", "http://10.0.0.1:+80/", "", ErrValue},
		{"broadcast", "http://255.255.255.255/", "", ErrAddress},
		{"a group address", "http://239.255.255.250/", "", ErrAddress},
		{"no address", "http://0.0.0.0/", "", ErrAddress},
		{"an empty host", "http:///d", "", ErrAddress},
		{"a space in the path", "http://10.0.0.1/a b", "", ErrSyntax},
		{"a line end in the path", "http://10.0.0.1/a\r\nX: y", "", ErrSyntax},
		{"a path that is too long", "http://10.0.0.1/" + long, "", ErrSyntax},
		{"nothing", "", "", ErrAddress},
	} {
		u, err := ParseURL(c.in)
		if u.String() != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", c.name, u, err)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	base := mustURL("http://192.168.1.1:49152/a/b/device.xml?x=/y")
	for _, c := range []struct {
		name, ref, want string
		err             error
	}{
		{"a name replaces what follows the last slash", "wps_control",
			"http://192.168.1.1:49152/a/b/wps_control", nil},
		{"a leading slash means the root", "/wps_control",
			"http://192.168.1.1:49152/wps_control", nil},
		{"one level up", "../c", "http://192.168.1.1:49152/a/c", nil},
		{"above the root is the root", "../../../../c", "http://192.168.1.1:49152/c", nil},
		{"the same level", "./c", "http://192.168.1.1:49152/a/b/c", nil},
		{"an absolute URL on another port", "http://192.168.1.1:80/c",
			"http://192.168.1.1:80/c", nil},
		{"an absolute URL on another host", "http://192.168.1.2/c", "", ErrElsewhere},
		{"an absolute URL on this machine", "http://127.0.0.1/c", "", ErrElsewhere},
		{"an absolute URL with a name", "http://evil.example/c", "", ErrAddress},
		{"another scheme", "gopher://192.168.1.1/c", "", ErrAddress},
		{"a host without scheme is a path", "//evil.example/c",
			"http://192.168.1.1:49152/evil.example/c", nil},
		{"nothing", "", "", ErrMissing},
		{"a line end", "a\nb", "", ErrSyntax},
		{"a fragment only is the directory", "#x", "http://192.168.1.1:49152/a/b/", nil},
		{"too long", strings.Repeat("a", maxPath), "", ErrSyntax},
	} {
		u, err := base.Resolve(c.ref)
		if u.String() != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", c.name, u, err)
		}
	}
}

// hostapdAlive is what hostapd 2.10 sends.
const hostapdAlive = "NOTIFY * HTTP/1.1\r\n" +
	"HOST: 239.255.255.250:1900\r\n" +
	"CACHE-CONTROL: max-age=1801\r\n" +
	"NTS: ssdp:alive\r\n" +
	"LOCATION: http://192.168.1.1:49152/wps_device.xml\r\n" +
	"SERVER: Unspecified, UPnP/1.0, Unspecified\r\n" +
	"NT: urn:schemas-wifialliance-org:device:WFADevice:1\r\n" +
	"USN: uuid:12345678-9abc-def0-0102-030405060708::urn:schemas-wifialliance-org:device:WFADevice:1\r\n\r\n"

func TestParseAnnouncement(t *testing.T) {
	t.Parallel()
	alive := Announcement{From: home, Kind: Alive, UUID: someUUID, HasUUID: true,
		Location: location, MaxAge: 1801 * time.Second}
	with := func(change func(a *Announcement)) Announcement { a := alive; change(&a); return a }
	replace := func(old, new string) string { return strings.Replace(hostapdAlive, old, new, 1) }
	byebye := with(func(a *Announcement) { a.Kind, a.Location, a.MaxAge = Byebye, URL{}, 0 })
	for _, c := range []struct {
		name, in string
		want     Announcement
		err      error
	}{
		{"hostapd's announcement", hostapdAlive, alive, nil},
		{"about the service", strings.ReplaceAll(hostapdAlive, DeviceType, ServiceType),
			with(func(a *Announcement) { a.Service = true }), nil},
		{"bare line feeds, names in small letters, no empty line at the end",
			strings.TrimSpace(strings.ReplaceAll(
				strings.NewReplacer("CACHE-CONTROL", "cache-control", "LOCATION:",
					" location :  ").Replace(hostapdAlive), "\r", "")), alive, nil},
		{"an answer to a search", replace("NOTIFY * HTTP/1.1", "HTTP/1.1 200 OK"),
			with(func(a *Announcement) { a.Kind = Answer }), nil},
		{"byebye", replace("alive", "byebye"), byebye, nil},
		{"byebye without location", strings.Replace(replace("alive", "byebye"), "LOCATION", "X", 1),
			byebye, nil},
		{"without USN", replace("USN", "X"),
			with(func(a *Announcement) { a.UUID, a.HasUUID = [16]byte{}, false }), nil},
		{"several directives", replace("max-age=1801", "no-cache, Max-Age = 1801"), alive, nil},
		{"a max-age of years is a day", replace("1801", "4294967295"),
			with(func(a *Announcement) { a.MaxAge = maxMaxAge }), nil},
		{"another device", strings.ReplaceAll(hostapdAlive, DeviceType, "upnp:rootdevice"),
			Announcement{}, ErrNotOurs},
		{"our own search", string(Search{DeviceType, 3}.Append(nil)), Announcement{}, ErrNotOurs},
		{"nothing", "", Announcement{}, ErrNotOurs},
		{"another method", replace("NOTIFY", "NOTICE"), Announcement{}, ErrSyntax},
		{"another status", replace("NOTIFY * HTTP/1.1", "HTTP/1.1 404 Not Found"),
			Announcement{}, ErrSyntax},
		{"ssdp:update", replace("alive", "update"), Announcement{}, ErrValue},
		{"no NTS", replace("NTS", "X"), Announcement{}, ErrValue},
		{"no location", replace("LOCATION", "X"), Announcement{}, ErrMissing},
		{"a location with a name", replace("192.168.1.1:", "router.lan:"), Announcement{},
			ErrAddress},
		{"a location on the mail server", replace(":49152", ":25"), Announcement{}, ErrAddress},
		{"a location on port 0", replace(":49152", ":0"), Announcement{}, ErrAddress},
		{"a location on another host", replace("192.168.1.1:", "192.168.1.2:"), Announcement{},
			ErrElsewhere},
		{"max-age 0", replace("1801", "0"), Announcement{}, ErrValue},
		{"a negative max-age", replace("1801", "-1"), Announcement{}, ErrValue},
		{"no max-age", replace("max-age", "min-age"), Announcement{}, ErrValue},
		{"a USN that is no UUID", replace("uuid:1234", "uuid:xyzt"), Announcement{}, ErrSyntax},
		{"a line without colon", replace("SERVER:", "SERVER "), Announcement{}, nil},
		{"too many lines", replace("NTS", strings.Repeat("X: y\r\n", maxLines)+"NTS"),
			Announcement{}, ErrTooLong},
		{"too long", hostapdAlive + strings.Repeat("x", MaxDatagram), Announcement{}, ErrTooLong},
	} {
		got, err := ParseAnnouncement(home, []byte(c.in))
		if c.name == "a line without colon" { // its value has one
			c.want, c.err = Announcement{}, ErrSyntax
			got, err = ParseAnnouncement(home,
				[]byte(replace("SERVER: Unspecified, UPnP/1.0, Unspecified", "SERVER")))
		}
		if got != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	if a, err := ParseAnnouncement(netip.MustParseAddr("::ffff:192.168.1.1"),
		[]byte(hostapdAlive)); err != nil || a.From != home {
		t.Errorf("a sender as an IPv6 socket gives it: %+v, %v", a, err)
	}
}

func TestParseSearch(t *testing.T) {
	t.Parallel()
	good := string(Search{DeviceType, 3}.Append(nil))
	for _, c := range []struct {
		name, in string
		want     Search
		err      error
	}{
		{"our own", good, Search{DeviceType, 3}, nil},
		{"an odd HOST", strings.Replace(good, "239.255.255.250:1900", "[FF02::C]:1900", 1),
			Search{DeviceType, 3}, nil},
		{"MX is at most 120", strings.Replace(good, "MX: 3", "MX: 70000", 1),
			Search{DeviceType, 120}, nil},
		{"no HOST", strings.Replace(good, "HOST", "X", 1), Search{}, ErrMissing},
		{"no MAN", strings.Replace(good, "MAN", "X", 1), Search{}, ErrValue},
		{"MAN without quotes", strings.ReplaceAll(good, `"`, ""), Search{}, ErrValue},
		{"a negative MX", strings.Replace(good, "MX: 3", "MX: -3", 1), Search{}, ErrValue},
		{"no ST", strings.Replace(good, "\nST:", "\nX:", 1), Search{}, ErrValue},
		{"an ST that is too long", strings.Replace(good, "\nST:", "\nST: "+strings.Repeat("x", 200),
			1), Search{}, ErrValue},
		{"an announcement", hostapdAlive, Search{}, ErrNotOurs},
	} {
		if got, err := ParseSearch([]byte(c.in)); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestParseWLANEvent(t *testing.T) {
	t.Parallel()
	tlv := "\x10\x4a\x00\x01\x10"
	want := WLANEvent{Type: EventMessage, MAC: someMAC, Message: []byte(tlv)}
	for _, c := range []struct {
		name, in string
		want     *WLANEvent
		err      error
	}{
		{"hostapd's form", "\x0202:00:00:00:03:00" + tlv, &want, nil},
		{"dots", "\x0202.00.00.00.03.00" + tlv, &want, nil},
		{"hyphens", "\x0202-00-00-00-03-00" + tlv, &want, nil},
		{"no separators, zeros after it", "\x02020000000300\x00\x00\x00\x00\x00" + tlv, &want, nil},
		{"no separators, spaces after it", "\x02020000000300     " + tlv, &want, nil},
		{"no separators, nothing after it", "\x02020000000300" + tlv, &want, nil},
		{"a probe request", "\x0102:00:00:00:03:00" + tlv,
			&WLANEvent{EventProbe, someMAC, []byte(tlv)}, nil},
		{"no attributes", "\x0102:00:00:00:03:00", &WLANEvent{EventProbe, someMAC, []byte{}}, nil},
		{"the dummy of hostapd", "\x0200:00:00:00:00:00" + tlv,
			&WLANEvent{EventMessage, [6]byte{}, []byte(tlv)}, nil},
		{"mixed separators", "\x0202:00-00:00:03:00" + tlv, nil, ErrSyntax},
		{"another separator", "\x0202/00/00/00/03/00" + tlv, nil, ErrSyntax},
		{"no address", "\x02xx:xx:xx:xx:xx:xx" + tlv, nil, ErrSyntax},
		{"type 0", "\x0002:00:00:00:03:00" + tlv, nil, ErrValue},
		{"type 255", "\xff02:00:00:00:03:00" + tlv, nil, ErrValue},
		{"too short", "\x0202:00:00:00:03:0", nil, ErrSyntax},
		{"nothing", "", nil, ErrSyntax},
	} {
		got, err := ParseWLANEvent([]byte(c.in))
		if !sameEvent(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func sameEvent(a, b *WLANEvent) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Type == b.Type && a.MAC == b.MAC && string(a.Message) == string(b.Message)
}
