//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// In these scenarios systemd is the first process, and wpsd runs as the Debian package installs it:
// as a user of its own, in its sandbox, started by whoever calls it. Time is real.

// What the run script brings: two packages, the older one first.
const (
	oldPackage = "/in/old.deb"
	newPackage = "/in/new.deb"
)

// unit is wpsd.service, and the means to look at it.
type unit struct{ *world }

// newUnit gives a scenario clean radios, and wpsd's unit at rest with lines added to its
// configuration.
func newUnit(t *testing.T, config ...string) *unit {
	t.Helper()
	u := &unit{newQuietWorld(t)}
	u.t.Cleanup(u.keepJournal)
	u.sh("systemctl stop wpsd; systemctl reset-failed wpsd 2> /dev/null || true")
	u.configure(config...)
	return u
}

// configure makes the lines the configuration.
func (u *unit) configure(lines ...string) {
	u.t.Helper()
	u.must(os.WriteFile("/etc/wpsd/wpsd.conf", []byte(strings.Join(lines, "\n")+"\n"), 0o640))
}

// dropIn changes the unit.
func (u *unit) dropIn(text string) {
	u.t.Helper()
	dir := "/run/systemd/system/wpsd.service.d"
	u.must(os.MkdirAll(dir, 0o755))
	u.must(os.WriteFile(filepath.Join(dir, "test.conf"), []byte("[Service]\n"+text+"\n"), 0o644))
	u.sh("systemctl daemon-reload")
	u.t.Cleanup(func() {
		u.sh("rm -r %s; systemctl daemon-reload", dir)
	})
}

// keepJournal puts what wpsd has logged to the scenario's other logs.
func (u *unit) keepJournal() {
	if u.t.Failed() {
		u.write("journal.log", u.sh("journalctl -b --no-pager -o short-monotonic | tail -n 400"))
	}
}

// firstProcess is a connection to systemd itself, which holds whatever the bus is.
var firstProcess = sync.OnceValues(dialSystemd)

// show is a property of the unit as systemctl show has it. That program's run costs the emulated
// processor more than what it is to be seen, as it is in each look of a wait.
func (u *unit) show(property string) string {
	u.t.Helper()
	conn, err := firstProcess()
	u.must(err)
	iface := "Service"
	if property == "ActiveState" {
		iface = "Unit"
	}
	return fmt.Sprint(unitProperty(u.world, conn, "wpsd.service", iface, property))
}

// becomes waits until a property of the unit has a value.
func (u *unit) becomes(property, value string, timeout time.Duration) {
	u.t.Helper()
	u.until("wpsd.service has "+property+"="+value+" (it was "+u.show(property)+")", timeout,
		func() bool { return u.show(property) == value })
}

// call calls a method that everybody may call, which starts wpsd if it does not run.
func (u *unit) call() result {
	u.t.Helper()
	return u.run("busctl", "call", busName, string(rootPath), busName+".Manager", "GeneratePin")
}

