package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/scripttest"
	"wpsd/test/testbus"
	"wpsd/test/unitfile"
)

const (
	busName   = "fi.w1.wps"
	rootPath  = godbus.ObjectPath("/fi/w1/wps")
	ifacePath = rootPath + "/interfaces/sim0"
)

// TestMemoryForgets: once a session has ended and a network was deleted, the daemon's memory has no
// copy of what was secret, neither one in use nor one that was given back and not overwritten.
func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	// Each is made of two parts at run time: the daemon is this same program, and its constants
	// count, too.
	secrets := map[string]string{}
	is := func(name string, parts ...string) string {
		secrets[name] = strings.Join(parts, "")
		return secrets[name]
	}
	pin := is("a PIN that was given", "8642", "9757")
	var session godbus.ObjectPath
	var used string
	d.call(ifacePath, "Interface.StartPin", []any{options("pin", pin)}, &session, &used)
	if used != pin {
		t.Fatalf("StartPin uses another PIN than %s: %s", pin, used)
	}
	d.call(session, "Session.Cancel", nil)
	d.ended(session)
	var own string
	d.call(ifacePath, "Interface.StartPin", []any{options()}, &session, &own)
	is("a PIN that a session made", own)
	d.call(session, "Session.Cancel", nil)
	d.ended(session)
	d.call(rootPath, "Manager.GeneratePin", nil, &own)
	is("a generated PIN", own)
	d.call(rootPath, "Manager.CheckPin", []any{is("a PIN that was checked", "7531", "8642")}, &own)
	d.call(ifacePath, "Interface.Learn", []any{"02:00:00:00:03:77",
		is("the PIN of an access point", "9182", "7365"), options("force", true)}, &session)
	d.call(session, "Session.Cancel", nil)
	d.ended(session)
	key := is("the key of a network that was deleted", "correct horse", " battery staple")
	var network godbus.ObjectPath
	d.call(rootPath, "Manager.AddNetwork", []any{options("ssid", []byte("cabin"), "auth", "WPA2PSK",
		"encryption", "CCMP", "key", []byte(key))}, &network)
	var credential map[string]godbus.Variant
	d.call(network, "Network.GetSecrets", nil, &credential)
	if got, _ := credential["key"].Value().([]byte); string(got) != key {
		t.Fatalf("GetSecrets gives the key %q, want %q", got, key)
	}
	d.call(network, "Network.Delete", nil)
	const reg = "WPS_REG 02:00:00:00:03:77 "
	if typed := is("a PIN on the control socket", "7531",
		"9750"); d.say("WPS_PIN any "+typed) != typed {
		t.Error("WPS_PIN gives another PIN")
	}
	is("a PIN that was made on the control socket", d.say("WPS_PIN get"))
	if got := d.say(reg + is("an access point's PIN on the control socket", "8264", "1975") +
		" 63 WPA2PSK CCMP " + hex.EncodeToString(
		[]byte(is("its new key", "another horse", " without battery")))); got != "OK\n" {
		t.Errorf("WPS_REG gives %q", got)
	}
	d.say("WPS_CANCEL")
	id := strings.TrimSpace(d.say("ADD_NETWORK"))
	d.say("SET_NETWORK " + id + ` ssid "shed"`)
	if got := d.say("SET_NETWORK " + id + ` psk "` +
		is("the key of a network of the control socket", "a horse in", " the battery") +
		`"`); got != "OK\n" {
		t.Errorf("SET_NETWORK gives %q", got)
	}
	d.say("ENABLE_NETWORK " + id)
	d.say("REMOVE_NETWORK " + id)
	memory := d.memory()
	if n := count(memory, "what no daemon has"+" in its memory"); n != 0 {
		t.Fatalf("what never was there is there %d times", n)
	}
	if count(memory, busName) == 0 {
		t.Fatal("the memory does not have what must be there: it was not read")
	}
	for name, secret := range secrets {
		for form, text := range forms(secret) {
			if n := count(memory, text); n != 0 {
				t.Errorf("%s, %s, is in memory %d times, first among %q", name, form, n,
					around(memory, text))
			}
		}
	}
}

// forms are what a secret looks like in memory: in files it is in base64, wherever it begins.
func forms(secret string) map[string]string {
	all := map[string]string{"as it is": secret, "in hex": hex.EncodeToString([]byte(secret))}
	for before := range 3 {
		whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		all[fmt.Sprintf("in base64 after %d bytes",
			before)] = whole[4*((before+2)/3) : (before+len(secret))/3*4]
	}
	return all
}

// running is a wpsd with simulated access points on a bus of its own, and a client.
type running struct {
	t    *testing.T
	pid  int
	conn *godbus.Conn
	dir  string // of the control sockets
}

