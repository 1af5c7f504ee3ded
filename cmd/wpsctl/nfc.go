package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// maxTag is the largest tag that is read: wpsd takes half of it.
const maxTag = 64 << 10

// nfcPassword stands for the password of an access point's tag where its PIN is asked for.
const nfcPassword = "nfc-pw"

// newNFC is the group of commands for NFC.
func newNFC(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nfc",
		Short: "NFC: tokens for tags, tags that were read, connection handover",
		Long: `Nfc makes what is written to NFC tags, takes what was read off them, and speaks connection handover. Reading and writing
tags is done by another program (neard, libnfc, a phone): bytes come from a file or standard input, and go to a file or
standard output, raw or with --hex in hex digits. On a terminal they are always shown in hex digits.

Where neard runs, wpsd takes part by itself, and touching a tag is enough.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNFCPasswordToken(a), newNFCConfigToken(a), newNFCRead(a), newNFCStart(a),
		newNFCHandoverRequest(a), newNFCHandoverSelect(a), newNFCReportHandover(a))
	return cmd
}

// nfcOutput are the flags of what makes bytes.
type nfcOutput struct {
	format, file string
	hex          bool
}

// register declares the flags.
func (o *nfcOutput) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.format, "format", "NDEF",
		"the `FORMAT`: \"NDEF\", as a tag holds it, or \"WPS\" for the attributes alone")
	cmd.Flags().StringVarP(&o.file, "out", "o", "",
		"write to this `FILE`, which only its owner can read")
	cmd.Flags().BoolVar(&o.hex, "hex", false, "hex digits in place of raw bytes")
	mustComplete(cmd.RegisterFlagCompletionFunc("format",
		cobra.FixedCompletions([]string{"NDEF", "WPS"}, cobra.ShellCompDirectiveNoFileComp)))
}

// nfcRun is a run of one of the commands about tags.
type nfcRun struct{ *app }

// put writes the bytes, which may hold a secret and are overwritten.
func (a nfcRun) put(o nfcOutput, b []byte) error {
	defer clear(b)
	if a.json {
		return a.printJSON(map[string]any{"format": strings.ToUpper(o.format),
			"hex": hex.EncodeToString(b)})
	}
	_, onTerminal := isTerminal(a.out)
	text := b
	if o.hex || onTerminal && o.file == "" {
		text = append(hex.AppendEncode(nil, b), '\n')
		defer clear(text)
	}
	if o.file == "" {
		_, err := a.out.Write(text)
		return err
	}
	f, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return usagef("--out: %v", err)
	}
	// One that was there keeps its mode, which may let others read.
	err = f.Chmod(0o600)
	if err == nil {
		_, err = f.Write(text)
	}
	return errors.Join(err, f.Close())
}

// readBytes reads a file, or standard input for "-" or no name.
func (a nfcRun) readBytes(name string, isHex bool) ([]byte, error) {
	var from io.Reader = a.stdin
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usagef("%v", err)
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, maxTag+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading: %w", err)
	case len(b) > maxTag:
		return nil, usagef("more than %d bytes: no tag holds as much", maxTag)
	case !isHex:
		return b, nil
	}
	defer clear(b)
	digits := bytes.Join(bytes.Fields(b), nil)
	defer clear(digits)
	out := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(out, digits); err != nil {
		clear(out)
		return nil, usagef("--hex: these are no pairs of hex digits")
	}
	return out, nil
}

// get calls a method that gives bytes, on the interface that is picked by modes.
func (a nfcRun) get(ctx context.Context, o nfcOutput, modes []string, method string,
	args ...any) error {
	return a.withClient(ctx, func(c *client) error {
		return a.getBy(ctx, c, o, modes, method, args...)
	})
}

// getBy is nfcGet over a connection that is there already.
func (a nfcRun) getBy(ctx context.Context, c *client, o nfcOutput, modes []string, method string,
	args ...any) error {
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	n, err := t.pick(a.ifname, modes...)
	if err != nil {
		return err
	}
	var b []byte
	args = append([]any{strings.ToUpper(o.format)}, args...)
	if err := c.call(ctx, n.Path, interfaceIface+"."+method, []any{&b}, args...); err != nil {
		return err
	}
	return a.put(o, b)
}

// getER is nfcGet for the External Registrar; ap is the access point that it is for.
func (a nfcRun) getER(cmd *cobra.Command, o nfcOutput, method, ap string, more ...any) error {
	return a.onER(cmd, func(ctx context.Context, c *client, t *tree, n netif) error {
		ap, err := t.erAP(n, ap)
		if err != nil {
			return err
		}
		var b []byte
		args := append([]any{ap, strings.ToUpper(o.format)}, more...)
		if err := c.call(ctx, n.Path, erIface+"."+method, []any{&b}, args...); err != nil {
			return err
		}
		return a.put(o, b)
	})
}

// erFlag is the access point of the External Registrar that is meant.
func (a nfcRun) erFlag(cmd *cobra.Command, ap *string) {
	cmd.Flags().StringVar(ap, "er", "",
		"of this access point `AP` of the External Registrar, by its UUID, BSSID or name")
	mustComplete(cmd.RegisterFlagCompletionFunc("er", completion{a.app}.erAccessPoints))
}

// newNFCPasswordToken gets this device's password token.
func newNFCPasswordToken(a *app) *cobra.Command {
	var o nfcOutput
	cmd := &cobra.Command{
		Use:   "password-token",
		Short: "Print this device's password token, for its tag",
		Long: `Password-token prints the NFC password token of this device. Write it to a tag, let an access point (or whoever registers
devices there) read the tag, and run "wpsctl nfc start". Wpsd makes the token once and keeps it; see wps_nfc_dev_pw_id
in wpsd.conf for one that was made in a factory.

With --interface of an access point it is that one's own token, which is enabled by this: whoever has read it can read the
access point's settings and change them ("wpsctl learn ROUTER nfc-pw").`,
		Example: `  wpsctl nfc password-token --out token.ndef
  wpsctl nfc password-token --hex --format WPS`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return nfcRun{a}.get(cmd.Context(), o, []string{"station", "ap", "none"},
				"NfcPasswordToken")
		},
	}
	o.register(cmd)
	return cmd
}

