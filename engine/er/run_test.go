package er

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

var (
	phone  = wsc.MAC{2, 0, 0, 1, 0, 1}
	tablet = wsc.MAC{2, 0, 0, 1, 0, 2}
)

// learn begins to learn an access point with a PIN.
func (w *world) learn(p *fakeAP, text string) RunID {
	w.t.Helper()
	run, actions, err := w.r.Learn(w.now, p.id(), pin(text))
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(actions)
	return run
}

func TestLearn(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.did()
	w.told()
	run := w.learn(aps[0], "12345670")
	e := w.mustEnd(run)
	if e.Err != nil || string(e.Settings.SSID) != "net" ||
		string(e.Settings.NetworkKey.Bytes()) != "old passphrase" || e.Peer != aps[0].mac ||
		e.AP != aps[0].id() {
		t.Fatalf("%+v", e)
	}
	if ap, err := w.r.FindAP(Name{UUID: wsc.UUID{}, BSSID: aps[0].mac}); err != nil ||
		!ap.HasSettings {
		t.Errorf("%+v, %v: the settings are not kept", ap, err)
	}
	if err := aps[0].enrollee.Outcome().Err; !errors.Is(err, registration.ErrNack) {
		t.Errorf("the access point did not get the NACK that ends the run: %v", err)
	}
	w.wantDid("10.0.0.1 GetDeviceInfo", "10.0.0.1 PutMessage", "10.0.0.1 PutMessage",
		"10.0.0.1 PutMessage", "10.0.0.1 PutMessage")
	w.wantTold("run 1: M1", "run 1: M2", "run 1: M3", "run 1: M4", "run 1: M5", "run 1: M6",
		"run 1: M7", "run 1: WSC_NACK",
		"AP 10.0.0.1 changed", "run 1 ended: <nil>")
	e.Settings.Wipe()
	if c, ok := w.r.Settings(e.AP); !ok || string(c.NetworkKey.Bytes()) != "old passphrase" {
		t.Error("what was told and what is kept share a secret")
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]wsc.State{"a configured one": wsc.Configured,
		"one from the factory": wsc.NotConfigured} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.newAP(1)
			p.state = state
			w.do(w.r.Start(w.now, w.r.only))
			run, actions, err := w.r.Configure(w.now, p.id(), pin("12345670"),
				network("new", "new passphrase"))
			if err != nil {
				t.Fatal(err)
			}
			w.do(actions)
			e := w.mustEnd(run)
			if e.Err != nil || string(e.Settings.SSID) != "new" || e.Settings.MAC != p.mac {
				t.Fatalf("%+v", e)
			}
			got := p.enrollee.Outcome().APSettings
			if got == nil || string(got.SSID) != "new" ||
				string(got.NetworkKey.Bytes()) != "new passphrase" {
				t.Errorf("the access point has %+v", got)
			}
			if ap := w.r.APs()[0]; ap.Device.State != wsc.Configured || !ap.HasSettings {
				t.Errorf("%+v", ap)
			}
			_, actions, err = w.r.AllowPIN(w.now, PINGrant{PIN: pin("12345670").Value})
			if err != nil {
				t.Fatal(err)
			}
			w.do(actions)
			if s := p.join(phone, pin("12345670")); s.got() != "new/new passphrase" {
				t.Errorf("an Enrollee gets %q afterwards", s.got())
			}
		})
	}
}

