//go:build hwsim

package hwsim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// The names of the D-Bus contract.
const (
	busName     = "fi.w1.wps"
	rootPath    = godbus.ObjectPath("/fi/w1/wps")
	errorPrefix = "fi.w1.wps.Error."
	busSocket   = scratch + "/bus"
)

// busConfig is a system bus with Debian's default policy, plus what a package of ours installs.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
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
  <policy user="root"><allow own="*"/></policy>
%s</busconfig>
`

// openPolicy stands in where the project ships no bus policy: everybody may call wpsd, which then
// decides.
const openPolicy = `  <policy context="default"><allow send_destination="fi.w1.wps"/></policy>
`

// startBus starts a private dbus-daemon and makes it the system bus of everything the scenario
// starts.
func (w *world) startBus() {
	w.t.Helper()
	policy := openPolicy
	if files, _ := filepath.Glob("/in/policy/*.conf"); len(files) > 0 {
		policy = "  <includedir>/in/policy</includedir>\n"
	}
	os.Remove(busSocket)
	config := w.write("bus.conf", fmt.Sprintf(busConfig, busSocket, policy))
	w.must(os.Chmod(config, 0o644))
	p := w.start("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--config-file="+config)
	w.until("the bus is there", 10*time.Second, func() bool {
		if !p.running() {
			w.t.Fatalf("dbus-daemon ended:\n%s", p.output())
		}
		_, err := os.Stat(busSocket)
		return err == nil
	})
	w.t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+busSocket)
}

// client is one connection to the bus; every signal that reaches it is on record.
type client struct {
	w       *world
	conn    *godbus.Conn
	signals *record[signal]
}

// signal is a D-Bus signal with the time it reached us.
type signal struct {
	*godbus.Signal
	at time.Time
}

// connect makes a new connection that listens to everything wpsd says.
func (w *world) connect() *client {
	w.t.Helper()
	conn, err := godbus.Connect("unix:path=" + busSocket)
	w.must(err)
	w.t.Cleanup(func() { conn.Close() })
	return w.listen(conn)
}

// listen makes a client of a connection: it hears everything wpsd says.
func (w *world) listen(conn *godbus.Conn) *client {
	w.t.Helper()
	c := &client{w: w, conn: conn, signals: newRecord[signal]()}
	w.must(conn.AddMatchSignal(godbus.WithMatchSender(busName)))
	incoming := make(chan *godbus.Signal, 4096)
	conn.Signal(incoming)
	go func() {
		for s := range incoming {
			c.signals.add(signal{s, time.Now()})
		}
	}()
	return c
}

// call calls a method of wpsd, named with its interface but without fi.w1.wps: "Interface.Scan".
func (c *client) call(path godbus.ObjectPath, method string, args ...any) ([]any, error) {
	call := c.conn.Object(busName, path).Call(busName+"."+method, 0, args...)
	return call.Body, call.Err
}

// mustCall is call for what has to succeed.
func (c *client) mustCall(path godbus.ObjectPath, method string, args ...any) []any {
	c.w.t.Helper()
	body, err := c.call(path, method, args...)
	if err != nil {
		c.w.t.Fatalf("%s: %v", method, err)
	}
	return body
}

// refused checks that a call ends with one of wpsd's own errors, which has a sentence.
func (c *client) refused(name string, path godbus.ObjectPath, method string, args ...any) {
	c.w.t.Helper()
	_, err := c.call(path, method, args...)
	var got godbus.Error
	switch {
	case err == nil:
		c.w.t.Errorf("%s%v: no error, want %s", method, args, name)
	case !errors.As(err, &got) || got.Name != errorPrefix+name && got.Name != name:
		c.w.t.Errorf("%s%v: %T %v, want %s", method, args, err, err, name)
	case len(got.Error()) < 15:
		c.w.t.Errorf("%s%v: %s says only %q", method, args, name, got.Error())
	}
}

// property reads one property; iface without fi.w1.wps.
func (c *client) property(path godbus.ObjectPath, iface, name string) any {
	c.w.t.Helper()
	v, err := c.conn.Object(busName, path).GetProperty(busName + "." + iface + "." + name)
	if err != nil {
		c.w.t.Fatalf("%s of %s: %v", name, path, err)
	}
	return v.Value()
}

// wait waits for a signal, counting from position from in the record.
func (c *client) wait(from int, timeout time.Duration, what string,
	match func(signal) bool) signal {
	c.w.t.Helper()
	s, ok := c.signals.wait(from, patience(timeout), match)
	if !ok {
		c.w.t.Fatalf("no %s within %v", what, timeout)
	}
	return s
}

// options makes an a{sv} of alternating names and values.
func options(pairs ...any) map[string]godbus.Variant {
	m := map[string]godbus.Variant{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = godbus.MakeVariant(pairs[i+1])
	}
	return m
}
