package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wpsd/engine/secret"
)

// maxSecretInput bounds one line that holds a PIN or a key.
const maxSecretInput = 256

// secretSource is where a secret comes from: a file, or the terminal or standard input otherwise.
type secretSource struct {
	prompt string // "AP PIN", "Key"
	file   string
}

// readSecret reads one line from the source, without showing it on a terminal. Several secrets can
// come from standard input, a line each. An empty line is an empty secret.
func (a *app) readSecret(s secretSource) (secret.Value, error) {
	switch {
	case s.file != "":
		f, err := os.Open(s.file)
		if err != nil {
			return secret.Value{}, usagef("%s file: %v", s.prompt, err)
		}
		defer func() { _ = f.Close() }() // only read
		return secretLine(s.prompt, bufio.NewReader(f))
	case term.IsTerminal(int(a.stdin.Fd())):
		_, _ = fmt.Fprintf(a.errOut, "%s: ", s.prompt)
		typed, err := term.ReadPassword(int(a.stdin.Fd()))
		_, _ = fmt.Fprintln(a.errOut)
		if err != nil {
			return secret.Value{}, fmt.Errorf("reading the %s: %w", s.prompt, err)
		}
		defer clear(typed)
		return secret.New(typed), nil
	}
	if a.lines == nil {
		a.lines = bufio.NewReader(a.stdin)
	}
	return secretLine(s.prompt, a.lines)
}

// secretLine reads one line; spaces may belong to a key, a carriage return does not.
func secretLine(what string, r *bufio.Reader) (secret.Value, error) {
	line := make([]byte, 0, maxSecretInput)
	defer func() { clear(line) }()
	for {
		b, err := r.ReadByte()
		switch {
		case err == io.EOF, err == nil && b == '\n':
			line = []byte(strings.TrimSuffix(string(line), "\r"))
			return secret.New(line), nil
		case err != nil:
			return secret.Value{}, fmt.Errorf("reading the %s: %w", what, err)
		case len(line) == cap(line):
			return secret.Value{}, usagef("the %s is longer than %d bytes", what, maxSecretInput)
		}
		line = append(line, b)
	}
}

// pinSource is where a PIN comes from that is no argument.
type pinSource struct {
	prompt string // whose PIN it is: "AP PIN"
	file   string // --pin-file
}

// register declares the flag that every command with a PIN has.
func (p *pinSource) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.file, "pin-file", "", "read the PIN from this `FILE`")
	mustComplete(cmd.MarkFlagFilename("pin-file"))
}

// readPIN gets a PIN in the one way that all commands have: it is the argument; or a file has it;
// or, without an argument or with "-", it is asked for on a terminal or is a line of standard
// input. An empty one is refused: to wpsd it would mean that it makes one, which nobody wants who
// gives one.
func (a *app) readPIN(from pinSource, args []string) (secret.Value, error) {
	switch {
	case len(args) > 0 && from.file != "":
		return secret.Value{}, usagef("a PIN as argument excludes --pin-file")
	case len(args) > 0 && args[0] != "-":
		return secret.FromString(args[0]), nil
	}
	pin, err := a.readSecret(secretSource(from))
	if err == nil && pin.IsZero() {
		err = &failure{Exit: exitBadPIN, Text: "the PIN is empty"}
	}
	return pin, err
}

const routerHelp = `ROUTER is the SSID or the BSSID of the access point (see "wpsctl scan"). `

const apPINHelp = `The PIN is the one of the access point, from its label or its settings page. Without it, or with "-", it is asked for
(on a terminal) or read from a line of standard input; --pin-file reads it from a file. It is tried once: after a few
wrong ones an access point locks its setup. "nfc-pw" in its place stands for the password of the access point's NFC tag
(see "wpsctl nfc read").`

