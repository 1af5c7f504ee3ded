package service

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"wpsd/engine/credential"
	"wpsd/service/fence"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

const (
	// keepEnded and maxEnded bound how long, and how many per interface, ended sessions are kept
	// with what they received.
	keepEnded = 10 * time.Minute
	maxEnded  = 16
	// progressPause is how long a message of a run must be the newest to be told: what the run
	// waits for shows, what nobody could read does not. To tell each message over D-Bus takes as
	// long as the run.
	progressPause = 10 * time.Millisecond
)

// sessions are those that run, and those that ended not long ago. Its lock is taken after
// Service.mu, where both are held, and before that of published.
type sessions struct {
	log       *slog.Logger
	published *state.Published
	// over is called at the end of each session, without the table's lock: it calls finish, which
	// tells the end, and reports false if that was told before
	over func(ses *session, finish func() bool)

	mu     sync.Mutex
	closed bool // what ends now is not kept
	last   SessionID
	list   map[SessionID]*session
}

func newSessions(p *state.Published, log *slog.Logger,
	over func(ses *session, finish func() bool)) *sessions {
	return &sessions{log: log, published: p, over: over, list: make(map[SessionID]*session)}
}

// session is a Session and what belongs to it. Its table's lock guards it, but for what never
// changes; what its goroutine alone uses is in enrolment.
type session struct {
	Session
	table       *sessions
	by          any                  // the External Registrar whose run it is; nil: none
	cancel      func(cause error)    // called without the lock
	told        bool                 // its end was
	stopping    bool                 // told to end: the interface may be promised to the next
	credentials []credential.Network // that can be used
	received    []credential.Network // one for each Credential attribute; see attributes
	// tells what changeSoon has altered; nil: nothing is left to tell
	news   *time.Timer
	expire *time.Timer // removes it, once it has ended
}

// prepare makes a session with an id of its own, which add tells of.
func (t *sessions) prepare(s Session) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	s.ID = t.last
	return &session{Session: s, table: t}
}

// add puts a session into the table, and tells of it.
func (t *sessions) add(ses *session) Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list[ses.ID] = ses
	t.published.Publish(SessionAdded{Session: ses.Session.Clone()})
	return ses.Session.Clone()
}

// running counts the sessions that have not ended: those of External Registrars, or all others.
func (t *sessions) running(er bool) int {
	return t.count(func(ses *session) bool { return (ses.by != nil) == er && !ses.State.Ended() })
}

// count counts the sessions that are so.
func (t *sessions) count(is func(*session) bool) int {
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

// stop tells all that are so and run to end, and why. It returns how many these are.
func (t *sessions) stop(cause error, is func(*session) bool) int {
	var cancel []func(error)
	locked(&t.mu, func() (none struct{}) {
		for _, ses := range t.list {
			if !ses.State.Ended() && is(ses) {
				ses.stopping = true
				cancel = append(cancel, ses.cancel)
			}
		}
		return none
	})
	for _, c := range cancel {
		c(cause)
	}
	return len(cancel)
}

// stop tells a session to end, and why. The first cause counts.
func (s *session) stop(cause error) {
	s.table.stop(cause, func(other *session) bool { return other == s })
}

// giveWay ends a session for another one on its interface, if it may: a hand-over goes on without
// it, everything else only if that was asked for.
func (s *session) giveWay(anew bool) error {
	cause, err := s.mayGiveWay(anew)
	if cause != nil {
		s.stop(cause)
	}
	return err
}

// mayGiveWay says why a session is to end now, if it is, or why it must not.
func (s *session) mayGiveWay(anew bool) (cause, err error) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	switch {
	case s.stopping || s.State.Ended():
		return nil, nil
	case s.State == StateHandingOver:
		cause = errSuperseded
	case anew && s.Purpose != PurposeAdmit:
		cause = errReplaced
	default:
		return nil, fmt.Errorf("%w (%s, session %d)", ErrBusy, s.Interface, s.ID)
	}
	s.Replaced = true
	return cause, nil
}

// networks gives what a session has received, as a copy with secrets of its own.
func (t *sessions) networks(id SessionID,
	of func(*session) []credential.Network) ([]credential.Network, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ses, ok := t.list[id]
	if !ok {
		return nil, fmt.Errorf("%w (%d)", ErrNoSession, id)
	}
	return credential.CloneAll(of(ses)), nil
}

// change lets its goroutine alter a session, and tells.
func (s *session) change(alter func(*Session)) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	alter(&s.Session)
	s.publish()
}

