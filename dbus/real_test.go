package dbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/dbus/dbustest"
	"wpsd/service"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// nobody is a user without any rights.
const nobody = 65534

// realConfig is a system bus: nothing goes but what a policy allows. The last element is a policy
// file of ours.
const realConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  %s
</busconfig>
`

// realBus starts a dbus-daemon. As root it is a system bus with our policy; as another user, who
// must not own our name there, it lets him.
func realBus(t *testing.T) (address string) {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("needs dbus-daemon:", err)
	}
	// short, as paths of sockets have to be, and open to other users
	dir, err := os.MkdirTemp("", "wpsd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	policy, err := filepath.Abs("../packaging/fi.w1.wps.conf")
	if err != nil {
		t.Fatal(err)
	}
	ours := "<include>" + policy + "</include>"
	if os.Geteuid() != 0 {
		ours = fmt.Sprintf(`<policy user="%d"><allow own="%s"/><allow send_destination="%s"/></policy>`, os.Geteuid(), BusName, BusName)
	}
	socket, config := filepath.Join(dir, "bus"), filepath.Join(dir, "bus.conf")
	if err := errors.Join(os.Chmod(dir, 0o755),
		os.WriteFile(config, fmt.Appendf(nil, realConfig, socket, ours), 0o644)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "--nofork", "--nopidfile", "--print-address",
		"--config-file="+config)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	line := make([]byte, 256) // comes once it listens
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("dbus-daemon: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(line[:n]))
}

// serveReal runs a Server on a real bus.
func serveReal(t *testing.T, address string) *house {
	t.Helper()
	b, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	svc := newHouse(t, nil)
	ready, over := make(chan struct{}), make(chan error, 1)
	srv, err := New(b, svc.Rooms, Options{Ready: func() { close(ready) }})
	if err != nil {
		t.Fatal(err)
	}
	srv.handlers = svc.listens(handlers)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { over <- srv.Run(ctx) }()
	t.Cleanup(func() {
		if err := svc.close(); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-over:
		over <- err
		t.Fatal(err)
	}
	return svc
}

// idleService is a service that does not run.
func idleService(t *testing.T) *service.Service {
	t.Helper()
	svc, err := service.New(service.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// tool runs a program as a user and returns what it says.
func tool(t *testing.T, address string, uid int, name string, args ...string) (string, error) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Skip("needs "+name+":", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+address, "LC_ALL=C")
	if uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid),
			Gid: uint32(uid)}}
		cmd.Dir = "/"
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRealBus talks to us as people do, with busctl and gdbus over a real dbus-daemon.
func TestRealBus(t *testing.T) {
	t.Parallel()
	address := realBus(t)
	svc := serveReal(t, address)
	svc.tell(state.AccessPointAdded{AccessPoint: accessPoint()})
	me := os.Geteuid()
	busctl := func(args ...string) []string {
		return append([]string{"busctl", "--system", "--no-pager"}, args...)
	}
	gdbus := func(args ...string) []string {
		return append([]string{"gdbus", args[0], "--system", "--dest", BusName, "--object-path"},
			args[1:]...)
	}
	for _, c := range []struct {
		name string
		run  []string
		uid  int
		want string
		fail bool
	}{
		{name: "busctl tree walks the parents", run: busctl("tree", BusName),
			want: "/fi/w1/wps/interfaces/wlan0/aps/02_00_00_00_01_00"},
		{name: "busctl introspect", run: busctl("introspect", BusName, string(wlan0)),
			want: ".StartPbc"},
		{name: "busctl introspect of the access point",
			run: busctl("introspect", BusName, string(ap1)), want: "4 104 111 109 101"},
		{name: "busctl call", run: busctl("call", BusName, string(wlan0), interfaceIface,
			"StartPin", "a{sv}", "1", "pin", "s",
			"12345670"), want: `os "/fi/w1/wps/sessions/1" "12345670"`},
		{name: "busctl get-property", run: busctl("get-property", BusName, string(wlan0),
			interfaceIface, "Mode"), want: `s "station"`},
		{name: "busctl set-property", run: busctl("set-property", BusName, string(rootPath),
			managerIface, "DeviceName", "s", "desk")},
		{name: "the property is set", run: busctl("get-property", BusName, string(rootPath),
			managerIface, "DeviceName"), want: `s "desk"`},
		{name: "busctl shows an error's sentence",
			run: busctl("call", BusName, string(wlan0), interfaceIface, "Scan", "a{sv}", "1", "x",
				"s", "y"), want: `There is no option "x": there are none here.`, fail: true},
		{name: "a body that godbus cannot decode",
			run:  busctl("call", BusName, "/", "a.b", "M", "a{gs}", "1", "s", "x"),
			want: "no interface", fail: true},
		{name: "such a body for a method of ours",
			run: busctl("call", BusName, string(wlan0), interfaceIface, "Scan", "a{gs}", "1", "s",
				"x"), want: "arguments of the types", fail: true},
		{name: "such a body in a variant", run: busctl("call", BusName, string(wlan0),
			interfaceIface, "Scan", "a{sv}", "1", "x", "a{gs}", "1", "s",
			"x"), want: "cannot be decoded", fail: true},
		{name: "GetManagedObjects", run: busctl("call", BusName, string(rootPath),
			objectManagerIface, "GetManagedObjects"), want: "a{oa{sa{sv}}} 4 "},
		{name: "gdbus introspect", run: gdbus("introspect", string(rootPath), "--recurse"),
			want: "interface fi.w1.wps.AccessPoint"},
		{name: "gdbus call", run: gdbus("call", string(rootPath), "--method",
			managerIface+".GeneratePin"), want: "',)"},
		{name: "gdbus gets an error's name", run: gdbus("call", string(rootPath), "--method",
			managerIface+".CheckPin",
			"12345678"), want: "fi.w1.wps.Error.InvalidPinChecksum", fail: true},
		{name: "nobody may read", uid: nobody,
			run:  busctl("get-property", BusName, string(wlan0), interfaceIface, "Name"),
			want: `s "wlan0"`},
		{name: "nobody may not start anything", uid: nobody,
			run:  busctl("call", BusName, string(wlan0), interfaceIface, "StartPbc", "a{sv}", "0"),
			want: "not authorized", fail: true},
		{name: "nobody gets no key", uid: nobody,
			run:  busctl("call", BusName, string(network7), networkIface, "GetSecrets"),
			want: "not authorized", fail: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.uid == 0 {
				c.uid = me
			} else if me != 0 {
				t.Skip("needs root to be another user")
			}
			out, err := tool(t, address, c.uid, c.run[0], c.run[1:]...)
			if (err != nil) != c.fail || !strings.Contains(out, c.want) {
				t.Errorf("%v\n%s", err, out)
			}
			if c.fail && strings.Contains(out, key) {
				t.Error("it shows the key")
			}
		})
	}
}

// TestRealPolicy: our bus policy lets root own the name, once, and nobody else.
func TestRealPolicy(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root to be other users")
	}
	address := realBus(t)
	out, err := tool(t, address, nobody, "busctl", "--system", "call", bus.Driver,
		"/org/freedesktop/DBus", bus.Driver, "RequestName", "su", BusName, "4")
	if err == nil || !strings.Contains(out, "denied") {
		t.Errorf("nobody owns the name: %v %s", err, out)
	}
	serveReal(t, address)
	b, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(b, RoomsOf(idleService(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a second wpsd: %v", err)
	}
}

// TestRealFlood sends 20,000 calls over a real bus, as fast as it takes them.
func TestRealFlood(t *testing.T) {
	address := realBus(t)
	svc := serveReal(t, address)
	var clients []*godbus.Conn
	for range 2 {
		conn, err := godbus.Connect(address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		clients = append(clients, conn)
	}
	flood, other := clients[0], clients[1]
	began := time.Now()
	for range 20_000 {
		flood.Object(BusName, wlan0).Go(startPbcMethod, godbus.FlagNoReplyExpected, nil,
			options("detach", true))
	}
	var pin string
	if err := other.Object(BusName, rootPath).Call(managerIface+".GeneratePin",
		0).Store(&pin); err != nil {
		t.Error(err)
	}
	t.Logf("sent and served another after %v, %d calls made", time.Since(began), len(svc.calls()))
	// Once the flood's own call is answered, everything before it is over.
	for {
		err := flood.Object(BusName, rootPath).Call(peerIface+".Ping", 0).Err
		var e godbus.Error
		if err == nil {
			break
		}
		if !errors.As(err, &e) || e.Name != outcome.NameLimits {
			t.Fatal(err)
		}
	}
}

// TestBusesAgree holds the bus of dbustest against a real one: the same conversation, the same
// outcome.
func TestBusesAgree(t *testing.T) {
	t.Parallel()
	pretend := dbustest.New()
	defer pretend.Close()
	address := realBus(t)
	uid := uint32(os.Geteuid())
	want := conversation(t, func() (*godbus.Conn, error) {
		return godbus.Connect(address,
			godbus.WithSignalHandler(godbus.NewSequentialSignalHandler()))
	}, func() (*Bus, error) { return Dial(address) })
	got := conversation(t, func() (*godbus.Conn, error) { return pretend.Connect(uid) },
		func() (*Bus, error) { return Connect(pretend.Pipe(uid)) })
	if !slices.Equal(got, want) {
		t.Errorf("dbustest:\n\t%s\ndbus-daemon:\n\t%s", strings.Join(got, "\n\t"),
			strings.Join(want, "\n\t"))
	}
}

// conversation does on a bus what our tests rely on, and says how it went.
func conversation(t *testing.T, connect func() (*godbus.Conn, error),
	dial func() (*Bus, error)) (log []string) {
	t.Helper()
	a, errA := connect()
	silent, errB := dial() // nobody serves its calls
	c, errC := connect()
	if err := errors.Join(errA, errB, errC); err != nil {
		t.Fatal(err)
	}
	b := silent.conn.Name()
	defer func() { _, _ = a.Close(), c.Close() }()
	names := strings.NewReplacer(a.Names()[0], "A", b, "B", c.Names()[0], "C", ":1.999", "nobody")
	note := func(member string, args, body []any, err error) {
		var e godbus.Error
		_ = errors.As(err, &e)
		log = append(log, names.Replace(fmt.Sprintf("%s %v: %v %s %v", member, args, body,
			e.Name, e.Body)))
	}
	ask := func(conn *godbus.Conn, member string, args ...any) {
		call := conn.BusObject().Call(bus.Driver+"."+member, 0, args...)
		note(member, args, call.Body, call.Err)
	}
	signals := make(chan *godbus.Signal, 64)
	a.Signal(signals)
	for range 2 {
		var got uint32
		args := []any{BusName, uint32(godbus.NameFlagDoNotQueue)}
		err := silent.conn.Ask(t.Context(), "RequestName", args, &got)
		note("RequestName", args, []any{got}, err)
	}
	ask(a, "RequestName", BusName, uint32(godbus.NameFlagDoNotQueue))
	ask(a, "GetNameOwner", BusName)
	ask(a, "GetConnectionUnixUser", b)
	ask(a, "GetConnectionUnixUser", ":1.999")
	ask(a, "AddMatch", leftRule(b))
	ask(a, "AddMatch", leftRule(c.Names()[0]))
	ask(a, "RemoveMatch", leftRule(c.Names()[0]))
	ask(a, "RemoveMatch", leftRule(c.Names()[0]))
	if err := c.AddMatchSignal(godbus.WithMatchSender(BusName),
		godbus.WithMatchPathNamespace(rootPath)); err != nil {
		t.Fatal(err)
	}
	heard := make(chan *godbus.Signal, 64)
	c.Signal(heard)
	for _, path := range []godbus.ObjectPath{rootPath, "/fi/w1", wlan0, rootPath + "x"} {
		silent.emit("", path, "a.B", "C", "x")
	}
	silent.emit(c.Names()[0], "/alone", "a.B", "Unicast", "y")
	for range 3 {
		s := <-heard
		log = append(log, names.Replace(fmt.Sprint(s.Sender, s.Path, s.Name, s.Body)))
	}
	log = append(log, names.Replace(fmt.Sprint(c.Object(":1.999", "/").Call("a.B.C", 0).Err)))
	pending := c.Object(BusName, "/").Go("a.B.C", 0, nil)
	ask(c, "GetNameOwner", BusName) // the call before it has arrived
	_ = silent.Close()
	log = append(log, fmt.Sprint((<-pending.Done).Err))
	for s := range signals {
		log = append(log, names.Replace(fmt.Sprint(s.Name, s.Body)))
		if strings.HasSuffix(s.Name, "NameOwnerChanged") {
			return log
		}
	}
	return log
}
