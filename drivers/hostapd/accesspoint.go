// Package hostapd steers an access point that runs already: hostapd, or wpa_supplicant in AP or
// P2P GO mode, through its control socket. The EAP and the Registrar are theirs.
package hostapd

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"wpsd/drivers"
	"wpsd/drivers/controlsocket"
	"wpsd/service/fence"
)

const (
	// checkInterval is how often the software is asked whether it lives, only while a grant is out:
	// a datagram socket does not tell that its other end was killed.
	checkInterval = 5 * time.Second
	// maxEvents is how far the reader of Events may lag behind; what stations in the air cause
	// without any grant may fill half of it only, so that a flood of it does not cost the events of
	// a run.
	maxEvents = 256
)

// Open steers the access point behind the control socket at path.
func Open(ctx context.Context, path string, log *slog.Logger) (drivers.AccessPoint, error) {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("hostapd: watching %s: %w", filepath.Dir(path), err)
	}
	if err := watch.Add(filepath.Dir(path)); err != nil {
		_ = watch.Close()
		return nil, fmt.Errorf("hostapd: watching %s: %w", filepath.Dir(path), err)
	}
	a := &accessPoint{
		path: path, log: log, watch: watch, events: make(chan drivers.APEvent, maxEvents),
		stop:     make(chan struct{}),
		watching: make(chan time.Time, 1), checks: make(chan chan struct{}),
	}
	if err := a.attach(ctx); err != nil {
		_ = watch.Close()
		return nil, err
	}
	a.wait.Go(fence.Func(log, "the connection to hostapd", a.run, nil)) // its end is that of Events
	return a, nil
}

// accessPoint implements drivers.AccessPoint. It has two connections: one for commands and their
// replies, one for events. Both come from a hostapd with one thread, so what it told before it
// answered a question on the second one is in Events before that answer: see settle.
type accessPoint struct {
	path     string
	log      *slog.Logger
	watch    *fsnotify.Watcher
	events   chan drivers.APEvent
	stop     chan struct{}
	once     sync.Once
	wait     sync.WaitGroup
	watching chan time.Time     // a grant is out until then; zero: none is
	checks   chan chan struct{} // asks run whether the software lives; closed when that is known

	mu       sync.Mutex          // one request at a time
	commands *controlsocket.Conn // nil while the software is away

	monitor *controlsocket.Conn // owned by run
	// events that were dropped since the last that was not; owned by run
	lost int
}

var _ drivers.AccessPoint = (*accessPoint)(nil)

// attach opens both connections and asks for events on one.
func (a *accessPoint) attach(ctx context.Context) error {
	monitor, err := controlsocket.Dial(a.path)
	if err != nil {
		return err
	}
	reply, err := monitor.Request(ctx, commandAttach)
	if err == nil && !bytes.Equal(reply, replyOK) {
		err = errAnswer("ATTACH", reply)
	}
	if err != nil {
		monitor.Close()
		return err
	}
	_ = monitor.Socket.SetDeadline(time.Time{}) // a closed connection shows in the next read
	commands, err := controlsocket.Dial(a.path)
	if err != nil {
		monitor.Close()
		return err
	}
	a.mu.Lock()
	a.commands = commands
	a.mu.Unlock()
	a.monitor = monitor
	return nil
}

// detach closes both connections.
func (a *accessPoint) detach() {
	a.mu.Lock()
	if a.commands != nil {
		a.commands.Close()
		a.commands = nil
	}
	a.mu.Unlock()
	if a.monitor != nil {
		_ = a.monitor.Socket.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = a.monitor.Socket.Write([]byte("DETACH")) // else hostapd notices with the next event
		a.monitor.Close()
		a.monitor = nil
	}
}

// run reads events, and notices that the software went away or came back, until Close or until the
// directory of the socket is gone.
func (a *accessPoint) run() {
	defer close(a.events)
	defer a.detach()
	l := loop{a: a, datagrams: a.read(), ticker: time.NewTicker(time.Hour)}
	l.ticker.Stop()
	defer l.ticker.Stop()
	defer l.answered()
	for {
		select {
		case <-a.stop:
			return
		case l.until = <-a.watching:
			if l.ticker.Stop(); !l.until.IsZero() && a.monitor != nil {
				l.ticker.Reset(checkInterval)
			}
		case <-l.ticker.C:
			l.check()
		case w := <-a.checks:
			if l.waiting = append(l.waiting, w); a.monitor == nil {
				l.answered()
			} else {
				l.ask()
			}
		case d, ok := <-l.datagrams:
			if !ok {
				l.gone()
			} else {
				l.heard(d)
			}
		case e, ok := <-a.watch.Events:
			switch {
			case !ok:
				return
			case e.Name == filepath.Dir(a.path) && e.Has(fsnotify.Remove|fsnotify.Rename):
				l.gone()
				return // there is nothing left to watch
			case e.Name == a.path && e.Has(fsnotify.Create):
				l.gone()
				l.datagrams = a.again()
			}
		}
	}
}

