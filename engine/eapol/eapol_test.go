package eapol

import (
	"bytes"
	"testing"
	"time"

	"wpsd/engine"
	"wpsd/engine/enginetest"
)

var epoch = enginetest.Epoch

// echo is a machine inside: it answers the packet "ask" with "answer", ends with "end", ignores the
// rest, and notes what it gets.
type echo struct {
	starts  bool // it speaks first
	got     []string
	limit   time.Duration
	aborted bool
	done    bool
}

func (e *echo) step(now time.Time, send ...string) engine.Step {
	s := engine.Step{Done: e.done}
	for _, p := range send {
		s.Send = append(s.Send, []byte(p))
	}
	if e.limit > 0 && !e.done {
		s.Deadline = now.Add(e.limit)
	}
	return s
}

func (e *echo) Start(now time.Time) engine.Step {
	if e.starts {
		return e.step(now, "ask")
	}
	return e.step(now)
}

func (e *echo) Handle(now time.Time, frame []byte) engine.Step {
	e.got = append(e.got, string(frame))
	switch string(frame) {
	case "ask":
		return e.step(now, "answer")
	case "end":
		e.done = true
		return e.step(now, "last")
	}
	return e.step(now)
}

func (e *echo) Timeout(now time.Time) engine.Step {
	e.got = append(e.got, "timeout")
	return e.step(now)
}

func (e *echo) Abort(now time.Time) engine.Step {
	e.aborted, e.done = !e.done, true
	return e.step(now)
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		frame string
		typ   packetType
		body  string
		ok    bool
	}{
		{"an EAP packet", "\x01\x00\x00\x05\x01\x07\x00\x05\x01", typeEAP,
			"\x01\x07\x00\x05\x01", true},
		{"version 2 is read alike", "\x02\x00\x00\x05\x01\x07\x00\x05\x01", typeEAP,
			"\x01\x07\x00\x05\x01", true},
		{"version 255 is read alike", "\xff\x00\x00\x05\x01\x07\x00\x05\x01", typeEAP,
			"\x01\x07\x00\x05\x01", true},
		{"version 0 is none", "\x00\x00\x00\x05\x01\x07\x00\x05\x01", 0, "", false},
		{"padding of the link is dropped", "\x01\x00\x00\x05\x01\x07\x00\x05\x01\x00\x00\x00",
			typeEAP, "\x01\x07\x00\x05\x01", true},
		{"a length beyond the frame is no frame", "\x01\x00\x00\x06\x01\x07\x00\x05\x01",
			0, "", false},
		{"a length shorter than the EAP packet's is wrong (Buffalo WHR-G125)",
			"\x01\x00\x00\x01\x01\x07\x00\x05\x01", typeEAP, "\x01\x07\x00\x05\x01", true},
		{"unless the EAP packet's is beyond the frame", "\x01\x00\x00\x04\x01\x07\x00\x06\x01",
			typeEAP, "\x01\x07\x00\x06", true},
		{"EAPOL-Start has no body", "\x01\x01\x00\x00", typeStart, "", true},
		{"a header cut short is none", "\x01\x00\x00", 0, "", false},
		{"nothing is none", "", 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			typ, body, ok := parse([]byte(c.frame))
			if typ != c.typ || string(body) != c.body || ok != c.ok {
				t.Errorf("got %v %q %v", typ, body, ok)
			}
		})
	}
}

func eap(body string) []byte { return newFrame(2, typeEAP, []byte(body)) }

func TestSupplicantAsksAccessPointToBegin(t *testing.T) {
	t.Parallel()
	inner := &echo{}
	s := NewSupplicant(SupplicantConfig{Inner: inner, StartDelay: time.Second})
	now := epoch
	step := s.Start(now)
	for i, wait := range []time.Duration{time.Second, 30 * time.Second, 30 * time.Second} {
		if len(step.Send) != 0 && i == 0 || step.Done || !step.Deadline.Equal(now.Add(wait)) {
			t.Fatalf("%d: %+v", i, step)
		}
		if early := s.Timeout(now); len(early.Send) != 0 {
			t.Fatalf("%d: sent too early", i)
		}
		now = now.Add(wait)
		step = s.Timeout(now)
		if len(step.Send) != 1 || string(step.Send[0]) != "\x01\x01\x00\x00" {
			t.Fatalf("%d: want EAPOL-Start, got %q", i, step.Send)
		}
	}
	step = s.Timeout(now.Add(30 * time.Second))
	if !step.Done || !s.TimedOut() || !inner.aborted || len(step.Send) != 0 {
		t.Errorf("no end after three times: %+v", step)
	}
}

