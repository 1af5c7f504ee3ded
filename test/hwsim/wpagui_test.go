//go:build hwsim

package hwsim

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// screen is an X server without a screen: what it shows is in a file.
type screen struct {
	w     *world
	file  string
	shots int
}

// picturesDir gets out of the virtual machine.
const picturesDir = "/out"

// startScreen starts the X server.
func (w *world) startScreen() *screen {
	w.t.Helper()
	dir := filepath.Join(w.dir, "screen")
	w.must(os.MkdirAll(dir, 0o755))
	w.start("Xvfb", "Xvfb", ":7", "-screen", "0", "900x720x24", "-fbdir", dir, "-nolisten",
		"tcp", "-noreset")
	w.t.Setenv("DISPLAY", ":7")
	s := &screen{w: w, file: filepath.Join(dir, "Xvfb_screen0")}
	w.until("the X server is there", 60*time.Second, func() bool {
		return w.run("xdotool", "getdisplaygeometry").status == 0
	})
	return s
}

// picture reads what the screen shows: the header of an X window dump, its colors, and pixels of 32
// bits (XWDFile.h).
func (s *screen) picture() *image.RGBA {
	s.w.t.Helper()
	b, err := os.ReadFile(s.file)
	s.w.must(err)
	field := func(n int) int { return int(binary.BigEndian.Uint32(b[4*n:])) }
	size, width, height, order, line, colors := field(0), field(4), field(5), field(7),
		field(12), field(19)
	if field(1) != 7 || order != 0 || field(11) != 32 {
		s.w.t.Fatalf("a window dump of version %d, byte order %d, %d bits per pixel", field(1),
			order, field(11))
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := b[size+12*colors+y*line+4*x:]
			img.SetRGBA(x, y, color.RGBA{p[2], p[1], p[0], 255})
		}
	}
	return img
}

// keep writes a picture of the screen for people to look at.
func (s *screen) keep(name string) {
	s.w.t.Helper()
	s.shots++
	f, err := os.Create(filepath.Join(picturesDir, fmt.Sprintf("wpa_gui-%d-%s.png", s.shots, name)))
	s.w.must(err)
	s.w.must(png.Encode(f, s.picture()))
	s.w.must(f.Close())
}

// click presses the mouse's button.
func (s *screen) click(x, y int, times ...string) {
	s.w.t.Helper()
	args := []string{"xdotool", "mousemove", fmt.Sprint(x), fmt.Sprint(y), "click"}
	if len(times) > 0 {
		args = append(args, "--repeat", times[0], "--delay", "50")
	}
	if r := s.w.run(append(args, "1")...); r.status != 0 {
		s.w.t.Fatalf("xdotool: %s", r.stderr)
	}
	time.Sleep(500 * time.Millisecond)
}

// window waits for a window with a name, and moves it.
func (s *screen) window(name string, x, y int) {
	s.w.t.Helper()
	s.w.until("a window named "+name, 60*time.Second, func() bool {
		return s.w.run("xdotool", "search", "--onlyvisible", "--name", name, "windowmove",
			fmt.Sprint(x), fmt.Sprint(y)).status == 0
	})
	time.Sleep(time.Second)
}

// label is the part of wpa_gui's WPS tab where it says how it goes, as text of its pixels: the same
// words look the same.
func (s *screen) label() string {
	s.w.t.Helper()
	var b strings.Builder
	img := s.picture()
	for y := 135; y < 155; y++ {
		for x := 85; x < 330; x++ {
			if c := img.RGBAAt(x, y); int(c.R)+int(c.G)+int(c.B) < 384 {
				fmt.Fprintf(&b, "%d,%d ", x, y)
			}
		}
	}
	return b.String()
}

// settled waits until the label has been the same for three seconds, and not what it was before.
func (s *screen) settled(before string) string {
	s.w.t.Helper()
	last, since := s.label(), time.Now()
	s.w.until("wpa_gui shows how it went", time.Minute, func() bool {
		if now := s.label(); now != last {
			last, since = now, time.Now()
		}
		return last != before && time.Since(since) > 3*time.Second
	})
	return last
}

