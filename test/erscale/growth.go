package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/figures"
	"wpsd/test/testbus"
)

// How wpsd starts, and how it grows: with sessions at once, and with clients that follow what
// happens. That of 1 is beside that of many, so the machine and its load are in both.

const (
	growthStarts   = 7 // the first is left out: it is in no cache
	growthSessions = 64
	growthClients  = 500
	growthRuns     = 5
)

// starts adds what a daemon's start costs, and what it has in memory while it does nothing.
func (p *plan) starts(t *figures.Table) error {
	rival, err := p.startsOf(func(dir string) (contestant, error) { return startRival(dir) })
	if errors.Is(err, errNoRival) {
		return nil // which beside says
	}
	if err != nil {
		return fmt.Errorf("wpa_supplicant: %w", err)
	}
	own, err := p.startsOf(func(dir string) (contestant, error) {
		return startOurs(p.programs, dir)
	})
	if err != nil {
		return fmt.Errorf("wpsd: %w", err)
	}
	t.Add(figures.Row{Name: "start of the daemon, CPU", Unit: "ms",
		Rival: rival.start.cpu.Seconds() * 1e3, Own: own.start.cpu.Seconds() * 1e3, Aim: 1.5})
	t.Add(figures.Row{Name: "anonymous memory, idle", Unit: "KiB",
		Rival: float64(rival.found >> 10), Own: float64(own.found >> 10)})
	t.Add(figures.Row{Name: "resident memory, idle", Unit: "KiB",
		Rival: float64(rival.resident >> 10), Own: float64(own.resident >> 10)})
	return nil
}

// startsOf starts one of them again and again, and leaves the last one alone for a while.
func (p *plan) startsOf(start func(dir string) (contestant, error)) (r result, err error) {
	var starts []spent
	for n := range growthStarts {
		used, err := func() (used spent, err error) {
			dir, err := os.MkdirTemp("", "erscale")
			if err != nil {
				return used, err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			c, err := start(dir)
			if err != nil {
				return used, err
			}
			defer c.quit()
			time.Sleep(besidePause)
			used = usage(c.pid())
			if n < growthStarts-1 {
				return used, nil
			}
			time.Sleep(settle)
			if r.found, err = anonymous(c.pid()); err == nil {
				r.resident, err = resident(c.pid())
			}
			return used, err
		}()
		if err != nil {
			return r, err
		}
		starts = append(starts, used)
	}
	r.start = middle(starts[1:])
	return r, nil
}

// crowd adds what wpsd does for many at once.
func (p *plan) crowd(t *figures.Table) (err error) {
	dir, err := os.MkdirTemp("", "erscale")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	home, err := newHouse()
	if err != nil {
		return err
	}
	defer home.close()
	if err := home.add(growthSessions); err != nil {
		return err
	}
	o, err := startOurs(p.programs, dir)
	if err != nil {
		return err
	}
	defer o.quit()
	if err := o.start(growthSessions); err != nil {
		return err
	}
	if err := home.wait(growthSessions); err != nil {
		return err
	}
	time.Sleep(besidePause)
	alone, _, err := o.together(home, 1)
	if err != nil {
		return err
	}
	many, took, err := o.together(home, growthSessions)
	if err != nil {
		return err
	}
	each := many.cpu.Seconds() / growthSessions
	t.Add(figures.Row{Name: fmt.Sprintf("CPU of each of %d sessions at once, to one alone",
		growthSessions), Own: each / alone.cpu.Seconds(), Aim: 1.25})
	fmt.Printf("%d sessions at once: the last ends after %v; each takes %.2f ms CPU, one alone %.2f ms\n",
		growthSessions, took.Round(time.Millisecond), each*1e3, alone.cpu.Seconds()*1e3)
	return o.followed(t, home, alone)
}

// followed adds what clients cost that follow, beside a session without them.
func (o *ours) followed(t *figures.Table, home *house, alone spent) error {
	before, err := anonymous(o.pid())
	if err != nil {
		return err
	}
	done, err := follow(o.bus, growthClients)
	if err != nil {
		return err
	}
	defer done()
	crowded, took, err := o.together(home, 1)
	if err != nil {
		return err
	}
	after, err := anonymous(o.pid())
	if err != nil {
		return err
	}
	t.Add(figures.Row{Name: fmt.Sprintf("CPU of a session with %d clients that follow, to with one",
		growthClients), Own: crowded.cpu.Seconds() / alone.cpu.Seconds(), Aim: 1.5})
	fmt.Printf("%d clients follow: a session takes %v and %.2f ms CPU; anonymous memory %d KiB before, %d KiB with them\n",
		growthClients, took.Round(time.Millisecond), crowded.cpu.Seconds()*1e3,
		before>>10, after>>10)
	return nil
}

// together learns so many access points at once, some times; the first time is left out.
func (o *ours) together(h *house, count int) (used spent, took time.Duration, err error) {
	var all []spent
	var times []time.Duration
	for range growthRuns + 1 {
		before, began := usage(o.pid()), time.Now()
		for _, d := range h.devices[:count] {
			if err := o.client.call("ER.Learn", d.UUID().String(), apPIN,
				map[string]any{}); err != nil {
				return used, took, err
			}
		}
		for range count {
			if err := o.client.wait("ApSettings"); err != nil {
				return used, took, err
			}
		}
		times = append(times, time.Since(began))
		time.Sleep(besidePause)
		all = append(all, since(o.pid(), before))
	}
	return middle(all[1:]), median(times[1:]), nil
}

// follow connects so many clients, each of which follows all that wpsd says and has asked for all
// objects.
func follow(bus *testbus.Bus, count int) (done func(), err error) {
	var all []*client
	done = func() {
		for _, c := range all {
			c.close()
		}
	}
	for range count {
		c, err := dial(bus.Address)
		if err != nil {
			done()
			return nil, err
		}
		all = append(all, c)
		go func() { // ends with the connection
			for range c.signals {
			}
		}()
		if err := c.conn.Object(busName, godbus.ObjectPath("/fi/w1/wps")).Call(
			"org.freedesktop.DBus.ObjectManager.GetManagedObjects", 0).Err; err != nil {
			done()
			return nil, err
		}
	}
	return done, nil
}
