package controlpoint

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"wpsd/drivers/wfadevice"
	"wpsd/engine/upnp"
)

// BenchmarkThousandAccessPoints searches, fetches a thousand descriptions, subscribes to each and
// takes its first event. The access points answer at once, not within a second as real ones do, and
// play in this process: their work is measured, too. As many requests are under way at a time as
// engine/er has.
func BenchmarkThousandAccessPoints(b *testing.B) {
	const (
		many    = 1000
		atATime = 192
	)
	network, err := wfadevice.Open("lo", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer network.Close()
	ours := make(map[upnp.URL]bool, many)
	for range many {
		d, err := network.Add(wfadevice.Config{Address: newAddress()})
		if err != nil {
			b.Fatal(err)
		}
		ours[d.Location()] = true
	}
	for b.Loop() {
		p, err := Open(Config{Interface: "lo"})
		if err != nil {
			b.Fatal(err)
		}
		found := searchFor(b, p, ours)
		var all sync.WaitGroup
		slots := make(chan struct{}, atATime)
		for _, at := range found {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if _, err := p.Do(b.Context(), upnp.GetDescription(at)); err != nil {
					b.Error(err)
				}
				r, err := p.Do(b.Context(),
					upnp.Subscribe(upnp.URL{Host: at.Host, Path: "/wps_event"}))
				if err != nil || r.Status != 200 {
					b.Error(r.Status, err)
				}
			})
		}
		patience := time.After(30 * time.Second)
		for n := range many {
			select {
			case <-p.Notified():
			case <-patience:
				b.Fatalf("only %d first events of %d", n, many)
			}
		}
		all.Wait()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// searchFor finds these access points. What is lost on the way answers the next search. Those of
// other tests that run on this machine answer, too, and may be gone a moment later.
func searchFor(b *testing.B, p *ControlPoint, ours map[upnp.URL]bool) map[netip.Addr]upnp.URL {
	found := make(map[netip.Addr]upnp.URL)
	for range 20 {
		if err := p.Search(b.Context()); err != nil {
			b.Fatal(err)
		}
		for quiet := false; !quiet; {
			select {
			case a := <-p.Heard():
				if !ours[a.Location] {
					continue
				}
				if found[a.From] = a.Location; len(found) == len(ours) {
					return found
				}
			case <-time.After(500 * time.Millisecond):
				quiet = true
			}
		}
	}
	b.Fatalf("only %d access points of %d", len(found), len(ours))
	return nil
}
