package wsc

import "fmt"

// MessageType is the value of the Message Type attribute.
type MessageType uint8

// The message types (WSC, attribute "Message Type").
const (
	MsgBeacon        MessageType = 0x01
	MsgProbeRequest  MessageType = 0x02
	MsgProbeResponse MessageType = 0x03
	MsgM1            MessageType = 0x04
	MsgM2            MessageType = 0x05
	MsgM2D           MessageType = 0x06
	MsgM3            MessageType = 0x07
	MsgM4            MessageType = 0x08
	MsgM5            MessageType = 0x09
	MsgM6            MessageType = 0x0A
	MsgM7            MessageType = 0x0B
	MsgM8            MessageType = 0x0C
	MsgAck           MessageType = 0x0D
	MsgNack          MessageType = 0x0E
	MsgDone          MessageType = 0x0F
)

var messageNames = [...]string{
	MsgBeacon: "Beacon", MsgProbeRequest: "Probe Request", MsgProbeResponse: "Probe Response",
	MsgM1: "M1", MsgM2: "M2", MsgM2D: "M2D", MsgM3: "M3", MsgM4: "M4", MsgM5: "M5", MsgM6: "M6",
	MsgM7: "M7", MsgM8: "M8", MsgAck: "WSC_ACK", MsgNack: "WSC_NACK", MsgDone: "WSC_DONE",
}

// String gives "M1", "WSC_ACK"; an unknown type is "message type 123".
func (t MessageType) String() string {
	if int(t) < len(messageNames) && messageNames[t] != "" {
		return messageNames[t]
	}
	return fmt.Sprintf("message type %d", uint8(t))
}

// PeekMessageType finds the Message Type of a message without looking at the rest of it, beyond
// that its attributes can be walked. What it answers is what the Parse functions go by.
func PeekMessageType(b []byte) (MessageType, error) {
	const what = "message"
	if len(b) > MaxMessage {
		return 0, &ParseError{Message: what, Err: ErrTooLong}
	}
	var t MessageType
	found := false
	r := NewReader(b)
	for a, ok := r.Next(); ok; a, ok = r.Next() {
		if a.ID != AttrMessageType {
			continue
		}
		if len(a.Value) != 1 {
			return 0, &ParseError{Message: what, Attribute: AttrMessageType, Err: ErrLength}
		}
		t, found = MessageType(a.Value[0]), true
	}
	if err := r.Err(); err != nil {
		return 0, &ParseError{Message: what, Err: err}
	}
	if !found {
		return 0, &ParseError{Message: what, Attribute: AttrMessageType, Err: ErrMissing}
	}
	return t, nil
}
