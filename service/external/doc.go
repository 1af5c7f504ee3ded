// Package external runs External Registrars: one on each interface where somebody started it. The
// protocol is package er's; what is here is who wants one, its sockets, and a session for each run.
//
//	StartER ──▶ Registrars ──▶ externalRegistrar's goroutine ◀──▶ er.Registrar: events in, actions out
//	                              │        └──▶ ControlPoint: searches, requests, each by itself
//	                              └──▶ session.Running: changed, ended, settings stored by the Hub
//
// Registrars.mu guards who runs and for whom; the goroutine owns the rest.
package external
