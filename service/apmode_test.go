package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/session"
)

var (
	camera   = wsc.MAC{2, 0, 0, 0, 9, 1}
	someone  = wsc.MAC{2, 0, 0, 0, 9, 2}
	cameraID = "12345678-9abc-def0-1234-56789abcdef0"
	errReply = errors.New("hostapd: unexpected reply")
)

// uap is a driver with one interface, an access point unless mode says otherwise. It also is the
// software of the access point, as far as tests tell it what to answer.
type uap struct {
	drivers.UnsupportedDriver
	changed chan struct{}

	mu     sync.Mutex
	mode   drivers.Mode
	opened int
	absent error // what opening fails with
	fail   map[string]error
	panics string // the command in which the driver makes a mistake, once
	wps    bool
	// settings are what it tells of itself beside wps.
	settings drivers.APSettings
	heard    []string
	events   chan drivers.APEvent
	now      *uapControl
	pin      secret.Value
}

func (*uap) Name() string { return "uap" }
func (u *uap) Interfaces(context.Context) ([]drivers.Interface, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return []drivers.Interface{{Name: "uap0", HardwareAddr: homeBSSID, Mode: u.mode}}, nil
}
func (u *uap) Changed() <-chan struct{} { return u.changed }
func (*uap) Station(context.Context, string) (drivers.Station, error) {
	return nil, drivers.ErrNotSupported
}

func (u *uap) AccessPoint(_ context.Context, ifname string) (drivers.AccessPoint, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.opened++
	if u.absent != nil {
		return nil, u.absent
	}
	u.events = make(chan drivers.APEvent, 4096)
	u.now = &uapControl{u: u, events: u.events}
	return u.now, nil
}

func (u *uap) Close() error { return nil }

// do records a command and says what becomes of it.
func (u *uap) do(format string, args ...any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	command := fmt.Sprintf(format, args...)
	u.heard = append(u.heard, command)
	name, _, _ := strings.Cut(command, " ")
	if name == u.panics {
		u.panics = ""
		panic("a mistake in the driver")
	}
	return u.fail[name]
}

func (u *uap) commands() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strings.Join(u.heard, "; ")
}

// tell is what happens at the access point.
func (u *uap) tell(events ...drivers.APEvent) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range events {
		u.events <- e
	}
}

func (u *uap) set(change func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change()
}

// uapControl is one connection to it.
type uapControl struct {
	u      *uap
	events chan drivers.APEvent
	once   sync.Once
}

func (c *uapControl) Settings(context.Context) (drivers.APSettings, error) {
	c.u.mu.Lock()
	defer c.u.mu.Unlock()
	s := c.u.settings
	s.WPS, s.Key = c.u.wps, s.Key.Clone()
	return s, nil
}
func (c *uapControl) AllowPIN(_ context.Context, g drivers.PINGrant) error {
	return c.u.do("pin %s for %v of %v", g.PIN.Bytes(), g.Timeout, wsc.MAC(g.MAC))
}
func (c *uapControl) AllowPBC(context.Context) error {
	err := c.u.do("pbc")
	if err == nil {
		c.events <- drivers.APEvent{Kind: drivers.APPBCActive}
	}
	return err
}
func (c *uapControl) Withdraw(context.Context) error {
	err := c.u.do("withdraw")
	c.events <- drivers.APEvent{Kind: drivers.APTimeout}
	c.events <- drivers.APEvent{Kind: drivers.APCanceled}
	return err
}
func (c *uapControl) APPIN(_ context.Context, r drivers.APPINRequest) (secret.Value, error) {
	if err := c.u.do("appin %d %s %v", r.Command, r.PIN.Bytes(), r.Timeout); err != nil {
		return secret.Value{}, err
	}
	return c.u.pin.Clone(), nil
}
func (c *uapControl) Events() <-chan drivers.APEvent { return c.events }
func (c *uapControl) Close() error {
	c.once.Do(func() { close(c.events) })
	return nil
}

