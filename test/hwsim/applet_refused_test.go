//go:build hwsim

package hwsim

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wpsd/test/atspi"
)

// userBus is the configuration of a user's session bus that root may join, who drives the user's
// programs by it; dbus-daemon's own lets in nobody but the user.
const userBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <standard_session_servicedirs/>
  <policy context="default">
    <allow user="root"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// The answers of polkit for the user mail, as a line of an administrator's rules. The second one
// tells whoever asks in advance that all is allowed, and refuses the call itself.
const (
	mailMayNothing  = `case "mail": return polkit.Result.NO;`
	mailMayNotStart = `case "mail": return action.lookup("method") == "StartPbc" ? polkit.Result.NO : polkit.Result.YES;`
	mailMay         = `case "mail": return polkit.Result.YES;`
)

// rule changes what the administrator's rules say about the user mail; polkitd notices.
func (f *face) rule(line string) {
	f.w.t.Helper()
	if !strings.Contains(polkitRules, mailMayNothing) {
		f.w.t.Fatal("the rules say nothing about mail")
	}
	f.w.must(os.WriteFile("/etc/polkit-1/rules.d/10-scenario.rules",
		[]byte(strings.Replace(polkitRules, mailMayNothing, line, 1)), 0o644))
}

// startAs starts a program of a user's, in his own session.
func (f *face) startAs(uid uint32, env []string, name string, command ...string) *process {
	f.w.t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return f.w.startCmd(name, cmd)
}

// isRefused is the applet of a user to whom the real polkitd says no: in advance, or when the call
// is made. As soon as an administrator's rule allows it, the user joins.
func (f *face) isRefused() {
	t := f.w.t
	t.Helper()
	t.Log("a user to whom polkit says no, and then yes")
	const home = "/tmp/mail"
	f.w.must(os.Mkdir(home, 0o700))
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	f.w.must(os.Chown(home, uidMail, uidMail))
	socket, config := filepath.Join(home, "bus"), filepath.Join(home, "bus.conf")
	f.w.must(os.WriteFile(config, []byte(strings.Replace(userBus, "SOCKET", socket, 1)), 0o644))
	address := "unix:path=" + socket
	env := []string{"HOME=" + home, "XDG_RUNTIME_DIR=" + home, "DBUS_SESSION_BUS_ADDRESS=" + address}
	f.startAs(uidMail, env, "bus-of-mail", "dbus-daemon", "--nofork", "--nopidfile",
		"--config-file", config)
	f.w.until("the user's bus is there", time.Minute, func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
	user := atspi.Open(t, address)
	user.Settle = f.Settle
	applet := f.startAs(uidMail, env, "wps-applet-of-mail", "/in/wps-applet", "--verbose")
	user.See("Not Allowed")
	user.See("You may not join networks on this computer")

	f.nm.mustNmcli("con", "delete", testSSID)
	f.rule(mailMayNotStart)
	user.Click("Start")
	user.See("Not Allowed")
	user.Click("Back")

	// The page shows when polkitd has read its rules; that the call alone is allowed, nothing shows.
	f.rule(mailMayNothing)
	user.See("You may not join networks on this computer")
	f.rule(mailMay)
	f.home.mustOK("WPS_PBC")
	user.Click("Start")
	user.See("Connected to " + testSSID)
	f.nm.connectedTo(testSSID)
	f.w.hasAddress(newAddress)
	user.Click("Done")
	f.rule(mailMayNothing)
	user.See("You may not join networks on this computer")
	applet.stop()
}
