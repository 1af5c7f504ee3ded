package er

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// allow puts a grant in.
func (w *world) allow(g any) RunID {
	w.t.Helper()
	var (
		run     RunID
		actions []Action
		err     error
	)
	switch g := g.(type) {
	case PINGrant:
		run, actions, err = w.r.AllowPIN(w.now, g)
	case PBCGrant:
		run, actions, err = w.r.AllowPBC(w.now, g)
	case NFCGrant:
		run, actions, err = w.r.AllowNFC(w.now, g)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(actions)
	return run
}

// giving is a world with access points that have settings to give.
func giving(t testing.TB, n int) (*world, []*fakeAP) {
	w, aps := start(t, n)
	for _, p := range aps {
		w.give(p, "home")
	}
	w.did()
	w.told()
	return w, aps
}

const home = "home/correct horse"

func TestEnrolling(t *testing.T) {
	t.Parallel()
	right := pin("12345670").Value
	nfc, err := devpass.FromNFC(0x4711, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		grant  any
		who    wsc.MAC
		with   devpass.Password
		in     bool
		still  bool // the grant waits on
		err    error
		tells  bool // the second access point tells of it, too
		allows bool // what is told includes the phone
	}{
		{"a PIN for any", PINGrant{PIN: right}, phone, pin("12345670"), true, false, nil,
			true, true},
		{"a PIN by UUID", PINGrant{PIN: right, UUID: wsc.UUIDFromMAC(phone)}, phone,
			pin("12345670"), true, false, nil, true, true},
		{"a PIN by address", PINGrant{PIN: right, MAC: phone}, phone, pin("12345670"), true, false,
			nil, true, true},
		{"a PIN for another UUID", PINGrant{PIN: right, UUID: wsc.UUIDFromMAC(tablet)}, phone,
			pin("12345670"), false, true, nil, true, true},
		{"a PIN for another address", PINGrant{PIN: right, MAC: tablet}, phone, pin("12345670"),
			false, true, nil, true, false},
		{"a PIN at one access point", PINGrant{PIN: right, AP: 1}, phone, pin("12345670"), true,
			false, nil, false, true},
		{"a wrong first half", PINGrant{PIN: right}, phone, pin("99995670"), false, false,
			registration.ErrPassword, true, true},
		{"a wrong second half", PINGrant{PIN: right}, phone, pin("12349999"), false, false,
			registration.ErrPassword, true, true},
		{"a button for any", PBCGrant{}, phone, devpass.PushButton(), true, false, nil, true, true},
		{"a button at one access point", PBCGrant{AP: 1}, phone, devpass.PushButton(), true, false,
			nil, false, true},
		{"a button of one Enrollee that was not heard yet", PBCGrant{MAC: phone}, phone,
			devpass.PushButton(), true, false, nil, true, true},
		{"a button and a PIN", PBCGrant{}, phone, pin("12345670"), false, true, nil, true, true},
		{"a token", NFCGrant{Password: nfc}, phone, nfc, true, false, nil, true, true},
	}
	for _, c := range cases {
		for _, eventFirst := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				w, aps := giving(t, 2)
				aps[0].eventFirst = eventFirst
				run := w.allow(c.grant)
				if s := aps[0].selected; s == nil || s.Authorizes(phone) != c.allows ||
					s.UUID != w.r.device.UUID {
					t.Fatalf("the access point tells %+v", s)
				}
				if got := aps[1].selected != nil; got != c.tells {
					t.Errorf("the other one tells of it: %v", got)
				}
				s := aps[0].join(c.who, c.with)
				if got := s.got(); (got == home) != c.in || !c.in && got != "" {
					t.Errorf("got %q: %q", got, w.told())
				}
				e, over := w.ended(run)
				if over == c.still {
					t.Fatalf("over %v: %q", over, w.told())
				}
				if over && (!errors.Is(e.Err, c.err) || (e.Settings != nil) != c.in ||
					e.Peer != c.who) {
					t.Errorf("%+v", e)
				}
				if over && (aps[0].selected != nil || aps[1].selected != nil) {
					t.Error("it is told of what is over")
				}
				if over && aps[0].join(tablet, c.with).got() != "" {
					t.Error("another one got in with the same")
				}
			})
		}
	}
}

