package dbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/service/state"

	godbus "github.com/godbus/dbus/v5"
)

// TestStrangersAreRefused: everything that the table guards, for somebody who is neither root nor
// us.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		owner, c := w.client(0), w.client(stranger)
		owner.must(wlan0, startPbcMethod, options())
		before := len(w.svc.calls())
		for _, call := range []struct {
			path   godbus.ObjectPath
			method string
			args   []any
		}{
			{wlan0, interfaceIface + ".Scan", []any{options()}},
			{wlan0, startPbcMethod, []any{options()}},
			{wlan0, startPinMethod, []any{options("no-such", "option")}}, // the check comes first
			{wlan0, interfaceIface + ".Cancel", nil},
			{wlan0, erIface + ".Start", []any{options()}},
			{wlan0, erIface + ".Stop", nil},
			{wlan0, erIface + ".Learn", []any{"any", "no PIN", options()}},
			{wlan0, erIface + ".SetConfig", []any{"any", network7}},
			{wlan0, erIface + ".Configure", []any{"any", "", options()}},
			{wlan0, erIface + ".EnrollPbc", []any{"any", options()}},
			{wlan0, erIface + ".EnrollPin", []any{"any", "", options()}},
			{session1, sessionIface + ".Cancel", nil},
			{session1, sessionIface + ".GetCredentials", nil},
			{network7, networkIface + ".GetSecrets", nil},
			{network7, networkIface + ".Activate", []any{options()}},
			{network7, networkIface + ".Delete", nil},
			{rootPath, set, []any{managerIface, "DeviceName", godbus.MakeVariant("x")}},
			{rootPath, set, []any{"", "DeviceName", godbus.MakeVariant("x")}},
		} {
			c.refused("NotAuthorized", call.path, call.method, call.args...)
		}
		if calls := w.svc.calls()[before:]; len(calls) != 0 {
			t.Errorf("the service was asked %v", calls)
		}
	})
}

// TestServiceUserPasses: who runs us may use us, root or not.
func TestServiceUserPasses(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Authorizer: OnlyRoot{Also: 77}}, func(w *world) {
		w.client(77).must(wlan0, startPbcMethod, options())
		w.client(78).refused("NotAuthorized", wlan0, startPbcMethod, options())
	})
}

// authorizer asks a function.
type authorizer func(ctx context.Context, r Request) error

func (a authorizer) Authorize(ctx context.Context, r Request) error { return a(ctx, r) }

func (a authorizer) Permission(ctx context.Context, r Request) Permission {
	if a(ctx, r) == nil {
		return PermissionYes
	}
	return PermissionNo
}

// asking is an Authorizer that keeps what it was asked, and allows what a test says.
type asking struct {
	mu    sync.Mutex
	allow map[Action]bool
	asked []string
	// during, if set, runs while somebody is asked.
	during func()
}

func (a *asking) Authorize(_ context.Context, r Request) error {
	a.mu.Lock()
	a.asked = append(a.asked, fmt.Sprintf("%s %s %v %d",
		strings.TrimPrefix(string(r.Action), "fi.w1.wps."), r.Details["interface"],
		r.Interactive, r.UID))
	during, allowed := a.during, a.allow[r.Action]
	a.mu.Unlock()
	if during != nil {
		during()
	}
	if allowed {
		return nil
	}
	return fmt.Errorf("%w: somebody said no", ErrNotAuthorized)
}

func (a *asking) Permission(_ context.Context, r Request) Permission {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.allow[r.Action] {
		return PermissionYes
	}
	return PermissionAuth
}

// was checks, and forgets, what was asked.
func (a *asking) was(t *testing.T, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.asked, want) {
		t.Errorf("asked\n\t%s\nwant\n\t%s", strings.Join(a.asked, "\n\t"),
			strings.Join(want, "\n\t"))
	}
	a.asked = nil
}

