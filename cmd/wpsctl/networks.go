package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// credential is a network with its key, as GetSecrets and GetCredentials give it.
type credential struct {
	ssid                      []byte
	auth, encryption, keyKind string
	mac                       string
	key, wifiURI              secret.Value
}

// newCredential reads the a{sv} of a credential.
func newCredential(p props) credential {
	return credential{ssid: get[[]byte](p, "ssid"), auth: get[string](p, "auth"),
		encryption: get[string](p, "encryption"),
		keyKind:    get[string](p, "key-kind"), mac: get[string](p, "mac"),
		key:     secret.New(get[[]byte](p, "key")),
		wifiURI: secret.FromString(get[string](p, "wifi-uri"))}
}

// keyText is the key as one types it. Only commands that were asked for the key print it.
func (c credential) keyText() string {
	if c.key.IsZero() {
		return "(none, the network is open)"
	}
	return printable(string(c.key.Bytes()))
}

// public is the credential for JSON; with its key only if that was asked for.
func (c credential) public(showKey bool) map[string]any {
	m := map[string]any{"ssid": string(c.ssid), "ssid_hex": hex.EncodeToString(c.ssid),
		"auth": c.auth, "encryption": c.encryption,
		"key_kind": c.keyKind, "mac": c.mac}
	if showKey {
		m["key"], m["key_hex"], m["wifi_uri"] = string(c.key.Bytes()),
			hex.EncodeToString(c.key.Bytes()), string(c.wifiURI.Bytes())
	}
	return m
}

// newNetworks groups the commands about stored networks.
func newNetworks(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "networks",
		Aliases: []string{"network"},
		Short:   "List, show, share, add and delete stored networks",
		Long: `Networks lists the stored networks; its commands show one, with its key or as a QR code, add, delete and connect to one.
NETWORK is the number of a stored network, or its name.`,
		Example: `  wpsctl networks
  wpsctl networks show --key 1
  wpsctl networks qr "My network"`,
		RunE: a.listNetworks,
	}
	cmd.AddCommand(newNetworksList(a), newNetworksShow(a), newNetworksQR(a), newNetworksAdd(a),
		newNetworksActivate(a), newNetworksDelete(a))
	return cmd
}

// newNetworksList lists the stored networks.
func newNetworksList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the stored networks",
		RunE:  a.listNetworks,
	}
}

// listNetworks runs the command.
func (a *app) listNetworks(cmd *cobra.Command, _ []string) error {
	return a.show(cmd, func(t *tree) any { return map[string]any{"networks": t.Networks} },
		func(t *tree) error { return writeNetworks(a.out, t.Networks) })
}

// writeNetworks prints the table for people.
func writeNetworks(w io.Writer, networks []network) error {
	if len(networks) == 0 {
		_, err := fmt.Fprintln(w, `No network is stored. "wpsctl pbc" or "wpsctl pin" gets one.`)
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "NUMBER\tSECURITY\tBY\tSINCE\tSSID")
	for _, n := range networks {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", orDash(n.ID), security(n.Auth, n.Encryption),
			orDash(n.Source), day(n.Created), ssidText(n.ssid))
	}
	return tw.Flush()
}

// day shows a time of the past to the minute.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// newNetworksShow shows one network.
func newNetworksShow(a *app) *cobra.Command {
	var key bool
	cmd := &cobra.Command{
		Use:               "show NETWORK",
		Short:             "Show a stored network, with --key its key",
		ValidArgsFunction: completion{a}.networks,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.showNetwork(cmd.Context(), c, args[0], key)
			})
		},
	}
	cmd.Flags().BoolVar(&key, "key", false, "show the key, too")
	return cmd
}

// showNetwork prints one network.
func (a *app) showNetwork(ctx context.Context, c *client, arg string, key bool) error {
	n, err := c.network(ctx, arg)
	if err != nil {
		return err
	}
	var cred credential
	if key {
		if cred, err = c.secrets(ctx, n.Path); err != nil {
			return err
		}
	}
	if a.json {
		// one flat object: what the network has, and with --key what only the credential has
		shown := struct {
			network
			Key     string `json:"key,omitempty"`
			KeyHex  string `json:"key_hex,omitempty"`
			KeyKind string `json:"key_kind,omitempty"`
			WifiURI string `json:"wifi_uri,omitempty"`
		}{network: n, KeyKind: cred.keyKind}
		shown.Key, shown.KeyHex = string(cred.key.Bytes()), hex.EncodeToString(cred.key.Bytes())
		shown.WifiURI = string(cred.wifiURI.Bytes())
		return a.printJSON(shown)
	}
	a.printf("Network %s: %s\n  security  %s\n  received  %s, by %s\n", orDash(n.ID),
		ssidText(n.ssid),
		security(n.Auth, n.Encryption), day(n.Created), orDash(n.Source))
	if n.BSSID != "" {
		a.printf("  from      %s\n", printable(n.BSSID))
	}
	if key {
		a.printf("  key       %s\n", cred.keyText())
	}
	return nil
}

// secrets fetches a network's key.
func (c *client) secrets(ctx context.Context, path godbus.ObjectPath) (credential, error) {
	var p props
	err := c.call(ctx, path, networkIface+".GetSecrets", []any{&p})
	return newCredential(p), err
}

// newNetworksActivate hands a network to a network manager.
func newNetworksActivate(a *app) *cobra.Command {
	var apply string
	cmd := &cobra.Command{
		Use:   "activate NETWORK",
		Short: "Have the network manager connect to a stored network",
		Long: `Hand a stored network to the network manager that has the interface, or to another one with --apply, and wait until
it is connected. With -i for this interface.`,
		ValidArgsFunction: completion{a}.networks,
		RunE: func(cmd *cobra.Command, args []string) error {
			o := options{}
			if apply != "" {
				o["apply"] = godbus.MakeVariant(apply)
			}
			if a.ifname != "" {
				o["interface"] = godbus.MakeVariant(a.ifname)
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				n, err := c.network(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := c.call(cmd.Context(), n.Path, networkIface+".Activate", nil,
					o); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"event": "activated", "path": n.Path})
				}
				a.printf("Connected to %s (network %s).\n", ssidText(n.ssid), orDash(n.ID))
				return nil
			})
		},
	}
	registerApply(a, cmd, &apply, "auto")
	return cmd
}

// newNetworksDelete deletes networks.
func newNetworksDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "delete NETWORK...",
		Short:             "Delete stored networks",
		ValidArgsFunction: completion{a}.networks,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.deleteNetworks(cmd.Context(), c, args)
			})
		},
	}
}

// deleteNetworks runs the command. All names are looked at before anything is deleted.
func (a *app) deleteNetworks(ctx context.Context, c *client, names []string) error {
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	meant := make([]network, len(names))
	for i, name := range names {
		if meant[i], err = t.network(name); err != nil {
			return err
		}
	}
	for i, n := range meant {
		if slices.ContainsFunc(meant[:i], func(earlier network) bool {
			return earlier.Path == n.Path
		}) {
			continue // named twice
		}
		if err := c.call(ctx, n.Path, networkIface+".Delete", nil); err != nil {
			return err
		}
		if a.json {
			if err := a.printJSON(map[string]any{"event": "deleted", "path": n.Path}); err != nil {
				return err
			}
			continue
		}
		a.printf("Network %s (%s) is deleted.\n", orDash(n.ID), ssidText(n.ssid))
	}
	return nil
}
