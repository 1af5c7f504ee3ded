// Package service runs the procedures of Wi-Fi Protected Setup: it follows the network interfaces,
// scans, enrols, keeps what was received, and tells its subscribers. It knows no caller: package
// dbus (and a control socket later) calls it and passes on what it tells.
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
