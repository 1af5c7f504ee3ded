package dbus

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/outcome"
)

// desktop is the user of these tests.
const desktop = 100_042

// fakePolkit is a polkitd on the bus. decide answers for it; it may take its time.
type fakePolkit struct {
	w      *world
	conn   *godbus.Conn
	decide func(q question) (polkitAnswer, *godbus.Error)

	mu       sync.Mutex
	asked    []question
	canceled []string
}

// question is one CheckAuthorization.
type question struct {
	Subject, Action string
	Details         map[string]string
	Interactive     bool
	Cancellation    string
}

// text is the question without what is different each time.
func (q question) text() string {
	return fmt.Sprintf("%s %v %v", q.Action, q.Details, q.Interactive)
}

// polkit starts a polkitd.
func (w *world) polkit(decide func(q question) (polkitAnswer, *godbus.Error)) *fakePolkit {
	w.t.Helper()
	p := &fakePolkit{w: w, decide: decide}
	p.start()
	return p
}

// start takes the name; after stop it is a new process.
func (p *fakePolkit) start() {
	p.w.t.Helper()
	conn, err := p.w.bus.Connect(0)
	if err != nil {
		p.w.t.Fatal(err)
	}
	methods := map[string]any{"CheckAuthorization": p.check, "CancelCheckAuthorization": p.cancel}
	if err := conn.ExportMethodTable(methods, polkitPath, polkitIface); err != nil {
		p.w.t.Fatal(err)
	}
	if got, err := conn.RequestName(polkitName, godbus.NameFlagDoNotQueue); err != nil ||
		got != godbus.RequestNameReplyPrimaryOwner {
		p.w.t.Fatal(got, err)
	}
	p.conn = conn
}

func (p *fakePolkit) check(s polkitSubject, action string, details map[string]string, flags uint32,
	id string) (polkitAnswer, *godbus.Error) {
	q := question{Action: action, Details: details, Interactive: flags == allowUserInteraction,
		Cancellation: id}
	q.Subject, _ = s.Details["name"].Value().(string)
	if s.Kind != "system-bus-name" || flags&^allowUserInteraction != 0 {
		p.w.t.Errorf("polkit is asked about a %s, with the flags %d", s.Kind, flags)
	}
	p.mu.Lock()
	p.asked = append(p.asked, q)
	p.mu.Unlock()
	return p.decide(q)
}

func (p *fakePolkit) cancel(id string) *godbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.canceled = append(p.canceled, id)
	return nil
}

// questions are those so far, as text.
func (p *fakePolkit) questions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := []string{}
	for _, q := range p.asked {
		list = append(list, q.text())
	}
	return list
}

// open are the questions that were not canceled.
func (p *fakePolkit) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, q := range p.asked {
		if !slices.Contains(p.canceled, q.Cancellation) {
			n++
		}
	}
	return n
}

// withPolkit runs a test in a bubble with a Server that asks polkit. There is none before the test
// starts one.
func withPolkit(t *testing.T, test func(w *world, auth *Polkit)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.svc.answer = w.svc.pretend // who may is the question here
		auth := w.startPolkit()
		synctest.Wait()
		test(w, auth)
		w.stop()
		if len(auth.questions)+len(auth.dialogs) != 0 {
			t.Errorf("still counted: %v, %v", auth.questions, auth.dialogs)
		}
	})
}

// ask calls StartPbc, with the flag or without, and gives the name of the error.
func (c *client) ask(flags godbus.Flags) string {
	c.w.t.Helper()
	call := c.send(flags, wlan0, interfaceIface, "StartPbc", options("detach", true))
	return c.errorName(call)
}

// errorName is the name of a call's error without our prefix, and checks that a sentence comes with
// it.
func (c *client) errorName(call *godbus.Call) string {
	c.w.t.Helper()
	if call.Err == nil {
		return ""
	}
	var e godbus.Error
	if !errors.As(call.Err, &e) || !isSentence(e.Error()) {
		c.w.t.Errorf("%v", call.Err)
	}
	return strings.TrimPrefix(e.Name, errorPrefix)
}

