package er

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// quiet finds n access points without the world's own memory: answers are made when they are asked
// for.
func quiet(t testing.TB, n int, describe func(*upnp.Description)) *Registrar {
	t.Helper()
	r := New(Config{Device: device("registrar", wsc.MAC{2, 0, 0, 0, 9, 9})})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := &world{t: t, now: now, r: r, aps: map[netip.Addr]*fakeAP{}}
	queue := r.Start(now, netip.Addr{})
	for i := range n {
		p := w.newAP(1 + i)
		delete(w.aps, p.addr)
		p.describe = describe
		queue = append(queue, r.Heard(now, p.announcement(upnp.Alive))...)
		for len(queue) > 0 {
			if d, ok := queue[0].(Do); ok {
				resp, err := p.serve(requestName(d.Request), d.Request)
				queue = append(queue, r.Replied(now, d.ID, resp, err)...)
			}
			queue = queue[1:]
		}
	}
	if got := len(r.APs()); got != min(n, maxAPs) {
		t.Fatalf("%d access points of %d", got, n)
	}
	return r
}

// memory is what is in use after a collection.
func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkAccessPoints finds, describes and subscribes to so many access points: the time and the
// memory that each takes do not grow with their number. Of ten thousand the 4,096 that came last
// stay: for each that comes from then on the one that was silent the longest goes.
func BenchmarkAccessPoints(b *testing.B) {
	for _, n := range []int{100, 1000, 4000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var kept uint64
			for b.Loop() {
				before := memory()
				r := quiet(b, n, nil)
				kept = memory() - before
				runtime.KeepAlive(r)
			}
			b.ReportMetric(float64(kept)/float64(n), "B/AP")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/AP")
		})
	}
}

// BenchmarkNotified is what one event costs: a Probe Request of one of many stations.
func BenchmarkNotified(b *testing.B) {
	for _, n := range []int{1, 100, 4000} {
		b.Run(fmt.Sprint(n, " access points"), func(b *testing.B) {
			r := quiet(b, n, nil)
			now := time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)
			all := r.sorted()
			var events []upnp.Notification
			for i := range 1024 {
				a := all[i%len(all)]
				mac := wsc.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}
				q := wsc.ProbeRequest{RequestType: wsc.RequestEnrollee,
					Device: device("station", mac)}
				events = append(events, upnp.Notification{From: a.Addr, SID: a.sid, Seq: 1,
					Event: &upnp.WLANEvent{Type: upnp.EventProbe, MAC: mac,
						Message: q.Append(nil)}})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				r.Notified(now, events[i%len(events)])
			}
		})
	}
}

// BenchmarkHeard is what one more announcement costs.
func BenchmarkHeard(b *testing.B) {
	for _, n := range []int{1, 100, 4000} {
		b.Run(fmt.Sprint(n, " access points"), func(b *testing.B) {
			r := quiet(b, n, nil)
			now := time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)
			var all []upnp.Announcement
			for _, a := range r.sorted() {
				all = append(all, upnp.Announcement{From: a.Addr, Kind: upnp.Alive, UUID: a.UUID,
					HasUUID: true, Location: a.Location, MaxAge: 1801 * time.Second})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				r.Heard(now, all[i%len(all)])
			}
		})
	}
}

// TestAnAccessPointIsSmall keeps the growth small even if every text of a description is as long as
// it may be.
func TestAnAccessPointIsSmall(t *testing.T) {
	const n = 200
	talkative := func(d *upnp.Description) {
		for _, text := range []*string{&d.FriendlyName, &d.Manufacturer, &d.ManufacturerURL,
			&d.ModelDescription, &d.ModelName, &d.ModelNumber,
			&d.ModelURL, &d.SerialNumber, &d.UPC, &d.PresentationURL} {
			*text = strings.Repeat("x", 1000)
		}
		for _, u := range []*upnp.URL{&d.Control, &d.Event, &d.SCPD} {
			u.Path += "?" + strings.Repeat("x", 1000)
		}
		d.SCPD.Host = d.Control.Host
	}
	for name, describe := range map[string]func(*upnp.Description){
		"of few words": nil, "talkative": talkative} {
		before := memory()
		r := quiet(t, n, describe)
		each := (memory() - before) / n
		runtime.KeepAlive(r)
		t.Logf("%s: %d bytes", name, each)
		if each > 16<<10 {
			t.Errorf("%s: %d bytes for each access point", name, each)
		}
	}
}
