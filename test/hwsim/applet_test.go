//go:build hwsim

package hwsim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wpsd/test/atspi"
	"wpsd/test/testbus"
)

// The second access point of TestApplet.
const (
	nextSSID       = "wpsd-next-door"
	nextPassphrase = "somebody else's"
)

// face is a computer with a desktop: NetworkManager has its radio, and the applet is open on a
// screen of its own. What is on that screen is read as those read it who cannot see it.
type face struct {
	*atspi.Tree
	*daemon
	w          *world
	nm         *networkManager
	shell      *shell
	home, next *hostapd
}

// TestApplet: whoever has nothing but the applet gets into a network by button and by PIN, chooses
// between two routers, reads a router's settings, and is told what happened when wpsd is killed; is
// asked by the applet in the background, and lets a device in at his own hotspot. Another
// user is told that polkit does not allow it. The peers are the real ones.
func TestApplet(t *testing.T) {
	if _, err := os.Stat("/in/wps-applet"); err != nil {
		t.Skip("needs the applet: run test/hwsim/run --applet")
	}
	w := newWorld(t)
	f := w.furnish()
	f.chooses()
	f.joinsByPIN()
	f.learns()
	f.outlives()
	f.isRefused()
	f.staysBehind()
	f.connectsAgain()
	f.letsIn()
	w.owesNothing()
}

// furnish starts everybody.
func (w *world) furnish() *face {
	w.t.Helper()
	f := &face{w: w, home: w.startAP(withAPPIN(ap{}))}
	f.next = w.startAP(ap{radio: "wlan2", channel: 6, ssid: nextSSID, passphrase: nextPassphrase})
	w.serveAddresses(f.home, newAddress)
	w.startBus()
	f.nm = w.startNetworkManager()
	f.daemon = w.startDaemonAgain()
	home := filepath.Join(w.dir, "home")
	w.must(os.Mkdir(home, 0o700))
	for name, value := range map[string]string{"HOME": home, "XDG_RUNTIME_DIR": home,
		"DISPLAY": ":7", "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo", "LC_ALL": "C.UTF-8",
		"GSETTINGS_BACKEND": "memory", "GTK_USE_PORTAL": "0", "ADW_DISABLE_PORTAL": "1",
		"G_DEBUG": "fatal-criticals"} {
		w.t.Setenv(name, value)
	}
	session, err := testbus.Start()
	w.must(err)
	w.t.Cleanup(func() { _ = session.Close() })
	w.t.Setenv("DBUS_SESSION_BUS_ADDRESS", session.Address)
	w.start("Xvfb", "Xvfb", ":7", "-screen", "0", "820x660x24", "-nolisten", "tcp", "-noreset",
		"-ac") // other users show windows there, too
	w.until("the X server is there", time.Minute, func() bool {
		_, err := os.Stat("/tmp/.X11-unix/X7")
		return err == nil
	})
	f.shell = w.startShell(session)
	f.Tree = atspi.Open(w.t, session.Address)
	f.Settle = 300 * time.Millisecond // to wait is free in virtual time, to look takes a second
	w.start("wps-applet", "/in/wps-applet", "--verbose")
	f.See("Join a Network")
	return f
}

// chooses presses the buttons of two routers at once: the applet asks which one is meant.
func (f *face) chooses() {
	f.w.t.Helper()
	f.w.t.Log("two buttons are pressed, and one router is chosen")
	f.home.mustOK("WPS_PBC")
	f.next.mustOK("WPS_PBC")
	f.Click("Start")
	f.See("Two Buttons Are Pressed")
	f.See(nextSSID)
	f.Click(testSSID)
	f.isConnected()
	f.next.mustOK("WPS_CANCEL")
}

// isConnected waits until the applet says so, and NetworkManager too.
func (f *face) isConnected() {
	f.w.t.Helper()
	f.See("Connected to " + testSSID)
	f.See("NetworkManager has the connection")
	f.nm.connectedTo(testSSID)
	f.w.hasAddress(newAddress)
	if !f.nm.knows(testSSID, testPassphrase) {
		f.w.t.Error("NetworkManager has not got the key")
	}
	f.Click("Done")
	f.See("Join a Network")
}

// joinsByPIN types the PIN that the applet shows into the router.
func (f *face) joinsByPIN() {
	f.w.t.Helper()
	f.w.t.Log("by PIN")
	f.nm.mustNmcli("con", "delete", testSSID)
	f.Click("Use a PIN Instead")
	f.See("Type This PIN Into Your Router")
	pin := strings.ReplaceAll(f.Read(regexp.MustCompile(`^\d{4} \d{4}$`)), " ", "")
	f.home.ask("WPS_PIN any %s", pin)
	f.isConnected()
}

// learns reads the settings of the router that the computer is connected to. It is connected again
// when that is over.
func (f *face) learns() {
	f.w.t.Helper()
	f.w.t.Log("a router's settings are read")
	f.Turn("Routers")
	f.Click(testSSID)
	f.Click("Read Its Settings")
	f.Write("PIN, eight digits", otherPIN)
	f.Click("Continue")
	f.See("The Router Has Another PIN")
	f.Click("Enter the PIN Again")
	f.Write("PIN, eight digits", labelPIN)
	f.Click("Continue")
	f.See("These Are Its Settings")
	f.Click("Show the password")
	f.See(testPassphrase)
	f.Click("Done")
	f.nm.connectedTo(testSSID)
	f.Turn("Join")
}

// outlives has wpsd killed while the applet waits for a router's button.
func (f *face) outlives() {
	f.w.t.Helper()
	f.w.t.Log("wpsd is killed in the middle")
	f.Click("Start")
	f.See("Press the Button on Your Router")
	f.daemon.kill()
	f.See("The Service Is Not")
	f.w.restore()
	f.daemon = f.w.startDaemonAgain()
	f.See("The Service Was Restarted")
	f.home.mustOK("WPS_PBC")
	f.Click("Try Again")
	f.isConnected()
}