func (u *unit) mustCall() {
	u.t.Helper()
	if r := u.call(); r.status != 0 || !strings.HasPrefix(r.stdout, `s "`) {
		u.t.Fatalf("a call: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

// wpsctl runs the command line and checks how it ends.
func (u *unit) wpsctl(status int, args ...string) string {
	u.t.Helper()
	r := u.run(append([]string{"wpsctl"}, args...)...)
	if r.status != status {
		u.t.Fatalf("wpsctl %v: status %d, want %d\n%s%s", args, r.status, status,
			r.stdout, r.stderr)
	}
	return r.stdout
}

// keep stores a network.
func (u *unit) keep(ssid string) {
	u.t.Helper()
	u.sh("echo %q | wpsctl networks add %s", testPassphrase, ssid)
}

// stillHas checks that a network is stored.
func (u *unit) stillHas(ssid string) {
	u.t.Helper()
	if got := u.wpsctl(0, "networks", "list"); !strings.Contains(got, ssid) {
		u.t.Errorf("the network %s is lost:\n%s", ssid, got)
	}
}

// TestSystemd has the life of the package in order.
func TestSystemd(t *testing.T) {
	if _, err := os.Stat(oldPackage); err != nil {
		t.Skip("needs the package, and systemd as the first process: run test/hwsim/run --systemd")
	}
	t.Run("Installs", testInstalls)
	if t.Failed() {
		t.FailNow() // nothing else can work
	}
	for _, s := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"FirstCallStartsIt", testFirstCallStartsIt},
		{"IdleExitLosesNoCall", testIdleExitLosesNoCall},
		{"PushButton", testUnitPushButton},
		{"PINAndLearn", testUnitPINAndLearn},
		{"AccessPointOfThisMachine", testUnitAccessPoint},
		{"RadioOff", testUnitRadioOff},
		{"ExternalRegistrar", testUnitER},
		{"HandsOver", testUnitHandsOver},
		{"WpaCli", testUnitWpaCli},
		{"SocketWhileItRuns", testUnitSocketWhileItRuns},
		{"Polkit", testUnitPolkit},
		{"PasswordOnATerminal", testUnitPassword},
		{"Journal", testUnitJournal},
		{"Sleep", testUnitSleep},
		{"Reload", testUnitReload},
		{"Kill", testUnitKill},
		{"Watchdog", testUnitWatchdog},
		{"DbusBroker", testUnitBroker},
		{"Upgrades", testUpgrades},
		{"RemovesAndPurges", testRemovesAndPurges},
		{"MakeInstall", testMakeInstall}, // last: there is no package any more
	} {
		t.Run(s.name, s.run)
	}
}

// smallMachine leaves of dpkg's database what belongs to the packages that ours has to do with:
// this machine may have thousands, whose lists of files would all be read each time.
func smallMachine(w *world) {
	w.sh(`cd /var/lib && mkdir -p /run/dpkg/info /run/dpkg/updates /run/dpkg/triggers
awk -v RS= -v ORS='\n\n' '/^Package: (dbus|dbus-system-bus-common|dbus-daemon|dbus-bin|systemd|init-system-helpers|polkitd|libc6)\n/' dpkg/status > /run/dpkg/status
for p in dbus dbus-system-bus-common dbus-daemon dbus-bin systemd init-system-helpers polkitd libc6:amd64; do cp dpkg/info/$p.* /run/dpkg/info/ || true; done
cp dpkg/triggers/* /run/dpkg/triggers/
echo $(cat dpkg/info/format) > /run/dpkg/info/format
touch /run/dpkg/available
mount --bind /run/dpkg /var/lib/dpkg`)
}

func testInstalls(t *testing.T) {
	w := newQuietWorld(t)
	smallMachine(w)
	w.sh("dpkg -i %s", oldPackage)
	if got := w.sh("stat -c '%%a %%U %%G' /etc/wpsd/wpsd.conf"); got != "640 root wpsd\n" {
		t.Errorf("the configuration is %s", got)
	}
	if got := w.sh("dpkg --verify wpsd; systemctl is-active wpsd.service || true"); got != "inactive\n" {
		t.Errorf("after the installation: %s", got)
	}
	if got := w.sh("id -nG wpsd"); got != "wpsd netdev\n" {
		t.Errorf("wpsd is in the groups %s", got)
	}
	specListsTheSame(w)
}

// specListsTheSame holds %files of the RPM spec, which nothing here builds, against what make
// install has put into the Debian package: rpmbuild refuses a package with a file too many or too
// few.
func specListsTheSame(w *world) {
	text, err := os.ReadFile("/in/wpsd.spec")
	w.must(err)
	_, list, found := strings.Cut(string(text), "\n%files\n")
	if !found {
		w.t.Fatal("the spec has no list of files")
	}
	list, _, _ = strings.Cut(list, "\n%files ") // the applet's package has a list of its own
	places := strings.NewReplacer("%{name}", "wpsd", "%{_bindir}", "/usr/bin", "%{_sbindir}",
		"/usr/sbin", "%{_prefix}", "/usr", "%{_sysconfdir}", "/etc",
		"%{_unitdir}", "/usr/lib/systemd/system", "%{_userunitdir}", "/usr/lib/systemd/user",
		"%{_sysusersdir}", "/usr/lib/sysusers.d",
		"%{_tmpfilesdir}", "/usr/lib/tmpfiles.d",
		"%{_docdir}", "/usr/share/doc", "%{_datadir}", "/usr/share", "%{_mandir}", "/usr/share/man",
		"zsh/site-functions", "zsh/vendor-completions")
	var patterns []string
	for line := range strings.Lines(places.Replace(list)) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] != "%dir" && strings.HasPrefix(fields[len(fields)-1], "/") {
			patterns = append(patterns, fields[len(fields)-1])
		}
	}
	used := map[string]bool{}
	for _, file := range strings.Fields(w.sh(
		`for f in $(dpkg -L wpsd); do [ -d $f ] || echo $f; done`)) {
		// Debian's own
		matches := strings.HasPrefix(file, "/usr/share/doc/wpsd/") &&
			!strings.HasSuffix(file, ".conf") || strings.HasPrefix(file, "/usr/share/lintian/")
		for _, pattern := range patterns {
			if ok, err := filepath.Match(pattern, file); ok && err == nil {
				matches, used[pattern] = true, true
			}
		}
		if !matches {
			w.t.Errorf("the spec does not list %s", file)
		}
	}
	for _, pattern := range patterns {
		if !used[pattern] {
			w.t.Errorf("the spec lists %s, which is not installed", pattern)
		}
	}
}

