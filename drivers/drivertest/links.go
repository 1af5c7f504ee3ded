package drivertest

import (
	"context"
	"errors"
	"time"

	"wpsd/drivers"
)

var linkCases = []testCase{
	{name: "EAPOL frames go both ways", run: testConversation},
	{name: "a frame that comes before anybody asks for it is kept", run: testEarlyFrame},
	{name: "Receive is ended by its context, and the link goes on", run: testReceiveCancel},
	{name: "a second association is ErrBusy while the first lasts", run: testSecondAssociation},
	{name: "an associated access point is marked in the cache", run: testAssociatedMark},
	{name: "Close of the Link disassociates, ends Receive, and the next association works",
		needs: []hook{isAssociated}, run: testLinkClose},
	{name: "Close of the Station disassociates and ends Receive with ErrClosed",
		needs: []hook{isAssociated}, run: testStationCloseLink},
	{name: "an access point that is not there is ErrAssociation", run: testAssociateNobody},
	{name: "an association with a cancelled context fails, and the next one works",
		run: testAssociateCancelled},
	{name: "an association is ended by its context and leaves nothing behind",
		needs: []hook{isAssociated}, run: testAssociateCancel},
	{name: "an interface that another program uses is ErrBusy to associate, and scans",
		needs: []hook{occupy, isAssociated}, run: testOccupied},
}

const (
	eapRequest       = 1
	eapTypeIdentity  = 1
	eapTypeExpanded  = 254
	identityEnrollee = "WFA-SimpleConfig-Enrollee-1-0"
)

// eapRequestOf receives frames until one holds an EAP request of the given type (IEEE 802.1X:
// version, type 0, length; RFC 3748: code, identifier, length, type) and returns the EAP packet.
func (w *world) eapRequestOf(link drivers.Link, eapType byte) []byte {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		frame, err := link.Receive(ctx)
		if err != nil {
			w.Fatalf("Receive: %v", err)
		}
		if len(frame) >= 9 && frame[1] == 0 && frame[4] == eapRequest && frame[8] == eapType {
			return frame[4:]
		}
		w.Logf("another frame: %x", frame)
	}
}

func (w *world) send(link drivers.Link, frame []byte) {
	w.Helper()
	if err := link.Send(w.ctx, frame); err != nil {
		w.Fatalf("Send: %v", err)
	}
}

// identity is the EAPOL frame that answers an identity request.
func identity(request []byte) []byte {
	length := 5 + len(identityEnrollee)
	frame := []byte{1, 0, 0, byte(length), 2, request[1], 0, byte(length), eapTypeIdentity}
	return append(frame, identityEnrollee...)
}

func testConversation(w *world) {
	ap := w.startAP("conversation", frequency)
	link := w.associate(w.station(), ap, "conversation")
	request := w.eapRequestOf(link, eapTypeIdentity)
	w.send(link, identity(request))
	start := w.eapRequestOf(link, eapTypeExpanded)
	// Vendor 0x00372a, type 1, Op-Code 1: WSC_Start.
	if want := []byte{0x00, 0x37, 0x2a, 0, 0, 0, 1, 1}; len(start) < 13 ||
		string(start[5:13]) != string(want) {
		w.Errorf("the answer to our identity is not WSC_Start: %x", start)
	}
}

func testEarlyFrame(w *world) {
	ap := w.startAP("early", frequency)
	link := w.associate(w.station(), ap, "early")
	time.Sleep(500 * time.Millisecond) // the repetition would come after seconds only
	ctx, cancel := context.WithTimeout(w.ctx, time.Second)
	defer cancel()
	frame, err := link.Receive(ctx)
	if err != nil || len(frame) < 9 || frame[4] != eapRequest || frame[8] != eapTypeIdentity {
		w.Errorf("Receive: %x, %v, not an identity request", frame, err)
	}
}

func testReceiveCancel(w *world) {
	ap := w.startAP("silence", frequency)
	link := w.associate(w.station(), ap, "silence")
	request := w.eapRequestOf(link, eapTypeIdentity)
	ctx, cancel := context.WithTimeout(w.ctx, 50*time.Millisecond)
	defer cancel()
	if frame, err := link.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		w.Errorf("Receive: %x, %v, not context.DeadlineExceeded", frame, err)
	}
	w.send(link, identity(request))
	w.eapRequestOf(link, eapTypeExpanded)
}

func testSecondAssociation(w *world) {
	ap := w.startAP("first", frequency)
	s := w.station()
	link := w.associate(s, ap, "first")
	if second, err := s.Associate(w.ctx, request(
		drivers.BSS{BSSID: ap.BSSID(), Frequency: frequency, Privacy: true},
		"first")); !errors.Is(err, drivers.ErrBusy) {
		w.Errorf("Associate: %v, %v, not ErrBusy", second, err)
	}
	w.eapRequestOf(link, eapTypeIdentity)
}

