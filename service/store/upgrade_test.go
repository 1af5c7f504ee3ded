package store

import (
	"os"
	"path/filepath"
	"testing"

	"wpsd/engine/wsc"
)

// copyState copies a state directory from testdata, whose files git has with the wrong permissions.
func copyState(t *testing.T, name string) (dir string) {
	t.Helper()
	from, dir := filepath.Join("testdata", name), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestUpgrade: whoever has a state directory of an older wpsd finds everything in it again (what
// UPGRADING in CHANGELOG.md says), and what is written from then on is found next to it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := copyState(t, "state-0.1.0")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if damaged := s.Damaged(); len(damaged) > 0 {
		t.Fatalf("damaged: %v", damaged)
	}
	want := []struct{ ssid, key, source string }{
		{"Cabin", "secret of the cabin", "added"},
		{"Guests", "", "added"},
		{"Mökki 5 GHz", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "added"},
		{"\x00\xff", "long enough key", "added"},
		{"Sim Home", "correct horse battery", "pbc"},
	}
	networks := s.Networks()
	if len(networks) != len(want) {
		t.Fatalf("%d networks, want %d", len(networks), len(want))
	}
	for i := range networks {
		n, err := s.Network(uint32(i + 1)) // with its secrets, which the list has not
		if err != nil {
			t.Fatal(err)
		}
		networks[i] = n
		if n.ID != uint32(i+1) || string(n.SSID) != want[i].ssid || n.Source != want[i].source {
			t.Errorf("network %d %q of %s, want %+v", n.ID, n.SSID, n.Source, want[i])
		}
		if got := string(n.Key.Bytes()); got != want[i].key {
			t.Errorf("%q has another key: %q", n.SSID, got)
		}
		if n.Created.Year() != 2026 || len(n.Raw.Bytes()) == 0 {
			t.Errorf("%q: received %v, Credential of %d bytes", n.SSID, n.Created,
				len(n.Raw.Bytes()))
		}
	}
	if networks[4].BSSID.String() != "02:5a:00:00:01:00" {
		t.Errorf("from %v", networks[4].BSSID)
	}
	if s.UUID() == (wsc.UUID{}) {
		t.Error("it is another device than before")
	}
	if token, ok := s.Token(); !ok || token.ID != 41986 {
		t.Errorf("the token that tags were written with is lost: %v", ok)
	}

	// What is stored anew is the same network, not one more.
	next := networks[0]
	stored, removed, err := s.Put(next)
	if err != nil || stored.ID == 0 {
		t.Fatalf("stored as %d, %v removed: %v", stored.ID, removed, err)
	}
	uuid := s.UUID()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.UUID() != uuid || len(again.Networks()) != len(want) {
		t.Errorf("after another start: %d networks", len(again.Networks()))
	}
}

// TestUpgradeOfTheJournal: what an older wpsd owed when it was killed is paid by the newer one.
func TestUpgradeOfTheJournal(t *testing.T) {
	t.Parallel()
	j, err := OpenJournal(copyState(t, "state-0.1.0"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	text, err := os.ReadFile("testdata/state-0.1.0/owed/wlan0.json")
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := parseDebt("wlan0", text) // whether it has expired is another question
	if err != nil {
		t.Fatal(err)
	}
	if !d.LinkDown || len(d.Claims) != 1 || d.Claims[0].Manager != "wpa_supplicant" {
		t.Errorf("owed: %+v", d)
	}
}
