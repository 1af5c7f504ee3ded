package tags

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// read is what was read off a tag, whose password is of one letter.
func read(id wsc.DevicePasswordID, letter byte) *ndef.PasswordToken {
	password := make([]byte, 16)
	for i := range password {
		password[i] = letter
	}
	return &ndef.PasswordToken{ID: id, Password: secret.New(password),
		PublicKeyHash: [20]byte{letter}}
}

// TestUse: a run takes the password that M1 names, has it for itself, and uses it up only with
// success.
func TestUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := New(slog.New(slog.DiscardHandler), func() {})
		defer kept.Wipe()
		if err := kept.Check(); !errors.Is(err, state.ErrNoToken) {
			t.Error(err)
		}
		if err := kept.Keep(read(77, 'a'), nil); err != nil {
			t.Fatal(err)
		}
		if err := kept.Check(); err != nil {
			t.Error(err)
		}
		use := kept.Use()
		if _, ok := use.Find(time.Now(), 78, [20]byte{}); ok {
			t.Error("another tag's password is taken")
		}
		use.End(true)
		if kept.Count() != 1 {
			t.Error("a run that took none used it up")
		}
		use = kept.Use()
		token, ok := use.Find(time.Now(), 77, [20]byte{})
		first := string(token.Password.Value.Bytes())
		if !ok || token.Password.ID != 77 || *token.EnrolleeKeyHash != [20]byte{'a'} ||
			len(first) != 32 {
			t.Errorf("%+v, %v", token, ok)
		}
		if err := kept.Keep(read(77, 'b'), nil); err != nil { // in the first one's place
			t.Fatal(err)
		}
		if string(token.Password.Value.Bytes()) != first {
			t.Error("a tag that was read meanwhile has taken the run's password away")
		}
		if use.End(false); kept.Count() != 1 || string(token.Password.Value.Bytes()) == first {
			t.Error("a run that failed used it up, or left its copy")
		}
		again, _ := use.Find(time.Now(), 77, [20]byte{})
		second := string(again.Password.Value.Bytes())
		if second == first || len(second) != 32 {
			t.Error("it is the older password")
		}
		if use.End(true); kept.Count() != 0 || string(again.Password.Value.Bytes()) == second {
			t.Error("it is kept though it was used")
		}
	})
}

// TestBounds: no more than so many are kept, the newest of an id counts, and its time is its own.
func TestBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var expired atomic.Int32
		kept := New(slog.New(slog.DiscardHandler), func() { expired.Add(1) })
		short := read(0x100, 'x')
		short.Password = secret.New(make([]byte, 15))
		if err := kept.Keep(short, nil); !errors.Is(err, state.ErrBadTag) || kept.Count() > 0 {
			t.Errorf("a password of 15 bytes: %v", err)
		}
		for id := range wsc.DevicePasswordID(most + 1) {
			if err := kept.Keep(read(0x100+id, 'a'), nil); err != nil {
				t.Fatal(err)
			}
		}
		if kept.Count() != most || kept.read[0].password.ID != 0x101 {
			t.Errorf("%d, the first of id %#x", kept.Count(), kept.read[0].password.ID)
		}
		time.Sleep(Lifetime / 2)
		if err := kept.Keep(read(0x110, 'b'), nil); err != nil || kept.Count() != most {
			t.Errorf("%v, %d", err, kept.Count())
		}
		time.Sleep(Lifetime/2 + time.Second)
		if synctest.Wait(); kept.Count() != 1 || expired.Load() != most-1 {
			t.Errorf("%d are left, %d expired", kept.Count(), expired.Load())
		}
		time.Sleep(Lifetime / 2)
		if synctest.Wait(); kept.Count() != 0 || expired.Load() != most {
			t.Errorf("%d are left, %d expired", kept.Count(), expired.Load())
		}
	})
}

// TestAwaited: a device that waits is told once, where it waits, with a password of the caller's.
func TestAwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := New(slog.New(slog.DiscardHandler), func() {})
		defer kept.Wipe()
		for id, grant := range []*Grant{nil, {Interface: "wlan0"}, {Interface: "wlan1",
			Owner: ":1.2", User: "1001", Detach: true}} {
			if err := kept.Keep(read(wsc.DevicePasswordID(0x10+id), 'a'), grant); err != nil {
				t.Fatal(err)
			}
		}
		list := kept.Awaited("wlan1")
		if len(list) != 1 || list[0].Owner != ":1.2" || list[0].User != "1001" ||
			!list[0].Detach || list[0].Password.ID != 0x12 || list[0].Hash != [20]byte{'a'} {
			t.Fatalf("%+v", list)
		}
		list[0].Password.Wipe()
		if len(kept.Awaited("wlan1")) > 0 || kept.Count() != 3 {
			t.Error("it is told twice, or is gone")
		}
		use := kept.Use()
		if token, ok := use.Find(time.Now(), 0x12, [20]byte{}); !ok ||
			token.Password.Value.Len() != 32 {
			t.Error("who was told has wiped the kept password")
		}
		use.End(false)
	})
}
