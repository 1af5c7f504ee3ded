//go:build sim

package main

import "wpsd/cmd/wpsd/simulation"

// newSimulation: this is wpsd-sim.
var newSimulation = func() simulatedRadio { return simulation.New() }