func TestSupplicant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		frames []string
		sent   []string
		got    []string
		asks   bool // it still says EAPOL-Start
		done   bool
	}{
		{"an answered request cancels EAPOL-Start", []string{string(eap("ask"))},
			[]string{"\x01\x00\x00\x06answer"}, []string{"ask"}, false, false},
		{"an ignored packet does not", []string{string(eap("noise"))}, nil, []string{"noise"},
			true, false},
		{"a key frame is ignored", []string{"\x02\x03\x00\x03ask"}, nil, nil, true, false},
		{"EAPOL-Start of another station is ignored", []string{"\x02\x01\x00\x00"}, nil, nil,
			true, false},
		{"a damaged frame is ignored", []string{"\x02\x00\x00\xffask"}, nil, nil, true, false},
		{"the end of the machine inside is the end",
			[]string{string(eap("end")), string(eap("ask"))}, []string{"\x01\x00\x00\x04last"},
			[]string{"end"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inner := &echo{}
			s := NewSupplicant(SupplicantConfig{Inner: inner})
			step := s.Start(epoch)
			var sent [][]byte
			for _, f := range c.frames {
				step = s.Handle(epoch, []byte(f))
				sent = append(sent, step.Send...)
			}
			if want := bytesOf(c.sent); !equal(sent, want) {
				t.Errorf("sent %q, want %q", sent, want)
			}
			if !equal(bytesOf(inner.got), bytesOf(c.got)) {
				t.Errorf("inside got %q, want %q", inner.got, c.got)
			}
			if asks := step.Deadline.Equal(epoch.Add(2 * time.Second)); asks != c.asks ||
				step.Done != c.done {
				t.Errorf("asks %v, done %v", asks, step.Done)
			}
		})
	}
}

func TestSupplicantPassesTimeoutsOn(t *testing.T) {
	t.Parallel()
	inner := &echo{limit: 500 * time.Millisecond}
	s := NewSupplicant(SupplicantConfig{Inner: inner})
	step := s.Start(epoch)
	if !step.Deadline.Equal(epoch.Add(500 * time.Millisecond)) {
		t.Fatalf("deadline %v", step.Deadline)
	}
	if s.Timeout(epoch.Add(100 * time.Millisecond)); len(inner.got) != 0 {
		t.Error("too early")
	}
	if s.Timeout(epoch.Add(500 * time.Millisecond)); len(inner.got) != 1 {
		t.Error("not passed on")
	}
	inner.limit = 30 * time.Second
	// Both at once: the machine inside and EAPOL-Start.
	step = s.Timeout(epoch.Add(5 * time.Second))
	if len(step.Send) != 1 || len(inner.got) != 2 {
		t.Errorf("sent %q, inside got %q", step.Send, inner.got)
	}
}

func TestAuthenticator(t *testing.T) {
	t.Parallel()
	const ask, start, logoff = "\x02\x00\x00\x03ask", "\x01\x01\x00\x00", "\x01\x02\x00\x00"
	for _, c := range []struct {
		name   string
		wait   bool
		frames []string
		sent   []string
		done   bool
	}{
		{"a station of version 2.0 is asked at once", false, nil, []string{ask}, false},
		{"another one after EAPOL-Start", true, []string{start}, []string{ask}, false},
		{"and not before", true, []string{"\x01\x00\x00\x03end"}, nil, false},
		{"EAPOL-Start again is ignored", false, []string{start, start}, []string{ask}, false},
		{"packets are passed on", false, []string{"\x01\x00\x00\x03end"},
			[]string{ask, "\x02\x00\x00\x04last"}, true},
		{"EAPOL-Logoff is the end", false, []string{logoff}, []string{ask}, true},
		{"and silence follows it", false, []string{logoff, start, "\x01\x00\x00\x03end"},
			[]string{ask}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := NewAuthenticator(AuthenticatorConfig{Inner: &echo{starts: true},
				WaitForStart: c.wait})
			step := a.Start(epoch)
			sent := step.Send
			for _, f := range c.frames {
				step = a.Handle(epoch, []byte(f))
				sent = append(sent, step.Send...)
			}
			if want := bytesOf(c.sent); !equal(sent, want) || step.Done != c.done {
				t.Errorf("sent %q, done %v; want %q, %v", sent, step.Done, want, c.done)
			}
		})
	}
}

