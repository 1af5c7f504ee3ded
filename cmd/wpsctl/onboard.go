package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// onboardPause is between tries, so that what fails at once is not tried without end.
const onboardPause = 5 * time.Second

// onboarding says how long to wait for what.
type onboarding struct {
	grace, limit time.Duration
	links        string // where the kernel tells of network interfaces
}

// newOnboard waits for a button where no network is known.
func newOnboard(a *app) *cobra.Command {
	o := onboarding{links: "/sys/class/net"}
	cmd := &cobra.Command{
		Use:   "onboard",
		Short: "Wait for a router's button where this machine is in no network",
		Long: `Onboard is for a machine without screen or keyboard, at boot: it leaves the network manager some time to join a network that it
knows. If it is in none then, it runs push button again and again for some time: press the WPS button of the router, and the machine
is in its network. It ends as soon as there is a connection, or when the time is over. Where the radio has room for it the manager
goes on looking meanwhile.

As a service at boot: systemctl enable wpsd-onboard.service`,
		Example: `  wpsctl onboard --for 30m`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.grace < 0 || o.limit <= 0 {
				return usagef("--grace and --for are times, such as 30s or 10m")
			}
			a.running = true
			return a.onboard(cmd.Context(), o)
		},
	}
	cmd.Flags().DurationVar(&o.grace, "grace", 45*time.Second,
		"`TIME` for the network manager to join a network that it knows")
	cmd.Flags().DurationVar(&o.limit, "for", 10*time.Minute, "`TIME` to wait for a button")
	return cmd
}

// onboard runs the command.
func (a *app) onboard(ctx context.Context, o onboarding) error {
	grace, cancel := context.WithTimeout(ctx, o.grace)
	defer cancel()
	for o.sleep(grace, time.Second) {
		if a.inNetwork(ctx, o) {
			a.printf("This machine is in a network: there is nothing to do.\n")
			return nil
		}
	}
	ctx, cancel = context.WithTimeoutCause(ctx, o.limit, errNoButton)
	defer cancel()
	for tried := false; ; tried = true {
		if a.inNetwork(ctx, o) {
			a.printf("This machine is in a network.\n")
			return nil
		}
		if tried && !o.sleep(ctx, onboardPause) {
			break
		}
		err := a.withClient(ctx, func(c *client) error {
			return a.pbc(ctx, c, enrollFlags{beside: true})
		})
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		a.report(err)
		f := a.asFailure(err)
		if f.Exit == exitNotAuthorized || f.Exit == exitUsage {
			return &failure{Exit: f.Exit, Text: f.Text, Hint: f.Hint, told: true}
		}
	}
	if errors.Is(context.Cause(ctx), errNoButton) {
		a.printf("No button was pressed in time.\n")
		return nil
	}
	return ctx.Err()
}

// errNoButton is why waiting ends without a connection.
var errNoButton = errors.New("no button was pressed in time")

// sleep waits; false: ctx has ended.
func (onboarding) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// inNetwork reports whether this machine is in a network by radio. An access point of its own is up
// as well, and is none: which interfaces those are wpsd knows, which is asked only where no interface
// was named and one is up. Without its word one that is up counts.
func (a *app) inNetwork(ctx context.Context, o onboarding) bool {
	up := o.connected(a.ifname)
	if a.ifname != "" || len(up) == 0 {
		return len(up) > 0
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_ = a.withClient(ctx, func(c *client) error {
		t, err := c.objects(ctx)
		if err != nil {
			return err
		}
		for _, i := range t.Interfaces {
			if i.Mode == "ap" {
				up = slices.DeleteFunc(up, func(name string) bool { return name == i.Name })
			}
		}
		return nil
	})
	return len(up) > 0
}

// connected names the interfaces, of this name or, without one, with a radio, on which data can flow
// (Linux, Documentation/networking/operstates.rst). One of wpsd's own does not count.
func (o onboarding) connected(ifname string) (up []string) {
	names := []string{ifname}
	if ifname == "" {
		radios, _ := filepath.Glob(filepath.Join(o.links, "*", "phy80211"))
		names = names[:0]
		for _, r := range radios {
			if name := filepath.Base(filepath.Dir(r)); !strings.HasPrefix(name, "wps") {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		state, err := os.ReadFile(filepath.Join(o.links, filepath.Base(name), "operstate"))
		if err == nil && strings.TrimSpace(string(state)) == "up" {
			up = append(up, name)
		}
	}
	return up
}