// newNFCConfigToken gets a configuration token.
func newNFCConfigToken(a *app) *cobra.Command {
	var o nfcOutput
	var er string
	cmd := &cobra.Command{
		Use:   "config-token [NETWORK]",
		Short: "Print a configuration token of a stored network, or of an access point of this machine",
		Long: `Config-token prints an NFC configuration token: whoever reads the tag that it is written to can join the network. NETWORK is the
number or the name of a stored one (see "wpsctl networks"); without it, it is the network of an access point of this machine, or with --er
what the External Registrar gives to devices at an access point.`,
		Example: `  wpsctl nfc config-token 3 --out guests.ndef
  wpsctl -i wlan1 nfc config-token --hex`,
		ValidArgsFunction: completion{a}.networks,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case er != "" && len(args) > 0:
				return usagef("a stored network excludes --er")
			case er != "":
				return nfcRun{a}.getER(cmd, o, "NfcConfigToken", er)
			case len(args) == 0:
				return nfcRun{a}.get(cmd.Context(), o, []string{"ap"}, "NfcConfigToken", options{})
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				stored, err := c.network(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return nfcRun{a}.getBy(cmd.Context(), c, o, []string{"station", "ap", "none"},
					"NfcConfigToken", options{"network": godbus.MakeVariant(stored.Path)})
			})
		},
	}
	o.register(cmd)
	nfcRun{a}.erFlag(cmd, &er)
	return cmd
}

// newNFCStart joins a network with this device's token.
func newNFCStart(a *app) *cobra.Command {
	var e enrollFlags
	cmd := &cobra.Command{
		Use:   "start [ROUTER]",
		Short: "Join the network of an access point that has read this device's tag",
		Long: `Start joins the network of an access point that has read the tag with this device's password token, or reads it within two
minutes. "wpsctl nfc password-token" makes the token. ROUTER is the SSID or the BSSID of the one that is meant.`,
		ValidArgsFunction: completion{a}.router,
		RunE: func(cmd *cobra.Command, args []string) error {
			e.router = first(args)
			return a.withClient(cmd.Context(), func(c *client) error {
				n, f, err := a.prepareAt(cmd.Context(), c, &e, "station")
				if err != nil {
					return err
				}
				var path godbus.ObjectPath
				if err := c.call(cmd.Context(), n.Path, interfaceIface+".StartNfc", []any{&path},
					e.options()); err != nil {
					return err
				}
				if !a.json && !e.detach {
					a.printf("Let the access point read this device's tag now, if it has not yet. There are two minutes for it.\n")
				}
				return a.finish(cmd.Context(), c, f, path, e, secret.Value{})
			})
		},
	}
	e.register(a, cmd)
	return cmd
}

