// Package station runs what an interface that is a station does: sessions in which it joins a network
// (Enrolment), learns or changes the settings of an access point, and scans.
//
//	Run ─▶ look beside the connection that is there ─▶ borrow the interface ─▶ enrol ─▶ hand over
//	             ▲                                                              │
//	             └──────── nobody is to be tried now, and a manager waits ──────┘
//
//	enrol:  find ─▶ associate ─▶ pump(Link, eapol( eapwsc( Enrollee or Registrar ))) ─▶ Credentials
//	         ▲                                                                     │
//	         └──────────── what package search makes of how it failed ────────────┘
//
// One goroutine owns a run and what it has: its Station, Link and Machine, without a lock. Which
// session runs on an interface, and whether one may begin, is the hub's business.
package station
