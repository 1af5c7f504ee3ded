package hotspot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/hotspot/hotspottest"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

const (
	labelPIN = hotspottest.PIN
	button   = -1
	wrongPIN = wsc.ConfigErrorDevicePasswordAuthFailure
)

var (
	camera      = hotspottest.Camera
	someone     = wsc.MAC{2, 0, 0, 0, 9, 2}
	cameraID    = hotspottest.CameraID
	cameraTries = hotspottest.CameraTries
	cameraIsIn  = hotspottest.CameraIsIn
	runFails    = hotspottest.RunFails
)

// hub is what stands for the service: one interface, uap0.
type hub struct {
	published *state.Published

	mu       sync.Mutex
	steering *Steering
	locked   bool
}

func (h *hub) Steering(ifname string) (*Steering, error) {
	if ifname != hotspottest.Interface {
		return nil, state.ErrNoInterface
	}
	return h.steering, nil
}

func (h *hub) SetupLocked(_ *Steering, locked bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locked = locked
}

func (h *hub) isLocked() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locked
}

func (h *hub) Forgotten(e state.Event) { h.published.Publish(e) }

func (h *hub) Sighted(_ *Steering, e state.Event) { h.published.Publish(e) }

// logBuffer is what was logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// room is Hotspots with nothing around them.
type room struct {
	*testing.T
	*Hotspots
	hub       *hub
	published *state.Published
	sessions  *session.Table
	sub       *state.Subscription
	events    []state.Event
	radio     chan struct{}
	tasks     sync.WaitGroup
	log       logBuffer
}

// inRoom has an access point whose software is steered, in a bubble where time is virtual.
func inRoom(t *testing.T, change func(*hotspottest.Software),
	run func(*room, *hotspottest.Software)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := hotspottest.New()
		if change != nil {
			change(u)
		}
		h := &room{T: t, published: state.New(state.Manager{}), radio: make(chan struct{}, 1)}
		log := slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		h.sessions = session.New(h.published, log,
			func(_ *session.Running, finish func() bool) { finish() })
		h.hub = &hub{published: h.published}
		h.Hotspots = New(h.hub, u, log)
		_, h.sub = h.published.Subscribe()
		var keep func()
		h.hub.steering, keep = h.Steer(t.Context(), hotspottest.Interface)
		h.tasks.Go(keep)
		synctest.Wait()
		run(h, u)
		h.sessions.StopAll(state.ErrShutdown)
		h.hub.steering.End()
		h.tasks.Wait()
		h.sessions.Close()
		if strings.Contains(h.log.String(), labelPIN) {
			t.Error("the log shows a PIN")
		}
		if t.Failed() {
			t.Logf("commands: %s\nlog:\n%s", u.Commands(), h.log.String())
		}
	})
}

// start begins a session as the service does, and waits until it was granted.
func (h *room) start(r session.StartRequest, task session.Task) state.Session {
	h.Helper()
	if err := Check(r); err != nil {
		h.Fatal(err)
	}
	task.Purpose = state.PurposeAdmit
	now := time.Now()
	ctx, cancel := context.WithCancelCause(h.Context())
	ses := h.sessions.Prepare(state.Session{Interface: r.Interface, Role: task.Role(),
		Purpose: task.Purpose, Method: task.Method, Started: now,
		Deadline: now.Add(session.WalkTime)})
	ses.Cancel = cancel
	a := h.Admission(ses, h.hub.steering, h.radio, r, task)
	h.tasks.Go(func() { a.Run(ctx) })
	added := h.sessions.Add(ses)
	synctest.Wait()
	return added
}

// admit starts a session with a PIN, or with the button if timeout is negative.
func (h *room) admit(timeout time.Duration) state.Session {
	h.Helper()
	r := session.StartRequest{Interface: hotspottest.Interface}
	if timeout < 0 {
		return h.start(r, session.Task{Method: state.MethodPBC, Password: devpass.PushButton()})
	}
	r.Timeout = timeout
	return h.start(r, session.Task{Method: state.MethodPIN,
		Password: devpass.FromPIN(secret.FromString(labelPIN))})
}

// end waits for the end of a session.
func (h *room) end(s state.Session) state.Session {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 10*time.Minute)
	defer cancel()
	for {
		e, err := h.sub.Next(ctx)
		if err != nil {
			h.Fatalf("the session does not end: %v", err)
		}
		h.events = append(h.events, e)
		ended, ok := e.(state.SessionEnded)
		if !ok || ended.Session.ID != s.ID {
			continue
		}
		s = ended.Session
		// a client makes the sentence of what D-Bus tells it
		if again := outcome.Sentence(s.Reason, outcome.FromValues(s.Detail.Values())); again !=
			s.Sentence || s.Detail.Case == "" {
			h.Errorf("%q is %q, made of its details", s.Sentence, again)
		}
		return s
	}
}

