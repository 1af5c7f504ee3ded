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
	d.click("Hide the password")
	d.gone("correct horse battery")
	d.picture("join-done")
	d.click("Done")
	d.see("Join a Network")
}

func TestJoinByPIN(t *testing.T) {
	d := newDesktop(t, setting{})
	d.click("Use a PIN Instead")
	d.see("Type This PIN Into Your Router")
	d.picture("join-pin")
	d.click("Cancel")
	d.click("My Device Has a Label")
	d.write("PIN, eight digits", "12345678")
	d.click("Continue")
	d.see("The last digit does not fit the others")
	d.picture("join-label")
	d.write("PIN, eight digits", "1234-5670")
	d.click("Continue")
	d.see("Received Sim Label")
}

func TestTwoButtonsAreAChoice(t *testing.T) {
	d := newDesktop(t, setting{})
	d.see("Join a Network")
	d.command("overlap")
	d.click("Start")
	d.see("Two Buttons Are Pressed")
	d.picture("join-choose")
	d.click("Sim Overlap 2")
	d.see("Received Sim Overlap 2")
}

func TestServiceComesAndGoes(t *testing.T) {
	d := newDesktop(t, setting{noService: true})
	d.see("The Service Is Not Installed")
	d.picture("state-not-installed")
	d.startService()
	d.see("Join a Network")
	d.command("off Sim Home") // so that the session waits
	d.click("Start")
	d.see("Press the Button on Your Router")
	d.killService()
	d.see("The Service Is Not")
	d.startService()
	d.see("The Service Was Restarted")
	d.picture("join-restarted")
	d.click("Try Again")
	d.see("Press the Button on Your Router")
	d.click("Cancel")
	d.see("Join a Network")
	if err := d.system.Restart(); err != nil {
		t.Fatal(err)
	}
	d.see("No System Bus")
	d.picture("state-no-bus")
	d.startService()
	d.see("Join a Network")
}

func TestRadioOffAndOn(t *testing.T) {
	d := newDesktop(t, setting{})
	d.see("Join a Network")
	d.command("block sim0")
	d.click("Start")
	d.see("Wi-Fi Is Switched Off")
	d.picture("join-radio")
	d.click("Back")
	d.command("unblock sim0")
	d.see("Join a Network")
	d.command("unplug sim0")
	d.see("No Wi-Fi Adapter")
	d.picture("state-no-adapter")
}
