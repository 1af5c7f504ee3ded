package upnp

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	// SubscriptionTime is what we ask for. hostapd gives 1801 s, whatever is asked.
	SubscriptionTime = 1800 * time.Second
	// maxSubscription stands for "infinite" and for all that is longer: renewing once a day costs
	// nothing and finds out that a device forgot us.
	maxSubscription = 24 * time.Hour
	maxSID          = 128
	maxCallbacks    = 8
)

// Subscription is what a device granted.
type Subscription struct {
	SID     string        // names it in renewals and events; visible ASCII, at most 128 bytes
	Timeout time.Duration // from a second to a day
}

// Subscribe is the request for a new subscription. Whoever sends it adds CALLBACK.
func Subscribe(event URL) Request {
	return Request{Method: "SUBSCRIBE", URL: event, MaxBody: MaxAnswer,
		Header: Header{{"NT", "upnp:event"}, {"TIMEOUT", formatTimeout(SubscriptionTime)}}}
}

// Renew is the request to prolong a subscription: with SID, and without CALLBACK and NT, else it is
// refused (UDA 4.1.2).
func Renew(event URL, sid string) Request {
	return Request{Method: "SUBSCRIBE", URL: event, MaxBody: MaxAnswer,
		Header: Header{{"SID", sid}, {"TIMEOUT", formatTimeout(SubscriptionTime)}}}
}

// Unsubscribe is the request to end a subscription.
func Unsubscribe(event URL, sid string) Request {
	return Request{Method: "UNSUBSCRIBE", URL: event, MaxBody: MaxAnswer,
		Header: Header{{"SID", sid}}}
}

// ParseSubscription reads the answer to Subscribe or Renew. A status other than 200 is a *Refused.
func ParseSubscription(r Response) (Subscription, error) {
	if r.Status != 200 {
		return Subscription{}, &Refused{r.Status}
	}
	s := Subscription{SID: r.Header.Get("SID"), Timeout: SubscriptionTime}
	if !printable(s.SID, maxSID) {
		return Subscription{}, wrong("subscription", "SID", ErrValue)
	}
	if text, ok := r.Header.Find("TIMEOUT"); ok {
		if s.Timeout, ok = parseTimeout(text); !ok {
			return Subscription{}, wrong("subscription", "TIMEOUT", ErrValue)
		}
	}
	return s, nil
}

// Response is the answer of a device that grants s.
func (s Subscription) Response() Response {
	return Response{Status: 200,
		Header: Header{{"SID", s.SID}, {"TIMEOUT", formatTimeout(s.Timeout)}}}
}

// Refused is an answer with another status than 200. 412 to a renewal: the device knows the
// subscription no more.
type Refused struct{ Status int }

// Error implements error.
func (r *Refused) Error() string {
	return "upnp: subscription refused with status " + strconv.Itoa(r.Status)
}

// parseTimeout reads "Second-1800", "Second-infinite" and "infinite".
func parseTimeout(s string) (time.Duration, bool) {
	const unit = "Second-"
	if len(s) > len(unit) && strings.EqualFold(s[:len(unit)], unit) {
		s = s[len(unit):]
	} else if !strings.EqualFold(s, "infinite") {
		return 0, false
	}
	if strings.EqualFold(s, "infinite") {
		return maxSubscription, true
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return min(time.Duration(n)*time.Second, maxSubscription), err == nil && n >= 1
}

func formatTimeout(d time.Duration) string { return "Second-" + strconv.Itoa(int(d/time.Second)) }

// SubscribeCall is SUBSCRIBE as a device sees it: a new one has Callbacks, a renewal has SID.
type SubscribeCall struct {
	Callbacks []URL
	SID       string
	Timeout   time.Duration // what is asked for; zero if nothing
}

// ParseSubscribe reads the header of a SUBSCRIBE as an access point does. What is wrong with it is
// a *Refused with the status to answer: 400 for headers that exclude each other, 412 for missing
// ones (UDA 4.1.1). Whether a callback is in the right network is for the caller, who knows it.
func ParseSubscribe(h Header) (SubscribeCall, error) {
	var c SubscribeCall
	callback, hasCallback := h.Find("CALLBACK")
	nt, hasNT := h.Find("NT")
	if text, ok := h.Find("TIMEOUT"); ok {
		c.Timeout, _ = parseTimeout(text) // a device may give what it likes anyway
	}
	if sid, ok := h.Find("SID"); ok {
		if hasCallback || hasNT || !printable(sid, maxSID) {
			return SubscribeCall{}, &Refused{400}
		}
		c.SID = sid
		return c, nil
	}
	if !hasCallback || !hasNT || nt != "upnp:event" {
		return SubscribeCall{}, &Refused{412}
	}
	for len(c.Callbacks) < maxCallbacks {
		_, rest, ok := strings.Cut(callback, "<")
		text, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			break
		}
		if u, err := ParseURL(text); err == nil {
			c.Callbacks = append(c.Callbacks, u)
		}
		callback = after
	}
	if len(c.Callbacks) == 0 {
		return SubscribeCall{}, &Refused{412}
	}
	return c, nil
}