// wantEnd checks how a session ended.
func (h *room) wantEnd(s state.Session, as state.State, reason outcome.Reason,
	code wsc.ConfigError) {
	h.Helper()
	if s.State != as || s.Reason != reason || s.ConfigError != code {
		h.Fatalf("it ended %s, %s (%d) and not %s, %s (%d): %s", s.State, s.Reason, s.ConfigError,
			as, reason, code, s.Sentence)
	}
	if len(s.Sentence) < 9 || s.Sentence == string(reason) {
		h.Errorf("no sentence for a person: %q", s.Sentence)
	}
}

// drain reads what is there.
func (h *room) drain() {
	synctest.Wait()
	for e, ok := h.sub.TryNext(); ok; e, ok = h.sub.TryNext() {
		h.events = append(h.events, e)
	}
}

// count counts events of one type.
func count[E state.Event](h *room) int {
	n := 0
	for _, e := range h.events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}

func TestAccessPointAdmits(t *testing.T) {
	t.Parallel()
	kind := func(k drivers.APEventKind) drivers.APEvent { return drivers.APEvent{Kind: k} }
	for _, c := range []struct {
		name      string
		timeout   time.Duration // of the PIN; button: push button
		after     time.Duration // when what happens happens
		happens   []drivers.APEvent
		state     state.State
		reason    outcome.Reason
		code      wsc.ConfigError
		within    time.Duration // of the start; 0: at once
		withdrawn bool
	}{
		{"a device with the PIN is in", 0, time.Second,
			[]drivers.APEvent{cameraTries, cameraIsIn, kind(drivers.APSuccess)},
			state.StateSucceeded, "",
			0, 0, false},
		{"a device whose button is pressed is in", button, time.Second,
			[]drivers.APEvent{cameraTries, cameraIsIn, kind(drivers.APPBCDisabled),
				kind(drivers.APSuccess)}, state.StateSucceeded, "", 0, 0, false},
		{"nobody comes within two minutes", 0, 0, nil, state.StateFailed, outcome.ReasonWalkTime,
			wsc.ConfigErrorMessageTimeout, session.WalkTime, true},
		{"nobody comes within the PIN's time", 30 * time.Second, 0, nil, state.StateFailed,
			outcome.ReasonWalkTime, wsc.ConfigErrorMessageTimeout, 30 * time.Second, true},
		{"a device comes late, but within a long time", 10 * time.Minute, 9 * time.Minute,
			[]drivers.APEvent{cameraTries, cameraIsIn}, state.StateSucceeded, "", 0, 0, false},
		{"nobody presses a button", button, 0, nil, state.StateFailed, outcome.ReasonWalkTime,
			wsc.ConfigErrorMessageTimeout, session.WalkTime, true},
		{"the access point's own clock ends the push button", button,
			session.WalkTime - time.Second,
			[]drivers.APEvent{kind(drivers.APTimeout)}, state.StateFailed, outcome.ReasonWalkTime,
			wsc.ConfigErrorMessageTimeout, 0, true},
		// they are to hear why
		{"two devices press their buttons", button, time.Second,
			[]drivers.APEvent{kind(drivers.APOverlap)}, state.StateFailed, outcome.ReasonOverlap,
			wsc.ConfigErrorMultiplePBCSessions, 0, false},
		{"an overlap does not matter for a PIN", 0, time.Second,
			[]drivers.APEvent{kind(drivers.APOverlap), cameraIsIn}, state.StateSucceeded, "",
			0, 0, false},
		{"somebody else cancels the button there", button, time.Second,
			[]drivers.APEvent{kind(drivers.APTimeout), kind(drivers.APCanceled)},
			state.StateCanceled,
			outcome.ReasonCanceled, 0, 0, true},
		{"somebody else cancels the PIN there", 0, time.Second,
			[]drivers.APEvent{kind(drivers.APCanceled)}, state.StateCanceled,
			outcome.ReasonCanceled, 0, 0, true},
		{"a wrong first half may be tried again", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM4, wrongPIN), cameraTries, cameraIsIn},
			state.StateSucceeded, "", 0, 0, false},
		{"a second wrong first half ends it", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM4, wrongPIN), cameraTries,
				runFails(wsc.MsgM4,
					wrongPIN)}, state.StateFailed, outcome.ReasonWrongPINFirst, wrongPIN, 0, true},
		{"one wrong first half, and nothing after, is told when the time is over", time.Minute,
			time.Second, []drivers.APEvent{cameraTries, runFails(wsc.MsgM4, wrongPIN)},
			state.StateFailed,
			outcome.ReasonWrongPINFirst, wrongPIN, time.Minute, true},
		{"a wrong second half ends it", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM6, wrongPIN)}, state.StateFailed,
			outcome.ReasonWrongPINSecond, wrongPIN, 0, true},
		{"a device that gives up is told when the time is over", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM8, wsc.ConfigErrorNone)},
			state.StateFailed,
			outcome.ReasonRejected, 0, session.WalkTime, true},
		{"a push button knows no wrong PIN", button, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM6, wrongPIN)}, state.StateFailed,
			outcome.ReasonRejected, wrongPIN, session.WalkTime, true},
		{"hostapd dies", 0, time.Second, []drivers.APEvent{kind(drivers.APGone)}, state.StateFailed,
			outcome.ReasonLinkLost, 0, 0, false},
		{"hostapd was restarted", button, time.Second, []drivers.APEvent{kind(drivers.APBack)},
			state.StateFailed, outcome.ReasonLinkLost, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, nil, func(h *room, u *hotspottest.Software) {
				s := h.admit(c.timeout)
				if s.Role != state.RoleRegistrar || s.Purpose != state.PurposeAdmit ||
					s.State != state.StateExchanging {
					t.Errorf("the session is %+v", s)
				}
				time.Sleep(c.after)
				u.Tell(c.happens...)
				end := h.end(s)
				if took := time.Since(s.Started); c.within != 0 && took != c.within ||
					c.within == 0 && took != c.after {
					t.Errorf("it took %v", took)
				}
				h.wantEnd(end, c.state, c.reason, c.code)
				if c.state == state.StateSucceeded &&
					(end.Peer != camera || end.Message != wsc.MsgDone ||
						!strings.Contains(end.Sentence, camera.String())) {
					t.Errorf("the end is %+v", end)
				}
				if got := strings.Contains(u.Commands(), "withdraw"); got != c.withdrawn {
					t.Errorf("withdrawn: %v", got)
				}
				// The next one is not troubled by what this one caused.
				next := h.admit(c.timeout)
				u.Tell(cameraIsIn)
				if end := h.end(next); end.State != state.StateSucceeded {
					t.Errorf("the next session: %+v", end)
				}
			})
		})
	}
}

