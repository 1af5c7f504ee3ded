package main

import (
	"log/slog"

	"github.com/spf13/pflag"

	"wpsd/drivers"
	"wpsd/service/lending"
)

// simulatedRadio is what wpsd-sim has and wpsd has not: see newSimulation.
type simulatedRadio interface {
	Flags(fs *pflag.FlagSet)
	Check(used bool) error
	Open(log *slog.Logger) (drivers.Driver, drivers.AccessPoints, error)
	Network(ifname string) string
	// NetworkManager is the simulated machine's; changed tells that it got or lost an interface.
	NetworkManager() (m lending.Manager, changed <-chan struct{})
}

// nl80211Driver is the name of a machine's radios for --driver, simDriver that of the simulation.
const (
	nl80211Driver = "nl80211"
	simDriver     = "sim"
)
