// Package neard lets neard, the NFC daemon of Linux ("org.neard"), tell wpsd what was touched: it
// registers as the agent for WSC tags and for connection handover to Wi-Fi. Where there is no neard
// it waits for one, and nothing is different. neard is never started, and polling for tags is left
// to whoever does that already (ConstantPoll of its configuration).
//
// What is known of neard comes from its documentation (doc/agent-api.txt) and its behaviour in
// version 0.16 and later: an agent's data go into a buffer of 255 bytes unchecked, neard stands
// still while it waits for RequestOOB, and a device that begins a handover to Wi-Fi sends no data
// of its own.
package neard

import (
	"context"
	"log/slog"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// neard on the bus, and what it calls of ours.
const (
	name          = "org.neard"
	path          = godbus.ObjectPath("/org/neard")
	agentManager  = "org.neard.AgentManager"
	handoverAgent = "org.neard.HandoverAgent"
	ndefAgent     = "org.neard.NDEFAgent"
	errorPrefix   = "org.neard.HandoverAgent.Error."

	agentPath = godbus.ObjectPath("/fi/w1/wps/neard")
)

const (
	carrier = "wifi"                    // what neard calls handover to Wi-Fi
	tagType = "application/vnd.wfa.wsc" // of records with WSC data
	dataKey = "WSC"                     // of such data in a dictionary

	// answerTime is how long neard may take to answer, touchTime how long we make it wait.
	answerTime = 10 * time.Second
	touchTime  = 5 * time.Second
	// maxAnswer is the buffer that neard copies our data into.
	maxAnswer = 255
	// maxPayload bounds what is taken of a tag: as much as any tag holds.
	maxPayload = 1<<15 - 1
)

// Toucher is told what was touched. Payloads are its caller's, and may
// hold keys.
type Toucher interface {
	// NFCTouched takes the content of a tag.
	NFCTouched(ctx context.Context, payload []byte) error
	// NFCAnswer answers a handover request for an access point of this machine, and lets the other
	// device in.
	NFCAnswer(ctx context.Context, request []byte) ([]byte, error)
	// Hold keeps the daemon from ending as long as neard counts on it.
	Hold(why string) (release func())
}

// agent is what neard calls. Its fields but for busy belong to the goroutine of Run.
type agent struct {
	conn    *bus.Conn
	to      Toucher
	log     *slog.Logger
	ctx     context.Context
	owner   string // neard's unique name; empty: it is not there
	release func() // of Hold; nil: neard is not there

	busy sync.Mutex // one call at a time: two hands touch one reader only if somebody makes that up
}

// Run serves neard until ctx ends, with a connection of its own to the bus that is named so: calls
// of neard's go to it, which nobody else is allowed.
func Run(ctx context.Context, address string, to Toucher, log *slog.Logger) error {
	log = log.With("for", "neard")
	return bus.Stay(ctx, address, bus.Options{Log: log}, log,
		func(ctx context.Context, conn *bus.Conn) error {
			a := &agent{conn: conn, to: to, log: log, ctx: ctx}
			defer a.leaves() // neard forgets its agents when their connection ends
			return a.run()
		})
}

// run follows neard until the agent's context or the connection ends.
func (a *agent) run() error {
	signals := a.conn.Signals()
	if err := a.listen(); err != nil {
		return err
	}
	if owner := a.conn.Owner(name); owner != "" {
		a.arrives(owner)
	}
	for {
		select {
		case <-a.ctx.Done():
			return context.Cause(a.ctx)
		case <-a.conn.Done():
			return a.conn.Err()
		case sig, ok := <-signals:
			if ok {
				a.take(sig)
			}
		}
	}
}

// listen shows our objects to neard, and asks the bus to tell of its coming and going.
func (a *agent) listen() error {
	ctx, cancel := context.WithTimeout(a.ctx, answerTime)
	defer cancel()
	// that it is gone the bus tells
	released := bus.Method{Do: func(context.Context, []any) ([]any, error) { return nil, nil }}
	a.conn.Serve(bus.Object{Path: agentPath, Interface: handoverAgent, Caller: name,
		Methods: map[string]bus.Method{
			"RequestOOB": {In: "a{sv}", Do: a.requestOOB}, "PushOOB": {In: "a{sv}", Do: a.pushOOB},
			"Release": released,
		}})
	a.conn.Serve(bus.Object{Path: agentPath, Interface: ndefAgent, Caller: name,
		Methods: map[string]bus.Method{
			"GetNDEF": {In: "a{sv}", Do: a.getNDEF}, "Release": released,
		}})
	return a.conn.Follow(ctx, bus.Name{Name: name})
}

// take handles a signal. The connection hears those of the bus only.
func (a *agent) take(s *godbus.Signal) {
	if s.Sender != bus.Driver || s.Name != bus.Driver+".NameOwnerChanged" || len(s.Body) != 3 ||
		s.Body[0] != name {
		return
	}
	owner, _ := s.Body[2].(string)
	if owner != "" && owner == a.owner {
		return // it came while we asked whether it is there
	}
	a.leaves()
	if owner != "" {
		a.arrives(owner)
	}
}

// arrives registers us. Each registration may be refused alone: there is one agent for a carrier,
// and ConnMan may be that.
func (a *agent) arrives(owner string) {
	a.owner = owner
	tags := a.call("RegisterNDEFAgent", agentPath, tagType)
	handover := a.call("RegisterHandoverAgent", agentPath, carrier)
	if tags != nil {
		a.log.Warn("neard does not let wpsd read WSC tags: another program may be registered for them, or the bus does not let wpsd call neard", "err", tags)
	}
	if handover != nil {
		a.log.Info("neard does not let wpsd take part in handover to Wi-Fi", "err", handover)
	}
	if tags == nil || handover == nil {
		a.release = a.to.Hold("neard, which waits for tags")
		a.log.Info("registered with neard", "tags", tags == nil, "handover", handover == nil)
	}
}

// leaves forgets neard.
func (a *agent) leaves() {
	a.owner = ""
	if a.release != nil {
		a.release()
		a.release = nil
	}
}

// call calls a method of neard's that returns nothing. The bus does not start neard for it.
func (a *agent) call(member string, args ...any) error {
	ctx, cancel := context.WithTimeout(a.ctx, answerTime)
	defer cancel()
	return a.conn.Call(ctx, bus.Request{To: a.owner, Path: path,
		Method: agentManager + "." + member, Args: args, Flags: godbus.FlagNoAutoStart})
}

// begin lets one call of neard's in; done ends it.
func (a *agent) begin() (ctx context.Context, done func(), err error) {
	if !a.busy.TryLock() {
		return nil, nil, failure("InProgress", "Something else was touched just now.")
	}
	ctx, cancel := context.WithTimeout(a.ctx, touchTime)
	return ctx, func() {
		cancel()
		a.busy.Unlock()
	}, nil
}

func failure(name, text string) error {
	return godbus.Error{Name: errorPrefix + name, Body: []any{text}}
}

// requestOOB answers a handover request that neard has received. Without data neard is about to
// send a request of its own: for Wi-Fi that has to have none.
func (a *agent) requestOOB(_ context.Context, args []any) ([]any, error) {
	ctx, done, err := a.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	request := payload(args, dataKey)
	if len(request) == 0 {
		return nil, failure("NotSupported", "There is nothing to offer without a request.")
	}
	answer, err := a.to.NFCAnswer(ctx, request)
	switch {
	case err != nil:
		a.log.Info("a handover request is not answered", "err", err)
		return nil, failure("NotSupported", "No access point of this machine can answer.")
	case len(answer) > maxAnswer:
		a.log.Warn("the answer to a handover request is too long for neard", "bytes", len(answer))
		return nil, failure("Failed", "The answer is too long.")
	}
	return []any{map[string]godbus.Variant{dataKey: godbus.MakeVariant(answer)}}, nil
}

// pushOOB takes what the other device answered to a request of neard's. Since that had no data, the
// answer can only be what a tag could hold as well.
func (a *agent) pushOOB(_ context.Context, args []any) ([]any, error) {
	return nil, a.touched(payload(args, dataKey))
}

// getNDEF takes a tag with a WSC record. neard does not wait for the answer.
func (a *agent) getNDEF(_ context.Context, args []any) ([]any, error) {
	return nil, a.touched(payload(args, "Payload", "NDEF"))
}

func (a *agent) touched(content []byte) error {
	ctx, done, err := a.begin()
	if err != nil {
		return err
	}
	defer done()
	defer clear(content)
	if err := a.to.NFCTouched(ctx, content); err != nil {
		a.log.Warn("what was touched is of no use", "err", err)
		return failure("Failed", "This is of no use here.")
	}
	return nil
}

// payload is the first of these values that is there in a dictionary, the only argument; nil: none
// is, or it is too long.
func payload(args []any, keys ...string) []byte {
	values, _ := args[0].(map[string]godbus.Variant) // as the signature says
	for _, key := range keys {
		if b, ok := values[key].Value().([]byte); ok && len(b) > 0 && len(b) <= maxPayload {
			return b
		}
	}
	return nil
}