func TestAccessPointGrants(t *testing.T) {
	t.Parallel()
	inRoom(t, nil, func(h *room, u *hotspottest.Software) {
		r := session.StartRequest{Interface: "uap0", PIN: secret.FromString("1234-5670"),
			MAC:     camera,
			Timeout: 5 * time.Minute}
		pin, err := session.ReadPIN(r.PIN, false)
		if err != nil || string(pin.Bytes()) != labelPIN {
			t.Fatal(err)
		}
		s := h.start(r, session.Task{Method: state.MethodPIN, Password: devpass.FromPIN(pin)})
		time.Sleep(250 * time.Second)
		want := "pin 12345670 for 5m0s of 02:00:00:00:09:01; pin 12345670 for 3m20s of 02:00:00:00:09:01; pin 12345670 for 1m40s of 02:00:00:00:09:01"
		if got := u.Commands(); got != want {
			t.Errorf("the access point was told %q", got)
		}
		u.Tell(cameraIsIn)
		h.end(s)

		// Somebody has seen a half of the PIN: it is not given anew.
		s = h.admit(5 * time.Minute)
		u.Tell(cameraTries, runFails(wsc.MsgM4, wrongPIN))
		time.Sleep(250 * time.Second)
		if got := strings.Count(u.Commands(), "pin "); got != 4 {
			t.Errorf("%d grants: %s", got, u.Commands())
		}
		if now, _ := h.published.Session(s.ID); now.State != state.StateExchanging ||
			now.Message != wsc.MsgM4 || now.Peer != camera || now.Detail.PasswordHalf != 1 {
			t.Errorf("after a wrong first half: %+v", now)
		}
		u.Tell(drivers.APEvent{Kind: drivers.APGone})
		h.end(s)

		// Somebody cancels it here.
		s = h.admit(0)
		h.sessions.Stop(ending.ErrCanceled,
			func(ses *session.Running) bool { return ses.ID == s.ID })
		h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonCanceled, 0)
		if !strings.HasSuffix(u.Commands(), "; withdraw") {
			t.Errorf("the access point was told %q", u.Commands())
		}
	})
}

func TestAccessPointRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fail   error
		wps    bool
		reason outcome.Reason
		code   wsc.ConfigError
		says   string
	}{
		{"an overlap from before", drivers.ErrOverlap, true, outcome.ReasonOverlap,
			wsc.ConfigErrorMultiplePBCSessions, "Two devices"},
		{"WPS is off", drivers.ErrRefused, false, outcome.ReasonNotSupported, 0, "wps_state"},
		{"it says no", drivers.ErrRefused, true, outcome.ReasonRejected, 0, "log"},
		{"hostapd does not answer", drivers.ErrUnreachable, true, outcome.ReasonLinkLost, 0,
			"ctrl_interface"},
		{"hostapd's socket is closed to us", fmt.Errorf("%w: %w", drivers.ErrUnreachable,
			fs.ErrPermission), true, outcome.ReasonLinkLost, 0, "ctrl_interface_group=netdev"},
		{"a reply that nobody understands", errors.New("hostapd: unexpected reply"), true,
			outcome.ReasonInternal, 0, "log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inRoom(t, func(u *hotspottest.Software) {
				u.Fail["pbc"], u.WPS = fmt.Errorf("x: %w", c.fail), c.wps
			},
				func(h *room, _ *hotspottest.Software) {
					end := h.end(h.admit(button))
					h.wantEnd(end, state.StateFailed, c.reason, c.code)
					if !strings.Contains(end.Sentence, c.says) {
						t.Errorf("%q does not say %q", end.Sentence, c.says)
					}
				})
		})
	}
}

func TestAccessPointsOwnPIN(t *testing.T) {
	t.Parallel()
	inRoom(t, nil, func(h *room, u *hotspottest.Software) {
		ask := func(r APPINRequest) (string, error) {
			r.Interface = "uap0"
			pin, err := h.APPIN(h.Context(), r)
			return string(pin.Bytes()), err
		}
		for _, r := range []APPINRequest{
			{Command: APPINRandom, Timeout: time.Minute}, {Command: APPINGet},
			{Command: APPINSet, PIN: secret.FromString("1234-5670"), Timeout: time.Hour},
			{Command: APPINDisable},
		} {
			if pin, err := ask(r); err != nil || pin != labelPIN {
				t.Errorf("%s: %q, %v", r.Command, pin, err)
			}
		}
		if got, want := u.Commands(),
			"appin 1  1m0s; appin 2  0s; appin 3 12345670 1h0m0s; appin 0  0s"; got != want {
			t.Errorf("the access point was told %q", got)
		}
		for _, r := range []APPINRequest{
			{}, {Command: "no"}, {Command: APPINGet, PIN: secret.FromString(labelPIN)},
			{Command: APPINDisable, Timeout: time.Second},
			{Command: APPINRandom, Timeout: 25 * time.Hour},
		} {
			if _, err := ask(r); !errors.Is(err, state.ErrInvalid) {
				t.Errorf("%+v: %v", r, err)
			}
		}
		if _, err := ask(APPINRequest{Command: APPINSet}); !errors.Is(err, devpass.ErrPIN) {
			t.Errorf("no PIN to set: %v", err)
		}
		u.Set(func() { u.Fail["appin"] = drivers.ErrRefused })
		if pin, err := ask(APPINRequest{Command: APPINGet}); err != nil || pin != "" {
			t.Errorf("there is no PIN: %q, %v", pin, err)
		}
		if _, err := ask(APPINRequest{Command: APPINRandom}); !errors.Is(err, state.ErrRefused) {
			t.Errorf("refused: %v", err)
		}
		u.Set(func() { u.WPS = false })
		if _, err := ask(APPINRequest{Command: APPINGet}); !errors.Is(err, state.ErrNotSupported) {
			t.Errorf("WPS is off: %v", err)
		}
		locked := func() bool {
			synctest.Wait()
			return h.hub.isLocked()
		}
		u.Tell(drivers.APEvent{Kind: drivers.APSetupLocked})
		if !locked() {
			t.Error("not told that the setup is locked")
		}
		u.Tell(drivers.APEvent{Kind: drivers.APSetupUnlocked})
		if locked() {
			t.Error("not told that it is unlocked")
		}
	})
}

