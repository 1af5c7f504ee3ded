//go:build applet

package applet

import (
	"testing"
)

// Each reason for which a session ends is a page with what happened and one thing to do, and a way
// back. The titles are the applet's; that none is forgotten is a test of its own.
func TestEveryReason(t *testing.T) {
	d := newDesktop(t, setting{noService: true})
	s := newService(t, d.system.Address)
	for _, tt := range []struct{ reason, title, action string }{
		{"pbc-overlap", "Two Buttons Are Pressed", "Try Again"}, // it names none here
		{"walk-time-expired", "Nobody Pressed", "Try Again"},
		{"no-access-point", "No Router Found", "Try Again"},
		{"setup-locked", "The Router Has Locked WPS", "Try Again"},
		{"wrong-pin-first-half", "The PIN Is Another One", "Try Again"},
		{"wrong-pin-second-half", "The PIN Is Another One", "Try Again"},
		{"registrar-busy", "The Router Does Not Expect This Device Yet", "Try Again"},
		{"no-credential", "The Router Gave No Network", "Try Again"},
		{"bad-credential", "The Network Cannot Be Used", "Show the Routers"},
		{"wpa3-only", "The Network Takes WPA3 Only", "Show the Routers"},
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
		d.Click("Back")
		d.See("Join a Network")
	}
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
