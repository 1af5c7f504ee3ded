package bus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// outcome is how a call ended.
type outcome struct {
	text string
	err  error
}

// begin makes a call that returns a string, and gives what the bus hears of it.
func begin(t *testing.T, conn *Conn, p *peer, to string) (call *godbus.Message, end chan outcome) {
	t.Helper()
	end = make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = conn.Call(t.Context(), Request{To: to, Path: "/o", Method: "a.B.C"}, &o.text)
		end <- o
	}()
	call = p.next()
	if call == nil || call.Headers[godbus.FieldMember].Value() != "C" ||
		call.Headers[godbus.FieldDestination].Value() != to {
		t.Fatalf("the bus hears %v", call)
	}
	return call, end
}

// TestAnswers: an answer counts only from whom it was asked, and whatever is in it is the asker's
// affair alone.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const owner, before = ":1.7", ":1.6"
	long := make([]byte, maxReply)
	binary.LittleEndian.PutUint32(long, maxReply-4)
	fails := func(is error) func(outcome) bool {
		return func(o outcome) bool { return errors.Is(o.err, is) }
	}
	named := func(name string) func(outcome) bool {
		return func(o outcome) bool {
			e, ok := errors.AsType[godbus.Error](o.err)
			return ok && e.Name == name
		}
	}
	yes := func(o outcome) bool { return o.err == nil && o.text == "yes" }
	type reply struct {
		kind      godbus.Type
		sender    string
		signature string
		body      []byte
	}
	ok := func(sender string) reply {
		return reply{godbus.TypeMethodReply, sender, "s", text("yes")}
	}
	lie := func(sender string) reply {
		return reply{godbus.TypeMethodReply, sender, "s", text("a lie")}
	}
	for _, c := range []struct {
		name    string
		to      string
		replies []reply
		want    func(outcome) bool
	}{
		{"of who was asked by his unique name", owner, []reply{ok(owner)}, yes},
		{"of the owner of a followed name", "a.Name", []reply{ok(owner)}, yes},
		{"not of a stranger", owner, []reply{lie(":1.5"), ok(owner)}, yes},
		{"not of a stranger for a name", "a.Name",
			[]reply{lie(":1.5"), lie("a.Name"), lie(""), ok(owner)}, yes},
		{"not of the bus for somebody else", owner, []reply{lie(Driver), ok(owner)}, yes},
		{"not a stranger's error", owner,
			[]reply{{godbus.TypeError, ":1.5", "a{gs}", signatureKeys}, ok(owner)}, yes},
		{"the first counts", owner, []reply{ok(owner), lie(owner)}, yes},
		{"his error", owner, []reply{{godbus.TypeError, owner, "s", text("no")}},
			named("a.B.Error")},
		{"his error that cannot be decoded", owner,
			[]reply{{godbus.TypeError, owner, "a{gs}", signatureKeys}}, named("a.B.Error")},
		{"the bus's error about him", owner,
			[]reply{{godbus.TypeError, Driver, "s", text("he left")}}, named("a.B.Error")},
		{"one that cannot be decoded is an error at once", owner,
			[]reply{{godbus.TypeMethodReply, owner, "a{gs}", signatureKeys}}, fails(ErrBody)},
		{"one of another type is an error", owner,
			[]reply{{godbus.TypeMethodReply, owner, "a{ss}", []byte{0, 0, 0, 0, 0, 0, 0, 0}}},
			fails(ErrBody)},
		{"one without a value is an error", owner,
			[]reply{{godbus.TypeMethodReply, owner, "", nil}}, fails(ErrBody)},
		{"one that is too long is an error at once", owner,
			[]reply{{godbus.TypeMethodReply, owner, "ay", long}}, fails(ErrAnswer)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, p := open(t, Options{})
			p.follow(conn, map[string]string{"a.Name": owner}, Name{Name: "a.Name"})
			call, end := begin(t, conn, p, c.to)
			for _, r := range c.replies {
				p.say(p.reply(call, r.kind, r.sender, r.signature, r.body))
			}
			if o := <-end; !c.want(o) {
				t.Errorf("%q, %v", o.text, o.err)
			}
			call, end = begin(t, conn, p, owner) // and the connection goes on
			p.answer(call, owner, "s", text("yes"))
			if o := <-end; !yes(o) {
				t.Errorf("after it: %q, %v", o.text, o.err)
			}
		})
	}
}

