// Package service is the hub of what runs Wi-Fi Protected Setup: it follows the network interfaces,
// scans, enrols, and has the packages below it do the rest: access points of this machine in
// hotspot, External Registrars in external, NFC in nfc, managers in lending, agents in agents. Each
// knows of it what its Hub says (hubs.go). It knows no caller: packages dbus and control call it
// and pass on what it tells.
//
//	StartPBC, StartPIN ──▶ session ──▶ enrolment: look ▸ choose ▸ associate ▸ pump ──▶ Station, Link
//	                          │                                        │
//	                          │         eapol.Supplicant( eapwsc.Peer( registration.Enrollee ) )
//	                          ▼
//	                  store, then events ──▶ Subscription
//
// Who owns what: one mutex guards what the Service knows (interfaces, access points, sessions);
// nothing blocks under it. One goroutine per session owns its Station, Link and Machine, without
// any lock. Ending a session is cancelling its context with the cause; the goroutine gives the
// interface back and only then tells the end. Nothing ticks: an idle Service has no timer but one
// for each session that ended within the last ten minutes.
package service