// TestSessionBelongsToItsCaller: its owner needs no authorization for it, to cancel it no process
// of his user does, others need the action's.
func TestSessionBelongsToItsCaller(t *testing.T) {
	t.Parallel()
	auth := &asking{allow: map[Action]bool{ActionEnroll: true, ActionReadSecrets: true,
		ActionManage: true}}
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		w.svc.answer = w.svc.pretend
		owner, same, other := w.client(1001), w.client(1001), w.client(1002)
		other.refused("NoSession", wlan0, interfaceIface+".Cancel") // nobody is asked about nothing
		auth.was(t)
		owner.must(wlan0, startPbcMethod, options("detach", true))
		auth.was(t, "enroll wlan0 false 1001")
		clear(auth.allow)
		owner.must(session1, sessionIface+".GetCredentials")
		for _, c := range []*client{owner, same} {
			c.must(session1, sessionIface+".Cancel")
			c.must(wlan0, interfaceIface+".Cancel")
		}
		auth.was(t)
		same.refused("NotAuthorized", session1, sessionIface+".GetCredentials")
		other.refused("NotAuthorized", session1, sessionIface+".GetCredentials")
		other.refused("NotAuthorized", session1, sessionIface+".Cancel")
		other.refused("NotAuthorized", wlan0, interfaceIface+".Cancel")
		auth.was(t, "read-secrets wlan0 false 1001", "read-secrets wlan0 false 1002",
			"manage wlan0 false 1002", "manage wlan0 false 1002")
		owner.conn.Close()
		synctest.Wait()
		same.must(session1, sessionIface+".Cancel") // it was detached, and is still his user's
		auth.was(t)
		auth.allow[ActionReadSecrets], auth.allow[ActionManage] = true, true
		other.must(session1, sessionIface+".GetCredentials")
		other.must(session1, sessionIface+".Cancel")
		if call := other.send(godbus.FlagAllowInteractiveAuthorization, wlan0, interfaceIface,
			"Cancel"); call.Err != nil {
			t.Error(call.Err)
		}
		auth.was(t, "read-secrets wlan0 false 1002", "manage wlan0 false 1002",
			"manage wlan0 true 1002")
		if calls := w.svc.calls(); !slices.Contains(calls, "CancelInterface wlan0") {
			t.Errorf("calls %v", calls)
		}
	})
}

// TestAuthorizerFailureIsNo: whatever goes wrong while asking, nothing is done.
func TestAuthorizerFailureIsNo(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Authorizer: authorizer(func(context.Context, Request) error {
		return errors.New("no polkit here")
	})}, func(w *world) {
		w.client(0).refused("NotAuthorized", wlan0, startPbcMethod, options())
		if len(w.svc.calls()) != 0 || !strings.Contains(w.log.String(), "no polkit here") {
			t.Errorf("calls %v, log %s", w.svc.calls(), w.log)
		}
	})
}

// TestCredentialsGoToTheOwnerAlone: nobody else gets them, whatever he listens to. world.stop looks
// at everything that went over the bus.
func TestCredentialsGoToTheOwnerAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		owner, spy := w.client(0), w.client(0).listen() // the owner has no match rule
		owner.must(wlan0, startPbcMethod, options())
		w.svc.received(t, press)
		expect(t, owner.heard(),
			`/sessions/1 CredentialReceived map[auth:WPA2PSK encryption:CCMP key:"`+key)
		for _, s := range spy.heard() {
			if strings.Contains(s, "CredentialReceived") || strings.Contains(s, key) {
				t.Errorf("the spy heard %s", s)
			}
		}
		if err := spy.conn.AddMatchSignal(godbus.WithMatchMember(
			"CredentialReceived")); err != nil {
			t.Fatal(err)
		}
		w.svc.tell(state.CredentialReceived{Session: 1})
		expect(t, spy.heard())
		got := <-owner.signals
		if raw, _ := got.Body[1].([]byte); !bytes.Contains(raw, []byte(key)) {
			t.Errorf("raw is %q", raw)
		}
		// What the service keeps was not wiped with our copies.
		if list, err := w.svc.Credentials(1); err != nil ||
			string(list[0].Key.Bytes()) != key {
			t.Error("the service's own key is gone")
		}
	})
}

