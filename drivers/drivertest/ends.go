package drivertest

import (
	"errors"

	"wpsd/drivers"
)

var endCases = []testCase{
	{name: "Close of everything twice is no error", run: testCloseTwice},
	{name: "a closed driver answers ErrClosed", run: testClosedDriver},
	{name: "Close of the driver ends open Stations and Links with ErrClosed",
		run: testDriverCloseEnds},
	{name: "Close of the driver gives the interface back", needs: []hook{setUp, isAssociated},
		run: testDriverCloseRestores},
}

func testCloseTwice(w *world) {
	ap := w.startAP("twice", frequency)
	s := w.station()
	link := w.associate(s, ap, "twice")
	for range 2 {
		if err := link.Close(); err != nil {
			w.Errorf("Close of the Link: %v", err)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			w.Errorf("Close of the Station: %v", err)
		}
	}
	if err := link.Close(); err != nil {
		w.Errorf("Close of the Link after its Station: %v", err)
	}
	for range 2 {
		if err := w.driver.Close(); err != nil {
			w.Errorf("Close of the driver: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		w.Errorf("Close of the Station after its driver: %v", err)
	}
}

func testClosedDriver(w *world) {
	if err := w.driver.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if _, err := w.driver.Interfaces(w.ctx); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Interfaces: %v, not ErrClosed", err)
	}
	if _, err := w.driver.Station(w.ctx, w.env.Interface); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Station: %v, not ErrClosed", err)
	}
}

func testDriverCloseEnds(w *world) {
	ap := w.startAP("the end", frequency)
	s := w.station()
	link := w.associate(s, ap, "the end")
	w.eapRequestOf(link, eapTypeIdentity)
	ended := make(chan error, 1)
	go func() {
		_, err := link.Receive(w.ctx)
		ended <- err
	}()
	if err := w.driver.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if err := <-ended; !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Receive: %v, not ErrClosed", err)
	}
	if _, err := s.Scan(w.ctx, drivers.ScanRequest{}); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Scan: %v, not ErrClosed", err)
	}
	if _, err := s.Channels(w.ctx); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Channels: %v, not ErrClosed", err)
	}
	if _, err := s.Cached(w.ctx, 0); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Cached: %v, not ErrClosed", err)
	}
}

func testDriverCloseRestores(w *world) {
	ap := w.startAP("lights out", frequency)
	w.env.SetUp(w.T, false)
	w.associate(w.station(), ap, "lights out")
	if err := w.driver.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if w.env.IsAssociated(w.T) || w.env.IsUp(w.T) {
		w.Error("the interface is still associated or up")
	}
}
