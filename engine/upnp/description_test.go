package upnp

import (
	"errors"
	"strings"
	"testing"
)

// hostapdDescription is the form of hostapd 2.10's.
const hostapdDescription = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0">
<specVersion>
<major>1</major>
<minor>0</minor>
</specVersion>
<device>
<deviceType>urn:schemas-wifialliance-org:device:WFADevice:1</deviceType>
<friendlyName>WPS Access &lt;Point&gt;</friendlyName>
<manufacturer>Company</manufacturer>
<modelName>WAP</modelName>
<modelNumber>123</modelNumber>
<serialNumber>12345</serialNumber>
<UDN>uuid:12345678-9abc-def0-0102-030405060708</UDN>
<serviceList>
<service>
<serviceType>urn:schemas-wifialliance-org:service:WFAWLANConfig:1</serviceType>
<serviceId>urn:wifialliance-org:serviceId:WFAWLANConfig1</serviceId>
<SCPDURL>wps_scpd.xml</SCPDURL>
<controlURL>wps_control</controlURL>
<eventSubURL>wps_event</eventSubURL>
</service>
</serviceList>
</device>
</root>
`

func TestParseDescription(t *testing.T) {
	t.Parallel()
	plain := Description{
		FriendlyName: "WPS Access <Point>", Manufacturer: "Company", ModelName: "WAP", ModelNumber: "123", SerialNumber: "12345",
		UDN: someUUID, HasUDN: true,
		SCPD:    mustURL("http://192.168.1.1:49152/wps_scpd.xml"),
		Control: mustURL("http://192.168.1.1:49152/wps_control"),
		Event:   mustURL("http://192.168.1.1:49152/wps_event"),
	}
	with := func(change func(d *Description)) *Description { d := plain; change(&d); return &d }
	replace := func(old, new string) string { return strings.Replace(hostapdDescription, old, new, 1) }
	// A router whose root is something else, with a service of its own, and the WFADevice two levels down.
	start, rest, _ := strings.Cut(hostapdDescription, "<device>")
	device, end, _ := strings.Cut(rest, "</device>")
	nested := start + `<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>Router</friendlyName>
<serviceList><service><serviceType>x</serviceType><controlURL>/no</controlURL></service></serviceList>
<deviceList><device><deviceType>urn:x</deviceType><deviceList><device>` + device + `</device></deviceList></device></deviceList></device>` + end

	for _, c := range []struct {
		name, in string
		want     *Description
		err      error
	}{
		{"hostapd's description", hostapdDescription, &plain, nil},
		{"nested in another device", nested, &plain, nil},
		{"with a prefix at each name", strings.NewReplacer("</", "</u:", "<?", "<?", "<", "<u:").Replace(hostapdDescription), &plain, nil},
		{"zeros after the end", hostapdDescription + "\x00\x00\x00", &plain, nil},
		{"a mark at the beginning", "\ufeff" + hostapdDescription, &plain, nil},
		{"a URLBase on another port", replace("<device>", "<URLBase>http://192.168.1.1:80/x/</URLBase><device>"), with(func(d *Description) {
			d.SCPD, d.Control, d.Event = mustURL("http://192.168.1.1:80/x/wps_scpd.xml"), mustURL("http://192.168.1.1:80/x/wps_control"), mustURL("http://192.168.1.1:80/x/wps_event")
		}), nil},
		{"a URLBase on another host is ignored", replace("<device>", "<URLBase>http://192.168.0.1/</URLBase><device>"), &plain, nil},
		{"no UDN", replace("UDN>uuid", "UDN>guid"), with(func(d *Description) { d.UDN, d.HasUDN = [16]byte{}, false }), nil},
		{"no SCPDURL", replace("wps_scpd.xml", " "), with(func(d *Description) { d.SCPD = URL{} }), nil},
		{"a name in two lines", replace("Company", "Com\n\t pany\u0085"), with(func(d *Description) { d.Manufacturer = "Com pany" }), nil},
		{"a name that is too long is cut between characters", replace("Company", "x"+strings.Repeat("ü", 200)),
			with(func(d *Description) { d.Manufacturer = "x" + strings.Repeat("ü", 127) }), nil},
		{"Latin-1", strings.Replace(replace("Company", "M\xfcller"), `"1.0"`, `"1.0" encoding="ISO-8859-1"`, 1), with(func(d *Description) { d.Manufacturer = "Müller" }), nil},
		{"Latin-1 that is not declared", replace("Company", "M\xfcller"), nil, ErrSyntax},
		{"an encoding that nobody uses", replace(`"1.0"`, `"1.0" encoding="EBCDIC"`), nil, ErrSyntax},
		{"another device", replace("WFADevice", "OtherDevice"), nil, ErrNotOurs},
		{"no device", "<root></root>", nil, ErrNotOurs},
		{"no service", replace("WFAWLANConfig:1", "Other:1"), nil, ErrMissing},
		{"no controlURL", replace("wps_control", ""), nil, ErrMissing},
		{"no eventSubURL", strings.ReplaceAll(hostapdDescription, "eventSubURL", "x"), nil, ErrMissing},
		{"a controlURL on another host", replace("wps_control", "http://192.168.1.2/c"), nil, ErrElsewhere},
		{"an eventSubURL with a name", replace("wps_event", "http://router/c"), nil, ErrAddress},
		{"truncated", hostapdDescription[:len(hostapdDescription)-10], nil, ErrSyntax},
		{"truncated in a tag", hostapdDescription[:strings.Index(hostapdDescription, "controlURL")], nil, ErrSyntax},
		{"tags that cross", replace("</modelName>", "</modelNumber>"), nil, ErrSyntax},
		{"an entity that nobody declared", replace("Company", "&company;"), nil, ErrSyntax},
		{"a document type", replace("<root", `<!DOCTYPE root [<!ENTITY a "aaaa">]><root`), nil, ErrDTD},
		{"a document type that is fetched", replace("<root", `<!DOCTYPE root SYSTEM "http://evil.example/x.dtd"><root`), nil, ErrDTD},
		{"too deep", strings.Repeat("<a>", maxDepth+1), nil, ErrTooDeep},
		{"too many elements", "<a>" + strings.Repeat("<b/>", maxElements), nil, ErrTooDeep},
		{"too long", hostapdDescription + strings.Repeat(" ", MaxDescription), nil, ErrTooLong},
		{"text only", "hello", nil, ErrSyntax},
		{"nothing", "", nil, ErrSyntax},
	} {
		got, err := ParseDescription(location, []byte(c.in))
		if !errors.Is(err, c.err) || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestCleanKeepsTextToOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", " a ": "a", "a\x1b[31mb": "a [31mb", "\r\n": "", "ä  ö": "ä ö",
		strings.Repeat("a", 255) + " b":  strings.Repeat("a", 255),
		strings.Repeat("a", 254) + " bc": strings.Repeat("a", 254) + " b",
	} {
		if got := clean(in); got != want || clean(got) != got {
			t.Errorf("%q: %q, then %q", in, got, clean(got))
		}
	}
}
