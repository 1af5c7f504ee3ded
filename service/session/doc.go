// Package session has the table of sessions: what is asked for (StartRequest, Task), those that run
// and those that ended not long ago, with what they received. Whose procedure it is, and on which
// interface, is not its business: who runs a session changes it and says at last how it ended.
//
//	Prepare ──▶ Add ──▶ Change, ChangeSoon, Keep ──▶ End ──▶ (ten minutes) ──▶ removed
//	                        Stop: its context ends, and so will it
//
// Table has a lock of its own. What subscribers see of a session is published under it.
package session
