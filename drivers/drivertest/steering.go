package drivertest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// SteeringEnv is the world around a driver that steers access points.
type SteeringEnv struct {
	// Open starts an access point and steers it: WPA2-Personal with SteeredSSID and SteeredKey, WPS
	// 2.0, configured, its own PIN is SteeredPIN. The suite closes what it gets.
	Open func(t *testing.T) drivers.AccessPoint
	// Enrollee brings a device into its range.
	Enrollee func(t *testing.T) Enrollee
	// Run calls f, for instance in a synctest bubble; nil: f is simply called.
	Run func(t *testing.T, f func(t *testing.T))
}

// What the access point of a SteeringEnv is.
const (
	SteeredSSID = "steered"
	SteeredKey  = "passphrase of steered"
	SteeredPIN  = "31415927"
)

// Enrollee is a device that wants in. What it is told ends what it was told before.
type Enrollee interface {
	MAC() [6]byte
	PressButton(t *testing.T)
	UsePIN(t *testing.T, pin string)
	// Joins waits until the device is in the network.
	Joins(t *testing.T)
}

// PINs of the device. The other two differ in a half each.
const (
	devicePIN    = "24681353"
	otherSecond  = "24689994"
	secondsOfPIN = 2 * time.Second
)

// RunSteering runs the suite for drivers that steer access points: that the simulation's behaves as
// hostapd.
func RunSteering(t *testing.T, env SteeringEnv) {
	for _, c := range steeringCases {
		t.Run(c.name, func(t *testing.T) {
			run := env.Run
			if run == nil {
				run = func(t *testing.T, f func(t *testing.T)) { f(t) }
			}
			run(t, func(t *testing.T) {
				s := &steering{T: t, env: env, AccessPoint: env.Open(t)}
				defer func() {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}()
				c.run(s)
			})
		})
	}
}

// steering is one case.
type steering struct {
	*testing.T
	drivers.AccessPoint
	env SteeringEnv
}

var steeringCases = []struct {
	name string
	run  func(s *steering)
}{
	{"the settings are those that stations get", (*steering).testSettings},
	{"a device whose button is pressed after ours is let in", (*steering).testPBC},
	{"a device with the granted PIN is let in", (*steering).testPIN},
	{"a device that asks to be let in is told of, and that its PIN is needed",
		(*steering).testPINNeeded},
	{"a device with a wrong PIN is not let in, and it is told where that ended",
		(*steering).testWrongPIN},
	{"a PIN that was withdrawn is good no more", (*steering).testWithdrawn},
	{"a button is withdrawn", (*steering).testButtonWithdrawn},
	{"the access point's own PIN is made, set, told and taken away", (*steering).testAPPIN},
	{"the access point's own PIN ends with its time", (*steering).testAPPINEnds},
	{"after Close there are no events", (*steering).testClosed},
}

// must ends the case if err is not nil.
func (s *steering) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// tells waits for events of these kinds, in this order; others may come between.
func (s *steering) tells(kinds ...drivers.APEventKind) []drivers.APEvent {
	s.Helper()
	var got []drivers.APEvent
	late := time.After(4 * patience)
	for len(got) < len(kinds) {
		select {
		case e, open := <-s.Events():
			if !open {
				s.Fatalf("Events ended; so far: %+v", got)
			}
			if e.Kind == kinds[len(got)] {
				got = append(got, e)
			}
		case <-late:
			s.Fatalf("no event %d after %+v", kinds[len(got)], got)
		}
	}
	return got
}

func (s *steering) allow(pin string, timeout time.Duration) {
	s.Helper()
	s.must(s.AllowPIN(s.Context(), drivers.PINGrant{PIN: secret.FromString(pin), Timeout: timeout}))
}

func (s *steering) testSettings() {
	got, err := s.Settings(s.Context())
	s.must(err)
	if string(got.SSID) != SteeredSSID || string(got.Key.Bytes()) != SteeredKey || !got.WPS ||
		!got.Configured || !got.RSN || !got.CCMP || got.WPA || got.TKIP || got.SAE ||
		got.BSSID == [6]byte{} {
		s.Errorf("%+v", got)
	}
}

// admitted is what has to be told of a device that was let in.
func (s *steering) admitted(e Enrollee) {
	s.Helper()
	all := s.tells(drivers.APRunStarted, drivers.APEnrolled, drivers.APSuccess)
	if all[0].MAC != e.MAC() || all[1].MAC != e.MAC() || len(all[1].UUID) != 36 {
		s.Errorf("of %v is told: %+v", wsc.MAC(e.MAC()), all)
	}
	e.Joins(s.T)
}