// newLearn reads an access point's settings.
func newLearn(a *app) *cobra.Command {
	return a.learning(&cobra.Command{
		Use:   "learn ROUTER [PIN|-]",
		Short: "Read the settings of an access point with its PIN",
		Long: `Learn reads the network name and key of an access point with the access point's own PIN, and stores them as a network.
The access point stays as it is.

` + routerHelp + apPINHelp,
		Example: `  wpsctl learn "My network"
  wpsctl learn 02:00:00:00:01:00 12345670 --show-key`,
		ValidArgsFunction: completion{a}.router,
	}, a.register)
}

// proving runs a method of one that lets itself be managed by whoever knows its PIN; see register
// and erRegister.
type proving func(cmd *cobra.Command, e enrollFlags, method, name string,
	read func() (secret.Value, options, error)) error

// learning completes a command that reads the settings of an access point.
func (a *app) learning(cmd *cobra.Command, run proving) *cobra.Command {
	var e enrollFlags
	from := pinSource{prompt: "AP PIN"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return run(cmd, e, "Learn", args[0], func() (secret.Value, options, error) {
			pin, err := a.readPIN(from, args[1:])
			return pin, e.options(), err
		})
	}
	e.register(a, cmd)
	registerForce(cmd, &e.force)
	from.register(cmd)
	return cmd
}

// configuring completes a command that gives an access point new settings.
func (a *app) configuring(cmd *cobra.Command, run proving) *cobra.Command {
	var e enrollFlags
	var n networkFlags
	from := pinSource{prompt: "AP PIN"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := n.check(args[1:]); err != nil {
			return err
		}
		return run(cmd, e, "Configure", args[0], func() (secret.Value, options, error) {
			return a.newSettings(args[1:], e, n, from)
		})
	}
	e.register(a, cmd)
	registerForce(cmd, &e.force)
	n.register(cmd)
	from.register(cmd)
	return cmd
}

// networkFlags are a network's name and security on the command line. The key is never there.
type networkFlags struct {
	ssidHex, auth, encryption, keyFile string
}

// register declares the flags.
func (n *networkFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&n.ssidHex, "ssid-hex", "", "the name in `HEX` digits, if it is no text")
	cmd.Flags().StringVar(&n.auth, "auth", "WPA2PSK",
		"what protects it, `AUTH`: \"WPA2PSK\", \"OPEN\", or for old devices \"WPAPSK|WPA2PSK\" or \"WPAPSK\"")
	cmd.Flags().StringVar(&n.encryption, "encryption", "",
		"its `CIPHER`: \"CCMP\", \"NONE\", or for old devices \"TKIP|CCMP\" or \"TKIP\" (default: what goes with --auth)")
	cmd.Flags().StringVar(&n.keyFile, "key-file", "",
		"read the key from this `FILE`; otherwise it is asked for, or read from standard input")
	mustComplete(cmd.RegisterFlagCompletionFunc("auth",
		cobra.FixedCompletions([]string{"OPEN", "WPA2PSK", "WPAPSK|WPA2PSK", "WPAPSK"},
			cobra.ShellCompDirectiveNoFileComp)))
	mustComplete(cmd.RegisterFlagCompletionFunc("encryption",
		cobra.FixedCompletions([]string{"NONE", "CCMP", "TKIP|CCMP", "TKIP"},
			cobra.ShellCompDirectiveNoFileComp)))
}

