package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

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
now; "locked" that it refuses its own PIN after too many wrong ones, "not set up" that its network has not been set up yet.
SECURITY is what its network takes; WPS sets up WPA2 and what goes with it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.scan(cmd.Context(), c, cached)
			})
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
func (a *app) newScan(ctx context.Context, c *client, n netif,
	signals <-chan *godbus.Signal) error {
	if err := c.call(ctx, n.Path, interfaceIface+".Scan", nil, options{}); err != nil {
		return err
	}
	sc := newScreen(a.errOut)
	if sc.live && !a.json {
		sc.status("Scanning on "+printable(n.Name), "")
		defer sc.clear()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, scanTime,
		&failure{Exit: exitTimeout, Text: "the scan did not end", Hint: logHint})
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s, ok := <-signals:
			if !ok {
				return errServiceLeft()
			}
			if c.left(s) {
				return errServiceLeft()
			}
			if s.Path != n.Path || s.Name != interfaceIface+".ScanDone" || len(s.Body) != 1 {
				continue
			}
			if s.Body[0] != true {
				return &failure{Exit: exitFailure, Text: "the scan failed",
					Hint: `"rfkill list" shows whether the radio is on. ` + logHint}
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
	fmt.Fprintln(tw, "BSSID\tSIGNAL\tFREQ\tSECURITY\tFLAGS\tSSID\tDEVICE")
	for _, ap := range found {
		flags := printable(ap.Flags)
		if ap.Locked {
			flags += " locked"
		}
		if !ap.Configured {
			flags += " not set up"
		}
		fmt.Fprintf(tw, "%s\t%d dBm\t%d\t%s\t%s\t%s\t%s\n", orDash(ap.BSSID), ap.Signal,
			ap.Frequency, offered(ap.Security), flags, ssidText(ap.ssid), device(ap))
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

// routerText names a router by the SSIDs of those of its access points that count.
func routerText(r []accessPoint) string {
	var names []string
	for _, ap := range r {
		if name := ssidText(ap.ssid); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " with ")
}

// shellWord is what to type for an access point: its SSID if that names no other router and needs
// no quoting that could go wrong, else its BSSID.
func shellWord(ap accessPoint, all []accessPoint) string {
	name := string(ap.ssid)
	bssid, err := pickBSSID(all, name)
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_. ", r)
	})
	_, isAddress := addressOf(name)
	switch {
	case err != nil || bssid == "" || isAddress || !plain || strings.HasPrefix(name, "-"):
		return orDash(ap.BSSID)
	case strings.Contains(name, " "):
		return "'" + name + "'"
	}
	return name
}

// offered says in the words of labels what a network takes.
func offered(ways []string) string {
	names := map[string]string{"owe": "OWE", "wep": "WEP", "wpa": "WPA", "wpa2": "WPA2",
		"wpa3": "WPA3", "enterprise": "802.1X"}
	var list []string
	for _, way := range ways {
		name, known := names[way]
		if !known {
			name = printable(way)
		}
		list = append(list, name)
	}
	return orDash(strings.Join(list, "/"))
}

// writeScanHint names the next step where an access point is ready for one.
func writeScanHint(w io.Writer, found []accessPoint) error {
	var pressed []accessPoint
	for _, ap := range found {
		if ap.Flags == "WPS-PBC" {
			pressed = append(pressed, ap)
		}
	}
	var err error
	switch list := routers(pressed); len(list) {
	case 0:
	case 1:
		_, err = fmt.Fprintf(w, "\nThe button of %s is pressed: join it with \"wpsctl pbc\".\n",
			routerText(list[0]))
	default:
		var names []string
		for _, r := range list {
			names = append(names, routerText(r))
		}
		_, err = fmt.Fprintf(w,
			"\nThe buttons of %d routers are pressed: %s. Name yours, as in \"wpsctl pbc %s\".\n",
			len(list), strings.Join(names, ", "), shellWord(list[0][0], found))
	}
	return err
}
