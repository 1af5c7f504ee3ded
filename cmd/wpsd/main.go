// Command wpsd is the Wi-Fi Protected Setup service. It wires the packages together: drivers, store, service, D-Bus.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// version is set by the linker (see the Makefile).
var version = "devel"

// Exit codes. A unit file can keep systemd from restarting after the last two: the same would happen again.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 78 // EX_CONFIG of sysexits.h, which systemd names CONFIG
)

// defaultConfigFile may be missing; a file that is named with --config may not.
const defaultConfigFile = "/etc/wpsd/wpsd.conf"

// flags are the command line.
type flags struct {
	config      string
	named       bool // --config was given
	driver      string
	interfaces  []string
	stateDir    string
	bus         string
	global      string
	upnpSocket  string
	upnpServer  bool
	replySocket string
	replyServer bool
	simControl  string
	simSpeed    float64
	simUPnP     netip.Addr
	restore     bool
	debug       bool
	version     bool
	checkOnly   bool
	idle        *time.Duration // nil: not said
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	f, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "wpsd: %v\nwpsd: see wpsd --help\n", err)
		return exitUsage
	case f.version:
		_, _ = fmt.Fprintf(stdout, "wpsd %s\n", version)
		return exitOK
	}
	if err := keepSecrets(); err != nil {
		_, _ = fmt.Fprintf(stderr, "wpsd: %v\n", err)
		return exitFailure
	}
	switch {
	case f.upnpServer:
		return runUPnP(f, stderr)
	case f.replyServer:
		return runReply(f, stderr)
	}
	conf, err := loadConfig(f.config, !f.named)
	if err != nil && f.restore {
		conf, err = &config{}, nil // a mistake in there is no reason to keep what belongs to others
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			_, _ = fmt.Fprintf(stderr, "wpsd: %s\n", strings.TrimSuffix(line, "\n"))
		}
		if f.checkOnly { // the unit's ExecReload: the wpsd that runs does not hear of it
			notify(slog.New(slog.DiscardHandler), "STATUS="+notTaken(err))
		}
		return exitConfig
	}
	if f.checkOnly {
		return exitOK
	}
	// From now on SIGHUP means to read the configuration again, and not the end.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	// The first signal ends the service in an orderly way: sessions end, interfaces are given back. A second one
	// ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	log, level := newLog(stderr, f.debug, conf)
	work := func() error { return serve(ctx, f, conf, hangup, log, level) }
	if f.restore {
		work = func() error { return restore(ctx, f, conf, log) }
	}
	if err := work(); err != nil {
		log.Error("wpsd ends", "err", err)
		return exitFailure
	}
	return exitOK
}

// parseFlags reads the command line. It prints the help text itself, and nothing else.
func parseFlags(args []string, out io.Writer) (flags, error) {
	f := flags{}
	fs := flag.NewFlagSet("wpsd", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&f.config, "config", defaultConfigFile, "read the configuration from `FILE`")
	fs.StringVar(&f.driver, "driver", "nl80211", "radio `NAME`: nl80211, sim (simulated access points) or none")
	fs.StringVar(&f.stateDir, "state-dir", "/var/lib/wpsd", "keep networks and identity in `DIR`")
	fs.StringVar(&f.bus, "bus", "system", "`BUS` to serve: system, session or a D-Bus address; DBUS_SYSTEM_BUS_ADDRESS counts")
	fs.BoolVar(&f.restore, "restore", false, "give back the network interfaces that a killed wpsd has taken, and exit")
	fs.BoolVar(&f.debug, "debug", false, "log what happens in detail; never keys or PINs")
	fs.BoolVar(&f.checkOnly, "check-config", false, "read the configuration, say what is wrong with it, and exit")
	fs.Func("idle-exit", "end after `TIME` (such as 90s) in which nobody needed wpsd; 0: never", func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("not a time such as 90s or 5m")
		}
		f.idle = &d
		return nil
	})
	fs.BoolVar(&f.version, "version", false, "print the version and exit")
	fs.StringVar(&f.global, "global", "", "listen on the global control socket `PATH` (wpa_cli -g PATH)")
	fs.StringVar(&f.upnpSocket, "upnp-socket", "", "let the process that listens on `SOCKET` speak UPnP")
	fs.BoolVar(&f.upnpServer, "upnp-server", false, "be that process; on --upnp-socket, or the socket systemd passes")
	fs.StringVar(&f.replySocket, "reply-socket", "", "let the process that listens on `SOCKET` answer clients of the control sockets")
	fs.BoolVar(&f.replyServer, "reply-server", false, "be that process; on --reply-socket, or the socket systemd passes")
	fs.StringVar(&f.simControl, "sim-control", "", "with --driver sim: take commands from the named pipe `FILE`")
	fs.Func("sim-upnp", "with --driver sim: let External Registrars of this machine find the access points, the first at `ADDRESS` in 127.0.0.0/8", func(text string) (err error) {
		f.simUPnP, err = netip.ParseAddr(text)
		if err == nil && !(f.simUPnP.Is4() && f.simUPnP.IsLoopback()) {
			return errors.New("not an address in 127.0.0.0/8")
		}
		return err
	})
	fs.Float64Var(&f.simSpeed, "sim-speed", 1, "with --driver sim: scan `N` times as fast")
	fs.Func("interface", "use network interface `IFNAME` only; may be given more than once", func(name string) error {
		// The kernel's limit is 15 bytes; what it refuses besides cannot be meant either.
		if name == "" || len(name) > 15 || strings.ContainsAny(name, "/ \t\n") {
			return errors.New("not the name of a network interface")
		}
		f.interfaces = append(f.interfaces, name)
		return nil
	})
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(out, "usage: wpsd [options]\n\nThe Wi-Fi Protected Setup service, on D-Bus as fi.w1.wps.")
			fs.SetOutput(out)
			fs.PrintDefaults()
		}
		return f, err
	}
	fs.Visit(func(given *flag.Flag) { f.named = f.named || given.Name == "config" })
	return f, f.check(fs.Args())
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
	}
	switch f.driver {
	case "nl80211", "sim", "none":
		return nil
	}
	return fmt.Errorf("--driver %q: there are nl80211, sim and none", f.driver)
}