func testFirstCallStartsIt(t *testing.T) {
	u := newUnit(t, "idle_exit=0")
	u.mustCall()
	u.becomes("ActiveState", "active", time.Second)
	if got := u.show("StatusText"); got != "idle" {
		t.Errorf("its status is %q", got)
	}
	// It is what the unit says: another user, two capabilities, nothing else.
	status := u.sh("cat /proc/%s/status", u.show("MainPID"))
	for _, line := range []string{"CapEff:\t0000000000003000", "CapBnd:\t0000000000003000",
		"NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, line) {
			t.Errorf("not in /proc/PID/status: %s\n%s", line, status)
		}
	}
	if got := u.sh("stat -c '%%a %%U' /var/lib/wpsd"); got != "700 wpsd\n" {
		t.Errorf("the state directory is %s", got)
	}
	if got := u.wpsctl(0, "status"); !strings.Contains(got, station) {
		t.Errorf("wpsctl status does not show %s:\n%s", station, got)
	}
	u.configure("idle_exit=1")
	u.sh("systemctl reload wpsd")
	u.becomes("ActiveState", "inactive", 20*time.Second) // nobody needs it any more
	if got := u.show("Result") + " " + u.show("NRestarts"); got != "success 0" {
		t.Errorf("the end: %s", got)
	}
	u.mustCall()
}

// testIdleExitLosesNoCall calls around the moment in which wpsd ends, again and again.
func testIdleExitLosesNoCall(t *testing.T) {
	u := newUnit(t)
	u.dropIn("ExecStart=\nExecStart=/usr/sbin/wpsd --idle-exit 40ms\n[Unit]\nStartLimitIntervalSec=0")
	starts := u.starts()
	const calls = 15
	for n := range calls {
		began := time.Now()
		u.mustCall()
		if took := time.Since(began); took > 60*time.Second {
			t.Errorf("call %d took %v", n, took)
		}
		time.Sleep(time.Duration(n) * 8 * time.Millisecond)
	}
	if n := u.starts() - starts; n < 3 || n > calls {
		t.Errorf("wpsd was started %d times in %d calls: that proves nothing", n, calls)
	}
	u.becomes("ActiveState", "inactive", 15*time.Second)
	if got := u.show("Result"); got != "success" {
		t.Errorf("the end: %s", got)
	}
}

// starts counts how often wpsd was ready.
func (u *unit) starts() int {
	return strings.Count(u.sh("journalctl -b --no-pager -o cat -u wpsd.service"), "wpsd is ready")
}

