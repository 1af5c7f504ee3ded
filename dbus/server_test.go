package dbus

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestCallsAreAnsweredInOrder: 2,000 pipelined calls, some of them with an authorization, are made
// and answered in order.
func TestCallsAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = func(name string, asked any) []any {
			if name != startPinMethod {
				return []any{"12345670"}
			}
			return w.svc.pretend(name, asked)
		}
		c := w.client(0)
		var calls []*godbus.Call
		for n := range 2000 {
			if n%maxLine == maxLine-1 { // more at once would be refused
				<-calls[len(calls)-1].Done
			}
			if n%10 == 3 {
				calls = append(calls, c.conn.Object(BusName, wlan0).Go(startPinMethod, 0, nil,
					options("pin", strconv.Itoa(n))))
			} else {
				calls = append(calls,
					c.conn.Object(BusName, rootPath).Go(managerIface+".GeneratePin", 0, nil))
			}
		}
		last := godbus.NoSequence
		for n, call := range calls {
			synctest.Wait()
			if call.Err != nil || call.ResponseSequence <= last {
				t.Fatalf("call %d: %v, answer %d after %d", n, call.Err,
					call.ResponseSequence, last)
			}
			last = call.ResponseSequence
			if n%10 == 3 && call.Body[1] != strconv.Itoa(n) {
				t.Errorf("call %d was answered %v", n, call.Body)
			}
		}
	})
}

// TestFlood: 20,000 calls as fast as they go, with and without answers. Who floods is answered, if
// only with LimitsExceeded; another caller is served meanwhile; and nothing grows beyond its
// bounds.
func TestFlood(t *testing.T) { // not in parallel: it counts goroutines
	for name, flags := range map[string]godbus.Flags{"with answers": 0,
		"without answers": godbus.FlagNoReplyExpected} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(w *world) {
				flood, other := w.client(stranger), w.client(0)
				w.bus.Monitor(nil) // it would be the test that grows
				before := runtime.NumGoroutine()
				const total = 20_000
				done := make(chan *godbus.Call, total)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					for n := range total {
						path, method, args := rootPath, managerIface+".GeneratePin", []any(nil)
						if n%2 == 1 {
							path, method, args = wlan0, startPinMethod,
								[]any{options("pin", strconv.Itoa(n))}
						}
						flood.conn.Object(BusName, path).Go(method, flags, done, args...)
					}
				}()
				most := 0
				for range 200 {
					other.must(rootPath, managerIface+".CheckPin", "12345670")
					q := w.srv.bus.queue
					q.mu.Lock()
					most = max(most, q.calls)
					if q.calls > maxLine+1 || q.bytes > maxBytes {
						t.Errorf("%d calls, %d bytes wait", q.calls, q.bytes)
					}
					q.mu.Unlock()
				}
				<-sent
				if flags == 0 {
					answered, limited := 0, 0
					for range total {
						call := <-done
						var e godbus.Error
						switch {
						case call.Err == nil, errors.As(call.Err, &e) &&
							e.Name == errorPrefix+"NotAuthorized":
							answered++
						case e.Name == outcome.NameLimits:
							limited++
						default:
							t.Fatal(call.Err)
						}
					}
					t.Logf("%d answered, %d refused, at most %d waited", answered, limited, most)
				}
				synctest.Wait()
				// godbus has a goroutine of the flooding client for each call that it waits for.
				if after := runtime.NumGoroutine(); after > before+maxJobs {
					t.Errorf("%d goroutines, %d before", after, before)
				}
				flood.must(rootPath, managerIface+".GeneratePin")
				other.must(wlan0, startPbcMethod, options())
			})
		})
	}
}

// TestPanicIsSurvived: the caller gets an answer, the log the stack, everybody else notices
// nothing.
func TestPanicIsSurvived(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		w.svc.on = func(call string) error { panic("mistake in " + call) }
		c.refused(outcome.NameFailed, rootPath, managerIface+".GeneratePin")
		c.refused(outcome.NameFailed, wlan0, interfaceIface+".Scan", options())
		w.svc.on = nil
		c.must(rootPath, managerIface+".GeneratePin")
		c.must(wlan0, interfaceIface+".Scan", options())
		if log := w.log.String(); !strings.Contains(log, "mistake in Scan") ||
			!strings.Contains(log, "server_test.go") {
			t.Errorf("the log has %s", log)
		}
	})
}

