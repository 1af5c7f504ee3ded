package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// scanTime bounds the wait for a scan; all channels of three bands take 10 to 15 s.
const scanTime = 45 * time.Second

// newScan lists access points.
func newScan(a *app) *cobra.Command {
	var cached bool
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Look for access points with WPS",
		Long: `Scan looks for access points with WPS and lists them, the strongest first. FLAGS tell what an access point is ready
for: WPS-PBC its button was pressed, WPS-PIN it expects a PIN, WPS-AUTH it expects this very device, WPS none of these
now.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(cmd.Context(), func(c *client) error { return a.scan(cmd.Context(), c, cached) })
		},
	}
	cmd.Flags().BoolVar(&cached, "cached", false, "list what is known, without a new scan")
	return cmd
}

// scan runs the command.
func (a *app) scan(ctx context.Context, c *client, cached bool) error {
	signals, err := c.watch(ctx)
	if err != nil {
		return err
	}
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	n, err := t.pickInterface(a.ifname)
	if err != nil {
		return err
	}
	if !cached {
		if err := a.newScan(ctx, c, n, signals); err != nil {
			return err
		}
		if t, err = c.objects(ctx); err != nil {
			return err
		}
	}
	found := t.of(n)
	if a.json {
		return a.printJSON(map[string]any{"interface": n.Name, "access_points": found})
	}
	return writeAccessPoints(a.out, found)
}

// newScan starts a scan and waits for its end. Ctrl-C leaves the scan to itself: it ends soon.
func (a *app) newScan(ctx context.Context, c *client, n netif, signals <-chan *godbus.Signal) error {
	if err := c.call(ctx, n.Path, interfaceIface+".Scan", nil, options{}); err != nil {
		return err
	}
	sc := newScreen(a.errOut)
	if sc.live && !a.json {
		sc.status("Scanning on "+printable(n.Name), "")
		defer sc.clear()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, scanTime, &failure{Exit: exitTimeout, Text: "the scan did not end", Hint: "See wpsd's log."})
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s, ok := <-signals:
			if !ok {
				return errServiceLeft()
			}
			if owner, about := serviceOwner(s); about && owner == "" {
				return errServiceLeft()
			}
			if s.Path != n.Path || s.Name != interfaceIface+".ScanDone" || len(s.Body) != 1 {
				continue
			}
			if s.Body[0] != true {
				return &failure{Exit: exitFailure, Text: "the scan failed", Hint: `See wpsd's log; "rfkill list" shows whether the radio is on.`}
			}
			return nil
		}
	}
}

// of selects the access points that an interface hears.
func (t *tree) of(n netif) []accessPoint {
	found := []accessPoint{}
	for _, ap := range t.AccessPoints {
		if ap.Interface == n.Name {
			found = append(found, ap)
		}
	}
	return found
}

// writeAccessPoints prints the table for people and what can be done now.
func writeAccessPoints(w io.Writer, found []accessPoint) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "No access point with WPS is in range.")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "BSSID\tSIGNAL\tFREQ\tFLAGS\tSSID\tDEVICE")
	for _, ap := range found {
		flags := printable(ap.Flags)
		if ap.Locked {
			flags += " locked"
		}
		if !ap.Configured {
			flags += " new"
		}
		fmt.Fprintf(tw, "%s\t%d dBm\t%d\t%s\t%s\t%s\n", orDash(ap.BSSID), ap.Signal, ap.Frequency, flags, ssidText(ap.ssid), device(ap))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return writeScanHint(w, found)
}

// device names an access point's make.
func device(ap accessPoint) string {
	return orDash(strings.Join(strings.Fields(ap.Maker+" "+ap.Model), " "))
}

// writeScanHint names the next step where an access point is ready for one.
func writeScanHint(w io.Writer, found []accessPoint) error {
	var pressed []accessPoint
	for _, ap := range found {
		if ap.Flags == "WPS-PBC" {
			pressed = append(pressed, ap)
		}
	}
	if len(pressed) == 0 {
		return nil
	}
	if len(pressed) == 1 {
		_, err := fmt.Fprintf(w, "\nThe button of %s is pressed: join it with \"wpsctl pbc\".\n", ssidText(pressed[0].ssid))
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe buttons of %d access points are pressed: name yours, as in \"wpsctl pbc %s\".\n", len(pressed), orDash(pressed[0].BSSID))
	return err
}
