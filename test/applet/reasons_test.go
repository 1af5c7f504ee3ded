//go:build applet

package applet

import (
	"strings"
	"testing"
)

// Each reason for which a session ends is a page with what happened and one thing to do, and a way
// back. The titles are the applet's; that none is forgotten is a test of its own. The window
// is a phone's: texts that have room there have it everywhere.
func TestEveryReason(t *testing.T) {
	d := newDesktop(t, setting{noService: true, args: narrow, size: "360x720"})
	s := newService(t, d.system.Address, "yes")
	for _, tt := range []struct{ reason, title, action string }{
		{"pbc-overlap", "Two Buttons Are Pressed", "Try Again"}, // it names none here
		{"walk-time-expired", "Nobody Pressed", "Try Again"},
		{"no-access-point", "No Router Found", "Try Again"},
		{"setup-locked", "The Router Has Locked WPS", "Try Again"},
		{"wrong-pin-first-half", "The First Half of the PIN Is Wrong", "Try Again"},
		{"wrong-pin-second-half", "The Second Half of the PIN Is Wrong", "Try Again"},
		{"registrar-busy", "The Router Does Not Expect This Device Yet", "Try Again"},
		{"no-credential", "The Router Gave No Network", "Try Again"},
		{"bad-credential", "The Network Cannot Be Used", "Show the Routers"},
		{"wpa3-only", "The Network Takes WPA3 Only", "Show the Routers"},
		{"band-without-wps", "No WPS in This Band", "Show the Routers"},
		{"hidden-network", "The Network Hides Its Name", "Show the Routers"},
		{"radio-blocked", "Wi-Fi Is Switched Off", "Switch Wi-Fi On"},
		{"interface-busy", "The Adapter Is in Use", "Try Again"},
		{"interface-gone", "The Adapter Is Gone", "Try Again"},
		{"association-failed", "The Router Did Not Let This Device In", "Try Again"},
		{"link-lost", "The Connection Broke Off", "Try Again"},
		{"message-timeout", "The Router Stopped Answering", "Try Again"},
		{"protocol-error", "The Router Did Not Keep to the Rules", "Try Again"},
		{"rejected", "The Router Refused", "Try Again"},
		{"not-supported", "This Adapter Cannot Do That", "Show the Routers"},
		{"suspended", "The Computer Was Asleep", "Try Again"},
		{"owner-left", "The Setup Was Given Up", "Try Again"},
		{"canceled", "Canceled", "Try Again"},
		{"handover-failed", "Received, but Not Connected", "Show the Networks"},
		{"unsupported-security", "No Network That This Computer Could Use", "Try Again"},
		{"internal", "Something Went Wrong in the Service", "Try Again"},
		{"a-word-of-a-newer-service", "It Did Not Work", "Try Again"},
	} {
		s.next(tt.reason, "")
		d.Click("Start")
		d.See(tt.title)
		d.WaitAny(tt.action, "push button", "button")
		d.picture("reason-" + tt.reason)
		if page, ok := strings.CutPrefix(tt.action, "Show the "); ok {
			d.Click(tt.action)
			d.Gone(tt.title)
			d.Turn(page)
			d.Turn("Join")
			continue
		}
		d.Click("Back")
		d.See("Join a Network")
	}
	// What was received is shown this once.
	s.next("not-stored", "")
	d.Click("Start")
	d.See("Received, but Not Stored")
	d.Click("Show the password")
	d.See("shown this once")
	d.picture("reason-not-stored")
	d.Click("Done")
	d.See("Join a Network")
	for _, tt := range []struct{ name, title, action string }{
		{"NotAuthorized", "Not Allowed", "Back"},
		{"AuthorizationDismissed", "No Password Was Given", "Try Again"},
		{"RadioBlocked", "Wi-Fi Is Switched Off", "Switch Wi-Fi On"},
		{"NotSupported", "This Adapter Cannot Do That", "Back"},
		{"ShuttingDown", "The Service Is Ending", "Try Again"},
		{"ANewOne", "It Did Not Work", "Try Again"},
	} {
		s.next("", "fi.w1.wps.Error."+tt.name)
		d.Click("Start")
		d.See(tt.title)
		d.WaitAny(tt.action, "push button", "button")
		d.picture("error-" + tt.name)
		d.Click("Back")
		d.See("Join a Network")
	}
}

// Where polkit refuses, each page says so in place of what nobody may do, and is back as soon as it
// is allowed: polkit tells, and who does not want to wait asks again.
func TestNotAllowed(t *testing.T) {
	d := newDesktop(t, setting{noService: true, env: dark})
	s := newService(t, d.system.Address, "no")
	d.See("You may not join networks on this computer")
	d.See("This page comes back by itself")
	d.picture("state-not-allowed")
	for _, page := range []string{"Routers", "Devices", "Hotspot"} {
		d.Turn(page)
		d.See("You may not do this on this computer")
		d.picture("not-allowed-" + page)
	}
	s.allow("yes", true)
	d.See("Press the Hotspot's Button")
	d.Turn("Join")
	d.See("Join a Network")
	s.allow("no", true)
	d.See("Not Allowed")
	s.allow("auth", false)
	d.Click("Try Again")
	d.See("Join a Network")
}
