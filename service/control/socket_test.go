package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/service"
	"wpsd/service/control/reply"
)

// patience is how long a test waits for what has to come.
const patience = time.Minute

// start runs a service without radios and its server, with real sockets, and returns the directory.
func start(t *testing.T, change func(*Options)) (dir string, s *Server, svc *service.Service) {
	t.Helper()
	dir, err := os.MkdirTemp("", "wpsd") // short, as paths of sockets have to be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	driver := none.New([]string{"eth7"})
	svc, err = service.New(service.Config{Drivers: []drivers.Driver{driver}})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Place: Place{Dir: filepath.Join(dir, "control")},
		Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err = New(svc, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- svc.Run(ctx) }()
	<-svc.Ready()
	failed := make(chan error, 1)
	go func() {
		err := s.Run(ctx)
		failed <- err
		ended <- err
	}()
	select {
	case <-s.Listening():
	case err := <-failed:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return o.Place.Dir, s, svc
}

// client is one end of a conversation.
type client struct {
	*testing.T
	*net.UnixConn
}

// dial connects as wpa_cli does, with a socket of one's own in a directory, or with an abstract
// name.
func dial(t *testing.T, own, path string) *client {
	t.Helper()
	c, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"},
		&net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{t, c}
}

func (c *client) say(text string) {
	c.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		c.Fatal(err)
	}
	if _, err := c.Write([]byte(text)); err != nil {
		c.Fatal(err)
	}
}

func (c *client) hear() string {
	c.Helper()
	buffer := make([]byte, 8192)
	n, err := c.Read(buffer)
	if err != nil {
		c.Fatal(err)
	}
	return string(buffer[:n])
}

func (c *client) ask(text, want string) {
	c.Helper()
	c.say(text)
	if got := c.hear(); got != want {
		c.Errorf("%.40s: %q, not %q", text, got, want)
	}
}

func TestSocketsComeAndGo(t *testing.T) {
	t.Parallel()
	dir, s, svc := start(t, func(o *Options) {
		o.Global = filepath.Join(filepath.Dir(o.Place.Dir), "global")
	})
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o770 {
		t.Errorf("%v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "eth7")); err != nil ||
		info.Mode() != fs.ModeSocket|0o770 {
		t.Errorf("%v, %v", info, err)
	}
	c := dial(t, filepath.Join(dir, "../me"), filepath.Join(dir, "eth7"))
	c.ask("PING", "PONG\n")
	c.ask("IFNAME", "eth7")
	c.ask("WPS_PBC", "FAIL\n")
	c.ask("ATTACH", "OK\n")
	if s.idle() {
		t.Error("idle, though a client waits for events")
	}
	g := dial(t, fmt.Sprintf("@wpsd-test-%d", os.Getpid()), filepath.Join(dir, "../global"))
	g.ask("INTERFACES", "eth7\n")
	g.ask("INTERFACE_ADD eth8\t\tnone", "OK\n")
	g.ask("INTERFACES", "eth7\neth8\n")
	g.ask("IFNAME=eth8 IFNAME", "eth8")
	g.ask("INTERFACE_REMOVE eth7", "OK\n")
	if got := c.hear(); got != "<3>CTRL-EVENT-TERMINATING " {
		t.Errorf("told %q", got)
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "eth7")); errors.Is(err, fs.ErrNotExist) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the socket of an interface that is gone is still there")
		}
	}
	if svc.Busy() == "" {
		t.Error("the daemon may end though its sockets would be gone")
	}
}

