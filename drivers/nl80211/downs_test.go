package nl80211

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// linkStory is a link that others take down and bring up, and the Station that scans there.
type linkStory struct {
	*testing.T
	k *fakeKernel
	d *Driver
}

// others take the link down or bring it up, and the watch hears of it.
func (s *linkStory) others(up bool) {
	s.k.set(func(k *fakeKernel) { k.up = up })
	s.told(up)
}

// told is the news of the link.
func (s *linkStory) told(up bool) {
	s.d.watch.linkEvent(linkMessage{index: fakeIndex, name: fakeName, up: up})
}

// station takes the interface.
func (s *linkStory) station() *Station {
	s.Helper()
	t, err := s.d.Station(s.Context(), fakeName)
	if err != nil {
		s.Fatal(err)
	}
	return t.(*Station)
}

// scans does one scan, and returns how long it took beyond what every scan takes.
func (s *linkStory) scans(t *Station) time.Duration {
	s.Helper()
	began := time.Now()
	if _, err := t.Scan(s.Context(), drivers.ScanRequest{}); err != nil {
		s.Fatal(err)
	}
	return time.Since(began) - 30*time.Millisecond
}

// close closes a Station, after which the link is as wanted, and these are what we set it to.
func (s *linkStory) close(t *Station, up bool, sets ...bool) {
	s.Helper()
	if err := t.Close(); err != nil {
		s.Errorf("Close: %v", err)
	}
	if s.k.up != up || !slices.Equal(s.k.sets, sets) {
		s.Errorf("the link is up: %t, not %t; it was set to %v, not %v", s.k.up, up, s.k.sets, sets)
	}
}