// press presses the button of an access point.
func press(ap *sim.AP) { _ = ap.PressButton() }

// TestOwnerBesideTheBus: a session of somebody who is not on the bus sends nothing, since no
// message may have such a destination: a bus ends the connection for it.
func TestOwnerBesideTheBus(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		spy := w.client(0).listen()
		w.svc.tell(state.SessionAdded{Session: state.Session{ID: 7, Interface: "wlan0",
			Owner: "control:0", State: state.StateScanning}},
			state.CredentialReceived{Session: 7},
			state.ERAPSettings{Session: 7, Interface: "wlan0", AccessPoint: 1})
		spy.heard()
		if log := w.log.String(); strings.Contains(log, "of a session") ||
			strings.Contains(log, "of an access point") { // which the service does not have
			t.Errorf("the credential was fetched to be sent: %v", log)
		}
	})
}

// TestOwnerLeaves: the service is told, and we stop watching him.
func TestOwnerLeaves(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c, idle := w.client(0), w.client(0)
		name := c.conn.Names()[0]
		c.must(wlan0, startPbcMethod, options())
		idle.must(rootPath, managerIface+".GeneratePin")
		if n := w.bus.Rules(); n != 1 {
			t.Errorf("%d match rules: one for each caller who did what needs an authorization", n)
		}
		c.conn.Close()
		idle.conn.Close()
		synctest.Wait()
		if !w.svc.released(name) {
			t.Error("what he had going goes on")
		}
		if n := w.bus.Rules(); n != 0 {
			t.Errorf("%d match rules are left", n)
		}
		if len(w.srv.peers) != 0 {
			t.Errorf("%d peers are left", len(w.srv.peers))
		}
	})
}

// TestOwnerLeavesWhileHisSessionStarts: the session that comes too late for his leaving is released
// all the same.
func TestOwnerLeavesWhileHisSessionStarts(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		name := c.conn.Names()[0]
		goOn := make(chan struct{})
		w.svc.on = func(call string) error {
			if strings.HasPrefix(call, "Start") {
				<-goOn
			}
			return nil
		}
		c.conn.Object(BusName, wlan0).Go(startPbcMethod, 0, nil, options())
		synctest.Wait()
		c.conn.Close()
		synctest.Wait()
		close(goOn)
		synctest.Wait()
		if calls := w.svc.calls(); !slices.Equal(calls, []string{"Start pbc wlan0"}) ||
			len(w.svc.Published.Snapshot().Sessions) != 1 || !w.svc.released(name) {
			t.Errorf("calls %v, sessions %v", calls, w.svc.Published.Snapshot().Sessions)
		}
		if n := w.bus.Rules(); n != 0 {
			t.Errorf("%d match rules are left", n)
		}
	})
}

// TestCallerLeavesWhileBeingAuthorized: the question ends with him, and nothing is done.
func TestCallerLeavesWhileBeingAuthorized(t *testing.T) {
	t.Parallel()
	auth := authorizer(func(ctx context.Context, _ Request) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		c := w.client(1001)
		c.conn.Object(BusName, wlan0).Go(startPbcMethod, 0, nil, options())
		synctest.Wait()
		c.conn.Close()
		synctest.Wait()
		if calls := w.svc.calls(); len(calls) > 0 {
			t.Errorf("calls %v", calls)
		}
		if n := w.bus.Rules(); n != 0 {
			t.Errorf("%d match rules are left", n)
		}
	})
}

