package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// newInterfaces groups the commands about network interfaces.
func newInterfaces(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "interfaces",
		Aliases: []string{"interface"},
		Short:   "List, add and remove network interfaces",
		Long: `Interfaces lists the network interfaces that wpsd has. Those with a radio are found by wpsd itself, and so are access points that hostapd runs. One without a radio, for
"wpsctl er" on a wired network, is added by its name.`,
		RunE: a.listInterfaces,
	}
	cmd.AddCommand(newInterfacesList(a), newInterfacesAdd(a), newInterfacesRemove(a))
	return cmd
}

// newInterfacesList lists them.
func newInterfacesList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the network interfaces that wpsd has",
		RunE:  a.listInterfaces,
	}
}

// listInterfaces runs the command.
func (a *app) listInterfaces(cmd *cobra.Command, _ []string) error {
	return a.show(cmd, func(t *tree) any { return map[string]any{"interfaces": t.Interfaces} },
		func(t *tree) error { return writeInterfaces(a.out, t, time.Now()) })
}

// writeInterfaces prints the table for people.
func writeInterfaces(w io.Writer, t *tree, now time.Time) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "INTERFACE\tMODE\tDRIVER\tADDRESS\tMANAGER\tDOING")
	for _, n := range t.Interfaces {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", orDash(n.Name), orDash(n.Mode),
			orDash(n.Driver), orDash(n.MAC), orDash(n.Manager), doing(t, n, now))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if len(t.Interfaces) == 0 {
		_, err := fmt.Fprintln(w, "(none)")
		return err
	}
	return nil
}

// newInterfacesAdd adds one.
func newInterfacesAdd(a *app) *cobra.Command {
	var driver string
	cmd := &cobra.Command{
		Use:   "add IFNAME",
		Short: "Add an interface without a radio, for an External Registrar",
		Long: `Add has wpsd take a network interface that it does not find by itself: one without a radio, for "wpsctl er" on a wired
network. It stays until it is removed or wpsd ends; the option --interface of wpsd is for those that are to be there always.`,
		Example: `  wpsctl interfaces add eth0
  wpsctl er start --interface eth0`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.addInterface(cmd.Context(), c, args[0],
					options{"driver": godbus.MakeVariant(driver)})
			})
		},
	}
	cmd.Flags().StringVar(&driver, "driver", "none",
		"the `DRIVER` of it; only none takes interfaces that somebody names")
	mustComplete(cmd.RegisterFlagCompletionFunc("driver",
		cobra.FixedCompletions([]string{"none"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (a *app) addInterface(ctx context.Context, c *client, name string, o options) error {
	var path godbus.ObjectPath
	if err := c.call(ctx, rootPath, managerIface+".AddInterface", []any{&path}, name,
		o); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"event": "added", "path": path, "interface": name})
	}
	a.printf("%s was added.\n", printable(name))
	return nil
}

// newInterfacesRemove takes one back.
func newInterfacesRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "remove IFNAME",
		Short:             "Take back an interface that was added",
		Long:              `Remove takes back what "wpsctl interfaces add" added; what runs on it ends. An interface that wpsd found by itself stays.`,
		ValidArgsFunction: completion{a}.interfaces,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				t, err := c.objects(cmd.Context())
				if err != nil {
					return err
				}
				n, err := t.pick(args[0], "none")
				if err != nil {
					return err
				}
				if err := c.call(cmd.Context(), rootPath, managerIface+".RemoveInterface", nil,
					n.Path); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"event": "removed", "interface": n.Name})
				}
				a.printf("%s was removed.\n", printable(n.Name))
				return nil
			})
		},
	}
}
