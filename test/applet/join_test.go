//go:build applet

package applet

import (
	"regexp"
	"strings"
	"testing"
)

func TestJoinByButton(t *testing.T) {
	d := newDesktop(t, setting{})
	d.See("Join a Network")
	d.picture("join")
	d.Click("Start")
	d.See("Press the Button on Your Router")
	d.picture("join-wait")
	d.See("Received Sim Home")
	d.Click("Show the password")
	d.See("correct horse battery")
	d.Click("Copy the password")
	d.See("The password was copied.")
	d.copied("correct horse battery")
	d.Click("Hide the password")
	d.Gone("correct horse battery")
	d.picture("join-done")
	d.Click("Done")
	d.See("Join a Network")
}

func TestJoinByPIN(t *testing.T) {
	d := newDesktop(t, setting{})
	d.Click("Use a PIN Instead")
	d.See("Type This PIN Into Your Router")
	d.picture("join-pin")
	pin := strings.ReplaceAll(d.Read(regexp.MustCompile(`^\d{4} \d{4}$`)), " ", "")
	d.Click("Copy the PIN")
	d.See("The PIN was copied.")
	d.copied(pin)
	d.Click("Cancel")
	d.Click("My Device Has a Label")
	d.Write("PIN, eight digits", "12345678")
	d.Click("Continue")
	d.See("The last digit does not fit the others")
	d.picture("join-label")
	d.Write("PIN, eight digits", "1234-5670")
	d.Click("Continue")
	d.See("Received Sim Label")
}

func TestTwoButtonsAreAChoice(t *testing.T) {
	d := newDesktop(t, setting{env: dark})
	d.See("Join a Network")
	d.command("overlap")
	d.Click("Start")
	d.See("Two Buttons Are Pressed")
	d.picture("join-choose")
	d.Click("Sim Overlap 2")
	d.See("Received Sim Overlap 2")
}

// Another program has the adapter: its setup is ended, and this one begins.
func TestAnotherSetupIsEnded(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--page", "networks"}})
	d.See("No Network Is Stored")
	d.ctl("pbc", "--detach", "02:5a:00:00:02:00")
	d.Turn("Join")
	d.Click("Start")
	d.See("Another Setup Is Running")
	d.picture("join-busy")
	d.Click("End It and Start")
	d.See("Received Sim Home")
}

// Of two adapters the one that was chosen is used.
func TestAdapterIsChosen(t *testing.T) {
	d := newDesktop(t, setting{noService: true})
	s := newService(t, d.system.Address, "yes")
	s.next("no-access-point", "")
	d.See("Join a Network")
	s.plugIn("wlan2")
	d.See("Wi-Fi adapter")
	d.picture("join-adapters")
	d.Choose("Wi-Fi adapter", "wlan2", 1)
	d.Click("Start")
	d.See("Wi-Fi Is Switched Off")
	d.Click("Back")
	d.Choose("Wi-Fi adapter", "wlan0", 0)
	d.Click("Start")
	d.See("No Router Found")
}

func TestServiceComesAndGoes(t *testing.T) {
	d := newDesktop(t, setting{noService: true})
	d.See("The Service Is Not Installed")
	d.picture("state-not-installed")
	d.startService()
	d.See("Join a Network")
	d.command("off Sim Home") // so that the session waits
	d.Click("Start")
	d.See("Press the Button on Your Router")
	d.killService()
	d.Click("Start the Service") // which nobody does on this bus
	d.See("The Service Is Not")
	d.startService()
	d.See("The Service Was Restarted")
	d.picture("join-restarted")
	d.Click("Try Again")
	d.See("Press the Button on Your Router")
	d.Click("Cancel")
	d.See("Join a Network")
	if err := d.system.Restart(); err != nil {
		t.Fatal(err)
	}
	d.See("No System Bus")
	d.picture("state-no-bus")
	d.startService()
	d.See("Join a Network")
}

func TestRadioOffAndOn(t *testing.T) {
	d := newDesktop(t, setting{})
	d.See("Join a Network")
	d.command("block sim0")
	d.Click("Start")
	d.See("Wi-Fi Is Switched Off")
	d.picture("join-radio")
	d.Click("Back")
	d.command("unblock sim0")
	d.See("Join a Network")
	d.command("block sim0")
	d.Click("Start")
	d.switchesOn(func() { d.Click("Switch Wi-Fi On") }, func() { d.command("unblock sim0") })
	d.See("Received Sim Home") // it has begun anew by itself
	d.Click("Done")
	d.command("unplug sim0")
	d.See("No Wi-Fi Adapter")
	d.picture("state-no-adapter")
}

// Who clicks on a notification joins, whatever became of the last try is still shown.
func TestJoinAskedOfTheWindow(t *testing.T) {
	d := newDesktop(t, setting{})
	d.Click("Start")
	d.See("Received Sim Home")
	d.command("off Sim Home")
	d.startApplet("--join", "02:00:00:00:00:99")
	d.See("Press the Button on Your Router")
}
