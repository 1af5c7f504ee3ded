//go:build hwsim

package hwsim

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"wpsd/test/unitfile"
)

// The scenarios run wpsd in the sandbox that it is installed with: systemd, the machine's first
// process, starts it by packaging/wpsd.service, and what speaks UPnP and answers wpa_cli for it by
// wpsd-upnp and wpsd-reply, .service and .socket each, in the directory that
// packaging/wpsd.tmpfiles makes. The bus policy is the one that is installed, too.

// installed has the files of packaging. It is not there in machines without systemd (see run).
const installed = "/in/units"

// scenarioLines are the lines of wpsd.service that are others in a scenario. This is all; none of
// them gives wpsd a system call, a capability, a family of addresses, another user, or a namespace
// that it has not got otherwise.
var scenarioLines = []struct{ installed, scenario string }{
	// The scenario has a bus of its own, of which systemd does not know; wpsd is told where that
	// is.
	{"Requires=dbus.socket\n", ""},
	{"BusName=fi.w1.wps\n", "Environment=DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + busSocket + "\n"},
	// The scenario's configuration and radio, and frames in the log. What it says goes where the
	// logs of its peers are; systemd opens that file, wpsd could not.
	{"ExecStart=@SBINDIR@/wpsd --upnp-socket /run/wpsd/upnp --reply-socket /run/wpsd/reply\n",
		"ExecStart=@SBINDIR@/wpsd --upnp-socket /run/wpsd/upnp --reply-socket /run/wpsd/reply @ARGUMENTS@\nStandardOutput=append:@LOG@\nStandardError=append:@LOG@\n"},
	// A scenario looks at what a killed wpsd leaves behind. It runs --restore itself, in the same
	// sandbox, and starts the next one.
	{"ExecStopPost=-@SBINDIR@/wpsd --restore\n", ""},
	{"Restart=on-failure\n", ""},
}

// Outside run, by their nature: the simulation (--driver sim), whose access points need sockets
// that the sandbox forbids; a wpsd that somebody starts by hand as root, which is how one may write
// to iwd's directory (world.byHand); wpsctl and nfc_pw_token, which have no sandbox; and what
// compares with wpa_supplicant, in machines without systemd.

func sandboxed() bool {
	_, err := os.Stat(installed)
	return err == nil
}

// stateDir is where wpsd keeps its networks.
func (w *world) stateDir() string {
	if sandboxed() {
		return "/var/lib/wpsd"
	}
	return filepath.Join(w.dir, "state")
}

// upnpLog has what wpsd-upnp.service says in the scenario.
const upnpLog = scratch + "/wpsd-upnp.log"

// systemd is a connection to the first process, made once, which also has the socket for UPnP
// listen.
var systemd = sync.OnceValues(func() (*godbus.Conn, error) {
	conn, err := dialSystemd()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"wpsd-upnp.service", "wpsd-upnp.socket", "wpsd-reply.service",
		"wpsd-reply.socket"} {
		text, err := os.ReadFile(filepath.Join(installed, name))
		if err != nil {
			return nil, err
		}
		unit := strings.ReplaceAll(string(text), "@SBINDIR@", "/in")
		if name == "wpsd-upnp.service" {
			unit += "[Service]\nStandardOutput=append:" + upnpLog + "\nStandardError=append:" +
				upnpLog + "\n"
		}
		if err := os.WriteFile("/run/systemd/system/"+name, []byte(unit), 0o644); err != nil {
			return nil, err
		}
	}
	return conn, errors.Join(askSystemd(conn, "StartUnit", "wpsd-upnp.socket"),
		askSystemd(conn, "StartUnit", "wpsd-reply.socket"))
})

// dialSystemd connects to the first process, without a bus.
func dialSystemd() (*godbus.Conn, error) {
	conn, err := godbus.Dial("unix:path=/run/systemd/private")
	if err != nil {
		return nil, err
	}
	return conn, conn.Auth([]godbus.Auth{godbus.AuthExternal("0")})
}

