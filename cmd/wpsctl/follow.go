package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/outcome"
)

// How long to wait for what ends a session: its last signals after its state says that it is over,
// and its end after Ctrl-C.
const (
	lastWordsTime  = time.Second
	cancelingTime  = 5 * time.Second
	countdownEvery = time.Second
)

// follower shows a session from start to end.
type follower struct {
	a        *app
	c        *client
	signals  <-chan *godbus.Signal
	screen   *screen
	path     godbus.ObjectPath
	props    props
	sentence string                       // of the signal Failed
	ended    bool                         // Succeeded or Failed came
	names    map[godbus.ObjectPath]string // access points' SSIDs
}

// newFollower is made before the session starts, so that none of its signals is missed.
func (a *app) newFollower(ctx context.Context, c *client) (*follower, error) {
	signals, err := c.watch(ctx)
	if err != nil {
		return nil, err
	}
	return &follower{a: a, c: c, signals: signals, screen: newScreen(a.out),
		names: map[godbus.ObjectPath]string{}}, nil
}

// follow shows the progress of the session at path until it is over, and returns it as it ended. If
// ctx ends first it cancels the session.
func (f *follower) follow(ctx context.Context, path godbus.ObjectPath) (session, error) {
	f.path = path
	var err error
	if f.props, err = f.c.properties(ctx, path, sessionIface); err != nil {
		return session{}, err
	}
	defer f.screen.clear()
	f.show(ctx)
	tick := time.NewTicker(countdownEvery)
	defer tick.Stop()
	interrupt := ctx.Done()
	var lastWords, giveUp <-chan time.Time
	for {
		if f.over() && lastWords == nil {
			lastWords = time.After(lastWordsTime)
		}
		if f.over() && (f.ended || f.state().State == "canceled") {
			return f.final(ctx), nil
		}
		select {
		case <-lastWords:
			return f.final(ctx), nil
		case <-interrupt:
			interrupt, giveUp = nil, time.After(cancelingTime)
			if err := f.cancel(ctx); err != nil {
				return f.state(), err
			}
		case <-giveUp:
			return f.state(), &failure{Exit: exitInterrupted,
				Text: "interrupted; wpsd did not confirm that the session ended"}
		case s, ok := <-f.signals:
			if !ok {
				return f.state(), errServiceLeft()
			}
			if f.c.left(s) {
				return f.state(), errServiceLeft()
			}
			f.handle(ctx, s)
		case <-tick.C:
			if f.screen.live && !f.a.json {
				f.draw(ctx)
			}
		}
	}
}

// cancel asks for the end of the session after Ctrl-C. That it is over already is no error.
func (f *follower) cancel(ctx context.Context) error {
	if !f.a.json {
		f.screen.status("Canceling", "")
	}
	err := f.c.call(context.WithoutCancel(ctx), f.path, sessionIface+".Cancel", nil)
	var known *failure
	if errors.As(err, &known) && known.Exit == exitNotFound {
		return nil
	}
	return err
}

// state is the session as far as it is known.
func (f *follower) state() session { return newSession(f.path, f.props) }

// over reports whether the session's state is a last one.
func (f *follower) over() bool {
	switch get[string](f.props, "State") {
	case "succeeded", "failed", "canceled":
		return true
	}
	return false
}

// final reads the ended session once more, for what was not in its signals.
func (f *follower) final(ctx context.Context) session {
	if p, err := f.c.properties(context.WithoutCancel(ctx), f.path, sessionIface); err == nil &&
		len(p) > 0 {
		f.props = p
	}
	return f.state()
}

// handle takes one signal of wpsd.
func (f *follower) handle(ctx context.Context, s *godbus.Signal) {
	if s.Path != f.path {
		return
	}
	switch s.Name {
	case propertiesIface + ".PropertiesChanged":
		if changed, ok := changedProps(s, sessionIface); ok {
			for name, v := range changed {
				f.props[name] = v
			}
			f.show(ctx)
		}
	case sessionIface + ".Failed":
		if len(s.Body) == 3 {
			f.sentence, _ = s.Body[2].(string)
		}
		f.ended = true
	case sessionIface + ".Succeeded":
		f.ended = true
	}
}

