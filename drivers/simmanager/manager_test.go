package simmanager_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/drivers/simmanager"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

const wlan0 = "wlan0"

// town is a World with a station that the manager has, and two access points.
type town struct {
	*testing.T
	w         *sim.World
	m         *simmanager.Manager
	home, new *sim.AP
}

// inTown runs f where time is virtual.
func inTown(t *testing.T, f func(t town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := sim.NewWorld(sim.WorldOptions{})
		t.Cleanup(w.Close)
		h := town{T: t, w: w, m: simmanager.New()}
		if err := w.AddRadio(sim.Radio{Name: wlan0, MAC: wsc.MAC{2, 0, 0, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		h.home, h.new = h.ap("Home net", 1, "the old key"), h.ap("New net", 2, "the new key")
		h.m.Attach(w, 1)
		h.do("manage wlan0")
		f(h)
	})
}

func (t town) ap(ssid string, last byte, key string) *sim.AP {
	t.Helper()
	ap, err := t.w.AddAP(sim.APOptions{SSID: ssid, Security: sim.WPA2, Key: secret.FromString(key),
		BSSs: []sim.BSS{{BSSID: wsc.MAC{2, 0, 0, 0, 1, last}, Frequency: 2412}}})
	if err != nil {
		t.Fatal(err)
	}
	return ap
}

func (t town) do(command string) {
	t.Helper()
	if err := t.w.Command(command); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
}

// in checks in which network the interface is; nil: in none.
func (t town) in(ap *sim.AP, when string) {
	t.Helper()
	want := wsc.MAC{}
	if ap != nil {
		want = ap.BSSID()
	}
	if state, _ := t.w.RadioState(wlan0); state.Associated != want {
		t.Errorf("%s: it is in %v, want %v", when, state.Associated, want)
	}
}

func offer(ssid, key string) []credential.Offer {
	n := credential.Network{SSID: []byte(ssid), Key: secret.FromString(key),
		KeyKind: credential.KeyPassphrase}
	return []credential.Offer{{Network: n}}
}

// TestConnections: what a user, an access point and rfkill do to a connection.
func TestConnections(t *testing.T) {
	t.Parallel()
	inTown(t, func(t town) {
		t.in(nil, "with no network known")
		t.do("connect wlan0 Home net")
		t.in(t.home, "joined")
		t.do("kick Home net")
		t.in(t.home, "sent away, it comes back")
		t.w.RemoveAP(t.home)
		t.in(nil, "the access point is off")
		t.do("on Home net")
		t.in(t.home, "and on again")
		t.do("block wlan0")
		t.in(nil, "by rfkill")
		t.do("unblock wlan0")
		t.in(t.home, "no more")
		t.do("connect wlan0 New net")
		t.in(t.new, "another one")
		t.do("leave New net")
		t.in(t.home, "off in good order, and the other one is there")
		t.do("disconnect wlan0")
		t.do("on New net")
		t.in(nil, "a user wants none")
		t.do("manage wlan0")
		t.in(t.new, "he does again: the newest is preferred")
		t.do("forget New net")
		t.in(t.home, "what is left")
		t.do("unmanage wlan0")
		t.in(nil, "it is the manager's no more")
		for _, command := range []string{"manage wlan7", "unmanage wlan0", "connect wlan0 Home net",
			"disconnect wlan7", "forget Nowhere", "refuse wlan7", "manage"} {
			if t.w.Command(command) == nil {
				t.Errorf("%q is taken", command)
			}
		}
	})
}

// TestHolder: it lets go, and has its connection again, unless another network comes in its place.
func TestHolder(t *testing.T) {
	t.Parallel()
	inTown(t, func(t town) {
		ctx := t.Context()
		if owed, err := t.m.Claim(ctx, "wlan7"); owed != nil || err != nil {
			t.Errorf("another interface: %s, %v", owed, err)
		}
		t.do("connect wlan0 Home net")
		owed, err := t.m.Claim(ctx, wlan0)
		if err != nil || owed == nil {
			t.Fatalf("claim: %s, %v", owed, err)
		}
		if apart, err := t.m.Release(ctx, wlan0, owed); apart || err != nil {
			t.Fatal(apart, err)
		}
		t.in(nil, "released")
		t.do("kick Home net")
		t.in(nil, "it does not come back by itself then")
		if again, err := t.m.Claim(ctx, wlan0); again != nil || err != nil {
			t.Errorf("what it has let go of: %s, %v", again, err)
		}
		if t.w.Command("connect wlan0 New net") == nil {
			t.Error("it joins a network on what it has let go of")
		}
		for range 2 { // also twice
			if err := t.m.Restore(ctx, wlan0, owed, true); err != nil {
				t.Fatal(err)
			}
			t.in(t.home, "restored")
		}
		if _, err := t.m.Release(ctx, wlan0, owed); err != nil {
			t.Fatal(err)
		}
		if err := t.m.Restore(ctx, wlan0, owed, false); err != nil {
			t.Fatal(err)
		}
		t.in(nil, "what is handed over comes in its place")
		if _, err := t.m.Deliver(ctx, wlan0, offer("New net", "not its key")); !errors.Is(err,
			simmanager.ErrKey) {
			t.Errorf("a wrong key: %v", err)
		}
		if err := t.m.Restore(ctx, wlan0, owed, true); err != nil {
			t.Fatal(err)
		}
		t.in(t.home, "the new one failed")
		if t.m.Restore(ctx, wlan0, []byte("nonsense"), true) == nil {
			t.Error("a debt that is none is paid")
		}
		if err := t.m.Restore(ctx, "wlan7", owed, true); err != nil {
			t.Errorf("an interface that is gone: %v", err)
		}
		if err := t.m.Disconnect(ctx, wlan0); err != nil {
			t.Error(err)
		}
		t.in(nil, "disconnected")
	})
}

// TestSink: what it takes, and what it does not.
func TestSink(t *testing.T) {
	t.Parallel()
	inTown(t, func(t town) {
		ctx := t.Context()
		deliver := func(ssid, key string) (credential.Connection, error) {
			return t.m.Deliver(ctx, wlan0, offer(ssid, key))
		}
		made, err := deliver("New net", "the new key")
		if err != nil || made.UUID == "" || made.Path != "" {
			t.Fatalf("%+v, %v", made, err)
		}
		t.in(t.new, "handed over")
		if again, err := deliver("New net", "the new key"); again != made || err != nil {
			t.Errorf("again it is %+v, %v", again, err)
		}
		for key, want := range map[string]bool{"the new key": false, "another": true} {
			if got, err := t.m.Changes(ctx, wlan0, offer("New net", key)[0].Network); got != want ||
				err != nil {
				t.Errorf("%s: %v, %v", key, got, err)
			}
		}
		start := time.Now()
		if _, err := deliver("Far away", "some key"); !errors.Is(err, simmanager.ErrNotFound) {
			t.Errorf("out of reach: %v", err)
		}
		if took := time.Since(start); took < time.Second || took > 10*time.Second {
			t.Errorf("it looked for %v", took)
		}
		t.do("refuse wlan0")
		if _, err := deliver("Home net", "the old key"); !errors.Is(err, simmanager.ErrRefuses) {
			t.Errorf("it was told to refuse: %v", err)
		}
		t.do("accept wlan0")
		if _, err := deliver("Home net", "the old key"); err != nil {
			t.Error(err)
		}
		t.in(t.home, "accepted")
		if _, err := t.m.Deliver(ctx, "wlan7", offer("Home net", "the old key")); err == nil {
			t.Error("it takes a network for an interface that it does not have")
		}
	})
}
