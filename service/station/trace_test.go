package station

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

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

// TestNothingIsTracedWithoutNeed: at the usual level a run costs nothing more.
func TestNothingIsTracedWithoutNeed(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := &Enrolment{Stations: New(Config{Log: slog.New(slog.NewTextHandler(&log, nil))}),
		session: &session.Running{}}
	if _, traced := e.trace(nil, "", nil).(traced); traced {
		t.Error("it is")
	}
}