func TestHowRunsWithAccessPointsFail(t *testing.T) {
	t.Parallel()
	// at replaces answer number n (from 1) to PutMessage; n 0: that to GetDeviceInfo.
	at := func(n int, resp upnp.Response, err error) func(p *fakeAP) {
		return func(p *fakeAP) {
			seen := 0
			p.wrong = func(name string, _ upnp.Request) (upnp.Response, error, bool) {
				if name == "PutMessage" {
					seen++
					return resp, err, n > 0 && seen == n
				}
				return resp, err, name == "GetDeviceInfo" && n == 0
			}
		}
	}
	fault := &upnp.Fault{Status: 500, Code: 501}
	answer := func(m []byte) upnp.Response {
		return upnp.Response{Status: 200, Body: upnp.PutMessage.AppendReply(nil, m)}
	}
	refused := upnp.Response{Status: 500, Body: fault.Append(nil)}
	gone := errors.New("connection reset")
	cases := []struct {
		name string
		pin  string
		set  func(p *fakeAP)
		want error
		half int
	}{
		{name: "a wrong first half", pin: "99995670", want: registration.ErrPassword, half: 1},
		{name: "a wrong second half", pin: "12349999", want: registration.ErrPassword, half: 2},
		{name: "it is off", pin: "12345670", set: func(p *fakeAP) { p.up = false },
			want: ErrUnreachable},
		{name: "it goes off after M4", pin: "12345670", set: at(2, upnp.Response{}, gone),
			want: ErrUnreachable},
		{name: "it says nothing to M2", pin: "12345670", set: at(1, answer(nil), nil),
			want: ErrNonsense},
		{name: "it answers noise", pin: "12345670", set: at(2, answer([]byte{1, 2, 3}), nil),
			want: ErrNonsense},
		{name: "it answers with M1 again and again", pin: "12345670",
			set: at(1, answer((&wsc.M1{}).Append(nil)), nil), want: ErrNonsense},
		{name: "it answers something that is no SOAP", pin: "12345670",
			set:  at(1, upnp.Response{Status: 200, Body: []byte("<html>")}, nil),
			want: upnp.ErrSyntax},
		{name: "it gives no M1", pin: "12345670",
			set: at(0, upnp.Response{Status: 200,
				Body: upnp.GetDeviceInfo.AppendReply(nil,
					[]byte{1})}, nil), want: wsc.ErrTruncated},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, aps := start(t, 1)
			if c.set != nil {
				c.set(aps[0])
			}
			forgets := w.watchKeys()
			e := w.mustEnd(w.learn(aps[0], c.pin))
			forgets()
			if !errors.Is(e.Err, c.want) || e.Settings != nil {
				t.Fatalf("%v, settings %v", e.Err, e.Settings)
			}
			if re := (*registration.Error)(nil); errors.As(e.Err, &re) && re.Half != c.half {
				t.Errorf("half %d", re.Half)
			}
			if w.r.APs() != nil && w.r.APs()[0].HasSettings {
				t.Error("settings are kept")
			}
		})
	}
	t.Run("it refuses", func(t *testing.T) {
		t.Parallel()
		for n := range 4 {
			w, aps := start(t, 1)
			at(n, refused, nil)(aps[0])
			e := w.mustEnd(w.learn(aps[0], "12345670"))
			if f := (*upnp.Fault)(nil); !errors.As(e.Err, &f) || f.Code != 501 {
				t.Errorf("answer %d: %v", n, e.Err)
			}
			w.wait(time.Minute)
			if len(w.r.APs()) != 1 {
				t.Error("a refusal costs the access point its place")
			}
		}
	})
}

func TestALostRequestBeforeM4BeginsTheRunAgainOnce(t *testing.T) {
	t.Parallel()
	for lost, want := range map[int]error{1: nil, 2: ErrUnreachable} {
		w, aps := start(t, 1)
		n := 0
		aps[0].wrong = func(name string, _ upnp.Request) (upnp.Response, error, bool) {
			if name == "PutMessage" {
				n++
			}
			return upnp.Response{}, errors.New("reset"), name == "PutMessage" && n <= lost
		}
		forgets := w.watchKeys()
		defer forgets()
		if e := w.mustEnd(w.learn(aps[0], "12345670")); !errors.Is(e.Err, want) {
			t.Errorf("%d lost: %v", lost, e.Err)
		}
	}
}

func TestOneRunWithAnAccessPointAtATime(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	w.hold = true
	first := w.learn(aps[0], "12345670")
	if _, _, err := w.r.Learn(w.now, aps[0].id(), pin("12345670")); !errors.Is(err, ErrBusy) {
		t.Errorf("another one: %v", err)
	}
	second := w.learn(aps[1], "12345670")
	w.release()
	for _, run := range []RunID{first, second} {
		if e := w.mustEnd(run); e.Err != nil {
			t.Error(e.Err)
		}
	}
}

