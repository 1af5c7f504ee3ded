// Package remote is a control point in a process of its own: what speaks to access points over the
// network, and reads what they answer, then has neither wpsd's capabilities nor its secrets, and
// wpsd has no network.
//
// The two speak over a local socket: frames of JSON, each after its length in four bytes. A
// connection is one control point; it begins with open and its answer. wpsd trusts the other
// process no more than the network: see intake. From wpsd come search, do and cancel, from the
// other side reply, heard, changed and notified. Only one notified is on its way until taken says
// that somebody has it: devices wait, as they do with a control point in the same process.
package remote

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"wpsd/drivers/controlpoint"
	"wpsd/engine/upnp"
)

// maxFrame is more than the largest: a device description in base64, with its header.
const maxFrame = 256 << 10

// kind says what a frame is.
type kind string

const (
	open     kind = "open"
	search   kind = "search"
	do       kind = "do"
	cancel   kind = "cancel"
	taken    kind = "taken"
	reply    kind = "reply" // to open, search or do
	heard    kind = "heard"
	changed  kind = "changed"
	notified kind = "notified"
)

// frame is all that goes over the socket.
type frame struct {
	Kind      kind
	ID        uint64             `json:",omitempty"` // of what is asked, repeated in its reply
	Interface string             `json:",omitempty"`
	Request   *upnp.Request      `json:",omitempty"`
	Response  *upnp.Response     `json:",omitempty"`
	Heard     *upnp.Announcement `json:",omitempty"`
	Notified  *notification      `json:",omitempty"`
	Error     *failure           `json:",omitempty"`
}

// notification is upnp.Notification with an error that JSON knows.
type notification struct {
	upnp.Notification
	Err string `json:",omitempty"`
}

// failure is an error on its way. Code tells those apart that somebody branches on.
type failure struct {
	Code string `json:",omitempty"`
	Text string
}

// codes are the errors that somebody branches on.
var codes = map[string]error{
	"no-address": controlpoint.ErrNoAddress,
	"elsewhere":  controlpoint.ErrElsewhere,
	"timeout":    controlpoint.ErrTimeout,
	"too-long":   controlpoint.ErrTooLong,
	"too-many":   controlpoint.ErrTooMany,
	"moved":      controlpoint.ErrMoved,
	"closed":     controlpoint.ErrClosed,
}

// newFailure packs an error.
func newFailure(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: upnp.Text(err.Error())}
	for code, known := range codes {
		if errors.Is(err, known) {
			f.Code = code
		}
	}
	return f
}

// err unpacks it.
func (f *failure) err() error {
	if f == nil {
		return nil
	}
	text := upnp.Text(f.Text)
	if known := codes[f.Code]; known != nil {
		return &failed{text, known}
	}
	return errors.New(text)
}

// failed is an error from the other side: it says what that said, and is what it was there.
type failed struct {
	text string
	is   error
}

// Error implements error.
func (f *failed) Error() string { return f.text }

// Unwrap gives the error of package controlpoint.
func (f *failed) Unwrap() error { return f.is }

// pack and unpack turn notifications into what JSON can hold and back.
func pack(n upnp.Notification) *notification {
	p := &notification{Notification: n}
	if n.Err != nil {
		p.Err, p.Notification.Err = upnp.Text(n.Err.Error()), nil
	}
	return p
}

func (n *notification) unpack() upnp.Notification {
	out := n.Notification
	if n.Err != "" {
		out.Err = errors.New(n.Err)
	}
	return out
}

// write writes a frame.
func write(w io.Writer, f frame) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if len(text) > maxFrame {
		return fmt.Errorf("remote: a frame of %d bytes", len(text))
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

// read reads one. Whoever is at the other end cannot make us hold more than maxFrame.
func read(r io.Reader) (frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return frame{}, fmt.Errorf("remote: a frame of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return frame{}, err
	}
	var f frame
	if err := json.Unmarshal(text, &f); err != nil {
		return frame{}, fmt.Errorf("remote: a frame that cannot be read: %w", err)
	}
	return f, nil
}
