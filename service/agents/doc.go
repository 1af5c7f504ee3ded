// Package agents has the credential agents: programs that take the Credentials which wpsd receives,
// where processing is external or both.
//
// A slow agent delays nobody: each has a goroutine of its own that makes one call at a time. A
// credential stays until one agent has taken it and the others had their chance. What nobody takes
// waits in memory for the next agent, KeepTime at most, and is wiped at the end of the daemon.
//
//	Offer ──▶ pending ──▶ an agent's goroutine ──▶ Agent.Take: taken (wiped once all had it)
//	            ▲                                  refused (again after Pause), hangs (unregistered)
//	            └── RegisterAgent gives a new agent what nobody took
//
// Registry.mu guards all of it, and is not held during a call.
package agents
