//go:build hwsim

package hwsim

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// In these scenarios, which are parts of TestSystemd, wpsd meets what a desktop has: polkit with
// the installed policy and nothing else, a user at the screen, logind, the journal.

// deskUser sits at the machine, farUser is logged in from elsewhere.
const (
	deskUser      = "desk"
	farUser       = "far"
	rootsPassword = "sesame opens"
)

// desk is a user's session at the screen, as logind has it: active, local. Commands are given to
// its shell.
type desk struct {
	u   *unit
	dir string
}

// seat logs a user in on the first terminal.
func (u *unit) seat() *desk {
	u.t.Helper()
	d := &desk{u: u, dir: "/run/hwsim/desk"}
	u.sh("systemctl stop desk.service 2>/dev/null; systemctl reset-failed desk.service 2>/dev/null; id %[1]s >/dev/null 2>&1 || useradd -m %[1]s", deskUser)
	u.sh("rm -rf %[1]s; mkdir -p %[1]s; mkfifo %[1]s/in; chown -R %[2]s %[1]s; chmod 755 /run/hwsim %[1]s", d.dir, deskUser)
	shell := filepath.Join(d.dir, "shell")
	u.must(os.WriteFile(shell, fmt.Appendf(nil, `#!/bin/sh
cd %s
while read -r line < in; do
  sh -c "$line" > out 2>&1
  echo $? > status.new; mv status.new status
done
`, d.dir), 0o755))
	// As display managers do it: a login over PAM on a virtual terminal, of which logind makes a
	// session of the seat.
	u.sh("systemd-run --quiet --unit=desk -p User=%s -p PAMName=login -p TTYPath=/dev/tty1 -p StandardInput=tty-force -p StandardOutput=journal %s", deskUser, shell)
	u.t.Cleanup(func() { u.sh("systemctl stop desk.service || true") })
	u.until("the session is active", 20*time.Second, func() bool {
		for _, line := range strings.Split(u.sh("loginctl list-sessions --no-legend"), "\n") {
			if f := strings.Fields(line); len(f) > 2 && f[2] == deskUser {
				return strings.Contains(u.sh("loginctl show-session -p Active -p Remote -p Seat %s",
					f[0]), "Active=yes")
			}
		}
		return false
	})
	return d
}

// run lets the user at the screen run a command, and checks how it ends.
func (d *desk) run(status int, command string) string {
	d.u.t.Helper()
	d.begin(command)
	return d.finish(status, command)
}

// begin is run that does not wait.
func (d *desk) begin(command string) {
	d.u.t.Helper()
	d.u.must(os.RemoveAll(filepath.Join(d.dir, "status")))
	d.u.sh("echo '%s' > %s/in", command, d.dir)
}

// shown is what the command has printed so far.
func (d *desk) shown() string {
	out, _ := os.ReadFile(filepath.Join(d.dir, "out"))
	return string(out)
}

// finish waits for the end of a command that has begun.
func (d *desk) finish(status int, command string) string {
	d.u.t.Helper()
	file := filepath.Join(d.dir, "status")
	d.u.until(command+" has ended", 90*time.Second, func() bool {
		_, err := os.Stat(file)
		return err == nil
	})
	return d.u.ended(status, command, d.u.sh("cat %s", file), d.shown())
}

// ended checks the status of a command.
func (u *unit) ended(status int, command, got, out string) string {
	u.t.Helper()
	if strings.TrimSpace(got) != fmt.Sprint(status) {
		u.t.Errorf("%s: status %s, want %d\n%s", command, strings.TrimSpace(got), status, out)
	}
	return out
}

// as lets somebody without a session run a command.
func (u *unit) as(user string, status int, command string) string {
	u.t.Helper()
	u.sh("id %[1]s >/dev/null 2>&1 || useradd -m %[1]s", user)
	r := u.run("setpriv", "--reuid", user, "--regid", user, "--init-groups", "sh", "-c",
		command+" </dev/null")
	return u.ended(status, user+": "+command, fmt.Sprint(r.status), r.stdout+r.stderr)
}