func testUnitPushButton(t *testing.T) {
	u := newUnit(t, "idle_exit=1")
	a := u.startAP(ap{})
	a.mustOK("WPS_PBC")
	out := u.wpsctl(0, "-i", station, "pbc", "--show-key")
	if !strings.Contains(out, testSSID) || !strings.Contains(out, testPassphrase) {
		t.Errorf("wpsctl pbc:\n%s", out)
	}
	a.wait(0, "WPS-REG-SUCCESS "+u.mac(station), 5*time.Second)
	// As long as the session's object is there, and with it what it received, wpsd stays.
	time.Sleep(3 * time.Second)
	if got := u.show("ActiveState"); got != "active" {
		t.Errorf("wpsd is %s with a session that can still be asked", got)
	}
	u.sh("systemctl restart wpsd")
	u.stillHas(testSSID)
	if u.isAssociated(station) || u.isUp(station) {
		t.Error("the interface was not given back")
	}
	if journal := u.sh("journalctl -b --no-pager -o verbose -u wpsd.service"); strings.Contains(
		journal, testPassphrase) {
		t.Error("the key is in the journal")
	}
	// A control socket without a group is closed to wpsd's user: only the kernel's list tells that
	// it is there.
	u.startSupplicantWith("/run/wpa_supplicant", block("elsewhere", "not in reach"))
	if r := u.run("wpsctl", "-i", station, "pbc"); r.status != 6 ||
		!strings.Contains(r.stdout+r.stderr, "GROUP=netdev") {
		t.Errorf("with a wpa_supplicant that cannot be asked: status %d\n%s%s", r.status,
			r.stdout, r.stderr)
	}
}

func testUnitPINAndLearn(t *testing.T) {
	u := newUnit(t)
	a := u.startAP(ap{ssid: "second", extra: []string{"ap_pin=" + labelPIN, "ap_setup_locked=0"}})
	a.ask("WPS_PIN any %s", otherPIN)
	u.wpsctl(0, "-i", station, "pin", otherPIN)
	out := u.wpsctl(0, "-i", station, "learn", a.bssid, labelPIN, "--show-key")
	if !strings.Contains(out, testPassphrase) {
		t.Errorf("wpsctl learn:\n%s", out)
	}
}

// testUnitAccessPoint: the control socket of hostapd belongs to a group that wpsd is in.
func testUnitAccessPoint(t *testing.T) {
	u := newUnit(t, "hostapd_ctrl_interface="+ap{radio: apRadio}.controlDir())
	a := u.startAP(ap{extra: []string{"ctrl_interface_group=netdev"}})
	e := u.startSupplicant(station)
	p := u.start("wpsctl", "wpsctl", "-i", apRadio, "pin", labelPIN)
	u.until("wpsd has the session", 20*time.Second, func() bool {
		return strings.Contains(u.show("StatusText"), "admit by pin")
	})
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	e.wait(mark, "WPS-SUCCESS", 60*time.Second)
	a.wait(0, "WPS-REG-SUCCESS "+u.mac(station), 5*time.Second)
	select {
	case <-p.done:
	case <-time.After(patience(20 * time.Second)):
		t.Fatal("wpsctl does not end")
	}
	if status := p.cmd.ProcessState.ExitCode(); status != 0 {
		t.Errorf("wpsctl pin: status %d\n%s", status, p.output())
	}
}

// testUnitRadioOff: /dev/rfkill is there, though no other device is.
func testUnitRadioOff(t *testing.T) {
	u := newUnit(t)
	u.mustCall()
	if open := u.sh("ls -l /proc/%s/fd", u.show("MainPID")); !strings.Contains(open,
		"-> /dev/rfkill") {
		t.Errorf("wpsd does not hear when radios are switched:\n%s", open)
	}
	u.block(station, true)
	defer u.block(station, false)
	u.wpsctl(14, "-i", station, "pbc")
}

