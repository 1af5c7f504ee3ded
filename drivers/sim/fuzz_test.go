package sim_test

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/wsc"
)

// appendFrame makes the input of FuzzAccessPoint: frames with their length before them.
func appendFrame(b, frame []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(frame)))
	return append(b, frame...)
}

// nextFrame is its opposite; the last frame may be shorter than it claims.
func nextFrame(b []byte) (frame, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
	return b[2 : 2+n], b[2+n:], true
}

// record runs an enrolment and returns what the station sent.
func record(t *testing.T) []byte {
	t.Helper()
	var mu sync.Mutex
	var sent []byte
	w := sim.NewWorld(sim.WorldOptions{Trace: func(f sim.Frame) {
		if f.Kind == sim.EAPOL && f.From == laptop {
			mu.Lock()
			defer mu.Unlock()
			sent = appendFrame(sent, f.Body)
		}
	}})
	r := roomIn(t, w)
	if err := r.home(nil).PressButton(); err != nil {
		t.Fatal(err)
	}
	out, _ := r.enrol(homeBSSID, devpass.PushButton())
	r.wantNetwork(out, "home", passphrase)
	return sent
}

// FuzzAccessPoint sends anything to an access point whose button is pressed: it must neither panic,
// nor hang, nor let in somebody who replays what another Enrollee sent.
func FuzzAccessPoint(f *testing.F) {
	f.Add([]byte{}, []byte{0, 4, 1, 1, 0, 0}, byte(0))
	f.Add(probe(laptop, wsc.PasswordIDPushButton),
		appendFrame(appendFrame(nil, []byte{2, 1, 0, 0}),
			append([]byte{2, 0, 0, 34, 2, 0, 0, 34, 1}, "WFA-SimpleConfig-Enrollee-1-0"...)), byte(
			1))
	f.Add(probe(neighbour, wsc.PasswordIDDefault),
		appendFrame(nil, append([]byte{2, 0, 0, 35, 2, 0, 0, 35, 1},
			"WFA-SimpleConfig-Registrar-1-0"...)), byte(2))
	f.Fuzz(func(t *testing.T, ies, frames []byte, kind byte) {
		if len(frames) > 8192 || len(ies) > 2048 {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) { attack(t, ies, frames, kind) })
	})
}

// TestReplay replays a good enrolment at an access point whose button is pressed.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attack(t, probe(laptop, wsc.PasswordIDPushButton), record(t), 0)
	})
}

func attack(t *testing.T, ies, frames []byte, kind byte) {
	// Randomness that repeats, so that the fuzzer finds the same way again.
	r := roomIn(t, sim.NewWorld(sim.WorldOptions{Rand: rand.NewChaCha8([32]byte{kind})}))
	ap := r.home(func(o *sim.APOptions) {
		o.APPIN = rightPIN.Value
		o.Version10 = kind&1 != 0
		o.Personality.M2DForever = kind&4 != 0
	})
	if err := ap.PressButton(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.s.Scan(t.Context(),
		drivers.ScanRequest{IEs: ies, Frequencies: []int{2437}}); err != nil {
		t.Fatal(err)
	}
	link, err := r.s.Associate(t.Context(), drivers.AssociateRequest{BSSID: homeBSSID,
		SSID: []byte("home"), Frequency: 2437, Privacy: true, IEs: ies})
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, rest, ok := nextFrame(frames)
		if !ok {
			break
		}
		frames = rest
		if link.Send(t.Context(), frame) != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(2 * time.Minute) // all its timers
	if err := link.Close(); err != nil {
		t.Error(err)
	}
	if ap.Happened(sim.Enrolled) || ap.Happened(sim.SettingsShown) ||
		ap.Happened(sim.SettingsTaken) {
		t.Errorf("it let somebody in: %v", ap.Events())
	}
	if n := ap.Status().Stations; n != 0 {
		t.Errorf("it has %d stations after all have gone", n)
	}
}

// TestBadAir enrols while frames are changed, cut, doubled and lost both ways. A run may fail, but
// it must end, and it must never end with another network than the access point's.
func TestBadAir(t *testing.T) {
	t.Parallel()
	enrolled := 0
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			bad := func(f []byte) [][]byte {
				switch random.IntN(12) {
				case 0:
					return nil
				case 1:
					return [][]byte{enginetest.Mutate(random, [][]byte{f})}
				case 2:
					return [][]byte{enginetest.Mutate(random, [][]byte{f}), f}
				}
				return [][]byte{f}
			}
			r := newRoom(t)
			ap := r.hostile(sim.Personality{ToStation: bad, FromStation: bad})
			out, _ := r.enrol(homeBSSID, devpass.PushButton())
			if out.Err == nil && len(out.Credentials) != 0 {
				r.wantNetwork(out, "home", passphrase)
				enrolled++
			}
			if ap.Status().Stations != 0 {
				t.Error("the access point still has the station")
			}
		})
	}
	t.Logf("%d runs of 150 succeeded", enrolled)
	if enrolled == 0 || enrolled == 150 {
		t.Error("the air is not bad in the way that was meant")
	}
}
