package station

import (
	"context"
	"errors"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/lending"
	"wpsd/service/radio"
	"wpsd/service/search"
)

// A connection that is there when a session begins is kept for as long as there is nobody to try:
// until a button is pressed, up to two minutes, or until the access point that was named is heard.
// The kernel scans for us on an interface that somebody else has connected (nl80211,
// NL80211_CMD_TRIGGER_SCAN), and goes back to the connection's channel in between. The manager lets
// go only when somebody is to be tried, and has the interface again where that did not help and
// nobody else comes.

const (
	// patience is how long we keep an interface after an attempt that failed while there is nobody
	// to try; it doubles with each time that we gave back for nothing.
	patience = 5 * time.Second
	// backTime is how long a manager has to be connected again before we look around beside it.
	backTime = 5 * time.Second
	// backPause is the time between two looks at whether it is.
	backPause = 250 * time.Millisecond
)

// lookBeside looks for somebody to try while the manager keeps the connection that it has. It
// returns at once if there is none to keep.
func (e *Enrolment) lookBeside(ctx context.Context) error {
	i := e.iface
	// With beside a manager that shares the radio keeps its connection all the time.
	if e.beside != lending.BesideNobody || e.alone {
		return nil
	}
	owner, err := e.Managers.MayBorrow(ctx, i.Name)
	if err != nil {
		return err
	}
	if owner == "" || !e.stays(ctx) {
		return nil
	}
	e.Log.Debug("looking for access points beside a connection", "session", e.session.ID,
		"interface", i.Name, "manager", owner)
	err = radio.Use(ctx, e.Log, i.Driver, i.Name, false, func(station drivers.Station) error {
		if err := e.lookWith(ctx, station); err != nil {
			return err
		}
		e.scan.beside, e.giveBackAt = true, time.Time{}
		c, err := e.find(ctx)
		if err == nil {
			e.first = &c
		}
		return err
	})
	if err != nil && ctx.Err() == nil && e.scan != nil && e.scan.failures > 0 && !isGone(err) {
		e.Log.Info("the radio cannot scan beside its connection, which ends for this session",
			"interface", i.Name, "manager", owner, "err", err)
		e.alone = true
		return nil
	}
	return err
}

// isGone tells what the manager cannot help with either.
func isGone(err error) bool {
	for _, gone := range []error{drivers.ErrRadioBlocked, drivers.ErrInterfaceGone,
		drivers.ErrNoInterface, drivers.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// stays reports whether the interface has a connection to keep. After it was given back the manager
// gets a while for that.
func (e *Enrolment) stays(ctx context.Context) bool {
	for until := time.Now().Add(backTime); ; {
		_, connected, err := e.iface.Driver.Connection(ctx, e.iface.Name)
		switch {
		case err != nil:
			return false
		case connected:
			e.kept = true
			return true
		case !e.kept:
			return false
		case time.Now().After(until), pause(ctx, backPause) != nil:
			return true // it goes on looking for its network, beside us
		}
	}
}

// lookWith begins to look around with a Station, or goes on with another one: an interface of our
// own, or the same one after its manager has let go of it, perhaps with another address.
func (e *Enrolment) lookWith(ctx context.Context, station drivers.Station) error {
	// managers change it when they let go
	if own := wsc.MAC(station.HardwareAddr()); !own.IsZero() {
		e.device = e.Device(own)
	}
	if e.scan == nil {
		scan, err := e.newScanner(ctx, e.iface, station, e.device.MAC)
		if err != nil {
			return err
		}
		e.scan = scan
		e.newSearch(ctx)
	} else {
		e.scan.station, e.scan.own, e.scan.failures = station, e.device.MAC, 0
		e.scan.beside = false
	}
	e.scan.ies = e.probeRequest()
	return nil
}

// next is whom to try: whoever was found beside the connection, or the next that is found.
func (e *Enrolment) next(ctx context.Context) (search.Candidate, error) {
	if c := e.first; c != nil {
		e.first = nil
		return *c, nil
	}
	return e.find(ctx)
}

// keepFor says how long the interface is kept from now on with nobody to try. Where there was no
// connection nobody misses it.
func (e *Enrolment) keepFor() {
	if e.kept && !e.alone {
		e.giveBackAt = time.Now().Add(patience << min(e.returns, 5))
	}
}