// TestOwnersOfAName: a call may be answered by whoever owned the name since it was made, and by
// nobody else.
func TestOwnersOfAName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, first, now string
		from             string
	}{
		{"who owned it when it was asked and gave it up", ":1.7", "", ":1.7"},
		{"who was started by the call", "", ":1.8", ":1.8"},
		{"who took it over meanwhile", ":1.7", ":1.8", ":1.8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, p := open(t, Options{})
			p.follow(conn, map[string]string{"a.Name": c.first}, Name{Name: "a.Name"})
			if owner := conn.Owner("a.Name"); owner != c.first {
				t.Errorf("owner %q", owner)
			}
			call, end := begin(t, conn, p, "a.Name")
			p.answer(call, ":1.9", "s", text("a lie"))
			p.ownerChanges("a.Name", c.first, c.now)
			p.answer(call, ":1.9", "s", text("a lie"))
			p.answer(call, c.from, "s", text("yes"))
			if o := <-end; o.err != nil || o.text != "yes" {
				t.Errorf("%q, %v", o.text, o.err)
			}
			if owner := conn.Owner("a.Name"); owner != c.now {
				t.Errorf("owner %q", owner)
			}
		})
	}
}

// TestCallsThatFail: to a name that is not followed, with what cannot be encoded, and after their
// time.
func TestCallsThatFail(t *testing.T) {
	t.Parallel()
	conn, p := open(t, Options{})
	if err := conn.Call(t.Context(),
		Request{To: "a.Name", Path: "/", Method: "a.B.C"}); !errors.Is(err, ErrStranger) {
		t.Errorf("a name that is not followed: %v", err)
	}
	for _, bad := range []any{"\xff", make(chan int), nil, godbus.ObjectPath("x")} {
		if err := conn.Call(t.Context(),
			Request{To: ":1.7", Path: "/", Method: "a.B.C", Args: []any{bad}}); err == nil {
			t.Errorf("%v was sent", bad)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	go p.next()
	if err := conn.Call(ctx, Request{To: ":1.7", Path: "/", Method: "a.B.C"}); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("nobody answers: %v", err)
	}
	if n := len(conn.pending); n != 0 {
		t.Errorf("%d calls still wait", n)
	}
	if err := conn.Call(ctx, Request{To: ":1.7", Path: "/", Method: "a.B.C"}); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("after its time: %v", err)
	}
}

