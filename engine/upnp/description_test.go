package upnp

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
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
		FriendlyName: "WPS Access <Point>", Manufacturer: "Company", ModelName: "WAP",
		ModelNumber: "123", SerialNumber: "12345",
		UDN: someUUID, HasUDN: true,
		SCPD:    mustURL("http://192.168.1.1:49152/wps_scpd.xml"),
		Control: mustURL("http://192.168.1.1:49152/wps_control"),
		Event:   mustURL("http://192.168.1.1:49152/wps_event"),
	}
	with := func(change func(d *Description)) *Description { d := plain; change(&d); return &d }
	replace := func(old, new string) string {
		return strings.Replace(hostapdDescription, old, new, 1)
	}
	// A router whose root is something else, with a service of its own, and the WFADevice two
	// levels down.
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
		{"with a prefix at each name", strings.NewReplacer("</", "</u:", "<?", "<?", "<",
			"<u:").Replace(hostapdDescription), &plain, nil},
		{"zeros after the end", hostapdDescription + "\x00\x00\x00", &plain, nil},
		{"a mark at the beginning", "\ufeff" + hostapdDescription, &plain, nil},
		{"a URLBase on another port", replace("<device>",
			"<URLBase>http://192.168.1.1:80/x/</URLBase><device>"), with(func(d *Description) {
			d.SCPD, d.Control, d.Event = mustURL("http://192.168.1.1:80/x/wps_scpd.xml"),
				mustURL("http://192.168.1.1:80/x/wps_control"),
				mustURL("http://192.168.1.1:80/x/wps_event")
		}), nil},
		{"a URLBase on another host is ignored",
			replace("<device>", "<URLBase>http://192.168.0.1/</URLBase><device>"), &plain, nil},
		{"no UDN", replace("UDN>uuid", "UDN>guid"),
			with(func(d *Description) { d.UDN, d.HasUDN = [16]byte{}, false }), nil},
		{"no SCPDURL", replace("wps_scpd.xml", " "),
			with(func(d *Description) { d.SCPD = URL{} }), nil},
		{"a name in two lines", replace("Company", "Com\n\t pany\u0085"),
			with(func(d *Description) { d.Manufacturer = "Com pany" }), nil},
		{"a name that is too long is cut between characters",
			replace("Company", "x"+strings.Repeat("ü", 200)),
			with(func(d *Description) { d.Manufacturer = "x" + strings.Repeat("ü", 127) }), nil},
		{"Latin-1", strings.Replace(replace("Company", "M\xfcller"), `"1.0"`,
			`"1.0" encoding="ISO-8859-1"`, 1), with(func(d *Description) {
			d.Manufacturer = "Müller"
		}), nil},
		{"an encoding that we do not know", strings.Replace(replace("Company", "M\xfcller"),
			`"1.0"`, `"1.0" encoding="x-sjis"`, 1), with(func(d *Description) {
			d.Manufacturer = "M\ufffdller"
		}), nil},
		{"another version of XML", replace(`"1.0"`, `"1.1"`), &plain, nil},
		{"an ampersand in an attribute", replace("<device>", `<device x="a&b">`), &plain, nil},
		{"another device", replace("WFADevice", "OtherDevice"), nil, ErrNotOurs},
		{"no device", "<root></root>", nil, ErrNotOurs},
		{"no service", replace("WFAWLANConfig:1", "Other:1"), nil, ErrMissing},
		{"no controlURL", replace("wps_control", ""), nil, ErrMissing},
		{"no eventSubURL", strings.ReplaceAll(hostapdDescription, "eventSubURL", "x"), nil,
			ErrMissing},
		{"a controlURL on another host", replace("wps_control", "http://192.168.1.2/c"), nil,
			ErrElsewhere},
		{"an eventSubURL with a name", replace("wps_event", "http://router/c"), nil, ErrAddress},
		{"truncated", hostapdDescription[:len(hostapdDescription)-10], nil, ErrSyntax},
		{"truncated in a tag", hostapdDescription[:strings.Index(hostapdDescription, "controlURL")],
			nil, ErrSyntax},
		{"tags that cross", replace("</modelName>", "</modelNumber>"), nil, ErrSyntax},
		{"a document type", replace("<root", `<!DOCTYPE root [<!ENTITY a "aaaa">]><root`),
			nil, ErrDTD},
		{"a document type that is fetched", replace("<root",
			`<!DOCTYPE root SYSTEM "http://evil.example/x.dtd"><root`), nil, ErrDTD},
		{"too deep", strings.Repeat("<a>", maxDepth+1), nil, ErrTooDeep},
		{"too many elements", "<a>" + strings.Repeat("<b/>", maxElements), nil, ErrTooDeep},
		{"too long", hostapdDescription + strings.Repeat(" ", MaxDescription), nil, ErrTooLong},
		{"text only", "hello", nil, ErrSyntax},
		{"nothing", "", nil, ErrSyntax},
	} {
		got, err := ParseDescription(location, []byte(c.in))
		if got != nil {
			got.Written = Texts{} // see TestTextsAsTheyAreWritten
		}
		if !errors.Is(err, c.err) || (got == nil) != (c.want == nil) || got != nil &&
			*got != *c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// TestDescriptionWithBadText: what devices write into their names keeps nobody from using them.
func TestDescriptionWithBadText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ declaration, text, want string }{
		"an ampersand":                   {"", "A&B", "A&B"},
		"an ampersand between spaces":    {"", "Smith & Sons", "Smith & Sons"},
		"an ampersand at the end":        {"", "Smith &", "Smith &"},
		"an entity without its end":      {"", "a &amp b", "a &amp b"},
		"an entity that nobody declared": {"", "&company;", "&company;"},
		"a character of HTML":            {"", "Netgear&reg;&nbsp;5", "Netgear® 5"},
		"a number of a character": {"", "M&#252;ller &#x20AC; &#60;b&#62; &#38;amp;",
			"Müller € <b> &amp;"},
		"the number of a control character": {"", "a&#0;b&#x1b;c&#xffff;&#x110000;",
			"a b c\ufffd\ufffd"},
		"a number without digits": {"", "&#;&#x;&#9999999999;",
			"&#;&#x;&#9999999999;"},
		"less than":                        {"", "a < b <5 <", "a < b <5 <"},
		"the end of a CDATA section":       {"", "a]]>b", "a]]>b"},
		"a CDATA section":                  {"", "<![CDATA[R&D <b>&lt;]]>", "R&D <b>&lt;"},
		"a comment with hyphens":           {"", "a<!-- x -- y -->b", "ab"},
		"controls":                         {"", "a\x00b\x1b[31mc\x7f", "a b [31mc"},
		"Latin-1 that is not declared":     {"", "M\xfcller", "Müller"},
		"Latin-1 that is said to be UTF-8": {"UTF-8", "M\xfcller \u00e9", "Müller é"},
		"Latin-1":                          {"iso-8859-1", "M\xfcller", "Müller"},
		"UTF-8 that is said to be Latin-1": {"ISO-8859-1", "Müller", "Müller"},
		"Windows-1252": {"windows-1252", "M\xfcller \x93x\x94 \x80\x81",
			"Müller “x” €"},
		"its controls that are not declared": {"", "it\x92s", "it’s"},
		"Shift JIS": {"Shift_JIS", "\x83\x8b\x81[\x83^",
			"\ufffd\ufffd\ufffd[\ufffd^"},
		"half of a pair":                       {"", "a\xed\xa0\x80b", "aí €b"},
		"a character that none is":             {"", "a\ufffeb\uffff", "a\ufffdb\ufffd"},
		"an encoding in the other quotation":   {"'cp1252'", "\x80", "€"},
		"an encoding that is no encoding":      {"EBCDIC", "Company", "Company"},
		"an encoding with a space and no end?": {" utf-8 ", "M\xfcller", "Müller"},
	} {
		declaration := `<?xml version="1.0"?>`
		if c.declaration != "" {
			declaration = `<?xml version="1.0" encoding="` + c.declaration + `" standalone="yes"?>`
			if c.declaration[0] == '\'' {
				declaration = `<?xml version='1.0' encoding = ` + c.declaration + `?>`
			}
		}
		document := strings.NewReplacer(`<?xml version="1.0"?>`, declaration, "Company",
			c.text).Replace(hostapdDescription)
		d, err := ParseDescription(location, []byte(document))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Manufacturer != c.want || d.ModelName != "WAP" || d.UDN != someUUID ||
			d.Control != mustURL("http://192.168.1.1:49152/wps_control") {
			t.Errorf("%s: %q, not %q, in %+v", name, d.Manufacturer, c.want, d)
		}
	}
}

