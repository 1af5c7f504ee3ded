//go:build applet

package applet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wpsd/test/atspi"
	"wpsd/test/testbus"
)

// Where the programs are, and where pictures go.
var (
	programs = flag.String("programs", "",
		"directory of wps-applet's prefix (bin and share below it)")
	services = flag.String("services", "", "directory with the simulation and wpsctl")
	pictures = flag.String("pictures", "", "directory for pictures of the pages; empty: none")
)

// desktop is a screen, a session, a simulated neighbourhood, and the applet.
type desktop struct {
	*atspi.Tree
	dir     string
	system  *testbus.Bus
	session *testbus.Bus
	display string
	env     []string
	sim     *exec.Cmd
	applet  *exec.Cmd
	simArgs []string
}

// setting is what is special about a test's desktop.
type setting struct {
	args      []string // of the applet
	env       []string
	noService bool
	simArgs   []string
	size      string // of the screen; empty: 820x720
}

// newDesktop makes one, and starts the applet on it.
func newDesktop(t *testing.T, s setting) *desktop {
	t.Helper()
	d := &desktop{dir: t.TempDir(), simArgs: s.simArgs}
	runtimeDir := filepath.Join(d.dir, "run")
	if err := os.Mkdir(runtimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
	t.Setenv("HOME", d.dir)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
	d.startScreen(t, s.size)
	t.Setenv("DISPLAY", d.display)
	var err error
	for _, b := range []**testbus.Bus{&d.system, &d.session} {
		if *b, err = testbus.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*b).Close() })
	}
	d.Tree = atspi.Open(t, d.session.Address)
	// A critical warning of GTK's is a mistake of ours.
	d.env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+d.system.Address,
		"DBUS_SESSION_BUS_ADDRESS="+d.session.Address, "GDK_BACKEND=x11", "GSK_RENDERER=cairo",
		"G_DEBUG=fatal-criticals", "LC_ALL=C.UTF-8", "GSETTINGS_BACKEND=memory",
		"GTK_USE_PORTAL=0", "ADW_DISABLE_PORTAL=1", "NO_AT_BRIDGE=0")
	d.env = append(d.env, s.env...)
	if !s.noService {
		d.startService()
	}
	d.startApplet(s.args...)
	t.Cleanup(func() {
		if t.Failed() {
			for _, name := range []string{"applet.log", "sim.log"} {
				if log, err := os.ReadFile(filepath.Join(d.dir, name)); err == nil {
					t.Logf("%s:\n%s", name, log)
				}
			}
		}
	})
	return d
}

