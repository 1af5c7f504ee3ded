//go:build applet

package applet

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/atspi"
)

// panelConfig is a panel of Xfce's with nothing in it but icons.
const panelConfig = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
`

// startPanel starts Xfce's panel, which is a host of StatusNotifierItems.
func (d *desktop) startPanel() {
	d.T.Helper()
	dir := filepath.Join(d.dir, ".config/xfce4/xfconf/xfce-perchannel-xml")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		d.T.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "xfce4-panel.xml"), []byte(panelConfig),
		0o600); err != nil {
		d.T.Fatal(err)
	}
	panel := exec.Command("xfce4-panel", "--disable-wm-check")
	panel.Env = append(d.env, "G_DEBUG=") // its warnings are its own
	if err := start(panel, filepath.Join(d.dir, "panel.log")); err != nil {
		d.T.Fatal(err)
	}
	d.T.Cleanup(func() { stop(panel) })
}

// The applet in the background has an icon in a real panel, and a click on it opens the window. What
// a plugin of the panel's shows is in no accessibility tree: it is clicked on from left to right.
func TestIconInAPanel(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--background"}})
	d.startPanel()
	d.panelHas("/StatusNotifierItem")
	d.picture("icon")
	const first, step, width = 4, 8, 120
	x := first
	d.Until("to see the window", func(list []*atspi.Node) bool {
		if atspi.Shows(list, "Join a Network") {
			return true
		}
		d.ClickAt(x, 16)
		if x += step; x > width {
			x = first
		}
		return false
	})
	d.See("Join a Network")
}

// panelHas waits until the panel has taken an item.
func (d *desktop) panelHas(item string) {
	d.T.Helper()
	conn, err := godbus.Connect(d.session.Address)
	if err != nil {
		d.T.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const watcher = "org.kde.StatusNotifierWatcher"
	for end := time.Now().Add(atspi.Patience); ; time.Sleep(100 * time.Millisecond) {
		v, err := conn.Object(watcher, "/StatusNotifierWatcher").GetProperty(
			watcher + ".RegisteredStatusNotifierItems")
		if list, _ := v.Value().([]string); len(list) == 1 && strings.HasSuffix(list[0], item) {
			return
		}
		if time.Now().After(end) {
			d.T.Fatalf("the panel has %v: %v", v, err)
		}
	}
}
