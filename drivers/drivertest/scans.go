package drivertest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"wpsd/drivers"
)

var scanCases = []testCase{
	{name: "a scan of all channels finds access points of two channels", run: testScanAll},
	{name: "what a scan finds has the elements, the frequency and the time", run: testScanContent},
	{name: "a scan of one channel finds its access point only, and soon", run: testScanOne},
	{name: "a scan of a frequency that the radio has not fails", run: testScanNowhere},
	{name: "a scan returns what it heard, not what an earlier one heard", run: testScanFresh},
	{name: "what a scan heard is cached for another Station, up to maxAge", run: testCached},
	{name: "a scan with Flush drops what earlier scans heard", run: testFlush},
	{name: "a scan with a cancelled context fails, and the next one works", run: testScanCancelled},
	{name: "a scan is ended by its context, and the next one works", run: testScanCancel},
	{name: "a scan is ended by Close of the Station with ErrClosed", run: testScanClose},
	{name: "a scan with a blocked radio is ErrRadioBlocked", needs: []hook{block},
		run: testScanBlocked},
	{name: "elements longer than the radio takes do no harm", run: testScanLongElements},
}

func testScanAll(w *world) {
	one, two := w.startAP("channel one", frequency), w.startAP("channel six", otherFrequency)
	s := w.station()
	for range 3 { // a probe or its answer may be lost
		found := w.scan(s, drivers.ScanRequest{IEs: WSCElement()})
		_, a := pick(found, one)
		_, b := pick(found, two)
		if a && b {
			return
		}
	}
	w.Error("three scans did not find both access points")
}

func testScanContent(w *world) {
	ap := w.startAP("content", frequency)
	before := time.Now()
	bss := w.find(w.station(), ap, frequency)
	if bss.Frequency != frequency {
		w.Errorf("frequency %d, not %d", bss.Frequency, frequency)
	}
	if !bss.Privacy {
		w.Error("a WPA2 network without the Privacy bit")
	}
	if bss.Associated {
		w.Error("we are not associated with it")
	}
	if bss.Signal >= 0 || bss.Signal < -110 {
		w.Errorf("signal %d dBm", bss.Signal)
	}
	// A clock tick of tolerance: kernels count old entries in jiffies.
	if late := time.Now(); bss.Seen.Before(before.Add(-20*time.Millisecond)) ||
		bss.Seen.After(late) {
		w.Errorf("seen at %v, which is not between %v and %v", bss.Seen, before, late)
	}
	if !bytes.HasPrefix(bss.IEs, append([]byte{0, 7}, "content"...)) {
		w.Errorf("the elements do not start with the SSID: %x", bss.IEs)
	}
	if !bytes.Contains(bss.IEs, []byte{0x00, 0x50, 0xf2, 0x04}) {
		w.Errorf("the elements have no WSC element: %x", bss.IEs)
	}
}

func testScanOne(w *world) {
	ap, other := w.startAP("this channel", frequency), w.startAP("other channel", otherFrequency)
	s := w.station()
	w.find(s, other, otherFrequency) // the link is up now, and the other one is cached
	w.find(s, ap, frequency)
	start := time.Now()
	found := w.scan(s, drivers.ScanRequest{IEs: WSCElement(), Frequencies: []int{frequency}})
	took := time.Since(start)
	w.Logf("a scan of one channel takes %v", took)
	if w.env.OneChannel != 0 && took > w.env.OneChannel {
		w.Errorf("that is more than %v", w.env.OneChannel)
	}
	for _, bss := range found {
		if bss.Frequency != frequency {
			w.Errorf("%x of %d MHz was found too", bss.BSSID, bss.Frequency)
		}
	}
}

func testScanNowhere(w *world) {
	if found, err := w.station().Scan(w.ctx,
		drivers.ScanRequest{Frequencies: []int{1234}}); err == nil {
		w.Errorf("it returned %v and no error", found)
	}
}

func testScanFresh(w *world) {
	ap := w.startAP("going away", frequency)
	s := w.station()
	w.find(s, ap, frequency)
	ap.Stop(w.T)
	if bss, ok := pick(w.scan(s, drivers.ScanRequest{Frequencies: []int{frequency}}), ap); ok {
		w.Errorf("the scan heard an access point that is off: %+v", bss)
	}
}