// testUnitPolkit: the policy as it is installed. Who sits at the machine scans and joins; what
// shows keys or changes things needs the administrator's password; who is elsewhere may look.
func testUnitPolkit(t *testing.T) {
	u := newUnit(t)
	a := u.startAP(ap{})
	desk := u.seat()
	desk.run(0, "wpsctl -i "+station+" scan")
	a.mustOK("WPS_PBC")
	out := desk.run(0, "wpsctl -i "+station+" pbc --show-key")
	if !strings.Contains(out, testPassphrase) {
		t.Errorf("the key of one's own session is not shown:\n%s", out)
	}
	number := ""
	for line := range strings.Lines(u.wpsctl(0, "networks", "list")) {
		if strings.Contains(line, testSSID) {
			number = strings.Fields(line)[0]
		}
	}
	if number == "" {
		t.Fatal("no network is stored")
	}
	for _, command := range []string{"networks show --key " + number, "networks delete " + number,
		"networks add other --auth OPEN", "-i " + station + " learn " + a.bssid + " " + labelPIN} {
		if out := desk.run(4, "wpsctl "+command+" < /dev/null"); !strings.Contains(out,
			"password") || strings.Contains(out, testPassphrase) {
			t.Errorf("%s: %s", command, out)
		}
		if out := u.as(farUser, 4, "wpsctl "+command); !strings.Contains(out, "not authorized") ||
			strings.Contains(out, testPassphrase) {
			t.Errorf("%s by somebody else: %s", command, out)
		}
	}
	u.as(farUser, 4, "wpsctl -i "+station+" scan")
	u.as(farUser, 4, "wpsctl -i "+station+" pbc")
	u.as(farUser, 0, "wpsctl status")
	if out := u.wpsctl(0, "networks", "list"); !strings.Contains(out, testSSID) ||
		strings.Contains(out, "other") {
		t.Errorf("networks are now\n%s", out)
	}
}

// testUnitPassword: wpsctl has the password asked for on its terminal, by polkit's own agent, and
// PAM checks it.
func testUnitPassword(t *testing.T) {
	u := newUnit(t)
	u.startAP(ap{})
	desk := u.seat()
	u.sh("echo 'root:%s' | chpasswd", rootsPassword)
	u.sh("rm -f /etc/polkit-1/rules.d/*")
	u.sh("mkfifo %[1]s/keys; chown %[2]s %[1]s/keys", desk.dir, deskUser)
	keyboard, err := os.OpenFile(filepath.Join(desk.dir, "keys"), os.O_RDWR, 0)
	u.must(err)
	defer keyboard.Close()
	ask := func(password, want string) {
		t.Helper()
		// script(1) is the terminal.
		command := `script -qec "wpsctl networks add lounge --auth OPEN; stty -a" /dev/null < keys`
		desk.begin(command)
		u.until("the password is asked for", 60*time.Second, func() bool {
			return strings.Contains(desk.shown(), "Password:")
		})
		// What is typed before that is not taken for a password, but thrown away.
		u.until("the terminal does not show what is typed", 60*time.Second, func() bool {
			return u.run("bash", "-c",
				"pid=$(grep -lx wpsctl /proc/[0-9]*/comm) && "+
					"stty -F $(readlink ${pid%comm}fd/0) -a | grep -q -- '-echo '").status == 0
		})
		_, err := keyboard.WriteString(password + "\n")
		u.must(err)
		out := desk.finish(0, command)
		if !strings.Contains(out, "AUTHENTICATING FOR fi.w1.wps.manage") ||
			!strings.Contains(out, want) || strings.Contains(out, password) {
			t.Errorf("the terminal shows\n%s", out)
		}
		if !strings.Contains(out, " echo ") {
			t.Errorf("the terminal does not show any more what is typed:\n%s", out)
		}
	}
	ask("a wrong one", "not authorized")
	ask(rootsPassword, "AUTHENTICATION COMPLETE")
	if out := u.wpsctl(0, "networks", "list"); !strings.Contains(out, "lounge") {
		t.Errorf("networks are now\n%s", out)
	}
}