// TestSightingsAreBounded: anybody near can make up devices.
func TestSightingsAreBounded(t *testing.T) {
	t.Parallel()
	inRoom(t, nil, func(h *room, u *hotspottest.Software) {
		seen := drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: camera, UUID: cameraID,
			Device: drivers.APEnrollee{Name: "camera", DevicePasswordID: 4}}
		needed := drivers.APEvent{Kind: drivers.APPINNeeded, MAC: camera, UUID: cameraID}
		for range 100 {
			u.Tell(seen, needed)
		}
		h.drain()
		if count[state.EnrolleeSeen](h) != 1 || count[state.PINNeeded](h) != 1 {
			t.Errorf("told %d, %d times of one device", count[state.EnrolleeSeen](h),
				count[state.PINNeeded](h))
		}
		for n := range 3000 {
			seen.MAC = wsc.MAC{2, 1, 0, 0, byte(n >> 8), byte(n)}
			u.Tell(seen)
		}
		h.drain()
		if n := count[state.EnrolleeSeen](h); n != sightingBurst {
			t.Errorf("told %d times in a flood", n)
		}
		// A flood does not hide who needs a PIN, nor a session's end; and a second one is told
		// again.
		needed.MAC = someone
		u.Tell(needed)
		s := h.admit(0)
		u.Tell(cameraIsIn)
		h.end(s)
		if count[state.PINNeeded](h) != 2 {
			t.Error("a flood of the one hides the other")
		}
		time.Sleep(sightingPause)
		seen.MAC = camera
		u.Tell(seen, seen)
		h.drain()
		if n := count[state.EnrolleeSeen](h); n != sightingBurst+1 {
			t.Errorf("told %d times after the flood", n)
		}
	})
}

// TestAskingEnrollees: who asks is there until he is in, or not heard any more; a flood does not grow
// the list, and at the end of the access point nobody asks there.
func TestAskingEnrollees(t *testing.T) {
	t.Parallel()
	inRoom(t, nil, func(h *room, u *hotspottest.Software) {
		asks := func(when string, want ...wsc.MAC) []state.AskingEnrollee {
			h.Helper()
			h.drain()
			all := h.published.Snapshot().Enrollees
			var got []wsc.MAC
			for _, e := range all {
				got = append(got, e.MAC)
			}
			if !slices.Equal(got, want) {
				h.Errorf("%s: %v ask, not %v", when, got, want)
			}
			return all
		}
		seen := drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: camera, UUID: cameraID,
			Device: drivers.APEnrollee{Name: "camera", DevicePasswordID: 4}}
		needed := drivers.APEvent{Kind: drivers.APPINNeeded, MAC: camera, UUID: cameraID,
			Device: drivers.APEnrollee{Name: "camera"}}
		u.Tell(seen, needed)
		if all := asks("one device", camera); len(all) == 1 && (all[0].PasswordID != 4 ||
			!all[0].PINNeeded || all[0].Name != "camera" || !all[0].LastSeen.Equal(time.Now())) {
			t.Errorf("it is %+v", all[0])
		}
		time.Sleep(askingTime - time.Second)
		seen.MAC = someone
		u.Tell(seen)
		asks("another one comes", camera, someone)
		time.Sleep(time.Second)
		asks("the first was not heard for long", someone)
		u.Tell(needed, drivers.APEvent{Kind: drivers.APEnrolled, MAC: camera})
		asks("it comes again, and is let in", someone)
		time.Sleep(askingTime)
		asks("nobody was heard for long")
		for n := range 3 * maxAsking {
			seen.MAC = wsc.MAC{2, 1, 0, 0, 0, byte(n)}
			u.Tell(seen)
			h.drain()
			time.Sleep(sightingRefill)
		}
		if n := len(h.published.Snapshot().Enrollees); n != maxAsking {
			t.Errorf("%d ask after a flood", n)
		}
		h.hub.steering.End()
		asks("the access point is gone")
	})
}

// TestFencedAdmission: a mistake in a driver ends the session as internal, with what it may have
// granted withdrawn, and the next one goes on.
func TestFencedAdmission(t *testing.T) {
	t.Parallel()
	inRoom(t, func(u *hotspottest.Software) { u.Panics = "pin" },
		func(h *room, u *hotspottest.Software) {
			end := h.end(h.admit(0))
			h.wantEnd(end, state.StateFailed, outcome.ReasonInternal, 0)
			if !strings.HasSuffix(u.Commands(), "withdraw") {
				t.Errorf("not withdrawn: %s", u.Commands())
			}
			s := h.admit(0)
			u.Tell(cameraIsIn)
			h.wantEnd(h.end(s), state.StateSucceeded, "", 0)
		})
}