// testUnitER: the External Registrar's sockets are in another process, which runs only while there
// is one.
func testUnitER(t *testing.T) {
	u := newUnit(t, "idle_exit=1")
	u.dropIn("ExecStart=\nExecStart=/usr/sbin/wpsd --driver none --interface lo --upnp-socket /run/wpsd/upnp")
	u.sh("ip link set lo up")
	u.startAP(withUPnP(ap{}))
	u.wpsctl(0, "-i", "lo", "er", "start")
	u.until("the access point is found", 20*time.Second, func() bool {
		return strings.Contains(u.wpsctl(0, "-i", "lo", "er", "aps"), upnpUUID)
	})
	if out := u.wpsctl(0, "-i", "lo", "er", "learn", upnpUUID, labelPIN,
		"--show-key"); !strings.Contains(out, testPassphrase) {
		t.Errorf("wpsctl er learn:\n%s", out)
	}
	other := u.sh("cat /proc/$(systemctl show -P MainPID wpsd-upnp.service)/status")
	for _, line := range []string{"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
		"NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(other, line) {
			t.Errorf("not in the other process's status: %s\n%s", line, other)
		}
	}
	// When that process is killed another one takes its place, and the access point is found again.
	u.sh("systemctl kill --signal=KILL wpsd-upnp.service")
	u.until("the access point can be asked again", 30*time.Second, func() bool {
		return u.run("wpsctl", "-i", "lo", "er", "learn", upnpUUID, labelPIN).status == 0
	})
	u.wpsctl(0, "-i", "lo", "er", "stop")
	u.until("the other process has ended", 30*time.Second, func() bool {
		return u.run("systemctl", "is-active", "wpsd-upnp.service").stdout == "inactive\n"
	})
}

// testUnitWpaCli: a real wpa_cli of root, and of a member of netdev, at the socket that systemd
// holds and at those of interfaces, as the package has it.
func testUnitWpaCli(t *testing.T) {
	u := newUnit(t, "idle_exit=1")
	as := func(group string, args ...string) string {
		t.Helper()
		r := u.run(append([]string{"setpriv", "--reuid=1234", "--regid=1234", "--groups", group,
			"timeout", "60", "wpa_cli"}, args...)...)
		return r.stdout + r.stderr
	}
	netdev := strings.TrimSpace(u.sh("getent group netdev | cut -d: -f3"))
	u.sh("systemctl start wpsd.socket")
	defer u.sh("systemctl stop wpsd.socket")
	if got := u.show("ActiveState"); got != "inactive" {
		t.Fatalf("wpsd is %s before anybody asked", got)
	}
	if out := u.sh("timeout 60 wpa_cli -g /run/wpsd/global interface"); !strings.Contains(
		out, station) {
		t.Errorf("wpa_cli interface:\n%s", out)
	}
	if out := u.sh("timeout 60 wpa_cli -g /run/wpsd/global raw IFNAME=%s STATUS",
		station); !strings.Contains(out, "wpa_state=") {
		t.Errorf("wpa_cli status:\n%s", out)
	}
	if out := as(netdev, "-g", "/run/wpsd/global", "ping"); out != "PONG\n" {
		t.Errorf("a member of netdev at the global socket: %q", out)
	}
	if out := as("4321", "-g", "/run/wpsd/global", "ping"); !strings.Contains(out,
		"Permission denied") {
		t.Errorf("a stranger at the global socket: %q", out)
	}
	u.sh("systemctl stop wpsd.socket")

	// The sockets of interfaces: what README says, and nothing more.
	a := u.startAP(ap{})
	u.configure("ctrl_interface=DIR=/run/wpsd/control GROUP=netdev", "wps_cred_processing=2")
	u.sh("systemctl restart wpsd")
	u.until("the socket is there", 10*time.Second, func() bool {
		_, err := os.Stat("/run/wpsd/control/" + station)
		return err == nil
	})
	if got := u.sh("stat -c '%%A %%U %%G' /run/wpsd/control /run/wpsd/control/%s",
		station); got != "drwxr-sr-x wpsd netdev\nsrwxrwx--- wpsd netdev\n" {
		t.Errorf("the sockets:\n%s", got)
	}
	events, _ := u.startTyped(0, "wpa_cli", "wpa_cli", "-p", "/run/wpsd/control", "-i", station)
	events.waitLog("Interactive mode", 10*time.Second)
	a.mustOK("WPS_PBC")
	if out := as(netdev, "-p", "/run/wpsd/control", "-i", station, "wps_pbc"); out != "OK\n" {
		t.Errorf("wps_pbc of a member of netdev: %q", out)
	}
	events.waitLog("WPS-CRED-RECEIVED 100e", oneRun)
	events.waitLog("WPS-SUCCESS", 10*time.Second)
	if out := as("4321", "-p", "/run/wpsd/control", "-i", station, "ping"); !strings.Contains(out,
		"Permission denied") {
		t.Errorf("a stranger at an interface's socket: %q", out)
	}
	// It ends ten seconds after the last answer: one more, and then a look at it.
	status := u.sh("timeout 60 wpa_cli -p /run/wpsd/control -i %s ping && cat /proc/$(systemctl show -P MainPID wpsd-reply.service)/status", station)
	for _, line := range []string{"CapEff:\t0000000000000002", "CapBnd:\t0000000000000002",
		"NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, line) {
			t.Errorf("not in its status: %s\n%s", line, status)
		}
	}
	u.configure()
	u.sh("systemctl restart wpsd")
	u.until("the process that answers ends for lack of work", 30*time.Second, func() bool {
		return u.run("systemctl", "is-active", "wpsd-reply.service").stdout == "inactive\n"
	})
}

