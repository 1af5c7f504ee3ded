package drivertest

import (
	"context"
	"errors"
	"time"

	"wpsd/drivers"
)

var lossCases = []testCase{
	{name: "a deauthentication by the access point tells its reason, after the frames before it",
		run: testDeauthenticated},
	{name: "an access point that shuts down ends the link", run: testAPStops},
	{name: "after a loss the Station associates again", run: testAssociateAfterLoss},
	{name: "a blocked radio ends the link with ErrRadioBlocked", needs: []hook{block},
		run: testLinkBlocked},
	{name: "an interface that goes away ends the link with ErrInterfaceGone", needs: []hook{unplug},
		run: testLinkUnplugged},
	{name: "an interface that goes away ends a scan with ErrInterfaceGone", needs: []hook{unplug},
		run: testScanUnplugged},
}

// lost receives until the link is over and returns why.
func (w *world) lost(link drivers.Link) *drivers.LostError {
	w.Helper()
	lost, _ := w.lostError(link)
	return lost
}

// lostError returns the LostError and the error that it came in.
func (w *world) lostError(link drivers.Link) (*drivers.LostError, error) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		_, err := link.Receive(ctx)
		if err == nil {
			continue
		}
		var lost *drivers.LostError
		if !errors.As(err, &lost) || !errors.Is(err, drivers.ErrLinkLost) {
			w.Fatalf("Receive: %v, not a LostError with ErrLinkLost", err)
		}
		return lost, err
	}
}

func testDeauthenticated(w *world) {
	ap := w.startAP("get out", frequency)
	link := w.associate(w.station(), ap, "get out")
	// the identity request is here now, and nobody has received it
	time.Sleep(200 * time.Millisecond)
	const reason = 5
	ap.Deauthenticate(w.T, reason)
	time.Sleep(200 * time.Millisecond)
	w.eapRequestOf(link, eapTypeIdentity)
	lost := w.lost(link)
	if lost.Reason != reason || !lost.ByPeer {
		w.Errorf("Receive: %+v, not reason %d by the peer", lost, reason)
	}
	if err := link.Send(w.ctx, []byte{1, 1, 0, 0}); !errors.Is(err, drivers.ErrLinkLost) {
		w.Errorf("Send: %v, not ErrLinkLost", err)
	}
}

func testAPStops(w *world) {
	ap := w.startAP("good night", frequency)
	link := w.associate(w.station(), ap, "good night")
	ap.Stop(w.T)
	w.lost(link)
}

func testAssociateAfterLoss(w *world) {
	ap := w.startAP("once more", frequency)
	s := w.station()
	link := w.associate(s, ap, "once more")
	w.eapRequestOf(link, eapTypeIdentity)
	ap.Deauthenticate(w.T, 23)
	w.lost(link)
	// Without closing the lost link: there is nothing left to close.
	w.eapRequestOf(w.associate(s, ap, "once more"), eapTypeIdentity)
}

func testLinkBlocked(w *world) {
	ap := w.startAP("switched off", frequency)
	link := w.associate(w.station(), ap, "switched off")
	w.env.Block(w.T, true)
	w.Cleanup(func() { w.env.Block(w.T, false) })
	if _, err := w.lostError(link); !errors.Is(err, drivers.ErrRadioBlocked) {
		w.Errorf("Receive: %v, not ErrRadioBlocked", err)
	}
}

func testLinkUnplugged(w *world) {
	ap := w.startAP("pulled out", frequency)
	s := w.station()
	link := w.associate(s, ap, "pulled out")
	w.unplug()
	if _, err := w.lostError(link); !errors.Is(err, drivers.ErrInterfaceGone) {
		w.Errorf("Receive: %v, not ErrInterfaceGone", err)
	}
	if _, err := s.Scan(w.ctx, drivers.ScanRequest{}); !errors.Is(err, drivers.ErrInterfaceGone) {
		w.Errorf("Scan: %v, not ErrInterfaceGone", err)
	}
	if _, err := s.Associate(w.ctx, request(drivers.BSS{BSSID: ap.BSSID(), Frequency: frequency,
		Privacy: true}, "pulled out")); !errors.Is(err, drivers.ErrInterfaceGone) {
		w.Errorf("Associate: %v, not ErrInterfaceGone", err)
	}
}

func testScanUnplugged(w *world) {
	s := w.station()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Scan(w.ctx, drivers.ScanRequest{})
		ended <- err
	}()
	time.Sleep(100 * time.Millisecond)
	w.unplug()
	if err := <-ended; !errors.Is(err, drivers.ErrInterfaceGone) {
		w.Errorf("Scan: %v, not ErrInterfaceGone", err)
	}
}