// TestNoReply: who wants no answer gets none, not even an error; the call is made all the same.
func TestNoReply(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		for _, method := range []string{interfaceIface + ".Scan", startPbcMethod,
			interfaceIface + ".NoSuchMethod"} {
			c.conn.Object(BusName, wlan0).Go(method, godbus.FlagNoReplyExpected, nil,
				options("detach", true))
		}
		c.conn.Object(BusName, wlan0).Go(interfaceIface+".Scan", godbus.FlagNoReplyExpected,
			nil, options())
		synctest.Wait()
		if calls := w.svc.calls(); !slices.Equal(calls, []string{"Start pbc wlan0", "Scan wlan0"}) {
			t.Errorf("calls %v", calls)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, m := range w.messages {
			if m.Type == godbus.TypeMethodReply || m.Type == godbus.TypeError {
				t.Errorf("an answer: %v", m)
			}
		}
	})
}

// TestName: what becomes of Run when the name is not to be had, or is taken away, or the bus goes.
func TestName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(w *world)
		after  func(w *world)
		want   error
	}{
		{"another process owns it", func(w *world) {
			if _, err := w.client(0).conn.RequestName(BusName,
				godbus.NameFlagDoNotQueue); err != nil {
				w.t.Error(err)
			}
		}, nil, ErrNameTaken},
		{"the policy of the bus refuses it", func(w *world) { w.bus.Refuse(BusName) }, nil,
			ErrNameRefused},
		{"it is taken away", nil, func(w *world) { w.bus.Disown(BusName) }, ErrNameLost},
		{"the bus goes", nil, func(w *world) { w.bus.Close() }, ErrBusLost},
		{"the service is over", nil, func(w *world) { w.srv.sub.Close() },
			state.ErrShutdown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if c.before != nil {
					c.before(w)
				}
				ready := false
				w.start(Options{Ready: func() { ready = true }})
				synctest.Wait()
				if ready == (c.before != nil) {
					t.Errorf("ready: %v", ready)
				}
				if c.after != nil {
					c.after(w)
				}
				if err := <-w.over; !errors.Is(err, c.want) || !isSentence("X"+err.Error()+".") {
					t.Errorf("Run returned %v", err)
				}
				w.end()
				w.bus.Close()
			})
		})
	}
}

// TestRunWaitsForItsJobs: when Run returns, nothing of it runs.
func TestRunWaitsForItsJobs(t *testing.T) {
	t.Parallel()
	auth := authorizer(func(ctx context.Context, _ Request) error {
		<-ctx.Done()
		return ctx.Err()
	})
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		for range 5 {
			w.client(1001).conn.Object(BusName, wlan0).Go(startPbcMethod, 0, nil, options())
		}
		synctest.Wait()
	})
}

// TestCallsBeforeTheNameAreAnswered: a client may call our unique name as soon as we are on the
// bus.
func TestCallsBeforeTheNameAreAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b, err := Connect(w.bus.Pipe(0))
		if err != nil {
			t.Fatal(err)
		}
		call := w.client(0).conn.Object(b.conn.Name(),
			rootPath).Go(managerIface+".GeneratePin", 0, nil)
		synctest.Wait()
		srv, err := New(b, w.svc.Rooms, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { w.over <- srv.Run(ctx) }()
		if <-call.Done; call.Err != nil {
			t.Error(call.Err)
		}
		cancel()
		<-w.over
		w.bus.Close()
	})
}

