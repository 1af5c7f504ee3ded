package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// newER groups the commands of the External Registrar.
func newER(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "er",
		Short: "Manage access points over the network, and let devices in there",
		Long: `Er steers the External Registrar: wpsd finds access points in the local network (over UPnP, a wire will do), reads and
changes their settings with their PIN, hears through them which devices want in, and lets those in that you allow.

An access point is named by its UUID, its BSSID, its IPv4 address, its SSID where a radio hears it, or its NAME in the list; a
device by its UUID, its MAC address or its NAME. Without a command, Er lists the access points as "wpsctl er aps" does. All that access points and
devices say of themselves can be said by anybody in the network.`,
		Example: `  wpsctl er start
  wpsctl er aps
  wpsctl er learn 02:00:00:00:01:00
  wpsctl er pbc any`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listER(a, cmd, "access_points",
				func(t *tree) []erAccessPoint { return t.ERAccessPoints },
				func(ap erAccessPoint) string { return ap.Interface }, writeERAccessPoints)
		},
	}
	cmd.AddCommand(newERStart(a), newERStop(a), newERAPs(a), newEREnrollees(a), newERLearn(a),
		newERSetConfig(a), newERConfigure(a),
		newERPBC(a), newERPIN(a), newERMonitor(a))
	return cmd
}

// onER runs a command on the interface of the External Registrar.
func (a *app) onER(cmd *cobra.Command,
	do func(ctx context.Context, c *client, t *tree, n netif) error) error {
	return a.onERAt(cmd, (*tree).pickER, do)
}

// onRunningER is onER for what needs the External Registrar to run.
func (a *app) onRunningER(cmd *cobra.Command,
	do func(ctx context.Context, c *client, t *tree, n netif) error) error {
	return a.onER(cmd, func(ctx context.Context, c *client, t *tree, n netif) error {
		if !n.ER {
			return &failure{Exit: exitNotFound, Name: errorPrefix + "NotRunning",
				Text: "no External Registrar runs on " + printable(n.Name), Hint: erStartHint}
		}
		return do(ctx, c, t, n)
	})
}

// onERAt is onER on the interface that pick finds.
func (a *app) onERAt(cmd *cobra.Command, pick func(t *tree, name string) (netif, error),
	do func(ctx context.Context, c *client, t *tree, n netif) error) error {
	return a.withClient(cmd.Context(), func(c *client) error {
		t, err := c.objects(cmd.Context())
		if err != nil {
			return err
		}
		n, err := pick(t, a.ifname)
		if err != nil {
			return err
		}
		return do(cmd.Context(), c, t, n)
	})
}

// newERStart starts it.
func newERStart(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "start [ADDRESS]",
		Short: "Start looking for access points in the network",
		Long: `Start makes wpsd an External Registrar on a network interface, until "wpsctl er stop". Without --interface that is the only
one, or the only one with an IPv4 address, or the only one of these with the default route; otherwise it has to be named.
An interface without a radio is added first (see "wpsctl interfaces add").

With the IPv4 address of an access point it deals with that one only. If it runs already, everything that it knows is told
again to whoever listens (see "wpsctl er monitor").`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			pick := func(t *tree, name string) (netif, error) { return t.pickERStart(name, lanOf) }
			return a.onERAt(cmd, pick,
				func(ctx context.Context, c *client, _ *tree, n netif) error {
					o := options{"detach": godbus.MakeVariant(true)}
					if len(args) == 1 {
						o["address"] = godbus.MakeVariant(args[0])
					}
					if err := c.call(ctx, n.Path, erIface+".Start", nil, o); err != nil {
						return err
					}
					return a.showER(n, true)
				})
		},
	}
}

// newERStop stops it.
func newERStop(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop it, and all that it does",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onER(cmd, func(ctx context.Context, c *client, _ *tree, n netif) error {
				if err := c.call(ctx, n.Path, erIface+".Stop", nil); err != nil {
					return err
				}
				return a.showER(n, false)
			})
		},
	}
}

