package nmagent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/secret"
)

// wpsd on the bus.
const (
	wpsd             = "fi.w1.wps"
	wpsdPath         = godbus.ObjectPath("/fi/w1/wps")
	interfaceIface   = wpsd + ".Interface"
	accessPointIface = wpsd + ".AccessPoint"
	sessionIface     = wpsd + ".Session"
)

// run is one question that push button is to answer.
type run struct {
	asked
	cancel  context.CancelCauseFunc
	session godbus.ObjectPath // empty: there is none yet
	wpsd    string            // the unique name of whose session that is
	// ended gets how the session ended: nil, or an error with wpsd's sentence
	ended chan error
	// scanned is told that wpsd has looked around
	scanned chan struct{}
}

// Why a question is no longer worked on.
var (
	errCanceled = errors.New("NetworkManager does not want the key any more")
	errWpsdLeft = errors.New("wpsd was stopped: start again when it runs")
	errTooLate  = errors.New("nobody pressed the button in time: press it, then connect again")
	// errPerson: somebody has canceled wpsd's session.
	errPerson = errors.New("the session was canceled")
	// errDeclined: somebody rather does without a button.
	errDeclined = errors.New("no button is to be pressed")
)

// answer is an error that tells NetworkManager what to do next (NMSecretAgentError).
func answer(name, text string) error {
	return godbus.Error{Name: agentIface + "." + name, Body: []any{text}}
}

// getSecrets implements the method. NetworkManager waits for the answer, and cancels if it stops
// to.
func (g *agent) getSecrets(ctx context.Context, args []any) ([]any, error) {
	q := newAsked(args)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithTimeoutCause(ctx, patience, errTooLate)
	defer stop()
	r := &run{asked: q, cancel: cancel, ended: make(chan error, 1),
		scanned: make(chan struct{}, 1)}
	g.begin(r)
	defer g.forget(r)
	reason := q.decline(g.Unattended)
	if reason == "" && q.isHotspot() {
		reason = "This is the key of this computer's own hotspot."
	}
	if reason == "" && !g.present(ctx) {
		reason = "Nobody is at this computer."
	}
	if reason != "" {
		g.tell(Event{Kind: Declined, SSID: q.ssid, Sentence: reason})
		return nil, answer("NoSecrets", reason)
	}
	key, err := g.receive(ctx, r)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case err == nil:
		g.tell(Event{Kind: Answered, SSID: q.ssid, Session: r.session})
		return []any{settings{wirelessSecurity: {"psk": godbus.MakeVariantWithSignature(
			bus.Text{Value: key}, godbus.ParseSignatureMust("s"))}}}, nil
	case errors.Is(err, errCanceled), errors.Is(err, bus.ErrClosed), errors.Is(err, bus.ErrLost):
		g.tell(Event{Kind: Canceled, SSID: q.ssid, Session: r.session, Sentence: sentence(err)})
		return nil, answer("AgentCanceled", sentence(err))
	case errors.Is(err, errPerson):
		g.tell(Event{Kind: Canceled, SSID: q.ssid, Session: r.session, Sentence: sentence(err)})
		return nil, answer("UserCanceled", sentence(err))
	}
	kind := Failed
	if errors.Is(err, errNoWPS) || errors.Is(err, errDeclined) {
		kind = Declined
	}
	g.tell(Event{Kind: kind, SSID: q.ssid, Session: r.session, Sentence: sentence(err)})
	return nil, answer("NoSecrets", sentence(err))
}

// sentence makes one of an error: those of wpsd are.
func sentence(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[godbus.Error](err); ok {
		text = e.Error()
	}
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// begin puts a question on record. One that NetworkManager asks again it does not wait for any
// more.
func (g *agent) begin(r *run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.runs[r.question]; old != nil {
		old.cancel(errCanceled)
	}
	g.runs[r.question] = r
}

func (g *agent) forget(r *run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.runs[r.question] == r {
		delete(g.runs, r.question)
	}
}

// cancelGetSecrets implements the method.
func (g *agent) cancelGetSecrets(_ context.Context, args []any) ([]any, error) {
	connection, _ := args[0].(godbus.ObjectPath)
	setting, _ := args[1].(string)
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.runs[question{connection, setting}]; r != nil {
		r.cancel(errCanceled)
	}
	return nil, nil
}

// cancelAll ends all questions: nobody waits for the answers any more.
func (g *agent) cancelAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.runs {
		r.cancel(errCanceled)
	}
}

// wpsdLeft ends the sessions of a wpsd that is gone. One that ended because nobody needed it, just
// before a call of ours started the next one, is another: its end may be read long after that call
// was answered. One that was called in the moment in which it gave its name back has that again
// before it answers.
func (g *agent) wpsdLeft(before string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.runs {
		if r.session != "" && r.wpsd == before && g.conn.Owner(wpsd) != before {
			r.cancel(errWpsdLeft)
		}
	}
}

// started notes the session of a run, whose wpsd may have left meanwhile.
func (g *agent) started(r *run, session godbus.ObjectPath, by string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r.session, r.wpsd = session, by
	if g.conn.Owner(wpsd) != by {
		return errWpsdLeft
	}
	return nil
}

// heard takes a signal of wpsd's.
func (g *agent) heard(s *godbus.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.runs {
		switch {
		case s.Name == interfaceIface+".ScanDone":
			offer(r.scanned, struct{}{})
		case r.session == "" || s.Path != r.session || s.Sender != r.wpsd:
		case s.Name == sessionIface+".Succeeded":
			offer(r.ended, nil)
		case s.Name == sessionIface+".Failed" && len(s.Body) == 3:
			reason, _ := s.Body[0].(string)
			text, _ := s.Body[2].(string)
			offer(r.ended, failure(reason, text))
		}
	}
}

