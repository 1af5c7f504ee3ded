package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newStatus shows what wpsd is and does.
func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the service, its interfaces and what is going on",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.show(cmd, func(t *tree) any { return t }, func(t *tree) error {
				return writeStatus(a.out, t, time.Now())
			})
		},
	}
}

// writeStatus prints the status for people.
func writeStatus(w io.Writer, t *tree, now time.Time) error {
	m := t.Manager
	name := ""
	if m.DeviceName != "" {
		name = ", this device is " + printable(m.DeviceName)
	}
	fmt.Fprintf(w, "wpsd %s%s, UUID %s\n", printable(m.Version), name, orDash(m.UUID))
	fmt.Fprintln(w)
	if err := writeInterfaces(w, t, now); err != nil {
		return err
	}
	writeEnrollees(w, t.Enrollees)
	waiting := ""
	if m.Waiting > 0 {
		waiting = " " + count(int(m.Waiting), "received network waits", "received networks wait") +
			` for a program to take them: "wpsctl agent" does.`
	}
	if len(m.Managers) > 0 {
		waiting += "\nNetwork managers that it knows: " + printable(strings.Join(m.Managers, ", ")) + "."
	}
	_, err := fmt.Fprintf(w, "\n%s with WPS in range, %s stored.\n%s%s\n",
		count(len(t.AccessPoints), "access point", "access points"),
		count(len(t.Networks), "network", "networks"), processingText(m.Processing), waiting)
	return err
}

// doing says in a few words what an interface is busy with.
func doing(t *tree, n netif, now time.Time) string {
	for _, s := range t.Sessions {
		if s.Path == n.Session {
			text := fmt.Sprintf("%s, %s", s.Method, s.State)
			if s.Message != "" {
				text += " " + s.Message
			}
			if left := s.left(now); left > 0 {
				text += fmt.Sprintf(", %s left", clock(left))
			}
			return printable(text)
		}
	}
	if n.Scan {
		return "scanning"
	}
	if n.ER {
		return "External Registrar"
	}
	if n.Online {
		return "connected"
	}
	return "idle"
}

// count is "1 network" or "3 networks".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// clock shows a duration as minutes and seconds, rounded up so that it begins at 2:00 and does not
// end at 0:00 early.
func clock(d time.Duration) string {
	s := max(0, int((d+time.Second-1)/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// newCancel ends the session of an interface.
func newCancel(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel [SESSION]",
		Short: "Cancel the session of the interface, or the one named",
		Long: `Cancel ends the session in progress on the interface (see --interface), or the session that is named by its number
or D-Bus path, and gives the interface back.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.cancel(cmd.Context(), c, args)
			})
		},
	}
}

// cancel cancels the session that args name, or the interface's.
func (a *app) cancel(ctx context.Context, c *client, args []string) error {
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	if len(args) == 1 {
		s, err := t.session(args[0])
		if err != nil {
			return err
		}
		return c.call(ctx, s.Path, sessionIface+".Cancel", nil)
	}
	n, err := t.busyInterface(a.ifname)
	if err != nil {
		return err
	}
	return c.call(ctx, n.Path, interfaceIface+".Cancel", nil)
}

// busyInterface picks the interface whose session is to be canceled: the named one, else the first
// with a session, else the default, whose answer then says that there is none.
func (t *tree) busyInterface(name string) (netif, error) {
	for _, n := range t.Interfaces {
		if name == "" && n.Session != "" {
			return n, nil
		}
	}
	return t.pickInterface(name)
}

// withClient runs f with a connection.
func (a *app) withClient(ctx context.Context, f func(c *client) error) error {
	a.running = true
	c, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	return f(c)
}

// show gets all objects and prints what is chosen of them, as JSON or for people.
func (a *app) show(cmd *cobra.Command, choose func(t *tree) any, write func(t *tree) error) error {
	return a.withClient(cmd.Context(), func(c *client) error {
		t, err := c.objects(cmd.Context())
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(choose(t))
		}
		return write(t)
	})
}
