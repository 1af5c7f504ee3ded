package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/wsc"
)

// oneStep bounds how long one step of a daemon may take.
const oneStep = 30 * time.Second

const busName = "fi.w1.wps"

// client is a program on the bus of wpsd. It follows all signals, as an applet does.
type client struct {
	conn    *godbus.Conn
	signals chan *godbus.Signal
}

func dial(address string) (*client, error) {
	conn, err := godbus.Connect(address)
	if err != nil {
		return nil, err
	}
	// godbus drops what there is no room for: 64 sessions tell more than 1024 before they are waited
	// for.
	c := &client{conn, make(chan *godbus.Signal, 16<<10)}
	conn.Signal(c.signals)
	if err := conn.AddMatchSignal(godbus.WithMatchSender(busName)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (c *client) close() { _ = c.conn.Close() }

// call calls a method of the loopback interface.
func (c *client) call(method string, args ...any) error {
	for i, a := range args {
		if _, ok := a.(map[string]any); ok {
			args[i] = map[string]godbus.Variant{}
		}
	}
	return c.conn.Object(busName, "/fi/w1/wps/interfaces/lo").Call(busName+"."+method, 0, args...).Err
}

// wait waits for a signal of the External Registrar.
func (c *client) wait(member string) error {
	late := time.After(oneStep)
	for {
		select {
		case s := <-c.signals:
			if s.Name == busName+".ER."+member {
				return nil
			}
			if s.Name == busName+".Session.Failed" {
				return fmt.Errorf("the session failed: %v", s.Body)
			}
		case <-late:
			return fmt.Errorf("no %s within %v", member, oneStep)
		}
	}
}

// rival is wpa_supplicant, without a radio.
type rival struct {
	cmd    *exec.Cmd
	socket *net.UnixConn
	own    string
	events []string
}

// errNoRival means that wpa_supplicant is not installed.
var errNoRival = errors.New("wpa_supplicant is not installed")

func startRival(dir string) (*rival, error) {
	program := ""
	for _, at := range []string{"/usr/sbin/wpa_supplicant", "/sbin/wpa_supplicant"} {
		if _, err := os.Stat(at); err == nil {
			program = at
		}
	}
	if program == "" {
		return nil, errNoRival
	}
	control, config := filepath.Join(dir, "control"), filepath.Join(dir, "conf")
	text := "ctrl_interface=" + control + "\ndevice_name=External Registrar\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	r := &rival{cmd: exec.Command(program, "-D", "none", "-i", "lo", "-c", config),
		own: filepath.Join(dir, "own")}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	var err error
	for range 100 {
		r.socket, err = net.DialUnix("unixgram", &net.UnixAddr{Name: r.own, Net: "unixgram"},
			&net.UnixAddr{Name: filepath.Join(control, "lo"), Net: "unixgram"})
		if err == nil {
			return r, r.ask("ATTACH")
		}
		_ = os.Remove(r.own) // it is bound before the other side is looked for
		time.Sleep(50 * time.Millisecond)
	}
	r.quit()
	return nil, err
}

func (r *rival) pid() int { return r.cmd.Process.Pid }

// read takes one datagram: an answer, or an event, which begins with its level.
func (r *rival) read() (string, error) {
	buffer := make([]byte, 4096)
	if err := r.socket.SetReadDeadline(time.Now().Add(oneStep)); err != nil {
		return "", err
	}
	n, err := r.socket.Read(buffer)
	return string(buffer[:n]), err
}

// ask sends a command that is answered with OK.
func (r *rival) ask(command string) error {
	if _, err := r.socket.Write([]byte(command)); err != nil {
		return err
	}
	for {
		text, err := r.read()
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(text, "<"):
			r.events = append(r.events, text)
		case strings.TrimSpace(text) != "OK":
			return fmt.Errorf("%s: %s", command, text)
		default:
			return nil
		}
	}
}

// wait waits for an event.
func (r *rival) wait(name string) error {
	for {
		for len(r.events) > 0 {
			text := r.events[0]
			r.events = r.events[1:]
			if strings.Contains(text, name) {
				return nil
			}
		}
		text, err := r.read()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.events = append(r.events, text)
	}
}

func (r *rival) start(aps int) error {
	if err := r.ask("WPS_ER_START"); err != nil {
		return err
	}
	for range aps {
		if err := r.wait("WPS-ER-AP-ADD"); err != nil {
			return err
		}
	}
	return nil
}

func (r *rival) end() error {
	r.events = nil
	return r.ask("WPS_ER_STOP")
}

func (r *rival) learn(uuid wsc.UUID) error {
	if err := r.ask("WPS_ER_LEARN " + uuid.String() + " " + apPIN); err != nil {
		return err
	}
	return r.wait("WPS-ER-AP-SETTINGS")
}

func (r *rival) quit() {
	if r.socket != nil {
		_ = r.socket.Close()
	}
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	_ = r.cmd.Wait() // how it ended is not what is measured
}

// kib reads a line of a file of /proc that is in kB.
func kib(path, name string) (uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}

// anonymous is what a process alone has in memory, besides its program.
func anonymous(pid int) (uint64, error) {
	return kib(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Anonymous")
}

// resident is what a process has in memory.
func resident(pid int) (uint64, error) { return kib(fmt.Sprintf("/proc/%d/status", pid), "VmRSS") }

// threads calls do with the folder of each thread of a process.
func threads(pid int, do func(folder string)) {
	tasks := fmt.Sprintf("/proc/%d/task", pid)
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return // the process has ended, and the next step says so
	}
	for _, e := range entries {
		do(filepath.Join(tasks, e.Name()))
	}
}

// cpuOf is the processor time that a process has used: what the scheduler counts for each thread,
// in nanoseconds. /proc/PID/stat counts in 10 ms. Go hardly ever ends a thread.
func cpuOf(pid int) (sum time.Duration) {
	threads(pid, func(folder string) {
		b, err := os.ReadFile(filepath.Join(folder, "schedstat"))
		if err != nil {
			return
		}
		first, _, _ := strings.Cut(string(b), " ")
		if n, err := strconv.ParseInt(first, 10, 64); err == nil {
			sum += time.Duration(n)
		}
	})
	return sum
}

// switchesOf is how often the threads of a process gave a processor away, or had it taken.
func switchesOf(pid int) (sum int64) {
	threads(pid, func(folder string) {
		b, err := os.ReadFile(filepath.Join(folder, "status"))
		if err != nil {
			return
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(line, ":")
			if strings.HasSuffix(name, "voluntary_ctxt_switches") {
				if n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
					sum += n
				}
			}
		}
	})
	return sum
}
