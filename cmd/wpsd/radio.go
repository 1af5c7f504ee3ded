package main

import (
	"log/slog"

	"github.com/spf13/pflag"

	"wpsd/drivers"
)

// simulatedRadio is what wpsd-sim has and wpsd has not: see newSimulation.
type simulatedRadio interface {
	Flags(fs *pflag.FlagSet)
	Check(used bool) error
	Open(log *slog.Logger) (drivers.Driver, drivers.AccessPoints, error)
	Network(ifname string) string
}

// simDriver is the simulation's name for --driver.
const simDriver = "sim"