// testUnitSocketWhileItRuns: README's command for the global socket works whether wpsd runs or not,
// and again.
func testUnitSocketWhileItRuns(t *testing.T) {
	u := newUnit(t)
	defer u.sh("systemctl disable --now wpsd.socket")
	for round := range 2 {
		u.mustCall()
		if got := u.show("ActiveState"); got != "active" {
			t.Fatalf("round %d: wpsd is %s", round, got)
		}
		u.sh("systemctl enable --now wpsd.socket")
		if out := u.sh("timeout 60 wpa_cli -g /run/wpsd/global ping"); out != "PONG\n" {
			t.Errorf("round %d: %q", round, out)
		}
		u.becomes("ActiveState", "active", 20*time.Second)
		u.mustCall()
		u.sh("systemctl stop wpsd.socket")
	}
	// Where wpsd does not run it is not started either, before somebody asks.
	u.sh("systemctl stop wpsd.service && systemctl start wpsd.socket")
	if got := u.show("ActiveState"); got != "inactive" {
		t.Errorf("wpsd is %s before anybody asked", got)
	}
	if out := u.sh("timeout 60 wpa_cli -g /run/wpsd/global ping"); out != "PONG\n" {
		t.Errorf("the first command: %q", out)
	}
}

// testUnitHandsOver: NetworkManager has the station, and polkit lets wpsd's user ask for it.
func testUnitHandsOver(t *testing.T) {
	u := newUnit(t)
	u.must(os.RemoveAll("/etc/NetworkManager"))
	u.must(os.MkdirAll("/etc/NetworkManager/system-connections", 0o700))
	u.must(os.WriteFile("/etc/NetworkManager/NetworkManager.conf",
		[]byte("[main]\nplugins=keyfile\ndns=none\nno-auto-default=*\n"+
			"[keyfile]\nunmanaged-devices=*,except:interface-name:"+station+
			"\n[connectivity]\nenabled=false\n"), 0o644))
	_, fresh := u.home()
	u.sh("systemctl start NetworkManager")
	defer u.sh("systemctl stop NetworkManager wpa_supplicant")
	n := &networkManager{w: u.world}
	u.until("NetworkManager has the station", 60*time.Second, func() bool {
		return n.nmcli("-g", "GENERAL.STATE", "dev", "show", station).status == 0
	})
	n.mustNmcli("con", "add", "type", "wifi", "ifname", station, "con-name", oldSSID, "ssid",
		oldSSID, "wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", oldPassphrase,
		"ipv6.method", "disabled")
	n.connectedTo(oldSSID)
	fresh.mustOK("WPS_PBC")
	u.wpsctl(0, "-i", station, "pbc")
	n.connectedTo(testSSID)
	u.hasAddress(newAddress)
	if !n.knows(oldSSID, oldPassphrase) || !n.knows(testSSID, testPassphrase) {
		t.Errorf("NetworkManager does not know both networks: %+v, %+v", n.nmcli("con", "show"),
			n.nmcli("-s", "-g", "802-11-wireless-security.psk", "con", "show", testSSID))
	}
}

