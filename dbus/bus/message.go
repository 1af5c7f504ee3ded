package bus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	godbus "github.com/godbus/dbus/v5"
)

// Message is one that came. Its header is read, its body is not.
type Message struct {
	Header
	// Frame is the whole message.
	Frame []byte

	file *os.File // that came with it and was asked for
}

// Read makes one of its bytes.
func Read(frame []byte) (*Message, error) {
	h, err := parseHeader(frame)
	if err == nil && h.size() != uint64(len(frame)) {
		err = errHeader
	}
	if err != nil {
		return nil, err
	}
	return &Message{Header: h, Frame: frame}, nil
}

// ErrBody means that a body cannot be decoded, or is not what was expected.
var ErrBody = errors.New("bus: the message cannot be read")

// Body decodes the body. godbus's decoder panics now and then: what it does not recover from is an
// error here. What is in it shares no memory with Frame.
func (m *Message) Body() (body []any, err error) {
	if m.Signature == "" {
		return nil, nil
	}
	decoded, err := decode(m.Frame)
	if err != nil {
		return nil, err
	}
	return decoded.Body, nil
}

func decode(frame []byte) (m *godbus.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("%w: %v", ErrBody, p)
		}
	}()
	m, err = godbus.DecodeMessage(bytes.NewReader(frame))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	return m, nil
}

// Store decodes the body into out, pointers to the types of its values.
func (m *Message) Store(out ...any) error {
	body, err := m.Body()
	if err != nil {
		return err
	}
	return store(body, out)
}

// store is godbus.Store, which panics on values that do not fit now and then.
func store(body []any, out []any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrBody, p)
		}
	}()
	if err := godbus.Store(body, out...); err != nil {
		return fmt.Errorf("%w: %w", ErrBody, err)
	}
	return nil
}

// failure makes an error of an error message. One without a sentence that can be read has its name.
func (m *Message) failure() error {
	e := godbus.Error{Name: m.ErrorName}
	if body, err := m.Body(); err == nil {
		e.Body = body
	}
	return e
}

// encode makes bytes of a message, without its serial number. File descriptors are not sent. The
// secrets in its body go into these bytes and nowhere else; send wipes them.
func encode(m *godbus.Message) (frame []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // values of types that D-Bus does not have
			frame, err = nil, fmt.Errorf("bus: the message cannot be encoded: %v", p)
		}
	}()
	body, hidden := conceal(m.Body)
	m = &godbus.Message{Type: m.Type, Flags: m.Flags, Headers: m.Headers, Body: body}
	if _, ok := m.Headers[godbus.FieldSignature]; !ok && len(m.Body) > 0 {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(m.Body...))
	}
	var b bytes.Buffer
	if err := m.EncodeTo(&b, binary.LittleEndian); err != nil {
		return nil, fmt.Errorf("bus: the message cannot be encoded: %w", err)
	}
	if len(hidden) == 0 {
		return b.Bytes(), nil
	}
	if err := reveal(b.Bytes(), hidden); err != nil {
		clear(b.Bytes())
		return nil, fmt.Errorf("bus: the message cannot be encoded: %w", err)
	}
	return b.Bytes(), nil
}
