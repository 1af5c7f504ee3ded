package er

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// TestTranscripts holds whole conversations: what is asked of whom, what is told, and when.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		does func(w *world, aps []*fakeAP)
	}{
		{"learn", func(w *world, aps []*fakeAP) { w.learn(aps[0], "12345670") }},
		{"learn-wrong-pin", func(w *world, aps []*fakeAP) { w.learn(aps[0], "12349999") }},
		{"configure", func(w *world, aps []*fakeAP) {
			_, actions, err := w.r.Configure(w.now, aps[0].id(), pin("12345670"),
				network("new", "new passphrase"))
			if err != nil {
				t.Fatal(err)
			}
			w.do(actions)
		}},
		{"enrol-pin", func(w *world, aps []*fakeAP) {
			w.give(aps[0], "home")
			w.allow(PINGrant{PIN: pin("12345670").Value, MAC: phone})
			aps[0].probe(phone, wsc.PasswordIDDefault)
			aps[0].join(phone, pin("12345670"))
		}},
		{"enrol-button", func(w *world, aps []*fakeAP) {
			w.give(aps[0], "home")
			aps[0].probe(phone, wsc.PasswordIDPushButton)
			w.allow(PBCGrant{MAC: phone})
			aps[0].join(phone, devpass.PushButton())
		}},
		{"overlap", func(w *world, aps []*fakeAP) {
			w.give(aps[0], "home")
			w.allow(PBCGrant{})
			aps[0].probe(tablet, wsc.PasswordIDPushButton)
			aps[0].join(phone, devpass.PushButton())
		}},
		{"an-hour-of-nothing", func(w *world, aps []*fakeAP) { w.wait(time.Hour) }},
		{"restart-while-a-pin-waits", func(w *world, aps []*fakeAP) {
			w.give(aps[0], "home")
			w.allow(PINGrant{PIN: pin("12345670").Value})
			w.wait(time.Minute)
			aps[0].restart()
			w.wait(5 * time.Minute)
		}},
		{"power-failure", func(w *world, aps []*fakeAP) {
			aps[0].up = false
			w.wait(30 * time.Minute)
			aps[0].up, aps[0].sid = true, ""
			aps[0].announce(upnp.Alive)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.transcript = new(strings.Builder)
			p := w.newAP(1)
			w.do(w.r.Start(w.now, netip.Addr{}))
			c.does(w, []*fakeAP{p})
			w.do(w.r.Stop(w.now))
			enginetest.Golden(t, c.name+".txt", w.transcript.String())
		})
	}
}

// note writes a line of the transcript, with the time since the beginning.
func (w *world) note(format string, arguments ...any) {
	if w.transcript != nil {
		fmt.Fprintf(w.transcript, "%-10v %s\n", w.now.Sub(enginetest.Epoch),
			fmt.Sprintf(format, arguments...))
	}
}

// content says what a request carries, if that is a message.
func content(q upnp.Request) string {
	a, err := upnp.ParseAction(q.Header.Get("SOAPACTION"), q.Body)
	if err != nil || a.Message == nil {
		return ""
	}
	if a.Name == upnp.SetSelectedRegistrar {
		s, err := wsc.ParseSelectedRegistrar(a.Message)
		if err != nil {
			return " " + err.Error()
		}
		if !s.Selected {
			return " nobody"
		}
		return fmt.Sprintf(" %v for %v", s.DevicePasswordID, s.AuthorizedMACs)
	}
	kind, err := wsc.PeekMessageType(a.Message)
	if err != nil {
		return " " + err.Error()
	}
	if a.Name == upnp.PutWLANResponse {
		return fmt.Sprintf(" %v for %v", kind, wsc.MAC(a.MAC))
	}
	return " " + kind.String()
}