func testUnitReload(t *testing.T) {
	u := newUnit(t, "device_name=Before")
	u.mustCall()
	pid := u.show("MainPID")
	name := func() string {
		return u.sh("busctl get-property %s %s %s.Manager DeviceName", busName, rootPath, busName)
	}
	u.configure("device_name=After")
	u.sh("systemctl reload wpsd")
	u.until("the new name is there", 5*time.Second, func() bool {
		return name() == "s \"After\"\n"
	})
	// What the file does not say hostnamed does.
	u.sh("hostnamectl set-hostname --pretty 'The desk'; hostnamectl set-chassis tablet")
	u.configure("manufacturer=Ours")
	u.sh("systemctl reload wpsd")
	u.until("the machine's own name is there", 10*time.Second, func() bool {
		return name() == "s \"The desk\"\n"
	})
	about := u.sh("busctl get-property %s %s %s.Manager DeviceType Manufacturer", busName, rootPath,
		busName)
	if about != "s \"1-0050F204-9\"\ns \"Ours\"\n" {
		t.Errorf("it is %s", about)
	}
	u.configure("device_name=After")
	u.sh("systemctl reload wpsd")
	// A mistake makes the reload fail, and is told; wpsd goes on.
	u.configure("device_name=Other", "bogus=1")
	if r := u.run("systemctl", "reload", "wpsd"); r.status == 0 {
		t.Error("a wrong configuration was reloaded without complaint")
	}
	if got := u.sh("journalctl -b --no-pager -o cat -u wpsd.service"); !strings.Contains(got,
		"wpsd.conf:2: bogus: unknown key") {
		t.Errorf("the mistake is not in the journal:\n%s", tail(got, 5))
	}
	const mistake = "the new configuration was not taken, the old one counts: see /etc/wpsd/wpsd.conf:2, and the journal"
	u.becomes("StatusText", mistake, 5*time.Second)
	if got := name(); got != "s \"After\"\n" || u.show("MainPID") != pid {
		t.Errorf("after a wrong configuration: %s, process %s, was %s", got, u.show("MainPID"), pid)
	}
	u.sh("systemctl kill -s HUP --kill-whom=main wpsd") // wpsd's own look at it
	u.becomes("StatusText", "idle; "+mistake, 5*time.Second)
	u.configure("device_name=After")
	u.sh("systemctl reload wpsd")
	u.becomes("StatusText", "idle", 5*time.Second)
	// To start with it is the end, once.
	u.configure("bogus=1")
	u.sh("systemctl restart wpsd || true")
	time.Sleep(2500 * time.Millisecond)
	if got := u.show("ActiveState") + " " + u.show("ExecMainStatus") + " " +
		u.show("NRestarts"); got != "failed 78 0" {
		t.Errorf("started with a wrong configuration: %s", got)
	}
}

// testUnitKill kills wpsd in the middle of a run.
func testUnitKill(t *testing.T) {
	u := newUnit(t)
	u.keep("kept")
	u.startAP(ap{})
	c := u.start("wpsctl", "wpsctl", "-i", station, "pbc")
	u.until("wpsd has the session", 20*time.Second, func() bool {
		return strings.Contains(u.show("StatusText"), "enroll by pbc")
	})
	pid := u.show("MainPID")
	u.sh("systemctl kill --signal=KILL wpsd")
	u.becomes("NRestarts", "1", 10*time.Second)
	u.becomes("ActiveState", "active", 10*time.Second)
	if u.show("MainPID") == pid {
		t.Error("it is the same process")
	}
	select {
	case <-c.done:
	case <-time.After(patience(10 * time.Second)):
		t.Error("wpsctl waits for a session that is gone")
	}
	u.until("nothing is left of the run", 5*time.Second, func() bool {
		return !u.isAssociated(station)
	})
	u.mustCall()
	u.stillHas("kept")
}

// testUnitWatchdog holds the process: it does not answer any more, and systemd makes a new one.
func testUnitWatchdog(t *testing.T) {
	u := newUnit(t)
	// it is fed every 3 s, and a slow machine may be late by as much
	u.dropIn("WatchdogSec=6\nTimeoutAbortSec=2")
	u.mustCall()
	time.Sleep(7 * time.Second)
	if got := u.show("NRestarts"); got != "0" {
		t.Errorf("a wpsd that is well was restarted %s times", got)
	}
	u.sh("kill -STOP %s", u.show("MainPID"))
	u.becomes("NRestarts", "1", 20*time.Second)
	u.becomes("ActiveState", "active", 10*time.Second)
	u.mustCall()
}

