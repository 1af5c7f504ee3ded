package drivertest

import (
	"errors"
	"time"

	"wpsd/drivers"
)

var interfaceCases = []testCase{
	{name: "the interface is listed as a station with its address", run: testListed},
	{name: "an unknown interface is ErrNoInterface", run: testUnknown},
	{name: "a second Station on the interface is ErrBusy until the first is closed",
		run: testSecondStation},
	{name: "a blocked radio is told by Changed and listed as blocked", needs: []hook{block},
		run: testBlockedListed},
	{name: "an unplugged interface is told by Changed and not listed until it is back",
		needs: []hook{unplug}, run: testUnplugListed},
	{name: "taking and closing a Station leaves a link that is down alone", needs: []hook{setUp},
		run: testTakeLeavesDown},
	{name: "a link that was down comes up for a scan and is down after Close", needs: []hook{setUp},
		run: testRestoresDown},
	{name: "a link that was up stays up after Close", needs: []hook{setUp}, run: testRestoresUp},
	{name: "the channels have the access point's frequency", run: testChannels},
}

// listed finds the interface in the driver's list.
func (w *world) listed() (drivers.Interface, bool) {
	w.Helper()
	all, err := w.driver.Interfaces(w.ctx)
	if err != nil {
		w.Fatalf("Interfaces: %v", err)
	}
	for _, i := range all {
		if i.Name == w.env.Interface {
			return i, true
		}
	}
	return drivers.Interface{}, false
}

// changed waits for Changed until the condition holds. A driver may tell more changes than the one
// that we wait for, never fewer.
func (w *world) changed(what string, holds func() bool) {
	w.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for !holds() {
		select {
		case <-w.driver.Changed():
		case <-timeout.C:
			w.Fatalf("Changed did not tell: %s", what)
		}
	}
}

func testListed(w *world) {
	i, ok := w.listed()
	if !ok {
		w.Fatalf("%q is not listed", w.env.Interface)
	}
	if i.Mode != drivers.ModeStation {
		w.Errorf("its mode is %q, not station", i.Mode)
	}
	if i.HardwareAddr == [6]byte{} {
		w.Error("it has no hardware address")
	}
	if i.Blocked {
		w.Error("it is listed as blocked")
	}
}

func testUnknown(w *world) {
	s, err := w.driver.Station(w.ctx, "no-such-thing0")
	if !errors.Is(err, drivers.ErrNoInterface) || s != nil {
		w.Errorf("Station: %v, %v, not ErrNoInterface", s, err)
	}
}

func testSecondStation(w *world) {
	first := w.station()
	second, err := w.driver.Station(w.ctx, w.env.Interface)
	if !errors.Is(err, drivers.ErrBusy) || second != nil {
		w.Fatalf("the second: %v, %v, not ErrBusy", second, err)
	}
	if err := first.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	w.station()
}

func testBlockedListed(w *world) {
	blocked := func() bool {
		i, _ := w.listed()
		return i.Blocked
	}
	// Who can be asked does not wait for the news.
	atOnce := func(want bool) {
		is, err := w.driver.Blocked(w.env.Interface)
		if !errors.Is(err, drivers.ErrNotSupported) && (err != nil || is != want) {
			w.Errorf("Blocked: %t right after it became %t: %v", !want, want, err)
		}
	}
	w.env.Block(w.T, true)
	w.Cleanup(func() { w.env.Block(w.T, false) })
	atOnce(true)
	w.changed("the radio is blocked", blocked)
	w.env.Block(w.T, false)
	atOnce(false)
	w.changed("the radio is free again", func() bool { return !blocked() })
}

func testUnplugListed(w *world) {
	before, _ := w.listed()
	plugIn := w.unplug()
	w.changed("the interface is gone", func() bool {
		_, ok := w.listed()
		return !ok
	})
	if _, err := w.driver.Station(w.ctx, w.env.Interface); !errors.Is(err, drivers.ErrNoInterface) {
		w.Errorf("Station while it is gone: %v, not ErrNoInterface", err)
	}
	plugIn()
	w.changed("the interface is back", func() bool {
		i, ok := w.listed()
		return ok && i.HardwareAddr == before.HardwareAddr
	})
	w.station()
}

// unplug takes the interface away; it is plugged in again at the end of the case at the latest.
func (w *world) unplug() (plugIn func()) {
	w.Helper()
	back := w.env.Unplug(w.T)
	done := false
	plugIn = func() {
		if !done {
			done = true
			back()
		}
	}
	w.Cleanup(plugIn)
	return plugIn
}

func testTakeLeavesDown(w *world) {
	w.env.SetUp(w.T, false)
	s := w.station()
	if w.env.IsUp(w.T) {
		w.Error("taking the interface brought it up")
	}
	if err := s.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if w.env.IsUp(w.T) {
		w.Error("it is up after Close")
	}
}

func testRestoresDown(w *world) {
	ap := w.startAP("was down", frequency)
	w.env.SetUp(w.T, false)
	s := w.station()
	w.find(s, ap, frequency)
	if !w.env.IsUp(w.T) {
		w.Error("it is down after a scan, but the Station is still open")
	}
	if err := s.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if w.env.IsUp(w.T) {
		w.Error("it is up after Close")
	}
}

func testRestoresUp(w *world) {
	ap := w.startAP("was up", frequency)
	w.env.SetUp(w.T, true)
	w.Cleanup(func() { w.env.SetUp(w.T, false) })
	s := w.station()
	w.find(s, ap, frequency)
	if err := s.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if !w.env.IsUp(w.T) {
		w.Error("it is down after Close")
	}
}

func testChannels(w *world) {
	channels, err := w.station().Channels(w.ctx)
	if err != nil {
		w.Fatalf("Channels: %v", err)
	}
	seen := make(map[int]bool)
	for _, c := range channels {
		if seen[c.Frequency] {
			w.Errorf("%d MHz is listed twice", c.Frequency)
		}
		seen[c.Frequency] = true
		if (c.Frequency == frequency || c.Frequency == otherFrequency) && c.Passive {
			w.Errorf("%d MHz is listed as passive", c.Frequency)
		}
	}
	if !seen[frequency] || !seen[otherFrequency] {
		w.Errorf("%d or %d MHz is missing in %v", frequency, otherFrequency, channels)
	}
}
