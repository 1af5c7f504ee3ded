package er

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// fuzzWorld is a network of three access points and some stations that a list of operations plays
// with.
type fuzzWorld struct {
	*world
	t      *testing.T
	books  *ledger
	runs   []RunID
	joined []*fakeStation
}

func newFuzzWorld(t *testing.T) *fuzzWorld {
	w := &fuzzWorld{world: newWorld(t), t: t, books: newLedger()}
	w.r.rand = rand.NewChaCha8([32]byte{1})
	w.r.keyPair = func() *wsccrypto.KeyPair { // the same one again and again, which costs nothing
		k, _ := wsccrypto.KeyPairFromPrivate(fuzzKey)
		return k
	}
	for i := range 3 {
		w.newAP(i + 1)
	}
	w.aps[address(3)].uuid = w.aps[address(2)].uuid
	return w
}

var fuzzKey = pin("00000000000000000000000000000001").Value

// step does one operation.
func (w *fuzzWorld) step(op, arg byte) {
	p := w.aps[address(1+arg%3)]
	again := false
	switch op % 20 {
	case 0:
		again = w.r.running
		only := netip.Addr{}
		if arg&0x40 != 0 {
			only = p.addr
		}
		w.do(w.r.Start(w.now, only))
	case 1:
		if arg&0x70 == 0 {
			w.do(w.r.Stop(w.now))
		}
	case 2:
		p.announce(upnp.Kind(1 + arg>>2%3))
	case 3:
		p.restart()
	case 4:
		p.up = !p.up
	case 5:
		w.wait(time.Duration(arg) * time.Second)
	case 6:
		w.wait(time.Duration(arg) * 10 * time.Millisecond)
	case 7:
		w.hold = true
	case 8:
		w.release()
	case 9:
		if len(w.held) > 0 {
			w.answerOne()
		}
	case 10:
		p.probe(macOf(arg>>4), wsc.DevicePasswordID(arg>>2&4))
	case 11:
		password := pin("12345670")
		if arg&4 != 0 {
			password = devpass.PushButton()
		}
		w.joined = append(w.joined, p.joinDeaf(macOf(arg>>4), password, int(arg>>3&1)))
	case 12:
		run, actions, err := w.r.Learn(w.now, w.anAP(arg),
			pin([]string{"12345670", "12349999"}[arg>>7]))
		w.began(run, actions, err)
	case 13:
		run, actions, err := w.r.Configure(w.now, w.anAP(arg), pin("12345670"),
			network("home", "correct horse"))
		w.began(run, actions, err)
	case 14:
		actions, err := w.r.SetConfig(w.now, w.anAP(arg), network("home", "correct horse"))
		if err == nil {
			w.do(actions)
		}
	case 15:
		g := PINGrant{PIN: pin("12345670").Value, Timeout: time.Duration(arg) * time.Second}
		if arg&1 != 0 {
			g.MAC = macOf(arg >> 4)
		}
		run, actions, err := w.r.AllowPIN(w.now, g)
		w.began(run, actions, err)
	case 16:
		run, actions, err := w.r.AllowPBC(w.now, PBCGrant{MAC: macOf(arg >> 4)})
		w.began(run, actions, err)
	case 17:
		if len(w.runs) > 0 {
			w.do(w.r.Cancel(w.now, w.runs[int(arg)%len(w.runs)]))
		}
	case 18:
		w.misbehave(p, arg)
	case 19:
		switch arg & 0x30 {
		case 0:
			w.do(w.r.Moved(w.now))
		case 0x10:
			p.path = "/" + string('a'+rune(arg&3))
		default:
			p.sid = ""
		}
	}
	w.verify(again)
}

// misbehave has an access point answer wrong for some time.
func (w *fuzzWorld) misbehave(p *fakeAP, arg byte) {
	n := 0
	p.wrong = func(name string, _ upnp.Request) (upnp.Response, error, bool) {
		n++
		if n > int(arg>>4) {
			return upnp.Response{}, nil, false
		}
		switch arg & 7 {
		case 0:
			return upnp.Response{}, errors.New("reset"), true
		case 1:
			return upnp.Response{Status: 412}, nil, true
		case 2:
			return upnp.Response{Status: 200, Body: []byte("<html/>")}, nil, true
		case 3:
			return upnp.Response{Status: 200,
				Body: upnp.PutMessage.AppendReply(nil, []byte{0x10, 0x22, 0, 1, arg})}, nil, true
		case 4:
			return upnp.Response{Status: 500, Body: (&upnp.Fault{Code: 501}).Append(nil)}, nil,
				name == "SetSelectedRegistrar"
		}
		return upnp.Subscription{SID: "uuid:same", Timeout: time.Second}.Response(), nil, true
	}
}

func (w *fuzzWorld) anAP(arg byte) APID {
	all := w.r.APs()
	if len(all) == 0 {
		return APID(arg)
	}
	return all[int(arg)%len(all)].ID
}