// offer puts a value into a channel that has room for one.
func offer[T any](ch chan T, v T) {
	select {
	case ch <- v:
	default:
	}
}

// failure is how a session ended, as an error.
func failure(reason, text string) error {
	if reason == "canceled" {
		return errPerson
	}
	return errors.New(text)
}

// receive has wpsd receive the key of the network that is asked for.
func (g *agent) receive(ctx context.Context, r *run) (secret.Value, error) {
	at, err := g.place(ctx, r)
	if err != nil {
		return secret.Value{}, err
	}
	options := map[string]godbus.Variant{"beside-only": godbus.MakeVariant(true),
		"apply": godbus.MakeVariant("none")}
	if at.bssid != "" {
		options["bssid"] = godbus.MakeVariant(at.bssid)
	}
	var session godbus.ObjectPath
	by, err := g.askWho(ctx, at.iface, interfaceIface+".StartPbc", &session, options)
	if err != nil {
		return secret.Value{}, err
	}
	if err := g.started(r, session, by); err != nil {
		return secret.Value{}, err
	}
	defer g.endSession(by, session)
	over, deadline, err := g.look(ctx, session)
	if err != nil {
		return secret.Value{}, err
	}
	if !over {
		g.tell(Event{Kind: Waiting, SSID: r.ssid, Interface: at.name, Session: session,
			Deadline: deadline, Sentence: "Press the WPS button of the router.",
			Decline: func() { r.cancel(errDeclined) }, Cancel: func() { r.cancel(errPerson) }})
	}
	select {
	case err := <-r.ended:
		if err != nil {
			return secret.Value{}, err
		}
	case <-ctx.Done():
		return secret.Value{}, context.Cause(ctx)
	}
	return g.key(ctx, session, r.ssid)
}

// look reads how far a session is. It may have ended before its signals could be told from
// others': then this is told as they would.
func (g *agent) look(ctx context.Context, session godbus.ObjectPath) (over bool,
	deadline time.Time, err error) {
	var p map[string]godbus.Variant
	if err := g.ask(ctx, session, "org.freedesktop.DBus.Properties.GetAll", &p,
		sessionIface); err != nil {
		return false, time.Time{}, err
	}
	state, _ := p["State"].Value().(string)
	reason, _ := p["Reason"].Value().(string)
	if us, _ := p["Deadline"].Value().(uint64); us != 0 && us < 1<<62 {
		deadline = time.UnixMicro(int64(us))
	}
	var how error
	switch state {
	case "succeeded":
	case "failed", "canceled":
		how = failure(reason, "The setup failed ("+reason+").")
	default:
		return false, deadline, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.runs {
		if r.session == session {
			offer(r.ended, how)
		}
	}
	return true, deadline, nil
}

// endSession ends a session that may run still. wpsd would end it when we leave.
func (g *agent) endSession(by string, session godbus.ObjectPath) {
	g.conn.Tell(bus.Request{To: by, Path: session, Method: sessionIface + ".Cancel",
		Flags: godbus.FlagNoAutoStart})
}

// ask calls a method of wpsd's, which is started if it does not run.
func (g *agent) ask(ctx context.Context, path godbus.ObjectPath, method string, out any,
	args ...any) error {
	_, err := g.askWho(ctx, path, method, out, args...)
	return err
}

// askWho is ask, and names who answered.
func (g *agent) askWho(ctx context.Context, path godbus.ObjectPath, method string, out any,
	args ...any) (by string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var outs []any
	if out != nil {
		outs = []any{out}
	}
	err = g.conn.Call(ctx, bus.Request{To: wpsd, Path: path, Method: method, Args: args,
		Answered: &by}, outs...)
	return by, err
}

// key reads what a session has received for this network. The key is the caller's to wipe.
func (g *agent) key(ctx context.Context, session godbus.ObjectPath,
	ssid []byte) (secret.Value, error) {
	body, err := g.conn.CallHidden(ctx, bus.Request{To: wpsd, Path: session,
		Method: sessionIface + ".GetCredentials"}, func(at bus.Place) bool {
		return at.Key == "key" || at.Key == "wifi-uri"
	})
	if err != nil {
		return secret.Value{}, err
	}
	defer bus.WipeBody(body)
	var list []map[string]godbus.Variant
	if len(body) == 1 {
		list, _ = body[0].([]map[string]godbus.Variant)
	}
	var others []string
	for _, c := range list {
		name, _ := c["ssid"].Value().([]byte)
		kind, _ := c["key-kind"].Value().(string)
		key, ok := c["key"].Value().(bus.Octets)
		if !bytes.Equal(name, ssid) {
			others = append(others, fmt.Sprintf("%q", name))
			continue
		}
		if !ok || !slices.Contains([]string{"passphrase", "raw-psk"}, kind) ||
			!isText(key.Bytes()) {
			return secret.Value{},
				errors.New("the router sent no key that NetworkManager could use")
		}
		return key.Clone(), nil
	}
	return secret.Value{}, fmt.Errorf("the button of another network was pressed, %s: its key is no use here",
		strings.Join(others, ", "))
}

// isText reports whether a key can be sent as a D-Bus string that NetworkManager takes for a psk.
func isText(key []byte) bool {
	return len(key) >= 8 && len(key) <= 64 &&
		!slices.ContainsFunc(key, func(b byte) bool { return b < ' ' || b > '~' })
}