func TestClientsThatMisbehave(t *testing.T) {
	t.Parallel()
	dir, s, _ := start(t, nil)
	path := filepath.Join(dir, "eth7")
	good := dial(t, filepath.Join(dir, "../good"), path)

	// Too long: dropped without a reply, as wpa_supplicant does; the longest one is answered.
	good.say(strings.Repeat("x", maxRequest+1))
	good.ask("PING", "PONG\n")
	good.ask(strings.Repeat("x", maxRequest), "UNKNOWN COMMAND\n")
	good.ask("", "UNKNOWN COMMAND\n")
	good.ask("PING\n", "PONG\n")
	good.ask("SET device_name "+strings.Repeat("x", 4000), "FAIL\n")

	// Nobody can be answered who has no address.
	nameless, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nameless.Close() }()
	if _, err := nameless.Write([]byte("ATTACH")); err != nil {
		t.Fatal(err)
	}
	good.ask("PING", "PONG\n")
	if s.ports["eth7"].monitors.count() != 0 {
		t.Error("somebody without an address has attached")
	}

	// One that attaches and never reads is dropped in the end, and one that asks and never reads
	// loses its replies. Nobody else notices: the socket stays, and others are answered at once.
	watcher := dial(t, filepath.Join(dir, "../watcher"), path)
	watcher.ask("ATTACH", "OK\n")
	deaf := dial(t, filepath.Join(dir, "../deaf"), path)
	deaf.ask("ATTACH", "OK\n")
	for n := 0; s.ports["eth7"].monitors.count() > 1; n++ {
		if n > 20000 {
			t.Fatal("it is told for ever")
		}
		s.tell(line{ifname: "eth7", level: levelInfo, text: fmt.Sprint("WPS-X ", n)})
		if got := watcher.hear(); got != fmt.Sprint("<3>WPS-X ", n) {
			t.Fatalf("who reads is told %q as number %d", got, n)
		}
	}
	for m := range 3 {
		mute := dial(t, filepath.Join(dir, fmt.Sprint("../mute", m)), path)
		for range 2000 {
			mute.say("PING")
		}
		good.ask("PING", "PONG\n")
		dial(t, filepath.Join(dir, fmt.Sprint("../fresh", m)), path).ask("PING", "PONG\n")
	}
	s.tell(line{ifname: "eth7", level: levelInfo, text: "WPS-Y "})
	if got := watcher.hear(); got != "<3>WPS-Y " {
		t.Errorf("who reads is told %q", got)
	}
	watcher.ask("DETACH", "OK\n")

	// One that died is dropped at once, and so is one whose socket was removed.
	for _, remove := range []bool{false, true} {
		name := filepath.Join(dir, fmt.Sprint("../dead", remove))
		dead := dial(t, name, path)
		dead.ask("ATTACH", "OK\n")
		_ = dead.Close()
		if remove {
			_ = os.Remove(name)
		}
		s.tell(line{ifname: "eth7", level: levelInfo, text: "WPS-CANCEL "})
		if n := s.ports["eth7"].monitors.count(); n != 0 {
			t.Errorf("%d monitors; one is dead (removed: %v)", n, remove)
		}
	}

	// File descriptors that come along go no further.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		sendFiles(t, good.UnixConn, "PING", int(r.Fd()), int(w.Fd()))
		if got := good.hear(); got != "PONG\n" {
			t.Errorf("%q", got)
		}
	}
	if n := openFiles(t, pipe); n != 2 {
		t.Errorf("%d ends of the pipe are open here", n)
	}
	_, _ = r.Close(), w.Close()
}

// TestHundredsWhoDoNotRead: as many attach as there is room for, nobody reads, and what is kept for
// them in the kernel and here has a bound. Clients of others are answered as if nothing were.
func TestHundredsWhoDoNotRead(t *testing.T) {
	t.Parallel()
	dir, s, _ := start(t, nil)
	path := filepath.Join(dir, "eth7")
	port := s.ports["eth7"]
	for n := range 300 {
		c := dial(t, filepath.Join(dir, fmt.Sprint("../mute", n)), path)
		c.say("ATTACH")
	}
	for end := time.Now().Add(patience); port.monitors.count() < maxMonitorsEach &&
		time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := port.monitors.count(); n != maxMonitorsEach {
		t.Fatalf("%d of one user have attached", n)
	}
	most := 0
	for range 5000 {
		s.tell(line{ifname: "eth7", level: levelInfo, text: "CTRL-EVENT-SCAN-RESULTS "})
		unread, _ := port.current().unread()
		most = max(most, unread)
	}
	_, room := port.current().unread()
	if most == 0 || most > room*3/4 || port.monitors.count() != 0 {
		t.Errorf("%d of %d bytes wait for %d clients", most, room, port.monitors.count())
	}
	// Another user's clients, in place of a process of his: these are ours. What the first ones
	// have is not theirs.
	port.debtors.mu.Lock()
	for key, n := range port.debtors.of {
		port.debtors.of[recipientKey{key.address, key.uid + 1}] = n
		delete(port.debtors.of, key)
	}
	port.debtors.mu.Unlock()
	for n := range 500 {
		dial(t, filepath.Join(dir, fmt.Sprint("../late", n)), path).ask("PING", "PONG\n")
	}
}