func TestAButtonIsToldAsOne(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	w.allow(PINGrant{PIN: pin("12345670").Value})
	if s := aps[0].selected; s.DevicePasswordID != wsc.PasswordIDDefault ||
		s.ConfigMethods&wsc.ConfigPushButton != 0 {
		t.Errorf("for a PIN: %+v", s)
	}
	w.allow(PBCGrant{AP: aps[0].id()})
	if s := aps[0].selected; s.DevicePasswordID != wsc.PasswordIDPushButton ||
		s.ConfigMethods&wsc.ConfigPushButton == 0 {
		t.Errorf("for a button: %+v", s)
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		does func(w *world, p *fakeAP) RunID
		want error
	}{
		{"two buttons before ours", func(w *world, p *fakeAP) RunID {
			p.probe(phone, wsc.PasswordIDPushButton)
			p.probe(tablet, wsc.PasswordIDPushButton)
			if _, _, err := w.r.AllowPBC(w.now, PBCGrant{MAC: phone}); !errors.Is(err, ErrOverlap) {
				w.t.Errorf("%v", err)
			}
			w.wait(admission.WalkTime)
			return w.allow(PBCGrant{})
		}, nil},
		{"another button after ours", func(w *world, p *fakeAP) RunID {
			run := w.allow(PBCGrant{})
			p.probe(tablet, wsc.PasswordIDPushButton)
			return run
		}, ErrOverlap},
		{"another button that some other access point hears", func(w *world, p *fakeAP) RunID {
			run := w.allow(PBCGrant{AP: p.id()})
			for _, other := range w.inOrder() {
				if other != p {
					other.probe(tablet, wsc.PasswordIDPushButton)
				}
			}
			return run
		}, nil},
		{"another one with a PIN", func(w *world, p *fakeAP) RunID {
			run := w.allow(PBCGrant{})
			p.probe(tablet, wsc.PasswordIDDefault)
			return run
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, aps := giving(t, 2)
			run := c.does(w, aps[0])
			s := aps[0].join(phone, devpass.PushButton())
			e := w.mustEnd(run)
			if !errors.Is(e.Err, c.want) || (s.got() == home) != (c.want == nil) {
				t.Errorf("%v, got %q", e.Err, s.got())
			}
		})
	}
}

func TestAnotherButtonInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	run := w.allow(PBCGrant{})
	aps[0].wrong = func(name string, _ upnp.Request) (upnp.Response, error, bool) {
		if name == "PutWLANResponse" && len(aps[0].stations) == 1 {
			aps[0].wrong = nil
			aps[0].probe(tablet, wsc.PasswordIDPushButton)
		}
		return upnp.Response{}, nil, false
	}
	s := aps[0].join(phone, devpass.PushButton())
	if e := w.mustEnd(run); !errors.Is(e.Err, ErrOverlap) || s.got() != "" {
		t.Errorf("%v, got %q", e.Err, s.got())
	}
	if err := s.machine.Outcome().Err; !errors.Is(err, registration.ErrOverlap) {
		t.Errorf("the station: %v", err)
	}
}

func TestGrantsExpire(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		grant any
		after time.Duration
	}{
		"a PIN": {PINGrant{PIN: pin("12345670").Value}, admission.PINTimeout},
		"a PIN for half a minute": {PINGrant{PIN: pin("12345670").Value, Timeout: 30 * time.Second},
			30 * time.Second},
		"a button": {PBCGrant{}, admission.WalkTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, aps := giving(t, 1)
			run := w.allow(c.grant)
			w.wait(c.after - time.Second)
			if aps[0].selected == nil {
				t.Error("not told any more before its time")
			}
			w.wait(time.Second)
			if e := w.mustEnd(run); !errors.Is(e.Err, ErrExpired) || aps[0].selected != nil {
				t.Errorf("%v, still selected: %v", e.Err, aps[0].selected != nil)
			}
		})
	}
}

func TestSelectedRegistrarIsRepeated(t *testing.T) {
	t.Parallel()
	w, _ := giving(t, 1)
	w.allow(PINGrant{PIN: pin("12345670").Value, Timeout: 290 * time.Second})
	w.wait(5 * time.Minute)
	// At once, after 100 s and 200 s, and when it is over.
	w.wantDid("10.0.0.1 SetSelectedRegistrar", "10.0.0.1 SetSelectedRegistrar",
		"10.0.0.1 SetSelectedRegistrar", "10.0.0.1 SetSelectedRegistrar")
	var got []APAsked
	for _, e := range w.asked {
		e.AP = AP{}
		got = append(got, e)
	}
	pin := APAsked{State: AskSent, Selected: true, Methods: 0x2788 &^ anyButton}
	nobody, taken := APAsked{State: AskSent}, APAsked{State: AskTaken}
	if want := []APAsked{pin, taken, pin, taken, pin, taken, nobody, taken}; !slices.EqualFunc(got,
		want, func(a, b APAsked) bool { return reflect.DeepEqual(a, b) }) {
		t.Errorf("told %v", got)
	}
}

func TestAnAccessPointThatForgotUsIsSubscribedToAndToldAgain(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	aps[0].sid = ""
	w.allow(PINGrant{PIN: pin("12345670").Value})
	w.wait(10 * time.Second)
	if first := w.asked[1]; first.State != AskRefused || w.asked[len(w.asked)-1].State != AskTaken {
		t.Errorf("told %v", w.asked)
	}
	if aps[0].sid == "" || aps[0].selected == nil {
		t.Errorf("subscribed %q, selected %v: %q", aps[0].sid, aps[0].selected, w.did())
	}
}

