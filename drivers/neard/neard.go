// Package neard lets neard, the NFC daemon of Linux ("org.neard"), tell wpsd what was touched: it registers as the agent for
// WSC tags and for connection handover to Wi-Fi. Where there is no neard it waits for one, and nothing is different. neard is
// never started, and polling for tags is left to whoever does that already (ConstantPoll of its configuration).
//
// What is known of neard comes from its documentation (doc/agent-api.txt) and its behaviour in version 0.16 and later: an
// agent's data go into a buffer of 255 bytes unchecked, neard stands still while it waits for RequestOOB, and a device that
// begins a handover to Wi-Fi sends no data of its own.
package neard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"
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
	busName   = "org.freedesktop.DBus"
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

// Toucher is told what was touched; *service.Service is one. Payloads are its caller's, and may hold keys.
type Toucher interface {
	// NFCTouched takes the content of a tag.
	NFCTouched(ctx context.Context, payload []byte) error
	// NFCAnswer answers a handover request for an access point of this machine, and lets the other device in.
	NFCAnswer(ctx context.Context, request []byte) ([]byte, error)
	// Hold keeps the daemon from ending as long as neard counts on it.
	Hold(why string) (release func())
}

// agent is what neard calls. Its fields but for busy and owner belong to the goroutine of Run.
type agent struct {
	conn    *godbus.Conn
	to      Toucher
	log     *slog.Logger
	ctx     context.Context
	release func() // of Hold; nil: neard is not there

	busy sync.Mutex // one call at a time: two hands touch one reader only if somebody makes that up

	mu    sync.Mutex
	owner string // neard's unique name; empty: it is not there
}

// Run serves neard until ctx ends, with a connection of its own to the bus at this address: calls of neard's go to it, which
// nobody else is allowed.
func Run(ctx context.Context, address string, to Toucher, log *slog.Logger) error {
	conn, err := godbus.Connect(address, godbus.WithSignalHandler(godbus.NewSequentialSignalHandler()), godbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("neard: %w", err)
	}
	a := &agent{conn: conn, to: to, log: log, ctx: ctx}
	defer a.end()
	signals := make(chan *godbus.Signal, 64)
	conn.Signal(signals)
	if err := a.listen(); err != nil {
		return fmt.Errorf("neard: %w", err)
	}
	var owner string
	if err := a.call(busName, "/org/freedesktop/DBus", busName+".GetNameOwner", &owner, name); err == nil {
		a.arrives(owner)
	} // else it is not there, or not yet
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case sig, ok := <-signals:
			switch {
			case ctx.Err() != nil: // which closes the connection
				return context.Cause(ctx)
			case !ok:
				return errors.New("neard: the connection to the bus is lost")
			}
			a.take(sig)
		}
	}
}

// end lets go of everything: neard forgets its agents when their connection ends.
func (a *agent) end() {
	a.leaves()
	_ = a.conn.Close()
}

// listen shows our object, and asks the bus to tell of neard's coming and going.
func (a *agent) listen() error {
	ctx, cancel := context.WithTimeout(a.ctx, answerTime)
	defer cancel()
	return errors.Join(
		a.conn.ExportMethodTable(map[string]any{"RequestOOB": a.requestOOB, "PushOOB": a.pushOOB, "Release": a.released}, agentPath, handoverAgent),
		a.conn.ExportMethodTable(map[string]any{"GetNDEF": a.getNDEF, "Release": a.released}, agentPath, ndefAgent),
		a.conn.AddMatchSignalContext(ctx, godbus.WithMatchSender(busName), godbus.WithMatchInterface(busName),
			godbus.WithMatchMember("NameOwnerChanged"), godbus.WithMatchArg(0, name)))
}

// take handles a signal. Anybody can send us one, so it has to be the bus's.
func (a *agent) take(s *godbus.Signal) {
	if s.Sender != busName || s.Name != busName+".NameOwnerChanged" || len(s.Body) != 3 || s.Body[0] != name {
		return
	}
	owner, _ := s.Body[2].(string)
	if owner != "" && owner == a.known() {
		return // it came while we asked whether it is there
	}
	a.leaves()
	if owner != "" {
		a.arrives(owner)
	}
}

