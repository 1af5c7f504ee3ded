package dbus

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/service/session"
	"wpsd/service/state"

	godbus "github.com/godbus/dbus/v5"
)

// idleAfter is how long the Server of these tests waits.
const idleAfter = time.Minute

// idler is a Server that ends when nobody needs it, and what it said on the way.
type idler struct {
	*world
	mu      sync.Mutex // the Server runs on a goroutine of its own
	said    []string
	release func() // of what it is busy with
	last    func() // runs once, in the moment before the name is given back
}

// atLast has something done in the moment before the name is given back.
func (i *idler) atLast(do func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = do
}

// says notes what the Server told.
func (i *idler) says(what string) (last func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.said = append(i.said, what)
	last, i.last = i.last, nil
	return last
}

// heard is all that it told.
func (i *idler) heard() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.said, " ")
}

// whenIdle runs a test with one, in a bubble.
func whenIdle(t *testing.T, test func(i *idler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		i := &idler{world: newWorld(t)}
		if err := i.svc.DeleteNetwork(t.Context(), 7); err != nil { // it is in memory only
			t.Fatal(err)
		}
		i.start(Options{Idle: Idle{
			After: func() time.Duration { return idleAfter },
			Leaving: func() {
				if last := i.says("leaving"); last != nil {
					last()
					time.Sleep(time.Second) // so that what it sent is in the queue
				}
			},
			Staying: func() { i.says("staying") },
		}})
		synctest.Wait()
		test(i)
		if err := i.svc.close(); err != nil {
			t.Error(err)
		}
		i.end()
		i.bus.Close()
	})
}

// runs checks that the Server has not ended.
func (i *idler) runs() {
	i.t.Helper()
	synctest.Wait()
	select {
	case err := <-i.over:
		i.t.Fatalf("Run ended: %v", err)
	default:
	}
}

// ends checks that the Server ends at once, because nobody needs it.
func (i *idler) ends() {
	i.t.Helper()
	synctest.Wait()
	select {
	case err := <-i.over:
		if !errors.Is(err, ErrIdle) {
			i.t.Fatalf("Run ended with %v, want ErrIdle", err)
		}
	default:
		i.t.Fatal("Run has not ended")
	}
}

// busyWith makes the service need the daemon, or not.
func (i *idler) busyWith(what string) {
	if what != "" {
		i.release = i.svc.Hold(what)
		return
	}
	i.release()
}

// order is what a client was sent, in that order: who owns our name, and answers of ours.
func (i *idler) order(c *client) string {
	i.world.mu.Lock()
	defer i.world.mu.Unlock()
	var order []string
	for _, m := range i.messages {
		to, _ := m.Headers[godbus.FieldDestination].Value().(string)
		member, _ := m.Headers[godbus.FieldMember].Value().(string)
		switch {
		case member == "NameOwnerChanged" && m.Body[0] != BusName:
		case member == "NameOwnerChanged" && m.Body[2] == "":
			order = append(order, "given-back")
		case member == "NameOwnerChanged":
			order = append(order, "owned")
		case m.Type == godbus.TypeMethodReply && to == c.conn.Names()[0]:
			order = append(order, "answered")
		}
	}
	return strings.Join(order, " ")
}

// forget drops what was sent so far.
func (i *idler) forget() {
	i.world.mu.Lock()
	defer i.world.mu.Unlock()
	i.messages = nil
}

func TestIdle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  func(i *idler)
	}{
		{"it ends when nobody has called for a while, and not before", func(i *idler) {
			time.Sleep(idleAfter - time.Second)
			i.runs()
			time.Sleep(time.Second)
			i.ends()
			if got := i.heard(); got != "leaving" {
				i.t.Errorf("said %q", got)
			}
		}},
		{"a call begins the time anew", func(i *idler) {
			c := i.client(0)
			time.Sleep(idleAfter - time.Second)
			c.must(rootPath, managerIface+".GeneratePin")
			time.Sleep(idleAfter - time.Second)
			i.runs()
			time.Sleep(time.Second)
			i.ends()
		}},
		{"a busy service keeps it, until it calms down", func(i *idler) {
			i.busyWith("a session")
			time.Sleep(10 * idleAfter)
			i.runs()
			i.busyWith("")
			time.Sleep(idleAfter)
			i.ends()
		}},
		{"an event is enough to look again", func(i *idler) {
			i.busyWith("a session")
			time.Sleep(10 * idleAfter)
			i.busyWith("")
			i.svc.tell(state.ManagerChanged{Manager: i.svc.Published.Manager()})
			time.Sleep(idleAfter)
			i.ends()
		}},
		{"a client that follows the objects keeps it until it leaves", func(i *idler) {
			c := i.client(stranger)
			c.must(rootPath, objectManagerIface+".GetManagedObjects")
			time.Sleep(10 * idleAfter)
			i.runs()
			_ = c.conn.Close()
			time.Sleep(idleAfter)
			i.ends()
		}},
		{"a client that looked and left does not keep it", func(i *idler) {
			c := i.client(stranger)
			c.conn.Object(BusName, rootPath).Go(objectManagerIface+".GetManagedObjects",
				godbus.FlagNoReplyExpected, nil)
			_ = c.conn.Close()
			time.Sleep(2 * idleAfter)
			i.ends()
		}},
		{"no more clients are watched than the bus allows", func(i *idler) {
			for range maxWatchers + 10 {
				i.client(stranger).must(rootPath, objectManagerIface+".GetManagedObjects")
			}
			if n := i.bus.Rules(); n > maxWatchers {
				i.t.Errorf("%d match rules", n)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) { whenIdle(t, c.run) })
	}
}

