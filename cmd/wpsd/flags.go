package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
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
	fs := pflag.NewFlagSet("wpsd", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.SortFlags = false
	fs.StringVarP(&f.config, "config", "c", defaultConfigFile, "read the configuration from `FILE`")
	fs.StringVarP(&f.driver, "driver", "D", "nl80211",
		"radio `NAME`: nl80211, sim (simulated access points) or none")
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
	fs.StringVar(&f.upnpSocket, "upnp-socket", "",
		"let the process that listens on `SOCKET` speak UPnP")
	fs.BoolVar(&f.upnpServer, "upnp-server", false,
		"be that process; on --upnp-socket, or the socket systemd passes")
	fs.StringVar(&f.replySocket, "reply-socket", "",
		"let the process that listens on `SOCKET` answer clients of the control sockets")
	fs.BoolVar(&f.replyServer, "reply-server", false,
		"be that process; on --reply-socket, or the socket systemd passes")
	fs.StringVar(&f.simControl, "sim-control", "",
		"with --driver sim: take commands from the named pipe `FILE`")
	fs.Func("sim-upnp", "with --driver sim: let External Registrars of this machine find the access points, the first at `ADDRESS` in 127.0.0.0/8", func(text string) (err error) {
		f.simUPnP, err = netip.ParseAddr(text)
		if err == nil && !(f.simUPnP.Is4() && f.simUPnP.IsLoopback()) {
			return errors.New("not an address in 127.0.0.0/8")
		}
		return err
	})
	fs.Float64Var(&f.simSpeed, "sim-speed", 1, "with --driver sim: scan `N` times as fast")
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

// addInterface takes the name of one more network interface.
func (f *flags) addInterface(name string) error {
	// The kernel's limit is 15 bytes; what it refuses besides cannot be meant either.
	if name == "" || len(name) > 15 || strings.ContainsAny(name, "/ \t\n") {
		return errors.New("not the name of a network interface")
	}
	f.interfaces = append(f.interfaces, name)
	return nil
}

// driverNames are the values of --driver.
var driverNames = []string{"nl80211", "sim", "none"}

// firstKnown takes the first driver that there is from a list as wpa_supplicant knows it, such as
// nl80211,wext.
func firstKnown(list string) string {
	for name := range strings.SplitSeq(list, ",") {
		if slices.Contains(driverNames, name) {
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
	case f.driver != "sim" && (f.simControl != "" || f.simSpeed != 1 || f.simUPnP.IsValid()):
		return errors.New("--sim-control, --sim-speed and --sim-upnp are for --driver sim")
	case !(f.simSpeed > 0 && f.simSpeed <= 1000): // NaN too
		return errors.New("--sim-speed: not a number above 0 and up to 1000")
	case f.driver == "none" && len(f.interfaces) == 0:
		return errors.New("--driver none has no interfaces of its own: name some with --interface")
	case !slices.Contains(driverNames, f.driver):
		return fmt.Errorf("--driver %q: there are nl80211, sim and none", f.driver)
	}
	return nil
}