// arrives registers us. Each registration may be refused alone: there is one agent for a carrier, and ConnMan may be that.
func (a *agent) arrives(owner string) {
	a.setOwner(owner)
	tags := a.call(owner, path, agentManager+".RegisterNDEFAgent", nil, agentPath, tagType)
	handover := a.call(owner, path, agentManager+".RegisterHandoverAgent", nil, agentPath, carrier)
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
	a.setOwner("")
	if a.release != nil {
		a.release()
		a.release = nil
	}
}

// known is neard's unique name; empty: it is not there.
func (a *agent) known() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.owner
}

func (a *agent) setOwner(owner string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owner = owner
}

// call calls a method. It never has anybody started.
func (a *agent) call(to string, object godbus.ObjectPath, method string, result any, args ...any) error {
	ctx, cancel := context.WithTimeout(a.ctx, answerTime)
	defer cancel()
	call := a.conn.Object(to, object).CallWithContext(ctx, method, godbus.FlagNoAutoStart, args...)
	if result == nil {
		return call.Err
	}
	return call.Store(result)
}

// begin lets one call of neard's in; done ends it.
func (a *agent) begin(sender godbus.Sender) (ctx context.Context, done func(), refused *godbus.Error) {
	owner := a.known()
	if owner == "" || string(sender) != owner {
		return nil, nil, godbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Only neard may call this."})
	}
	if !a.busy.TryLock() {
		return nil, nil, failure("InProgress", "Something else was touched just now.")
	}
	ctx, cancel := context.WithTimeout(a.ctx, touchTime)
	return ctx, func() {
		cancel()
		a.busy.Unlock()
	}, nil
}

func failure(name, text string) *godbus.Error { return godbus.NewError(errorPrefix+name, []any{text}) }

// requestOOB answers a handover request that neard has received. Without data neard is about to send a request of its own:
// for Wi-Fi that has to have none.
func (a *agent) requestOOB(sender godbus.Sender, values map[string]godbus.Variant) (map[string]godbus.Variant, *godbus.Error) {
	ctx, done, refused := a.begin(sender)
	if refused != nil {
		return nil, refused
	}
	defer done()
	request := payload(values, dataKey)
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
	return map[string]godbus.Variant{dataKey: godbus.MakeVariant(answer)}, nil
}

// pushOOB takes what the other device answered to a request of neard's. Since that had no data, the answer can only be what
// a tag could hold as well.
func (a *agent) pushOOB(sender godbus.Sender, values map[string]godbus.Variant) *godbus.Error {
	return a.touched(sender, payload(values, dataKey))
}

// getNDEF takes a tag with a WSC record. neard does not wait for the answer.
func (a *agent) getNDEF(sender godbus.Sender, values map[string]godbus.Variant) *godbus.Error {
	return a.touched(sender, payload(values, "Payload", "NDEF"))
}

func (a *agent) touched(sender godbus.Sender, content []byte) *godbus.Error {
	ctx, done, refused := a.begin(sender)
	if refused != nil {
		return refused
	}
	defer done()
	defer clear(content)
	if err := a.to.NFCTouched(ctx, content); err != nil {
		a.log.Warn("what was touched is of no use", "err", err)
		return failure("Failed", "This is of no use here.")
	}
	return nil
}

// released is called when neard ends or has unregistered us; that it is gone the bus tells as well.
func (a *agent) released(sender godbus.Sender) *godbus.Error {
	_, done, refused := a.begin(sender)
	if refused == nil {
		done()
	}
	return refused
}

// payload is the first of these values that is there; nil: none is, or it is too long.
func payload(values map[string]godbus.Variant, keys ...string) []byte {
	for _, key := range keys {
		if b, ok := values[key].Value().([]byte); ok && len(b) > 0 && len(b) <= maxPayload {
			return b
		}
	}
	return nil
}
