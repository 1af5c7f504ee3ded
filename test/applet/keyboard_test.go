//go:build applet

package applet

import (
	"testing"

	"wpsd/test/atspi"
)

// A network is joined, by button and by label, and every page used, with the keyboard alone.
func TestKeyboardAlone(t *testing.T) {
	d := newDesktop(t, setting{})
	d.command("hotspot ap0 Sim New")
	d.See("Join a Network")
	d.TakeKeys(400, 400)
	d.EverythingByKeys()
	d.into("Join")
	d.Press("My Device Has a Label")
	d.See("PIN, eight digits") // and has the keyboard, which GTK 4.8 tells nobody
	d.Type("12345670")
	d.Press("Continue")
	d.See("Received Sim Label")
	d.Press("Done")
	d.into("Join")
	d.Press("Start")
	d.See("Received Sim Home")
	d.into("Join")
	d.Press("Show the password")
	d.See("correct horse battery")
	d.Press("Done")
	for _, page := range []struct{ name, shows string }{
		{"Routers", "Sim Label"},
		{"Devices", "Let a Device In"},
		{"Hotspot", "Press the Hotspot's Button"},
		{"NFC", "This Computer's Tag"},
		{"Networks", "Received by button"},
	} {
		d.into(page.name)
		d.See(page.shows)
		d.EverythingByKeys()
	}
}

// into goes into a page: Enter leads there from its row, where Tab leads to the next row.
func (d *desktop) into(page string) {
	d.T.Helper()
	d.Row(page)
	d.Key(atspi.KeyEnter)
}
