package eapwsc

import (
	"fmt"
	"testing"

	"wpsd/engine/enginetest"
)

var (
	codeNames = map[code]string{codeRequest: "Request", codeResponse: "Response",
		codeSuccess: "Success", codeFailure: "Failure"}
	opNames = map[opCode]string{opStart: "WSC_Start", opAck: "WSC_ACK", opNack: "WSC_NACK",
		opMsg: "WSC_MSG", opDone: "WSC_Done", opFragAck: "WSC_FRAG_ACK"}
)

// describe is a packet in words.
func describe(frame []byte) string {
	p, ok := parsePacket(frame)
	if !ok {
		return fmt.Sprintf("%x", frame)
	}
	text := fmt.Sprintf("%s %d", codeNames[p.code], p.id)
	switch {
	case p.code == codeSuccess || p.code == codeFailure:
		return text
	case p.method == methodIdentity:
		return fmt.Sprintf("%s Identity %q", text, p.data)
	case !p.isWSC():
		return fmt.Sprintf("%s type %d, %d bytes", text, p.method, len(p.data))
	}
	f, ok := parseFragment(p.data)
	if !ok {
		return text + " damaged"
	}
	text += " " + opNames[f.op]
	if f.length >= 0 {
		text += fmt.Sprintf(", message of %d", f.length)
	}
	if len(f.data) > 0 {
		text += fmt.Sprintf(", %d bytes", len(f.data))
	}
	if f.more {
		text += ", more"
	}
	return text
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	drop := func(lost ...int) enginetest.Channel {
		return func(n int, _ bool, frame []byte) [][]byte {
			for _, l := range lost {
				if l == n {
					return nil
				}
			}
			return [][]byte{frame}
		}
	}
	for _, c := range []struct {
		name, identity       string
		peerSize, serverSize int
		channel              enginetest.Channel
		sizes                []int
	}{
		{"enrollee", IdentityEnrollee, 0, 0, nil, []int{362, 453, 124, 182, 60}},
		{"registrar", IdentityRegistrar, 0, 0, nil, []int{362, 453, 124, 60}},
		{"fragments-both-ways", IdentityEnrollee, 150, 200, nil, []int{362, 453, 60}},
		{"request-and-response-lost", IdentityEnrollee, 0, 200, drop(2, 6), []int{362, 453, 60}},
		{"closing-failure-lost", IdentityEnrollee, 0, 0, drop(6), []int{362, 453, 60}},
		{"access-point-falls-silent", IdentityEnrollee, 0, 0, drop(4, 5, 6), []int{362, 453, 60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := loopback(c.identity, newTalk(1, c.sizes...), c.peerSize, c.serverSize)
			l.Channel, l.Describe = c.channel, describe
			text, err := l.Run()
			if err != nil {
				t.Fatal(err)
			}
			enginetest.Golden(t, c.name+".txt", text)
		})
	}
}