// TestWhoReadsIsNotTakenForWhoDoesNot: what is noted for a client goes when it has read, however
// much the others owe.
func TestWhoReadsIsNotTakenForWhoDoesNot(t *testing.T) {
	t.Parallel()
	const room = 1 << 20
	reader, deaf, gone := recipientKey{"/reader", 1}, recipientKey{"/deaf", 2},
		recipientKey{"/gone", 1}
	look := func() (map[string]bool, error) {
		return map[string]bool{"/reader": false, "/deaf": true}, nil
	}
	none := func() (map[string]bool, error) { return nil, errors.New("no unix_diag") }
	var d debtors
	for d.may(deaf, 1, room, look) {
		d.sent(deaf, 100)
	}
	unread := d.of[deaf]
	if unread < room/shareOfClient || unread > room/shareOfUser {
		t.Errorf("it got %d bytes", unread)
	}
	for n := range 5000 {
		d.looked = time.Time{}
		for _, key := range []recipientKey{reader, gone} {
			if !d.may(key, unread, room, look) {
				t.Fatal("who reads, or is gone, got nothing after ", n)
			}
			d.sent(key, 100)
		}
	}
	if d.looked = (time.Time{}); d.may(deaf, unread, room, look) {
		t.Error("it gets more although it reads nothing")
	}
	if d.looked = (time.Time{}); !d.may(deaf, unread, room, none) || d.seesWhoReads() {
		t.Error("a kernel that does not say who reads keeps everybody from being answered")
	}
	// Those of another network namespace are not listed: they are not taken for gone as long as
	// something is unaccounted for.
	d = debtors{}
	hidden := recipientKey{"/hidden", 3}
	for d.may(hidden, 1<<18, room, look) {
		d.sent(hidden, 100)
	}
	if d.of[hidden] > room/shareOfUser {
		t.Errorf("it got %d bytes", d.of[hidden])
	}
	if d.may(hidden, 0, room, look); len(d.of) != 0 {
		t.Error("all is read, and something is still noted")
	}
}

// sendFiles sends a datagram with file descriptors; net does not do that on a connected socket of
// this kind.
func sendFiles(t *testing.T, c *net.UnixConn, text string, fds ...int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		sent = syscall.Sendmsg(int(fd), []byte(text),
			syscall.UnixRights(fds...), nil, 0)
	}); err != nil || sent != nil {
		t.Fatal(err, sent)
	}
}

// openFiles counts the open file descriptors of what has this name, or one that begins so.
func openFiles(t *testing.T, name string) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil &&
			strings.HasPrefix(to, name) {
			n++
		}
	}
	return n
}

func TestMonitorsAreBounded(t *testing.T) {
	t.Parallel()
	m := newMonitors(func(reply.Recipient, []byte) (*reply.Held, error) { return nil, nil })
	for n := range maxMonitors {
		if !m.attach(caller{address: fmt.Sprint("/", n), uid: uint32(n / maxMonitorsEach)}) {
			t.Fatal(n)
		}
	}
	if m.attach(caller{address: "/more", uid: 99}) || !m.attach(caller{address: "/7"}) {
		t.Error("one more than there is room for, or not one again")
	}
	// The same path may be another one for somebody else (a mount namespace of his): that is not
	// this client.
	other := caller{address: "/7", uid: 1}
	if m.detach(other) || m.setLevel(other, 2) {
		t.Error("somebody else speaks for a client")
	}
	if !m.detach(caller{address: "/7"}) || m.detach(caller{address: "/7"}) ||
		m.setLevel(caller{address: "/7"}, 2) {
		t.Error("DETACH is OK once")
	}
	if m.attach(caller{address: "/more", uid: 1}) {
		t.Error("one user has more than his share")
	}
}

