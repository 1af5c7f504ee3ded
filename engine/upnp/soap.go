package upnp

import (
	"fmt"
	"strconv"
	"strings"
)

// ActionName is one of the actions that Registrars use.
type ActionName string

// The actions of WFAWLANConfig:1 that carry the Registration Protocol. The service has others, all
// optional (GetAPSettings, RebootAP …), which hostap does not have and nobody calls.
const (
	GetDeviceInfo ActionName = "GetDeviceInfo" // gives the access point's M1
	// a message to the access point as Enrollee, and its answer
	PutMessage ActionName = "PutMessage"
	// a message to a station, through the access point
	PutWLANResponse ActionName = "PutWLANResponse"
	// what the access point is to tell in its beacons
	SetSelectedRegistrar ActionName = "SetSelectedRegistrar"
)

// output names the argument that an answer carries; empty: none.
func (n ActionName) output() string {
	switch n {
	case GetDeviceInfo:
		return "NewDeviceInfo"
	case PutMessage:
		return "NewOutMessage"
	}
	return ""
}

// input names the argument that carries the message of a request; empty: none.
func (n ActionName) input() string {
	switch n {
	case PutMessage:
		return "NewInMessage"
	case PutWLANResponse, SetSelectedRegistrar:
		return "NewMessage"
	}
	return ""
}

// Action is a call of an action.
type Action struct {
	Name    ActionName
	Message []byte    // nil for GetDeviceInfo
	Type    EventType // of PutWLANResponse
	MAC     [6]byte   // of PutWLANResponse: for which station
}

// Request makes the call to send to a control URL.
func (a Action) Request(control URL) Request {
	return Request{
		Method: "POST", URL: control, MaxBody: MaxMessage, Body: a.Append(nil),
		Header: Header{
			{"Content-Type", `text/xml; charset="utf-8"`},
			{"SOAPACTION", `"` + ServiceType + "#" + string(a.Name) + `"`},
		},
	}
}

const (
	envelopeStart = `<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">
<s:Body>
`
	envelopeEnd = "</s:Body>\n</s:Envelope>\n"
)

// Append appends the body of the call.
func (a Action) Append(b []byte) []byte {
	b = append(b, envelopeStart+"<u:"+string(a.Name)+` xmlns:u="`+ServiceType+"\">\n"...)
	if name := a.Name.input(); name != "" {
		b = append(b, "<"+name+">"+encode64(a.Message)+"</"+name+">\n"...)
	}
	if a.Name == PutWLANResponse {
		b = appendElement(b, "NewWLANEventType", strconv.Itoa(int(a.Type)))
		b = appendElement(b, "NewWLANEventMAC", FormatMAC(a.MAC))
	}
	return append(b, "</u:"+string(a.Name)+">\n"+envelopeEnd...)
}

// ParseAction reads a call as an access point does. What is wrong with it is a *Fault to answer
// with; its codes are those of UDA: 401 there is no such action, 402 its arguments are missing or
// malformed.
func ParseAction(soapAction string, body []byte) (Action, error) {
	name, ok := strings.CutPrefix(soapAction, `"`+ServiceType+"#")
	name, closed := strings.CutSuffix(name, `"`)
	a := Action{Name: ActionName(name)}
	if !ok || !closed || a.Name.input() == "" && a.Name != GetDeviceInfo {
		return Action{}, &Fault{Status: 500, Code: 401, Description: "Invalid Action"}
	}
	invalid := &Fault{Status: 500, Code: 402, Description: "Invalid Args"}
	arguments, err := readBody("SOAP", name, body)
	if err != nil {
		return Action{}, invalid
	}
	if in := a.Name.input(); in != "" {
		text, ok := find(arguments, in)
		if a.Message, err = decode64(text); err != nil || !ok {
			return Action{}, invalid
		}
	}
	if a.Name == PutWLANResponse {
		kind, _ := find(arguments, "NewWLANEventType")
		mac, _ := find(arguments, "NewWLANEventMAC")
		n, err := strconv.ParseUint(kind, 10, 8)
		if a.Type = EventType(n); err != nil || a.Type != EventProbe && a.Type != EventMessage {
			return Action{}, invalid
		}
		if a.MAC, err = ParseMAC(mac); err != nil {
			return Action{}, invalid
		}
	}
	return a, nil
}

