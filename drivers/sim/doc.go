// Package sim is a radio in memory. Its access points really run the Registrar of package
// registration behind EAP and EAPOL, as hostapd does, so an enrolment here takes every step that it
// takes over the air; only the air is missing.
//
//	World ── AP (one device: settings, PINs, push button, AP PIN) ── its BSSs, one per band
//	  │        └── association: eapol.Authenticator( eapwsc.Server( registration.Registrar ) )
//	  ├── radio ◀── Driver ── Station ── Link ── frames ──▶ association
//	  ├── Enrollee (a device that may want in) ── a radio of its own
//	  └── hotspot (an AP of this machine) ◀── Driver ── AccessPoint
//
// Two users: wpsd with --driver sim, for the demonstration and for applet authors, gets a World
// with a little story of its own (DefaultWorld). Tests make a World, give it access points and
// steer them. It never starts unless somebody names it.
//
// All time is plain package time, so a test in a testing/synctest bubble moves the World's clock by
// sleeping. An access point has no goroutine of its own: what is due (the end of the two minutes of
// a push button, somebody of the story who presses it) is done when the World is next looked at. A
// goroutine exists for each association, and ends with it (Link.Close waits for it); for each
// device that looks for an access point, until World.Close; and for each access point that is
// steered.
package sim
