package main

import (
	"context"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// newPIN joins by PIN, or makes one up.
func newPIN(a *app) *cobra.Command {
	var e enrollFlags
	var admit admitFlags
	var generate bool
	var file string
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
  wpsctl pin 12345670 --bssid 02:00:00:00:01:00
  wpsctl pin --generate`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				if generate {
					return a.generatePIN(cmd.Context(), c)
				}
				pin, err := a.readPIN(args, file)
				if err != nil {
					return err
				}
				return a.pin(cmd.Context(), c, e, admit, pin)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && (generate || file != "") {
				return usagef("a PIN as argument excludes --generate and --pin-file")
			}
			return nil
		},
	}
	e.register(cmd)
	registerForce(cmd, &e.force)
	admit.register(cmd)
	cmd.Flags().StringVar(&e.bssid, "bssid", "", "take this access point only")
	cmd.Flags().BoolVar(&generate, "generate", false, "make and print a PIN, start nothing")
	cmd.Flags().StringVar(&file, "pin-file", "", "read the PIN from this file")
	for _, other := range []string{"bssid", "detach", "show-key", "pin-file", "timeout", "mac", "force"} {
		cmd.MarkFlagsMutuallyExclusive("generate", other)
	}
	mustComplete(cmd.RegisterFlagCompletionFunc("bssid", a.completeBSSIDs))
	return cmd
}

// readPIN gets the PIN from where the user said; zero means that wpsd makes one.
func (a *app) readPIN(args []string, file string) (secret.Value, error) {
	switch {
	case file == "" && len(args) == 0:
		return secret.Value{}, nil
	case len(args) == 1 && args[0] != "-":
		return secret.FromString(args[0]), nil
	}
	pin, err := a.readSecret(secretSource{"PIN", file})
	if err != nil {
		return pin, err
	}
	return notEmpty(pin)
}

// notEmpty refuses an empty PIN, which would mean that wpsd makes one: not what somebody wants who gives one.
func notEmpty(pin secret.Value) (secret.Value, error) {
	if pin.IsZero() {
		return pin, &failure{Exit: exitBadPIN, Text: "the PIN is empty"}
	}
	return pin, nil
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
func (a *app) pin(ctx context.Context, c *client, e enrollFlags, admit admitFlags, given secret.Value) error {
	modes := []string{"station", "ap"}
	if admit.given() {
		modes = []string{"ap"}
	}
	n, f, err := a.prepare(ctx, c, modes...)
	if err != nil {
		return err
	}
	o := e.options()
	if err := admit.options(o); err != nil {
		return err
	}
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
	return &cobra.Command{
		Use:   "check-pin PIN|-",
		Short: "Check a PIN and its check digit",
		Long: `Check-pin removes everything but digits and prints the PIN if it is one. "-" reads it from standard input.
It exits with 11 if it has neither 4 nor 8 digits, or if the last of 8 is not the check digit of the others.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			pin, err := a.readPIN(args, "")
			if err != nil {
				return err
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				var checked string
				if err := c.call(cmd.Context(), rootPath, managerIface+".CheckPin", []any{&checked}, string(pin.Bytes())); err != nil {
					return err
				}
				return a.printPIN(checked)
			})
		},
	}
}
