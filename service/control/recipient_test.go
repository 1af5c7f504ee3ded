package control

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/engine/secret"
	"wpsd/service/control/reply"
)

// hearsNothing fails if something arrives within a moment.
func (c *client) hearsNothing(what string) {
	c.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		c.Fatal(err)
	}
	buffer := make([]byte, 100)
	if n, err := c.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.Errorf("%s: %q, %v", what, buffer[:n], err)
	}
}

// TestAClientsPlaceIsNotInherited: a client that attached and went leaves its path, and who binds
// it next gets nothing that was for the first.
func TestAClientsPlaceIsNotInherited(t *testing.T) {
	t.Parallel()
	dir, s, _ := start(t, nil)
	path, own := filepath.Join(dir, "eth7"), filepath.Join(dir, "../me")
	port := s.ports["eth7"]
	first := dial(t, own, path)
	first.ask("ATTACH", "OK\n")
	tell := func() {
		s.tell(line{ifname: "eth7", level: levelInfo, text: "WPS-CRED-RECEIVED ",
			secret: secret.FromString("6b6579")})
	}
	tell()
	if got := first.hear(); got != "<3>WPS-CRED-RECEIVED 6b6579" {
		t.Errorf("who attached is told %q", got)
	}
	if err := errors.Join(first.Close(), os.Remove(own)); err != nil {
		t.Fatal(err)
	}
	second := dial(t, own, path)
	tell()
	second.hearsNothing("who bound the path next")
	if n := port.monitors.count(); n != 0 {
		t.Errorf("%d have attached", n)
	}
	second.ask("DETACH", "FAIL\n")
	second.ask("ATTACH", "OK\n")
	// A link in its place: the file behind it is that of somebody else.
	elsewhere := dial(t, filepath.Join(dir, "../elsewhere"), path)
	if err := errors.Join(os.Remove(own),
		os.Symlink(filepath.Join(dir, "../elsewhere"), own)); err != nil {
		t.Fatal(err)
	}
	tell()
	second.say("PING")
	elsewhere.hearsNothing("a socket behind a link")
	if n := port.monitors.count(); n != 0 {
		t.Errorf("%d have attached", n)
	}

	// Nobody makes us answer ourselves: neither by a link nor by another name of our own socket.
	loop := filepath.Join(dir, "../loop")
	third := dial(t, loop, path)
	for name, place := range map[string]func(string, string) error{
		"a link": os.Symlink, "another name": os.Link} {
		if err := errors.Join(os.Remove(loop), place(path, loop)); err != nil {
			t.Fatal(name, err)
		}
		third.say("PING")
		third.say("ATTACH")
		tell()
		// requests are taken in order: what we sent ourselves came before
		elsewhere.ask("PING", "PONG\n")
		// what is noted for an address goes and comes if it is answered again and again
		for range 100 {
			port.debtors.mu.Lock()
			_, answered := port.debtors.of[recipientKey{path, uint32(os.Getuid())}]
			port.debtors.mu.Unlock()
			if answered {
				t.Fatalf("%s: we answer ourselves", name)
			}
			time.Sleep(100 * time.Microsecond)
		}
		port.monitors.forget()
	}
}

// TestNobodyIsToldBeforeTheAnswer: until the answer to ATTACH has gone to a socket, which is held
// then, nobody knows whose place it is. Who cannot be told OK has not attached.
func TestNobodyIsToldBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	var sent []string
	var holds []bool
	var fail error
	m := newMonitors(func(to reply.Recipient, b []byte) (*reply.Held, error) {
		sent, holds = append(sent, string(b)), append(holds, to.Hold)
		return nil, fail
	})
	event := func() { line{level: levelInfo, text: "WPS-X "}.send(m, "") }
	c := caller{address: "/me", may: accessFull}
	m.attach(c)
	if event(); len(sent) != 0 {
		t.Errorf("told %q before the answer", sent)
	}
	if err := m.answer(c, []byte(replyOK)); err != nil {
		t.Fatal(err)
	}
	event()
	if err := m.answer(c, []byte("PONG\n")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sent, []string{replyOK, "<3>WPS-X ", "PONG\n"}) ||
		!slices.Equal(holds, []bool{true, false, false}) {
		t.Errorf("%q, held: %v", sent, holds)
	}
	m.attach(c) // again: another socket may be there now
	if event(); len(sent) != 3 {
		t.Errorf("told %q before the second answer", sent[3:])
	}
	fail = syscall.EAGAIN
	if err := m.answer(c, []byte(replyOK)); !errors.Is(err, fail) || m.count() != 0 {
		t.Errorf("%v; %d have attached", err, m.count())
	}
}

// TestSocketsAreLetGoOf: a client's socket is held once, as long as the client is attached.
func TestSocketsAreLetGoOf(t *testing.T) {
	t.Parallel()
	dir, s, _ := start(t, nil)
	path := filepath.Join(dir, "eth7")
	own := filepath.Join(filepath.Dir(dir), "me")
	held := func(want int, when string) {
		t.Helper()
		n := 0
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			if n = openFiles(t, own); n == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: held %d times", when, n)
			}
		}
	}
	c := dial(t, own, path)
	c.ask("PING", "PONG\n")
	held(0, "not attached")
	c.ask("ATTACH", "OK\n")
	held(1, "attached")
	c.ask("ATTACH", "OK\n")
	held(1, "attached again")
	c.ask("DETACH", "OK\n")
	held(0, "detached")
	c.ask("ATTACH", "OK\n")
	held(1, "attached once more")
	if err := errors.Join(c.Close(), os.Remove(own)); err != nil {
		t.Fatal(err)
	}
	s.tell(line{ifname: "eth7", level: levelInfo, text: "WPS-X "})
	held(0, "gone")
	dial(t, own, path).ask("ATTACH", "OK\n")
	held(1, "another one attached")
	s.close("eth7")
	held(0, "the interface is gone")
}

// TestAbstractNamesGetNoSecrets: they belong to nobody, so nobody can tell who has one now.
func TestAbstractNamesGetNoSecrets(t *testing.T) {
	t.Parallel()
	dir, s, _ := start(t, nil)
	c := dial(t, "@wpsd-test-abstract-"+filepath.Base(filepath.Dir(dir)),
		filepath.Join(dir, "eth7"))
	c.ask("ATTACH", "OK\n")
	s.tell(line{ifname: "eth7", level: levelInfo, text: "WPS-CRED-RECEIVED ",
		secret: secret.FromString("6b6579")})
	if got := c.hear(); got != "<3>WPS-CRED-RECEIVED " {
		t.Errorf("told %q", got)
	}
}

// TestReadGroupIsLetInByAList: nobody besides the two groups can send at all.
func TestReadGroupIsLetInByAList(t *testing.T) {
	t.Parallel()
	dir, _, _ := start(t, func(o *Options) { o.Place.ReadGroup = "4711" })
	path := filepath.Join(dir, "eth7")
	list := make([]byte, 100)
	n, err := unix.Getxattr(path, "system.posix_acl_access", list)
	if err != nil {
		t.Fatal(err)
	}
	want := accessList(0o770, 4711)
	if got := list[:n]; string(got) != string(want) {
		t.Errorf("the list is %x, not %x", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o770 {
		t.Errorf("%v, %v", info, err)
	}
}
