package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"wpsd/engine/wsc"
	"wpsd/test/figures"
	"wpsd/test/testbus"
)

// Beside wpa_supplicant: the same few access points for both, one daemon after the other, natively.
// What counts here is CPU time, wake-ups and memory, as the kernel counts them; how long a run
// takes is what test/hwsim/compare er measures, in virtual time.

const (
	besideAPs    = 7
	besideStarts = 6  // the first is left out: it is in no cache
	besideLearns = 15 // the same
	// besidePause is after a run: what the daemon does ahead of the next one counts for this one.
	besidePause = 700 * time.Millisecond
	// besideRest is when wpsd has given back what runs have left behind.
	besideRest = 65 * time.Second
)

// contestant is a daemon as External Registrar.
type contestant interface {
	pid() int
	start(aps int) error       // until so many access points are found
	end() error                // as External Registrar
	learn(uuid wsc.UUID) error // until the settings are known
	quit()                     // the daemon
}

// spent is what a process has used.
type spent struct {
	cpu      time.Duration
	switches float64 // of its threads, away from a processor
}

func usage(pid int) spent { return spent{cpuOf(pid), float64(switchesOf(pid))} }

// result is what one contestant used: medians.
type result struct {
	start, learn   spent
	took           time.Duration // of a learn
	found, learned uint64        // anonymous memory, with all access points and after all runs
	rested         uint64        // a minute later
	resident       uint64
}

// beside measures both and adds the rows.
func (p *plan) beside(t *figures.Table) error {
	rival, err := p.contest(func(dir string, _ *house) (contestant, error) {
		return startRival(dir)
	})
	if errors.Is(err, errNoRival) {
		fmt.Println("wpa_supplicant is not installed: nothing is measured beside it")
		return nil
	}
	if err != nil {
		return fmt.Errorf("wpa_supplicant: %w", err)
	}
	own, err := p.contest(func(dir string, _ *house) (contestant, error) {
		return startOurs(p.programs, dir)
	})
	if err != nil {
		return fmt.Errorf("wpsd: %w", err)
	}
	least, err := p.contest(func(_ string, h *house) (contestant, error) { return startBare(h) })
	if err != nil {
		return fmt.Errorf("the requests alone: %w", err)
	}
	row := func(name, unit string, rival, own, aim float64) {
		t.Add(figures.Row{Name: name, Unit: unit, Rival: rival, Own: own, Aim: aim})
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	row("start with 7 access points, CPU", "ms", ms(rival.start.cpu), ms(own.start.cpu), 2.5)
	row("start with 7 access points, context switches", "", rival.start.switches,
		own.start.switches, 0)
	row("learn, CPU", "ms", ms(rival.learn.cpu), ms(own.learn.cpu), 1.5)
	row("learn, context switches", "", rival.learn.switches, own.learn.switches, 0)
	// without an aim: the limit of the rows above
	row("start, the requests alone in Go, CPU", "ms", ms(rival.start.cpu), ms(least.start.cpu), 0)
	row("learn, the requests alone in Go, CPU", "ms", ms(rival.learn.cpu), ms(least.learn.cpu), 0)
	row("learn, the requests alone in Go, context switches", "", rival.learn.switches,
		least.learn.switches, 0)
	row("anonymous memory, the requests alone in Go", "KiB", float64(rival.learned>>10),
		float64(least.learned>>10), 0)
	row("learn, from the call to the settings", "ms", ms(rival.took), ms(own.took), 1.2)
	row("anonymous memory with 7 access points", "KiB", float64(rival.found>>10),
		float64(own.found>>10), 0)
	// 4 MB beside the 1.46 MB that wpa_supplicant takes
	row("anonymous memory after 15 learns", "KiB", float64(rival.learned>>10),
		float64(own.learned>>10), 4096/1495.0)
	row("anonymous memory a minute later", "KiB", float64(rival.rested>>10),
		float64(own.rested>>10), 4096/1495.0)
	row("resident memory after 15 learns", "KiB", float64(rival.resident>>10),
		float64(own.resident>>10), 0)
	return nil
}

// contest measures one of them, in a house of its own.
func (p *plan) contest(start func(dir string, h *house) (contestant, error)) (r result,
	err error) {
	dir, err := os.MkdirTemp("", "erscale")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	home, err := newHouse()
	if err != nil {
		return r, err
	}
	defer home.close()
	if err := home.add(besideAPs); err != nil {
		return r, err
	}
	c, err := start(dir, home)
	if err != nil {
		return r, err
	}
	defer c.quit()
	time.Sleep(besidePause)
	var starts, learns []spent
	for n := range besideStarts {
		before := usage(c.pid())
		if err := c.start(besideAPs); err != nil {
			return r, err
		}
		time.Sleep(besidePause)
		starts = append(starts, since(c.pid(), before))
		if n < besideStarts-1 {
			if err := c.end(); err != nil {
				return r, err
			}
			time.Sleep(besidePause)
		}
	}
	if r.found, err = anonymous(c.pid()); err != nil {
		return r, err
	}
	var took []time.Duration
	for n := range besideLearns {
		before, began := usage(c.pid()), time.Now()
		if err := c.learn(home.devices[n%besideAPs].UUID()); err != nil {
			return r, fmt.Errorf("learn %d: %w", n, err)
		}
		took = append(took, time.Since(began))
		time.Sleep(besidePause)
		learns = append(learns, since(c.pid(), before))
	}
	if r.learned, err = anonymous(c.pid()); err != nil {
		return r, err
	}
	if r.resident, err = resident(c.pid()); err != nil {
		return r, err
	}
	time.Sleep(besideRest)
	r.rested, err = anonymous(c.pid())
	r.start, r.learn, r.took = middle(starts[1:]), middle(learns[1:]), median(took[1:])
	return r, err
}

func since(pid int, before spent) spent {
	now := usage(pid)
	return spent{now.cpu - before.cpu, now.switches - before.switches}
}

// middle is the median of each figure.
func middle(all []spent) spent {
	cpu, switches := make([]time.Duration, 0, len(all)), make([]float64, 0, len(all))
	for _, s := range all {
		cpu, switches = append(cpu, s.cpu), append(switches, s.switches)
	}
	slices.Sort(switches)
	return spent{median(cpu), switches[len(switches)/2]}
}

// ours is wpsd with a client on its bus.
type ours struct {
	bus    *testbus.Bus
	daemon *daemon
	client *client
}

func startOurs(programs, dir string) (*ours, error) {
	bus, err := testbus.Start()
	if err != nil {
		return nil, err
	}
	o := &ours{bus: bus}
	if o.daemon, err = startDaemon(programs, bus.Address, filepath.Join(dir, "state")); err != nil {
		return nil, errors.Join(err, bus.Close())
	}
	if o.client, err = dial(bus.Address); err != nil {
		o.quit()
		return nil, err
	}
	return o, nil
}

func (o *ours) pid() int { return o.daemon.cmd.Process.Pid }

func (o *ours) start(aps int) error {
	if err := o.client.call("ER.Start", map[string]any{}); err != nil {
		return err
	}
	for range aps {
		if err := o.client.wait("AccessPointAdded"); err != nil {
			return err
		}
	}
	return nil
}

func (o *ours) end() error { return o.client.call("ER.Stop") }

func (o *ours) learn(uuid wsc.UUID) error {
	if err := o.client.call("ER.Learn", uuid.String(), apPIN, map[string]any{}); err != nil {
		return err
	}
	return o.client.wait("ApSettings")
}

func (o *ours) quit() {
	if o.client != nil {
		o.client.close()
	}
	o.daemon.stop()
	_ = o.bus.Close()
}
