package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// execute runs the command with real randomness.
func execute(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	a := &app{rand: rand.Reader, out: &out, errOut: &errOut}
	code = a.execute(t.Context(), args)
	return code, out.String(), errOut.String()
}

// values takes the lines of a token apart, which must be those of hostap's tool in their order.
func values(t *testing.T, text string) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	names := []string{"#WPS", "#NDEF", "wps_nfc_dev_pw_id", "wps_nfc_dh_pubkey",
		"wps_nfc_dh_privkey", "wps_nfc_dev_pw"}
	if len(lines) != len(names) || !strings.HasSuffix(text, "\n") {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	var vs []string
	for i, line := range lines {
		name, v, ok := strings.Cut(line, "=")
		if !ok || name != names[i] {
			t.Fatalf("line %d is %q, want %s=", i+1, line, names[i])
		}
		vs = append(vs, v)
	}
	return vs
}

// checkToken verifies that all values of a token belong together.
func checkToken(t *testing.T, vs []string) {
	t.Helper()
	raw := make(map[int][]byte)
	for i, size := range map[int]int{0: 68, 1: 94, 3: 192, 4: 192, 5: 32} {
		b, err := hex.DecodeString(vs[i])
		if err != nil || len(b) != size || vs[i] != strings.ToUpper(vs[i]) {
			t.Fatalf("value %d: %q, %v, want %d bytes", i, vs[i], err, size)
		}
		raw[i] = b
	}
	id, err := strconv.Atoi(vs[2])
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1} {
		tag, err := ndef.Parse(raw[i])
		if err != nil || tag.Password == nil {
			t.Fatalf("%+v, %v", tag, err)
		}
		p := tag.Password
		if int(p.ID) != id || !bytes.Equal(p.Password.Bytes(), raw[5]) ||
			p.PublicKeyHash != wsccrypto.PublicKeyHash(raw[3]) || p.Version2 != wsc.Version20 {
			t.Errorf("the tag says %+v", p)
		}
		if _, err := devpass.FromNFC(p.ID, p.Password.Bytes()); err != nil {
			t.Error(err)
		}
	}
	keys, err := wsccrypto.KeyPairFromPrivate(secret.New(raw[4]))
	if err != nil || !bytes.Equal(keys.Public(), raw[3]) {
		t.Errorf("the private key is that of another public key, %v", err)
	}
	// 160 zeros and our 32 bytes.
	if !bytes.Equal(raw[4][:160], make([]byte, 160)) {
		t.Errorf("private key %X", raw[4])
	}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	code, first, stderr := execute(t)
	if code != exitOK || stderr != "" {
		t.Fatal(code, stderr)
	}
	checkToken(t, values(t, first))
	if _, second, _ := execute(t); second == first {
		t.Error("the same token twice")
	}
}

// TestKnownToken: the draws are in a documented order, so known draws give a known token.
func TestKnownToken(t *testing.T) {
	t.Parallel()
	draw := append(make([]byte, 31), 2) // private key 2
	// an id that is none, and one that is
	draw = append(draw, 0, 15, 0xbf, 0xab)
	draw = append(draw, bytes.Repeat([]byte{0xcb, 0x7f}, 16)...) // password
	var out bytes.Buffer
	a := &app{rand: bytes.NewReader(draw), out: &out, errOut: &out}
	if code := a.execute(t.Context(), nil); code != exitOK {
		t.Fatal(code, out.String())
	}
	vs := values(t, out.String())
	checkToken(t, vs)
	if vs[2] != "49067" || vs[3] != strings.Repeat("0", 383)+"4" ||
		vs[4] != strings.Repeat("0", 383)+"2" || vs[5] != strings.Repeat("CB7F", 16) {
		t.Errorf("got %q", vs)
	}
}

func TestBatchIntoADirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "tokens")
	code, stdout, stderr := execute(t, "--count", "20", "--out", dir)
	if code != exitOK || stdout != "" || !strings.HasPrefix(stderr, "20 tokens in "+dir) {
		t.Fatal(code, stdout, stderr)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 20 || entries[0].Name() != "token-000001.conf" ||
		entries[19].Name() != "token-000020.conf" {
		t.Fatalf("%v, %v", entries, err)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		text := checkPrivate(t, filepath.Join(dir, e.Name()))
		vs := values(t, text)
		checkToken(t, vs)
		if seen[vs[4]] || seen[vs[5]] {
			t.Error("a key or a password twice")
		}
		seen[vs[4]], seen[vs[5]] = true, true
	}
}

// checkPrivate reads a file that must be its owner's only.
func checkPrivate(t *testing.T, name string) string {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%s: %v, %v", name, info, err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBatchIntoATable(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tokens.csv")
	code, stdout, stderr := execute(t, "-n", "20", "-o", name)
	if code != exitOK || stdout != "" || !strings.HasPrefix(stderr, "20 tokens in ") {
		t.Fatal(code, stdout, stderr)
	}
	checkTable(t, name, 20)
}

