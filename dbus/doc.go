// Package dbus is the D-Bus API of wpsd, and the only place that knows callers. It turns calls into
// calls of package service, and the service's events into signals; nothing is decided here but who
// may do what.
//
//	bus.Conn ──calls──▶ queue ──▶ worker ──▶ job: who is it, may it, one service call
//	                                ▲  │ ▲        │
//	                                │  │ └────────┘ result
//	                      events ───┘  └──▶ signals, then the reply
//
// Who owns what. The connection's reader (package bus) looks at the header of each message and puts
// method calls into the queue, undecoded. The worker (the goroutine of Run) owns the object tree
// and everything else in Server. A call that anyone may make is answered by the worker; one that
// needs an authorization runs in a goroutine of its own, a job, because asking polkit can take
// minutes. Jobs touch the service only. While a job of a caller runs its other calls wait, so each
// caller's calls are answered in order, and nobody else waits for them.
//
// The result of a job goes back to the worker, which first turns all events that are pending into
// signals: when a client learns the path of its session, the object is there and its signals are on
// the way.
package dbus
