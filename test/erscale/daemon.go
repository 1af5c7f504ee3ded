package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// daemon is a running wpsd.
type daemon struct {
	programs string
	bus      string
	cmd      *exec.Cmd
	log      bytes.Buffer
}

// startDaemon starts wpsd and waits until it answers.
func startDaemon(programs, bus, state string) (*daemon, error) {
	d := &daemon{programs: programs, bus: bus}
	d.cmd = exec.Command(filepath.Join(programs, "wpsd"), "--config", "/dev/null", "--driver",
		"none", "--interface", "lo", "--state-dir", state, "--bus", bus)
	d.cmd.Stderr = &d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	var err error
	for range 100 {
		if err = d.control("interfaces"); err == nil {
			return d, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.stop()
	return nil, fmt.Errorf("wpsd does not start: %w; it says: %s", err, d.log.String())
}

func (d *daemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait() // how it ended is not what is measured
}

// control runs wpsctl.
func (d *daemon) control(arguments ...string) error {
	cmd := exec.Command(filepath.Join(d.programs, "wpsctl"),
		append([]string{"--bus", d.bus}, arguments...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("wpsctl %s: %w: %s", strings.Join(arguments, " "), err, out)
	}
	return nil
}

// learn learns the first access point, and tells how long that took.
func (d *daemon) learn(h *house) (time.Duration, error) {
	start := time.Now()
	err := d.control("er", "learn", h.devices[0].mac.String(), apPIN)
	return time.Since(start), err
}

// memory is what wpsd alone has in memory, besides its program.
func (d *daemon) memory() (uint64, error) { return anonymous(d.cmd.Process.Pid) }

func (d *daemon) cpu() time.Duration { return cpuOf(d.cmd.Process.Pid) }

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func most(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return slices.Max(all)
}
