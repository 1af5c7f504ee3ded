// Command wpsd is the Wi-Fi Protected Setup service. It wires the packages together: drivers,
// store, service, D-Bus.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// version is set by the linker (see the Makefile).
var version = "devel"

// Exit codes. A unit file can keep systemd from restarting after the last two: the same would
// happen again.
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
	simulation  simulatedRadio // nil: this is not wpsd-sim
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
	case errors.Is(err, pflag.ErrHelp):
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "wpsd: %v\nwpsd: see wpsd --help\n", err)
		return exitUsage
	case f.version:
		_, _ = fmt.Fprintf(stdout, "wpsd %s\n", version)
		return exitOK
	}
	smallPages()
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
	// The first signal ends the service in an orderly way: sessions end, interfaces are given back.
	// A second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	log, level := newLog(stderr, f.debug, conf)
	slog.SetDefault(log) // for fences in packages that have no log of their own
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