// TestSlowAuthorizationDelaysNobodyElse, and keeps the order of its caller's calls.
func TestSlowAuthorizationDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	auth := authorizer(func(_ context.Context, r Request) error {
		if r.UID != 0 {
			time.Sleep(3 * time.Minute) // somebody looks for his password
		}
		return nil
	})
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		slow, quick := w.client(1001), w.client(0)
		began := time.Now()
		first := slow.conn.Object(BusName, wlan0).Go(interfaceIface+".Scan", 0, nil, options())
		second := slow.conn.Object(BusName, rootPath).Go(managerIface+".GeneratePin", 0, nil)
		synctest.Wait()
		quick.must(wlan0, startPbcMethod, options())
		quick.must(rootPath, get, managerIface, "Version")
		if took := time.Since(began); took != 0 {
			t.Errorf("others waited %v", took)
		}
		if len(second.Done) != 0 {
			t.Error("his second call did not wait for the first")
		}
		<-second.Done
		if len(first.Done) != 1 || first.Err != nil || second.Err != nil ||
			second.ResponseSequence < first.ResponseSequence {
			t.Errorf("first %v, second %v", first.Err, second.Err)
		}
	})
}

// TestManyAuthorizationsKeepNobodyOut: however many wait for a decision, others are served; and
// what is allowed is done maxJobs at a time.
func TestManyAuthorizationsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	auth := authorizer(func(_ context.Context, r Request) error {
		if r.UID != 0 {
			time.Sleep(time.Minute)
		}
		return nil
	})
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		w.svc.answer = w.svc.pretend
		w.svc.on = func(string) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}
		var calls []*godbus.Call
		for range 3 * maxJobs {
			calls = append(calls, w.client(1001).conn.Object(BusName,
				wlan0).Go(interfaceIface+".Scan", 0, nil, options()))
		}
		synctest.Wait()
		began := time.Now()
		w.client(0).must(rootPath, managerIface+".GeneratePin")
		w.client(0).must(wlan0, interfaceIface+".Scan", options())
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("others waited %v", took)
		}
		for _, call := range calls {
			if <-call.Done; call.Err != nil {
				t.Error(call.Err)
			}
		}
		if most.Load() != maxJobs {
			t.Errorf("%d at once", most.Load())
		}
	})
}

// TestCallersAreForgotten: however many there are, we watch maxPeers, and those with sessions
// always.
func TestCallersAreForgotten(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		owner := w.client(0)
		name := owner.conn.Names()[0]
		owner.must(wlan0, startPbcMethod, options())
		for range maxPeers + 50 {
			w.client(stranger).refused("NotAuthorized", wlan0, interfaceIface+".Scan", options())
		}
		synctest.Wait()
		if n := w.bus.Rules(); n != maxPeers || n != len(w.srv.peers) {
			t.Errorf("%d match rules, %d peers", n, len(w.srv.peers))
		}
		owner.conn.Close()
		synctest.Wait()
		if !w.svc.released(name) {
			t.Error("the owner was forgotten")
		}
	})
}

// TestGetPermissions: what the caller may do, for each action that there is; nobody is asked for a
// password.
func TestGetPermissions(t *testing.T) {
	t.Parallel()
	auth := &asking{allow: map[Action]bool{ActionScan: true, ActionEnroll: true}}
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		got, _ := w.client(1001).must(rootPath,
			managerIface+".GetPermissions")[0].(map[string]string)
		want := map[string]string{
			"fi.w1.wps.scan": "yes", "fi.w1.wps.enroll": "yes", "fi.w1.wps.register": "auth",
			"fi.w1.wps.read-secrets": "auth", "fi.w1.wps.manage": "auth",
		}
		if !maps.Equal(got, want) {
			t.Errorf("%v", got)
		}
		auth.was(t)
		if calls := w.svc.calls(); len(calls) > 0 {
			t.Errorf("the service was asked %v", calls)
		}
		used := map[string]bool{}
		for _, row := range access {
			if row.action != Anyone {
				used[string(row.action)] = true
			}
		}
		for a := range used {
			if want[a] == "" {
				t.Errorf("%s is not told of", a)
			}
		}
	})
	inBubble(t, Options{}, func(w *world) {
		for uid, want := range map[uint32]string{0: "yes", stranger: "no"} {
			got, _ := w.client(uid).must(rootPath,
				managerIface+".GetPermissions")[0].(map[string]string)
			for action, may := range got {
				if may != want {
					t.Errorf("%d, %s: %s, want %s", uid, action, may, want)
				}
			}
		}
	})
}
