// Command wps-applet is the face of WPS on a desktop: a window to join networks, let devices in and
// set up routers, and, in the background, a hint when a button is pressed nearby. It is a D-Bus
// client of wpsd like any other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"wpsd/cmd/wps-applet/background"
	"wpsd/cmd/wps-applet/gtk"
)

// The application's id, which is also that of its icon and its .desktop file.
const (
	appID         = "fi.w1.wps.Applet"
	gettextDomain = "wps-applet"
)

// version is set by the linker.
var version = "devel"

// options are what the command line says.
type options struct {
	bus        string
	background bool
	join       string // BSSID of a router to join at once
	width      int
	height     int
	page       string
	version    bool
	verbose    bool
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{}
	fs := flag.NewFlagSet("wps-applet", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		_, _ = fmt.Fprint(stderr, `Usage: wps-applet [OPTION...]

A window for Wi-Fi Protected Setup: join networks, let devices in, set up routers.

  --background   no window: say when a button is pressed nearby and this computer is
                 offline
  --page NAME    open with this page: join, routers, devices, hotspot, nfc, networks
  --join BSSID   join the router at once whose button is pressed
  --size WxH     size of the window at first
  --bus BUS      the bus of wpsd: "system" or an address
  --verbose      say on standard error what happens
  --version      say which version this is
`)
	}
	fs.StringVar(&o.bus, "bus", "system", "")
	fs.BoolVar(&o.background, "background", false, "")
	fs.StringVar(&o.page, "page", "", "")
	fs.StringVar(&o.join, "join", "", "")
	fs.Func("size", "", func(text string) error {
		n, err := fmt.Sscanf(text, "%dx%d", &o.width, &o.height)
		if err != nil || n != 2 || o.width < 200 || o.height < 200 || o.width > 10000 ||
			o.height > 10000 {
			return errors.New("not a size such as 360x720")
		}
		return nil
	})
	fs.BoolVar(&o.version, "version", false, "")
	fs.BoolVar(&o.verbose, "verbose", false, "")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("what is %q? See --help", fs.Arg(0))
	}
	if o.bus != "system" && !strings.Contains(o.bus, ":") {
		return o, fmt.Errorf(`--bus %q: neither "system" nor an address such as unix:path=/run/dbus/system_bus_socket`, o.bus)
	}
	return o, nil
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	o, err := parseOptions(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "wps-applet:", err)
		return 2
	}
	if o.version {
		fmt.Println("wps-applet", version)
		return 0
	}
	level := slog.LevelError
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	// With one processor Go's own watch of processors that C keeps sleeps when nothing happens; with
	// more it wakes up sixty times after each thing that did. Nothing here needs two.
	runtime.GOMAXPROCS(1)
	if o.background {
		return runBackground(o, log)
	}
	if err := gtk.Load(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "wps-applet:", err)
		return 1
	}
	gtk.Translate(gettextDomain, shared("locale"))
	app, first, err := gtk.NewApplication(appID, T("Wi-Fi Setup"))
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "wps-applet:", err)
		return 1
	}
	if !first {
		app.Activate()
		if o.join != "" {
			app.ActivateText("join", o.join)
		}
		app.Flush()
		return 0
	}
	a := newApplet(app, o, log)
	app.On("activate", a.activate)
	a.wanted = o.join
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	a.stays = background.Runs(ctx)
	cancel()
	code := app.Run()
	a.close()
	return code
}

// shared is a directory below "share" of where the program is installed: its own prefix if it has
// one, otherwise /usr.
func shared(name string) string {
	if exe, err := os.Executable(); err == nil {
		prefix := filepath.Dir(filepath.Dir(exe))
		if dir := filepath.Join(prefix, "share", name); exists(dir) {
			return dir
		}
	}
	return filepath.Join("/usr/share", name)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
