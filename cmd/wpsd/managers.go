package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wpsd/dbus/bus"
	"wpsd/drivers/connman"
	"wpsd/drivers/iwd"
	"wpsd/drivers/managerbus"
	"wpsd/drivers/networkmanager"
	"wpsd/drivers/wpasupplicant"
	"wpsd/service/lending"
	"wpsd/service/session"
	"wpsd/service/store"
)

// managers are those who may have an interface, and take networks, with the record of what we owe
// them.
type managers struct {
	bus     *managerbus.Bus // nil: they are not on it
	holders []lending.Holder
	sinks   []lending.Sink
	journal *store.Journal
	// came and changed are as in lending.Config.
	came, changed <-chan struct{}
}

// config is what the service works with.
func (m *managers) config(apply string) lending.Config {
	return lending.Config{Holders: m.holders, Sinks: m.sinks, Apply: apply, Journal: m.journal,
		Came: m.came, Changed: m.changed}
}

// close closes what there is.
func (m *managers) close() error {
	var err error
	if m.bus != nil {
		err = m.bus.Close()
	}
	if m.journal != nil {
		err = errors.Join(err, m.journal.Close())
	}
	return err
}

// newManagers opens the journal. The order of wired is that in which managers sit on top of each
// other: NetworkManager and ConnMan drive the radio with one of the others. shared is a connection
// to the bus that is there already; nil: there is none.
func newManagers(f flags, conf *config, list []wiredManager,
	shared *bus.Conn) (made managers, err error) {
	if len(list) == 0 {
		return made, nil
	}
	if made.journal, err = store.OpenJournal(f.stateDir); err != nil {
		return managers{}, err
	}
	if f.driver == simDriver {
		_, made.changed = f.simulation.NetworkManager()
	} else {
		made.bus = &managerbus.Bus{Address: f.bus, Shared: shared}
		made.came, made.changed = made.bus.Came(), made.bus.Changed()
	}
	for _, w := range list {
		m := w.open(made.bus, conf)
		made.holders, made.sinks = append(made.holders, m), append(made.sinks, m)
	}
	return made, nil
}

// managers are those who may have an interface of the driver: those of "none" are nobody's.
func (f *flags) managers() []wiredManager {
	switch f.driver {
	case nl80211Driver:
		return wired
	case simDriver:
		return simulatedManagers(f.simulation)
	}
	return nil
}

// wiredManager is a line of wired.
type wiredManager struct {
	name string
	open func(*managerbus.Bus, *config) lending.Manager
}

// wired has a line for each network manager: its name in the configuration and on D-Bus, and how it
// is spoken with. Their order is that in which managers sit on top of each other.
var wired = []wiredManager{
	{networkmanager.Name, func(b *managerbus.Bus, _ *config) lending.Manager {
		return &networkmanager.Manager{Bus: b}
	}},
	{connman.Name, func(b *managerbus.Bus, _ *config) lending.Manager {
		return &connman.Manager{Bus: b}
	}},
	{iwd.Name, func(b *managerbus.Bus, _ *config) lending.Manager { return &iwd.Manager{Bus: b} }},
	{wpasupplicant.Name, func(b *managerbus.Bus, c *config) lending.Manager {
		return &wpasupplicant.Manager{Bus: b, Sockets: supplicantSockets(c)}
	}},
}

// simulatedManagers has the simulated machine's in place of those that are wired.
func simulatedManagers(s simulatedRadio) []wiredManager {
	m, _ := s.NetworkManager()
	return []wiredManager{
		{m.Name(), func(*managerbus.Bus, *config) lending.Manager { return m }},
	}
}

// managerNames are those of all in a list.
func managerNames(list []wiredManager) []string {
	names := make([]string, len(list))
	for i, w := range list {
		names[i] = w.name
	}
	return names
}

// supplicantSockets are the directories where wpa_supplicant's control sockets are.
func supplicantSockets(conf *config) []string {
	dirs := conf.Supplicants
	if dirs == nil {
		dirs = wpasupplicant.DefaultSockets
	}
	own := filepath.Clean(conf.Control.Dir) // there we answer ourselves
	return slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { return dir == own })
}

// meet learns which managers run, so that the first session need not ask. If it fails that session
// does.
func (m *managers) meet(ctx context.Context) {
	if m.bus != nil {
		_ = m.bus.Connect(ctx)
	}
}

// setApply names who gets the networks that are received; a session may say otherwise.
func setApply(c *config, value string) error {
	known := managerNames(wired)
	if newSimulation != nil { // a file for a machine can be tried with the simulation as well
		known = append(known, managerNames(simulatedManagers(newSimulation()))...)
	}
	if value == session.ApplyAuto || value == session.ApplyNone || slices.Contains(known, value) {
		c.Apply = value
		return nil
	}
	return fmt.Errorf("%q is none of auto (who has the interface), %s, none", printable(value),
		strings.Join(known, ", "))
}

// restore gives back what a process that was killed has taken: a unit has it as ExecStopPost=.
func restore(ctx context.Context, f flags, conf *config, log *slog.Logger) (err error) {
	list := wired // also with --driver none
	if f.driver == simDriver {
		list = f.managers()
	}
	m, err := newManagers(f, conf, list, nil)
	if errors.Is(err, store.ErrInUse) {
		log.Info("nothing to give back: wpsd runs, and looks after its interfaces itself")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	if debts, err := m.journal.Debts(); err == nil && len(debts) == 0 {
		return nil // as after every orderly end
	}
	driver, _, err := newDriver(f, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, driver.Close()) }()
	for end := time.Now().Add(managerTime); ; {
		err := lending.Restore(ctx,
			lending.RestoreConfig{Journal: m.journal, Holders: m.holders,
				LinkDown: driver.LinkDown, Log: log})
		if err == nil || time.Now().After(end) {
			return err
		}
		select { // a manager may be restarted at the same time, for an update
		case <-m.came:
		case <-time.After(managerPause):
		case <-ctx.Done():
			return err
		}
	}
}

// managerTime is for how long restore tries, managerPause how often. The unit has 20 s for it.
const (
	managerTime  = 10 * time.Second
	managerPause = 2 * time.Second
)