// makeControlPlace makes the directory of control sockets as wpsd.tmpfiles does. A wpa_supplicant
// that had it before has removed it.
func makeControlPlace() error {
	u, err := user.Lookup("wpsd")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(controlPlace, 0o755),
		ownedBy(controlPlace, uid, "netdev", os.ModeSetgid|0o755))
}

// askSystemd has a unit started or stopped; it does not wait for that.
func askSystemd(conn *godbus.Conn, method, unit string) error {
	return conn.Object("org.freedesktop.systemd1",
		"/org/freedesktop/systemd1").Call("org.freedesktop.systemd1.Manager."+method, 0, unit,
		"replace").Err
}

// unitProperty reads a property of a unit of the scenario; iface is Unit or Service.
func (w *world) unitProperty(unit, iface, name string) any {
	w.t.Helper()
	conn, err := systemd()
	w.must(err)
	return unitProperty(w, conn, unit, iface, name)
}

func unitProperty(w *world, conn *godbus.Conn, unit, iface, name string) any {
	w.t.Helper()
	var path godbus.ObjectPath
	w.must(conn.Object("org.freedesktop.systemd1",
		"/org/freedesktop/systemd1").Call("org.freedesktop.systemd1.Manager.LoadUnit", 0,
		unit).Store(&path))
	v, err := conn.Object("org.freedesktop.systemd1",
		path).GetProperty("org.freedesktop.systemd1." + iface + "." + name)
	w.must(err)
	return v.Value()
}

var unitsMade atomic.Int64 // a unit that is new needs no reload of the others

// startWpsd starts wpsd with the arguments until the scenario ends, inside the sandbox if there is
// one.
func (w *world) startWpsd(config string, args ...string) *process {
	w.t.Helper()
	args = append(args, "--bus", "system")
	if !w.quiet {
		args = append(args, "--debug") // its rivals do without a log when measured
	}
	if !sandboxed() || w.byHand {
		command := append([]string{"env"}, w.environment()...)
		command = append(command, "/in/wpsd", "--state-dir", w.stateDir(), "--config", config)
		return w.start("wpsd", append(command, args...)...)
	}
	// Under systemd wpsd ends when nobody needs it for a minute, which no scenario of these
	// expects.
	p := w.startService("wpsd", w.wpsdUnit("wpsd", config, append(args, "--idle-exit", "0")...))
	w.t.Cleanup(p.stop)
	return p
}

// environment is what wpsd.service puts into the environment: what is measured without systemd is
// the wpsd that is installed.
func (w *world) environment() []string {
	w.t.Helper()
	variables, err := unitfile.Environment("/in/wpsd.service")
	w.must(err)
	return variables
}

// startGlobal is startWpsd with the global control socket, which systemd makes (wpsd.socket).
func (w *world) startGlobal(config string, args ...string) (p *process, socket string) {
	w.t.Helper()
	if !sandboxed() {
		socket = filepath.Join(scratch, "global")
		return w.startWpsd(config, append(args, "--global", socket)...), socket
	}
	conn, err := systemd()
	w.must(err)
	text, err := os.ReadFile(filepath.Join(installed, "wpsd.socket"))
	w.must(err)
	// of the service that comes next: that gets it
	name := fmt.Sprintf("wpsd-%d.socket", unitsMade.Load()+1)
	w.must(os.WriteFile("/run/systemd/system/"+name, text, 0o644))
	w.must(askSystemd(conn, "StartUnit", name))
	w.t.Cleanup(func() { w.must(askSystemd(conn, "StopUnit", name)) })
	return w.startWpsd(config, args...), "/run/wpsd/global"
}

// runWpsd runs wpsd to its end; what it prints counts as stderr.
func (w *world) runWpsd(config string, args ...string) result {
	w.t.Helper()
	if !sandboxed() || w.byHand {
		return w.run(append([]string{"/in/wpsd", "--state-dir", w.stateDir(), "--config", config},
			args...)...)
	}
	unit := strings.Replace(w.wpsdUnit("wpsd-once", config, args...), "Type=notify\n",
		"Type=oneshot\nRemainAfterExit=yes\n", 1)
	p := w.startService("wpsd-once", strings.Replace(unit, "WatchdogSec=3min\n", "", 1))
	<-p.done
	return result{status: p.exitStatus(), stderr: p.output()}
}