// changeSoon is change for what is only worth telling if it lasts: it is told in a moment, unless
// anything else of the session is told before, which then tells this as well.
func (s *session) changeSoon(alter func(*Session)) {
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

// note alters a session without telling: something else is about to be told.
func (s *session) note(alter func(*Session)) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	alter(&s.Session)
}

// keep gives a session what it received, and tells what else changes with that. The networks are
// the session's from now on.
func (s *session) keep(credentials, received []credential.Network, alter func(*Session)) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	s.credentials, s.received = credentials, received
	alter(&s.Session)
	s.publish()
	s.table.published.Publish(CredentialReceived{Session: s.ID})
}

// usable gives the networks that were received and can be used, with secrets of the caller's own.
func (s *session) usable() []credential.Network {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	return credential.CloneAll(s.credentials)
}

// publish tells what a session is like now. The caller holds the table's lock.
func (s *session) publish() {
	s.quiet()
	s.table.published.Publish(SessionChanged{Session: s.Session.Clone()})
}

// quiet takes back what changeSoon has promised. The caller holds the table's lock.
func (s *session) quiet() {
	if s.news != nil {
		s.news.Stop()
		s.news = nil
	}
}

// end says how a session ended, after the interface was given back, and keeps it for a while.
func (s *session) end(f failure) {
	t := s.table
	explain := func(told *Session) { f.explain(told) }
	err := fence.Do(t.log, "the end of a session", func() error { t.end(s, f, explain); return nil })
	if err == nil {
		return
	}
	f = failure{state: StateFailed, reason: ReasonInternal, err: err}
	explain = func(told *Session) { told.Detail.Case = outcome.Case(ReasonInternal) }
	_ = fence.Do(t.log, "the end of a session", func() error { t.end(s, f, explain); return nil })
}

// end tells how a session ended, unless that was told before, and keeps it for a while.
func (t *sessions) end(ses *session, f failure, explain func(*Session)) {
	t.over(ses, func() bool { return t.finish(ses, f, explain) })
}

// finish is the part of end that the table's lock guards. It reports false if the end was told
// before.
func (t *sessions) finish(ses *session, f failure, explain func(*Session)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ses.told {
		return false
	}
	ses.State, ses.Reason, ses.ConfigError = f.state, f.reason, f.configError
	f.detail(&ses.Detail)
	explain(&ses.Session)
	t.addNames(&ses.Session)
	ses.Sentence = outcome.Sentence(ses.Reason, ses.Detail)
	ses.cancel(nil)
	ses.quiet()
	ses.told = true
	t.published.Publish(SessionEnded{Session: ses.Session.Clone()})
	t.retire(ses)
	ses.logEnd(f.err)
	return true
}

// retire lets an ended session be removed in time, and the oldest at once if there are too many.
// The caller holds mu.
func (t *sessions) retire(ses *session) {
	if t.closed {
		return // close removes it
	}
	ses.expire = time.AfterFunc(keepEnded, fence.Func(t.log, "forgetting a session", func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.remove(ses)
	}, nil))
	var oldest *session
	n := 0
	for _, other := range t.list {
		if other.Interface != ses.Interface || !other.State.Ended() ||
			(other.by == nil) != (ses.by == nil) {
			continue
		}
		n++
		if oldest == nil || other.ID < oldest.ID {
			oldest = other
		}
	}
	if n > maxEnded {
		t.remove(oldest)
	}
}

// remove removes an ended session and wipes its secrets. The caller holds mu.
func (t *sessions) remove(ses *session) {
	if _, there := t.list[ses.ID]; !there {
		return
	}
	if ses.expire != nil {
		ses.expire.Stop()
	}
	credential.WipeAll(ses.credentials)
	credential.WipeAll(ses.received)
	ses.credentials, ses.received = nil, nil
	delete(t.list, ses.ID)
	t.published.Publish(SessionRemoved{ID: ses.ID})
}

// stopAll tells all to end, and keeps nothing of what ends from now on.
func (t *sessions) stopAll(cause error) {
	locked(&t.mu, func() (none struct{}) { t.closed = true; return none })
	t.stop(cause, func(*session) bool { return true })
}

// close removes all.
func (t *sessions) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ses := range t.list {
		t.remove(ses)
	}
}

// addNames puts the names that were heard on the session's interface into what it tells of its end.
func (t *sessions) addNames(s *Session) {
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
