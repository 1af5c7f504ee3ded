package service

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"wpsd/engine/wsc"
	"wpsd/service/session"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	long := []byte{}
	for range 100 {
		long = wsc.AppendAttribute(long, wsc.AttrNetworkKey, []byte("secret"))
	}
	for _, c := range []struct {
		name     string
		describe func([]byte) []any
		frame    []byte
		want     string
	}{
		{"nothing at all", describeFrame, nil, "type too short"},
		{"a start", describeFrame, []byte{1, 1, 0, 0}, "type EAPOL-Start"},
		{"an EAP frame that is cut off", describeFrame, []byte{1, 0, 0, 1, 1}, "type EAP"},
		{"an end", describeFrame, []byte{1, 0, 0, 4, 4, 9, 0, 4}, "type EAP eap failure id 9"},
		{"an identity", describeFrame, []byte{1, 0, 0, 5, 1, 7, 0, 5, 1},
			"type EAP eap request id 7 method identity"},
		{"a method that nobody knows", describeFrame, []byte{9, 7, 0, 5}, "type 7"},
		{"a WSC message", describeFrame, append(
			[]byte{1, 0, 0, 18, 2, 7, 0, 18, 254, 0, 0x37, 0x2a, 0, 0, 0, 1, 4, 1}, "secret"...),
			"type EAP eap response id 7 method expanded op WSC_MSG flags 1"},
		{"an empty message", describeMessage, nil, "type  attributes "},
		{"a message", describeMessage, wsc.AppendAttribute(
			wsc.AppendAttribute(nil, wsc.AttrMessageType, []byte{4}), wsc.AttrEncryptedSettings,
			[]byte("secret")),
			"type M1 attributes Message Type 1, Encrypted Settings 6"},
		{"a malformed message", describeMessage, []byte{0x10, 0x22, 0xff, 0xff, 1},
			"type  attributes "},
		{"a message of the hostile kind", describeMessage, long,
			"type  attributes " + strings.Repeat("Network Key 6, ", maxTraced-1) +
				"Network Key 6, and more"},
	} {
		got := strings.TrimSuffix(fmt.Sprintln(c.describe(c.frame)...), "\n")
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestSessionLog: a line at the start of a session and one at its end, with the fields that people
// look for; between them what went over the air, for those who look at it.
func TestSessionLog(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"a good end", func(h *house) {
			h.press(h.ap(nil))
			h.end(h.pbc(nil))
			started, ended := h.logged(session.LogSessionStarted), h.logged(session.LogSessionEnded)
			if want := []string{`session=1 interface=wlan0 role=enrollee purpose=enroll method=pbc owner=:1.1`}; !slices.Equal(started, want) {
				h.Errorf("%q", started)
			}
			if len(ended) != 1 || !strings.HasPrefix(ended[0],
				"session=1 interface=wlan0 role=enrollee purpose=enroll method=pbc state=succeeded duration=") ||
				!strings.HasSuffix(ended[0], "s peer=02:00:00:00:01:00 tried=1") {
				h.Errorf("%q", ended)
			}
			for _, want := range []string{
				`msg="frame sent" session=1 size=`, `op=WSC_MSG`, `eap=failure`,
				`msg="message sent" session=1 size=`,
				`type=M1 attributes="Version 1, Message Type 1, UUID-E 16, MAC Address 6,`,
				`msg="message received" session=1`,
				`type=M8 attributes="Version 1, Message Type 1, Enrollee Nonce 16, Encrypted Settings `,
			} {
				if !strings.Contains(h.log.String(), want) {
					h.Errorf("the log does not have %s", want)
				}
			}
		}},
		{"a bad end", func(h *house) {
			h.ap(nil)
			s := h.pbc(nil)
			_ = h.svc.Cancel(h.Context(), s.ID)
			h.end(s)
			if ended := h.logged(session.LogSessionEnded); len(ended) != 1 ||
				!strings.Contains(ended[0], "state=canceled duration=") ||
				!strings.HasSuffix(ended[0], "reason=canceled config_error=0 err=canceled") ||
				strings.Contains(ended[0], "peer") {
				h.Errorf("%q", ended)
			}
		}},
	})
}

// TestNothingIsTracedWithoutNeed: at the usual level a run costs nothing more.
func TestNothingIsTracedWithoutNeed(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := &Enrolment{Stations: NewStations(StationConfig{Log: slog.New(slog.NewTextHandler(&log, nil))}),
		session: &session.Running{}}
	if _, traced := e.trace(nil, "", nil).(traced); traced {
		t.Error("it is")
	}
}

// logged gives the lines with a message, from behind it, once everybody has come to rest: the log
// is told last.
func (h *house) logged(message string) (lines []string) {
	synctest.Wait()
	for line := range strings.Lines(h.log.String()) {
		if _, rest, ok := strings.Cut(line, `msg="`+message+`" `); ok {
			lines = append(lines, strings.TrimSuffix(rest, "\n"))
		}
	}
	return lines
}