// TestDescriptionInUTF16: both orders, with and without a mark.
func TestDescriptionInUTF16(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer(`"1.0"`, `"1.0" encoding="UTF-16"`, "Company",
		"Müller 𝄞").Replace(hostapdDescription)
	for _, mark := range []string{"", "\ufeff"} {
		for high := range 2 {
			var document []byte
			for _, u := range utf16.Encode([]rune(mark + text)) {
				document = append(document, byte(u>>(8*(1-high))), byte(u>>(8*high)))
			}
			if d, err := ParseDescription(location, document); err != nil ||
				d.Manufacturer != "Müller 𝄞" || !d.HasUDN {
				t.Errorf("%q, %d: %+v, %v", mark, high, d, err)
			}
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

// TestTextsAsTheyAreWritten: as hostap's External Registrar shows them.
func TestTextsAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		name, in string
		want     Texts
	}{
		{"entities stay", "<a><friendlyName>A &lt;b&gt; &amp; | c</friendlyName></a>",
			Texts{FriendlyName: "A &lt;b&gt; &amp; | c"}},
		{"bytes and spaces stay", "<a><manufacturer> M\xfcller\n</manufacturer>",
			Texts{Manufacturer: " M\xfcller\n"}},
		{"prefix, attributes, case", "<x:modelName y='1'>n</x:modelName><MODELURL>u</MODELURL>",
			Texts{ModelName: "n", ModelURL: "u"}},
		{"the first of several, up to the next tag",
			"<modelDescription>a<b>c</b></modelDescription><modelDescription>d</modelDescription>",
			Texts{ModelDescription: "a"}},
		{"an end tag is none", "</manufacturerURL>x<manufacturerURL>y",
			Texts{ManufacturerURL: "y"}},
		{"longer names are others", "<friendlyNames>x</friendlyNames>", Texts{}},
		{"what is too long is cut", "<modelName>" + long + "</modelName>",
			Texts{ModelName: long[:maxText]}},
		{"no tag", "friendlyName>x<", Texts{}},
		{"nothing", "", Texts{}},
	} {
		if got := written([]byte(c.in)); got != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	d, err := ParseDescription(location, []byte(hostapdDescription))
	if err != nil || d.Written.FriendlyName != "WPS Access &lt;Point&gt;" ||
		d.FriendlyName != "WPS Access <Point>" {
		t.Errorf("%+v, %v", d, err)
	}
}
