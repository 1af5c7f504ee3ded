package store

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func openJournal(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func TestJournalKeepsWhatIsOwed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openJournal(t, dir)
	if _, err := j.Debt("wlan0"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty journal: %v", err)
	}
	owed := Debt{Interface: "wlan0", LinkDown: true,
		Claims: []Claim{{"first", json.RawMessage(`{"a":1}`)}, {"second", json.RawMessage(`"b"`)}}}
	other := Debt{Interface: "wlan1", LinkDown: true}
	for _, d := range []Debt{other, {Interface: "wlan0"}, owed} {
		if err := j.Put(d); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	j = openJournal(t, dir) // the next process
	list, err := j.Debts()
	if err != nil || len(list) != 2 || list[0].Interface != "wlan0" || len(list[0].Claims) != 2 ||
		list[0].Claims[0].Manager != "first" || !list[0].LinkDown ||
		list[1].Interface != other.Interface || !list[1].LinkDown {
		t.Fatalf("owed is %+v, %v", list, err)
	}
	if err := j.Clear("wlan0"); err != nil {
		t.Fatal(err)
	}
	if err := j.Clear("wlan0"); err != nil {
		t.Errorf("what was paid can be paid again: %v", err)
	}
	if list, err := j.Debts(); err != nil || len(list) != 1 {
		t.Errorf("left is %+v, %v", list, err)
	}
}

func TestJournalIsOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	openJournal(t, dir)
	if _, err := OpenJournal(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
}

func TestJournalOfAnEarlierStartOfTheKernelIsVoid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, wrote, reads string
		void               bool
	}{
		{"another start", "a", "b", true},
		{"the same start", "a", "a", false},
		{"the writer did not know", "", "b", false},
		{"the reader does not know", "a", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := openJournal(t, t.TempDir())
			j.boot = c.wrote
			if err := j.Put(Debt{Interface: "wlan0", LinkDown: true}); err != nil {
				t.Fatal(err)
			}
			j.boot = c.reads
			if list, err := j.Debts(); err != nil || (len(list) == 0) != c.void {
				t.Errorf("owed is %+v, %v", list, err)
			}
		})
	}
}

// Where nobody tells whether the kernel was started anew, a debt that an earlier process made
// counts for a day. One that this process made or found counts as long as it runs.
func TestJournalForgetsWhatIsADayOld(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		boot string
		own  bool
		age  time.Duration
		void bool
	}{
		{"an earlier process's", "", false, 23 * time.Hour, false},
		{"one that is older", "", false, 25 * time.Hour, true},
		{"one that is older, of the same start of the kernel", "a", false, 25 * time.Hour, false},
		{"its own", "", true, 100 * 24 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := openJournal(t, dir)
			j.boot = c.boot
			if err := j.Put(Debt{Interface: "wlan0", LinkDown: true,
				Taken: time.Now().Add(-c.age)}); err != nil {
				t.Fatal(err)
			}
			if !c.own {
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				j = openJournal(t, dir)
				j.boot = c.boot
			}
			for range 2 {
				if list, err := j.Debts(); err != nil || (len(list) == 0) != c.void {
					t.Errorf("owed is %+v, %v", list, err)
				}
			}
		})
	}
}

// TestJournalWithoutPower: what was being written when power was lost can be an empty file. The kernel
// was started anew since, so nothing is owed, and nothing is to be complained of.
func TestJournalWithoutPower(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := openJournal(t, dir)
	path := filepath.Join(dir, "owed", "wlan0.json")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := j.Debts(); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 0 {
		t.Errorf("%v stays", left)
	}
}

func TestJournalSetsAsideWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text string }{
		{"no JSON", "owed"},
		{"another interface", `{"version":1,"interface":"wlan7"}`},
		{"an unknown key", `{"version":1,"interface":"wlan0","more":1}`},
		{"a later version", `{"version":2,"interface":"wlan0"}`},
		{"a claim of nobody", `{"version":1,"interface":"wlan0","claims":[{"manager":"","debt":{}}]}`},
		{"too many claims", `{"version":1,"interface":"wlan0","claims":[` +
			strings.Repeat(`{"manager":"m","debt":{}},`, maxClaims) +
			`{"manager":"m","debt":{}}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := openJournal(t, dir)
			if err := j.Put(Debt{Interface: "wlan1", LinkDown: true}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "owed", "wlan0.json"), []byte(c.text),
				0o600); err != nil {
				t.Fatal(err)
			}
			if list, err := j.Debts(); err == nil || len(list) != 1 ||
				list[0].Interface != "wlan1" {
				t.Errorf("owed is %+v, %v", list, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "owed", "wlan0.json.damaged")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestJournalRefusesWhatIsNoInterface(t *testing.T) {
	t.Parallel()
	j := openJournal(t, t.TempDir())
	for _, name := range []string{"", ".", "..", "a/b", "a\x00", strings.Repeat("x", 16)} {
		if err := j.Put(Debt{Interface: name}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"version":1,"interface":"wlan0","boot":"x","link-down":true,"claims":[{"manager":"m","debt":{"a":[1]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, _, err := parseDebt("wlan0", text)
		if err != nil {
			return
		}
		again, err := encode(debtFile{formatVersion, d.Interface, "", d.Taken,
			d.LinkDown, d.Claims})
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := parseDebt("wlan0", again)
		if err != nil || back.LinkDown != d.LinkDown || len(back.Claims) != len(d.Claims) {
			t.Fatalf("%+v became %+v, %v", d, back, err)
		}
	})
}
