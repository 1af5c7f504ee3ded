package upnp

import "strings"

// Description is what a WFADevice says about itself. Texts are of one line and at most 256 bytes,
// in UTF-8; empty: not said.
type Description struct {
	FriendlyName     string
	Manufacturer     string
	ManufacturerURL  string // not checked in any way, as all texts: to be shown, not to be fetched
	ModelDescription string
	ModelName        string
	ModelNumber      string
	ModelURL         string
	SerialNumber     string
	// these again, as the device wrote them: for who compares them with what others show
	Written Texts
	UDN     [16]byte // UUID of the device
	// hostap takes a device without a valid one, and goes by the announcement's
	HasUDN          bool
	UPC             string
	PresentationURL string
	SCPD            URL // zero if not said; nobody needs it
	Control         URL // where to send actions
	Event           URL // where to subscribe
}

// GetDescription is the request for a description.
func GetDescription(location URL) Request {
	return Request{Method: "GET", URL: location, MaxBody: MaxDescription}
}

// ParseDescription reads the description that location led to. The WFADevice may be the root or
// anywhere in device lists below (a router's root is an InternetGatewayDevice); the first one
// counts. All its URLs lead to location's address or the description is refused.
func ParseDescription(location URL, body []byte) (*Description, error) {
	const what = "description"
	all, err := parseXML(what, body, MaxDescription)
	if err != nil {
		return nil, err
	}
	base := location
	for i, e := range all {
		switch {
		case e.depth == 1 && strings.EqualFold(e.name, "URLBase"):
			// UDA 1.0 lets it replace the location. Devices exist that have their factory's address
			// there, and hostap never looks at it: one that leads elsewhere is ignored.
			if u, err := location.Resolve(strings.TrimSpace(e.text)); err == nil {
				base = u
			}
		case strings.EqualFold(e.name, "device"):
			inside := under(all, i)
			if !isWFADevice(inside, e.depth+1) {
				continue
			}
			d, err := readDevice(base, inside, e.depth+1)
			if err == nil {
				d.Written = written(body)
			}
			return d, err
		}
	}
	return nil, wrong(what, "", ErrNotOurs)
}

// isWFADevice looks at a device's own elements, not at those of devices inside.
func isWFADevice(inside []element, depth int) bool {
	for _, e := range inside {
		if e.depth == depth && strings.EqualFold(e.name, "deviceType") {
			return strings.TrimSpace(e.text) == DeviceType
		}
	}
	return false
}

func readDevice(base URL, inside []element, depth int) (*Description, error) {
	const what = "description"
	var d Description
	texts := d.texts()
	for i, e := range inside {
		if e.depth != depth {
			continue
		}
		for _, t := range texts {
			if strings.EqualFold(e.name, t.name) && *t.value == "" {
				*t.value = clean(e.text)
			}
		}
		if strings.EqualFold(e.name, "UDN") && !d.HasUDN {
			u, err := ParseUDN(strings.TrimSpace(e.text))
			d.UDN, d.HasUDN = u, err == nil
		}
		if strings.EqualFold(e.name, "serviceList") && d.Control.IsZero() {
			if err := d.readServices(base, under(inside, i), depth+1); err != nil {
				return nil, err
			}
		}
	}
	if d.Control.IsZero() {
		return nil, wrong(what, "WFAWLANConfig", ErrMissing)
	}
	return &d, nil
}

// readServices takes the URLs of the first WFAWLANConfig.
func (d *Description) readServices(base URL, list []element, depth int) error {
	const what = "description"
	for i, e := range list {
		if e.depth != depth || !strings.EqualFold(e.name, "service") {
			continue
		}
		service := under(list, i)
		if kind, _ := find(service, "serviceType"); kind != ServiceType {
			continue
		}
		for _, u := range []struct {
			name  string
			value *URL
			need  bool
		}{{"controlURL", &d.Control, true}, {"eventSubURL", &d.Event, true}, {"SCPDURL",
			&d.SCPD, false}} {
			ref, _ := find(service, u.name)
			if ref == "" && !u.need {
				continue
			}
			resolved, err := base.Resolve(ref)
			if err != nil {
				return wrong(what, u.name, cause(err))
			}
			*u.value = resolved
		}
		return nil
	}
	return nil
}

// cause takes the sentinel out of an error of ours.
func cause(err error) error {
	if p, ok := err.(*ParseError); ok {
		return p.Err
	}
	return err
}

type namedText struct {
	name  string
	value *string
}

// texts lists the simple elements in the order in which they are written.
func (d *Description) texts() []namedText {
	return []namedText{
		{"friendlyName", &d.FriendlyName}, {"manufacturer", &d.Manufacturer},
		{"manufacturerURL", &d.ManufacturerURL},
		{"modelDescription", &d.ModelDescription}, {"modelName", &d.ModelName},
		{"modelNumber", &d.ModelNumber},
		{"modelURL", &d.ModelURL}, {"serialNumber", &d.SerialNumber}, {"UPC", &d.UPC},
		{"presentationURL", &d.PresentationURL},
	}
}

// Append appends the document, the way an access point serves it.
func (d *Description) Append(b []byte) []byte {
	b = append(b, `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0">
<specVersion><major>1</major><minor>0</minor></specVersion>
<device>
`...)
	b = appendElement(b, "deviceType", DeviceType)
	for _, t := range d.texts() {
		b = appendElement(b, t.name, *t.value)
	}
	if d.HasUDN {
		b = appendElement(b, "UDN", FormatUDN(d.UDN))
	}
	b = append(b, "<serviceList><service>\n"...)
	b = appendElement(b, "serviceType", ServiceType)
	b = appendElement(b, "serviceId", "urn:wifialliance-org:serviceId:WFAWLANConfig1")
	b = appendElement(b, "SCPDURL", d.SCPD.String())
	b = appendElement(b, "controlURL", d.Control.String())
	b = appendElement(b, "eventSubURL", d.Event.String())
	return append(b, "</service></serviceList>\n</device>\n</root>\n"...)
}