func TestIdleLosesNoCall(t *testing.T) {
	t.Parallel()
	t.Run("a question in the last moment is answered", func(t *testing.T) {
		whenIdle(t, func(i *idler) {
			c := i.client(0)
			answer := make(chan *godbus.Call, 1)
			i.atLast(func() {
				c.conn.Object(BusName, rootPath).Go(managerIface+".GeneratePin",
					0, answer)
			})
			time.Sleep(idleAfter + time.Second)
			synctest.Wait()
			if call := <-answer; call.Err != nil {
				t.Errorf("the call got %v", call.Err)
			}
			i.ends()
		})
	})
	t.Run("a session that is started in the last moment goes on", func(t *testing.T) {
		whenIdle(t, func(i *idler) {
			c := i.client(0)
			answer := make(chan *godbus.Call, 1)
			i.atLast(func() {
				c.conn.Object(BusName, wlan0).Go(interfaceIface+".StartPbc", 0, answer, options())
			})
			time.Sleep(idleAfter + time.Second)
			if call := <-answer; call.Err != nil {
				t.Fatalf("the call got %v", call.Err)
			}
			i.runs()
			// the name has its owner again
			c.must(session1, propertiesIface+".GetAll", sessionIface)
			if got := i.heard(); got != "leaving staying" {
				t.Errorf("said %q", got)
			}
			c.must(session1, sessionIface+".Cancel")
			time.Sleep(session.KeepEnded + 2*idleAfter)
			i.ends()
		})
	})
	t.Run("the name has its owner again before anybody is answered", func(t *testing.T) {
		whenIdle(t, func(i *idler) {
			c := i.client(0)
			if err := c.conn.AddMatchSignal(godbus.WithMatchMember("NameOwnerChanged"),
				godbus.WithMatchArg(0, BusName)); err != nil {
				t.Fatal(err)
			}
			answer := make(chan *godbus.Call, 1)
			i.atLast(func() {
				c.conn.Object(BusName, rootPath).Go(managerIface+".GeneratePin", 0, answer)
			})
			i.forget()
			time.Sleep(idleAfter + time.Second)
			if call := <-answer; call.Err != nil {
				t.Fatal(call.Err)
			}
			i.ends()
			if got := i.order(c); got != "given-back owned answered given-back" {
				t.Errorf("what the client heard: %s", got)
			}
		})
	})
	t.Run("after that the name has no owner", func(t *testing.T) {
		whenIdle(t, func(i *idler) {
			c := i.client(0)
			time.Sleep(idleAfter)
			i.ends()
			err := c.call(rootPath, managerIface+".GeneratePin").Err
			var e godbus.Error
			if !errors.As(err, &e) || e.Name != "org.freedesktop.DBus.Error.ServiceUnknown" {
				t.Errorf("a call got %v: the bus would not have started a new process", err)
			}
		})
	})
}

func TestPulse(t *testing.T) {
	t.Parallel()
	beats := 0
	inBubble(t, Options{Alive: func() { beats++ }, Pulse: time.Minute}, func(w *world) {
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if beats != 10 {
			t.Errorf("%d beats in ten minutes, want 10", beats)
		}
	})
}

// TestFollowersAreKnown: somebody wants to know what is in the air from the first question for all
// objects until the last who asked has left.
func TestFollowersAreKnown(t *testing.T) {
	t.Parallel()
	whenIdle(t, func(i *idler) {
		followed := func() bool {
			synctest.Wait()
			return i.svc.radio.listens.Load()
		}
		if followed() {
			t.Error("nobody has asked")
		}
		a, b := i.client(0), i.client(0)
		for _, c := range []*client{a, b} {
			c.must(rootPath, objectManagerIface+".GetManagedObjects")
			if !followed() {
				t.Error("somebody has asked")
			}
		}
		_ = a.conn.Close()
		if !followed() {
			t.Error("the other is still there")
		}
		_ = b.conn.Close()
		if followed() {
			t.Error("both have left")
		}
	})
}
