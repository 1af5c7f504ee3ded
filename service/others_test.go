package service

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// overhearing is a driver of one station, which hears what others' scans bring.
type overhearing struct {
	*none.Driver
	heard chan drivers.HeardScan

	mu     sync.Mutex
	told   []bool
	air    []drivers.BSS
	looked int
}

func (d *overhearing) Interfaces(context.Context) ([]drivers.Interface, error) {
	return []drivers.Interface{{Name: "wlan0", Index: 1, Mode: drivers.ModeStation}}, nil
}

func (d *overhearing) Listen(on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, on)
	return nil
}

func (d *overhearing) Heard() <-chan drivers.HeardScan { return d.heard }

func (d *overhearing) Air(context.Context, string, time.Duration) ([]drivers.BSS, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looked++
	return d.air, nil
}

// beacon is what the air is full of.
func (d *overhearing) beacon(pressed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := wsc.Advertisement{Version2: wsc.Version20, State: wsc.Configured}
	if pressed {
		b.SelectedRegistrar, b.HasDevicePasswordID = true, true
		b.DevicePasswordID = wsc.PasswordIDPushButton
	}
	d.air = []drivers.BSS{{BSSID: homeBSSID, Frequency: 2437, Seen: time.Now(),
		IEs: ie.AppendWSC([]byte{0, 4, 'h', 'o', 'm', 'e'}, b.AppendBeacon(nil))}}
}

// TestScansOfOthers: whoever follows hears of a button that is pressed as soon as anybody has
// scanned; nobody is woken up for it before and afterwards, and not more than once a second.
func TestScansOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &overhearing{Driver: none.New(nil), heard: make(chan drivers.HeardScan)}
		s, err := New(Config{Drivers: []drivers.Driver{d}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		<-s.Ready()
		_, sub := s.Published().Subscribe()
		defer sub.Close()
		flags := func() (now string) {
			for {
				e, ok := sub.TryNext()
				if !ok {
					return now
				}
				switch e := e.(type) {
				case state.AccessPointAdded:
					now += "+" + e.AccessPoint.Class.String()
				case state.AccessPointChanged:
					if e.FlagsChanged {
						now += ">" + e.AccessPoint.Class.String()
					}
				}
			}
		}
		want := func(when, what string) {
			t.Helper()
			synctest.Wait()
			if got := flags(); got != what {
				t.Errorf("%s: told %q, not %q", when, got, what)
			}
		}
		d.beacon(false)
		d.heard <- drivers.HeardScan{Interface: "wlan0"}
		want("nobody follows", "")
		if d.looked != 0 {
			t.Error("the list was read for nobody")
		}
		s.Scans().Follow(true)
		want("what was heard before", "+WPS")
		time.Sleep(time.Minute)
		if d.looked != 1 {
			t.Errorf("the list was read %d times in a minute without news", d.looked)
		}
		d.beacon(true)
		d.heard <- drivers.HeardScan{Interface: "wlan0"}
		want("a button is pressed", ">WPS-PBC")
		for range 100 {
			d.heard <- drivers.HeardScan{Interface: "wlan0"}
		}
		time.Sleep(time.Second / 2)
		d.beacon(false)
		time.Sleep(time.Second)
		want("the button's time is over", ">WPS")
		if d.looked != 3 {
			t.Errorf("the list was read %d times", d.looked)
		}
		s.Scans().Follow(false)
		synctest.Wait()
		d.beacon(true)
		d.heard <- drivers.HeardScan{Interface: "wlan0"}
		want("nobody follows any more", "")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(d.told) != 3 || !d.told[0] || d.told[1] {
			t.Errorf("told to listen: %v", d.told)
		}
	})
}
