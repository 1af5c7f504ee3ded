package main

import (
	"context"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// newNetworksAdd stores a network that the user knows.
func newNetworksAdd(a *app) *cobra.Command {
	var n networkFlags
	var from string
	cmd := &cobra.Command{
		Use:   "add [SSID]",
		Short: "Store a network that you know",
		Long: `Add stores a network with its key, as if it had been received. An older one of the same name and security is
replaced. Nothing is connected.

The key is never an argument, which every user of the machine could read: it is asked for on a terminal, or is a line of
standard input, or comes from --key-file.`,
		Example: `  wpsctl networks add "My network"
  wpsctl networks add Guests --auth OPEN
  wpsctl networks add Cabin --key-file cabin.key --bssid 02:00:00:00:01:00`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := first(args)
			if name == "" && n.ssidHex == "" {
				return usagef("the network name is missing")
			}
			o, err := a.settings(n, name)
			if err != nil {
				return err
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.addNetwork(cmd.Context(), c, o, from)
			})
		},
	}
	n.register(cmd)
	cmd.Flags().StringVar(&from, "bssid", "",
		"a `ROUTER` of the network, by its BSSID or SSID, to be remembered with it")
	mustComplete(cmd.RegisterFlagCompletionFunc("bssid", completion{a}.bssids))
	return cmd
}

// addNetwork runs the command.
func (a *app) addNetwork(ctx context.Context, c *client, o options, from string) error {
	if from != "" {
		t, err := c.objects(ctx)
		if err != nil {
			return err
		}
		bssid, err := pickBSSID(t.AccessPoints, from) // of any interface, as it was heard last
		if err != nil {
			return err
		}
		o["bssid"] = godbus.MakeVariant(bssid)
	}
	var path godbus.ObjectPath
	if err := c.call(ctx, rootPath, managerIface+".AddNetwork", []any{&path}, o); err != nil {
		return err
	}
	id := newNetwork(path, nil).ID
	if a.json {
		return a.printJSON(map[string]any{"event": "added", "path": path, "id": id})
	}
	a.printf("%s\n", storedAs([]string{printable(id)}))
	return nil
}