// readBody gives what is inside the one element of a SOAP body with this name.
func readBody(what, name string, body []byte) ([]element, error) {
	all, err := parseXML(what, body, MaxMessage)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(all[0].name, "Envelope") {
		return nil, wrong(what, "Envelope", ErrMissing)
	}
	for i := 1; i < len(all); i++ {
		if all[i].depth == 1 && strings.EqualFold(all[i].name, "Body") && i+1 < len(all) &&
			all[i+1].depth == 2 {
			if !strings.EqualFold(all[i+1].name, name) {
				return nil, wrong(what, name, ErrMissing)
			}
			return under(all, i+1), nil
		}
	}
	return nil, wrong(what, "Body", ErrMissing)
}

// AppendReply appends the body of the answer to a call; message is its output, nil for an action
// that has none.
func (n ActionName) AppendReply(b, message []byte) []byte {
	b = append(b, envelopeStart+"<u:"+string(n)+`Response xmlns:u="`+ServiceType+"\">\n"...)
	if name := n.output(); name != "" {
		b = append(b, "<"+name+">"+encode64(message)+"</"+name+">\n"...)
	}
	return append(b, "</u:"+string(n)+"Response>\n"+envelopeEnd...)
}

// ParseReply reads the answer to a call. The message is empty for an action without output, and for
// a PutMessage that ended the run: there is nothing to say after WSC_Done. A *Fault tells that the
// access point refused.
func (n ActionName) ParseReply(r Response) ([]byte, error) {
	if r.Status != 200 {
		return nil, n.parseFault(r)
	}
	what := string(n)
	name := n.output()
	if name == "" {
		return nil, nil // that it was 200 is all; some access points send no body
	}
	arguments, err := readBody(what, what+"Response", r.Body)
	if err != nil {
		return nil, err
	}
	text, ok := find(arguments, name)
	if !ok {
		return nil, wrong(what, name, ErrMissing)
	}
	message, err := decode64(text)
	if err != nil {
		return nil, wrong(what, name, err)
	}
	if len(message) == 0 && n == GetDeviceInfo {
		return nil, wrong(what, name, ErrMissing)
	}
	return message, nil
}

// Fault is a refused call.
type Fault struct {
	Action      ActionName
	Status      int    // of HTTP; 500 by UDA, hostapd repeats the code here
	Code        int    // errorCode; 0 if the answer had none
	Description string // errorDescription, cleaned
}

// Error implements error.
func (f *Fault) Error() string {
	if f.Code == 0 {
		return fmt.Sprintf("upnp: %s refused with status %d", f.Action, f.Status)
	}
	return fmt.Sprintf("upnp: %s refused with status %d, error %d %q", f.Action, f.Status, f.Code,
		f.Description)
}

// parseFault reads what a refusal says, as far as it says anything.
func (n ActionName) parseFault(r Response) *Fault {
	f := &Fault{Action: n, Status: r.Status}
	detail, err := readBody(string(n), "Fault", r.Body)
	if err != nil {
		return f
	}
	code, _ := find(detail, "errorCode")
	if c, err := strconv.ParseUint(code, 10, 16); err == nil {
		f.Code = int(c)
	}
	text, _ := find(detail, "errorDescription")
	f.Description = clean(text)
	return f
}

// Append appends the body of the refusal.
func (f *Fault) Append(b []byte) []byte {
	b = append(b, envelopeStart+"<s:Fault>\n<faultcode>s:Client</faultcode>\n<faultstring>UPnPError</faultstring>\n"+
		"<detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\">\n"...)
	b = appendElement(b, "errorCode", strconv.Itoa(f.Code))
	b = appendElement(b, "errorDescription", f.Description)
	return append(b, "</UPnPError></detail>\n</s:Fault>\n"+envelopeEnd...)
}