// changedProps takes apart a PropertiesChanged signal about one of an object's interfaces.
func changedProps(s *godbus.Signal, iface string) (props, bool) {
	if len(s.Body) != 3 || s.Body[0] != iface {
		return nil, false
	}
	changed, ok := s.Body[1].(map[string]godbus.Variant)
	return changed, ok
}

// show tells of a change.
func (f *follower) show(ctx context.Context) {
	if f.a.json {
		s := f.state()
		_ = f.a.printJSON(sessionEvent("changed", s))
		return
	}
	f.draw(ctx)
}

// sessionEvent is a line of JSON about a session.
func sessionEvent(event string, s session) map[string]any {
	return map[string]any{"event": event, "session": s}
}

// draw shows the status line.
func (f *follower) draw(ctx context.Context) {
	s := f.state()
	if f.over() {
		return
	}
	note := s.Message
	if left := s.left(time.Now()); left > 0 && s.State != "handing-over" {
		note = strings.TrimPrefix(note+", "+clock(left)+" left", ", ")
	}
	f.screen.status(describe(s, f.peerName(ctx, s)), note)
}

// describe says what the session does.
func describe(s session, peer string) string {
	if s.Purpose == "admit" && s.State == "exchanging" {
		switch half, _ := s.Detail["half"].Value().(uint32); {
		case s.Peer == "":
			return "Waiting for the device"
		case half != 0:
			return printable(s.Peer) + " has another PIN; waiting for a new try"
		}
		return "Setting up " + printable(s.Peer)
	}
	switch s.State {
	case "scanning":
		if s.Role == "registrar" {
			return "Looking for the router"
		}
		if s.Step == "checking" {
			return "A button is pressed; making sure that no other one is"
		}
		if s.Method == "pbc" {
			return "Looking for a router whose button is pressed"
		}
		return "Looking for a router that expects this device"
	case "associating":
		return "Connecting to " + peer
	case "exchanging":
		return "Setting up with " + peer
	case "handing-over":
		return "Handing the network over"
	}
	return printable(s.State)
}

// peerName is the SSID of the session's access point, or its address. It is asked for once.
func (f *follower) peerName(ctx context.Context, s session) string {
	if s.AccessPoint != "" {
		name, ok := f.names[s.AccessPoint]
		if !ok {
			if s.Role == "external-registrar" {
				if p, err := f.c.properties(ctx, s.AccessPoint, erAccessPointIface); err == nil {
					name = printable(get[string](p, "FriendlyName"))
				}
			} else if p, err := f.c.properties(ctx, s.AccessPoint, accessPointIface); err == nil {
				name = ssidText(get[[]byte](p, "Ssid"))
			}
			f.names[s.AccessPoint] = name
		}
		if name != "" {
			return fmt.Sprintf("%s (%s)", name, orDash(s.Peer))
		}
	}
	if s.Peer == "" {
		return "an access point"
	}
	return printable(s.Peer)
}

// sessionFailure explains how a session failed. sentence is wpsd's own, if it was heard: it is the
// same but for what a newer wpsd knows.
func sessionFailure(s session, sentence string) *failure {
	why := outcome.Reason(s.Reason)
	if s.State == "canceled" && why == "" {
		why = outcome.ReasonCanceled
	}
	known, ok := reasons[why]
	if !ok {
		known = reason{exit: exitFailure}
	}
	if sentence == "" {
		sentence = outcome.Sentence(why, outcome.FromValues(values(s.Detail)))
	}
	return &failure{Exit: known.exit, Name: s.Reason, Text: prose(sentence), Hint: known.hint}
}

// values takes the variants off a dictionary.
func values(dict map[string]godbus.Variant) map[string]any {
	plain := map[string]any{}
	for name, v := range dict {
		plain[name] = v.Value()
	}
	return plain
}
