//go:build hwsim

package hwsim

import (
	"errors"
	"strings"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/testbus"
)

// Where a desktop shows notifications (Desktop Notifications Specification 1.2).
const (
	notifyName = "org.freedesktop.Notifications"
	notifyPath = godbus.ObjectPath("/org/freedesktop/Notifications")
)

// shell is the part of a desktop that shows notifications, and is clicked on.
type shell struct {
	w    *world
	conn *godbus.Conn

	mu    sync.Mutex
	last  uint32
	shown map[uint32]string // titles of those that are shown
}

// startShell puts one on the session bus.
func (w *world) startShell(session *testbus.Bus) *shell {
	w.t.Helper()
	conn, err := godbus.Connect(session.Address)
	w.must(err)
	w.t.Cleanup(func() { _ = conn.Close() })
	s := &shell{w: w, conn: conn, shown: map[uint32]string{}}
	w.must(conn.ExportMethodTable(map[string]any{"Notify": s.notify,
		"CloseNotification": s.remove}, notifyPath, notifyName))
	_, err = conn.RequestName(notifyName, godbus.NameFlagDoNotQueue)
	w.must(err)
	return s
}

func (s *shell) notify(_ string, _ uint32, _, title, _ string, _ []string,
	_ map[string]godbus.Variant, _ int32) (uint32, *godbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.shown[s.last] = title
	return s.last, nil
}

func (s *shell) remove(id uint32) *godbus.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.shown, id)
	return nil
}

// shows tells which notification has this title; 0: none.
func (s *shell) shows(title string) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, text := range s.shown {
		if strings.Contains(text, title) {
			return id
		}
	}
	return 0
}

// sees waits for a notification; meanwhile something is done again and again.
func (s *shell) sees(title string, meanwhile func()) (id uint32) {
	s.w.t.Helper()
	s.w.until("the notification "+title, 2*time.Minute, func() bool {
		if id = s.shows(title); id == 0 && meanwhile != nil {
			meanwhile()
		}
		return id != 0
	})
	return id
}

// gone waits until a notification is not shown any more.
func (s *shell) gone(title string) {
	s.w.t.Helper()
	s.w.until("no notification "+title, time.Minute, func() bool { return s.shows(title) == 0 })
}

// click clicks on a button of a notification, and waits for the effect. It clicks again in the end:
// who gets the notification's number may not know it as soon as we do.
func (s *shell) click(id uint32, action, what string, done func() bool) {
	s.w.t.Helper()
	var next time.Time
	s.w.until(what, time.Minute, func() bool {
		if time.Now().After(next) {
			s.w.must(s.conn.Emit(notifyPath, notifyName+".ActionInvoked", id, action))
			next = time.Now().Add(20 * time.Second)
		}
		return done()
	})
}

// staysBehind is the applet in the background, with NetworkManager as it is: it answers where a key
// is missing, and says when a button is pressed nearby.
func (f *face) staysBehind() {
	t := f.w.t
	t.Helper()
	t.Log("in the background: NetworkManager lacks a key")
	f.nm.mustNmcli("con", "delete", testSSID)
	f.w.startSeat()
	background := f.w.start("wps-applet-background", "/in/wps-applet", "--background", "--verbose")
	background.waitLog("event=registered", time.Minute)
	f.nm.keyless(testSSID, "disabled")
	up := f.nm.up(testSSID)
	f.shell.sees("Press the WPS button of "+testSSID, nil)
	f.home.mustOK("WPS_PBC")
	f.nm.connectedTo(testSSID)
	<-up.done
	f.shell.gone("Press the WPS button of " + testSSID)
	if !f.nm.knows(testSSID, testPassphrase) {
		t.Error("NetworkManager has not kept the key")
	}

	t.Log("in the background: a button is pressed nearby, and nobody is in a network")
	f.nm.mustNmcli("con", "delete", testSSID)
	f.home.mustOK("WPS_PBC")
	// Nobody scans for us: what NetworkManager hears is enough.
	id := f.shell.sees("Join "+testSSID+"?", func() {
		_ = f.nm.nmcli("dev", "wifi", "rescan", "ifname", station)
		time.Sleep(time.Second)
	})
	f.shell.click(id, "join", "the applet joins", func() bool {
		return f.nm.nmcli("con", "show", testSSID).status == 0
	})
	f.isConnected()
}

// connectsAgain has NetworkManager connect to a network that wpsd has stored.
func (f *face) connectsAgain() {
	f.w.t.Helper()
	f.w.t.Log("a stored network is connected to")
	f.nm.mustNmcli("con", "delete", testSSID)
	f.Turn("Networks")
	f.Click(testSSID)
	f.Click("Connect")
	f.nm.connectedTo(testSSID)
	f.w.hasAddress(newAddress)
	f.Turn("Join")
}

// letsIn lets a device in at NetworkManager's hotspot, which is made while the page is open for
// which wpsd scans.
func (f *face) letsIn() {
	f.w.t.Helper()
	f.w.t.Log("a device is let in at NetworkManager's hotspot")
	f.nm.mustNmcli("-w", "40", "dev", "wifi", "hotspot", "ifname", station, "con-name", "hotspot",
		"ssid", "Hot", "band", "bg", "channel", "6", "password", "hot potato 12")
	device := f.w.startSupplicant("wlan3")
	f.Turn("Hotspot")
	f.Click("Press the Hotspot's Button")
	f.See("Press the Button of the Device")
	mark := device.mark()
	device.mustOK("WPS_PBC")
	f.See("The Device Is In")
	device.joins(mark, time.Minute)
	f.Click("Done")

	device.mustOK("REMOVE_NETWORK all")
	mark = device.mark()
	device.ask("WPS_PIN any %s", otherPIN)
	f.Click("Enter the Device's PIN")
	f.Write("PIN, eight digits", otherPIN)
	f.Click("Continue")
	f.See("The Device Is In")
	device.joins(mark, time.Minute)
	f.Click("Done")
}

// startSeat is logind where somebody sits at the screen: no question is put to an empty room.
func (w *world) startSeat() {
	w.t.Helper()
	const (
		login   = "org.freedesktop.login1"
		user    = godbus.ObjectPath("/org/freedesktop/login1/user/self")
		session = godbus.ObjectPath("/org/freedesktop/login1/session/c1")
	)
	type named struct {
		ID   string
		Path godbus.ObjectPath
	}
	conn := w.connect().conn
	for path, all := range map[godbus.ObjectPath]map[string]any{
		user: {"Sessions": []named{{"c1", session}}},
		session: {"Active": true,
			"Seat": named{"seat0", "/org/freedesktop/login1/seat/seat0"}},
	} {
		get := func(_, name string) (godbus.Variant, *godbus.Error) {
			if v, ok := all[name]; ok {
				return godbus.MakeVariant(v), nil
			}
			return godbus.Variant{}, godbus.MakeFailedError(errors.New("no such property"))
		}
		w.must(conn.ExportMethodTable(map[string]any{"Get": get}, path,
			"org.freedesktop.DBus.Properties"))
	}
	_, err := conn.RequestName(login, godbus.NameFlagDoNotQueue)
	w.must(err)
}