// sockets is a pair that can pass file descriptors.
func sockets(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// openFiles lists what the process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestFiles: a file descriptor comes with the answer that was asked for one, and all others are
// closed. It counts what is open, so nothing runs beside it.
func TestFiles(t *testing.T) {
	ours, theirs := sockets(t)
	conn, p := over(t, Options{Files: true}, ours, theirs)
	signals := conn.Signals()
	p.follow(conn, nil, Name{Name: "end.of.test"})
	pass := func(frame []byte, files ...*os.File) {
		var fds []int
		for _, f := range files {
			fds = append(fds, int(f.Fd()))
		}
		if _, _, err := theirs.WriteMsgUnix(frame, syscall.UnixRights(fds...), nil); err != nil {
			t.Fatal(err)
		}
	}
	settle := func() {
		p.ownerChanges("end.of.test", "", ":1.9")
		<-signals
	}
	settle()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	before := openFiles(t)
	overlong := append([]byte{'l', 4, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0},
		make([]byte, 2<<16)...)
	pass(overlong, w, w)
	for range 100 {
		pass(raw(t, message(godbus.TypeSignal, ":1.5"), "h", []byte{0, 0, 0, 0}), w, w, w)
		pass(raw(t, message(godbus.TypeMethodReply, ":1.5"), "h", []byte{0, 0, 0, 0}), w)
	}
	settle()
	if now := openFiles(t); now != before {
		t.Errorf("%d files open before, %d now", before, now)
	}
	type got struct {
		f   *os.File
		err error
	}
	ask := func() (call *godbus.Message, end chan got) {
		end = make(chan got, 1)
		go func() {
			f, err := conn.CallFile(t.Context(), Request{To: ":1.7", Path: "/o", Method: "a.B.C"})
			end <- got{f, err}
		}()
		return p.next(), end
	}
	call, end := ask()
	// A stranger's, in the same breath as the answer.
	pass(append(overlong[:len(overlong):len(overlong)],
		raw(t, message(godbus.TypeSignal, ":1.5"), "h", []byte{0, 0, 0, 0})...), r, r)
	pass(p.reply(call, godbus.TypeMethodReply, ":1.5", "h", []byte{0, 0, 0, 0}), r)
	pass(p.reply(call, godbus.TypeMethodReply, ":1.7", "h", []byte{0, 0, 0, 0}), w)
	g := <-end
	if g.err != nil {
		t.Fatal(g.err)
	}
	if _, err := g.f.WriteString("it is the writing end"); err != nil {
		t.Error(err)
	}
	_ = g.f.Close()
	call, end = ask()
	p.answer(call, ":1.7", "", nil)
	if g := <-end; !errors.Is(g.err, ErrBody) {
		t.Errorf("without a file: %v", g.err)
	}
	settle()
	if now := openFiles(t); now != before {
		t.Errorf("%d files open before, %d at the end", before, now)
	}
	if _, err := New(struct{ net.Conn }{theirs}, Options{Files: true}); err == nil {
		t.Error("files over something that passes none")
	}
}

// TestServe: who may call an object is answered, nobody else, and no argument harms more than its
// call.
func TestServe(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	conn, p := open(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	p.follow(conn, map[string]string{"a.Name": ":1.7"}, Name{Name: "a.Name"})
	called := make(chan string, 64)
	hang := make(chan struct{})
	stop := conn.Serve(Object{Path: "/o", Interface: "a.B", Caller: "a.Name",
		Methods: map[string]Method{
			"C": {In: "s", Do: func(_ context.Context, args []any) ([]any, error) {
				called <- args[0].(string)
				switch args[0] {
				case "fail":
					return nil, godbus.Error{Name: "a.B.No", Body: []any{"no"}}
				case "secret":
					return nil, errors.New("what nobody is told")
				case "panic":
					panic("a mistake of ours")
				case "hang":
					<-hang
				}
				return []any{"done"}, nil
			}},
			"Keys": {In: "a{gs}", Do: func(context.Context, []any) ([]any, error) {
				called <- "keys"
				return nil, nil
			}},
		}})
	from := func(sender, member, signature string, body []byte) []byte {
		m := message(godbus.TypeMethodCall, sender)
		m.Headers[godbus.FieldMember] = godbus.MakeVariant(member)
		return raw(t, m, signature, body)
	}
	say := func(frame []byte) string {
		p.say(frame)
		m := p.next()
		if m.Type == godbus.TypeError {
			return m.Headers[godbus.FieldErrorName].Value().(string)
		}
		return m.Body[0].(string)
	}
	for _, row := range []struct {
		what  string
		frame []byte
		want  string
	}{
		{"its caller", from(":1.7", "C", "s", text("x")), "done"},
		{"a stranger", from(":1.5", "C", "s", text("x")), errAccessDenied},
		{"an error with a name", from(":1.7", "C", "s", text("fail")), "a.B.No"},
		{"an error of ours", from(":1.7", "C", "s", text("secret")), errFailed},
		{"a mistake of ours", from(":1.7", "C", "s", text("panic")), errFailed},
		{"other arguments", from(":1.7", "C", "", nil), errInvalidArgs},
		{"arguments that cannot be decoded", from(":1.7", "Keys", "a{gs}", signatureKeys),
			errInvalidArgs},
		{"no such method", from(":1.7", "D", "s", text("x")), errUnknownMethod},
	} {
		if got := say(row.frame); got != row.want {
			t.Errorf("%s: %s", row.what, got)
		}
	}
	for range maxRunning {
		p.say(from(":1.7", "C", "s", text("hang")))
	}
	for len(called) < maxRunning+4 {
		time.Sleep(time.Millisecond)
	}
	if got := say(from(":1.7", "C", "s", text("one more"))); got != errLimits {
		t.Errorf("one more than are worked on: %s", got)
	}
	close(hang)
	for range maxRunning {
		p.next()
	}
	p.ownerChanges("a.Name", ":1.7", ":1.8")
	if got := say(from(":1.7", "C", "s", text("x"))); got != errAccessDenied {
		t.Errorf("who owned the name before: %s", got)
	}
	if got := say(from(":1.8", "C", "s", text("x"))); got != "done" {
		t.Errorf("who owns it now: %s", got)
	}
	p.ownerChanges("a.Name", ":1.8", "")
	if got := say(from(":1.8", "C", "s", text("x"))); got != errAccessDenied {
		t.Errorf("who owned it last: %s", got)
	}
	stop()
	if got := say(from(":1.8", "C", "s", text("x"))); got != errUnknownMethod {
		t.Errorf("after the end: %s", got)
	}
	if _ = conn.Close(); !strings.Contains(log.String(), "a mistake of ours") {
		t.Errorf("the log has %s", &log)
	}
}

func TestDialRefuses(t *testing.T) {
	missing := t.TempDir() + "/bus"
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+missing)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	for address, want := range map[string]error{
		"system": os.ErrNotExist, "session": ErrAddress, "somewhere": ErrAddress,
		"tcp:host=localhost,port=1": ErrAddress, "unix:": ErrAddress,
		"unix:path=%zz": ErrAddress, "unix:guid=0": ErrAddress,
		"unix:abstract=wpsd-nobody-is-here": nil,
	} {
		c, err := Dial(address, Options{})
		if err == nil {
			t.Errorf("%s: connected to %v", address, c.Name())
		} else if want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", "/run/user 1")
	if a, err := Address("session"); err != nil || a != "unix:path=/run/user%201/bus" {
		t.Errorf("%q, %v", a, err)
	}
}

// TestNotLetIn: a bus that says no, says nonsense, or nothing.
func TestNotLetIn(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"REJECTED EXTERNAL\r\n", "nonsense\r\n",
		strings.Repeat("x", 1<<20), ""} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Read(make([]byte, 100))
			_, _ = theirs.Write([]byte(answer))
			_ = theirs.Close()
		}()
		if _, err := New(ours, Options{}); !errors.Is(err, ErrRefused) {
			t.Errorf("%.20q: %v", answer, err)
		}
	}
}