func startDaemon(t *testing.T) *running {
	bus, err := testbus.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	dir := t.TempDir()
	sockets, config := filepath.Join(dir, "s"), filepath.Join(dir, "wpsd.conf")
	if err := os.WriteFile(config, []byte("ctrl_interface="+sockets+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("wpsd-sim", "--bus", bus.Address, "--state-dir",
		filepath.Join(dir, "state"), "--config", config)
	cmd.Env = append(os.Environ(), unitEnvironment(t)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the daemon said:\n%s", log.Bytes())
		}
	})
	conn, err := godbus.Connect(bus.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d := &running{t, cmd.Process.Pid, conn, sockets}
	if !scripttest.Until(func() bool {
		return conn.Object(busName, ifacePath).Call("org.freedesktop.DBus.Peer.Ping",
			0).Err == nil && d.state("/fi/w1/wps/interfaces/sim0", "Interface", "Mode") != nil
	}) {
		t.Fatalf("the daemon does not come:\n%s", log.Bytes())
	}
	return d
}

// unitEnvironment is what the unit that starts wpsd gives it: without its GODEBUG, signals would
// leave what was in a register in memory.
func unitEnvironment(t *testing.T) []string {
	t.Helper()
	env, err := unitfile.Environment("../../packaging/wpsd.service")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(env, func(e string) bool {
		return strings.HasPrefix(e, "GODEBUG=") && strings.Contains(e, "asyncpreemptoff=1")
	}) {
		t.Errorf("wpsd.service does not keep registers out of memory: %q", env)
	}
	return env
}

// call calls a method, and stores what it returns.
func (d *running) call(path godbus.ObjectPath, method string, args []any, out ...any) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), scripttest.Patience)
	defer cancel()
	c := d.conn.Object(busName, path).CallWithContext(ctx, busName+"."+method, 0, args...)
	if err := c.Store(out...); c.Err != nil || len(out) > 0 && err != nil {
		d.t.Fatalf("%s: %v", method, errors.Join(c.Err, err))
	}
}

// say sends a command to the control socket and returns the reply.
func (d *running) say(command string) string {
	d.t.Helper()
	own := &net.UnixAddr{Name: filepath.Join(d.dir, "..", "c"), Net: "unixgram"}
	conn, err := net.DialUnix("unixgram", own,
		&net.UnixAddr{Name: filepath.Join(d.dir, "sim0"), Net: "unixgram"})
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = errors.Join(conn.Close(), os.Remove(own.Name)) }()
	reply := make([]byte, 4096)
	n := 0
	if err = conn.SetDeadline(time.Now().Add(scripttest.Patience)); err == nil {
		if _, err = conn.Write([]byte(command)); err == nil {
			n, err = conn.Read(reply)
		}
	}
	if err != nil {
		d.t.Fatalf("%s: %v", command, err)
	}
	return string(reply[:n])
}

// state is a property; nil: it cannot be read.
func (d *running) state(path godbus.ObjectPath, iface, name string) any {
	v, err := d.conn.Object(busName, path).GetProperty(busName + "." + iface + "." + name)
	if err != nil {
		return nil
	}
	return v.Value()
}

// ended waits until a session has.
func (d *running) ended(session godbus.ObjectPath) {
	d.t.Helper()
	if !scripttest.Until(func() bool {
		return d.state(session, "Session", "State") == "canceled" ||
			d.state(session, "Session", "State") == "failed"
	}) {
		d.t.Fatalf("the session does not end: it is %v", d.state(session, "Session", "State"))
	}
}

// memory is all memory of the daemon that can be written.
func (d *running) memory() (all [][]byte) {
	d.t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", d.pid))
	if err != nil {
		d.t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", d.pid))
	if errors.Is(err, os.ErrPermission) {
		d.t.Skip("needs root: wpsd's memory is closed to its own user")
	}
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = mem.Close() }()
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to int64
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil ||
			!strings.HasPrefix(rights, "rw") {
			continue
		}
		// else it was given back meanwhile
		if content, err := io.ReadAll(io.NewSectionReader(mem, from, to-from)); err == nil {
			all = append(all, content)
		}
	}
	return all
}

// count counts a text in memory.
func count(memory [][]byte, text string) (n int) {
	for _, content := range memory {
		n += bytes.Count(content, []byte(text))
	}
	return n
}

// around is what stands around the first place of a text in memory: it shows who wrote it.
func around(memory [][]byte, text string) []byte {
	for _, content := range memory {
		if at := bytes.Index(content, []byte(text)); at >= 0 {
			return content[max(0, at-128):min(len(content), at+len(text)+128)]
		}
	}
	return nil
}

// options is a dictionary of options: name, value, name, value.
func options(pairs ...any) map[string]godbus.Variant {
	o := map[string]godbus.Variant{}
	for i := 0; i < len(pairs); i += 2 {
		o[pairs[i].(string)] = godbus.MakeVariant(pairs[i+1])
	}
	return o
}
