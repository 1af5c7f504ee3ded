package session

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"wpsd/engine/credential"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

const (
	// KeepEnded and maxEnded bound how long, and how many per interface, ended sessions are kept
	// with what they received.
	KeepEnded = 10 * time.Minute
	MaxEnded  = 16
	// progressPause is how long a message of a run must be the newest to be told: what the run
	// waits for shows, what nobody could read does not. To tell each message over D-Bus takes as
	// long as the run.
	progressPause = 10 * time.Millisecond
)

// Table has the sessions that run, and those that ended not long ago. Its lock is taken after the
// service's, where both are held, and before that of state.Published.
type Table struct {
	log       *slog.Logger
	published *state.Published
	over      func(ses *Running, finish func() bool)

	mu     sync.Mutex
	closed bool // what ends now is not kept
	last   state.SessionID
	list   map[state.SessionID]*Running
}

// New makes a Table without sessions, which calls over at the end of each: without the table's lock,
// and with what tells the end, which reports false if that was told before.
func New(p *state.Published, log *slog.Logger,
	over func(ses *Running, finish func() bool)) *Table {
	return &Table{log: log, published: p, over: over, list: make(map[state.SessionID]*Running)}
}

// Running is a session, until it is forgotten. Its table's lock guards it, but for what never
// changes: whoever runs it reads what it alone changes without it.
type Running struct {
	state.Session
	table       *Table
	By          any                  // the External Registrar whose run it is; nil: none
	Cancel      func(cause error)    // called without the lock
	told        bool                 // its end was
	Stopping    bool                 // told to end: the interface may be promised to the next
	Credentials []credential.Network // that can be used
	Received    []credential.Network // one for each Credential attribute; see attributes
	// tells what changeSoon has altered; nil: nothing is left to tell
	news   *time.Timer
	expire *time.Timer // removes it, once it has ended
}

// Prepare makes a session with an id of its own, which Add tells of.
func (t *Table) Prepare(s state.Session) *Running {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	s.ID = t.last
	return &Running{Session: s, table: t}
}

// Add puts a session into the table, and tells of it.
func (t *Table) Add(ses *Running) state.Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list[ses.ID] = ses
	t.published.Publish(state.SessionAdded{Session: ses.Session.Clone()})
	return ses.Session.Clone()
}

// Running counts the sessions that have not ended: those of External Registrars, or all others.
func (t *Table) Running(er bool) int {
	return t.Count(func(ses *Running) bool { return (ses.By != nil) == er && !ses.State.Ended() })
}

// Count counts the sessions that are so.
func (t *Table) Count(is func(*Running) bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, ses := range t.list {
		if is(ses) {
			n++
		}
	}
	return n
}

// Stop tells all that are so and run to end, and why. It returns how many these are.
func (t *Table) Stop(cause error, is func(*Running) bool) int {
	var cancel []func(error)
	fence.Locked(&t.mu, func() (none struct{}) {
		for _, ses := range t.list {
			if !ses.State.Ended() && is(ses) {
				ses.Stopping = true
				cancel = append(cancel, ses.Cancel)
			}
		}
		return none
	})
	for _, c := range cancel {
		c(cause)
	}
	return len(cancel)
}

// Stop tells a session to end, and why. The first cause counts.
func (s *Running) Stop(cause error) {
	s.table.Stop(cause, func(other *Running) bool { return other == s })
}

// GiveWay ends a session for another one on its interface, if it may: a hand-over goes on without
// it, everything else only if that was asked for.
func (s *Running) GiveWay(anew bool) error {
	cause, err := s.mayGiveWay(anew)
	if cause != nil {
		s.Stop(cause)
	}
	return err
}

// mayGiveWay says why a session is to end now, if it is, or why it must not.
func (s *Running) mayGiveWay(anew bool) (cause, err error) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	switch {
	case s.Stopping || s.State.Ended():
		return nil, nil
	case s.State == state.StateHandingOver:
		cause = ending.ErrSuperseded
	case anew && s.Purpose != state.PurposeAdmit:
		cause = ending.ErrReplaced
	default:
		return nil, fmt.Errorf("%w (%s, session %d)", state.ErrBusy, s.Interface, s.ID)
	}
	s.Replaced = true
	return cause, nil
}

// Networks gives what a session has received, as a copy with secrets of its own.
func (t *Table) Networks(id state.SessionID,
	of func(*Running) []credential.Network) ([]credential.Network, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ses, ok := t.list[id]
	if !ok {
		return nil, fmt.Errorf("%w (%d)", state.ErrNoSession, id)
	}
	return credential.CloneAll(of(ses)), nil
}

// Change lets its goroutine alter a session, and tells.
func (s *Running) Change(alter func(*state.Session)) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	alter(&s.Session)
	s.publish()
}

// ChangeSoon is change for what is only worth telling if it lasts: it is told in a moment, unless
// anything else of the session is told before, which then tells this as well.
func (s *Running) ChangeSoon(alter func(*state.Session)) {
	t := s.table
	t.mu.Lock()
	defer t.mu.Unlock()
	alter(&s.Session)
	t.published.NoteSession(s.Session.Clone())
	if s.news != nil {
		return
	}
	s.news = time.AfterFunc(progressPause, fence.Func(t.log, "telling of a session", func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if s.news != nil {
			s.publish()
		}
	}, nil))
}

