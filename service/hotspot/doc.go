// Package hotspot is what wpsd does at access points of this machine. Their own software (hostapd)
// speaks the protocol and is the Registrar: it is told whom to let in, and listened to.
//
//	an interface that is an access point ──▶ Steering: one goroutine and one connection
//	                                            │ devices that ask to be let in ──▶ Hub
//	StartPbc, StartPin, a tag ──▶ Admission ◀───┘ events of a run
//
// An Admission ends with its grant withdrawn, whatever ended it.
//
// The package has no lock: the goroutine of a Steering owns the connection, that of a session its
// Admission.
package hotspot
