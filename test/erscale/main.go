// Erscale measures the External Registrar with as many access points as a large building has: wpsd
// as a whole, on a bus and in a network of their own, and simulated access points on the loopback
// interface beside it. It prints
//
//   - how long it takes until all are found and subscribed to, and what CPU time;
//   - how much memory each access point costs, at several numbers of them;
//   - the CPU time of wpsd while nothing happens;
//   - beside wpa_supplicant, with a few access points: CPU time, context switches and memory, and
//     what a start of the daemon costs;
//   - how the costs of a session grow with 64 of them at once, and with 500 clients that follow;
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

	"wpsd/test/figures"
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
	quick    bool
	kept     string
	keep     bool
	table    figures.Table
}

func main() {
	var p plan
	flag.StringVar(&p.programs, "programs", "build", "directory of wpsd and wpsctl")
	flag.IntVar(&p.aps, "aps", 1000, "access points")
	flag.DurationVar(&p.idle, "idle", 30*time.Second, "how long to look at wpsd doing nothing")
	flag.IntVar(&p.events, "events", 10000, "events of the flood")
	flag.DurationVar(&p.flood, "flood", 10*time.Second, "how long the flood takes")
	flag.BoolVar(&p.quick, "quick", false, "without the thousand access points")
	flag.StringVar(&p.kept, "kept", "test/erscale/kept", "file of the figures kept")
	flag.BoolVar(&p.keep, "keep", false, "write the figures of this run into it")
	flag.Parse()
	run := func() error { return p.run() }
	switch {
	case os.Getenv(bareInside) != "":
		run = beBare
	case os.Getenv(inside) == "":
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

func (p *plan) run() error {
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip link set lo up: %w: %s", err, out)
	}
	p.table = figures.Table{Title: "External Registrar, natively, medians", Rival: "wpa_supplicant"}
	if err := p.beside(&p.table); err != nil {
		return err
	}
	if err := p.starts(&p.table); err != nil {
		return err
	}
	if err := p.crowd(&p.table); err != nil {
		return err
	}
	if !p.quick {
		if err := p.many(); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(p.kept)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	kept, err := figures.ReadKept(string(text))
	if err != nil {
		return err
	}
	fmt.Println()
	p.table.Print(os.Stdout, kept)
	if !p.keep {
		return nil
	}
	return os.WriteFile(p.kept, []byte(p.table.Keep()), 0o644)
}

// many measures wpsd alone, with as many access points as there are in a large building.
func (p *plan) many() (err error) {
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

// row adds a row that has no rival.
func (p *plan) row(name, unit string, own, aim float64) {
	p.table.Add(figures.Row{Name: name, Unit: unit, Own: own, Aim: aim})
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
	var each float64
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
		each = float64(int64(now)-int64(first)) / 1024 / float64(n)
		fmt.Printf("with %d access points: %d KiB, %.1f KiB for each\n", n, now>>10, each)
	}
	p.row(fmt.Sprintf("anonymous memory for each of %d access points", p.aps), "KiB", each, 6)
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
	took, used := time.Since(start), d.cpu()-cpu
	p.row(fmt.Sprintf("found and subscribed to, CPU for each of %d access points", p.aps), "µs",
		used.Seconds()*1e6/float64(p.aps), 0)
	fmt.Printf("start to %d access points found and subscribed to: %v, %v CPU of wpsd\n", p.aps,
		took.Round(time.Millisecond), used)
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

// forgetting is when the devices of a flood are no longer among what wpsd shows: 300 s, and until
// their memory is given back.
const forgetting = 300*time.Second + settle

// forgotten looks at what stays of a flood for good.
func (p *plan) forgotten(d *daemon, before uint64) error {
	time.Sleep(forgetting)
	now, err := d.memory()
	if err != nil {
		return err
	}
	p.row("memory when the devices of the flood are forgotten, to before", "",
		float64(now)/float64(before), 1.25)
	return nil
}

// storm floods wpsd with events, and learns access points meanwhile.
func (p *plan) storm(d *daemon, h *house) error {
	before, err := d.memory()
	if err != nil {
		return err
	}
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
			// 1: all of what the flood took is given back
			p.row(fmt.Sprintf("memory %v after a flood of %d events, to before", settle, p.events),
				"", float64(later)/float64(before), 1.25)
			if err := p.forgotten(d, before); err != nil {
				return err
			}
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
