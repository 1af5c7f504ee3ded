package session

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// bench is a Table with nothing around it.
type bench struct {
	*testing.T
	*Table
	p    *state.Published
	sub  *state.Subscription
	log  bytes.Buffer
	over []state.SessionID // as was told
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, p: state.New(state.Manager{})}
	b.Table = New(b.p, slog.New(slog.NewTextHandler(&b.log, nil)),
		func(r *Running, finish func() bool) {
			if finish() {
				b.over = append(b.over, r.ID)
			}
		})
	_, b.sub = b.p.Subscribe()
	return b
}

// start adds a session, and notes with what it is canceled.
func (b *bench) start(s state.Session, canceled *error) *Running {
	b.Helper()
	s.Started = time.Now()
	r := b.Prepare(s)
	r.Cancel = func(cause error) {
		if canceled != nil && cause != nil {
			*canceled = cause
		}
	}
	if got := b.Add(r); got.ID != r.ID {
		b.Errorf("%+v", got)
	}
	return r
}

// told lists what was published since the last time, without "state.".
func (b *bench) told() string {
	synctest.Wait()
	var list []string
	for e, ok := b.sub.TryNext(); ok; e, ok = b.sub.TryNext() {
		list = append(list, strings.TrimPrefix(fmt.Sprintf("%T", e), "state."))
	}
	return strings.Join(list, " ")
}

// TestTable: the life of sessions, without any procedure.
func TestTable(t *testing.T) {
	t.Parallel()
	wlan0 := state.Session{Interface: "wlan0", Owner: ":1.1", State: state.StateScanning}
	for _, scene := range []struct {
		name string
		run  func(b *bench)
	}{
		{"what lasts a moment only is not told", func(b *bench) {
			r := b.start(wlan0, nil)
			r.ChangeSoon(func(s *state.Session) { s.Message = wsc.MsgM1 })
			r.ChangeSoon(func(s *state.Session) { s.Message = wsc.MsgM2 })
			if now, _ := b.p.Session(r.ID); now.Message != wsc.MsgM2 || b.told() != "SessionAdded" {
				b.Errorf("%+v", now)
			}
			time.Sleep(progressPause)
			if told := b.told(); told != "SessionChanged" {
				b.Error(told)
			}
			r.ChangeSoon(func(s *state.Session) { s.Message = wsc.MsgM3 })
			r.Change(func(s *state.Session) { s.State = state.StateExchanging })
			time.Sleep(progressPause)
			if told := b.told(); told != "SessionChanged" {
				b.Error(told)
			}
		}},
		{"an end is told once, and logged with what led to it", func(b *bench) {
			r := b.start(wlan0, nil)
			r.ChangeSoon(func(s *state.Session) { s.Message = wsc.MsgM1 })
			r.End(ending.Of(ending.ErrWalkTime, state.MethodPBC))
			r.End(ending.Of(nil, state.MethodPBC))
			time.Sleep(time.Second)
			s, _ := b.p.Session(r.ID)
			if told := b.told(); told != "SessionAdded SessionEnded" || len(b.over) != 1 ||
				s.Reason != outcome.ReasonWalkTime || s.Sentence == "" ||
				!strings.Contains(b.log.String(), "the walk time expired") {
				b.Errorf("%s: %+v\n%s", told, s, b.log.String())
			}
		}},
		{"what it received goes with it, ten minutes later", func(b *bench) {
			r := b.start(wlan0, nil)
			key := secret.FromString("correct horse")
			r.Keep([]credential.Network{{Key: key}}, nil, func(s *state.Session) {
				s.Detail.Credentials = 1
			})
			r.End(ending.Of(nil, state.MethodPBC))
			got, err := b.Networks(r.ID, func(r *Running) []credential.Network {
				return r.Credentials
			})
			if err != nil || len(got) != 1 || !got[0].Key.Equal(key) {
				b.Errorf("%v, %v", got, err)
			}
			time.Sleep(KeepEnded)
			synctest.Wait()
			if _, err := b.Networks(r.ID, nil); !errors.Is(err, state.ErrNoSession) ||
				!bytes.Equal(key.Bytes(), make([]byte, len("correct horse"))) {
				b.Errorf("%v, and its key is %q", err, key.Bytes())
			}
			if told := b.told(); told !=
				"SessionAdded SessionChanged CredentialReceived SessionEnded SessionRemoved" {
				b.Error(told)
			}
		}},
		{"those that are meant are stopped, and only if they run", func(b *bench) {
			var one, two, three error
			b.start(wlan0, &one)
			b.start(state.Session{Owner: ":1.2"}, &two)
			b.start(state.Session{Owner: ":1.2"}, &three).End(ending.Of(nil, state.MethodPIN))
			n := b.Stop(ending.ErrOwnerLeft, func(r *Running) bool { return r.Owner == ":1.2" })
			if n != 1 || one != nil || !errors.Is(two, ending.ErrOwnerLeft) || three != nil {
				b.Errorf("%d: %v, %v, %v", n, one, two, three)
			}
		}},
		{"another one takes the place of one that hands over, of others if asked to",
			func(b *bench) {
				var cause error
				r := b.start(wlan0, &cause)
				if err := r.GiveWay(false); !errors.Is(err, state.ErrBusy) || cause != nil {
					b.Errorf("%v, %v", err, cause)
				}
				if err := r.GiveWay(true); err != nil || !errors.Is(cause, ending.ErrReplaced) {
					b.Errorf("%v, %v", err, cause)
				}
				r = b.start(state.Session{State: state.StateHandingOver}, &cause)
				if err := r.GiveWay(false); err != nil ||
					!errors.Is(cause, ending.ErrSuperseded) {
					b.Errorf("%v, %v", err, cause)
				}
				r = b.start(state.Session{Purpose: state.PurposeAdmit}, nil)
				if err := r.GiveWay(true); !errors.Is(err, state.ErrBusy) {
					b.Error(err)
				}
				r.End(ending.Of(nil, state.MethodPBC))
				if err := r.GiveWay(false); err != nil {
					b.Error(err)
				}
			}},
		{"ended ones are bounded for each interface, External Registrars' by themselves",
			func(b *bench) {
				for range MaxEnded + 2 {
					b.start(wlan0, nil).End(ending.Of(nil, state.MethodPBC))
				}
				r := b.Prepare(wlan0)
				r.By, r.Cancel = b, func(error) {}
				b.Add(r)
				if b.Running(true) != 1 || b.Running(false) != 0 {
					b.Error("counted otherwise")
				}
				r.End(ending.Of(nil, state.MethodPBC))
				if n := len(b.p.Snapshot().Sessions); n != MaxEnded+1 {
					b.Errorf("%d", n)
				}
			}},
		{"at the end all are told to end, and nothing is kept", func(b *bench) {
			var cause error
			r := b.start(wlan0, &cause)
			b.StopAll(state.ErrShutdown)
			r.End(ending.Of(cause, state.MethodPBC))
			b.Close()
			if n := len(b.p.Snapshot().Sessions); n != 0 || !errors.Is(cause, state.ErrShutdown) {
				b.Errorf("%d, %v", n, cause)
			}
		}},
	} {
		t.Run(scene.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { scene.run(newBench(t)) })
		})
	}
}
