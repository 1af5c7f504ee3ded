package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// newAPPIN manages the PIN of an access point of this machine.
func newAPPIN(a *app) *cobra.Command {
	from := pinSource{prompt: "AP PIN"}
	var timeout time.Duration
	var force bool
	cmd := &cobra.Command{
		Use:   "ap-pin disable|random|get|set [PIN|-]",
		Short: "Manage the own PIN of an access point of this machine",
		Long: `Ap-pin manages the PIN of an access point that runs on this machine (hostapd, or wpa_supplicant in AP mode). Whoever
knows that PIN can read the access point's settings and change them, with "wpsctl learn" or "wpsctl configure" on another
machine for example.

"random" makes a new one and prints it, "get" prints the one that is good now, "disable" takes it away. "set" takes the
PIN from the argument; without it, or with "-", it is asked for (on a terminal) or read from a line of standard input;
--pin-file reads it from a file. A new PIN unlocks a setup that was locked after wrong ones.`,
		Example: `  wpsctl ap-pin random --timeout 10m
  wpsctl ap-pin set --pin-file /etc/ap.pin
  wpsctl ap-pin disable`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string,
			cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"disable", "random", "get", "set"}, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o := options{}
			switch {
			case args[0] == "set":
				pin, err := a.readPIN(from, args[1:])
				if err != nil {
					return err
				}
				defer pin.Wipe()
				o["pin"] = godbus.MakeVariant(string(pin.Bytes()))
				if force {
					o["force"] = godbus.MakeVariant(true)
				}
			case len(args) > 1 || from.file != "" || force:
				return usagef("a PIN goes with the command set")
			}
			if cmd.Flags().Changed("timeout") {
				n, err := wholeSeconds(timeout)
				if err != nil {
					return err
				}
				o["timeout"] = godbus.MakeVariant(n)
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.manageAPPIN(cmd.Context(), c, args[0], o)
			})
		},
	}
	from.register(cmd)
	registerForce(cmd, &force)
	cmd.Flags().Var((*seconds)(&timeout), "timeout",
		"random, set: for how long it is good, such as 90 or 10m (default: until it is disabled)")
	return cmd
}

// manageAPPIN runs the command.
func (a *app) manageAPPIN(ctx context.Context, c *client, command string, o options) error {
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	n, err := t.pick(a.ifname, "ap")
	if err != nil {
		return err
	}
	var pin string
	if err := c.call(ctx, n.Path, interfaceIface+".ApPin", []any{&pin}, command, o); err != nil {
		return err
	}
	if a.json || pin != "" {
		return a.printPIN(pin)
	}
	a.printf("%s has no PIN.\n", printable(n.Name))
	return nil
}

// seconds is a flag that takes whole seconds ("90") or a duration ("10m").
type seconds time.Duration

// String implements pflag.Value.
func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Type implements pflag.Value.
func (*seconds) Type() string { return "SECONDS" }

// Set implements pflag.Value.
func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		if d, err = time.ParseDuration(text + "s"); err != nil {
			return fmt.Errorf("take seconds as in 90, or minutes as in 10m")
		}
	}
	*s = seconds(d)
	return nil
}

// wholeSeconds is a time as D-Bus takes it. What is too long is for wpsd to say.
func wholeSeconds(d time.Duration) (uint32, error) {
	if d < time.Second || d > 1<<31*time.Second {
		return 0, usagef("--timeout: at least one second, and not for ever")
	}
	return uint32((d + time.Second - 1) / time.Second), nil
}

// admitFlags are the flags of pin that are for access points.
type admitFlags struct {
	timeout time.Duration
	mac     string
}

// register declares the flags.
func (f *admitFlags) register(cmd *cobra.Command) {
	cmd.Flags().Var((*seconds)(&f.timeout), "timeout",
		"access point: for how long the PIN is good, such as 90 or 10m (default 2m)")
	cmd.Flags().StringVar(&f.mac, "mac", "",
		"access point: let in the device with this `ADDRESS`; others see that they are not meant")
	mustComplete(cmd.RegisterFlagCompletionFunc("mac", cobra.NoFileCompletions))
}

// given tells whether an access point is meant.
func (f *admitFlags) given() bool { return f.timeout != 0 || f.mac != "" }

// options adds what StartPin takes.
func (f *admitFlags) options(o options) error {
	if f.timeout != 0 {
		n, err := wholeSeconds(f.timeout)
		if err != nil {
			return err
		}
		o["timeout"] = godbus.MakeVariant(n)
	}
	if f.mac != "" {
		mac, err := deviceAddress("--mac", f.mac)
		if err != nil {
			return err
		}
		o["mac"] = godbus.MakeVariant(mac)
	}
	return nil
}

// tellPBC says what to do after the start with a push button.
func (a *app) tellPBC(n netif) {
	if n.Mode == "ap" {
		a.printf("Press the WPS button of the device that is to join, if you have not yet. There are two minutes for it.\n")
		return
	}
	a.printf("Press the WPS button of your router now, if you have not yet. There are two minutes for it.\n")
}

// tellPIN says what to do after the start with a PIN. generated is the PIN that was made, zero if
// it was given.
func (a *app) tellPIN(n netif, generated secret.Value, detach bool, lasts time.Duration) {
	switch {
	case n.Mode == "ap" && !generated.IsZero():
		a.printf("PIN: %s\nStart WPS on the device that is to join, and type this PIN in there, within %s.\n", groupPIN(string(generated.Bytes())), lastsText(lasts))
	case n.Mode == "ap" && !detach:
		a.printf("Start WPS with its PIN on the device that is to join, within %s.\n",
			lastsText(lasts))
	case n.Mode == "ap":
	case !generated.IsZero():
		a.printf("PIN: %s\nEnter it on the WPS page of your router (\"client PIN\", \"add a device\") within two minutes.\n", groupPIN(string(generated.Bytes())))
	case !detach:
		a.printf("Enter this device's PIN on the WPS page of your router now, if you have not yet.\n")
	}
}

// lastsText is a time for people.
func lastsText(d time.Duration) string {
	switch {
	case d == 0 || d == 2*time.Minute:
		return "two minutes"
	case d%time.Hour == 0 && d > time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d%time.Minute == 0 && d > time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", (d+time.Second-1)/time.Second)
}

// showAdmitted reports how a session ended that let a device in.
func (a *app) showAdmitted(s session) error {
	if a.json {
		return a.printJSON(sessionEvent("succeeded", s))
	}
	a.printf("%s was let into the network.\n", orDash(s.Peer))
	return nil
}

// enrolleeText is a signal about a device that wants in, in words.
func enrolleeText(object string, s *godbus.Signal) []string {
	if len(s.Body) != 3 {
		return nil
	}
	mac, _ := s.Body[1].(string)
	d, _ := s.Body[2].(map[string]godbus.Variant)
	var about []string
	for _, name := range []string{"name", "manufacturer", "model-name", "model-number"} {
		if text := get[string](d, name); text != "" {
			about = append(about, printable(text))
		}
	}
	who := orDash(mac)
	if len(about) > 0 {
		who += " (" + strings.Join(about, ", ") + ")"
	}
	switch {
	case strings.HasSuffix(s.Name, ".PinNeeded"):
		return []string{object + ": the PIN of " + who + ` is needed: "wpsctl pin"`}
	case get[uint16](d, "password-id") == 4: // push button
		return []string{object + ": " + who + " has its button pressed"}
	}
	return []string{object + ": " + who + " looks for a network"}
}
