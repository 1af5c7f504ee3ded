// Package model is wpsd as the applet sees it: it follows the bus, and knows nothing of windows.
//
//	bus ──signals──▶ Model (one goroutine: objects as they were told) ──changed──▶ who draws
//	                                   State() ◀── a snapshot by value
//	who draws ──Start, Cancel, Secrets …──▶ calls, which wait for their answer
//
// A bus that is away, a wpsd that is away, and one that was started anew are values of
// State.Service; the Model comes back by itself from each. It asks for nothing by the clock, but for
// a bus that is away.
package model