// inHotspot is inHouse for a service whose only interface is an access point, uap0.
func inHotspot(t *testing.T, change func(*uap), run func(*house, *uap)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := &uap{changed: make(chan struct{}, 1), mode: drivers.ModeAP, fail: map[string]error{},
			wps: true, pin: secret.FromString(labelPIN)}
		if change != nil {
			change(u)
		}
		h := &house{T: t}
		var err error
		h.svc, err = New(Config{
			Drivers: []drivers.Driver{u}, AccessPoints: u,
			Log: slog.New(slog.NewTextHandler(&h.log,
				&slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, h.sub = h.svc.Subscribe()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.svc.Run(ctx) }()
		<-h.svc.Ready()
		synctest.Wait()
		run(h, u)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if bytes.Contains(h.log.Bytes(), []byte(labelPIN)) {
			t.Error("the log shows a PIN")
		}
		if t.Failed() {
			t.Logf("commands: %s\nlog:\n%s", u.commands(), h.log.String())
		}
	})
}

// admit starts a session with a PIN, or with the button if timeout is negative, and waits until it
// was granted.
func (h *house) admit(timeout time.Duration) Session {
	h.Helper()
	r := StartRequest{Interface: "uap0", Owner: ":1.1", PIN: secret.FromString(labelPIN),
		Timeout: timeout}
	var s Session
	var err error
	if timeout < 0 {
		r.PIN, r.Timeout = secret.Value{}, 0
		s, err = h.svc.StartPBC(h.Context(), r)
	} else {
		s, _, err = h.svc.StartPIN(h.Context(), r)
	}
	if err != nil {
		h.Fatal(err)
	}
	synctest.Wait()
	return s
}

const button = -1

// Events of a run.
func runFails(message wsc.MessageType, code wsc.ConfigError) drivers.APEvent {
	return drivers.APEvent{Kind: drivers.APFailed, Message: uint8(message),
		ConfigError: uint16(code)}
}

var (
	cameraTries = drivers.APEvent{Kind: drivers.APRunStarted, MAC: camera}
	cameraIsIn  = drivers.APEvent{Kind: drivers.APEnrolled, MAC: camera, UUID: cameraID}
	wrongPIN    = wsc.ConfigErrorDevicePasswordAuthFailure
)

func TestAccessPointAdmits(t *testing.T) {
	t.Parallel()
	kind := func(k drivers.APEventKind) drivers.APEvent { return drivers.APEvent{Kind: k} }
	for _, c := range []struct {
		name      string
		timeout   time.Duration // of the PIN; button: push button
		after     time.Duration // when what happens happens
		happens   []drivers.APEvent
		state     State
		reason    Reason
		code      wsc.ConfigError
		within    time.Duration // of the start; 0: at once
		withdrawn bool
	}{
		{"a device with the PIN is in", 0, time.Second,
			[]drivers.APEvent{cameraTries, cameraIsIn, kind(drivers.APSuccess)}, StateSucceeded, "",
			0, 0, false},
		{"a device whose button is pressed is in", button, time.Second,
			[]drivers.APEvent{cameraTries, cameraIsIn, kind(drivers.APPBCDisabled),
				kind(drivers.APSuccess)}, StateSucceeded, "", 0, 0, false},
		{"nobody comes within two minutes", 0, 0, nil, StateFailed, ReasonWalkTime,
			wsc.ConfigErrorMessageTimeout, session.WalkTime, true},
		{"nobody comes within the PIN's time", 30 * time.Second, 0, nil, StateFailed,
			ReasonWalkTime, wsc.ConfigErrorMessageTimeout, 30 * time.Second, true},
		{"a device comes late, but within a long time", 10 * time.Minute, 9 * time.Minute,
			[]drivers.APEvent{cameraTries, cameraIsIn}, StateSucceeded, "", 0, 0, false},
		{"nobody presses a button", button, 0, nil, StateFailed, ReasonWalkTime,
			wsc.ConfigErrorMessageTimeout, session.WalkTime, true},
		{"the access point's own clock ends the push button", button, session.WalkTime - time.Second,
			[]drivers.APEvent{kind(drivers.APTimeout)}, StateFailed, ReasonWalkTime,
			wsc.ConfigErrorMessageTimeout, 0, true},
		// they are to hear why
		{"two devices press their buttons", button, time.Second,
			[]drivers.APEvent{kind(drivers.APOverlap)}, StateFailed, ReasonOverlap,
			wsc.ConfigErrorMultiplePBCSessions, 0, false},
		{"an overlap does not matter for a PIN", 0, time.Second,
			[]drivers.APEvent{kind(drivers.APOverlap), cameraIsIn}, StateSucceeded, "",
			0, 0, false},
		{"somebody else cancels the button there", button, time.Second,
			[]drivers.APEvent{kind(drivers.APTimeout), kind(drivers.APCanceled)}, StateCanceled,
			ReasonCanceled, 0, 0, true},
		{"somebody else cancels the PIN there", 0, time.Second,
			[]drivers.APEvent{kind(drivers.APCanceled)}, StateCanceled, ReasonCanceled, 0, 0, true},
		{"a wrong first half may be tried again", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM4, wrongPIN), cameraTries, cameraIsIn},
			StateSucceeded, "", 0, 0, false},
		{"a second wrong first half ends it", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM4, wrongPIN), cameraTries,
				runFails(wsc.MsgM4,
					wrongPIN)}, StateFailed, ReasonWrongPINFirst, wrongPIN, 0, true},
		{"one wrong first half, and nothing after, is told when the time is over", time.Minute,
			time.Second, []drivers.APEvent{cameraTries, runFails(wsc.MsgM4, wrongPIN)}, StateFailed,
			ReasonWrongPINFirst, wrongPIN, time.Minute, true},
		{"a wrong second half ends it", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM6, wrongPIN)}, StateFailed,
			ReasonWrongPINSecond, wrongPIN, 0, true},
		{"a device that gives up is told when the time is over", 0, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM8, wsc.ConfigErrorNone)}, StateFailed,
			ReasonRejected, 0, session.WalkTime, true},
		{"a push button knows no wrong PIN", button, time.Second,
			[]drivers.APEvent{cameraTries, runFails(wsc.MsgM6, wrongPIN)}, StateFailed,
			ReasonRejected, wrongPIN, session.WalkTime, true},
		{"hostapd dies", 0, time.Second, []drivers.APEvent{kind(drivers.APGone)}, StateFailed,
			ReasonLinkLost, 0, 0, false},
		{"hostapd was restarted", button, time.Second, []drivers.APEvent{kind(drivers.APBack)},
			StateFailed, ReasonLinkLost, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inHotspot(t, nil, func(h *house, u *uap) {
				s := h.admit(c.timeout)
				if s.Role != RoleRegistrar || s.Purpose != PurposeAdmit ||
					s.State != StateExchanging {
					t.Errorf("the session is %+v", s)
				}
				time.Sleep(c.after)
				u.tell(c.happens...)
				end := h.end(s)
				if took := time.Since(s.Started); c.within != 0 && took != c.within ||
					c.within == 0 && took != c.after {
					t.Errorf("it took %v", took)
				}
				h.wantEnd(end, c.state, c.reason, c.code)
				if c.state == StateSucceeded &&
					(end.Peer != camera || end.Message != wsc.MsgDone ||
						!strings.Contains(end.Sentence, camera.String())) {
					t.Errorf("the end is %+v", end)
				}
				if got := strings.Contains(u.commands(), "withdraw"); got != c.withdrawn {
					t.Errorf("withdrawn: %v", got)
				}
				// The next one is not troubled by what this one caused.
				next := h.admit(c.timeout)
				u.tell(cameraIsIn)
				if end := h.end(next); end.State != StateSucceeded {
					t.Errorf("the next session: %+v", end)
				}
			})
		})
	}
}

