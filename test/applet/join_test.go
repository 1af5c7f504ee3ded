//go:build applet

package applet

import "testing"

func TestJoinByButton(t *testing.T) {
	d := newDesktop(t, setting{})
	d.see("Join a Network")
	d.picture("join")
	d.click("Start")
	d.see("Press the Button on Your Router")
	d.picture("join-wait")
	d.see("Received Sim Home")
	d.click("Show the password")
	d.see("correct horse battery")
	d.picture("join-done")
	d.click("Done")
	d.see("Join a Network")
}
