package service

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/hotspot"
	"wpsd/service/hotspot/hotspottest"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

var (
	camera      = hotspottest.Camera
	cameraID    = hotspottest.CameraID
	cameraTries = hotspottest.CameraTries
	cameraIsIn  = hotspottest.CameraIsIn
	runFails    = hotspottest.RunFails
)

// inHotspot is inHouse for a service whose only interface is an access point, uap0.
func inHotspot(t *testing.T, change func(*hotspottest.Software),
	run func(*house, *hotspottest.Software)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := hotspottest.New()
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
		_, h.sub = h.svc.Published().Subscribe()
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
			t.Logf("commands: %s\nlog:\n%s", u.Commands(), h.log.String())
		}
	})
}

// admit starts a session with a PIN, or with the button if timeout is negative, and waits until it
// was granted.
func (h *house) admit(timeout time.Duration) state.Session {
	h.Helper()
	r := session.StartRequest{Interface: "uap0", Owner: ":1.1", PIN: secret.FromString(labelPIN),
		Timeout: timeout}
	var s state.Session
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

// TestAccessPointMakesAPIN: without a PIN one is made, and the session is the interface's.
func TestAccessPointMakesAPIN(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
		s, pin, err := h.svc.StartPIN(h.Context(), session.StartRequest{Interface: "uap0"})
		if err != nil || pin.Len() != 8 {
			t.Fatal(err)
		}
		if s.Role != state.RoleRegistrar || s.Purpose != state.PurposeAdmit ||
			s.State != state.StateExchanging {
			t.Errorf("the session is %+v", s)
		}
		synctest.Wait()
		if !strings.HasSuffix(u.Commands(),
			"pin "+string(pin.Bytes())+" for 2m0s of 00:00:00:00:00:00") {
			t.Errorf("the access point was told %q", u.Commands())
		}
		if err := h.svc.CancelInterface(h.Context(), "uap0"); err != nil {
			t.Error(err)
		}
		h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonCanceled, 0)
		if !strings.HasSuffix(u.Commands(), "; withdraw") {
			t.Errorf("the access point was told %q", u.Commands())
		}

		// The PIN may be written as on a label, and who named it has it back.
		r := session.StartRequest{Interface: "uap0", PIN: secret.FromString("1234-5670"),
			MAC:     camera,
			Timeout: 5 * time.Minute}
		s, pin, err = h.svc.StartPIN(h.Context(), r)
		if err != nil || string(pin.Bytes()) != labelPIN {
			t.Fatal(err)
		}
		synctest.Wait()
		if !strings.HasSuffix(u.Commands(), "pin 12345670 for 5m0s of 02:00:00:00:09:01") {
			t.Errorf("the access point was told %q", u.Commands())
		}
		u.Tell(cameraIsIn)
		h.wantEnd(h.end(s), state.StateSucceeded, "", 0)
	})
}

// TestAccessPointIsLocked: what an access point says of its own PIN is a property of its interface.
func TestAccessPointIsLocked(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
		locked := func() bool {
			e := h.wait(func(e state.Event) bool { _, ok := e.(state.InterfaceChanged); return ok })
			return e.(state.InterfaceChanged).Interface.SetupLocked
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

func TestBadRequestsToAnAccessPoint(t *testing.T) {
	t.Parallel()
	inHotspot(t, nil, func(h *house, u *hotspottest.Software) {
		pin := secret.FromString(labelPIN)
		for _, c := range []struct {
			r    session.StartRequest
			want error
		}{
			{session.StartRequest{Interface: "uap0", PIN: pin, BSSID: homeBSSID}, state.ErrInvalid},
			{session.StartRequest{Interface: "uap0", PIN: pin, MAC: wsc.MAC{1}}, state.ErrInvalid},
			{session.StartRequest{Interface: "uap0", PIN: pin, Timeout: 25 * time.Hour},
				state.ErrInvalid},
			{session.StartRequest{Interface: "uap0", PIN: pin, Timeout: -1}, state.ErrInvalid},
			{session.StartRequest{Interface: "uap1", PIN: pin}, state.ErrNoInterface},
			{session.StartRequest{Interface: "uap0", PIN: secret.FromString("12345671")},
				devpass.ErrPINChecksum},
		} {
			if _, _, err := h.svc.StartPIN(h.Context(), c.r); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v, want %v", c.r, err, c.want)
			}
		}
		if err := h.svc.Scan(h.Context(), "uap0"); !errors.Is(err, state.ErrNotSupported) {
			t.Errorf("Scan: %v", err)
		}
		s := h.admit(0)
		if _, _, err := h.svc.StartPIN(h.Context(),
			session.StartRequest{Interface: "uap0"}); !errors.Is(err, state.ErrBusy) {
			t.Errorf("a second session: %v", err)
		}
		h.svc.ReleaseOwner(s.Owner)
		h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonOwnerLeft, 0)
		if n := strings.Count(u.Commands(), "pin"); n != 1 {
			t.Errorf("%s", u.Commands())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, nil, func(h *house) {
			for _, r := range []session.StartRequest{{Interface: "wlan0", Timeout: time.Minute},
				{Interface: "wlan0", MAC: camera}} {
				if _, _, err := h.svc.StartPIN(h.Context(), r); !errors.Is(err,
					state.ErrNotSupported) {
					t.Errorf("a station takes %+v: %v", r, err)
				}
			}
			if _, err := h.svc.Hotspots().APPIN(h.Context(),
				hotspot.APPINRequest{Interface: "wlan0", Command: hotspot.APPINGet}); !errors.Is(
				err,
				state.ErrNotSupported) {
				t.Errorf("a station's PIN: %v", err)
			}
		})
	})
}

// TestSteeringComesAndGoes: the software may come after the interface, and stop, and come back.
func TestSteeringComesAndGoes(t *testing.T) {
	t.Parallel()
	inHotspot(t, func(u *hotspottest.Software) { u.Absent = drivers.ErrUnreachable },
		func(h *house, u *hotspottest.Software) {
			time.Sleep(time.Second)
			u.Set(func() { u.Absent = nil })
			time.Sleep(time.Second)
			u.Tell(drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: camera, UUID: cameraID})
			h.wait(func(e state.Event) bool { _, ok := e.(state.EnrolleeSeen); return ok })

			// Its socket's directory goes, and nobody looks for it for ever.
			u.Set(func() { u.Absent = drivers.ErrUnreachable })
			u.HangUp()
			time.Sleep(time.Minute)
			var before, after int
			u.Set(func() { before = u.Opened })
			time.Sleep(time.Hour)
			if u.Set(func() { after = u.Opened }); after != before {
				t.Errorf("looked for %d times in an idle hour", after-before)
			}
			h.wantEnd(h.end(h.admit(0)), state.StateFailed, outcome.ReasonLinkLost, 0)
			if _, err := h.svc.Hotspots().APPIN(h.Context(),
				hotspot.APPINRequest{Interface: "uap0", Command: hotspot.APPINGet}); !errors.Is(err,
				state.ErrUnreachable) {
				t.Errorf("APPIN: %v", err)
			}
			u.Set(func() { u.Absent = nil })
			u.Changes <- struct{}{}
			time.Sleep(time.Second)
			s := h.admit(0)
			u.Tell(cameraIsIn)
			h.wantEnd(h.end(s), state.StateSucceeded, "", 0)

			// It stops in good order: the interface is a station again.
			s = h.admit(0)
			u.Set(func() { u.Mode = drivers.ModeStation })
			u.Changes <- struct{}{}
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonInterfaceGone, 0)
		})
}