func TestAccessPointGrants(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *uap) {
		r := StartRequest{Interface: "uap0", PIN: secret.FromString("1234-5670"), MAC: camera,
			Timeout: 5 * time.Minute}
		s, pin, err := h.svc.StartPIN(h.Context(), r)
		if err != nil || string(pin.Bytes()) != labelPIN {
			t.Fatal(err)
		}
		time.Sleep(250 * time.Second)
		want := "pin 12345670 for 5m0s of 02:00:00:00:09:01; pin 12345670 for 3m20s of 02:00:00:00:09:01; pin 12345670 for 1m40s of 02:00:00:00:09:01"
		if got := u.commands(); got != want {
			t.Errorf("the access point was told %q", got)
		}
		u.tell(cameraIsIn)
		h.end(s)

		// Somebody has seen a half of the PIN: it is not given anew.
		s = h.admit(5 * time.Minute)
		u.tell(cameraTries, runFails(wsc.MsgM4, wrongPIN))
		time.Sleep(250 * time.Second)
		if got := strings.Count(u.commands(), "pin "); got != 4 {
			t.Errorf("%d grants: %s", got, u.commands())
		}
		if now, _ := h.svc.Session(s.ID); now.State != StateExchanging ||
			now.Message != wsc.MsgM4 || now.Peer != camera || now.Detail.PasswordHalf != 1 {
			t.Errorf("after a wrong first half: %+v", now)
		}
		u.tell(drivers.APEvent{Kind: drivers.APGone})
		h.end(s)

		// Without a PIN one is made.
		s, pin, err = h.svc.StartPIN(h.Context(), StartRequest{Interface: "uap0"})
		if err != nil || pin.Len() != 8 {
			t.Fatal(err)
		}
		synctest.Wait()
		if !strings.HasSuffix(u.commands(),
			"pin "+string(pin.Bytes())+" for 2m0s of 00:00:00:00:00:00") {
			t.Errorf("the access point was told %q", u.commands())
		}
		if err := h.svc.CancelInterface(h.Context(), "uap0"); err != nil {
			t.Error(err)
		}
		h.wantEnd(h.end(s), StateCanceled, ReasonCanceled, 0)
		if !strings.HasSuffix(u.commands(), "; withdraw") {
			t.Errorf("the access point was told %q", u.commands())
		}
	})
}

func TestAccessPointRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fail   error
		wps    bool
		reason Reason
		code   wsc.ConfigError
		says   string
	}{
		{"an overlap from before", drivers.ErrOverlap, true, ReasonOverlap,
			wsc.ConfigErrorMultiplePBCSessions, "Two devices"},
		{"WPS is off", drivers.ErrRefused, false, ReasonNotSupported, 0, "wps_state"},
		{"it says no", drivers.ErrRefused, true, ReasonRejected, 0, "log"},
		{"hostapd does not answer", drivers.ErrUnreachable, true, ReasonLinkLost, 0,
			"ctrl_interface"},
		{"hostapd's socket is closed to us", fmt.Errorf("%w: %w", drivers.ErrUnreachable,
			fs.ErrPermission), true, ReasonLinkLost, 0, "ctrl_interface_group=netdev"},
		{"a reply that nobody understands", errReply, true, ReasonInternal, 0, "log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inHotspot(t, func(u *uap) { u.fail["pbc"], u.wps = fmt.Errorf("x: %w", c.fail), c.wps },
				func(h *house, _ *uap) {
					end := h.end(h.admit(button))
					h.wantEnd(end, StateFailed, c.reason, c.code)
					if !strings.Contains(end.Sentence, c.says) {
						t.Errorf("%q does not say %q", end.Sentence, c.says)
					}
				})
		})
	}
}