func TestAnAccessPointThatComesLaterIsToldOfAGrant(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	run := w.allow(PINGrant{PIN: pin("12345670").Value})
	aps[0].restart()
	if aps[0].selected == nil {
		t.Error("after a restart: not told")
	}
	later := w.newAP(2)
	later.announce(upnp.Alive)
	w.give(later, "other")
	if later.selected == nil {
		t.Error("a new one: not told")
	}
	if s := later.join(phone, pin("12345670")); s.got() != "other/correct horse" ||
		w.mustEnd(run).Err != nil {
		t.Errorf("got %q", s.got())
	}
}

func TestCancelAGrantInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	run := w.allow(PINGrant{PIN: pin("12345670").Value})
	w.hold = true
	s := aps[0].join(phone, pin("12345670"))
	w.do(w.r.Cancel(w.now, run))
	if e := w.mustEnd(run); !errors.Is(e.Err, ErrCanceled) || e.Peer != phone {
		t.Errorf("%+v", e)
	}
	w.release()
	if s.got() != "" || aps[0].selected != nil {
		t.Errorf("got %q, selected %v", s.got(), aps[0].selected)
	}
}

func TestAPINIsNotShownAgainAndAgain(t *testing.T) {
	t.Parallel()
	// Each time another Enrollee comes and goes silent after so many messages of ours: 1 is M2, 2
	// is M4, 3 is M6, 4 is M8.
	for deaf, tries := range map[int]int{1: 6, 2: 2, 3: 1, 4: 1} {
		w, aps := giving(t, 1)
		run := w.allow(PINGrant{PIN: pin("12345670").Value, Timeout: time.Hour})
		for i := range 6 {
			_, over := w.ended(run)
			if over != (i >= tries) {
				t.Errorf("silent after %d messages, %d tries: over %v", deaf, i, over)
			}
			aps[0].joinDeaf(wsc.MAC{2, 0, 0, 3, 0, byte(i)}, pin("12345670"), deaf)
			w.wait(2 * registration.MessageTimeout)
		}
		if e, over := w.ended(run); over && !errors.Is(e.Err, ErrLocked) {
			t.Errorf("silent after %d messages: %v", deaf, e.Err)
		}
	}
}

func TestAStationThatBeginsAnew(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	run := w.allow(PINGrant{PIN: pin("12345670").Value})
	w.hold = true
	aps[0].join(phone, pin("12345670"))
	second := aps[0].join(phone, pin("12345670"))
	w.release()
	if second.got() != home || w.mustEnd(run).Err != nil {
		t.Errorf("got %q: %q", second.got(), w.told())
	}
}

func TestWithoutSettingsNobodyIsLetIn(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	w.give(aps[0], "home")
	run := w.allow(PINGrant{PIN: pin("12345670").Value})
	w.did()
	if s := aps[1].join(phone, pin("12345670")); s.got() != "" {
		t.Errorf("got %q", s.got())
	}
	w.wantDid()
	if _, over := w.ended(run); over {
		t.Error("the grant is over")
	}
}

func TestATokenWithAnotherKey(t *testing.T) {
	t.Parallel()
	nfc, err := devpass.FromNFC(0x4711, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := wsccrypto.GenerateKeyPair(bytes.NewReader(bytes.Repeat([]byte{5}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	w, aps := giving(t, 1)
	hash := wsccrypto.PublicKeyHash(pair.Public())
	run := w.allow(NFCGrant{Password: nfc, KeyHash: &hash})
	if s := aps[0].join(phone, nfc); s.got() != "" || !errors.Is(w.mustEnd(run).Err, ErrKeyHash) {
		t.Errorf("got %q: %q", s.got(), w.told())
	}
}

func TestANewerGrantReplacesAnOlder(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	old := w.allow(PINGrant{PIN: pin("11111111").Value})
	w.allow(PINGrant{PIN: pin("12345670").Value})
	if e := w.mustEnd(old); !errors.Is(e.Err, ErrReplaced) {
		t.Error(e.Err)
	}
	if s := aps[0].join(phone, pin("12345670")); s.got() != home {
		t.Errorf("got %q", s.got())
	}
}

func TestAnAccessPointThatRefusesToPassOn(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	run := w.allow(PINGrant{PIN: pin("12345670").Value})
	aps[0].wrong = func(name string, _ upnp.Request) (upnp.Response, error, bool) {
		return upnp.Response{}, errors.New("reset"), name == "PutWLANResponse"
	}
	aps[0].join(phone, pin("12345670"))
	if _, over := w.ended(run); over || len(w.r.aps[aps[0].id()].stations) != 0 {
		t.Error("the PIN was never shown, but is over; or the run goes on")
	}
	aps[0].wrong = nil
	if s := aps[0].join(tablet, pin("12345670")); s.got() != home {
		t.Errorf("got %q", s.got())
	}
}
