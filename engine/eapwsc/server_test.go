package eapwsc

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"wpsd/engine"
)

func TestServer(t *testing.T) {
	t.Parallel()
	const second = time.Second
	start := wscRequest(2, opStart, 0)
	identified := turn{in: response(1, methodIdentity, []byte(IdentityEnrollee)...), out: start}
	toM1 := turn{in: response(1, methodIdentity, []byte(IdentityRegistrar)...),
		out: wscRequest(2, opMsg, 0, 'm', '1')}
	m2 := wscRequest(3, opMsg, 0, 'm', '2')
	toM2 := turn{in: wscResponse(2, opMsg, 0, 'm', '1'), out: m2}
	failure := func(id uint8) []byte { return newResult(codeFailure, id) }
	for _, c := range []struct {
		name     string
		talk     talk // default: m1 m2 m3
		size     int
		limit    time.Duration
		turns    []turn
		done     bool
		complete bool
		aborted  bool
		timedOut bool
	}{
		{name: "a run ends with EAP-Failure, however well it went", done: true, complete: true,
			turns: []turn{identified, toM2,
				{in: wscResponse(3, opMsg, 0, 'm', '3'), out: failure(3)}}},
		{name: "an Enrollee of the access point begins with M1",
			talk: messages("m1", "m2", "m3", "m4"), done: true, complete: true,
			turns: []turn{toM1, {in: wscResponse(2, opMsg, 0, 'm', '2'),
				out: wscRequest(3, opMsg, 0, 'm', '3')}, {in: wscResponse(3, opMsg, 0, 'm',
				'4'), out: failure(3)}}},
		{name: "what is said last is answered before the end", talk: messages("m1", "m2"),
			done: true, complete: true,
			turns: []turn{identified, toM2,
				{in: wscResponse(3, opNack, 0, nackMessage...), out: failure(3)}}},
		{name: "a WSC_NACK is not answered but with EAP-Failure",
			talk: talk{[]byte("m1"), []byte("m2"), nackMessage, nackMessage}, done: true,
			complete: true,
			turns: []turn{identified, toM2,
				{in: wscResponse(3, opNack, 0, nackMessage...), out: failure(3)}}},
		{name: "another identity is refused", done: true,
			turns: []turn{{in: response(1, methodIdentity, 'm', 'e'), out: failure(1)}}},
		{name: "an identity with more behind it is another one", done: true,
			turns: []turn{{in: response(1, methodIdentity, []byte(IdentityEnrollee+"\x00")...),
				out: failure(1)}}},
		{name: "a Nak in place of the identity ends the run", done: true,
			turns: []turn{{in: response(1, methodNak, 13), out: failure(1)}}},
		{name: "a Nak of the method ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: response(2, methodNak, 13), out: failure(2)}}},
		{name: "an expanded Nak as well", done: true, aborted: true,
			turns: []turn{identified,
				{in: response(2, methodExpanded, 0, 0, 0, 0, 0, 0, 3, 13), out: failure(2)}}},
		{name: "a late response is ignored",
			turns: []turn{identified, hear(identified.in), hear(response(1, methodNak, 13))}},
		{name: "a response of another method is ignored",
			turns: []turn{identified, hear(response(2, 13, 0)), toM2}},
		{name: "a message in place of the identity is ignored",
			turns: []turn{hear(wscResponse(1, opMsg, 0, 'm', '1')), identified}},
		{name: "a packet without flags is ignored",
			turns: []turn{identified,
				hear(response(2, methodExpanded, append(expandedWSC[:7:7], 4)...)), toM2}},
		{name: "a request is not for us",
			turns: []turn{identified, hear(wscRequest(2, opMsg, 0, 'm', '1')), toM2}},
		{name: "a response that the machine inside ignores is discarded, and so is its repetition",
			turns: []turn{identified, toM2, hear(wscResponse(3, opMsg, 0, 'm', '4')),
				hear(wscResponse(3, opMsg, 0, 'm', '4')),
				{timeout: true, after: 5 * second, out: m2}}},
		{name: "WSC_Start of a station ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: wscResponse(2, opStart, 0), out: failure(2)}}},
		{name: "an unknown op code ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: wscResponse(2, 9, 0, 'm', '1'), out: failure(2)}}},
		{name: "WSC_FRAG_ACK of nothing ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: wscResponse(2, opFragAck, 0), out: failure(2)}}},
		{name: "an op code that does not fit the message ends the run", done: true, aborted: true,
			turns: []turn{identified,
				{in: wscResponse(2, opMsg, 0, ackMessage...), out: failure(2)}}},
		{name: "the identity is asked six times", done: true, timedOut: true, turns: []turn{
			{timeout: true, after: 3 * second, out: request(1, methodIdentity)},
			{timeout: true, after: 6 * second, out: request(1, methodIdentity)},
			{timeout: true, after: 12 * second, out: request(1, methodIdentity)},
			{timeout: true, after: 20 * second, out: request(1, methodIdentity)},
			{timeout: true, after: 20 * second, out: request(1, methodIdentity)},
			{timeout: true, after: 20 * second, out: failure(1)}}},
		{name: "a message is sent three times", done: true, timedOut: true, aborted: true,
			turns: []turn{identified,
				{timeout: true, after: 5 * second, out: start},
				{timeout: true, after: 5 * second, out: start},
				{timeout: true, after: 5 * second, out: failure(2)}}},
		{name: "the machine inside runs out of time and has a last word", limit: 2 * second,
			done: true, aborted: true,
			turns: []turn{identified, {timeout: true, after: 2 * second,
				out: wscRequest(3, opNack, 0, nackMessage...)}, {in: wscResponse(3, opNack, 0,
				nackMessage...), out: failure(3)}}},

		{name: "a message in two fragments is put together",
			turns: []turn{identified, {in: wscResponse(2, opMsg, flagMore|flagLength, 0, 2, 'm'),
				out: wscRequest(3, opFragAck, 0)}, {in: wscResponse(3, opMsg, 0,
				'1'), out: wscRequest(4, opMsg, 0, 'm', '2')}}},
		{name: "a first fragment without the length ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: wscResponse(2, opMsg, flagMore, 'm'), out: failure(2)}}},
		{name: "a length that cannot be is ignored",
			turns: []turn{identified, hear(wscResponse(2, opMsg, flagMore|flagLength, 0, 1, 'm',
				'1')), hear(wscResponse(2, opMsg, flagMore|flagLength, 0xff, 0xff, 'm')), toM2}},
		{name: "another op code in the middle ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: wscResponse(2, opMsg, flagMore|flagLength, 0, 2, 'm'),
				out: wscRequest(3, opFragAck, 0)}, {in: wscResponse(3, opAck, 0,
				'1'), out: failure(3)}}},
		{name: "more data than announced ends the run", done: true, aborted: true,
			turns: []turn{identified, {in: wscResponse(2, opMsg, flagMore|flagLength, 0, 2, 'm'),
				out: wscRequest(3, opFragAck, 0)}, {in: wscResponse(3, opMsg, 0, '1',
				'2'), out: failure(3)}}},
		{name: "our fragments wait for WSC_FRAG_ACK", size: 16,
			talk: messages("m1", strings.Repeat("a", 12)+"bcd", "m3"),
			turns: []turn{identified, {in: toM2.in,
				out: wscRequest(3, opMsg, flagMore|flagLength,
					append([]byte{0, 15}, strings.Repeat("a", 12)...)...)},
				{in: wscResponse(3, opFragAck, 0), out: wscRequest(4, opMsg, 0, 'b', 'c', 'd')}}},
		{name: "anything else in its place ends the run", size: 16,
			talk: messages("m1", strings.Repeat("a", 12)+"bcd", "m3"), done: true, aborted: true,
			turns: []turn{identified, {in: toM2.in,
				out: wscRequest(3, opMsg, flagMore|flagLength,
					append([]byte{0, 15}, strings.Repeat("a", 12)...)...)},
				{in: wscResponse(3, opMsg, 0, 'm', '3'), out: failure(3)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.talk == nil {
				c.talk = messages("m1", "m2", "m3")
			}
			inner := &talker{talk: c.talk, lastly: nackMessage, limit: c.limit}
			server := NewServer(ServerConfig{FragmentSize: c.size,
				Inner: func(identity string) engine.Machine {
					inner.begins = identity == IdentityRegistrar
					if identity != IdentityRegistrar && identity != IdentityEnrollee {
						return nil
					}
					return inner
				}})
			s := play(t, server, c.turns)
			if s.Done != c.done || inner.complete() != c.complete || inner.aborted != c.aborted ||
				server.TimedOut() != c.timedOut {
				t.Errorf("done %v, complete %v, aborted %v, timed out %v", s.Done, inner.complete(),
					inner.aborted, server.TimedOut())
			}
		})
	}
}

func TestServerAbort(t *testing.T) {
	t.Parallel()
	inner := &talker{talk: messages("m1", "m2", "m3"), lastly: nackMessage}
	server := NewServer(ServerConfig{Inner: func(string) engine.Machine { return inner }})
	play(t, server, []turn{{in: response(1, methodIdentity, []byte(IdentityEnrollee)...),
		out: wscRequest(2, opStart, 0)}})
	s := server.Abort(epoch)
	want := append(wscRequest(3, opNack, 0, nackMessage...), newResult(codeFailure, 3)...)
	if !s.Done || !bytes.Equal(bytes.Join(s.Send, nil), want) ||
		server.Identity() != IdentityEnrollee {
		t.Errorf("got %+v", s)
	}
	if s := server.Abort(epoch); !s.Done || len(s.Send) != 0 {
		t.Errorf("a second time: %+v", s)
	}
}