func testAssociatedMark(w *world) {
	ap := w.startAP("mine", frequency)
	s := w.station()
	link := w.associate(s, ap, "mine")
	marked := func() bool {
		cached, err := s.Cached(w.ctx, time.Minute)
		if err != nil {
			w.Fatalf("Cached: %v", err)
		}
		bss, _ := pick(cached, ap)
		return bss.Associated
	}
	if !marked() {
		w.Error("it is not marked while associated")
	}
	if err := link.Close(); err != nil {
		w.Fatalf("Close: %v", err)
	}
	if marked() {
		w.Error("it is marked after Close")
	}
}

func testLinkClose(w *world) {
	ap := w.startAP("short stay", frequency)
	s := w.station()
	link := w.associate(s, ap, "short stay")
	w.eapRequestOf(link, eapTypeIdentity)
	ended := make(chan error, 1)
	go func() {
		_, err := link.Receive(w.ctx)
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := link.Close(); err != nil {
		w.Errorf("Close: %v", err)
	}
	if err := <-ended; !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Receive: %v, not ErrClosed", err)
	}
	if w.env.IsAssociated(w.T) {
		w.Error("it is still associated after Close")
	}
	if err := link.Send(w.ctx, []byte{1, 1, 0, 0}); !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Send after Close: %v, not ErrClosed", err)
	}
	w.eapRequestOf(w.associate(s, ap, "short stay"), eapTypeIdentity)
}

func testStationCloseLink(w *world) {
	ap := w.startAP("all at once", frequency)
	s := w.station()
	link := w.associate(s, ap, "all at once")
	w.eapRequestOf(link, eapTypeIdentity)
	ended := make(chan error, 1)
	go func() {
		_, err := link.Receive(w.ctx)
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := s.Close(); err != nil {
		w.Errorf("Close: %v", err)
	}
	if err := <-ended; !errors.Is(err, drivers.ErrClosed) {
		w.Errorf("Receive: %v, not ErrClosed", err)
	}
	if w.env.IsAssociated(w.T) {
		w.Error("it is still associated after Close")
	}
}

func testAssociateNobody(w *world) {
	s := w.station()
	_, err := s.Associate(w.ctx, request(drivers.BSS{BSSID: [6]byte{2, 0, 0, 0, 0xff, 1},
		Frequency: frequency, Privacy: true}, "nobody"))
	var lost *drivers.LostError
	if !errors.Is(err, drivers.ErrAssociation) || !errors.As(err, &lost) {
		w.Errorf("Associate: %v, not a LostError with ErrAssociation", err)
	}
}

func testAssociateCancelled(w *world) {
	ap := w.startAP("not now", frequency)
	s := w.station()
	bss := w.find(s, ap, frequency)
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if link, err := s.Associate(ctx, request(bss, "not now")); !errors.Is(err, context.Canceled) {
		w.Errorf("Associate: %v, %v, not context.Canceled", link, err)
	}
	w.eapRequestOf(w.associate(s, ap, "not now"), eapTypeIdentity)
}

// testAssociateCancel tries an access point that is not there: looking for it takes a while.
func testAssociateCancel(w *world) {
	s := w.station()
	w.scan(s, drivers.ScanRequest{Frequencies: []int{frequency}}) // the link is up now
	ctx, cancel := context.WithTimeout(w.ctx, 15*time.Millisecond)
	defer cancel()
	start := time.Now()
	link, err := s.Associate(ctx, request(drivers.BSS{BSSID: [6]byte{2, 0, 0, 0, 0xff, 1},
		Frequency: frequency, Privacy: true}, "nobody"))
	if !errors.Is(err, context.DeadlineExceeded) {
		w.Errorf("Associate: %v, %v, not context.DeadlineExceeded", link, err)
	}
	if took := time.Since(start); took > time.Second {
		w.Errorf("it went on for %v", took)
	}
	if w.env.IsAssociated(w.T) {
		w.Error("it is associated")
	}
	ap := w.startAP("next time", frequency)
	w.eapRequestOf(w.associate(s, ap, "next time"), eapTypeIdentity)
}

func testOccupied(w *world) {
	ap := w.startAP("occupied", frequency)
	w.Cleanup(w.env.Occupy(w.T, ap))
	s := w.station()
	w.find(s, ap, frequency)
	if link, err := s.Associate(w.ctx, request(
		drivers.BSS{BSSID: ap.BSSID(), Frequency: frequency, Privacy: true},
		"occupied")); !errors.Is(err, drivers.ErrBusy) {
		w.Errorf("Associate: %v, %v, not ErrBusy", link, err)
	}
	cached, err := s.Cached(w.ctx, time.Minute)
	if bss, _ := pick(cached, ap); !bss.Associated || err != nil {
		w.Errorf("it is not marked as associated (%v)", err)
	}
	if err := s.Close(); err != nil {
		w.Errorf("Close: %v", err)
	}
	if !w.env.IsAssociated(w.T) {
		w.Error("our Close ended the other program's association")
	}
}
