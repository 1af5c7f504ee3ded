package reply

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// start runs a Server at a path of its own, and returns that and a function that ends it.
func start(t *testing.T, path string, s Server) (stop func(), done chan error) {
	t.Helper()
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done = make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	return cancel, done
}

func datagram(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// sendFrom has a Client send from a socket.
func sendFrom(t *testing.T, c *Client, from *net.UnixConn, address, text string) error {
	t.Helper()
	raw, err := from.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var sent error
	to := Recipient{Address: address, UID: uint32(os.Getuid())}
	if err := raw.Control(func(fd uintptr) {
		_, sent = c.Send(int(fd), to, []byte(text))
	}); err != nil {
		t.Fatal(err)
	}
	return sent
}

// TestDatagramsComeFromTheSocketThatWasPassed: a client that is connected to that socket hears no
// other.
func TestDatagramsComeFromTheSocketThatWasPassed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := filepath.Join(dir, "server")
	stop, done := start(t, server, Server{})
	ours := datagram(t, filepath.Join(dir, "control"))
	theirs, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "client"),
		Net: "unixgram"}, &net.UnixAddr{Name: filepath.Join(dir, "control"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	c := NewClient(server)
	defer c.Close()
	for _, text := range []string{"PONG\n", "", strings.Repeat("x", 4095)} {
		if err := sendFrom(t, c, ours, filepath.Join(dir, "client"), text); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 8192)
		if n, err := theirs.Read(got); err != nil || string(got[:n]) != text {
			t.Fatalf("%q, %v", got[:n], err)
		}
	}
	for address, want := range map[string]error{filepath.Join(dir, "nobody"): syscall.ENOENT,
		server: syscall.EPROTOTYPE, dir: ErrElsewhere,
		"/" + strings.Repeat("x", 107): syscall.EMSGSIZE, "": syscall.EMSGSIZE} {
		if err := sendFrom(t, c, ours, address, "x"); !errors.Is(err, want) {
			t.Errorf("to %.20q: %v, not %v", address, err, want)
		}
	}
	// Who does not read does not hold anybody up.
	for n := 0; ; n++ {
		if err := sendFrom(t, c, ours, filepath.Join(dir, "client"), "event"); errors.Is(err,
			syscall.EAGAIN) {
			break
		} else if err != nil || n > 1e6 {
			t.Fatal(n, err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := sendFrom(t, c, ours, filepath.Join(dir, "client"), "x"); err == nil {
		t.Error("sent without a Server")
	}
}

// TestServerThatEndedForLackOfWork: the next one that listens there is asked, as with a socket of
// systemd's.
func TestServerThatEndedForLackOfWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "server")
	_, done := start(t, path, Server{Idle: time.Millisecond})
	ours := datagram(t, filepath.Join(dir, "control"))
	client := datagram(t, filepath.Join(dir, "client"))
	c := NewClient(path)
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		var stop func()
		stop, done = start(t, path, Server{Idle: 10 * time.Millisecond})
		defer stop()
		if err := sendFrom(t, c, ours, filepath.Join(dir, "client"), "x"); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(make([]byte, 9)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		stop() // as if it had been killed: the connection breaks
	}
	c.Close()
}

// TestStrangeRequests: a process that may connect and sends something else is cut off, and keeps
// nobody else from it.
func TestStrangeRequests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "server")
	start(t, path, Server{})
	ours := datagram(t, filepath.Join(dir, "control"))
	file, err := ours.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := int(file.Fd())
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, c := range map[string]struct {
		request []byte
		fds     []int
		answer  error // nil: it hangs up
	}{
		"no socket": {appendRequest(nil, Recipient{Address: "/x"},
			[]byte("x")), nil, nil},
		"two sockets": {appendRequest(nil, Recipient{Address: "/x"}, []byte("x")),
			[]int{fd, fd}, nil},
		"an address that is none": {appendRequest(nil, Recipient{Address: "x"}, nil),
			[]int{fd}, nil},
		"half an address": {append(make([]byte, headLen-1), 50, '/', 'x'), []int{fd}, nil},
		"of another version": {append([]byte{2, '/', 'x'}, make([]byte, headLen)...),
			[]int{fd}, nil},
		"no address": {make([]byte, headLen), []int{fd}, nil},
		"too much": {appendRequest(nil, Recipient{Address: "/x"},
			make([]byte, MaxText+MaxPath+1)), []int{fd}, nil},
		"from a file": {appendRequest(nil, Recipient{Address: filepath.Join(dir, "control"),
			UID: uint32(os.Getuid())}, nil), []int{int(null.Fd())}, syscall.ENOTSOCK},
	} {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
		if err != nil {
			t.Fatal(err)
		}
		var rights []byte
		if c.fds != nil {
			rights = syscall.UnixRights(c.fds...)
		}
		if _, _, err := conn.WriteMsgUnix(c.request, rights, nil); err != nil {
			t.Fatal(name, err)
		}
		got := make([]byte, 64)
		n, err := conn.Read(got)
		if c.answer == nil && n != 0 || c.answer != nil &&
			!errors.Is(parseAnswer(got[:n]), c.answer) {
			t.Errorf("%s: %x, %v", name, got[:n], err)
		}
		_ = conn.Close()
	}
	if err := sendFrom(t, NewClient(path), ours, filepath.Join(dir, "nobody"), "x"); !errors.Is(err,
		syscall.ENOENT) {
		t.Error(err)
	}
}