// TestTooManyEvents: after signals were lost, everything is as the service says, and clients are
// told the difference.
func TestTooManyEvents(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		w.svc.tell(state.NetworkAdded{Network: state.Network{ID: 9}})
		c.heard()
		w.svc.on = func(string) error { // the worker makes this call itself, and takes no event
			i := w.svc.wlan0()
			i.Scanning = true
			w.svc.tell(state.NetworkRemoved{ID: 9}, state.InterfaceChanged{Interface: i})
			for range 5000 { // more than a subscriber may lag behind
				w.svc.tell(state.NetworkAdded{Network: state.Network{ID: 8}})
			}
			return nil
		}
		c.must(rootPath, managerIface+".GeneratePin")
		w.svc.on = nil
		expect(t, c.heard(),
			" InterfacesRemoved /fi/w1/wps/networks/9 [fi.w1.wps.Network]",
			" PropertiesChanged fi.w1.wps.Manager map[Networks:[/fi/w1/wps/networks/7 /fi/w1/wps/networks/8]] []",
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[Scanning:true] []",
			" InterfacesAdded /fi/w1/wps/networks/8")
		w.svc.tell(state.NetworkRemoved{ID: 8})
		expect(t, c.heard(), " InterfacesRemoved /fi/w1/wps/networks/8", " PropertiesChanged")
		if !strings.Contains(w.log.String(), "signals were lost") {
			t.Errorf("the log has %s", w.log)
		}
	})
}

// TestEventPanicIsSurvived: what an access point sends must not stop us.
func TestEventPanicIsSurvived(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.tell(state.SessionAdded{Session: state.Session{ID: 1, Owner: ":1.1"}})
		synctest.Wait()
		rooms := w.srv.svc
		w.srv.svc = Rooms{} // what is not there cannot be asked
		w.svc.tell(state.CredentialReceived{Session: 1})
		synctest.Wait()
		w.srv.svc = rooms
		w.client(0).must(session1, get, sessionIface, "State")
		if !strings.Contains(w.log.String(), "nil pointer") {
			t.Errorf("the log has %s", w.log)
		}
	})
}

// putter makes a function that puts a caller's next call of a size, and returns what is refused.
func putter(q *queue) func(sender string, size int) *call {
	calls := map[string]int{}
	return func(sender string, size int) *call {
		calls[sender]++
		return q.put(&call{&bus.Message{Header: bus.Header{Sender: sender,
			Serial: uint32(calls[sender])}, Frame: make([]byte, size)}})
	}
}

func TestQueueIsFairAndInOrder(t *testing.T) {
	t.Parallel()
	q := newQueue()
	put := putter(q)
	for n := range maxLine {
		if refused := put("a", 1); refused != nil {
			t.Fatalf("call %d is refused", n)
		}
	}
	if refused := put("a", 1); refused == nil || refused.Serial != maxLine+1 {
		t.Errorf("one more than a line holds: refused is %+v", refused)
	}
	put("b", 1)
	put("b", 1)
	var order []string
	for range 4 {
		c := q.take()
		order = append(order, fmt.Sprint(c.Sender, c.Serial))
		q.release(c.Sender)
	}
	if !slices.Equal(order, []string{"a1", "b1", "a2", "b2"}) {
		t.Errorf("taken %v", order)
	}
	c := q.take()
	if q.take() != nil {
		t.Error("a second call of a caller is taken before the first is released")
	}
	q.drop("a")
	q.release(c.Sender)
	if q.take() != nil || q.calls != 0 || q.bytes != 0 || len(q.lines) != 0 {
		t.Errorf("left are %d calls, %d bytes, %d lines", q.calls, q.bytes, len(q.lines))
	}
}

// TestFullQueue: the newest call of whoever has most makes room for somebody who has less.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	q := newQueue()
	put := putter(q)
	for n := range maxQueue / maxLine {
		for range maxLine {
			put(fmt.Sprint("flood", n), 1)
		}
	}
	if refused := put("late", 1); refused == nil || refused.Sender == "late" ||
		refused.Serial != maxLine {
		t.Errorf("refused is %+v", refused)
	}
	if q.calls != maxQueue {
		t.Errorf("%d calls", q.calls)
	}
}

// TestQueueCountsBytes, too.
func TestQueueCountsBytes(t *testing.T) {
	t.Parallel()
	q := newQueue()
	put := putter(q)
	for n := range 4 {
		if refused := put("big", bus.MaxCall); refused != nil {
			t.Errorf("call %d is refused", n)
		}
	}
	if put("big", 1) == nil {
		t.Error("more bytes than a line holds are taken")
	}
	for n := range 2 * maxBytes / bus.MaxCall {
		put(fmt.Sprint("one", n), bus.MaxCall)
	}
	if q.bytes > maxBytes {
		t.Errorf("%d bytes", q.bytes)
	}
}
