package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

var someUUID = wsc.UUIDFromMAC(wsc.MAC{2, 0, 0, 0, 0, 1})

// network is one that a Credential may have given.
func network(ssid string, change func(*Network)) Network {
	n := Network{
		Network: credential.Network{
			SSID: []byte(ssid), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
			KeyKind: credential.KeyPassphrase,
			Key:     secret.FromString("correct horse battery"), KeyIndex: 1,
			MAC: wsc.MAC{2, 0, 0, 0, 0, 1}, OwnMAC: true,
			NetworkIndex: 1, Raw: secret.New([]byte{0x10, 0x0e, 0, 0}),
		},
		BSSID: wsc.MAC{2, 0, 0, 0, 1, 0}, Source: "pbc",
		Created: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(&n)
	}
	return n
}

func equal(a, b Network) bool {
	return bytes.Equal(a.SSID, b.SSID) && a.Auth == b.Auth && a.Encryption == b.Encryption &&
		a.KeyKind == b.KeyKind &&
		a.Key.Equal(b.Key) && a.WPA3Only == b.WPA3Only && a.KeyIndex == b.KeyIndex &&
		a.MAC == b.MAC && a.OwnMAC == b.OwnMAC && a.NetworkIndex == b.NetworkIndex &&
		a.Raw.Equal(b.Raw) && a.BSSID == b.BSSID && a.Source == b.Source &&
		a.Created.Equal(b.Created)
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func add(t *testing.T, s *Store, n Network) Network {
	t.Helper()
	kept, _, err := s.Put(n)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestSurvivesRestart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		n    Network
	}{
		{"a WPA2 network", network("home", nil)},
		{"an open network without key", network("café", func(n *Network) {
			n.Auth, n.Encryption, n.KeyKind, n.Key, n.Raw = wsc.AuthOpen, wsc.EncrNone,
				credential.KeyNone, secret.Value{}, secret.Value{}
		})},
		{"a 64-digit key, mixed security", network("x", func(n *Network) {
			n.Auth, n.Encryption = wsc.AuthWPAPSK|wsc.AuthWPA2PSK, wsc.EncrTKIP|wsc.EncrAES
			n.KeyKind, n.Key = credential.KeyRawPSK, secret.FromString(strings.Repeat("0a", 32))
		})},
		{"a network of WPA3 alone", network("x", func(n *Network) { n.WPA3Only = true })},
		{"an SSID that is not UTF-8", network("\xff\xfe", nil)},
		{"an SSID with zeros, quotes and a line break", network("a\x00\"\n\\", nil)},
		{"an SSID that looks like hex", network("616263", nil)},
		{"an SSID of 32 bytes", network(strings.Repeat("é", 16), nil)},
		{"an SSID that HTML would escape", network("<&>\u2028", nil)},
		{"a key that is not text", network("k", func(n *Network) {
			n.Key = secret.New([]byte("\xff\xfe\x00\x01\x02\x03\x04\x05"))
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "state")
			s := open(t, dir)
			kept := add(t, s, c.n)
			if err := s.SetUUID(someUUID); err != nil {
				t.Fatal(err)
			}
			if !kept.Key.IsZero() || !kept.Raw.IsZero() {
				t.Error("Add returns secrets")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
			got, err := s.Network(kept.ID)
			if err != nil || !equal(got, c.n) || got.ID != kept.ID {
				t.Errorf("%+v, %v", got, err)
			}
			if s.UUID() != someUUID || len(s.Damaged()) != 0 {
				t.Errorf("%v, %v", s.UUID(), s.Damaged())
			}
			info, err := os.Stat(filepath.Join(dir, networkName(kept.ID)))
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

func TestPutAndDelete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, s := range []*Store{Memory(), open(t, chmod(t, dir, 0o700))} {
		first, second := add(t, s, network("a", nil)), add(t, s, network("b", nil))
		newer, removed, err := s.Put(network("a", func(n *Network) {
			n.Key, n.Auth, n.Source = secret.FromString("another key"), wsc.AuthWPAPSK, "learn"
		}))
		if err != nil || newer.ID != first.ID || len(removed) != 0 || newer.Source != "learn" {
			t.Errorf("received again it is %d, not %d; removed %v, %v", newer.ID, first.ID,
				removed, err)
		}
		if got, err := s.Network(first.ID); err != nil || string(got.Key.Bytes()) != "another key" {
			t.Errorf("the key is the old one: %v", err)
		}
		public := add(t, s, network("a", func(n *Network) {
			n.Auth, n.Encryption, n.KeyKind, n.Key = wsc.AuthOpen, wsc.EncrNone, credential.KeyNone,
				secret.Value{}
		}))
		var ids []uint32
		for _, n := range s.Networks() {
			ids = append(ids, n.ID)
			if !n.Key.IsZero() || !n.Raw.IsZero() {
				t.Error("Networks returns secrets")
			}
		}
		if !slices.Equal(ids, []uint32{first.ID, second.ID, public.ID}) {
			t.Errorf("%v: an open network takes the place of a protected one", ids)
		}
		for _, id := range []uint32{newer.ID, public.ID} {
			if err := s.Delete(id); err != nil {
				t.Error(err)
			}
		}
		if err := s.Delete(newer.ID); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if _, err := s.Network(newer.ID); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if again := add(t, s, network("a", nil)); again.ID <= public.ID {
			t.Errorf("id %d is used twice", again.ID)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := s.Put(network("d", nil)); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
}

// TestTwoOfOneNameAreTidied: an earlier version that was killed during a replacement left the old
// file beside the new one, and to delete one of them brought the other key back.
func TestTwoOfOneNameAreTidied(t *testing.T) {
	t.Parallel()
	with := func(key string) func(*Network) {
		return func(n *Network) { n.Key = secret.FromString(key) }
	}
	leave := func(t *testing.T) string {
		dir := chmod(t, t.TempDir(), 0o700)
		for id, n := range map[uint32]Network{
			3: network("a", with("the first key")), 4: network("b", nil),
			5: network("a", with("the second key")),
			// The clock of a machine without battery begins in 1970.
			9: network("a", func(n *Network) {
				n.Key, n.Created = secret.FromString("the newest key"), time.Unix(60, 0)
			}),
		} {
			text, err := appendNetwork(n)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, networkName(id)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	ids := func(s *Store) (list []uint32) {
		for _, n := range s.Networks() {
			list = append(list, n.ID)
		}
		return list
	}
	t.Run("at the start the newest stays", func(t *testing.T) {
		dir := leave(t)
		for _, want := range [][]uint32{{3, 5}, nil} { // the second start finds nothing to do
			s := open(t, dir)
			if got := ids(s); !slices.Equal(got, []uint32{4, 9}) ||
				!slices.Equal(s.Tidied(), want) {
				t.Errorf("%v, tidied %v", got, s.Tidied())
			}
			if n, err := s.Network(9); err != nil || string(n.Key.Bytes()) != "the newest key" {
				t.Errorf("%q, %v", n.Key.Bytes(), err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("a file that cannot be removed now is removed before the network can be deleted",
		func(t *testing.T) {
			s := open(t, leave(t))
			if got := ids(s); !slices.Equal(got, []uint32{4, 9}) {
				t.Fatal(got)
			}
			// As if the file of 5 had stayed: the directory was read-only at the start.
			text, err := appendNetwork(network("a", with("the second key")))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.dir.write(networkName(5), text); err != nil {
				t.Fatal(err)
			}
			s.leftover = []uint32{5}
			s.dir.step = func(what string) error {
				if what == "remove "+networkName(5) {
					return errCrash
				}
				return nil
			}
			if err := s.Delete(9); err == nil || len(ids(s)) != 2 {
				t.Errorf("deleted, and the old key comes back: %v, %v", err, ids(s))
			}
			s.dir.step = func(string) error { return nil }
			if err := s.Delete(9); err != nil {
				t.Error(err)
			}
			if _, err := s.dir.read(networkName(5)); err == nil {
				t.Error("the old key comes back")
			}
		})
	t.Run("what cannot be removed at the start is not shown, and not forgotten",
		func(t *testing.T) {
			dir := leave(t)
			d, err := openDirectory(dir)
			if err != nil {
				t.Fatal(err)
			}
			d.step = func(what string) error {
				if strings.HasPrefix(what, "remove ") {
					return errCrash
				}
				return nil
			}
			s := Memory()
			s.dir = d
			if err := s.load(); err != nil {
				t.Fatal(err)
			}
			if got := ids(s); !slices.Equal(got, []uint32{4, 9}) ||
				!slices.Equal(s.leftover, []uint32{3, 5}) {
				t.Errorf("%v, left %v", got, s.leftover)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
}

func TestSecretsAreTheirOwn(t *testing.T) {
	t.Parallel()
	s := Memory()
	n := network("a", nil)
	kept := add(t, s, n)
	n.Key.Wipe()
	got, err := s.Network(kept.ID)
	if err != nil || string(got.Key.Bytes()) != "correct horse battery" {
		t.Error("Add shares the caller's key")
	}
	held := s.networks[kept.ID].Key
	if err := s.Delete(kept.ID); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(held.Bytes(), make([]byte, held.Len())) {
		t.Error("a deleted key is not overwritten")
	}
	if string(got.Key.Bytes()) != "correct horse battery" {
		t.Error("Network shares the store's key")
	}
}

func TestRefusedNetworks(t *testing.T) {
	t.Parallel()
	s := Memory()
	for _, c := range []struct {
		name   string
		change func(*Network)
	}{
		{"no SSID", func(n *Network) { n.SSID = nil }},
		{"an SSID of 33 bytes", func(n *Network) { n.SSID = make([]byte, 33) }},
		{"no authentication type", func(n *Network) { n.Auth = 0 }},
		{"WPA-Enterprise", func(n *Network) { n.Auth = wsc.AuthWPA2 }},
		{"no encryption type", func(n *Network) { n.Encryption = 0 }},
		{"a passphrase without bytes", func(n *Network) { n.Key = secret.Value{} }},
		{"a key where there is none", func(n *Network) { n.KeyKind = credential.KeyNone }},
		{"a kind of key that nobody knows", func(n *Network) { n.KeyKind = "sae" }},
		{"SAE without a passphrase", func(n *Network) {
			n.WPA3Only, n.KeyKind, n.Key = true, credential.KeyRawPSK,
				secret.FromString(strings.Repeat("0a", 32))
		}},
		{"a key of 65 bytes", func(n *Network) { n.Key = secret.New(make([]byte, 65)) }},
		{"a Credential of 9 kB", func(n *Network) { n.Raw = secret.New(make([]byte, 9<<10)) }},
		{"a source of 33 bytes", func(n *Network) { n.Source = strings.Repeat("x", 33) }},
		{"a source with a line break", func(n *Network) { n.Source = "a\nb" }},
		{"the year 10000", func(n *Network) {
			n.Created = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := s.Put(network("x", c.change)); !errors.Is(err, ErrInvalid) {
				t.Error(err)
			}
		})
	}
	for i := range MaxNetworks {
		add(t, s, network(fmt.Sprint(i), nil))
	}
	if _, _, err := s.Put(network("one more", nil)); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	add(t, s, network("17", nil)) // one that is there may be received again
}

func chmod(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnsafeDirectories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		mode os.FileMode
		want error
	}{
		{"one that everybody can write to", 0o777, ErrUnsafe},
		{"one that its group can write to", 0o770, ErrUnsafe},
		{"one with the sticky bit, like /tmp", 0o777 | os.ModeSticky, ErrUnsafe},
		{"one that others can read is safe, since the files are not", 0o755, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(chmod(t, t.TempDir(), c.mode))
			if !errors.Is(err, c.want) {
				t.Error(err)
			}
			if s != nil {
				_ = s.Close()
			}
		})
	}
	t.Run("one of somebody else", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() != 0 {
			if _, err := Open("/"); !errors.Is(err, ErrUnsafe) {
				t.Error(err)
			}
			return
		}
		dir := chmod(t, t.TempDir(), 0o700)
		if err := os.Chown(dir, 12345, 12345); err != nil {
			t.Skip(err)
		}
		if _, err := Open(dir); !errors.Is(err, ErrUnsafe) {
			t.Error(err)
		}
	})
	t.Run("one that is a file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil {
			t.Error("opened")
		}
	})
	t.Run("one that another process has open", func(t *testing.T) {
		t.Parallel()
		dir := chmod(t, t.TempDir(), 0o700)
		open(t, dir)
		if _, err := Open(dir); !errors.Is(err, ErrInUse) {
			t.Error(err)
		}
	})
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	good, err := appendNetwork(network("good", nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file, text string
		aside            string // "": left as it is
		want             error
	}{
		{"a network cut short", "network-7.json", string(good[:len(good)/2]),
			"network-7.json.damaged", ErrInvalid},
		{"an empty network", "network-7.json", "", "network-7.json.damaged", ErrInvalid},
		{"zeros, as a file system leaves them", "network-7.json", strings.Repeat("\x00", 500),
			"network-7.json.damaged", ErrInvalid},
		{"a network with a name that nobody knows", "network-7.json",
			strings.Replace(string(good), `"auth"`, `"auht"`, 1), "network-7.json.damaged",
			ErrInvalid},
		{"a network of a megabyte", "network-7.json", strings.Repeat(" ", 1<<20),
			"network-7.json.damaged", ErrInvalid},
		{"something after the network", "network-7.json", string(good) + "{}",
			"network-7.json.damaged", ErrInvalid},
		{"an identity that is none", "device.json", `{"version":1,"uuid":"x"}`,
			"device.json.damaged", ErrInvalid},
		{"an identity of zeros", "device.json",
			`{"version":1,"uuid":"00000000-0000-0000-0000-000000000000"}`, "device.json.damaged",
			ErrInvalid},
		{"a network of a newer version is left as it is", "network-7.json",
			strings.Replace(string(good), `"version": 1`, `"version": 2`, 1), "", ErrVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := chmod(t, t.TempDir(), 0o700)
			write(t, dir, "network-3.json", string(good))
			write(t, dir, c.file, c.text)
			s := open(t, dir)
			if got := s.Networks(); len(got) != 1 || got[0].ID != 3 {
				t.Errorf("the good one is gone: %+v", got)
			}
			want := c.file
			if c.aside != "" {
				want = c.aside
			}
			report := s.Damaged()
			if len(report) != 1 || report[0].Name != want || !errors.Is(report[0].Err, c.want) {
				t.Errorf("%+v", report)
			}
			if text, err := os.ReadFile(filepath.Join(dir, want)); err != nil ||
				string(text) != c.text {
				t.Errorf("what it held is lost: %v", err)
			}
			if strings.HasPrefix(c.file, "network") {
				if n := add(t, s, network("next", nil)); n.ID <= 7 {
					t.Errorf("the damaged one's id %d is given to another", n.ID)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if again := open(t, dir).Damaged(); c.aside != "" && len(again) != 0 {
				t.Errorf("reported twice: %+v", again)
			}
		})
	}
}

func TestOddFiles(t *testing.T) {
	t.Parallel()
	dir := chmod(t, t.TempDir(), 0o700)
	good, err := appendNetwork(network("good", nil))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "network-1.json", string(good))
	chmod(t, filepath.Join(dir, "network-1.json"), 0o644)
	write(t, dir, "network-01.json", "not ours")
	write(t, dir, "network-0.json", "not ours")
	write(t, dir, "network-99999999999.json", "not ours")
	write(t, dir, "README", "not ours")
	write(t, dir, ".new-network-2.json", "half")
	if err := os.Mkdir(filepath.Join(dir, "network-4.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "network-5.json")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "network-6.json", "damaged")
	write(t, dir, "network-6.json.damaged", "older")
	s := open(t, dir)
	if got := s.Networks(); len(got) != 1 || got[0].ID != 1 {
		t.Errorf("%+v", got)
	}
	var names []string
	for _, d := range s.Damaged() {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"network-4.json.damaged", "network-5.json.damaged",
		"network-6.json-2.damaged"}) {
		t.Errorf("%q", names)
	}
	if info, err := os.Stat(filepath.Join(dir, "network-1.json")); err != nil ||
		info.Mode() != 0o600 {
		t.Errorf("others can still read it: %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".new-network-2.json")); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("half a file stays: %v", err)
	}
	for _, name := range []string{"network-01.json", "network-0.json", "README",
		"network-6.json.damaged"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestErrorsKeepSecrets: what stands where a key should be may be one.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	good, err := appendNetwork(network("good", nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`12345670`, `"hunter2hunter2!"`, `["hunter2hunter2"]`,
		`{"hunter2hunter2":1}`, `hunter2hunter2`} {
		text := strings.Replace(string(good), `"Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"`, bad, 1)
		if text == string(good) {
			t.Fatal("the key is not where it is sought")
		}
		_, err := parseNetwork([]byte(text))
		if !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "hunter2") ||
			strings.Contains(err.Error(), "12345670") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzNetworkFile(f *testing.F) {
	for _, n := range []Network{
		network("home", nil),
		network("\xff", func(n *Network) { n.KeyKind, n.Key = credential.KeyNone, secret.Value{} }),
	} {
		text, err := appendNetwork(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := parseNetwork(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrVersion) {
				t.Fatalf("an error that nobody knows: %v", err)
			}
			return
		}
		again, err := appendNetwork(n)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if len(again) > maxFile {
			t.Fatalf("%d bytes are more than would be read", len(again))
		}
		m, err := parseNetwork(again)
		if err != nil || !equal(n, m) {
			t.Fatalf("%+v is read as %+v, %v", n, m, err)
		}
		third, err := appendNetwork(m)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatal("not the same text twice")
		}
	})
}

func FuzzIdentityFile(f *testing.F) {
	f.Add(appendIdentity(someUUID))
	f.Fuzz(func(t *testing.T, text []byte) {
		u, err := parseIdentity(text)
		if err != nil {
			return
		}
		if v, err := parseIdentity(appendIdentity(u)); err != nil || v != u {
			t.Fatalf("%v, %v", v, err)
		}
	})
}
