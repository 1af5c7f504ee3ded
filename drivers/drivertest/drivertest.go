// Package drivertest holds the conformance suite of station drivers: what every drivers.Driver with
// a radio must do, whether the radio is simulated in memory or a real one of the kernel.
//
// A driver's own test calls Run with an Env that knows how to move the world around the driver:
// start an access point, block the radio, pull the interface out. A hook that is nil skips the
// cases that need it.
package drivertest

import (
	"context"
	"testing"
	"time"

	"wpsd/drivers"
)

// Env is the world around the driver under test.
type Env struct {
	// Driver makes a fresh driver. The suite closes it.
	Driver func(t *testing.T) drivers.Driver
	// Interface is the name of a station interface that the driver lists. It is not associated.
	Interface string
	// StartAP puts an access point with WPS on the air and returns once it can be heard. It sends
	// EAP-Request/Identity at once to a station that associates with WSCElement, and answers
	// EAP-Response/Identity of an Enrollee with WSC_Start. The suite stops it.
	StartAP func(t *testing.T, c APConfig) AP
	// OneChannel is the longest that an active scan of one channel may take; 0: not checked.
	OneChannel time.Duration

	// Run calls f, for instance in a synctest bubble; nil: f is simply called.
	Run func(t *testing.T, f func(t *testing.T))
	// SetUp brings the interface's link up or down, as an administrator would; IsUp tells its
	// state.
	SetUp func(t *testing.T, up bool)
	IsUp  func(t *testing.T) bool
	// IsAssociated tells whether the interface is associated, asked past the driver.
	IsAssociated func(t *testing.T) bool
	// Block blocks or unblocks the radio as rfkill does.
	Block func(t *testing.T, blocked bool)
	// Unplug takes the interface away, as pulling a USB radio out does; plugIn brings it back.
	Unplug func(t *testing.T) (plugIn func())
	// Occupy associates the interface in the name of another program; release ends that.
	Occupy func(t *testing.T, ap AP) (release func())
}

// APConfig describes an access point: WPA2-Personal with WPS 2.0, configured, no registrar
// selected.
type APConfig struct {
	SSID      string
	Frequency int // MHz
}

// AP is an access point on the air.
type AP interface {
	BSSID() [6]byte
	// Deauthenticate sends our station away with a reason code.
	Deauthenticate(t *testing.T, reason uint16)
	// Stop takes it off the air in an orderly way: stations are told. Calling it again does
	// nothing.
	Stop(t *testing.T)
}

// WSCElement is an element for association requests: version 1.0, request type Enrollee, version
// 2.0. That an access point sees version 2.0 is what makes it send the first EAP request by itself.
func WSCElement() []byte {
	return []byte{
		0xdd, 0x18, 0x00, 0x50, 0xf2, 0x04,
		0x10, 0x4a, 0x00, 0x01, 0x10,
		0x10, 0x3a, 0x00, 0x01, 0x01,
		0x10, 0x49, 0x00, 0x06, 0x00, 0x37, 0x2a, 0x00, 0x01, 0x20,
	}
}

// patience is how long the suite waits for what has to happen; nothing takes that long but
// failures.
const patience = 30 * time.Second

// Two channels that every regulatory domain allows to use actively.
const (
	frequency      = 2412
	otherFrequency = 2437
)

// Run runs the whole suite, one case after the other.
func Run(t *testing.T, env Env) {
	groups := [][]testCase{interfaceCases, scanCases, linkCases, lossCases, endCases}
	for _, group := range groups {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				if missing := c.missing(env); missing != "" {
					t.Skip("the environment has no hook " + missing)
				}
				run := env.Run
				if run == nil {
					run = func(t *testing.T, f func(t *testing.T)) { f(t) }
				}
				run(t, func(t *testing.T) { c.run(newWorld(t, env)) })
			})
		}
	}
}

// testCase is one sentence of the suite and the optional hooks that it needs.
type testCase struct {
	name  string
	needs []hook
	run   func(w *world)
}

// hook names an optional member of Env.
type hook int

const (
	setUp hook = iota
	isAssociated
	block
	unplug
	occupy
)

// missing names the first hook that the case needs and the environment has not.
func (c testCase) missing(env Env) string {
	present := map[hook]struct {
		name string
		ok   bool
	}{
		setUp:        {"SetUp or IsUp", env.SetUp != nil && env.IsUp != nil},
		isAssociated: {"IsAssociated", env.IsAssociated != nil},
		block:        {"Block", env.Block != nil},
		unplug:       {"Unplug", env.Unplug != nil},
		occupy:       {"Occupy", env.Occupy != nil},
	}
	for _, h := range c.needs {
		if !present[h].ok {
			return present[h].name
		}
	}
	return ""
}

// world is what one case works with. Everything it opens is closed at the end, in reverse order.
type world struct {
	*testing.T
	env    Env
	ctx    context.Context
	driver drivers.Driver
}

func newWorld(t *testing.T, env Env) *world {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	d := env.Driver(t)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close of the driver: %v", err)
		}
	})
	return &world{T: t, env: env, ctx: ctx, driver: d}
}

// startAP starts an access point that is stopped at the end of the case.
func (w *world) startAP(ssid string, frequency int) AP {
	w.Helper()
	ap := w.env.StartAP(w.T, APConfig{SSID: ssid, Frequency: frequency})
	w.Cleanup(func() { ap.Stop(w.T) })
	return ap
}

// station takes the interface until the end of the case.
func (w *world) station() drivers.Station {
	w.Helper()
	s, err := w.driver.Station(w.ctx, w.env.Interface)
	if err != nil {
		w.Fatalf("Station(%q): %v", w.env.Interface, err)
	}
	w.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.Errorf("Close of the Station: %v", err)
		}
	})
	return s
}

// scan scans one channel without any excuse for failing.
func (w *world) scan(s drivers.Station, r drivers.ScanRequest) []drivers.BSS {
	w.Helper()
	found, err := s.Scan(w.ctx, r)
	if err != nil {
		w.Fatalf("Scan: %v", err)
	}
	return found
}

// find scans the channel until the access point is heard: one probe may be lost on the air.
func (w *world) find(s drivers.Station, ap AP, frequency int) drivers.BSS {
	w.Helper()
	for range 5 {
		if bss, ok := pick(w.scan(s, drivers.ScanRequest{Frequencies: []int{frequency}}), ap); ok {
			return bss
		}
	}
	w.Fatalf("five scans of %d MHz did not find %x", frequency, ap.BSSID())
	panic("unreachable")
}

// pick returns the entry of one access point.
func pick(list []drivers.BSS, ap AP) (drivers.BSS, bool) {
	for _, bss := range list {
		if bss.BSSID == ap.BSSID() {
			return bss, true
		}
	}
	return drivers.BSS{}, false
}

// request asks for an association with what a scan has found.
func request(bss drivers.BSS, ssid string) drivers.AssociateRequest {
	return drivers.AssociateRequest{
		BSSID:     bss.BSSID,
		SSID:      []byte(ssid),
		Frequency: bss.Frequency,
		Privacy:   bss.Privacy,
		IEs:       WSCElement(),
	}
}

// associate finds the access point and associates with it.
func (w *world) associate(s drivers.Station, ap AP, ssid string) drivers.Link {
	w.Helper()
	bss := w.find(s, ap, frequency)
	link, err := s.Associate(w.ctx, request(bss, ssid))
	if err != nil {
		w.Fatalf("Associate: %v", err)
	}
	w.Cleanup(func() {
		if err := link.Close(); err != nil {
			w.Errorf("Close of the Link: %v", err)
		}
	})
	return link
}
