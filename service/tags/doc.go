// Package tags keeps the device passwords of NFC tags that were read, until the run that is to use
// one, and is how a run with an access point uses its tag.
//
//	Keep ──▶ Use.Find: M1 names the tag, the run has a copy of its password ──▶ Use.End
//	     ├─▶ Awaited: its device is let in by an External Registrar that has a network now
//	     └─▶ (ten minutes) ──▶ removed
//
// Tags has a lock of its own.
package tags
