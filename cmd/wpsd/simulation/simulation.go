// Package simulation is the radio of wpsd-sim: simulated access points and devices, with options of
// their own. The wpsd that a machine runs links nothing of it.
package simulation

import (
	"errors"
	"log/slog"
	"net/netip"

	"github.com/spf13/pflag"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/drivers/simmanager"
	"wpsd/service/lending"
)

// Radio is the simulation. A new one has the usual options.
type Radio struct {
	control string
	manager *simmanager.Manager // has an interface as soon as it is told to take one
	managed bool
	speed   float64
	upnp    netip.Addr
	driver  *sim.Driver // nil until Open
}

// New makes a Radio that is not open yet.
func New() *Radio { return &Radio{manager: simmanager.New()} }

// Flags adds the simulation's options to the command line.
func (r *Radio) Flags(fs *pflag.FlagSet) {
	fs.StringVar(&r.control, "sim-control", "", "take commands from the named pipe `FILE`")
	fs.Func("sim-upnp", "let External Registrars of this machine find the access points, the first at `ADDRESS` in 127.0.0.0/8", func(text string) (err error) {
		r.upnp, err = netip.ParseAddr(text)
		if err == nil && !(r.upnp.Is4() && r.upnp.IsLoopback()) {
			return errors.New("not an address in 127.0.0.0/8")
		}
		return err
	})
	fs.Float64Var(&r.speed, "sim-speed", 1, "scan `N` times as fast")
	fs.BoolVar(&r.managed, "sim-manager", false,
		"have a simulated network manager that manages sim0")
}

// Check finds what cannot be meant. Used says that the driver is the simulation's.
func (r *Radio) Check(used bool) error {
	switch {
	case !used && (r.control != "" || r.speed != 1 || r.managed || r.upnp.IsValid()):
		return errors.New(
			"--sim-control, --sim-speed, --sim-manager and --sim-upnp are for --driver sim")
	case !(r.speed > 0 && r.speed <= 1000): // NaN too
		return errors.New("--sim-speed: not a number above 0 and up to 1000")
	}
	return nil
}

// Open makes the driver, which steers its access points itself.
func (r *Radio) Open(log *slog.Logger) (drivers.Driver, drivers.AccessPoints, error) {
	driver, err := sim.New(sim.Options{Speed: r.speed, Control: r.control, UPnP: r.upnp, Log: log})
	if err != nil {
		return nil, nil, err
	}
	r.driver = driver
	r.manager.Attach(driver.World(), r.speed)
	if r.managed {
		if err := r.manager.Manage(sim.DefaultInterface); err != nil {
			return nil, nil, errors.Join(err, driver.Close())
		}
	}
	return driver, driver, nil
}

// NetworkManager is the simulated machine's, and what tells that it got or lost an interface.
func (r *Radio) NetworkManager() (m lending.Manager, changed <-chan struct{}) {
	return r.manager, r.manager.Changed()
}

// Network is the network interface on which an External Registrar of ifname finds the simulated
// access points.
func (r *Radio) Network(ifname string) string {
	if r.driver == nil {
		return ifname
	}
	return r.driver.Network(ifname)
}