func (s *steering) testPBC() {
	e := s.env.Enrollee(s.T)
	s.must(s.AllowPBC(s.Context()))
	s.tells(drivers.APPBCActive)
	e.PressButton(s.T)
	s.admitted(e)
}

func (s *steering) testPIN() {
	e := s.env.Enrollee(s.T)
	s.must(s.AllowPIN(s.Context(), drivers.PINGrant{PIN: secret.FromString(devicePIN), MAC: e.MAC(),
		Timeout: time.Minute}))
	e.UsePIN(s.T, devicePIN)
	s.admitted(e)
}

func (s *steering) testPINNeeded() {
	e := s.env.Enrollee(s.T)
	e.UsePIN(s.T, devicePIN)
	for _, kind := range []drivers.APEventKind{drivers.APEnrolleeSeen, drivers.APPINNeeded} {
		if told := s.tells(kind)[0]; told.MAC != e.MAC() || len(told.UUID) != 36 ||
			!strings.Contains(told.Device.DeviceType, "-0050F204-") || told.Device.Name == "" {
			s.Errorf("%+v", told)
		}
	}
	s.allow(devicePIN, time.Minute)
	s.admitted(e)
}

func (s *steering) testWrongPIN() {
	e := s.env.Enrollee(s.T)
	s.allow(devicePIN, 5*time.Minute)
	e.UsePIN(s.T, otherSecond)
	all := s.tells(drivers.APRunStarted, drivers.APFailed)
	m := wsc.MessageType(all[1].Message)
	if all[0].MAC != e.MAC() || m != wsc.MsgM6 && m != wsc.MsgM7 ||
		wsc.ConfigError(all[1].ConfigError) != wsc.ConfigErrorDevicePasswordAuthFailure {
		s.Errorf("%+v", all)
	}
}

func (s *steering) testWithdrawn() {
	e := s.env.Enrollee(s.T)
	s.allow(devicePIN, time.Minute)
	s.must(s.Withdraw(s.Context()))
	s.tells(drivers.APCanceled)
	e.UsePIN(s.T, devicePIN)
	if told := s.tells(drivers.APPINNeeded)[0]; told.MAC != e.MAC() {
		s.Errorf("%+v", told)
	}
	s.must(s.Withdraw(s.Context())) // with nothing to withdraw
}

func (s *steering) testButtonWithdrawn() {
	s.must(s.AllowPBC(s.Context()))
	s.must(s.Withdraw(s.Context()))
	s.tells(drivers.APPBCActive, drivers.APCanceled)
	s.must(s.AllowPBC(s.Context()))
	s.tells(drivers.APPBCActive)
	s.must(s.Withdraw(s.Context()))
}

// appin gives the access point's PIN after a command; empty: it refuses.
func (s *steering) appin(r drivers.APPINRequest) string {
	s.Helper()
	pin, err := s.APPIN(s.Context(), r)
	if errors.Is(err, drivers.ErrRefused) && r.Command == drivers.APPINGet {
		return ""
	}
	s.must(err)
	return string(pin.Bytes())
}

func (s *steering) testAPPIN() {
	get := drivers.APPINRequest{Command: drivers.APPINGet}
	if got := s.appin(get); got != SteeredPIN {
		s.Errorf("at first %q", got)
	}
	made := s.appin(drivers.APPINRequest{Command: drivers.APPINRandom})
	if got := s.appin(get); len(made) != 8 || got != made {
		s.Errorf("made %q, told %q", made, got)
	}
	set := drivers.APPINRequest{Command: drivers.APPINSet, PIN: secret.FromString(devicePIN)}
	if got := s.appin(set); got != devicePIN || s.appin(get) != devicePIN {
		s.Errorf("set to %q, told %q", devicePIN, got)
	}
	s.appin(drivers.APPINRequest{Command: drivers.APPINDisable})
	if got := s.appin(get); got != "" {
		s.Errorf("taken away, told %q", got)
	}
}

func (s *steering) testAPPINEnds() {
	s.appin(drivers.APPINRequest{Command: drivers.APPINSet, PIN: secret.FromString(devicePIN),
		Timeout: secondsOfPIN})
	s.tells(drivers.APPINDisabled)
	if got := s.appin(drivers.APPINRequest{Command: drivers.APPINGet}); got != "" {
		s.Errorf("after its time it is %q", got)
	}
}

func (s *steering) testClosed() {
	s.must(s.Close())
	for range s.Events() { // until it is closed
	}
	err := s.AllowPBC(s.Context())
	if !slices.ContainsFunc([]error{drivers.ErrClosed, drivers.ErrUnreachable}, func(e error) bool {
		return errors.Is(err, e)
	}) {
		s.Errorf("after Close: %v", err)
	}
}