// TestPolkitDecides: each answer of polkit's has its name, and only a yes starts something.
func TestPolkitDecides(t *testing.T) {
	t.Parallel()
	const interactive = godbus.FlagAllowInteractiveAuthorization
	dismissed := map[string]string{"polkit.dismissed": "true"}
	for _, c := range []struct {
		name   string
		flags  godbus.Flags
		silent polkitAnswer // without a dialog
		dialog polkitAnswer // with one
		fail   *godbus.Error
		want   string
		asks   int
	}{
		{name: "yes", silent: polkitAnswer{Authorized: true}, asks: 1},
		{name: "yes to somebody who would wait for a dialog", flags: interactive,
			silent: polkitAnswer{Authorized: true}, asks: 1},
		{name: "no", want: "NotAuthorized", asks: 1},
		{name: "no, and no dialog would help", flags: interactive, want: "NotAuthorized", asks: 1},
		{name: "a password is needed and the caller allowed no dialog",
			silent: polkitAnswer{Challenge: true}, want: outcome.NameInteractive, asks: 1},
		{name: "the password was right", flags: interactive, silent: polkitAnswer{Challenge: true},
			dialog: polkitAnswer{Authorized: true}, asks: 2},
		{name: "the password was wrong", flags: interactive, silent: polkitAnswer{Challenge: true},
			want: "NotAuthorized", asks: 2},
		{name: "the dialog was dismissed", flags: interactive,
			silent: polkitAnswer{Challenge: true}, dialog: polkitAnswer{Details: dismissed},
			want: "AuthorizationDismissed", asks: 2},
		{name: "there is no agent", flags: interactive, silent: polkitAnswer{Challenge: true},
			dialog: polkitAnswer{Challenge: true}, want: outcome.NameInteractive, asks: 2},
		{name: "polkit does not know the action",
			fail: godbus.NewError("org.freedesktop.PolicyKit1.Error.Failed",
				[]any{"not registered"}), want: "NotAuthorized", asks: 1},
		{name: "polkit answers with an error of a strange name", fail: godbus.NewError("x.y", nil),
			flags: interactive, want: "NotAuthorized", asks: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			withPolkit(t, func(w *world, _ *Polkit) {
				polkit := w.polkit(func(q question) (polkitAnswer, *godbus.Error) {
					if q.Interactive {
						return c.dialog, c.fail
					}
					return c.silent, c.fail
				})
				caller := w.client(desktop)
				if got := caller.ask(c.flags); got != c.want {
					t.Errorf("the answer is %q, want %q", got, c.want)
				}
				want := []string{"fi.w1.wps.enroll map[interface:wlan0 method:StartPbc] false",
					"fi.w1.wps.enroll map[interface:wlan0 method:StartPbc] true"}[:c.asks]
				if got := polkit.questions(); !slices.Equal(got, want) {
					t.Errorf("polkit was asked %v\n%s", got, w.log)
				}
				if started := slices.Contains(w.svc.calls(),
					"Start pbc wlan0"); started != (c.want == "") {
					t.Errorf("the service was asked %v", w.svc.calls())
				}
				if told := strings.Contains(w.log.String(),
					"polkit cannot be asked"); told != (c.fail != nil) {
					t.Errorf("log: %s", w.log)
				}
			})
		})
	}
}

