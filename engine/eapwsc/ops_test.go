package eapwsc

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"wpsd/engine"
)

// Operations on a machine as a fuzz target's input: one byte of what and when (two bits: a frame, a
// timeout, Abort; six bits: so many times 500 ms later), and for a frame its length and itself.
const (
	opsFrame   = 0
	opsTimeout = 1
	opsAbort   = 2
)

// ops writes an input that hands over frames, one after the other.
func ops(frames ...[]byte) []byte {
	var b []byte
	for _, f := range frames {
		b = append(b, opsFrame)
		b = binary.BigEndian.AppendUint16(b, uint16(len(f)))
		b = append(b, f...)
	}
	return b
}

// runOps makes the calls and checks every Step; after is called after each.
func runOps(t *testing.T, m engine.Machine, input []byte, after func()) {
	t.Helper()
	now, done := epoch, false
	check := func(s engine.Step) {
		t.Helper()
		switch {
		case done && (len(s.Send) > 0 || !s.Done):
			t.Fatalf("after Done: %+v", s)
		case s.Done && !s.Deadline.IsZero(), !s.Deadline.IsZero() && s.Deadline.Before(now):
			t.Fatalf("deadline %v at %v, done %v", s.Deadline, now, s.Done)
		case len(s.Send) > 2:
			t.Fatalf("%d packets at once", len(s.Send))
		}
		for _, f := range s.Send {
			if _, ok := parsePacket(f); !ok {
				t.Fatalf("sends %x, which is no packet", f)
			}
			clear(f)
		}
		done = s.Done
		after()
	}
	check(m.Start(now))
	for len(input) > 0 {
		what, wait := input[0]&3, time.Duration(input[0]>>2)*500*time.Millisecond
		input, now = input[1:], now.Add(wait)
		switch what {
		case opsTimeout:
			check(m.Timeout(now))
		case opsAbort:
			check(m.Abort(now))
		default:
			if len(input) < 2 {
				return
			}
			n := min(int(binary.BigEndian.Uint16(input)), len(input)-2)
			frame := input[2 : 2+n]
			kept := bytes.Clone(frame)
			check(m.Handle(now, frame))
			if !bytes.Equal(kept, frame) {
				t.Fatal("Handle changes the frame")
			}
			input = input[2+n:]
		}
	}
}

// bounded fails if an assembler holds more than it may: what arrived, as append grows it, and never
// more than the longest message.
func bounded(t *testing.T, a *assembler, arrived int) {
	t.Helper()
	if len(a.buffer) > maxMessage || cap(a.buffer) > 2*arrived+1024 ||
		cap(a.buffer) > 2*maxMessage {
		t.Fatalf("%d bytes arrived, %d are held, %d allocated", arrived, len(a.buffer),
			cap(a.buffer))
	}
}

// goodPackets are a Server's packets of a run whose messages come in fragments, and more.
func goodPackets() [][]byte {
	return [][]byte{
		request(1, methodIdentity),
		request(2, methodNotification, 'h', 'i'),
		request(3, 13, 0x20),
		wscRequest(4, opStart, 0),
		wscRequest(5, opFragAck, 0),
		wscRequest(6, opMsg, flagMore|flagLength, 0, 6, 'a', 'b', 'c'),
		wscRequest(7, opMsg, 0, 'd', 'e', 'f'),
		wscRequest(8, opMsg, flagMore|flagLength, 0xc3, 0x50, 'x'),
		wscRequest(9, opMsg, flagMore, 'y'),
		wscRequest(10, opNack, 0, nackMessage...),
		newResult(codeFailure, 4),
		newResult(codeSuccess, 4),
		{10, 1, 0, 5, 1},
	}
}

// goodAnswers are the same of a Peer.
func goodAnswers() [][]byte {
	return [][]byte{
		response(1, methodIdentity, []byte(IdentityEnrollee)...),
		response(1, methodIdentity, []byte(IdentityRegistrar)...),
		response(1, methodNak, byte(methodExpanded)),
		wscResponse(2, opMsg, 0, 'a', 'b', 'c', 'd', 'e', 'f'),
		wscResponse(2, opFragAck, 0),
		wscResponse(2, opMsg, flagMore|flagLength, 0, 6, 'a', 'b', 'c'),
		wscResponse(3, opMsg, 0, 'd', 'e', 'f'),
		wscResponse(3, opFragAck, 0),
		wscResponse(3, opDone, 0, doneMessage...),
		wscResponse(2, opMsg, flagMore|flagLength, 0xc3, 0x50, 'x'),
	}
}

// fuzzTalk is what the machine inside says and hears in fuzzing.
var fuzzTalk = talk{bytes.Repeat([]byte("abcdef"), 20), []byte("abcdef"), []byte("wxyz"),
	[]byte("abcdef"), nackMessage}

func fuzzPeer(identity string) (*Peer, *talker) {
	inner := &talker{talk: fuzzTalk, begins: identity == IdentityEnrollee, lastly: nackMessage,
		limit: 15 * time.Second}
	return NewPeer(PeerConfig{Identity: identity, Inner: inner, FragmentSize: 50}), inner
}

func fuzzServer() *Server {
	return NewServer(ServerConfig{FragmentSize: 50, Inner: func(identity string) engine.Machine {
		switch identity {
		case IdentityEnrollee, IdentityRegistrar:
			return &talker{talk: fuzzTalk, begins: identity == IdentityRegistrar,
				lastly: nackMessage, limit: 15 * time.Second}
		}
		return nil
	}})
}

func FuzzPeer(f *testing.F) {
	f.Add(ops(goodPackets()...), false)
	f.Add(append(ops(goodPackets()[:5]...), opsTimeout|4<<2, opsTimeout|40<<2), true)
	f.Add(append(ops(goodPackets()[3]), opsAbort), false)
	f.Fuzz(func(t *testing.T, input []byte, registrar bool) {
		identity := IdentityEnrollee
		if registrar {
			identity = IdentityRegistrar
		}
		p, _ := fuzzPeer(identity)
		runOps(t, p, input, func() { bounded(t, &p.in, len(input)) })
	})
}

func FuzzServer(f *testing.F) {
	f.Add(ops(goodAnswers()...))
	f.Add(append(ops(goodAnswers()[0], goodAnswers()[3]), opsTimeout|10<<2, opsTimeout|40<<2))
	f.Add(append(ops(goodAnswers()[1]), opsAbort))
	f.Fuzz(func(t *testing.T, input []byte) {
		s := fuzzServer()
		runOps(t, s, input, func() { bounded(t, &s.in, len(input)) })
	})
}

// FuzzPacket: a packet that is parsed and made again is the same one.
func FuzzPacket(f *testing.F) {
	for _, b := range append(goodPackets(), goodAnswers()...) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parsePacket(b)
		if !ok {
			return
		}
		if p.code == codeSuccess || p.code == codeFailure {
			return
		}
		if again := newPacket(p.code, p.id, p.method, p.data); !bytes.Equal(again, p.raw) ||
			!bytes.HasPrefix(b, again) {
			t.Fatalf("%x becomes %x", b, again)
		}
		if !p.isWSC() {
			return
		}
		if frag, ok := parseFragment(p.data); ok && frag.length > 0xffff {
			t.Fatalf("%+v", frag)
		}
	})
}