func TestBadRequestsToAnAccessPoint(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *uap) {
		pin := secret.FromString(labelPIN)
		for _, c := range []struct {
			r    StartRequest
			want error
		}{
			{StartRequest{Interface: "uap0", PIN: pin, BSSID: homeBSSID}, ErrInvalid},
			{StartRequest{Interface: "uap0", PIN: pin, MAC: wsc.MAC{1}}, ErrInvalid},
			{StartRequest{Interface: "uap0", PIN: pin, Timeout: 25 * time.Hour}, ErrInvalid},
			{StartRequest{Interface: "uap0", PIN: pin, Timeout: -1}, ErrInvalid},
			{StartRequest{Interface: "uap1", PIN: pin}, ErrNoInterface},
			{StartRequest{Interface: "uap0", PIN: secret.FromString("12345671")},
				devpass.ErrPINChecksum},
		} {
			if _, _, err := h.svc.StartPIN(h.Context(), c.r); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v, want %v", c.r, err, c.want)
			}
		}
		if err := h.svc.Scan(h.Context(), "uap0"); !errors.Is(err, ErrNotSupported) {
			t.Errorf("Scan: %v", err)
		}
		s := h.admit(0)
		if _, _, err := h.svc.StartPIN(h.Context(),
			StartRequest{Interface: "uap0"}); !errors.Is(err, ErrBusy) {
			t.Errorf("a second session: %v", err)
		}
		h.svc.ReleaseOwner(s.Owner)
		h.wantEnd(h.end(s), StateCanceled, ReasonOwnerLeft, 0)
		if n := strings.Count(u.commands(), "pin"); n != 1 {
			t.Errorf("%s", u.commands())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, nil, func(h *house) {
			for _, r := range []StartRequest{{Interface: "wlan0", Timeout: time.Minute},
				{Interface: "wlan0", MAC: camera}} {
				if _, _, err := h.svc.StartPIN(h.Context(), r); !errors.Is(err, ErrNotSupported) {
					t.Errorf("a station takes %+v: %v", r, err)
				}
			}
			if _, err := h.svc.APPIN(h.Context(),
				APPINRequest{Interface: "wlan0", Command: APPINGet}); !errors.Is(err,
				ErrNotSupported) {
				t.Errorf("a station's PIN: %v", err)
			}
		})
	})
}

// TestSteeringComesAndGoes: the software may come after the interface, and stop, and come back.
func TestSteeringComesAndGoes(t *testing.T) {
	t.Parallel()
	inHotspot(t, func(u *uap) { u.absent = drivers.ErrUnreachable }, func(h *house, u *uap) {
		time.Sleep(time.Second)
		u.set(func() { u.absent = nil })
		time.Sleep(time.Second)
		u.tell(drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: camera, UUID: cameraID})
		h.wait(func(e Event) bool { _, ok := e.(EnrolleeSeen); return ok })

		// Its socket's directory goes, and nobody looks for it for ever.
		u.set(func() { u.absent = drivers.ErrUnreachable; _ = u.now.Close() })
		time.Sleep(time.Minute)
		var before, after int
		u.set(func() { before = u.opened })
		time.Sleep(time.Hour)
		if u.set(func() { after = u.opened }); after != before {
			t.Errorf("looked for %d times in an idle hour", after-before)
		}
		h.wantEnd(h.end(h.admit(0)), StateFailed, ReasonLinkLost, 0)
		if _, err := h.svc.APPIN(h.Context(),
			APPINRequest{Interface: "uap0", Command: APPINGet}); !errors.Is(err, ErrUnreachable) {
			t.Errorf("APPIN: %v", err)
		}
		u.set(func() { u.absent = nil })
		u.changed <- struct{}{}
		time.Sleep(time.Second)
		s := h.admit(0)
		u.tell(cameraIsIn)
		h.wantEnd(h.end(s), StateSucceeded, "", 0)

		// It stops in good order: the interface is a station again.
		s = h.admit(0)
		u.set(func() { u.mode = drivers.ModeStation })
		u.changed <- struct{}{}
		h.wantEnd(h.end(s), StateFailed, ReasonInterfaceGone, 0)
	})
}