// TestPolkitIsNotAskedAboutRoot, nor about the user who runs us, nor about an owner's own session.
func TestPolkitIsNotAskedAboutRoot(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, auth *Polkit) {
		auth.self = 77
		allow := true
		polkit := w.polkit(func(question) (polkitAnswer, *godbus.Error) {
			return polkitAnswer{Authorized: allow}, nil
		})
		for _, uid := range []uint32{0, 77} {
			if got := w.client(uid).ask(0); got != "" {
				t.Errorf("user %d: %s", uid, got)
			}
		}
		if n := len(polkit.questions()); n != 0 {
			t.Errorf("polkit was asked %d times", n)
		}
		owner := w.client(desktop)
		path := owner.must(wlan0, startPbcMethod, options())[0].(godbus.ObjectPath)
		allow = false
		owner.must(path, sessionIface+".GetCredentials")
		// the same user, another process
		w.client(desktop).refused("NotAuthorized", path, sessionIface+".GetCredentials")
		want := []string{"fi.w1.wps.enroll map[interface:wlan0 method:StartPbc] false",
			"fi.w1.wps.read-secrets map[interface:wlan0 method:GetCredentials] false"}
		if got := polkit.questions(); !slices.Equal(got, want) {
			t.Errorf("polkit was asked %v", got)
		}
	})
}

// TestWithoutPolkitOnlyRootPasses, which the log tells once, until polkit is there.
func TestWithoutPolkitOnlyRootPasses(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		c := w.client(desktop)
		const complaint = "polkit cannot be asked"
		for range 3 {
			if got := c.ask(godbus.FlagAllowInteractiveAuthorization); got != "NotAuthorized" {
				t.Errorf("without polkit: %q", got)
			}
		}
		if got := w.client(0).ask(0); got != "" {
			t.Errorf("root: %s", got)
		}
		if n := strings.Count(w.log.String(), complaint); n != 1 {
			t.Errorf("told %d times", n)
		}
		p := w.polkit(func(question) (polkitAnswer, *godbus.Error) {
			return polkitAnswer{Authorized: true}, nil
		})
		if got := c.ask(0); got != "" {
			t.Errorf("polkit is there: %s", got)
		}
		_ = p.conn.Close()
		synctest.Wait()
		if got := c.ask(0); got != "NotAuthorized" ||
			strings.Count(w.log.String(), complaint) != 2 {
			t.Errorf("gone again: %q, log %s", got, w.log)
		}
	})
}

// TestDialogEndsWithItsCaller: polkit is told to close it, and the password that is typed too late
// starts nothing.
func TestDialogEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		typed := make(chan struct{})
		polkit := w.polkit(dialogs(typed))
		c := w.client(desktop)
		c.begin()
		synctest.Wait()
		if n := polkit.open(); n != 2 { // the silent one and the dialog
			t.Fatalf("%d questions", n)
		}
		_ = c.conn.Close()
		synctest.Wait()
		if n := polkit.open(); n != 1 {
			t.Error("the dialog is still open")
		}
		close(typed)
		synctest.Wait()
		if slices.Contains(w.svc.calls(), "Start pbc wlan0") {
			t.Error("a session was started for nobody")
		}
		if strings.Contains(w.log.String(), "polkit") {
			t.Errorf("that is nothing to complain of: %s", w.log)
		}
	})
}

// TestDialogEndsWithTheService and after dialogTime.
func TestDialogEndsWithTheService(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		typed := make(chan struct{})
		defer close(typed)
		polkit := w.polkit(dialogs(typed))
		first := w.client(desktop).begin()
		began := time.Now()
		if <-first.Done; w.client(0).errorName(first) != "NotAuthorized" ||
			time.Since(began) != dialogTime {
			t.Errorf("after %v: %v", time.Since(began), first.Err)
		}
		w.client(desktop).begin()
		synctest.Wait()
		if n := polkit.open(); n != 3 { // two silent ones and a dialog
			t.Errorf("%d questions", n)
		}
		w.end()
		synctest.Wait()
		if n := polkit.open(); n != 2 {
			t.Error("the dialog is still open")
		}
	})
}

// TestHangingPolkitIsNotWaitedForLong, and delays nobody else.
func TestHangingPolkitIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		stuck := make(chan struct{})
		defer close(stuck)
		w.polkit(func(question) (polkitAnswer, *godbus.Error) {
			<-stuck
			return polkitAnswer{Authorized: true}, nil
		})
		began := time.Now()
		var calls []*godbus.Call
		for n := range 100 { // of four users
			calls = append(calls, w.client(desktop+uint32(n%4)).begin())
		}
		synctest.Wait()
		if got := w.client(0).ask(0); got != "" || time.Since(began) != 0 {
			t.Errorf("root: %q after %v", got, time.Since(began))
		}
		for _, call := range calls {
			<-call.Done
			if name := w.client(0).errorName(call); name != "NotAuthorized" {
				t.Errorf("%s", name)
			}
		}
		if took := time.Since(began); took != silentTime {
			t.Errorf("it took %v", took)
		}
	})
}

