package service

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"wpsd/service/session"
)

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
