package helper

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listen makes a socket of our own.
func listen(t *testing.T, network string) (*net.UnixListener, func() *net.UnixConn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, idle, err := Socket{Name: "x", Network: network, Path: path}.choose(nil)
	if err != nil || idle != 0 {
		t.Fatal(idle, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	return l, func() *net.UnixConn {
		t.Helper()
		c, err := net.DialUnix(network, nil, &net.UnixAddr{Name: path, Net: network})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

// echo answers with what comes.
func echo(_ context.Context, c *net.UnixConn) { _, _ = io.Copy(c, c) }

// answers reports whether a connection is served.
func answers(t *testing.T, c *net.UnixConn) bool {
	t.Helper()
	b := make([]byte, 1)
	if _, err := c.Write([]byte{7}); err != nil {
		return false
	}
	_, err := io.ReadFull(c, b)
	return err == nil && b[0] == 7
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestServeIsBounded(t *testing.T) {
	t.Parallel()
	l, dial := listen(t, "unix")
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Server{Max: 2, Log: quiet()}.Serve(ctx, l, echo) }()
	one, two := dial(), dial()
	if !answers(t, one) || !answers(t, two) {
		t.Fatal("the first two are not served")
	}
	if answers(t, dial()) {
		t.Error("a third is served")
	}
	_ = one.Close()
	for !answers(t, dial()) { // as soon as the end of the first is known
		time.Sleep(time.Millisecond)
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if answers(t, two) {
		t.Error("a connection is served after the end")
	}
}

func TestServeEndsWhenIdle(t *testing.T) {
	t.Parallel()
	l, dial := listen(t, "unix")
	done := make(chan error, 1)
	go func() {
		done <- Server{Max: 1, Idle: 200 * time.Millisecond, Log: quiet()}.Serve(t.Context(), l, echo)
	}()
	c := dial()
	for range 5 { // for longer than that
		time.Sleep(100 * time.Millisecond)
		if !answers(t, c) {
			t.Fatal("it ends while somebody is connected")
		}
	}
	_ = c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestServeOutlivesAPanic: what goes wrong for one ends that one, and leaves its place to others.
func TestServeOutlivesAPanic(t *testing.T) {
	t.Parallel()
	l, dial := listen(t, "unix")
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Server{Max: 1, Log: quiet()}.Serve(ctx, l, func(_ context.Context, c *net.UnixConn) {
			b := make([]byte, 1)
			if _, err := io.ReadFull(c, b); err == nil && b[0] == 0 {
				panic("zero")
			}
			_, _ = c.Write(b)
		})
	}()
	bad := dial()
	if _, err := bad.Write([]byte{0}); err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Read(make([]byte, 1)); err == nil {
		t.Error("it is answered")
	}
	for !answers(t, dial()) {
		time.Sleep(time.Millisecond)
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListenTakesTheSocketThatIsMeant(t *testing.T) {
	t.Parallel()
	stream, _ := listen(t, "unix")
	packet, _ := listen(t, "unixpacket")
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	for _, c := range []struct {
		name   string
		passed map[string][]net.Listener
		says   string // empty: it is taken
	}{
		{"the one", map[string][]net.Listener{"upnp": {stream}}, ""},
		{"none", nil, "--upnp-server needs --upnp-socket"},
		{"another kind", map[string][]net.Listener{"upnp": {packet}}, "ListenStream= and"},
		{"no local one", map[string][]net.Listener{"upnp": {tcp}}, "ListenStream= and"},
		{"no socket that listens", map[string][]net.Listener{"upnp": {nil}}, "FileDescriptorName=upnp"},
		{"another name", map[string][]net.Listener{"reply": {stream}}, "FileDescriptorName=upnp"},
		{"two", map[string][]net.Listener{"upnp": {stream, stream}}, "FileDescriptorName=upnp"},
		{"one more", map[string][]net.Listener{"upnp": {stream}, "x": {packet}},
			"FileDescriptorName=upnp"},
	} {
		l, after, err := Socket{Name: "upnp", Network: "unix"}.choose(c.passed)
		switch {
		case c.says == "" && (err != nil || l != stream || after != idle):
			t.Errorf("%s: %v, %v, %v", c.name, l, after, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