// checkTable verifies that a table has so many good rows, each number once.
func checkTable(t *testing.T, name string, want int) {
	t.Helper()
	text, ends := strings.CutSuffix(checkPrivate(t, name), "\n")
	rows := strings.Split(text, "\n")
	if len(rows) != want+1 || !ends || rows[0] != "number,wps,ndef,wps_nfc_dev_pw_id,wps_nfc_dh_pubkey,wps_nfc_dh_privkey,wps_nfc_dev_pw" {
		t.Fatalf("%d rows, the first is %q", len(rows), rows[0])
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		vs := strings.Split(row, ",")
		if len(vs) != 7 || seen[vs[0]] || seen[vs[5]] {
			t.Fatalf("row %q", row)
		}
		seen[vs[0]], seen[vs[5]] = true, true
		checkToken(t, vs[1:])
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, exists, out string
		count             int
		code              int
	}{
		{"a table that exists", "t.csv", "t.csv", 2, exitExists},
		{"a table under a name in capitals", "T.CSV", "T.CSV", 2, exitExists},
		{"a directory with the last file of the batch", "d/token-000002.conf", "d", 2, exitExists},
		{"a directory with a file that is not of the batch", "d/token-000003.conf", "d", 2, exitOK},
		{"a directory with a file of a name of another form", "d/token-1.conf", "d", 2, exitOK},
		{"a file where the directory should be", "d", "d", 2, exitFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			old := filepath.Join(base, c.exists)
			if err := errors.Join(os.MkdirAll(filepath.Dir(old), 0o700),
				os.WriteFile(old, []byte("old"), 0o644)); err != nil {
				t.Fatal(err)
			}
			code, _, stderr := execute(t, "--count", strconv.Itoa(c.count), "--out",
				filepath.Join(base, c.out))
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, stderr)
			}
			if b, err := os.ReadFile(old); err != nil || string(b) != "old" {
				t.Errorf("the file that existed has %q, %v", b, err)
			}
			if made, _ := filepath.Glob(filepath.Join(base, "d",
				"token-00000[12].conf")); c.code == exitExists && len(made) > 1 {
				t.Errorf("made %v", made)
			}
		})
	}
}

func TestALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for _, name := range []string{"t.csv", "token-000001.conf"} {
		if err := os.Symlink(filepath.Join(base, "elsewhere"),
			filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, out := range []string{base, filepath.Join(base, "t.csv")} {
		if code, _, stderr := execute(t, "--out", out); code != exitExists {
			t.Errorf("%s: exit code %d, %s", out, code, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(base, "elsewhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the link was followed:", err)
	}
}

// limited is randomness for so many bytes; then end is called, or it fails if that is nil.
type limited struct {
	mu   sync.Mutex
	left int
	end  func()
}

// Read implements io.Reader.
func (l *limited) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left -= len(b); l.left < 0 {
		if l.end == nil {
			return 0, io.ErrUnexpectedEOF
		}
		l.end()
	}
	return rand.Read(b)
}

// tokenDraw is the randomness of one token, nearly always.
const tokenDraw = 32 + 2 + 32

func TestWhatWasMadeStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		interrupt bool
		code      int
	}{
		{"an interrupt", true, exitInterrupted},
		{"a source of randomness that fails", false, exitFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			draws := &limited{left: 40 * tokenDraw}
			if c.interrupt {
				draws.end = cancel
			}
			name := filepath.Join(t.TempDir(), "t.csv")
			var errOut bytes.Buffer
			a := &app{rand: draws, out: io.Discard, errOut: &errOut}
			if code := a.execute(ctx, []string{"--count", "10000", "--out", name}); code != c.code {
				t.Fatal(code, errOut.String())
			}
			var n int
			if _, after, ok := strings.Cut(errOut.String(), "after "); ok {
				n, _ = strconv.Atoi(strings.Fields(after)[0])
			}
			if n < 30 || n > 100 {
				t.Fatal(errOut.String())
			}
			checkTable(t, name, n)
		})
	}
}

func TestNoTokenLeavesNoTable(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "t.csv")
	a := &app{rand: iotest.ErrReader(errors.New("no randomness")), out: io.Discard,
		errOut: io.Discard}
	if code := a.execute(t.Context(), []string{"--out", name}); code != exitFailure {
		t.Error(code)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAFullDiskLeavesCompleteRows(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	a := &app{rand: rand.Reader, out: full, errOut: io.Discard}
	if code := a.execute(t.Context(), nil); code != exitFailure {
		t.Errorf("standard output: exit code %d", code)
	}
	_ = full.Close()
	name := filepath.Join(t.TempDir(), "t.csv")
	tab, err := newTable(name)
	if err != nil {
		t.Fatal(err)
	}
	put := func() error {
		tok, err := newToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return tab.put(1, tok)
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	writable := tab.f
	if tab.f, err = os.Open(name); err != nil { // cannot be written to
		t.Fatal(err)
	}
	if err := put(); err == nil || tab.rows != 1 {
		t.Errorf("%v, %d rows", err, tab.rows)
	}
	_ = tab.f.Close()
	tab.f = writable
	if err := tab.close(); err != nil {
		t.Error(err)
	}
	checkTable(t, name, 1)
}

func TestBar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		made, width int
		want        string
	}{
		{0, 40, "[" + strings.Repeat(" ", 23) + "] 0 of 10 tokens"},
		{5, 40, "[#######       ] 5 of 10 tokens, 3s left"},
		{10, 30, "[############] 10 of 10 tokens"},
		{10, 200, "[" + strings.Repeat("#", 50) + "] 10 of 10 tokens"},
		{10, 18, "10 of 10 tokens"},
		{10, 8, "10 of 10"},
		{10, 0, ""},
		{10, -1, ""},
	} {
		if got := bar(c.made, 10, c.width, 3*time.Second); got != c.want {
			t.Errorf("%d of 10 in %d columns: %q, want %q", c.made, c.width, got, c.want)
		}
	}
}
