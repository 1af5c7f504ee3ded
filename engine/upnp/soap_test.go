package upnp

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestActionsComeBackAsTheyWereSent(t *testing.T) {
	t.Parallel()
	for _, a := range []Action{
		{Name: GetDeviceInfo},
		{Name: PutMessage, Message: []byte("message")},
		{Name: PutWLANResponse, Message: []byte{}, Type: EventMessage, MAC: someMAC},
		{Name: SetSelectedRegistrar, Message: make([]byte, 3000)},
	} {
		r := a.Request(location)
		got, err := ParseAction(r.Header.Get("soapaction"), r.Body)
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%s: %+v, %v", a.Name, got, err)
		}
		if r.Method != "POST" || r.URL != location || r.MaxBody != MaxMessage {
			t.Errorf("%s: %+v", a.Name, r)
		}
	}
}

func TestParseAction(t *testing.T) {
	t.Parallel()
	header := func(n string) string { return `"` + ServiceType + "#" + n + `"` }
	body := string(Action{PutWLANResponse, []byte("message"), EventMessage, someMAC}.Append(nil))
	for _, c := range []struct {
		name, header, body string
		code               int // 0: accepted
	}{
		{"good", header("PutWLANResponse"), body, 0},
		{"an address with dots, as Intel's Registrar writes it", header("PutWLANResponse"),
			strings.Replace(body, "02:00:00:00:03:00", "02.00.00.00.03.00", 1), 0},
		{"no SOAPACTION", "", body, 401},
		{"SOAPACTION without quotes", strings.Trim(header("PutWLANResponse"), `"`), body, 401},
		{"another service", `"urn:x#PutWLANResponse"`, body, 401},
		{"an unknown action", header("RebootAP"), body, 401},
		{"the body of another action", header("PutMessage"), body, 402},
		{"no message", header("PutWLANResponse"), strings.ReplaceAll(body, "NewMessage", "x"), 402},
		{"a message that is not base64", header("PutWLANResponse"),
			strings.Replace(body, "NewMessage>", "NewMessage>%%", 1), 402},
		{"type 3", header("PutWLANResponse"), strings.Replace(body, ">2<", ">3<", 1), 402},
		{"type 258", header("PutWLANResponse"), strings.Replace(body, ">2<", ">258<", 1), 402},
		{"no address", header("PutWLANResponse"),
			strings.Replace(body, "02:00:00:00:03:00", "", 1), 402},
		{"no body", header("PutWLANResponse"), "", 402},
		{"no envelope", header("PutWLANResponse"), strings.ReplaceAll(body, "Envelope", "x"), 402},
		{"no Body", header("PutWLANResponse"), strings.ReplaceAll(body, "Body", "x"), 402},
	} {
		a, err := ParseAction(c.header, []byte(c.body))
		var f *Fault
		if c.code == 0 && (err != nil || a.MAC != someMAC || string(a.Message) != "message") ||
			c.code != 0 && (!errors.As(err, &f) || f.Code != c.code) {
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
	}
}

func TestParseReply(t *testing.T) {
	t.Parallel()
	body := string(PutMessage.AppendReply(nil, []byte("message")))
	fault := (&Fault{Code: 402, Description: "Invalid\nArgs"}).Append(nil)
	for _, c := range []struct {
		name   string
		action ActionName
		r      Response
		want   string
		err    error  // for errors.Is
		text   string // of a refusal
	}{
		{"a message", PutMessage, Response{Status: 200, Body: []byte(body)}, "message", nil, ""},
		{"base64 in lines, without padding", PutMessage,
			Response{Status: 200, Body: []byte(
				strings.Replace(body, "bWVzc2FnZQ==", "\n bWVz\r\nc2FnZQ\n",
					1))}, "message", nil, ""},
		{"nothing to say any more", PutMessage,
			Response{Status: 200, Body: PutMessage.AppendReply(nil, nil)}, "", nil, ""},
		{"no output and no body", SetSelectedRegistrar, Response{Status: 200}, "", nil, ""},
		{"no M1", GetDeviceInfo, Response{Status: 200, Body: GetDeviceInfo.AppendReply(nil, nil)},
			"", ErrMissing, ""},
		{"the answer to another call", GetDeviceInfo, Response{Status: 200, Body: []byte(body)}, "",
			ErrMissing, ""},
		{"no output", PutMessage, Response{Status: 200,
			Body: []byte(strings.ReplaceAll(body, "NewOutMessage", "x"))}, "", ErrMissing, ""},
		{"not base64", PutMessage, Response{Status: 200,
			Body: []byte(strings.Replace(body, "bWV", "b.V", 1))}, "", ErrSyntax, ""},
		{"not XML", PutMessage, Response{Status: 200, Body: []byte("HTTP/1.1 200 OK")}, "",
			ErrSyntax, ""},
		{"no body", PutMessage, Response{Status: 200}, "", ErrSyntax, ""},
		{"a refusal", PutMessage, Response{Status: 500, Body: fault}, "", nil,
			`upnp: PutMessage refused with status 500, error 402 "Invalid Args"`},
		{"a refusal without words", PutMessage, Response{Status: 501}, "", nil,
			"upnp: PutMessage refused with status 501"},
		{"a redirect", PutMessage, Response{Status: 302, Body: []byte("<html>")}, "", nil,
			"upnp: PutMessage refused with status 302"},
	} {
		got, err := c.action.ParseReply(c.r)
		if string(got) != c.want || c.err != nil && !errors.Is(err, c.err) ||
			c.text != "" && (err == nil || err.Error() != c.text) || c.err == nil && c.text == "" &&
			err != nil {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestParseSubscription(t *testing.T) {
	t.Parallel()
	ok := func(h ...Field) Response { return Response{Status: 200, Header: h} }
	for _, c := range []struct {
		name    string
		r       Response
		sid     string
		timeout time.Duration
		fails   bool
	}{
		{"hostapd's answer", ok(Field{"Sid", "uuid:x"}, Field{"Timeout", "Second-1801"}), "uuid:x",
			1801 * time.Second, false},
		{"for ever", ok(Field{"SID", "uuid:x"}, Field{"TIMEOUT", "infinite"}), "uuid:x",
			maxSubscription, false},
		{"for ever in the words of UDA", ok(Field{"SID", "uuid:x"},
			Field{"TIMEOUT", "Second-infinite"}), "uuid:x", maxSubscription, false},
		{"for longer than a day", ok(Field{"SID", "uuid:x"}, Field{"TIMEOUT", "second-4294967295"}),
			"uuid:x", maxSubscription, false},
		{"without a time", ok(Field{"SID", "uuid:x"}), "uuid:x", SubscriptionTime, false},
		{"for no time", ok(Field{"SID", "uuid:x"}, Field{"TIMEOUT", "Second-0"}), "", 0, true},
		{"for a negative time", ok(Field{"SID", "uuid:x"}, Field{"TIMEOUT", "Second--1"}),
			"", 0, true},
		{"for a word", ok(Field{"SID", "uuid:x"}, Field{"TIMEOUT", "long"}), "", 0, true},
		{"without SID", ok(), "", 0, true},
		{"a SID that would end our header", ok(Field{"SID", "uuid:x\r\nX: y"}), "", 0, true},
		{"a SID that is too long", ok(Field{"SID", strings.Repeat("x", maxSID+1)}), "", 0, true},
		{"refused", Response{Status: 412, Header: Header{{"SID", "uuid:x"}}}, "", 0, true},
	} {
		s, err := ParseSubscription(c.r)
		if s.SID != c.sid || s.Timeout != c.timeout || (err != nil) != c.fails {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
		if err == nil {
			if again, err := ParseSubscription(s.Response()); err != nil || again != s {
				t.Errorf("%s: again %+v, %v", c.name, again, err)
			}
		}
	}
}

func TestParseSubscribe(t *testing.T) {
	t.Parallel()
	callback := Field{"CALLBACK", "<http://192.168.1.2:5000/event/1>"}
	nt := Field{"NT", "upnp:event"}
	for _, c := range []struct {
		name   string
		h      Header
		want   SubscribeCall
		status int // 0: accepted
	}{
		{"a new one", append(Subscribe(location).Header, callback),
			SubscribeCall{Callbacks: []URL{mustURL("http://192.168.1.2:5000/event/1")},
				Timeout: SubscriptionTime}, 0},
		{"a renewal", Renew(location, "uuid:x").Header,
			SubscribeCall{SID: "uuid:x", Timeout: SubscriptionTime}, 0},
		{"two callbacks, one with a name", Header{{"CALLBACK",
			"<http://x/><http://192.168.1.2:5000/>"}, nt}, SubscribeCall{Callbacks: []URL{mustURL(
			"http://192.168.1.2:5000/")}}, 0},
		{"SID and CALLBACK", Header{{"SID", "uuid:x"}, callback}, SubscribeCall{}, 400},
		{"SID and NT", Header{{"SID", "uuid:x"}, nt}, SubscribeCall{}, 400},
		{"an empty SID", Header{{"SID", ""}}, SubscribeCall{}, 400},
		{"no NT", Header{callback}, SubscribeCall{}, 412},
		{"no CALLBACK", Header{nt}, SubscribeCall{}, 412},
		{"another NT", Header{callback, {"NT", "x"}}, SubscribeCall{}, 412},
		{"a callback without brackets", Header{{"CALLBACK", "http://192.168.1.2/"}, nt},
			SubscribeCall{}, 412},
		{"nothing", nil, SubscribeCall{}, 412},
	} {
		got, err := ParseSubscribe(c.h)
		var r *Refused
		if !reflect.DeepEqual(got, c.want) || c.status == 0 && err != nil || c.status != 0 &&
			(!errors.As(err, &r) || r.Status != c.status) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestNotification(t *testing.T) {
	t.Parallel()
	one := uint8(1)
	full := Notification{SID: "uuid:x", Seq: 7,
		Event: &WLANEvent{EventProbe, someMAC, []byte{0x10}}, APStatus: &one, STAStatus: &one}
	body := string(full.AppendBody(nil))
	for _, c := range []struct {
		name, body string
		want       Notification
		err        error
	}{
		{"the first event", body, full, nil},
		{"only an event", string((&Notification{Event: full.Event}).AppendBody(nil)),
			Notification{SID: "uuid:x", Seq: 7, Event: full.Event}, nil},
		{"an empty event", "<propertyset><property><WLANEvent foo=''></WLANEvent></property></propertyset>", Notification{SID: "uuid:x", Seq: 7}, nil},
		{"an attribute without value", "<propertyset><property><WLANEvent foo></WLANEvent></property></propertyset>", Notification{}, ErrSyntax},
		{"half an element", "<foo", Notification{}, ErrSyntax},
		{"another document", "<foo/>", Notification{}, ErrMissing},
		{"a status that is no number", strings.Replace(body, ">1<", ">one<", 1),
			Notification{}, ErrValue},
		{"a status of 256", strings.Replace(body, ">1<", ">256<", 1), Notification{}, ErrValue},
		{"an event that is not base64", strings.Replace(body, "<WLANEvent>", "<WLANEvent>!", 1),
			Notification{}, ErrSyntax},
		{"an event that is too short", "<propertyset><WLANEvent>AQ==</WLANEvent></propertyset>",
			Notification{}, ErrSyntax},
		{"no body", "", Notification{}, ErrSyntax},
		{"too long", body + strings.Repeat(" ", MaxMessage), Notification{}, ErrTooLong},
	} {
		got, err := ParseNotify(full.Header())
		if err != nil {
			t.Fatal(err)
		}
		got.ReadBody([]byte(c.body))
		if c.err != nil {
			c.want = Notification{SID: "uuid:x", Seq: 7, Err: got.Err}
		}
		if !reflect.DeepEqual(got, c.want) || !errors.Is(got.Err, c.err) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	for _, c := range []struct {
		name, field, value string
		status             int
	}{
		{"no NT", "NT", "", 400}, {"no NTS", "NTS", "", 400}, {"another NT", "NT", "x", 412},
		{"another NTS", "NTS", "x", 412},
		{"no SID", "SID", "", 412}, {"no SEQ", "SEQ", "", 400},
		{"a negative SEQ", "SEQ", "-1", 400}, {"a SEQ of 33 bits", "SEQ", "4294967296", 400},
	} {
		var h Header
		for _, f := range full.Header() {
			if f.Name == c.field {
				if f.Value = c.value; c.value == "" {
					continue
				}
			}
			h = append(h, f)
		}
		var r *Refused
		if _, err := ParseNotify(h); !errors.As(err, &r) || r.Status != c.status {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
