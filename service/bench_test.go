package service

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// BenchmarkSessionsAtOnce runs that many stations at once, each with a radio and an access point of
// its own, which it learns by PIN. What a session costs, the simulated access point's half
// included, is cpu-ms/session: the same for one as for 64, if nothing waits for anything but the
// processor.
func BenchmarkSessionsAtOnce(b *testing.B) {
	for _, count := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("stations=%d", count), func(b *testing.B) {
			svc, requests := stations(b, count)
			_, sub := svc.Published().Subscribe()
			defer sub.Close()
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- svc.Run(ctx) }()
			<-svc.Ready()
			sessions := 0
			before := processorTime(b)
			for b.Loop() {
				learnAll(b, svc, sub, requests)
				sessions += count
			}
			used := processorTime(b) - before
			b.ReportMetric(used.Seconds()*1e3/float64(sessions), "cpu-ms/session")
			cancel()
			if err := <-ended; err != nil {
				b.Error(err)
			}
		})
	}
}

// stations makes a Service that has so many radios, and says what to ask of each.
func stations(b *testing.B, count int) (*Service, []session.StartRequest) {
	b.Helper()
	const speed = 1000 // of the radios: scanning is waiting
	world := sim.NewWorld(sim.WorldOptions{Speed: speed})
	b.Cleanup(world.Close)
	requests := make([]session.StartRequest, count)
	for n := range requests {
		r := session.StartRequest{Interface: fmt.Sprintf("wlan%d", n), Owner: ":1.1",
			BSSID: wsc.MAC{2, 0, 0, 0, 3, byte(n)}}
		ap, err := world.AddAP(sim.APOptions{SSID: fmt.Sprintf("network %d", n),
			Security: sim.WPA2, Key: secret.FromString(passphrase),
			BSSs: []sim.BSS{{BSSID: r.BSSID, Frequency: 2437}}})
		if err != nil {
			b.Fatal(err)
		}
		ap.SetAPPIN(secret.FromString(labelPIN))
		if err := world.AddRadio(sim.Radio{Name: r.Interface,
			MAC: wsc.MAC{2, 0, 0, 0, 1, byte(n)}}); err != nil {
			b.Fatal(err)
		}
		requests[n] = r
	}
	driver, err := sim.New(sim.Options{World: world, Speed: speed})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = driver.Close() })
	svc, err := New(Config{Device: wsc.Device{DeviceName: "laptop"},
		Drivers: []drivers.Driver{driver}, Store: store.Memory()})
	if err != nil {
		b.Fatal(err)
	}
	return svc, requests
}

// learnAll has every station learn its access point's settings, all at once.
func learnAll(b *testing.B, svc *Service, sub *state.Subscription,
	requests []session.StartRequest) {
	b.Helper()
	for _, r := range requests {
		r.PIN = secret.FromString(labelPIN)
		if _, err := svc.Learn(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	for left := len(requests); left > 0; {
		e, err := sub.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if ended, ok := e.(state.SessionEnded); ok {
			if left--; ended.Session.State != state.StateSucceeded {
				b.Fatal(ended.Session.Sentence)
			}
		}
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