// loop is what run knows; its goroutine owns it.
type loop struct {
	a         *accessPoint
	datagrams <-chan []byte
	ticker    *time.Ticker
	until     time.Time       // a grant is out until then
	asked     time.Time       // when the question that is not answered yet was asked; zero: none is
	waiting   []chan struct{} // who waits for that answer
}

// check asks whether the software lives, as long as a grant is out.
func (l *loop) check() {
	switch now := time.Now(); {
	case now.After(l.until):
		l.ticker.Stop()
	case !l.asked.IsZero() && now.Sub(l.asked) >= checkInterval:
		l.gone()
	default:
		l.ask()
	}
}

// ask asks for events once more, which hostapd answers without sending them twice from then on.
// hostapd forgets who does not read fast enough in a flood of events: this lets it remember.
func (l *loop) ask() {
	if l.asked.IsZero() {
		l.asked = time.Now()
	}
	m := l.a.monitor.Socket
	_ = m.SetWriteDeadline(time.Now().Add(time.Second)) // one that is stopped does not read, either
	if _, err := m.Write(commandAttach); err != nil {
		l.gone()
	}
}

func (l *loop) answered() {
	for _, w := range l.waiting {
		close(w)
	}
	l.waiting, l.asked = nil, time.Time{}
}

// heard takes one datagram: the answer to our question, or an event.
func (l *loop) heard(datagram []byte) {
	if bytes.Equal(bytes.TrimRight(datagram, "\n"), replyOK) {
		l.answered()
	} else if e, ok := parseEvent(datagram); ok {
		l.a.tell(e)
	}
}

// gone closes what is left and tells so once.
func (l *loop) gone() {
	l.ticker.Stop()
	l.answered()
	l.datagrams = nil
	if l.a.monitor != nil {
		l.a.detach()
		l.a.tell(drivers.APEvent{Kind: drivers.APGone})
	}
}

// read starts the reader of the monitor connection; the channel is closed when that one ends.
func (a *accessPoint) read() <-chan []byte {
	monitor, out := a.monitor, make(chan []byte, 64)
	a.wait.Go(fence.Func(a.log, "reading from hostapd", func() {
		defer close(out)
		b := make([]byte, controlsocket.MaxMessage)
		for {
			n, err := monitor.Socket.Read(b)
			if err != nil {
				return
			}
			select {
			case out <- bytes.Clone(b[:n]):
			case <-a.stop:
				return
			}
		}
	}, nil))
	return out
}

// again attaches to software that was started anew: its socket was made again.
func (a *accessPoint) again() <-chan []byte {
	ctx, cancel := context.WithTimeout(context.Background(), controlsocket.ReplyTimeout)
	defer cancel()
	if err := a.attach(ctx); err != nil {
		a.log.Warn("the access point's software is back but does not answer", "socket",
			a.path, "err", err)
		return nil
	}
	a.tell(drivers.APEvent{Kind: drivers.APBack})
	return a.read()
}

// tell hands an event over, if there is room for it.
func (a *accessPoint) tell(e drivers.APEvent) {
	room := cap(a.events)
	if e.Kind == drivers.APEnrolleeSeen || e.Kind == drivers.APPINNeeded ||
		e.Kind == drivers.APRunStarted {
		room /= 2
	}
	if len(a.events) >= room {
		a.lost++
		return
	}
	if a.lost > 0 {
		a.log.Warn("events of the access point were dropped: there were too many at once",
			"dropped", a.lost)
		a.lost = 0
	}
	a.events <- e // nobody else sends
}

// settle returns once all that the software told so far is in Events, or when it does not answer.
func (a *accessPoint) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, controlsocket.ReplyTimeout)
	defer cancel()
	answered := make(chan struct{})
	select {
	case a.checks <- answered:
	case <-a.stop:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-answered:
	case <-a.stop:
	case <-ctx.Done():
	}
}

// request sends one command on the command connection. A reply that came too late would be taken
// for that of the next command: the connection is made anew then.
func (a *accessPoint) request(ctx context.Context, command []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.commands == nil {
		return nil, fmt.Errorf("hostapd: %w", drivers.ErrUnreachable)
	}
	reply, err := a.commands.Request(ctx, command)
	if err == nil {
		return reply, nil
	}
	a.commands.Close()
	a.commands = nil
	select {
	case <-a.stop:
	default:
		if fresh, dialErr := controlsocket.Dial(a.path); dialErr == nil {
			a.commands = fresh
		}
	}
	return nil, err
}

// Events implements drivers.AccessPoint.
func (a *accessPoint) Events() <-chan drivers.APEvent { return a.events }

// Close implements drivers.AccessPoint.
func (a *accessPoint) Close() error {
	a.once.Do(func() {
		close(a.stop)
		_ = a.watch.Close()
		a.mu.Lock()
		if a.commands != nil {
			_ = a.commands.Socket.SetDeadline(time.Unix(1, 0))
		}
		a.mu.Unlock()
	})
	a.wait.Wait()
	return nil
}

// watchUntil has run look after the software while a grant is out; the zero time: none is any more.
// The newest word counts.
func (a *accessPoint) watchUntil(end time.Time) {
	for {
		select {
		case a.watching <- end:
			return
		case <-a.watching:
		case <-a.stop:
			return
		}
	}
}
