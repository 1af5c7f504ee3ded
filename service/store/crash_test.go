package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

var (
	errCrash  = errors.New("crash")
	olderUUID = wsc.UUIDFromMAC(wsc.MAC{2, 0, 0, 0, 0, 9})
)

// TestCrashAtEveryStep lets an operation die at its first, second, … step and looks at what the
// next start finds: always what was there before or what was to be, and no damage.
func TestCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(s *Store) error
		// good tells whether what is found after the crash is the state before or after.
		good func(keys map[string]string, s *Store) bool
	}{
		{
			"adding a network", func(s *Store) error {
				_, _, err := s.Put(network("new", nil))
				return err
			},
			func(keys map[string]string, _ *Store) bool {
				return keys["old"] == "old key!" &&
					(keys["new"] == "" || keys["new"] == "correct horse battery")
			},
		},
		{
			"replacing one", func(s *Store) error {
				_, _, err := s.Put(network("old", nil))
				return err
			},
			// and it is one, with the number that it had
			func(keys map[string]string, s *Store) bool {
				got, err := s.Network(1)
				return (keys["old"] == "old key!" || keys["old"] == "correct horse battery") &&
					len(s.networks) == 1 && err == nil && string(got.SSID) == "old"
			},
		},
		{
			"deleting one", func(s *Store) error { return s.Delete(1) },
			func(keys map[string]string, _ *Store) bool {
				return keys["old"] == "old key!" || keys["old"] == ""
			},
		},
		{
			"changing the identity", func(s *Store) error { return s.SetUUID(someUUID) },
			func(keys map[string]string, s *Store) bool {
				return keys["old"] == "old key!" && (s.UUID() == olderUUID || s.UUID() == someUUID)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for step := 0; ; step++ {
				if step > 50 {
					t.Fatal("it never ends")
				}
				dir := chmod(t, t.TempDir(), 0o700)
				s := open(t, dir)
				add(t, s, network("old", func(n *Network) {
					n.Key = secret.FromString("old key!")
				}))
				if err := s.SetUUID(olderUUID); err != nil {
					t.Fatal(err)
				}
				n := 0
				var at string
				s.dir.step = func(what string) error {
					if n++; n > step {
						at = what
						return errCrash
					}
					return nil
				}
				err := c.do(s)
				if at == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				_ = s.Close() // all that the kernel does for a process that was killed
				s = open(t, dir)
				keys := make(map[string]string)
				for id := range s.networks {
					got, _ := s.Network(id)
					keys[string(got.SSID)] = string(got.Key.Bytes())
				}
				if len(s.Damaged()) != 0 || !c.good(keys, s) {
					t.Errorf("killed before %q: %v, %v", at, keys, s.Damaged())
				}
				if left, _ := filepath.Glob(filepath.Join(dir, temporaryPrefix+"*")); len(
					left) != 0 {
					t.Errorf("killed before %q: %v stays", at, left)
				}
			}
		})
	}
}

// TestDiskFull: a write that fails leaves what was there, and no half file.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	for _, step := range []string{"create ", "write ", "sync .", "rename "} {
		dir := chmod(t, t.TempDir(), 0o700)
		s := open(t, dir)
		add(t, s, network("a", nil))
		s.dir.step = func(what string) error {
			if strings.HasPrefix(what, step) {
				return full
			}
			return nil
		}
		if _, _, err := s.Put(network("b", nil)); !errors.Is(err, full) {
			t.Errorf("%s: %v", step, err)
		}
		if got := s.Networks(); len(got) != 1 || string(got[0].SSID) != "a" {
			t.Errorf("%s: %+v", step, got)
		}
		s.dir.step = func(string) error { return nil }
		if _, _, err := s.Put(network("b", nil)); err != nil {
			t.Errorf("%s: not good again: %v", step, err)
		}
	}
}

const victim = "WPSD_STORE_VICTIM"

// TestKill really kills a process that writes all the time, and reads what is left.
func TestKill(t *testing.T) {
	if dir := os.Getenv(victim); dir != "" {
		beVictim(dir)
		return
	}
	// Not parallel: between fork and exec a child holds a copy of every lock, and tests that open a
	// directory again would find it in use.
	dir := chmod(t, t.TempDir(), 0o700)
	for round := range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), victim+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(15+round*3) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := s.Damaged(); len(d) != 0 {
			t.Errorf("round %d: %+v", round, d)
		}
		for _, n := range s.Networks() {
			got, err := s.Network(n.ID)
			if err != nil || string(got.Key.Bytes()) != "key of "+string(got.SSID) {
				t.Errorf("round %d: %q, %v", round, got.SSID, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// beVictim writes until it is killed.
func beVictim(dir string) {
	s, err := Open(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		ssid := fmt.Sprint("network ", i%7)
		n, _, err := s.Put(network(ssid, func(n *Network) {
			n.Key = secret.FromString("key of " + ssid)
		}))
		if err == nil && i%5 == 0 {
			err = s.Delete(n.ID)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}