// The places of what there is to click in wpa_gui's window, which is at the upper left corner of
// the screen.
const (
	guiScan, guiScanY     = 263, 331
	guiWPSTab, guiWPSTabY = 300, 110
	guiPBC, guiPBCY       = 86, 170
	guiPIN, guiPINY       = 86, 201
	guiPINText            = 260
	resultsY              = 420 // of the window with the scan's results
)

// TestWpaGui: Debian's wpa_gui shows the access point and joins it from its WPS tab, by push button
// and by PIN.
func TestWpaGui(t *testing.T) {
	w := newWorld(t)
	if _, err := os.Stat("/usr/sbin/wpa_gui"); err != nil {
		t.Fatal("there is no wpa_gui here: run test/hwsim/run --gui")
	}
	h := w.startAP(ap{})
	d, c, events := w.startControlled("config_methods=display keypad virtual_push_button")
	s := w.startScreen()
	w.start("wpa_gui", "wpa_gui", "-p", controlPlace, "-i", station)
	s.window("wpa_gui", 0, 0)

	// The access point shows in the list of the scan, with its flags.
	mark := events.mark()
	s.click(guiScan, guiScanY)
	s.window("Scan results", 0, resultsY)
	empty := s.picture()
	s.click(314, resultsY+220)
	events.wait(mark, "CTRL-EVENT-SCAN-RESULTS", oneRun)
	row := image.Rect(10, resultsY+32, 400, resultsY+50)
	w.until("wpa_gui lists the access point", 30*time.Second, func() bool {
		return differ(empty, s.picture(), row)
	})
	s.keep("scan")

	// Push button.
	s.click(guiWPSTab, guiWPSTabY)
	before := s.label()
	h.mustOK("WPS_PBC")
	mark = events.mark()
	s.click(guiPBC, guiPBCY)
	s.keep("push-button")
	events.wait(mark, "WPS-PBC-ACTIVE ", 5*time.Second)
	events.wait(mark, "WPS-SUCCESS ", 60*time.Second)
	h.wait(0, "WPS-REG-SUCCESS "+w.mac(station), 10*time.Second)
	success := s.settled(before)
	s.keep("push-button-succeeded")
	if success == "" {
		t.Error("wpa_gui does not show that it has succeeded")
	}
	if got := c.run("list_networks"); !strings.Contains(got, "\t"+testSSID+"\t") {
		t.Errorf("list_networks: %q", got)
	}
	d.givenBack()

	// PIN: wpa_gui asks for one and shows it; a person types it at the access point.
	time.Sleep(6 * time.Second)
	mark, reg := events.mark(), h.mark()
	s.click(guiPIN, guiPINY)
	events.wait(mark, "WPS-PIN-ACTIVE ", 5*time.Second)
	pin := ""
	w.until("wpa_gui shows a PIN", time.Minute, func() bool {
		s.click(guiPINText, guiPINY, "3") // selects what is there
		pin = strings.TrimSpace(w.run("xclip", "-o", "-selection", "primary").stdout)
		return anyPIN.MatchString(pin)
	})
	s.keep("pin")
	if s.label() == success {
		t.Error("wpa_gui shows success before there is any")
	}
	h.ask("WPS_PIN any %s", pin)
	events.wait(mark, "WPS-SUCCESS ", 100*time.Second)
	h.wait(reg, "WPS-REG-SUCCESS "+w.mac(station), 10*time.Second)
	w.until("wpa_gui shows after a PIN what it does after a push button", time.Minute, func() bool {
		return s.label() == success
	})
	s.keep("pin-succeeded")
}

// differ reports whether two pictures differ in a part.
func differ(a, b *image.RGBA, part image.Rectangle) bool {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				return true
			}
		}
	}
	return false
}
