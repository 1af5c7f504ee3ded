package main

import (
	"context"
	"maps"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// newPIN joins by PIN, or makes one up.
func newPIN(a *app) *cobra.Command {
	var e enrollFlags
	var admit admitFlags
	var generate bool
	pin := pinSource{prompt: "PIN"}
	cmd := &cobra.Command{
		Use:   "pin [PIN|-]",
		Short: "Join a network, or let a device in, by PIN; or make up a PIN",
		Long: `Pin joins the network of the router into which this device's PIN was entered, within two minutes.

Without an argument a new PIN is made and shown: type it into the router's WPS page (there it may be called "client
PIN" or "add a device"). With an argument that PIN is used, such as the one on the label of this device. What stands on
a command line can be read by every user of the machine: "-" reads the PIN from standard input (asking for it without
showing it on a terminal), --pin-file from a file.

On an interface that is an access point itself (--interface, --timeout or --mac, or where there is no station) it lets the
device in whose PIN is given, or, without one, the device into which the new PIN is typed. The PIN is good for two minutes,
or as long as --timeout says, and for one device.

With --generate a PIN is made and printed, and nothing else happens.`,
		Example: `  wpsctl pin
  wpsctl pin - --timeout 10m
  wpsctl pin 12345670 --bssid "My network"
  wpsctl pin --generate`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				if generate {
					return a.generatePIN(cmd.Context(), c)
				}
				given, err := readGivenPIN(a, pin, args)
				if err != nil {
					return err
				}
				defer given.Wipe()
				return a.pin(cmd.Context(), c, e, admit, given)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && generate {
				return usagef("a PIN as argument excludes --generate")
			}
			return nil
		},
	}
	e.register(a, cmd)
	e.registerBeside(cmd)
	registerForce(cmd, &e.force)
	admit.register(cmd)
	cmd.Flags().StringVar(&e.router, "bssid", "",
		"take this `ROUTER` only, named by its SSID or its BSSID")
	cmd.Flags().BoolVar(&generate, "generate", false, "make and print a PIN, start nothing")
	pin.register(cmd)
	for _, other := range []string{"bssid", "detach", "show-key", "pin-file", "timeout",
		"mac", "force"} {
		cmd.MarkFlagsMutuallyExclusive("generate", other)
	}
	mustComplete(cmd.RegisterFlagCompletionFunc("bssid", completion{a}.bssids))
	return cmd
}

// readGivenPIN reads the PIN that the user gives. Without one it is zero: wpsd makes one.
func readGivenPIN(a *app, from pinSource, args []string) (secret.Value, error) {
	if len(args) == 0 && from.file == "" {
		return secret.Value{}, nil
	}
	return a.readPIN(from, args)
}

// generatePIN prints a new PIN.
func (a *app) generatePIN(ctx context.Context, c *client) error {
	var pin string
	if err := c.call(ctx, rootPath, managerIface+".GeneratePin", []any{&pin}); err != nil {
		return err
	}
	return a.printPIN(pin)
}

// printPIN prints a PIN as the whole answer of a command.
func (a *app) printPIN(pin string) error {
	if a.json {
		return a.printJSON(map[string]string{"pin": pin})
	}
	a.printf("%s\n", printable(pin))
	return nil
}

// pin runs the command.
func (a *app) pin(ctx context.Context, c *client, e enrollFlags, admit admitFlags,
	given secret.Value) error {
	modes := []string{"station", "ap"}
	if admit.given() {
		modes = []string{"ap"}
	}
	forDevice := options{}
	if err := admit.options(forDevice); err != nil {
		return err
	}
	n, f, err := a.prepareAt(ctx, c, &e, modes...)
	if err != nil {
		return err
	}
	o := e.options()
	maps.Copy(o, forDevice)
	if !given.IsZero() {
		o["pin"] = godbus.MakeVariant(string(given.Bytes()))
	}
	var path godbus.ObjectPath
	var used string
	if err := c.call(ctx, n.Path, interfaceIface+".StartPin", []any{&path, &used}, o); err != nil {
		return err
	}
	generated := secret.Value{}
	if given.IsZero() {
		generated = secret.FromString(used)
	}
	if !a.json {
		a.tellPIN(n, generated, e.detach, admit.timeout)
	}
	return a.finish(ctx, c, f, path, e, generated)
}

// groupPIN writes an 8-digit PIN in two groups, as labels have it.
func groupPIN(pin string) string {
	pin = printable(pin)
	if len(pin) != 8 {
		return pin
	}
	return pin[:4] + " " + pin[4:]
}

// newCheckPIN checks what somebody typed.
func newCheckPIN(a *app) *cobra.Command {
	from := pinSource{prompt: "PIN"}
	cmd := &cobra.Command{
		Use:   "check-pin [PIN|-]",
		Short: "Check a PIN and its check digit",
		Long: `Check-pin removes everything but digits and prints the PIN if it is one. Without it, or with "-", it is asked for (on a
terminal) or read from a line of standard input; --pin-file reads it from a file.
It exits with 11 if it has neither 4 nor 8 digits, or if the last of 8 is not the check digit of the others.`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			pin, err := a.readPIN(from, args)
			if err != nil {
				return err
			}
			defer pin.Wipe()
			return a.withClient(cmd.Context(), func(c *client) error {
				var checked string
				if err := c.call(cmd.Context(), rootPath, managerIface+".CheckPin", []any{&checked},
					string(pin.Bytes())); err != nil {
					return err
				}
				return a.printPIN(checked)
			})
		},
	}
	from.register(cmd)
	return cmd
}
