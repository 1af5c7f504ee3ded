//go:build !sim

package main

// newSimulation is nil: this is the wpsd of a machine, which has no simulated access points. Built
// with the tag "sim" it is wpsd-sim.
var newSimulation func() simulatedRadio
