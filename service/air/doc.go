// Package air keeps what was heard on one network interface: every BSS with its elements, and the
// access points with WPS, which it tells subscribers of. It says whether a network takes WPA3 only,
// and on which terms a manager can join it. It listens to nothing itself.
package air