func TestAccessPointsOwnPIN(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *uap) {
		ask := func(r APPINRequest) (string, error) {
			r.Interface = "uap0"
			pin, err := h.svc.APPIN(h.Context(), r)
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
		if got, want := u.commands(),
			"appin 1  1m0s; appin 2  0s; appin 3 12345670 1h0m0s; appin 0  0s"; got != want {
			t.Errorf("the access point was told %q", got)
		}
		for _, r := range []APPINRequest{
			{}, {Command: "no"}, {Command: APPINGet, PIN: secret.FromString(labelPIN)},
			{Command: APPINDisable, Timeout: time.Second},
			{Command: APPINRandom, Timeout: 25 * time.Hour},
		} {
			if _, err := ask(r); !errors.Is(err, ErrInvalid) {
				t.Errorf("%+v: %v", r, err)
			}
		}
		if _, err := ask(APPINRequest{Command: APPINSet}); !errors.Is(err, devpass.ErrPIN) {
			t.Errorf("no PIN to set: %v", err)
		}
		u.set(func() { u.fail["appin"] = drivers.ErrRefused })
		if pin, err := ask(APPINRequest{Command: APPINGet}); err != nil || pin != "" {
			t.Errorf("there is no PIN: %q, %v", pin, err)
		}
		if _, err := ask(APPINRequest{Command: APPINRandom}); !errors.Is(err, ErrRefused) {
			t.Errorf("refused: %v", err)
		}
		u.set(func() { u.wps = false })
		if _, err := ask(APPINRequest{Command: APPINGet}); !errors.Is(err, ErrNotSupported) {
			t.Errorf("WPS is off: %v", err)
		}
		locked := func() bool {
			e := h.wait(func(e Event) bool { _, ok := e.(InterfaceChanged); return ok })
			return e.(InterfaceChanged).Interface.SetupLocked
		}
		u.tell(drivers.APEvent{Kind: drivers.APSetupLocked})
		if !locked() {
			t.Error("not told that the setup is locked")
		}
		u.tell(drivers.APEvent{Kind: drivers.APSetupUnlocked})
		if locked() {
			t.Error("not told that it is unlocked")
		}
	})
}

// TestSightingsAreBounded: anybody near can make up devices.
func TestSightingsAreBounded(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *uap) {
		seen := drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: camera, UUID: cameraID,
			Device: drivers.APEnrollee{Name: "camera", DevicePasswordID: 4}}
		needed := drivers.APEvent{Kind: drivers.APPINNeeded, MAC: camera, UUID: cameraID}
		for range 100 {
			u.tell(seen, needed)
		}
		h.drain()
		if count[EnrolleeSeen](h) != 1 || count[PINNeeded](h) != 1 {
			t.Errorf("told %d, %d times of one device", count[EnrolleeSeen](h), count[PINNeeded](h))
		}
		for n := range 3000 {
			seen.MAC = wsc.MAC{2, 1, 0, 0, byte(n >> 8), byte(n)}
			u.tell(seen)
		}
		h.drain()
		if n := count[EnrolleeSeen](h); n != sightingBurst {
			t.Errorf("told %d times in a flood", n)
		}
		// A flood does not hide who needs a PIN, nor a session's end; and a second one is told
		// again.
		needed.MAC = someone
		u.tell(needed)
		s := h.admit(0)
		u.tell(cameraIsIn)
		h.end(s)
		if count[PINNeeded](h) != 2 {
			t.Error("a flood of the one hides the other")
		}
		time.Sleep(sightingPause)
		seen.MAC = camera
		u.tell(seen, seen)
		h.drain()
		if n := count[EnrolleeSeen](h); n != sightingBurst+1 {
			t.Errorf("told %d times after the flood", n)
		}
	})
}