// NetworkManager takes a link down for a moment to change its address. Whoever brings it up just
// then, or takes it down afterwards as he found it down, breaks what NetworkManager is doing.
func TestWhoseALinkIs(t *testing.T) {
	for name, story := range map[string]func(s *linkStory){
		"a link that was down comes up for a scan, and goes down again": func(s *linkStory) {
			t := s.station()
			if took := s.scans(t); took > newsTime {
				s.Errorf("it was waited %v for nobody", took)
			}
			s.close(t, false, true, false)
		},
		"that it was us who took it down is known the next time": func(s *linkStory) {
			t := s.station()
			s.scans(t)
			s.told(true)
			s.close(t, false, true, false)
			s.told(false)
			t = s.station()
			if took := s.scans(t); took > 0 {
				s.Errorf("it was waited %v for ourselves", took)
			}
			s.close(t, false, true, false, true, false)
		},
		"a link that others took down for a moment is theirs": func(s *linkStory) {
			s.others(true)
			s.others(false)
			go func() {
				time.Sleep(50 * time.Millisecond)
				s.others(true)
			}()
			t := s.station()
			if took := s.scans(t); took != 50*time.Millisecond {
				s.Errorf("it took %v", took)
			}
			s.close(t, true)
		},
		"also when the news comes after the kernel's refusal": func(s *linkStory) {
			s.others(true)
			s.k.set(func(k *fakeKernel) { k.up = false })
			go func() {
				time.Sleep(newsTime / 2)
				s.told(false)
				time.Sleep(50 * time.Millisecond)
				s.others(true)
			}()
			t := s.station()
			s.scans(t)
			s.close(t, true)
		},
		"also in the middle of a scan": func(s *linkStory) {
			s.others(true)
			go func() {
				time.Sleep(10 * time.Millisecond)
				s.others(false)
				s.k.event(unix.NL80211_CMD_SCAN_ABORTED, nil)
				time.Sleep(50 * time.Millisecond)
				s.others(true)
			}()
			t := s.station()
			s.scans(t)
			s.close(t, true)
		},
		"one that they leave down is brought up in the end": func(s *linkStory) {
			s.others(true)
			s.others(false)
			t := s.station()
			if took := s.scans(t); took < downTime {
				s.Errorf("it was brought up after %v", took)
			}
			s.close(t, false, true, false)
		},
		"one that was given to us is not waited for": func(s *linkStory) {
			s.others(true)
			s.others(false)
			s.d.LinkGiven(s.Context(), fakeName)
			t := s.station()
			if took := s.scans(t); took > 0 {
				s.Errorf("it was waited %v for who let go of it", took)
			}
			s.close(t, false, true, false)
		},
		"also when its end is told late": func(s *linkStory) {
			s.others(true)
			s.d.LinkGiven(s.Context(), fakeName)
			s.k.set(func(k *fakeKernel) { k.up = false })
			go func() {
				time.Sleep(newsTime / 2)
				s.told(false)
			}()
			t := s.station()
			if took := s.scans(t); took > newsTime {
				s.Errorf("it was waited %v for who let go of it", took)
			}
			s.close(t, false, true, false)
		},
		"whoever has it afterwards is waited for again": func(s *linkStory) {
			s.others(true)
			s.d.LinkGiven(s.Context(), fakeName)
			s.others(false)
			s.others(true)
			time.Sleep(downTime)
			s.others(false)
			go func() {
				time.Sleep(50 * time.Millisecond)
				s.others(true)
			}()
			t := s.station()
			s.scans(t)
			s.close(t, true)
		},
		"one that we brought up, and others took down and up since, is theirs": func(s *linkStory) {
			t := s.station()
			s.scans(t)
			s.told(true)
			s.others(false)
			s.others(true)
			s.close(t, true, true)
		},
		"so is one that is an access point now": func(s *linkStory) {
			t := s.station()
			s.scans(t)
			s.k.set(func(k *fakeKernel) { k.ap = true })
			s.close(t, true, true)
		},
		"and one that is in a network now": func(s *linkStory) {
			t := s.station()
			s.scans(t)
			s.k.set(func(k *fakeKernel) { k.ssid = []byte("theirs") })
			s.close(t, true, true)
		},
		"who asks whether it is up is not told of the moment": func(s *linkStory) {
			s.others(true)
			s.others(false)
			go func() {
				time.Sleep(50 * time.Millisecond)
				s.others(true)
			}()
			if up, err := s.d.LinkUp(s.Context(), fakeName); !up || err != nil {
				s.Errorf("it is up: %t, %v", up, err)
			}
		},
		"one of our own, which begins down, is not waited for": func(s *linkStory) {
			t, err := s.d.StationApart(s.Context(), fakeName)
			if err != nil {
				s.Fatal(err)
			}
			defer t.Close()
			own := t.(*apartStation)
			s.d.watch.linkEvent(linkMessage{index: own.index, name: own.name})
			if ago, coming := s.d.downs.just(own.index); ago < downTime || coming {
				s.Errorf("it would be waited for others: %v, %t", ago, coming)
			}
		},
		"after news was lost nothing is taken down": func(s *linkStory) {
			t := s.station()
			s.scans(t)
			s.d.watch.resync()
			s.close(t, true, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &fakeKernel{}
				s := &linkStory{T: t, k: k, d: newFakeDriver(t, k)}
				k.answer = scripted(k, func(command uint8, _ []byte) syscall.Errno {
					up := false
					k.set(func(k *fakeKernel) { up = k.up })
					if command == unix.NL80211_CMD_TRIGGER_SCAN && !up {
						return unix.ENETDOWN
					}
					return 0
				}, unix.NL80211_CMD_NEW_SCAN_RESULTS)
				if _, err := s.d.Interfaces(t.Context()); err != nil { // as the service does first
					t.Fatal(err)
				}
				story(s)
			})
		})
	}
}

// TestOneInterfaceIsAskedFor: the kernel lists all interfaces only for a name that is not known, or
// is another one's by now.
func TestOneInterfaceIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &fakeKernel{}
		d := newFakeDriver(t, k)
		dumps := func() int {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.dumps
		}
		for _, c := range []struct {
			name   string
			before func()
			dumps  int
			err    error
		}{
			{"never listed", func() {}, 1, nil},
			{"listed", func() {}, 0, nil},
			{"there is another one", func() {
				k.set(func(k *fakeKernel) { k.apart = []netdev{{index: 8, name: "wlan8"}} })
			}, 0, nil},
			{"it has another number now", func() {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.known[9] = d.known[fakeIndex]
				delete(d.known, fakeIndex)
			}, 1, nil},
			{"another one has its number", func() {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.known[8] = d.known[fakeIndex]
				delete(d.known, fakeIndex)
			}, 1, nil},
			{"it is gone", func() { k.set(func(k *fakeKernel) { k.gone = true }) }, 1,
				drivers.ErrNoInterface},
		} {
			c.before()
			before := dumps()
			n, err := d.find(t.Context(), fakeName)
			if !errors.Is(err, c.err) || err == nil && (n.index != fakeIndex || n.wiphy != 3) {
				t.Errorf("%s: %+v, %v", c.name, n, err)
			}
			if got := dumps() - before; got != c.dumps {
				t.Errorf("%s: %d lists, not %d", c.name, got, c.dumps)
			}
		}
	})
}
