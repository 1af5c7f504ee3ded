package main

import (
	"context"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// erRun starts a session of the External Registrar and follows it.
func (a *app) erRun(cmd *cobra.Command, e enrollFlags,
	start func(ctx context.Context, c *client, t *tree, n netif) (godbus.ObjectPath, error)) error {
	return a.onRunningER(cmd, func(ctx context.Context, c *client, t *tree, n netif) error {
		f, err := a.newFollower(ctx, c)
		if err != nil {
			return err
		}
		path, err := start(ctx, c, t, n)
		if err != nil {
			return err
		}
		return a.finish(ctx, c, f, path, e, secret.Value{})
	})
}

// erRegister runs Learn or Configure at the access point that is named. read gets the PIN and what
// is sent with it; it is called once the access point is found.
func (a *app) erRegister(cmd *cobra.Command, e enrollFlags, method, name string,
	read func() (secret.Value, options, error)) error {
	return a.erRun(cmd, e, func(ctx context.Context, c *client, t *tree,
		n netif) (path godbus.ObjectPath, err error) {
		ap, err := t.erAP(n, name)
		if err != nil {
			return "", err
		}
		pin, o, err := read()
		if err != nil {
			return "", err
		}
		defer pin.Wipe()
		err = c.call(ctx, n.Path, erIface+"."+method, []any{&path}, ap, string(pin.Bytes()), o)
		return path, err
	})
}

// newERLearn reads an access point's settings.
func newERLearn(a *app) *cobra.Command {
	return a.learning(&cobra.Command{
		Use:   "learn AP [PIN|-]",
		Short: "Read the settings of an access point with its PIN, over the network",
		Long: `Learn reads the network name and key of an access point with the access point's own PIN, stores them as a network, and
gives them from then on to devices that are let in there. The access point stays as it is.

` + apPINHelp,
		ValidArgsFunction: completion{a}.erAccessPoints,
	}, a.erRegister)
}

// newERConfigure gives an access point new settings.
func newERConfigure(a *app) *cobra.Command {
	return a.configuring(&cobra.Command{
		Use:   "configure AP [SSID] [PIN|-]",
		Short: "Give an access point a new network name and key, with its PIN, over the network",
		Long: `Configure gives an access point a new network name and key with the access point's own PIN, stores them as a network once
it has taken them, and gives them from then on to devices that are let in there. Devices that use the old ones have to be
set up anew.

` + apPINHelp + ` The key is asked for after it, or is the next line of standard input, or comes from --key-file.`,
		ValidArgsFunction: completion{a}.erAccessPoints,
	}, a.erRegister)
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
		ValidArgsFunction: completion{a}.enrollees,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.erRun(cmd, e, func(ctx context.Context, c *client, t *tree,
				n netif) (path godbus.ObjectPath, err error) {
				who, err := t.enrolleeOrAP(n, first(args))
				if err != nil {
					return "", err
				}
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
	from := pinSource{prompt: "PIN"}
	var ap string
	cmd := &cobra.Command{
		Use:   "pin DEVICE|any [PIN|-]",
		Short: "Let the device in whose PIN it is",
		Long: `Pin lets a device in whose PIN is given, as the device shows it or has it on its label: "any" device, or the one with a
UUID, a MAC address or a name. Without the PIN, or with "-", it is asked for (on a terminal) or read from a line of standard input;
--pin-file reads it from a file. The PIN is good for one device and one try, for two minutes or as long as --timeout says.`,
		ValidArgsFunction: completion{a}.enrollees,
		RunE: func(cmd *cobra.Command, args []string) error {
			o := e.options()
			if err := admit.options(o); err != nil {
				return err
			}
			if cmd.Flags().Changed("timeout") && admit.timeout == 0 {
				return usagef("--timeout: at least one second")
			}
			return a.erRun(cmd, e, func(ctx context.Context, c *client, t *tree,
				n netif) (path godbus.ObjectPath, err error) {
				who, err := t.enrollee(n, args[0])
				if err != nil {
					return "", err
				}
				if ap != "" {
					if ap, err = t.erAP(n, ap); err != nil {
						return "", err
					}
					o["ap"] = godbus.MakeVariant(ap)
				}
				pin, err := a.readPIN(from, args[1:])
				if err != nil {
					return "", err
				}
				defer pin.Wipe()
				err = c.call(ctx, n.Path, erIface+".EnrollPin", []any{&path}, who,
					string(pin.Bytes()), o)
				if err == nil && !a.json && !e.detach {
					a.printf("Start WPS with its PIN on the device that is to join, within %s.\n",
						lastsText(admit.timeout))
				}
				return path, err
			})
		},
	}
	registerERAdmit(cmd, &e, &admit)
	cmd.Flags().StringVar(&ap, "ap", "", "let it in at this access point `AP` only")
	from.register(cmd)
	mustComplete(cmd.RegisterFlagCompletionFunc("ap",
		func(cmd *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
			return completion{a}.erAccessPoints(cmd, nil, text)
		}))
	return cmd
}

// registerERAdmit declares the flags that say for whom a PIN is, and for how long.
func registerERAdmit(cmd *cobra.Command, e *enrollFlags, admit *admitFlags) {
	e.registerDetach(cmd)
	registerForce(cmd, &e.force)
	cmd.Flags().Var((*seconds)(&admit.timeout), "timeout",
		"for how long the PIN is good, such as 90 or 10m (default 2m)")
	cmd.Flags().StringVar(&admit.mac, "mac", "",
		"the `ADDRESS` of the device, if it is not named by it: others see that they are not meant")
	mustComplete(cmd.RegisterFlagCompletionFunc("mac", cobra.NoFileCompletions))
}