// showER says whether it runs.
func (a *app) showER(n netif, running bool) error {
	switch {
	case a.json:
		return a.printJSON(map[string]any{"interface": n.Name, "running": running})
	case running:
		a.printf("The External Registrar runs on %s. \"wpsctl er aps\" lists the access points that it has found.\n", printable(n.Name))
	default:
		a.printf("The External Registrar on %s is stopped.\n", printable(n.Name))
	}
	return nil
}

// newERAPs lists access points.
func newERAPs(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "aps",
		Short: "List the access points that were found in the network",
		Long: `Aps lists the access points that the External Registrar has found. SETTINGS tells whether their settings are known, so that
devices can be let in there: see "wpsctl er learn", "set-config" and "configure". NOTE tells why one is not used, or what
does not work with it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listER(a, cmd, "access_points",
				func(t *tree) []erAccessPoint { return t.ERAccessPoints },
				func(ap erAccessPoint) string { return ap.Interface }, writeERAccessPoints)
		},
	}
}

// listER lists what the External Registrar has found: name is what it is called in JSON, of says
// on which interface.
func listER[T any](a *app, cmd *cobra.Command, name string, all func(*tree) []T,
	of func(T) string, write func(io.Writer, []T) error) error {
	return a.onRunningER(cmd, func(_ context.Context, _ *client, t *tree, n netif) error {
		found := []T{}
		for _, one := range all(t) {
			if of(one) == n.Name {
				found = append(found, one)
			}
		}
		if a.json {
			return a.printJSON(map[string]any{"interface": n.Name, "running": n.ER, name: found})
		}
		return write(a.out, found)
	})
}

// writeERAccessPoints prints the table for people.
func writeERAccessPoints(w io.Writer, found []erAccessPoint) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "No access point was found yet: see whether its WPS is on, and whether it is in the same network.")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "UUID\tBSSID\tADDRESS\tSTATE\tSETTINGS\tNAME\tDEVICE\tNOTE")
	for _, ap := range found {
		settings := "unknown"
		if ap.HasSettings {
			settings = "known"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", orDash(ap.UUID), orDash(ap.BSSID),
			orDash(ap.Address), orDash(ap.State), settings, orDash(ap.FriendlyName),
			orDash(strings.Join(strings.Fields(ap.Manufacturer+" "+ap.ModelName), " ")), ap.note())
	}
	return tw.Flush()
}

// note says what is wrong with an access point.
func (ap *erAccessPoint) note() string {
	switch {
	case ap.Dropped:
		return "not used: " + orDash(ap.Problem)
	case ap.Locked && len(ap.OtherAddresses) > 0:
		return "setup locked; " + ap.Problem
	case ap.Locked:
		return "setup locked"
	}
	return orDash(ap.Problem)
}

// newEREnrollees lists devices.
func newEREnrollees(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "enrollees",
		Short: "List the devices that ask to be let in",
		Long: `Enrollees lists the devices that ask one of the access points to let them in. WANTS tells how: "button" if its button is
pressed, "PIN" if it waits for its PIN to be entered.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listER(a, cmd, "enrollees", func(t *tree) []erEnrollee { return t.EREnrollees },
				func(e erEnrollee) string { return e.Interface }, writeEREnrollees)
		},
	}
}

// writeEREnrollees prints the table for people.
func writeEREnrollees(w io.Writer, found []erEnrollee) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "No device asks to be let in: start WPS on it.")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "UUID\tMAC\tWANTS\tNAME\tDEVICE\tAT")
	for _, e := range found {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", orDash(e.UUID), orDash(e.MAC), e.wants(),
			orDash(e.DeviceName),
			orDash(strings.Join(strings.Fields(e.Manufacturer+" "+e.ModelName), " ")),
			orDash(e.apName))
	}
	return tw.Flush()
}

// wants says how a device wants in.
func (e *erEnrollee) wants() string {
	switch e.PasswordID {
	case 0:
		return "PIN"
	case 4:
		return "button"
	}
	return fmt.Sprintf("password %d", e.PasswordID)
}