// FuzzParseRequest: what is taken for a request is written the same way again.
func FuzzParseRequest(f *testing.F) {
	f.Add(appendRequest(nil, Recipient{Address: "/tmp/wpa_ctrl_1-1"}, []byte("PONG\n")))
	f.Add(append(appendRequest(nil, Recipient{}, nil)[:headLen-1], 1, '/'))
	f.Add(append(appendRequest(nil, Recipient{}, nil)[:headLen-1], 2, '/', 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		to, text, err := parseRequest(b)
		if err != nil {
			return
		}
		if len(to.Address) > MaxPath || len(text) > MaxText ||
			!bytes.Equal(appendRequest(nil, to, text), b) {
			t.Fatalf("%x is %+v, %x", b, to, text)
		}
	})
}

// TestOnlyTheSocketOfWhoAsked: whatever else is in its place gets nothing, also if the sender could
// reach it.
func TestOnlyTheSocketOfWhoAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := filepath.Join(dir, "server")
	start(t, server, Server{})
	ours, mine := datagram(t, filepath.Join(dir, "control")), filepath.Join(dir, "client")
	theirs := datagram(t, mine)
	c, uid := NewClient(server), uint32(os.Getuid())
	defer c.Close()
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, send := range map[string]func(int, Recipient, []byte) (*Held, error){
		"by the helper": c.Send, "by ourselves": func(fd int, to Recipient, text []byte) (*Held,
			error) {
			return to.Send(fd, text)
		},
	} {
		try := func(to Recipient, want error) (held *Held) {
			t.Helper()
			if controlErr := raw.Control(func(fd uintptr) {
				held, err = send(int(fd), to, []byte("x"))
			}); controlErr != nil || !errors.Is(err, want) {
				t.Errorf("%s: %+v: %v, not %v", name, to, err, want)
			}
			return held
		}
		first := try(Recipient{Address: mine, UID: uid, Hold: true}, nil)
		if first == nil || first.File == (File{}) ||
			try(Recipient{Address: mine, UID: uid, File: first.File}, nil) != nil {
			t.Fatalf("%s: the file is %+v, or what nobody asked for is held", name, first)
		}
		first.Close()
		try(Recipient{Address: mine, UID: uid + 1}, ErrElsewhere)
		try(Recipient{Address: mine, UID: uid, File: File{first.Device, first.Number + 1},
			Hold: true}, ErrElsewhere)
		link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
		if err := errors.Join(os.Symlink(mine, link), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		try(Recipient{Address: link, UID: uid}, ErrElsewhere)
		try(Recipient{Address: file, UID: uid}, ErrElsewhere)
		if err := errors.Join(os.Remove(link), os.Remove(file)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if n, err := theirs.Read(make([]byte, 9)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := theirs.SetReadDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		if n, err := theirs.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: one more: %d, %v", name, n, err)
		}
		if err := theirs.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReferenceWhereFilesCannotBeOpened: open_tree does for what the Server's unit leaves out, or
// says why not.
func TestReferenceWhereFilesCannotBeOpened(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "client")
	datagram(t, path)
	ref, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM) {
		t.Skip("this kernel or sandbox has no open_tree: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ref)
	if _, err := unix.Read(ref, make([]byte, 1)); !errors.Is(err, syscall.EBADF) {
		t.Errorf("what open_tree gives can be read: %v", err)
	}
}

// TestNoOtherSocketIsTakenForOneThatIsHeld: file systems use a number again at once.
func TestNoOtherSocketIsTakenForOneThatIsHeld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, place := filepath.Join(dir, "server"), filepath.Join(dir, "client")
	start(t, server, Server{})
	ours, err := datagram(t, filepath.Join(dir, "control")).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(server)
	defer c.Close()
	for n := range 300 {
		to, next := Recipient{Address: place, UID: uint32(os.Getuid()), Hold: true}, Recipient{}
		theirs := datagram(t, place)
		var held *Held
		var first, second error
		if err := ours.Control(func(fd uintptr) {
			if held, first = c.Send(int(fd), to, nil); first != nil {
				return
			}
			if err := errors.Join(theirs.Close(), os.Remove(place)); err != nil {
				t.Error(err)
			}
			datagram(t, place)
			next = Recipient{Address: place, UID: to.UID, File: held.File}
			_, second = c.Send(int(fd), next, nil)
		}); err != nil {
			t.Fatal(err)
		}
		if first != nil || !errors.Is(second, ErrElsewhere) {
			t.Fatalf("%d: %v; the next one: %v, not %v", n, first, second, ErrElsewhere)
		}
		held.Close()
		if err := os.Remove(place); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnswersOfAStrangeServer: what comes in place of the file that was to be held is closed, and
// is an error.
func TestAnswersOfAStrangeServer(t *testing.T) {
	t.Parallel()
	open := func(path string) []byte {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return syscall.UnixRights(fd)
	}
	path := filepath.Join(t.TempDir(), "client")
	datagram(t, path)
	good := appendAnswer(nil, nil)
	for name, c := range map[string]struct {
		answer, oob []byte
		want        bool
		err         error
	}{
		"the socket":  {good, open(path), true, nil},
		"none":        {good, nil, true, errMalformed},
		"a directory": {good, open(filepath.Dir(path)), true, ErrElsewhere},
		"with an error": {appendAnswer(nil, syscall.EAGAIN), open(path), true,
			syscall.EAGAIN},
		"nobody asked for it":    {good, open(path), false, errMalformed},
		"with half of an answer": {good[1:], open(path), true, errMalformed},
	} {
		held, err := takeAnswer(c.answer, c.oob, c.want)
		if !errors.Is(err, c.err) || (held != nil) != (c.err == nil) {
			t.Errorf("%s: %+v, %v", name, held, err)
		}
		held.Close()
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil &&
			strings.HasPrefix(to, filepath.Dir(path)) {
			t.Errorf("%s is still open", to)
		}
	}
}