func testUpgrades(t *testing.T) {
	u := newUnit(t)
	u.mustCall()
	u.keep("kept")
	before := u.sh("wpsctl status | head -n 1")
	u.sh("dpkg -i --force-confold %s", newPackage)
	u.becomes("ActiveState", "active", 10*time.Second)
	after := u.sh("wpsctl status | head -n 1")
	if before == after || !strings.Contains(after, "2.0-new") {
		t.Errorf("before the upgrade: %s, after it: %s", before, after)
	}
	u.stillHas("kept")
}

func testRemovesAndPurges(t *testing.T) {
	u := newUnit(t)
	u.keep("kept")
	u.sh("dpkg -r wpsd")
	if u.call().status == 0 {
		t.Error("wpsd answers after it was removed")
	}
	u.sh("[ -e /etc/wpsd/wpsd.conf ] && [ -d /var/lib/wpsd ]") // of value until the purge
	u.sh("dpkg -i %s", newPackage)
	u.mustCall()
	u.stillHas("kept")
	files := u.sh("dpkg -L wpsd | while read -r f; do [ -d $f ] || echo $f; done; echo /etc/wpsd; echo /var/lib/wpsd; echo /run/wpsd")
	u.sh("dpkg -P wpsd")
	left := u.sh("ls -d %s $(find /etc/systemd /etc/dbus-1 /var/lib/systemd /var/lib/dpkg/info -name '*wpsd*' -o -name '*fi.w1.wps*') 2>/dev/null || true",
		strings.ReplaceAll(files, "\n", " "))
	if left != "" {
		t.Errorf("left after the purge:\n%s", left)
	}
	if r := u.run("systemctl", "cat", "wpsd.service"); r.status == 0 {
		t.Error("the unit is still there")
	}
}

// testMakeInstall: after "make install" the first call starts wpsd, as a user who was not there
// before, and all that others read is where they look; after "make uninstall" nobody answers, and
// what was stored is still there.
func testMakeInstall(t *testing.T) {
	w := newQuietWorld(t)
	u := &unit{w}
	u.t.Cleanup(u.keepJournal)
	u.sh("sed -i '/^wpsd/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow; systemctl daemon-reload")
	if u.call().status == 0 {
		t.Fatal("wpsd answers before it is installed")
	}
	u.sh("cp -a /in/made/. /")
	if out := u.sh("/in/activate 2>&1"); !strings.Contains(out, "wpsctl pbc") {
		t.Errorf("it does not end with what to do:\n%s", out)
	}
	u.mustCall()
	got := u.sh("systemctl show -P FragmentPath wpsd.service; stat -c %%U /proc/$(systemctl show -P MainPID wpsd.service)")
	if got != "/usr/local/lib/systemd/system/wpsd.service\nwpsd\n" {
		t.Errorf("what runs is %s", got)
	}
	if got := u.run("wpsctl", "status"); !strings.Contains(got.stdout, "wpsd 3.0-made") {
		t.Errorf("wpsctl status: %s%s", got.stdout, got.stderr)
	}
	if got := u.sh("stat -c '%%a %%U %%G' /etc/wpsd/wpsd.conf"); got != "640 root wpsd\n" {
		t.Errorf("the configuration is %s", got)
	}
	if got := u.sh("NetworkManager --print-config"); !strings.Contains(got, "[device-wpsd]") {
		t.Errorf("NetworkManager does not read what is for it:\n%s", got)
	}
	u.keep("kept")
	// Installed again over what runs: the new one runs then, and has what was stored.
	before := u.show("MainPID")
	u.sh("cp -a --remove-destination /in/made/. /; /in/activate")
	u.mustCall()
	if u.show("MainPID") == before {
		t.Error("the old one still runs")
	}
	u.stillHas("kept")
	u.sh("/in/deactivate")
	if u.call().status == 0 {
		t.Error("wpsd answers after it was taken away")
	}
	left := u.sh("cd /in/made; find . -type f | while read -r f; do case $f in ./etc/*) ;; *) [ ! -e /$f ] || echo $f;; esac; done; find /etc/systemd /run -maxdepth 3 -name '*wpsd*' -not -path '/run/systemd/*'")
	if left != "" {
		t.Errorf("left:\n%s", left)
	}
	u.sh("[ -e /etc/wpsd/wpsd.conf ] && [ -d /var/lib/wpsd ]")
}
