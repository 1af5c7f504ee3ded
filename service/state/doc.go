// Package state has what there is, in the words that procedures, callers and subscribers share:
// interfaces, access points, sessions, networks, what External Registrars found; the events that
// tell what became of them; the errors that calls return. It has no procedures and no secrets.
//
//	Publish(event) ──▶ Published ──▶ Snapshot          what there is now
//	                       └───────▶ Subscription      and all that happens from then on, in order
//
// Published has a lock of its own, the last one that anybody takes.
package state
