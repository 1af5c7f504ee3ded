package control

import (
	"fmt"

	"wpsd/engine/secret"
)

// line is one event. Its secret, if there is one, follows the text, in hex, for those that may see
// everything.
type line struct {
	ifname string // empty: all sockets
	level  int
	er     bool // of an External Registrar
	// an event's name ends with a space, also if nothing follows: programs compare with it
	text   string
	secret secret.Value
}

// send gives it to the monitors of one socket. prefix is what the global socket puts in front.
func (l line) send(m *monitors, prefix string) {
	public := fmt.Appendf(nil, "%s<%d>%s", prefix, l.level, l.text)
	if l.secret.IsZero() {
		m.tell(l.level, public, public)
		return
	}
	whole := fmt.Appendf(nil, "%s%s", public, l.secret.Bytes())
	m.tell(l.level, whole, public)
	clear(whole)
}

func (l line) wipe() { l.secret.Wipe() }
