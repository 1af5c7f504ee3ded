package service

import (
	"fmt"
	"slices"

	"wpsd/drivers"
	"wpsd/service/state"
)

// sources are where interfaces come from, and which of them are used. Service.mu guards what changes.
type sources struct {
	drivers []drivers.Driver
	only    []string        // these; empty: all
	added   map[string]bool // those that AddInterface added, besides those in only
}

// uses reports whether an interface of that name is used.
func (f *sources) uses(ifname string) bool {
	return len(f.only) == 0 || slices.Contains(f.only, ifname) || f.added[ifname]
}

// named finds the driver with a name, which takes interfaces that somebody names.
func (f *sources) named(name string) (drivers.Driver, error) {
	for _, d := range f.drivers {
		if d.Named() && d.Name() == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%w: the driver %q takes no interfaces that somebody names: use none",
		state.ErrNotSupported, name)
}
