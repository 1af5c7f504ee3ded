package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// errBackground is for -B: who runs wpsd as wpa_supplicant is run may want that.
var errBackground = errors.New("-B: wpsd does not put itself into the background: leave -B out and let systemd start it, or write & after the command")

// parseFlags reads the command line. It prints the help text itself, and nothing else. The short
// forms are those of wpa_supplicant, so that "wpsd -c er.conf -Dnone -ieth0" is what it is there.
func parseFlags(args []string, out io.Writer) (flags, error) {
	f := flags{}
	radio, radios := "nl80211", "radio `NAME`: nl80211 or none"
	if newSimulation != nil {
		f.simulation = newSimulation()
		radio, radios = simDriver, "radio `NAME`: sim (simulated access points) or none"
	}
	fs := pflag.NewFlagSet("wpsd", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.SortFlags = false
	fs.StringVarP(&f.config, "config", "c", defaultConfigFile, "read the configuration from `FILE`")
	fs.StringVarP(&f.driver, "driver", "D", radio, radios)
	fs.FuncP("interface", "i", "use network interface `IFNAME` only; may be given more than once",
		f.addInterface)
	fs.StringVarP(&f.global, "global", "g", "",
		"listen on the global control socket `PATH` (wpa_cli -g PATH)")
	debug := fs.CountP("debug", "d", "log what happens in detail; never keys or PINs")
	fs.StringVar(&f.stateDir, "state-dir", "/var/lib/wpsd", "keep networks and identity in `DIR`")
	fs.StringVar(&f.bus, "bus", "system",
		"`BUS` to serve: system, session or a D-Bus address; DBUS_SYSTEM_BUS_ADDRESS counts")
	fs.BoolVar(&f.restore, "restore", false,
		"give back the network interfaces that a killed wpsd has taken, and exit")
	fs.BoolVar(&f.checkOnly, "check-config", false,
		"read the configuration, say what is wrong with it, and exit")
	fs.Func("idle-exit", "end after `TIME` (such as 90s) in which nobody needed wpsd; 0: never",
		func(text string) error {
			d, err := time.ParseDuration(text)
			if err != nil || d < 0 {
				return errors.New("not a time such as 90s or 5m")
			}
			f.idle = &d
			return nil
		})
	f.declareHelpers(fs)
	if f.simulation != nil {
		f.simulation.Flags(fs)
	} else {
		refuseSimulation(fs, "sim-control", "sim-upnp", "sim-speed", "sim-manager")
	}
	fs.BoolVarP(&f.version, "version", "v", false, "print the version and exit")
	background := fs.BoolP("background", "B", false, "")
	fs.Lookup("background").Hidden = true
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			_, _ = fmt.Fprint(out, "usage: wpsd [options]\n\nThe Wi-Fi Protected Setup service, on D-Bus as fi.w1.wps.\n\n"+fs.FlagUsages())
		}
		return f, err
	}
	if *background {
		return f, errBackground
	}
	f.named, f.debug = fs.Changed("config"), *debug > 0
	f.driver = firstKnown(f.driver)
	return f, f.check(fs.Args())
}

// declareHelpers declares the flags of the two helper processes.
func (f *flags) declareHelpers(fs *pflag.FlagSet) {
	fs.StringVar(&f.upnpSocket, "upnp-socket", "",
		"let the process that listens on `SOCKET` speak UPnP")
	fs.BoolVar(&f.upnpServer, "upnp-server", false,
		"be that process; on --upnp-socket, or the socket systemd passes")
	fs.StringVar(&f.replySocket, "reply-socket", "",
		"let the process that listens on `SOCKET` answer clients of the control sockets")
	fs.BoolVar(&f.replyServer, "reply-server", false,
		"be that process; on --reply-socket, or the socket systemd passes")
}

// addInterface takes the name of one more network interface.
func (f *flags) addInterface(name string) error {
	// The kernel's limit is 15 bytes; what it refuses besides cannot be meant either.
	if name == "" || len(name) > 15 || strings.ContainsAny(name, "/ \t\n") {
		return errors.New("not the name of a network interface")
	}
	f.interfaces = append(f.interfaces, name)
	return nil
}

// errElsewhere is for what the simulation does, which was a part of wpsd once.
var errElsewhere = errors.New("simulated access points have a program of their own: use wpsd-sim in place of wpsd (make build has it in build/wpsd-sim)")

// refuseSimulation lets options end with the name of the program that has them.
func refuseSimulation(fs *pflag.FlagSet, names ...string) {
	for _, name := range names {
		fs.Func(name, "", func(string) error { return errElsewhere })
		fs.Lookup(name).Hidden = true
	}
}

// driverNames are the values of --driver.
func driverNames() []string {
	if newSimulation != nil {
		return []string{simDriver, "none"}
	}
	return []string{"nl80211", "none"}
}

// firstKnown takes the first driver that there is from a list as wpa_supplicant knows it, such as
// nl80211,wext.
func firstKnown(list string) string {
	for name := range strings.SplitSeq(list, ",") {
		if slices.Contains(driverNames(), name) {
			return name
		}
	}
	return list
}

// check finds what cannot be meant.
func (f *flags) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case f.stateDir == "":
		return errors.New("--state-dir is empty")
	case f.global != "" && !filepath.IsAbs(f.global):
		return fmt.Errorf("--global %q is not the path of a socket such as /run/wpsd/global", f.global)
	case f.config == "":
		return errors.New("--config is empty")
	case f.driver == simDriver && f.simulation == nil:
		return fmt.Errorf("--driver sim: %w", errElsewhere)
	case f.driver == "none" && len(f.interfaces) == 0:
		return errors.New("--driver none has no interfaces of its own: name some with --interface")
	case !slices.Contains(driverNames(), f.driver):
		return fmt.Errorf("--driver %q: there are %s", f.driver,
			strings.Join(driverNames(), " and "))
	case f.simulation != nil:
		return f.simulation.Check(f.driver == simDriver)
	}
	return nil
}