// wpsdUnit is wpsd.service with the lines of a scenario.
func (w *world) wpsdUnit(name, config string, args ...string) string {
	w.t.Helper()
	w.must(errors.Join(readableBy(config, "wpsd"), makeControlPlace()))
	text, err := os.ReadFile(filepath.Join(installed, "wpsd.service"))
	w.must(err)
	unit := string(text)
	for _, l := range scenarioLines {
		if strings.Count(unit, l.installed) != 1 {
			w.t.Fatalf("wpsd.service has no line %q any more", l.installed)
		}
		unit = strings.Replace(unit, l.installed, l.scenario, 1)
	}
	return strings.NewReplacer("@SBINDIR@", "/in", "@LOG@", filepath.Join(w.dir, name+".log"),
		"@ARGUMENTS@", "--config "+config+" "+strings.Join(args, " ")).Replace(unit)
}

// readableBy lets a group read a file, as the package does with the configuration.
func readableBy(path, group string) error {
	return ownedBy(path, 0, group, 0o640)
}

// ownedBy gives a file an owner, a group, and a mode.
func ownedBy(path string, uid int, group string, mode os.FileMode) error {
	g, err := user.LookupGroup(group)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return err
	}
	return errors.Join(os.Chown(path, uid, gid), os.Chmod(path, mode))
}

// startService has systemd start a unit, and returns as soon as there is a process.
func (w *world) startService(name, unit string) *process {
	w.t.Helper()
	conn, err := systemd()
	w.must(err)
	p := &process{w: w, name: name, log: filepath.Join(w.dir, name+".log"),
		done: make(chan struct{}), unit: fmt.Sprintf("%s-%d.service", name, unitsMade.Add(1))}
	w.write(p.unit, unit) // for who looks why it failed
	// systemd opens it in the new process, which may be later than that it tells of the process.
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND, 0o644)
	w.must(err)
	w.must(file.Close())
	w.must(os.WriteFile("/run/systemd/system/"+p.unit, []byte(unit), 0o644))
	w.must(askSystemd(conn, "StartUnit", p.unit))
	var pid uint32
	w.until(name+" has a process", 10*time.Second, func() bool {
		pid = w.unitProperty(p.unit, "Service", "ExecMainPID").(uint32)
		return pid != 0
	})
	p.handle, err = os.FindProcess(int(pid))
	w.must(err)
	// It is systemd's child, so there is nothing to wait for but this.
	fd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		close(p.done)
		return p
	}
	go func() {
		defer unix.Close(fd)
		defer close(p.done)
		for {
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}},
				-1); err != unix.EINTR {
				return
			}
		}
	}()
	return p
}

// exitStatus is that of a process that has ended.
func (p *process) exitStatus() int {
	p.w.t.Helper()
	if p.unit == "" {
		return p.cmd.ProcessState.ExitCode()
	}
	p.w.until("systemd has seen the end of "+p.name, 10*time.Second, func() bool {
		state, sub := p.w.unitProperty(p.unit, "Unit", "ActiveState"),
			p.w.unitProperty(p.unit, "Unit", "SubState")
		return state == "inactive" || state == "failed" || sub == "exited"
	})
	// 0, too, of a unit that systemd has forgotten: then it went well
	return int(p.w.unitProperty(p.unit, "Service", "ExecMainStatus").(int32))
}

// isConfined checks that the sandbox is around the process: all scenarios are to pass inside.
func (p *process) isConfined() {
	p.w.t.Helper()
	if p.unit == "" {
		return
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid()))
	p.w.must(err)
	u, err := user.Lookup("wpsd")
	p.w.must(err)
	wants := []string{"Uid:\t" + u.Uid + "\t" + u.Uid + "\t", "CapBnd:\t0000000000003000\n",
		"NoNewPrivs:\t1\n", "Seccomp:\t2\n"}
	for _, want := range wants {
		if !strings.Contains(string(text), want) {
			p.w.t.Fatalf("not in the sandbox: %q is not in /proc/%d/status:\n%s", want,
				p.pid(), text)
		}
	}
}