// newERSetConfig says what devices are given.
func newERSetConfig(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "set-config AP NETWORK",
		Short: "Give a stored network to devices that an access point lets in",
		Long: `Set-config says that devices which are let in at an access point are given a stored network (its number or its name,
see "wpsctl networks"). Nothing is sent to the access point: the network has to be its own.`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, text string) ([]string,
			cobra.ShellCompDirective) {
			if len(args) == 1 {
				return completion{a}.networks(cmd, nil, text)
			}
			return completion{a}.erAccessPoints(cmd, args, text)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onRunningER(cmd, func(ctx context.Context, c *client, t *tree, n netif) error {
				ap, err := t.erAP(n, args[0])
				if err != nil {
					return err
				}
				stored, err := t.network(args[1])
				if err != nil {
					return err
				}
				if err := c.call(ctx, n.Path, erIface+".SetConfig", nil, ap,
					stored.Path); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"ap": ap, "network": stored.Path})
				}
				a.printf("Devices that are let in there are given %s (network %s).\n",
					ssidText(stored.ssid), orDash(stored.ID))
				return nil
			})
		},
	}
}

// newERMonitor shows what the External Registrar hears.
func newERMonitor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "monitor",
		Short: "Show what the External Registrar hears and does, until Ctrl-C",
		Long: `Monitor prints a line for every access point and every device that the External Registrar hears of, and for what becomes of
its sessions. It never shows keys. With --json each line is an object with the signal's path, name and arguments.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.monitor(cmd.Context(), c, newERFilter())
			})
		},
	}
}

// newERFilter passes signals about the External Registrar. It remembers which sessions are its own.
func newERFilter() func(*godbus.Signal) bool {
	ours := map[godbus.ObjectPath]bool{}
	return func(s *godbus.Signal) bool {
		at := s.Path
		if s.Name == objectManager+".InterfacesAdded" && len(s.Body) == 2 {
			at, _ = s.Body[0].(godbus.ObjectPath)
			ifaces, _ := s.Body[1].(map[string]map[string]godbus.Variant)
			if ifaces[sessionIface] != nil &&
				get[string](ifaces[sessionIface], "Role") == "external-registrar" {
				ours[at] = true
			}
		}
		if s.Name == objectManager+".InterfacesRemoved" && len(s.Body) == 2 {
			at, _ = s.Body[0].(godbus.ObjectPath)
		}
		if _, about := serviceOwner(s); about || ours[at] || strings.Contains(string(at), "/er/") {
			return true
		}
		_, changed := changedProps(s, erIface)
		return changed || strings.HasPrefix(s.Name, erIface+".")
	}
}

// erText is a signal of the External Registrar in words.
func erText(object string, s *godbus.Signal) []string {
	var path godbus.ObjectPath
	if len(s.Body) > 0 {
		path, _ = s.Body[0].(godbus.ObjectPath)
	}
	switch member(s) {
	case "AccessPointAdded", "EnrolleeAdded": // the object itself tells more
		return []string{object + ": found " + objectName(path)}
	case "AccessPointRemoved", "EnrolleeRemoved":
		return []string{object + ": lost " + objectName(path)}
	}
	return []string{object + ": " + printable(member(s))}
}

// erObjectText tells of a new object of the External Registrar; none if it is another one.
func erObjectText(p godbus.ObjectPath, ifaces map[string]map[string]godbus.Variant) []string {
	switch {
	case ifaces[erAccessPointIface] != nil:
		ap := newERAccessPoint(p, ifaces[erAccessPointIface], nil)
		text := objectName(p) + ": " + orDash(ap.FriendlyName) + ", " + orDash(ap.BSSID) + ", " +
			orDash(ap.State)
		if note := ap.note(); note != "-" {
			text += ", " + note
		}
		return []string{text}
	case ifaces[erEnrolleeIface] != nil:
		e := newEREnrollee(p, ifaces[erEnrolleeIface], nil, nil)
		return []string{objectName(p) + ": " + orDash(e.DeviceName) + ", " + orDash(e.MAC) +
			", wants " + e.wants()}
	}
	return nil
}