// settings makes the a{sv} of a network, and asks for its key unless it is open. name is empty with
// --ssid-hex.
func (a *app) settings(n networkFlags, name string) (options, error) {
	ssid := []byte(name)
	if n.ssidHex != "" {
		if name != "" {
			return nil, usagef("a network name as argument excludes --ssid-hex")
		}
		var err error
		if ssid, err = hex.DecodeString(n.ssidHex); err != nil {
			return nil, usagef("--ssid-hex: %v", err)
		}
	}
	auth, encryption := strings.ToUpper(n.auth), strings.ToUpper(n.encryption)
	if encryption == "" {
		encryption = "CCMP"
		if auth == "OPEN" {
			encryption = "NONE"
		}
	}
	if isWeak(auth, encryption) {
		_, _ = fmt.Fprintf(a.errOut, "wpsctl: %s with %s is weak: whoever is near can break into it in time. Take it for devices that can do no better only; "+
			"many access points add WPA2 and CCMP of their own accord.\n", printable(auth),
			printable(encryption))
	}
	o := options{"ssid": godbus.MakeVariant(ssid), "auth": godbus.MakeVariant(auth),
		"encryption": godbus.MakeVariant(encryption)}
	if auth == "OPEN" && n.keyFile == "" {
		return o, nil
	}
	key, err := a.readSecret(secretSource{"Key", n.keyFile})
	if err != nil {
		return nil, err
	}
	o["key"] = godbus.MakeVariant(key.Bytes())
	return o, nil
}

// isWeak reports whether a network has nothing better than WPA, or than TKIP.
func isWeak(auth, encryption string) bool { return auth == "WPAPSK" || encryption == "TKIP" }

// newConfigure gives an access point new settings.
func newConfigure(a *app) *cobra.Command {
	return a.configuring(&cobra.Command{
		Use:   "configure ROUTER [SSID] [PIN|-]",
		Short: "Give an access point a new network name and key, with its PIN",
		Long: `Configure gives an access point a new network name and key with the access point's own PIN, and stores them as a network
once it has taken them. Devices that use the old ones have to be set up anew.

` + routerHelp + apPINHelp + ` The key is asked for after it, or is the next line of standard input, or comes from --key-file.`,
		Example: `  wpsctl configure "Old name" "New name"
  wpsctl configure 02:00:00:00:01:00 Guests --auth OPEN
  printf '12345670\nmy passphrase\n' | wpsctl configure "Old name" "New name"`,
		ValidArgsFunction: completion{a}.router,
	}, a.register)
}

// register runs Learn or Configure at the router that is named. read gets the PIN and what is sent
// with it; it is called once the router is found, so that nobody types in vain.
func (a *app) register(cmd *cobra.Command, e enrollFlags, method, router string,
	read func() (secret.Value, options, error)) error {
	ctx := cmd.Context()
	e.router = router
	return a.withClient(ctx, func(c *client) error {
		n, f, err := a.prepareAt(ctx, c, &e, "station")
		if err != nil {
			return err
		}
		pin, o, err := read()
		if err != nil {
			return err
		}
		defer pin.Wipe()
		var path godbus.ObjectPath
		err = c.call(ctx, n.Path, interfaceIface+"."+method, []any{&path}, e.bssid,
			string(pin.Bytes()), o)
		if err != nil {
			return err
		}
		return a.finish(ctx, c, f, path, e, secret.Value{})
	})
}

// check looks at what follows the access point on the command line of configure: the name of the
// network, unless it is given in hex digits, and its PIN.
func (n *networkFlags) check(rest []string) error {
	switch {
	case len(rest) == 0 && n.ssidHex == "":
		return usagef("the new network name is missing")
	case len(rest) == 2 && n.ssidHex != "":
		return usagef("a network name as argument excludes --ssid-hex")
	}
	return nil
}

// newSettings collects what configure sends besides the access point: its PIN, and the settings
// with the options of the run. rest is what follows the access point (see check). The PIN comes
// before the key, also from standard input.
func (a *app) newSettings(rest []string, e enrollFlags, n networkFlags,
	from pinSource) (secret.Value, options, error) {
	name := ""
	if n.ssidHex == "" {
		name, rest = rest[0], rest[1:]
	}
	pin, err := a.readPIN(from, rest)
	if err != nil {
		return secret.Value{}, nil, err
	}
	o, err := a.settings(n, name)
	if err != nil {
		pin.Wipe()
		return secret.Value{}, nil, err
	}
	maps.Copy(o, e.options())
	return pin, o, nil
}
