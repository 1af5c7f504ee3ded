package main

import (
	"context"
	"strings"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// erRun starts a session of the External Registrar and follows it.
func (a *app) erRun(cmd *cobra.Command, e enrollFlags, start func(ctx context.Context, c *client, n netif) (godbus.ObjectPath, error)) error {
	return a.onER(cmd, func(ctx context.Context, c *client, _ *tree, n netif) error {
		f, err := a.newFollower(ctx, c)
		if err != nil {
			return err
		}
		path, err := start(ctx, c, n)
		if err != nil {
			return err
		}
		return a.finish(ctx, c, f, path, e, secret.Value{})
	})
}

// newERLearn reads an access point's settings.
func newERLearn(a *app) *cobra.Command {
	var e enrollFlags
	var file string
	cmd := &cobra.Command{
		Use:   "learn AP [PIN|-]",
		Short: "Read the settings of an access point with its PIN, over the network",
		Long: `Learn reads the network name and key of an access point with the access point's own PIN, stores them as a network, and
gives them from then on to devices that are let in there. The access point stays as it is.

` + apPINHelp,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeERAPs,
		RunE: func(cmd *cobra.Command, args []string) error {
			pin, err := a.apPIN(args[1:], file)
			if err != nil {
				return err
			}
			defer pin.Wipe()
			return a.erRun(cmd, e, func(ctx context.Context, c *client, n netif) (path godbus.ObjectPath, err error) {
				err = c.call(ctx, n.Path, erIface+".Learn", []any{&path}, strings.ToLower(args[0]), string(pin.Bytes()), e.options())
				return path, err
			})
		},
	}
	e.register(cmd)
	registerForce(cmd, &e.force)
	cmd.Flags().StringVar(&file, "pin-file", "", "read the PIN from this file")
	return cmd
}

// newERConfigure gives an access point new settings.
func newERConfigure(a *app) *cobra.Command {
	var e enrollFlags
	var n networkFlags
	var file string
	cmd := &cobra.Command{
		Use:   "configure AP [SSID]",
		Short: "Give an access point a new network name and key, with its PIN, over the network",
		Long: `Configure gives an access point a new network name and key with the access point's own PIN, stores them as a network once
it has taken them, and gives them from then on to devices that are let in there. Devices that use the old ones have to be
set up anew.

` + apPINHelp + ` The key is asked for after it, or is the next line of standard input, or comes from --key-file.`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeERAPs,
		RunE: func(cmd *cobra.Command, args []string) error {
			pin, o, err := a.newSettings(args[1:], e, n, file)
			if err != nil {
				return err
			}
			defer pin.Wipe()
			return a.erRun(cmd, e, func(ctx context.Context, c *client, at netif) (path godbus.ObjectPath, err error) {
				err = c.call(ctx, at.Path, erIface+".Configure", []any{&path}, strings.ToLower(args[0]), string(pin.Bytes()), o)
				return path, err
			})
		},
	}
	e.register(cmd)
	registerForce(cmd, &e.force)
	n.register(cmd)
	cmd.Flags().StringVar(&file, "pin-file", "", "read the PIN from this file")
	return cmd
}

// newERPBC lets a device in by push button.
func newERPBC(a *app) *cobra.Command {
	var e enrollFlags
	cmd := &cobra.Command{
		Use:   "pbc [DEVICE|AP|any]",
		Short: "Let a device in whose button is pressed",
		Long: `Pbc lets a device in that has its button pressed (see "wpsctl er enrollees"), or presses it within two minutes. With an
access point whoever presses his button there is let in, with "any" or nothing whoever does anywhere. If two do, nobody can
tell which is meant, and it stops. The settings of the access point have to be known.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeEnrollees,
		RunE: func(cmd *cobra.Command, args []string) error {
			who := "any"
			if len(args) == 1 {
				who = strings.ToLower(args[0])
			}
			return a.erRun(cmd, e, func(ctx context.Context, c *client, n netif) (path godbus.ObjectPath, err error) {
				err = c.call(ctx, n.Path, erIface+".EnrollPbc", []any{&path}, who, e.options())
				if err == nil && !a.json && !e.detach {
					a.printf("Press the WPS button of the device that is to join, if you have not yet. There are two minutes for it.\n")
				}
				return path, err
			})
		},
	}
	e.registerDetach(cmd)
	return cmd
}

// newERPIN lets a device in by its PIN.
func newERPIN(a *app) *cobra.Command {
	var e enrollFlags
	var admit admitFlags
	var file, ap string
	cmd := &cobra.Command{
		Use:   "pin DEVICE|any [PIN|-]",
		Short: "Let the device in whose PIN it is",
		Long: `Pin lets a device in whose PIN is given, as the device shows it or has it on its label: "any" device, or the one with a
UUID or a MAC address. Without the PIN, or with "-", it is asked for (on a terminal) or read from a line of standard input;
--pin-file reads it from a file. The PIN is good for one device and one try, for two minutes or as long as --timeout says.`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeEnrollees,
		RunE: func(cmd *cobra.Command, args []string) error {
			o := e.options()
			if err := admit.options(o); err != nil {
				return err
			}
			if cmd.Flags().Changed("timeout") && admit.timeout == 0 {
				return usagef("--timeout: at least one second")
			}
			if ap != "" {
				o["ap"] = godbus.MakeVariant(strings.ToLower(ap))
			}
			if len(args) == 1 {
				args = append(args, "-") // to be asked for
			}
			pin, err := a.readPIN(args[1:], file)
			if err != nil {
				return err
			}
			defer pin.Wipe()
			return a.erRun(cmd, e, func(ctx context.Context, c *client, n netif) (path godbus.ObjectPath, err error) {
				err = c.call(ctx, n.Path, erIface+".EnrollPin", []any{&path}, strings.ToLower(args[0]), string(pin.Bytes()), o)
				if err == nil && !a.json && !e.detach {
					a.printf("Start WPS with its PIN on the device that is to join, within %s.\n", lastsText(admit.timeout))
				}
				return path, err
			})
		},
	}
	e.registerDetach(cmd)
	registerForce(cmd, &e.force)
	cmd.Flags().Var((*seconds)(&admit.timeout), "timeout", "for how long the PIN is good, such as 90 or 10m (default 2m)")
	cmd.Flags().StringVar(&admit.mac, "mac", "", "the address of the device, if it is not named by it: others see that they are not meant")
	cmd.Flags().StringVar(&ap, "ap", "", "let it in at this access point only")
	cmd.Flags().StringVar(&file, "pin-file", "", "read the PIN from this file")
	mustComplete(cmd.RegisterFlagCompletionFunc("mac", cobra.NoFileCompletions))
	mustComplete(cmd.RegisterFlagCompletionFunc("ap", func(cmd *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
		return a.completeERAPs(cmd, nil, text)
	}))
	return cmd
}
