// Erscale measures the External Registrar with as many access points as a large building has: wpsd
// as a whole, on a bus and in a network of their own, and simulated access points on the loopback
// interface beside it. It prints
//
//   - how long it takes until all are found and subscribed to, and what CPU time;
//   - how much memory each access point costs, at several numbers of them;
//   - the CPU time of wpsd while nothing happens;
//   - whether a flood of events is taken, and how long it takes meanwhile to learn an access point.
//
// It needs no root where user namespaces are allowed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"wpsd/test/testbus"
)

// inside is set for the run in the network of its own.
const inside = "ERSCALE_INSIDE"

// settle is how long wpsd needs to give back what finding access points has left behind.
const settle = 12 * time.Second

// plan is what to measure.
type plan struct {
	programs string // where wpsd and wpsctl are
	aps      int
	idle     time.Duration
	events   int
	flood    time.Duration
}

func main() {
	var p plan
	flag.StringVar(&p.programs, "programs", "build", "directory of wpsd and wpsctl")
	flag.IntVar(&p.aps, "aps", 1000, "access points")
	flag.DurationVar(&p.idle, "idle", 30*time.Second, "how long to look at wpsd doing nothing")
	flag.IntVar(&p.events, "events", 10000, "events of the flood")
	flag.DurationVar(&p.flood, "flood", 10*time.Second, "how long the flood takes")
	flag.Parse()
	run := func() error { return p.run() }
	if os.Getenv(inside) == "" {
		run = again
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "erscale:", err)
		os.Exit(1)
	}
}

// again runs this program in a network of its own: nobody else's access points are heard there.
func again() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET,
		Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0,
			HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0,
			HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("in a network of its own: %w", err)
	}
	return nil
}

func (p *plan) run() (err error) {
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip link set lo up: %w: %s", err, out)
	}
	bus, err := testbus.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bus.Close()) }()
	state, err := os.MkdirTemp("", "erscale")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(state)) }()
	d, err := startDaemon(p.programs, bus.Address, state)
	if err != nil {
		return err
	}
	defer d.stop()
	home, err := newHouse()
	if err != nil {
		return err
	}
	defer home.close()
	for _, step := range []func(*daemon, *house) error{p.grow, p.findAll, p.rest, p.storm} {
		if err := step(d, home); err != nil {
			return err
		}
	}
	return nil
}

// grow adds access points in steps, and looks at what each costs.
func (p *plan) grow(d *daemon, h *house) error {
	if err := d.control("er", "start"); err != nil {
		return err
	}
	time.Sleep(5 * time.Second) // searches are over, and what starting took is given back
	first, err := d.memory()
	if err != nil {
		return err
	}
	fmt.Printf("wpsd with no access point: %d KiB (anonymous)\n", first>>10)
	for _, n := range []int{p.aps / 4, p.aps / 2, p.aps} {
		if err := h.add(n - len(h.devices)); err != nil {
			return err
		}
		if err := h.wait(n); err != nil {
			return err
		}
		time.Sleep(settle)
		now, err := d.memory()
		if err != nil {
			return err
		}
		fmt.Printf("with %d access points: %d KiB, %.1f KiB for each\n", n, now>>10,
			float64(int64(now)-int64(first))/1024/float64(n))
	}
	return nil
}

// findAll starts the External Registrar anew: all answer its search.
func (p *plan) findAll(d *daemon, h *house) error {
	if err := d.control("er", "stop"); err != nil {
		return err
	}
	if err := h.wait(0); err != nil {
		return err
	}
	cpu, start := d.cpu(), time.Now()
	if err := d.control("er", "start"); err != nil {
		return err
	}
	if err := h.wait(p.aps); err != nil {
		return err
	}
	took := time.Since(start)
	fmt.Printf("start to %d access points found and subscribed to: %v, %v CPU of wpsd\n", p.aps,
		took.Round(time.Millisecond), d.cpu()-cpu)
	return nil
}

// rest looks at wpsd doing nothing.
func (p *plan) rest(d *daemon, _ *house) error {
	time.Sleep(settle)
	cpu := d.cpu()
	time.Sleep(p.idle)
	used := d.cpu() - cpu
	fmt.Printf("idle for %v with %d access points: %v CPU, %.3f %%\n", p.idle, p.aps, used,
		100*used.Seconds()/p.idle.Seconds())
	return nil
}

// storm floods wpsd with events, and learns access points meanwhile.
func (p *plan) storm(d *daemon, h *house) error {
	quiet, err := d.learn(h)
	if err != nil {
		return err
	}
	quietRun := h.devices[0].learned()
	cpu := d.cpu()
	done := make(chan flooded, 1)
	go func() { done <- h.flood(p.events, p.flood) }()
	var times []time.Duration
	for {
		select {
		case f := <-done:
			used := d.cpu() - cpu
			now, err := d.memory()
			if err != nil {
				return err
			}
			time.Sleep(settle)
			later, err := d.memory()
			if err != nil {
				return err
			}
			fmt.Printf("flood: %d of %d events taken in %v, the slowest answer after %v; %v CPU of wpsd; %d KiB afterwards, %d KiB %v later\n", f.taken, p.events,
				f.took.Round(time.Millisecond), f.slowest.Round(time.Millisecond), used, now>>10,
				later>>10, settle)
			ms := time.Millisecond
			runs := h.devices[0].learned()
			fmt.Printf("learn, from the first request to the last: %v before the flood; median %v and at most %v in it\n",
				median(quietRun).Round(ms), median(runs).Round(ms), most(runs).Round(ms))
			fmt.Printf("learn, wpsctl included, which asks for all objects: %v before the flood; median %v and at most %v in it (%d times, none failed)\n",
				quiet.Round(ms), median(times).Round(ms), most(times).Round(ms), len(times))
			if f.taken != p.events {
				return fmt.Errorf("%d events were not taken: %w", p.events-f.taken, f.err)
			}
			return nil
		default:
		}
		took, err := d.learn(h)
		if err != nil {
			return fmt.Errorf("learn in the flood: %w", err)
		}
		times = append(times, took)
	}
}
