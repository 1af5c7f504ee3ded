//go:build hwsim

package hwsim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// simulation is a wpsd whose access points and devices are simulated, on the loopback network.
type simulation struct {
	w *world
	*process
	pipe string
}

func (w *world) startSimulation() *simulation {
	w.t.Helper()
	w.sh("ip link set lo up")
	w.startBus()
	s := &simulation{w: w, pipe: filepath.Join(w.dir, "sim")}
	s.process = w.start("wpsd", "/in/wpsd-sim", "--config", w.write("wpsd.conf", ""),
		"--state-dir", filepath.Join(w.dir, "state"),
		"--sim-control", s.pipe, "--sim-upnp", "127.90.0.1")
	s.waitLog("wpsd is ready", 15*time.Second)
	return s
}

// do writes a command to the pipe and waits until it was done.
func (s *simulation) do(command string) {
	s.w.t.Helper()
	word, _, _ := strings.Cut(command, " ")
	done := func() int { return strings.Count(s.output(), `"sim: command done" command=`+word) }
	before := done()
	f, err := os.OpenFile(s.pipe, os.O_WRONLY, 0)
	s.w.must(err)
	_, err = f.WriteString(command + "\n")
	s.w.must(err)
	s.w.must(f.Close())
	s.w.until(command, 10*time.Second, func() bool { return done() > before })
}

// joins waits until the device is in a network that many times.
func (s *simulation) joins(times int) {
	s.w.t.Helper()
	s.w.until("the device joins", 30*time.Second, func() bool {
		return strings.Count(s.output(), "event=joined device=camera") >= times
	})
}

// TestSimulationAndWpaSupplicantAsExternalRegistrar has wpa_supplicant find the simulated access
// points by UPnP, read and change their settings, and let a simulated device in: what our
// simulation says about External Registrars is what a real one understands.
func TestSimulationAndWpaSupplicantAsExternalRegistrar(t *testing.T) {
	w := newQuietWorld(t)
	s := w.startSimulation()
	dir := filepath.Join(scratch, "supplicant-er")
	w.must(os.RemoveAll(dir))
	config := w.write("er.conf", "ctrl_interface="+dir+"\n")
	p := w.start("wpa_supplicant-er", "wpa_supplicant", "-t", "-d", "-D", "none", "-i", "lo",
		"-c", config)
	er := w.dialControl(p, filepath.Join(dir, "lo"))

	const limit = 20 * time.Second
	added := func(from int) string {
		t.Helper()
		e := er.wait(from, "WPS-ER-AP-ADD ", limit)
		uuid, rest, _ := strings.Cut(strings.TrimPrefix(e.text, "WPS-ER-AP-ADD "), " ")
		if !strings.HasPrefix(rest,
			"02:5a:00:00:01:00 pri_dev_type=6-0050F204-1 wps_state=2 |Sim Home|wpsd|") {
			t.Errorf("the access point is added as %q", e.text)
		}
		return uuid
	}
	er.mustOK("WPS_ER_START 127.90.0.1")
	uuid := added(0)

	t.Log("learn, with a wrong PIN first")
	mark := er.mark()
	er.mustOK("WPS_ER_LEARN %s 12345670", uuid)
	er.wait(mark, "WPS-FAIL", limit)
	mark = er.mark()
	er.mustOK("WPS_ER_LEARN %s 87654325", uuid)
	if e := er.wait(mark, "WPS-ER-AP-SETTINGS ", limit); !strings.Contains(e.text,
		"ssid=Sim Home auth_type=0x0020 encr_type=0x0008 key=correct horse battery") {
		t.Errorf("learned %q", e.text)
	}

	t.Log("a device by PIN")
	s.do("device camera 02:5a:00:01:00:aa")
	mark = er.mark()
	er.mustOK("WPS_ER_PIN any 24681353")
	s.do("enter camera 24681353")
	er.wait(mark, "WPS-ER-ENROLLEE-ADD ", limit)
	er.wait(mark, "WPS-SUCCESS", limit)
	s.joins(1)

	t.Log("and by push button")
	time.Sleep(12 * time.Second) // the Enrollee of the run before is forgotten after 10 s
	mark = er.mark()
	s.do("press camera")
	e := er.wait(mark, "WPS-ER-ENROLLEE-ADD ", limit)
	enrollee, _, _ := strings.Cut(strings.TrimPrefix(e.text, "WPS-ER-ENROLLEE-ADD "), " ")
	er.mustOK("WPS_ER_PBC %s", enrollee)
	er.wait(mark, "WPS-SUCCESS", limit)
	s.joins(2)

	t.Log("restart, and the end")
	mark = er.mark()
	s.do("restart Sim Home")
	er.wait(mark, "WPS-ER-AP-REMOVE "+uuid, limit)
	if again := added(mark); again != uuid {
		t.Errorf("after the restart it is %s, was %s", again, uuid)
	}
	mark = er.mark()
	s.do("leave Sim Home")
	er.wait(mark, "WPS-ER-AP-REMOVE "+uuid, limit)

	t.Log("an access point that is not configured gets a network")
	er.mustOK("WPS_ER_STOP")
	mark = er.mark()
	er.mustOK("WPS_ER_START 127.90.0.5")
	fresh := er.wait(mark, "WPS-ER-AP-ADD ", limit).text
	uuid, rest, _ := strings.Cut(strings.TrimPrefix(fresh, "WPS-ER-AP-ADD "), " ")
	if !strings.HasPrefix(rest,
		"02:5a:00:00:05:00 pri_dev_type=6-0050F204-1 wps_state=1 |Sim New|") {
		t.Errorf("the access point is added as %q", fresh)
	}
	mark = er.mark()
	er.mustOK("WPS_ER_CONFIG %s 31415927 %x WPA2PSK CCMP %x", uuid, "Sim Renamed",
		"a key from the network")
	er.wait(mark, "WPS-SUCCESS", limit)
	time.Sleep(time.Second) // until it is back with them
	mark = er.mark()
	er.mustOK("WPS_ER_LEARN %s 31415927", uuid)
	if e := er.wait(mark, "WPS-ER-AP-SETTINGS ", limit); !strings.Contains(e.text,
		"ssid=Sim Renamed auth_type=0x0020 encr_type=0x0008 key=a key from the network") {
		t.Errorf("learned %q", e.text)
	}
	for _, line := range strings.Split(s.output(), "\n") {
		if strings.Contains(line, "level=ERROR") {
			t.Errorf("the simulation: %s", line)
		}
	}
}