func TestMachines(t *testing.T) {
	t.Parallel()
	frames := [][]byte{eap("ask"), eap("end"), eap("noise"), {1, 1, 0, 0}, {1, 2, 0, 0},
		{2, 3, 0, 1, 0}}
	t.Run("Supplicant", func(t *testing.T) {
		t.Parallel()
		enginetest.TestMachine(t, func(*testing.T) engine.Machine {
			return NewSupplicant(SupplicantConfig{Inner: &echo{limit: 3 * time.Second}})
		}, frames)
	})
	t.Run("Authenticator", func(t *testing.T) {
		t.Parallel()
		enginetest.TestMachine(t, func(*testing.T) engine.Machine {
			return NewAuthenticator(AuthenticatorConfig{Inner: &echo{starts: true,
				limit: 3 * time.Second}})
		}, frames)
	})
}

// FuzzParse: what is parsed is a part of the frame, and making a frame of it parses to the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"\x01\x00\x00\x05\x01\x07\x00\x05\x01",
		"\x01\x00\x00\x01\x01\x07\x00\x05\x01", "\x01\x01\x00\x00", "\x02\x03\x00\x02ab", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, body, ok := parse(b)
		if !ok {
			return
		}
		again := newFrame(b[0], typ, body)
		typ2, body2, ok := parse(again)
		if !ok || typ2 != typ || !bytes.Equal(body2, body) ||
			!bytes.HasPrefix(b[headerLen:], body) {
			t.Errorf("%x is %v %x, which is made into %x", b, typ, body, again)
		}
	})
}

// FuzzSupplicant and FuzzAuthenticator make calls that the input says and check every Step: a byte
// for when and what, a byte for the length of a frame, the frame.
func FuzzSupplicant(f *testing.F) {
	f.Add([]byte("\x00\x07\x02\x00\x00\x03ask\x0d\xff\x00\x07\x02\x00\x00\x03end"))
	f.Fuzz(func(t *testing.T, input []byte) {
		runOps(t, NewSupplicant(SupplicantConfig{Inner: &echo{limit: 3 * time.Second}}), input)
	})
}

func FuzzAuthenticator(f *testing.F) {
	f.Add([]byte("\x00\x04\x01\x01\x00\x00\x00\x07\x02\x00\x00\x03ask\x0d\x00\x04\x01\x02\x00\x00"))
	f.Fuzz(func(t *testing.T, input []byte) {
		runOps(t, NewAuthenticator(AuthenticatorConfig{Inner: &echo{starts: true},
			WaitForStart: len(input)%2 == 0}), input)
	})
}

func runOps(t *testing.T, m engine.Machine, input []byte) {
	now, done := epoch, false
	check := func(s engine.Step) {
		if done && (len(s.Send) > 0 || !s.Done) || s.Done && !s.Deadline.IsZero() ||
			!s.Deadline.IsZero() && s.Deadline.Before(now) {
			t.Fatalf("done %v, then %+v at %v", done, s, now)
		}
		for _, f := range s.Send {
			if _, _, ok := parse(f); !ok {
				t.Fatalf("sends %x, which is no frame", f)
			}
		}
		done = s.Done
	}
	check(m.Start(now))
	for len(input) > 1 {
		what := input[0] & 3
		now = now.Add(time.Duration(input[0]>>2) * time.Second)
		n := min(int(input[1]), len(input)-2)
		switch what {
		case 1:
			n = -1
			check(m.Timeout(now))
		case 2:
			n = -1
			check(m.Abort(now))
		default:
			check(m.Handle(now, input[2:2+n]))
		}
		input = input[2+n:]
	}
}

func bytesOf(text []string) [][]byte {
	var b [][]byte
	for _, s := range text {
		b = append(b, []byte(s))
	}
	return b
}

func equal(a, b [][]byte) bool {
	return bytes.Equal(bytes.Join(a, []byte{0, 0xff}), bytes.Join(b, []byte{0, 0xff})) &&
		len(a) == len(b)
}
