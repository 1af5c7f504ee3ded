//go:build hwsim

package hwsim

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	ossignal "os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// changeBus makes another program the system's bus, with nobody on it but who comes back: systemd
// at once, the others when they are called. It gives the first one back at the end of the scenario.
func (u *unit) changeBus(service string) {
	u.t.Helper()
	const alias = "/etc/systemd/system/dbus.service"
	change := func(link string) {
		u.sh("systemctl stop wpsd wpsd-upnp.service polkit; systemctl stop dbus.socket dbus.service; "+
			"%s; systemctl daemon-reload; systemctl start dbus.socket dbus.service", link)
		u.until("systemd is on the bus", 30*time.Second, func() bool {
			return u.run("busctl", "status", "org.freedesktop.systemd1").status == 0
		})
	}
	change("ln -sfn /lib/systemd/system/" + service + " " + alias)
	u.t.Cleanup(func() { change("rm " + alias) })
	if got := strings.TrimSpace(u.sh("systemctl show -P Id dbus.service")); got != service {
		u.t.Fatalf("the bus is %s", got)
	}
}

// testUnitBroker: dbus-broker is the bus, which Fedora and Arch Linux have. It reads the same
// policy, and has systemd start wpsd at a call, again and again; it starts no program itself.
func testUnitBroker(t *testing.T) {
	if _, err := os.Stat("/usr/bin/dbus-broker-launch"); err != nil {
		t.Fatal(err)
	}
	u := newUnit(t, "idle_exit=1")
	u.quota()
	u.changeBus("dbus-broker.service")
	u.mustCall()
	u.becomes("ActiveState", "inactive", 20*time.Second)
	if got := u.show("Result") + " " + u.show("NRestarts"); got != "success 0" {
		t.Errorf("the end: %s", got)
	}

	const driver = "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus "
	u.as(farUser, 1, driver+"RequestName su fi.w1.wps 0")
	u.as(farUser, 0, "wpsctl status")
	u.as(farUser, 4, "wpsctl -i "+station+" pbc")

	a := u.startAP(ap{})
	a.mustOK("WPS_PBC")
	out := u.wpsctl(0, "-i", station, "pbc", "--show-key")
	if !strings.Contains(out, testSSID) || !strings.Contains(out, testPassphrase) {
		t.Errorf("wpsctl pbc:\n%s", out)
	}
	a.wait(0, "WPS-REG-SUCCESS "+u.mac(station), 5*time.Second)
	u.stillHas(testSSID)
	u.quotaIsTheUsersOwn()
	if got := u.show("Result") + " " + u.show("NRestarts"); got != "success 0" {
		t.Errorf("after a session: %s", got)
	}
}

// smallQuota is what all connections of a user together may have waiting, in bytes: dbus-broker
// gives a user max_outgoing_bytes for each of max_connections_per_user (launcher.c of version 33
// and others; 512 MiB if nothing is said).
const smallQuota = 16 * 128 << 10

// quota makes a user's quota small until the end of the scenario: the next bus has it.
func (u *unit) quota() {
	const file = "/etc/dbus-1/system.d/hwsim-quota.conf"
	u.must(os.WriteFile(file, fmt.Appendf(nil, `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <limit name="max_outgoing_bytes">%d</limit>
  <limit name="max_connections_per_user">16</limit>
</busconfig>
`, smallQuota/16), 0o644))
	u.t.Cleanup(func() { u.must(os.Remove(file)) })
}

// quotaIsTheUsersOwn: a user asks wpsd without end and reads no answer. What waits for him is in
// his quota, not in wpsd's: once that is used up dbus-broker ends his connection, and meanwhile
// and afterwards wpsd answers everybody else.
func (u *unit) quotaIsTheUsersOwn() {
	u.t.Helper()
	u.configure("idle_exit=0")
	u.sh("systemctl restart wpsd")
	u.mustCall()
	pid := u.show("MainPID")
	u.sh("id %[1]s > /dev/null 2>&1 || useradd -m %[1]s", farUser)
	program, err := os.Executable()
	u.must(err)
	p := u.start("asks-and-never-reads", "setpriv", "--reuid", farUser, "--regid", farUser,
		"--init-groups", "env", askWithoutReading+"=1", program)
	u.until("dbus-broker has enough of it", time.Minute, func() bool {
		u.mustCall()
		return strings.Contains(u.sh("journalctl -b --no-pager -o cat -u dbus-broker.service"),
			"is being disconnected as it does not have the resources to receive a reply")
	})
	p.signal(syscall.SIGTERM) // now it reads
	u.until("who never read has come to an end", time.Minute, func() bool {
		u.mustCall()
		return !p.running()
	})
	if said := p.output(); !strings.Contains(said, "the bus has ended the connection after") {
		u.t.Errorf("who never reads: %s", said)
	}
	u.as(farUser, 0, "wpsctl status") // it is his again
	if got := u.show("MainPID") + " " + u.show("NRestarts"); got != pid+" 0" {
		u.t.Errorf("wpsd is process %s now, it was %s", got, pid)
	}
}

// askWithoutReading is set in the process that asks and does not read.
const askWithoutReading = "WPSD_HWSIM_ASK_WITHOUT_READING"

// neverReads asks wpsd for all its objects, again and again, and looks only then whether the bus
// has ended the connection.
func neverReads() string {
	conn, err := net.Dial("unix", "/run/dbus/system_bus_socket")
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Getuid())))
	if _, err := fmt.Fprintf(conn, "\x00AUTH EXTERNAL %s\r\n", uid); err != nil {
		return err.Error()
	}
	said := make([]byte, 200)
	if n, err := conn.Read(said); err != nil || !bytes.HasPrefix(said, []byte("OK ")) {
		return fmt.Sprintf("the bus lets nobody in: %q, %v", said[:n], err)
	}
	if _, err := fmt.Fprint(conn, "BEGIN\r\n"); err != nil {
		return err.Error()
	}
	told := make(chan os.Signal, 1)
	ossignal.Notify(told, syscall.SIGTERM)
	// More than the quota, if each answer has 500 bytes.
	for n := range smallQuota / 500 {
		to, path, method := busName, rootPath, "GetManagedObjects"
		iface := "org.freedesktop.DBus.ObjectManager"
		if n == 0 {
			to, path, method = "org.freedesktop.DBus", "/org/freedesktop/DBus", "Hello"
			iface = to
		}
		var call bytes.Buffer
		m := godbus.Message{Type: godbus.TypeMethodCall,
			Headers: map[godbus.HeaderField]godbus.Variant{
				godbus.FieldDestination: godbus.MakeVariant(to),
				godbus.FieldPath:        godbus.MakeVariant(path),
				godbus.FieldInterface:   godbus.MakeVariant(iface),
				godbus.FieldMember:      godbus.MakeVariant(method),
			}}
		if err := m.EncodeTo(&call, binary.LittleEndian); err != nil {
			return err.Error()
		}
		// its serial, which the library gives it only as it sends
		binary.LittleEndian.PutUint32(call.Bytes()[8:], uint32(n+1))
		if _, err := conn.Write(call.Bytes()); err != nil {
			break // it is ended already
		}
	}
	// What the bus had in its hands before comes first, and then an end.
	<-told
	n, err := io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Sprintf("the bus has not ended the connection after %d bytes", n)
	}
	return fmt.Sprintf("the bus has ended the connection after %d bytes: %v", n, err)
}