// testUnitJournal: a session's two lines are found by their fields.
func testUnitJournal(t *testing.T) {
	u := newUnit(t)
	a := u.startAP(ap{})
	a.mustOK("WPS_PBC")
	u.wpsctl(0, "-i", station, "pbc")
	var lines []map[string]any
	u.until("both lines are in the journal", 10*time.Second, func() bool {
		lines = nil
		for line := range strings.Lines(u.sh(
			"journalctl -b --no-pager -o json -u wpsd.service WPSD_INTERFACE=%s WPSD_METHOD=pbc", station)) {
			fields := map[string]any{}
			u.must(json.Unmarshal([]byte(line), &fields))
			lines = append(lines, fields)
		}
		return len(lines) >= 2
	})
	started, ended := lines[len(lines)-2], lines[len(lines)-1]
	for name, want := range map[string]string{
		"MESSAGE_ID": "1f0c4a2de5b84d0f9a6b7c5ce3f2a917", "PRIORITY": "6",
		"SYSLOG_IDENTIFIER": "wpsd", "WPSD_ROLE": "enrollee", "WPSD_PURPOSE": "enroll",
	} {
		if started[name] != want {
			t.Errorf("%s of the first line is %v, want %s", name, started[name], want)
		}
	}
	for name, want := range map[string]string{
		"MESSAGE_ID": "8b1a5d6e47f34c0e8d92f0b6a4c7d359", "WPSD_STATE": "succeeded",
		"WPSD_PEER": a.bssid, "WPSD_SESSION": fmt.Sprint(started["WPSD_SESSION"]),
	} {
		if ended[name] != want {
			t.Errorf("%s of the last line is %v, want %s", name, ended[name], want)
		}
	}
	if d, err := time.ParseDuration(fmt.Sprint(ended["WPSD_DURATION"])); err != nil || d <= 0 {
		t.Errorf("the session took %v (%v)", ended["WPSD_DURATION"], err)
	}
	if text := fmt.Sprint(ended["MESSAGE"]); !strings.HasPrefix(text, "session ended session=") ||
		!strings.Contains(text, "peer="+a.bssid) {
		t.Errorf("the message is %q", text)
	}
}

// testUnitSleep: the real logind sends the machine to sleep, but for the kernel's part in it, in
// the middle of a session.
func testUnitSleep(t *testing.T) {
	u := newUnit(t)
	u.startAP(ap{})
	// A slow machine gives the interface back in more than logind's usual five seconds.
	u.must(os.MkdirAll("/run/systemd/logind.conf.d", 0o755))
	u.must(os.WriteFile("/run/systemd/logind.conf.d/test.conf",
		[]byte("[Login]\nInhibitDelayMaxSec=60\n"), 0o644))
	u.sh("systemctl reload-or-restart systemd-logind.service")
	u.must(os.MkdirAll("/run/systemd/system/systemd-suspend.service.d", 0o755))
	u.must(os.WriteFile("/run/systemd/system/systemd-suspend.service.d/test.conf",
		[]byte("[Service]\nExecStart=\nExecStart=/bin/sh -c 'ip link show dev "+station+
			" > /run/hwsim/asleep; iw dev "+station+
			" link >> /run/hwsim/asleep; mv /run/hwsim/asleep /run/hwsim/sleeps; while [ -e /run/hwsim/sleeps ]; do sleep 0.1; done'\n"), 0o644))
	u.sh("systemctl daemon-reload")
	wake := func() { u.must(os.RemoveAll("/run/hwsim/sleeps")) }
	defer wake()
	u.mustCall()
	u.until("wpsd holds a lock", 10*time.Second, func() bool {
		return strings.Contains(u.sh("systemd-inhibit --list --no-legend"), "wpsd")
	})
	c := u.start("wpsctl", "wpsctl", "-i", station, "pbc")
	u.until("wpsd has the session", 20*time.Second, func() bool {
		return strings.Contains(u.show("StatusText"), "enroll by pbc")
	})
	time.Sleep(3 * time.Second)
	u.sh("busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Suspend b false")
	select {
	case <-c.done:
	case <-time.After(patience(20 * time.Second)):
		t.Fatal("the session goes on")
	}
	if status := c.cmd.ProcessState.ExitCode(); status != 14 ||
		!strings.Contains(c.output(), "sleep") {
		t.Errorf("wpsctl: status %d\n%s", status, c.output())
	}
	u.until("the machine sleeps", 20*time.Second, func() bool {
		_, err := os.Stat("/run/hwsim/sleeps")
		return err == nil
	})
	if asleep := u.sh("cat /run/hwsim/sleeps"); strings.Contains(asleep, ",UP") ||
		!strings.Contains(asleep, "Not connected") {
		t.Errorf("when the machine went to sleep the interface was not given back:\n%s", asleep)
	}
	if out := u.wpsctl(14, "-i", station, "pbc"); out != "" {
		t.Errorf("a session began while the machine slept: %s", out)
	}
	wake()
	u.until("wpsd holds a lock again", 20*time.Second, func() bool {
		return strings.Contains(u.sh("systemd-inhibit --list --no-legend"), "wpsd")
	})
	u.wpsctl(0, "-i", station, "scan")
	log := u.sh("journalctl -b --no-pager -o cat -u wpsd.service")
	if !strings.Contains(log, "reason=suspended") ||
		!strings.Contains(log, "the computer is awake") ||
		strings.Contains(log, "not everything has come to rest") {
		t.Errorf("the log:\n%s", tail(log, 12))
	}
}