func testCached(w *world) {
	ap := w.startAP("cached", frequency)
	s := w.station()
	w.find(s, ap, frequency)
	if err := s.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	ap.Stop(w.T)
	s = w.station()
	cached, err := s.Cached(w.ctx, 10*time.Second)
	if err != nil {
		w.Fatalf("Cached: %v", err)
	}
	bss, ok := pick(cached, ap)
	if !ok {
		w.Fatal("the entry of a moment ago is not cached")
	}
	if !bytes.HasPrefix(bss.IEs, append([]byte{0, 6}, "cached"...)) {
		w.Errorf("its elements do not start with the SSID: %x", bss.IEs)
	}
	time.Sleep(100 * time.Millisecond)
	cached, err = s.Cached(w.ctx, 50*time.Millisecond)
	if _, ok := pick(cached, ap); ok || err != nil {
		w.Errorf("an entry older than maxAge was returned (%v)", err)
	}
}

func testFlush(w *world) {
	ap := w.startAP("flushed", frequency)
	s := w.station()
	w.find(s, ap, frequency)
	ap.Stop(w.T)
	w.scan(s, drivers.ScanRequest{Frequencies: []int{frequency}, Flush: true})
	cached, err := s.Cached(w.ctx, time.Minute)
	if _, ok := pick(cached, ap); ok || err != nil {
		w.Errorf("it is still cached (%v)", err)
	}
}

func testScanCancelled(w *world) {
	ap := w.startAP("patient", frequency)
	s := w.station()
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := s.Scan(ctx, drivers.ScanRequest{}); !errors.Is(err, context.Canceled) {
		w.Errorf("Scan: %v, not context.Canceled", err)
	}
	w.find(s, ap, frequency)
}

func testScanCancel(w *world) {
	ap := w.startAP("patient", frequency)
	s := w.station()
	w.find(s, ap, frequency)
	// a scan of all channels takes longer
	ctx, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := s.Scan(ctx, drivers.ScanRequest{}); !errors.Is(err, context.DeadlineExceeded) {
		w.Errorf("Scan: %v, not context.DeadlineExceeded", err)
	}
	if took := time.Since(start); took > time.Second {
		w.Errorf("it went on for %v", took)
	}
	w.find(s, ap, frequency)
}

func testScanClose(w *world) {
	s := w.station()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Scan(w.ctx, drivers.ScanRequest{})
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := s.Close(); err != nil {
		w.Errorf("Close: %v", err)
	}
	if err := <-ended; !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Scan: %v, not ErrClosed", err)
	}
	if _, err := s.Scan(w.ctx, drivers.ScanRequest{}); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Scan after Close: %v, not ErrClosed", err)
	}
}

func testScanBlocked(w *world) {
	ap := w.startAP("behind the switch", frequency)
	w.env.Block(w.T, true)
	w.Cleanup(func() { w.env.Block(w.T, false) })
	s := w.station()
	if _, err := s.Scan(w.ctx, drivers.ScanRequest{}); !errors.Is(err, drivers.ErrRadioBlocked) {
		w.Errorf("Scan: %v, not ErrRadioBlocked", err)
	}
	if _, err := s.Associate(w.ctx, request(drivers.BSS{BSSID: ap.BSSID(), Frequency: frequency,
		Privacy: true}, "behind the switch")); !errors.Is(err, drivers.ErrRadioBlocked) {
		w.Errorf("Associate: %v, not ErrRadioBlocked", err)
	}
	w.env.Block(w.T, false)
	w.find(s, ap, frequency)
}

func testScanLongElements(w *world) {
	ap := w.startAP("short", frequency)
	var long []byte
	for range 40 { // 10 kB: more than fits into any frame
		long = append(long, 0xdd, 253, 0x00, 0x50, 0xf2, 0x04)
		long = append(long, make([]byte, 249)...)
	}
	s := w.station()
	for range 3 {
		if _, ok := pick(w.scan(s, drivers.ScanRequest{IEs: long,
			Frequencies: []int{frequency}}), ap); ok {
			return
		}
	}
	w.Error("three scans did not find the access point")
}