// Notification is an event of a device we subscribed to.
type Notification struct {
	From netip.Addr // the device; not in the header
	SID  string
	// 0 in the first one of a subscription, then counts, from the largest number on to 1
	Seq uint32
	// What the event says; nil: nothing about it. The first one has all three.
	Event *WLANEvent
	// bit 0: the configuration changed, bit 4: the AP's own setup is locked; hostapd always says 1
	APStatus  *uint8
	STAStatus *uint8
	// Err tells why nothing of the body is to be used. The rest holds: it is the device we know
	// that sends this.
	Err error
}

// ParseNotify reads the header of a NOTIFY: its SID and SEQ. What is wrong is a *Refused with the
// status to answer (UDA 4.2.1).
func ParseNotify(h Header) (Notification, error) {
	nt, hasNT := h.Find("NT")
	nts, hasNTS := h.Find("NTS")
	if !hasNT || !hasNTS {
		return Notification{}, &Refused{400}
	}
	sid := h.Get("SID")
	if nt != "upnp:event" || nts != "upnp:propchange" || !printable(sid, maxSID) {
		return Notification{}, &Refused{412}
	}
	seq, err := strconv.ParseUint(h.Get("SEQ"), 10, 32)
	if err != nil {
		return Notification{}, &Refused{400}
	}
	return Notification{SID: sid, Seq: uint32(seq)}, nil
}

// ReadBody reads the property set of an event. It sets either what the event says or Err.
func (n *Notification) ReadBody(body []byte) {
	var read Notification
	if err := read.readProperties(body); err != nil {
		n.Event, n.APStatus, n.STAStatus, n.Err = nil, nil, nil, err
		return
	}
	n.Event, n.APStatus, n.STAStatus, n.Err = read.Event, read.APStatus, read.STAStatus, nil
}

func (n *Notification) readProperties(body []byte) error {
	const what = "event"
	all, err := parseXML(what, body, MaxMessage)
	if err != nil {
		return err
	}
	if !strings.EqualFold(all[0].name, "propertyset") {
		return wrong(what, "propertyset", ErrMissing)
	}
	for _, s := range []struct {
		name  string
		value **uint8
	}{{"APStatus", &n.APStatus}, {"STAStatus", &n.STAStatus}} {
		text, ok := find(all, s.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseUint(text, 10, 8)
		if err != nil {
			return wrong(what, s.name, ErrValue)
		}
		*s.value = &[]uint8{uint8(v)}[0]
	}
	text, ok := find(all, "WLANEvent")
	if !ok || text == "" { // an empty one tells of nothing, and is no reason to give up on the rest
		return nil
	}
	b, err := decode64(text)
	if err != nil {
		return wrong(what, "WLANEvent", err)
	}
	n.Event, err = ParseWLANEvent(b)
	return err
}

// Header gives the header of the NOTIFY, but for what HTTP itself needs.
func (n *Notification) Header() Header {
	return Header{{"CONTENT-TYPE", `text/xml; charset="utf-8"`}, {"NT", "upnp:event"},
		{"NTS", "upnp:propchange"},
		{"SID", n.SID}, {"SEQ", strconv.FormatUint(uint64(n.Seq), 10)}}
}

// AppendBody appends the property set.
func (n *Notification) AppendBody(b []byte) []byte {
	b = append(b, "<?xml version=\"1.0\"?>\n<e:propertyset xmlns:e=\"urn:schemas-upnp-org:event-1-0\">\n"...)
	property := func(name, text string) {
		b = append(b, "<e:property>"...)
		b = appendElement(b, name, text)
		b = append(b, "</e:property>\n"...)
	}
	if n.STAStatus != nil {
		property("STAStatus", strconv.Itoa(int(*n.STAStatus)))
	}
	if n.APStatus != nil {
		property("APStatus", strconv.Itoa(int(*n.APStatus)))
	}
	if n.Event != nil {
		property("WLANEvent", encode64(n.Event.Append(nil)))
	}
	return append(b, "</e:propertyset>\n"...)
}