func TestCancelTellsTheAccessPoint(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.hold = true
	forgets := w.watchKeys()
	run := w.learn(aps[0], "12345670")
	w.answerOne() // GetDeviceInfo: M2 is under way now
	w.do(w.r.Cancel(w.now, run))
	if e := w.mustEnd(run); !errors.Is(e.Err, ErrCanceled) {
		t.Error(e.Err)
	}
	forgets()
	w.release()
	if err := aps[0].enrollee.Outcome().Err; !errors.Is(err, registration.ErrNack) {
		t.Errorf("the access point: %v", err)
	}
	w.do(w.r.Cancel(w.now, run))
	w.do(w.r.Cancel(w.now, 4711))
	if e := w.mustEnd(w.learn(aps[0], "12345670")); e.Err != nil {
		t.Errorf("the next one: %v", e.Err)
	}
}

// answerOne answers the oldest request that is held.
func (w *world) answerOne() {
	d := w.held[0]
	w.held = w.held[1:]
	w.answer(d)
	w.do(nil)
}

func TestAnAccessPointThatNeverAnswersEndsItsRun(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.hold = true
	run := w.learn(aps[0], "12345670")
	w.answerOne()
	w.wait(registration.MessageTimeout)
	if e := w.mustEnd(run); !errors.Is(e.Err, registration.ErrTimeout) {
		t.Error(e.Err)
	}
	w.do(w.r.Stop(w.now))
	w.release()
	if !w.r.Idle() {
		t.Error("something is left")
	}
}

func TestCommandsThatCannotBe(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	id := aps[0].id()
	check := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", name, err, want)
		}
	}
	_, _, err := w.r.Learn(w.now, 4711, pin("1"))
	check("an unknown access point", err, ErrUnknownAP)
	_, err = w.r.SetConfig(w.now, 4711, network("x", "y"))
	check("settings of an unknown access point", err, ErrUnknownAP)
	_, _, err = w.r.AllowPIN(w.now, PINGrant{PIN: pin("1").Value})
	check("a PIN without settings", err, ErrNoSettings)
	_, _, err = w.r.AllowPIN(w.now, PINGrant{PIN: pin("1").Value, AP: id})
	check("a PIN without settings of this access point", err, ErrNoSettings)
	_, _, err = w.r.AllowPBC(w.now, PBCGrant{AP: 4711})
	check("a button of an unknown access point", err, ErrUnknownAP)
	_, err = w.r.FindAP(Name{UUID: wsc.UUID{}})
	check("an access point without a name", err, ErrUnknownAP)
	w.do(w.r.Stop(w.now))
	_, _, err = w.r.Learn(w.now, id, pin("1"))
	check("learn after Stop", err, ErrNotRunning)
	_, _, err = w.r.AllowPIN(w.now, PINGrant{PIN: pin("1").Value})
	check("a PIN after Stop", err, ErrNotRunning)
	if w.r.Stop(w.now) != nil || w.r.Moved(w.now) != nil {
		t.Error("something is to be done after Stop")
	}
}

func TestSecretsAreNotInWhatIsTold(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.mustEnd(w.learn(aps[0], "12349999"))
	for _, text := range w.told() {
		if strings.Contains(text, "1234") || strings.Contains(text, "old passphrase") {
			t.Errorf("%q", text)
		}
	}
}

// TestSecondTryForgetsTheKeysOfTheFirst: a run that got no answer before M4 begins again with keys
// of its own.
func TestSecondTryForgetsTheKeysOfTheFirst(t *testing.T) {
	t.Parallel()
	w, _ := start(t, 1)
	forgets := w.watchKeys()
	settings := network("home", "correct horse")
	run := apRun{password: pin("12345670"), settings: &settings}
	if err := w.r.prepare(w.now, &run); err != nil {
		t.Fatal(err)
	}
	first := run.machine
	if err := w.r.prepare(w.now, &run); err != nil || run.machine == first {
		t.Fatalf("the second try has the machine of the first, %v", err)
	}
	run.machine.Abort(w.now)
	forgets()
}