// Note alters a session without telling: something else is about to be told.
func (s *Running) Note(alter func(*state.Session)) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	alter(&s.Session)
}

// Keep gives a session what it received, and tells what else changes with that. The networks are
// the session's from now on.
func (s *Running) Keep(credentials, received []credential.Network, alter func(*state.Session)) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	s.Credentials, s.Received = credentials, received
	alter(&s.Session)
	s.publish()
	s.table.published.Publish(state.CredentialReceived{Session: s.ID})
}

// Usable gives the networks that were received and can be used, with secrets of the caller's own.
func (s *Running) Usable() []credential.Network {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	return credential.CloneAll(s.Credentials)
}

// publish tells what a session is like now. The caller holds the table's lock.
func (s *Running) publish() {
	s.quiet()
	s.table.published.Publish(state.SessionChanged{Session: s.Session.Clone()})
}

// quiet takes back what changeSoon has promised. The caller holds the table's lock.
func (s *Running) quiet() {
	if s.news != nil {
		s.news.Stop()
		s.news = nil
	}
}

// End says how a session ended, after the interface was given back, and keeps it for a while.
func (s *Running) End(f ending.Ending) {
	t := s.table
	explain := func(told *state.Session) { f.Explain(told) }
	err := fence.Do(t.log, "the end of a session", func() error { t.end(s, f, explain); return nil })
	if err == nil {
		return
	}
	f = ending.Ending{State: state.StateFailed, Reason: outcome.ReasonInternal, Err: err}
	explain = func(told *state.Session) { told.Detail.Case = outcome.Case(outcome.ReasonInternal) }
	_ = fence.Do(t.log, "the end of a session", func() error { t.end(s, f, explain); return nil })
}

// end tells how a session ended, unless that was told before, and keeps it for a while.
func (t *Table) end(ses *Running, f ending.Ending, explain func(*state.Session)) {
	t.over(ses, func() bool { return t.finish(ses, f, explain) })
}

// finish is the part of end that the table's lock guards. It reports false if the end was told
// before.
func (t *Table) finish(ses *Running, f ending.Ending, explain func(*state.Session)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ses.told {
		return false
	}
	ses.State, ses.Reason, ses.ConfigError = f.State, f.Reason, f.ConfigError
	f.Detail(&ses.Detail)
	explain(&ses.Session)
	t.addNames(&ses.Session)
	ses.Sentence = outcome.Sentence(ses.Reason, ses.Detail)
	ses.Cancel(nil)
	ses.quiet()
	ses.told = true
	t.published.Publish(state.SessionEnded{Session: ses.Session.Clone()})
	t.retire(ses)
	ses.logEnd(f.Err)
	return true
}

// retire lets an ended session be removed in time, and the oldest at once if there are too many.
// The caller holds mu.
func (t *Table) retire(ses *Running) {
	if t.closed {
		return // close removes it
	}
	ses.expire = time.AfterFunc(KeepEnded, fence.Func(t.log, "forgetting a session", func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.remove(ses)
	}, nil))
	var oldest *Running
	n := 0
	for _, other := range t.list {
		if other.Interface != ses.Interface || !other.State.Ended() ||
			(other.By == nil) != (ses.By == nil) {
			continue
		}
		n++
		if oldest == nil || other.ID < oldest.ID {
			oldest = other
		}
	}
	if n > MaxEnded {
		t.remove(oldest)
	}
}

// remove removes an ended session and wipes its secrets. The caller holds mu.
func (t *Table) remove(ses *Running) {
	if _, there := t.list[ses.ID]; !there {
		return
	}
	if ses.expire != nil {
		ses.expire.Stop()
	}
	credential.WipeAll(ses.Credentials)
	credential.WipeAll(ses.Received)
	ses.Credentials, ses.Received = nil, nil
	delete(t.list, ses.ID)
	t.published.Publish(state.SessionRemoved{ID: ses.ID})
}

// StopAll tells all to end, and keeps nothing of what ends from now on.
func (t *Table) StopAll(cause error) {
	fence.Locked(&t.mu, func() (none struct{}) { t.closed = true; return none })
	t.Stop(cause, func(*Running) bool { return true })
}

// Close removes all.
func (t *Table) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ses := range t.list {
		t.remove(ses)
	}
}

// addNames puts the names that were heard on the session's interface into what it tells of its end.
func (t *Table) addNames(s *state.Session) {
	if ap, ok := t.published.AccessPoint(s.Interface, s.Wanted); ok {
		s.Detail.Wanted.SSID = ap.SSID
	}
	overlap := make([]outcome.AccessPoint, len(s.Detail.Overlap))
	for n, seen := range s.Detail.Overlap {
		if ap, ok := t.published.AccessPoint(s.Interface, seen.BSSID); ok {
			seen.SSID, seen.UUID = ap.SSID, ap.Ad.UUIDE
		}
		overlap[n] = seen
	}
	s.Detail.Overlap = overlap
}
