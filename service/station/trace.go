package station

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"wpsd/engine"
	"wpsd/engine/wsc"
)

// traced is a Machine whose frames are logged for --debug: their names and sizes, and those of
// their attributes. No value is: keys and hashes of PINs are among them.
type traced struct {
	engine.Machine
	log      *slog.Logger
	what     string
	describe func(frame []byte) []any
}

// trace lets the frames of m be logged, if anybody looks at that level.
func (e *Enrolment) trace(m engine.Machine, what string,
	describe func(frame []byte) []any) engine.Machine {
	if !e.Log.Enabled(context.Background(), slog.LevelDebug) {
		return m
	}
	return traced{m, e.Log.With("session", e.session.ID), what, describe}
}

func (t traced) tell(direction string, frame []byte) {
	t.log.Debug(t.what+" "+direction, append([]any{"size", len(frame)}, t.describe(frame)...)...)
}

func (t traced) sent(step engine.Step) engine.Step {
	for _, frame := range step.Send {
		t.tell("sent", frame)
	}
	return step
}

// Start implements engine.Machine.
func (t traced) Start(now time.Time) engine.Step { return t.sent(t.Machine.Start(now)) }

// Handle implements engine.Machine.
func (t traced) Handle(now time.Time, frame []byte) engine.Step {
	t.tell("received", frame)
	return t.sent(t.Machine.Handle(now, frame))
}

// Timeout implements engine.Machine.
func (t traced) Timeout(now time.Time) engine.Step { return t.sent(t.Machine.Timeout(now)) }

// Abort implements engine.Machine.
func (t traced) Abort(now time.Time) engine.Step { return t.sent(t.Machine.Abort(now)) }

// maxTraced bounds how many attributes of one message are named: a peer decides how many there are.
const maxTraced = 64

// describeMessage names a message of the Registration Protocol and its attributes, each with its
// length.
func describeMessage(message []byte) []any {
	kind, n := "", 0
	var list strings.Builder
	for id, value := range wsc.Attributes(message) {
		if id == wsc.AttrMessageType && len(value) == 1 {
			kind = wsc.MessageType(value[0]).String()
		}
		if n++; n > maxTraced {
			list.WriteString(", and more")
			break
		}
		if n > 1 {
			list.WriteString(", ")
		}
		fmt.Fprintf(&list, "%v %d", id, len(value))
	}
	return []any{"type", kind, "attributes", list.String()}
}

// Names in EAPOL and EAP frames (IEEE 802.1X, section 11; RFC 3748, section 4) and the operations
// of EAP-WSC (WSC, EAP transport).
var (
	eapolNames = map[byte]string{0: "EAP", 1: "EAPOL-Start", 2: "EAPOL-Logoff", 3: "EAPOL-Key"}
	eapNames   = map[byte]string{1: "request", 2: "response", 3: "success", 4: "failure"}
	eapTypes   = map[byte]string{1: "identity", 2: "notification", 3: "nak", 254: "expanded"}
	wscNames   = map[byte]string{1: "WSC_Start", 2: "WSC_ACK", 3: "WSC_NACK", 4: "WSC_MSG",
		5: "WSC_Done", 6: "WSC_FRAG_ACK"}
)

// Where in an EAPOL frame of ours the Type of EAP is, and the operation of EAP-WSC behind vendor
// and vendor's type.
const (
	eapCodeAt = 4
	eapTypeAt = eapCodeAt + 4
	wscOpAt   = eapTypeAt + 8
)

// describeFrame names an EAPOL frame and what it carries.
func describeFrame(frame []byte) []any {
	if len(frame) < eapCodeAt {
		return []any{"type", "too short"}
	}
	attrs := []any{"type", named(eapolNames, frame[1])}
	if frame[1] != 0 || len(frame) < eapTypeAt {
		return attrs
	}
	attrs = append(attrs, "eap", named(eapNames, frame[eapCodeAt]), "id", frame[eapCodeAt+1])
	if len(frame) > eapTypeAt {
		attrs = append(attrs, "method", named(eapTypes, frame[eapTypeAt]))
	}
	if len(frame) > wscOpAt+1 && frame[eapTypeAt] == 254 {
		attrs = append(attrs, "op", named(wscNames, frame[wscOpAt]), "flags", frame[wscOpAt+1])
	}
	return attrs
}

// named gives a name, or the number.
func named(names map[byte]string, n byte) string {
	if name, ok := names[n]; ok {
		return name
	}
	return fmt.Sprintf("%d", n)
}