func (w *fuzzWorld) began(run RunID, actions []Action, err error) {
	if err != nil {
		if run != 0 || actions != nil {
			w.t.Fatalf("an error, and run %d", run)
		}
		return
	}
	w.runs = append(w.runs, run)
	w.do(actions)
}

// verify checks everything after a step.
func (w *fuzzWorld) verify(again bool) {
	w.t.Helper()
	for _, e := range w.events {
		if err := w.books.note(e, again); err != nil {
			w.t.Fatalf("%v: told %q", err, w.told())
		}
	}
	w.events = nil
	if err := w.r.check(); err != nil {
		w.t.Fatal(err)
	}
	if next := w.r.NextTick(); !next.IsZero() && next.Before(w.now.Add(-time.Hour)) {
		w.t.Fatalf("the next Tick is %v ago", w.now.Sub(next))
	}
	for _, s := range w.joined {
		if got := s.got(); got != "" && got != home && got != "net/old passphrase" {
			w.t.Fatalf("a station got %q", got)
		}
	}
}

// finish stops everything: nothing may be left.
func (w *fuzzWorld) finish() {
	for _, p := range w.aps {
		p.wrong = nil
	}
	w.release()
	w.do(w.r.Stop(w.now))
	w.verify(false)
	if !w.r.Idle() || len(w.r.calls) != 0 || w.r.background != 0 || !w.r.NextTick().IsZero() {
		w.t.Fatalf("left: idle %v, %d requests, next %v", w.r.Idle(), len(w.r.calls),
			w.r.NextTick())
	}
	if len(w.books.aps) != 0 || len(w.books.enrollees) != 0 {
		w.t.Fatalf("left: %d access points, %d Enrollees", len(w.books.aps), len(w.books.enrollees))
	}
	for _, run := range w.runs {
		if !w.books.runs[run] {
			w.t.Fatalf("run %d never ended", run)
		}
	}
}

// FuzzRegistrar plays any operations in any order: users, access points that come, go and
// misbehave, stations, and time.
func FuzzRegistrar(f *testing.F) {
	f.Add([]byte{0, 0, 12, 0, 14, 1, 15, 0x80, 11, 0, 11, 0x11, 5, 200, 5, 200})
	f.Add([]byte{0, 0, 14, 0, 14, 1, 16, 0, 10, 0x10, 11, 0x04, 3, 0, 1, 0, 0, 0})
	f.Add([]byte{0, 0, 7, 0, 12, 0, 12, 1, 9, 0, 17, 0, 9, 0, 9, 0, 1, 0, 8, 0})
	f.Add([]byte{18, 0xf2, 0, 0, 5, 100, 2, 4, 5, 100, 2, 4, 18, 0, 5, 255, 2, 4})
	f.Add([]byte{0, 0, 19, 0x20, 5, 255, 5, 255, 5, 255, 5, 255, 19, 0x11, 2, 0, 4, 1, 2, 5, 19, 0})
	f.Add([]byte{18, 0x35, 0, 0, 18, 0x36, 2, 0, 14, 0, 14, 1, 14, 2, 15, 0xff, 18, 0xf4, 5, 255, 5,
		255, 11, 8, 5, 20, 11, 0x18})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 200 {
			return
		}
		w := newFuzzWorld(t)
		for i := 0; i+1 < len(ops); i += 2 {
			w.step(ops[i], ops[i+1])
		}
		w.finish()
	})
}

// TestRandomOperations is some of FuzzRegistrar for every day.
func TestRandomOperations(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		w := newFuzzWorld(t)
		w.step(0, 0)
		for range 60 {
			w.step(byte(r.UintN(256)), byte(r.UintN(256)))
		}
		w.finish()
	}
}

// FuzzWLANEvent gives one event with any content to a Registrar that waits for a PIN and for a
// button, in place of and besides the good one of a station.
func FuzzWLANEvent(f *testing.F) {
	m := (&wsc.ProbeRequest{Device: device("station", phone),
		DevicePasswordID: wsc.PasswordIDPushButton}).Append(nil)
	f.Add(uint8(1), phone[:], m)
	f.Add(uint8(2), phone[:], []byte{0x10, 0x22, 0, 1, 4})
	f.Add(uint8(2), make([]byte, 6), []byte{})
	f.Fuzz(func(t *testing.T, kind uint8, mac, message []byte) {
		w := newFuzzWorld(t)
		w.step(0, 0)
		for i := range byte(3) {
			w.step(14, i)
		}
		w.step(15, 0)
		w.step(16, 0)
		p := w.aps[address(1)]
		e := upnp.WLANEvent{Type: upnp.EventType(kind), Message: message}
		copy(e.MAC[:], mac)
		p.event(e)
		p.flush()
		w.verify(false)
		p.event(e)
		s := p.join(tablet, pin("12345670"))
		p.event(e)
		p.flush()
		w.joined = append(w.joined, s)
		w.verify(false)
		w.wait(10 * time.Minute)
		w.verify(false)
		w.finish()
	})
}
