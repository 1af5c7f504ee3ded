// Package nfc is what goes over NFC, as bytes that somebody else reads and writes: tags with
// networks or passwords, and the messages of a handover.
//
//	a tag that was read ──▶ networks ──▶ arrival: stored, offered to agents ──▶ Managers: handed over
//	                    └─▶ a password ──▶ Hub.Start at an access point of this machine
//	                                   ├─▶ External Registrar
//	                                   └─▶ tags.Tags: kept for Learn and Configure
//	a handover: the key that our request announces ──▶ kept ──▶ the run that follows
//
// What handovers announced has a lock; an Exchange has one while it makes this device's token.
package nfc