// startScreen starts an X server that draws into a file.
func (d *desktop) startScreen(t *testing.T, size string) {
	t.Helper()
	if size == "" {
		size = "820x720"
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// Without -noreset it begins anew when the last program leaves, and refuses whoever comes just
	// then.
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", size+"x24", "-noreset",
		"-nolisten", "tcp",
		"-fbdir", d.dir)
	cmd.ExtraFiles = []*os.File{w}
	if err := start(cmd, filepath.Join(d.dir, "screen.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd) })
	_ = w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal("Xvfb names no display:", err)
	}
	d.display = ":" + strings.TrimSpace(number)
}

// start starts a program that ends with us.
func start(cmd *exec.Cmd, log string) error {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd.Start()
}

// stop ends a program, and waits for that.
func stop(cmd *exec.Cmd) {
	if cmd != nil && cmd.ProcessState == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// startService starts the simulation, and waits until it takes commands.
func (d *desktop) startService() {
	d.T.Helper()
	config := filepath.Join(d.dir, "wpsd.conf")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		d.T.Fatal(err)
	}
	args := []string{"--config", config, "--state-dir", filepath.Join(d.dir, "state"),
		"--sim-control", filepath.Join(d.dir, "sim"), "--sim-speed", "20"}
	program := filepath.Join(*services, "wpsd-sim")
	d.sim = exec.Command(program, append(args, d.simArgs...)...)
	d.sim.Env = d.env
	if err := start(d.sim, filepath.Join(d.dir, "sim.log")); err != nil {
		d.T.Fatal(err)
	}
	sim := d.sim
	d.T.Cleanup(func() { stop(sim) })
	d.ctl("status")
}

// killService ends the simulation as a crash does.
func (d *desktop) killService() { stop(d.sim) }

// ctl runs wpsctl until it succeeds.
func (d *desktop) ctl(args ...string) string {
	d.T.Helper()
	for end := time.Now().Add(atspi.Patience); ; time.Sleep(100 * time.Millisecond) {
		cmd := exec.Command(filepath.Join(*services, "wpsctl"), args...)
		cmd.Env = d.env
		out, err := cmd.CombinedOutput()
		if err == nil {
			return string(out)
		}
		if time.Now().After(end) {
			d.T.Fatalf("wpsctl %v: %v\n%s", args, err, out)
		}
	}
}

// ends waits until something that an interface was doing is over, as wpsctl tells it.
func (d *desktop) ends(iface, what string) {
	d.T.Helper()
	for end := time.Now().Add(atspi.Patience); ; time.Sleep(100 * time.Millisecond) {
		out := d.ctl("status", "--json")
		if !strings.Contains(strings.ReplaceAll(out, " ", ""), `"`+what+`":true`) {
			return
		}
		if time.Now().After(end) {
			d.T.Fatalf("%s of %s does not end:\n%s", what, iface, out)
		}
	}
}

// command has somebody in the simulation do something, and waits until it is done.
func (d *desktop) command(line string) {
	d.T.Helper()
	const done = "sim: command done"
	log := filepath.Join(d.dir, "sim.log")
	count := func() int {
		text, _ := os.ReadFile(log)
		return strings.Count(string(text), done)
	}
	before := count()
	pipe, err := os.OpenFile(filepath.Join(d.dir, "sim"), os.O_WRONLY, 0)
	if err != nil {
		d.T.Fatal(err)
	}
	_, err = fmt.Fprintln(pipe, line)
	if err := errors.Join(err, pipe.Close()); err != nil {
		d.T.Fatal(err)
	}
	for end := time.Now().Add(atspi.Patience); count() == before; time.Sleep(
		20 * time.Millisecond) {
		if time.Now().After(end) {
			text, _ := os.ReadFile(log)
			d.T.Fatalf("the simulation did not do %q:\n%s", line, text)
		}
	}
}

// startApplet starts the applet.
func (d *desktop) startApplet(args ...string) {
	d.T.Helper()
	d.applet = exec.Command(filepath.Join(*programs, "bin", "wps-applet"), args...)
	d.applet.Env = d.env
	if err := start(d.applet, filepath.Join(d.dir, "applet.log")); err != nil {
		d.T.Fatal(err)
	}
	applet := d.applet
	d.T.Cleanup(func() { stop(applet) })
}

// picture saves what the screen shows, if pictures are wanted.
func (d *desktop) picture(name string) {
	d.T.Helper()
	if *pictures == "" {
		return
	}
	// What was changed is drawn within a frame or two; a picture that comes too early is no
	// failure.
	time.Sleep(500 * time.Millisecond)
	m, err := readXWD(filepath.Join(d.dir, "Xvfb_screen0"))
	if err != nil {
		d.T.Fatal(err)
	}
	f, err := os.Create(filepath.Join(*pictures, name+".png"))
	if err == nil {
		err = errors.Join(png.Encode(f, m), f.Close())
	}
	if err != nil {
		d.T.Fatal(err)
	}
}

// readXWD reads the frame buffer of Xvfb: an X window dump (XWDFile.h) of 32 bits a pixel.
func readXWD(name string) (image.Image, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	const fields = 25
	if len(data) < 4*fields {
		return nil, errors.New("no window dump")
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(data[4*i:])) }
	header, width, height, stride, colors := field(0), field(4), field(5), field(12), field(19)
	const colorSize = 12
	pixels := data[min(header+colors*colorSize, len(data)):]
	if field(11) != 32 || len(pixels) < stride*height {
		return nil, errors.New("not a window dump of 32 bits a pixel")
	}
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := pixels[y*stride+4*x:]
			m.SetRGBA(x, y, color.RGBA{p[2], p[1], p[0], 255}) // little endian: BGRX
		}
	}
	return m, nil
}