func TestMonitorsHaveLevels(t *testing.T) {
	t.Parallel()
	var told []string
	m := newMonitors(func(_ reply.Recipient, b []byte) (*reply.Held, error) {
		told = append(told, string(b))
		return nil, nil
	})
	attached(t, m, caller{address: "/a", may: accessFull})
	told = nil
	say := func(level int) { line{level: level, text: "WPS-X "}.send(m, "") }
	say(levelDebug)
	say(levelWarning)
	m.setLevel(caller{address: "/a"}, levelDebug)
	say(levelDebug)
	if got := strings.Join(told, ","); got != "<4>WPS-X ,<2>WPS-X " {
		t.Errorf("told %q", got)
	}
	// A socket that is full for a moment is no reason to drop its owner; one that stays full is.
	fails := 0
	m.send = func(reply.Recipient, []byte) (*reply.Held, error) {
		fails++
		return nil, syscall.EAGAIN
	}
	for range maxErrors {
		say(levelInfo)
	}
	if m.count() != 1 {
		t.Error("dropped too early")
	}
	if say(levelInfo); m.count() != 0 || fails != maxErrors+1 {
		t.Errorf("not dropped after %d errors", fails)
	}
}

func TestWhoIsThereAlready(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	nobodys := ids{nobody, nobody, nobody}
	dir, _, svc := start(t, nil)
	other, err := New(svc, Options{Place: Place{Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	err = other.Run(t.Context())
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(),
		fmt.Sprintf("(process %d) answers on %s/eth7", os.Getpid(), dir)) {
		t.Errorf("a second one: %v", err)
	}
	dial(t, filepath.Join(dir, "../me"), filepath.Join(dir, "eth7")).ask("PING", "PONG\n")

	// What a killed one left is replaced, what is no socket is not touched, and what came in our
	// place stays at the end.
	stale := filepath.Join(dir, "stale")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: stale, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close() // the file stays
	s, err := listen(stale, 0o770, nobodys, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(stale), os.WriteFile(stale, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s.close()
	if _, err := os.Stat(stale); err != nil {
		t.Errorf("a file of somebody else was removed: %v", err)
	}
	if _, err := listen(stale, 0o770, nobodys, log); err == nil ||
		!strings.Contains(err.Error(), "is no socket") {
		t.Errorf("in the place of a file: %v", err)
	}
	_ = os.Remove(stale)
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	base := t.TempDir()
	n := ids{nobody, nobody, nobody}
	for _, tt := range []struct {
		name  string
		place Place
		n     ids
		mode  fs.FileMode
	}{
		{"without a group it is for owner and group",
			Place{Dir: filepath.Join(base, "a")}, n, 0o770},
		{"with a group it cannot be changed by that", Place{Dir: filepath.Join(base, "b")},
			ids{nobody, os.Getgid(), nobody}, 0o750},
		{"with a second group everybody can look into it", Place{Dir: filepath.Join(base, "c")},
			ids{nobody, os.Getgid(), os.Getgid()}, 0o755},
		{"with a mode that lets everybody in, too",
			Place{Dir: filepath.Join(base, "d"), Mode: 0o777}, n, 0o755},
		{"directories above are made", Place{Dir: filepath.Join(base, "e/f/g")}, n, 0o770},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the second time it is there
				if err := makeDirectory(tt.place, tt.n, log); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(tt.place.Dir); err != nil || info.Mode().Perm() != tt.mode {
					t.Errorf("%v, %v", info.Mode(), err)
				}
			}
		})
	}
	// as the package makes it: it keeps the bit that gives sockets their group
	given := filepath.Join(base, "given")
	if err := errors.Join(os.Mkdir(given, 0o755), os.Chmod(given, 0o755|fs.ModeSetgid),
		makeDirectory(Place{Dir: given}, ids{nobody, os.Getgid(), nobody}, log)); err != nil {
		t.Fatal(err)
	}
	removeDirectory(given)
	removeDirectory(filepath.Join(base, "a"))
	if info, err := os.Stat(given); err != nil || info.Mode().Perm() != 0o755 ||
		info.Mode()&fs.ModeSetgid == 0 {
		t.Errorf("a directory that was made for us: %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(base, "a")); err == nil {
		t.Error("our own directory stays")
	}
	open := filepath.Join(base, "open")
	if err := errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := makeDirectory(Place{Dir: open}, n, log); err == nil ||
		!strings.Contains(err.Error(), "others can change") {
		t.Errorf("a directory for everybody: %v", err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeDirectory(Place{Dir: file}, n, log); err == nil ||
		!strings.Contains(err.Error(), "no directory") {
		t.Errorf("a file: %v", err)
	}
	if _, err := listen("/"+strings.Repeat("x", 200), 0o770, n, log); err == nil ||
		!strings.Contains(err.Error(), "107") {
		t.Errorf("a path too long: %v", err)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	const netdev, users = 107, 100
	member := map[uint32][]int{1000: {1000, netdev}, 1001: {1001, users}, 1002: {1002},
		1003: {users, netdev}}
	groupsOf := func(uid uint32) []int { return member[uid] }
	two := rights{ids{owner: 7, group: netdev, readGroup: users}, groupsOf}
	for _, tt := range []struct {
		name string
		r    rights
		cred *syscall.Ucred
		want access
	}{
		{"root may do everything", two, &syscall.Ucred{Uid: 0}, accessFull},
		{"the owner may do everything", two, &syscall.Ucred{Uid: 7, Gid: 7}, accessFull},
		{"a member of the group may do everything", two, &syscall.Ucred{Uid: 1000, Gid: 1000},
			accessFull},
		{"a process with the group as its own may do everything", two,
			&syscall.Ucred{Uid: 1002, Gid: netdev}, accessFull},
		{"a member of the second group may look", two, &syscall.Ucred{Uid: 1001, Gid: 1001},
			accessRead},
		{"a member of both may do everything", two, &syscall.Ucred{Uid: 1003, Gid: 1003},
			accessFull},
		{"anybody else may do nothing", two, &syscall.Ucred{Uid: 1002, Gid: 1002}, accessNone},
		{"nobody may do anything without credentials", two, nil, accessNone},
		{"without a second group the socket's permissions have decided",
			rights{ids{nobody, netdev, nobody}, groupsOf}, &syscall.Ucred{Uid: 1002, Gid: 1002},
			accessFull},
		{"without a group only root and the owner do more than look",
			rights{ids{nobody, nobody, users}, groupsOf}, &syscall.Ucred{Uid: 1000, Gid: 1000},
			accessNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.r.of(tt.cred); got != tt.want {
				t.Errorf("%d, not %d", got, tt.want)
			}
		})
	}
	if got := systemGroups(0); len(got) == 0 {
		t.Error("root is in no group by the user database")
	}
	if got := systemGroups(4_000_000_000); got != nil {
		t.Errorf("a user that there is not is in %v", got)
	}
	for _, p := range []Place{{Dir: "/x", Group: "no-such-group"},
		{Dir: "/x", ReadGroup: "no-such-group"}, {Dir: "/x", Owner: "no-such-user"},
		{Dir: "/x", Group: "99999999999999"}} {
		if _, err := p.lookUp(); err == nil || !strings.HasPrefix(err.Error(), "control: ") {
			t.Errorf("%+v: %v", p, err)
		}
	}
	roots := Place{Dir: "/x", Owner: "root", Group: "0", ReadGroup: "root"}
	if n, err := roots.lookUp(); err != nil || n != (ids{0, 0, 0}) {
		t.Errorf("%+v, %v", n, err)
	}
}