// newNFCRead hands over what was read off a tag.
func newNFCRead(a *app) *cobra.Command {
	var isHex, er bool
	var e enrollFlags
	cmd := &cobra.Command{
		Use:   "read [FILE|-]",
		Short: "Take what was read off a tag",
		Long: `Read takes the content of a tag from a file or standard input. The networks of a configuration token are stored. A password
token is the password of a device: an access point of this machine (--interface) lets that device in, and so does with --er the
External Registrar. Otherwise it is kept for ten minutes, for "wpsctl learn ROUTER nfc-pw", or "wpsctl er learn AP nfc-pw", with the
access point whose tag it is.`,
		Example: `  wpsctl nfc read tag.ndef
  echo d217… | wpsctl nfc read --hex`,
		RunE: func(cmd *cobra.Command, args []string) error {
			payload, err := nfcRun{a}.readBytes(first(args), isHex)
			if err != nil {
				return err
			}
			defer clear(payload)
			return a.withClient(cmd.Context(), func(c *client) error {
				return nfcRun{a}.readTag(cmd.Context(), c, payload, er, e)
			})
		},
	}
	cmd.Flags().BoolVar(&isHex, "hex", false, "the input is hex digits")
	cmd.Flags().BoolVar(&er, "er", false, "let the External Registrar take it")
	e.registerDetach(cmd)
	registerApply(a, cmd, &e.apply, "auto", "none")
	return cmd
}

// first is the only argument there may be.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// readTag hands a tag to the interface that is meant, or to none if there is none.
func (a nfcRun) readTag(ctx context.Context, c *client, payload []byte, er bool,
	e enrollFlags) error {
	f, err := a.newFollower(ctx, c)
	if err != nil {
		return err
	}
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	var what props
	var n netif
	switch {
	case er:
		if n, err = t.pickER(a.ifname); err == nil {
			err = c.call(ctx, n.Path, erIface+".NfcTagRead", []any{&what}, payload, e.options())
		}
	case len(t.Interfaces) == 0 && a.ifname == "":
		err = c.call(ctx, rootPath, managerIface+".NfcTagRead", []any{&what}, payload, e.options())
	default:
		if n, err = t.pick(a.ifname, "station", "ap", "none"); err == nil {
			err = c.call(ctx, n.Path, interfaceIface+".NfcTagRead", []any{&what}, payload,
				e.options())
		}
	}
	if err != nil {
		return err
	}
	if session := get[godbus.ObjectPath](what, "session"); session != "" {
		if !a.json && !e.detach {
			a.printf("Start WPS with NFC on the device whose tag this is. There are two minutes for it.\n")
		}
		return a.finish(ctx, c, f, session, e, secret.Value{})
	}
	return a.showTag(ctx, c, what)
}

// showTag tells what came of a tag that started nothing.
func (a nfcRun) showTag(ctx context.Context, c *client, what props) error {
	kind := get[string](what, "kind")
	ids := []string{}
	for _, p := range get[[]godbus.ObjectPath](what, "networks") {
		ids = append(ids, newNetwork(p, nil).ID)
	}
	if a.json {
		out := map[string]any{"event": "tag", "kind": kind, "networks": ids}
		if get[bool](what, "not-stored") {
			out["not_stored"] = true
		}
		if id := get[uint16](what, "password-id"); id != 0 {
			out["password_id"] = id
		}
		return a.printJSON(out)
	}
	if kind == "password" {
		a.printf("This is the password of a device, kept for ten minutes. If it is an access point's: wpsctl learn ROUTER %s.\n", nfcPassword)
		return nil
	}
	for _, p := range get[[]godbus.ObjectPath](what, "networks") {
		have, err := c.properties(ctx, p, networkIface)
		if err != nil {
			return err
		}
		n := newNetwork(p, have)
		a.printf("The tag has the network %s (%s).\n", ssidText(n.ssid),
			security(n.Auth, n.Encryption))
	}
	s := session{Detail: map[string]godbus.Variant{"not-stored": what["not-stored"]}}
	a.printf("%s\n", a.storedText(ctx, c, ids, s))
	return nil
}
