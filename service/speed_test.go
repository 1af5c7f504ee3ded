package service

import (
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// TestHowLong holds the scan policy against what one scan of all channels takes, which is what
// wpa_supplicant needs for each of these, except for a BSSID that it knows from its cache.
func TestHowLong(t *testing.T) {
	t.Parallel()
	var whole time.Duration
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, nil, func(h *house) {
			start := time.Now()
			h.scan()
			whole = time.Since(start)
		})
	})
	for _, c := range []struct {
		name  string
		most  float64
		start func(h *house) state.Session
	}{
		{"PIN with BSSID, cold", 0.5, func(h *house) state.Session {
			h.enter(h.ap(nil), labelPIN)
			return h.pin(labelPIN, homeBSSID)
		}},
		{"PIN any, cold, with an access point that lists us", 0.2, func(h *house) state.Session {
			if err := h.ap(nil).AllowPIN(sim.PINGrant{PIN: secret.FromString(labelPIN),
				MAC: laptop}); err != nil {
				h.Fatal(err)
			}
			return h.pin(labelPIN, wsc.MAC{})
		}},
		{"PIN any, cold, with an access point that lists anybody", 0.6,
			func(h *house) state.Session {
				h.enter(h.ap(nil), labelPIN)
				return h.pin(labelPIN, wsc.MAC{})
			}},
		{"PIN with BSSID after a scan", 0.1, func(h *house) state.Session {
			ap := h.ap(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5200 })
			h.scan()
			h.enter(ap, labelPIN)
			return h.pin(labelPIN, homeBSSID)
		}},
		{"PIN any after a scan", 0.1, func(h *house) state.Session {
			ap := h.ap(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5200 })
			h.scan()
			h.enter(ap, labelPIN)
			return h.pin(labelPIN, wsc.MAC{})
		}},
		{"PBC, cold", 1.05, func(h *house) state.Session {
			h.press(h.ap(nil))
			return h.pbc(nil)
		}},
		{"PBC with BSSID, cold", 0.5, func(h *house) state.Session {
			h.press(h.ap(nil))
			return h.pbc(func(r *session.StartRequest) { r.BSSID = homeBSSID })
		}},
		{"PBC after a scan that shows one pressed button", 0.1, func(h *house) state.Session {
			h.press(h.ap(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5200 }))
			h.scan()
			time.Sleep(5 * time.Second)
			return h.pbc(nil)
		}},
		{"PBC pressed after a scan, then the call", 0.1, func(h *house) state.Session {
			ap := h.ap(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5200 })
			h.scan()
			h.press(ap)
			time.Sleep(2 * time.Second)
			return h.pbc(nil)
		}},
		{"PBC pressed after a scan of somebody else, then the call", 0.1, func(
			h *house) state.Session {
			ap := h.ap(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5200 })
			h.scanOfOthers()
			h.press(ap)
			time.Sleep(2 * time.Second)
			return h.pbc(nil)
		}},
		{"PBC eleven seconds after a scan of somebody else", 1.05, func(h *house) state.Session {
			h.press(h.ap(nil))
			h.scanOfOthers()
			time.Sleep(11 * time.Second)
			return h.pbc(nil)
		}},
		{"PBC eleven seconds after such a scan", 1.05, func(h *house) state.Session {
			h.press(h.ap(nil))
			h.scan()
			time.Sleep(11 * time.Second)
			return h.pbc(nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inHouse(t, nil, func(h *house) {
					s := c.start(h)
					took := h.received(s)
					ratio := float64(took) / float64(whole)
					h.Logf("%v, %.3f of a scan of all channels", took, ratio)
					if ratio > c.most {
						h.Errorf("more than %.2f", c.most)
					}
					h.end(s)
				})
			})
		})
	}
}

// scanOfOthers looks everywhere as somebody else: what the service knows of it is what the hub of
// listening takes in.
func (h *house) scanOfOthers() {
	h.Helper()
	h.scan()
	i := h.svc.interfaceOf("wlan0")
	ours := i.air
	i.air = air.New(h.svc.published, i.Name)
	var list []drivers.BSS
	for _, b := range ours.BSSs() {
		list = append(list, b.BSS)
	}
	listeningHub{h.svc}.Heard(i.Name, list, ours.Looked())
}

// TestShortcut shows where the look at one channel only is not taken.
func TestShortcut(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"of two buttons that a scan showed pressed one is over: the other is answered once that was seen", func(h *house) {
			h.press(h.ap(nil))
			other := h.next(nil)
			h.press(other)
			h.scan()
			other.Cancel()
			s := h.pbc(nil)
			if took := h.received(s); took > 500*time.Millisecond {
				h.Errorf("after %v", took)
			}
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
		{"two buttons that are still pressed are an overlap", func(h *house) {
			h.press(h.ap(nil))
			h.press(h.next(nil))
			h.scan()
			h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonOverlap,
				wsc.ConfigErrorMultiplePBCSessions)
		}},
		{"a button on the same channel pressed since is an overlap", func(h *house) {
			h.press(h.ap(nil))
			h.scan()
			h.press(h.next(func(o *sim.APOptions) { o.BSSs[0].Frequency = 2437 }))
			h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonOverlap,
				wsc.ConfigErrorMultiplePBCSessions)
		}},
		{"an access point that is no longer pressed is not tried, and the next is waited for",
			func(h *house) {
				ap := h.ap(nil)
				h.press(ap)
				h.scan()
				ap.Cancel()
				s := h.pbc(nil)
				time.Sleep(10 * time.Second)
				h.press(h.next(nil))
				h.wantNetwork(h.end(s), "next door", passphrase)
			}},
	})
}
