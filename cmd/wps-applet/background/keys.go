package background

import (
	"context"
	"sync"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/cmd/internal/nmagent"
	"wpsd/dbus/bus"
	"wpsd/service/fence"
)

// keys answers NetworkManager where it lacks a key: a notification says that the router's button is
// to be pressed, for as long as that helps. Where no desktop shows notifications, or whoever is
// asked rather types the key, the question goes on to the user's next agent at once: it would wait
// for two minutes otherwise.
//
//	NetworkManager ──▶ nmagent ──Waiting──▶ keys ──▶ org.freedesktop.Notifications
//	                           ◀── Decline, Cancel ──
type keys struct {
	a    *Agent
	ctx  context.Context
	c    *bus.Conn // of the session bus
	work *sync.WaitGroup

	mu    sync.Mutex
	shown map[godbus.ObjectPath]uint32 // notifications by wpsd's session; 0: it is under way
	asked map[uint32]nmagent.Event
}

// What the notification's buttons are called on the bus.
const (
	actionPassword = "password"
	actionCancel   = "cancel"
)

// answerKeys runs the agent beside a connection to the session bus, until ctx ends.
func (a *Agent) answerKeys(ctx context.Context, c *bus.Conn, work *sync.WaitGroup) *keys {
	k := &keys{a: a, ctx: ctx, c: c, work: work, shown: map[godbus.ObjectPath]uint32{},
		asked: map[uint32]nmagent.Event{}}
	if a.Bus == "" {
		return k
	}
	// A second agent of this kind NetworkManager does not take: then this one keeps still.
	agent := &nmagent.Agent{OnEvent: k.onEvent, Log: a.Log}
	work.Go(fence.Func(a.Log, "the agent of NetworkManager", func() {
		_ = agent.Run(ctx, a.Bus) // it ends with ctx
	}, nil))
	return k
}

// onEvent takes what happens to a question.
func (k *keys) onEvent(e nmagent.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch id, known := k.shown[e.Session]; {
	case e.Kind == nmagent.Waiting:
		k.shown[e.Session] = 0
		k.work.Go(fence.Func(k.a.Log, "a notification", func() { k.ask(e) }, nil))
	case known:
		delete(k.shown, e.Session)
		delete(k.asked, id)
		if id != 0 {
			closeNotification(k.c, id)
		}
	}
}

// ask says that a button is to be pressed.
func (k *keys) ask(e nmagent.Event) {
	w := &k.a.Words
	id, err := k.a.show(k.ctx, k.c, w.Key(w.Name(e.SSID)), w.KeyBody,
		[]string{actionPassword, w.Password, actionCancel, w.Cancel})
	if err != nil {
		k.a.Log.Debug("no notification: nobody can be asked", "err", err)
		e.Decline()
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, still := k.shown[e.Session]; !still {
		closeNotification(k.c, id)
		return
	}
	k.shown[e.Session], k.asked[id] = id, e
}

// invoked takes a click on a notification's button, if it is one of these.
func (k *keys) invoked(id uint32, action string) {
	k.mu.Lock()
	e, ours := k.asked[id]
	k.mu.Unlock()
	switch {
	case !ours:
	case action == actionPassword:
		e.Decline()
	case action == actionCancel:
		e.Cancel()
	}
}
