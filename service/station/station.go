package station

import (
	"io"
	"log/slog"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/arrival"
	"wpsd/service/lending"
	"wpsd/service/radio"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
	"wpsd/service/tags"
)

// Interface is one that is used as a station. What its fields are does not change.
type Interface struct {
	Name   string
	Driver drivers.Driver
	Air    *air.Air
	Turn   radio.Turn
}

// Config is what Stations work with. Its functions are called without a lock held.
type Config struct {
	// Managers lend an interface, and get what was received.
	Managers *lending.Managers
	// Arrivals take what was received.
	Arrivals *arrival.Arrivals
	// Store has networks whose names are known.
	Store *store.Store
	// Published tells of runs that failed.
	Published *state.Published
	// Device is what we say of ourselves on an interface that has this address now.
	Device func(own wsc.MAC) wsc.Device
	// Tags are those of access points.
	Tags *tags.Tags
	Rand io.Reader
	Log  *slog.Logger
}

// Stations run what a station does: sessions in which it joins a network, or learns or changes the
// settings of an access point, and scans. It is safe for concurrent use: each run has its own
// goroutine, which owns what it has.
type Stations struct{ Config }

// New makes Stations, which do nothing by themselves.
func New(c Config) *Stations { return &Stations{c} }

// Job is what a session of a station is to do.
type Job struct {
	Interface Interface
	Session   *session.Running
	Request   session.StartRequest
	Task      session.Task // its secrets are the job's
	Device    wsc.Device   // what we say of ourselves
	// FragmentSize bounds the fragments of EAP-WSC, in bytes; 0: the usual size
	FragmentSize int
}