// TestOneUserHasFewDialogs: with more connections than that he gets an error, and another user does
// not notice.
func TestOneUserHasFewDialogs(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		typed := make(chan struct{})
		polkit := w.polkit(dialogs(typed))
		var calls []*godbus.Call
		for range maxDialogs {
			calls = append(calls, w.client(desktop).begin())
		}
		synctest.Wait()
		for range 3 {
			if got := w.client(desktop).ask(godbus.FlagAllowInteractiveAuthorization); got != outcome.NameLimits {
				t.Errorf("one too many: %q", got)
			}
			if got := w.client(desktop).ask(0); got != outcome.NameInteractive {
				t.Errorf("who wants no dialog: %q", got)
			}
		}
		calls = append(calls, w.client(desktop+1).begin())
		synctest.Wait()
		open := 0
		for _, q := range polkit.questions() {
			if strings.HasSuffix(q, "true") {
				open++
			}
		}
		if open != maxDialogs+1 {
			t.Errorf("%d dialogs", open)
		}
		close(typed)
		for n, call := range calls {
			<-call.Done
			if call.Err != nil {
				t.Errorf("%d: %v", n, call.Err)
			}
		}
	})
}

// TestOneUserAsksLittleAtOnce: with many connections, while polkit takes its time.
func TestOneUserAsksLittleAtOnce(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		w.polkit(func(question) (polkitAnswer, *godbus.Error) {
			time.Sleep(5 * time.Second)
			return polkitAnswer{Authorized: true}, nil
		})
		var calls []*godbus.Call
		for range maxQuestions {
			calls = append(calls, w.client(desktop).begin())
		}
		synctest.Wait()
		if got := w.client(desktop).ask(0); got != outcome.NameLimits {
			t.Errorf("one too many: %q", got)
		}
		if got := w.client(desktop + 1).ask(0); got != "" {
			t.Errorf("another user: %q", got)
		}
		for _, call := range calls {
			if <-call.Done; call.Err != nil {
				t.Error(call.Err)
			}
		}
	})
}

// TestPolkitIsRestarted while it is asked: the bus says that there will be no answer, and the new
// one is asked.
func TestPolkitIsRestarted(t *testing.T) {
	t.Parallel()
	withPolkit(t, func(w *world, _ *Polkit) {
		over := make(chan struct{})
		var p *fakePolkit
		p = w.polkit(func(q question) (polkitAnswer, *godbus.Error) {
			if len(p.questions()) == 1 {
				<-over
			}
			return polkitAnswer{Authorized: true}, nil
		})
		call := w.client(desktop).begin()
		synctest.Wait()
		old := p.conn
		w.bus.Disown(polkitName)
		p.start()
		_ = old.Close()
		if <-call.Done; call.Err != nil {
			t.Error(call.Err)
		}
		close(over)
		if n := len(p.questions()); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

// dialogs is a polkit that needs a password for everything. Nobody types it until typed is closed.
func dialogs(typed <-chan struct{}) func(q question) (polkitAnswer, *godbus.Error) {
	return func(q question) (polkitAnswer, *godbus.Error) {
		if !q.Interactive {
			return polkitAnswer{Challenge: true}, nil
		}
		<-typed
		return polkitAnswer{Authorized: true}, nil
	}
}

// begin calls StartPbc, with the flag, and does not wait.
func (c *client) begin() *godbus.Call {
	return c.goSend(godbus.FlagAllowInteractiveAuthorization, wlan0, interfaceIface, "StartPbc",
		options("detach", true))
}
