package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/engine/secret"
	"wpsd/service/outcome"
)

// enrollFlags are the flags of pbc and pin.
type enrollFlags struct {
	router  string // as the user names it: SSID or BSSID
	bssid   string // the one that is meant
	detach  bool
	showKey bool
	force   bool
	beside  bool
	multiAP bool
	apply   string
}

// register declares the flags that both commands have.
func (e *enrollFlags) register(a *app, cmd *cobra.Command) {
	e.registerDetach(cmd)
	registerApply(a, cmd, &e.apply, "auto", "none")
	cmd.Flags().BoolVar(&e.showKey, "show-key", false, "print the key of the network, too")
	cmd.MarkFlagsMutuallyExclusive("detach", "show-key")
}

// registerDetach declares the flag that every command has which starts something.
func (e *enrollFlags) registerDetach(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&e.detach, "detach", false,
		"start, print the session, and leave it to wpsd")
}

// registerForce declares the flag of the commands that take a PIN.
func registerForce(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force", false, "use the PIN even if its check digit is wrong")
}

// registerApply declares the flag that says who gets the network: a manager that the service knows,
// or one of words.
func registerApply(a *app, cmd *cobra.Command, apply *string, words ...string) {
	cmd.Flags().StringVar(apply, "apply", "", "hand the network to `MANAGER`: "+
		strings.Join(words, ", ")+" or one of those that \"wpsctl status\" names")
	mustComplete(cmd.RegisterFlagCompletionFunc("apply",
		func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return slices.Concat(words, completion{a}.known(cmd).Manager.Managers),
				cobra.ShellCompDirectiveNoFileComp
		}))
}

// options makes the a{sv} that the Start methods take.
func (e *enrollFlags) options() options {
	o := options{}
	if e.bssid != "" {
		o["bssid"] = godbus.MakeVariant(e.bssid)
	}
	if e.detach {
		o["detach"] = godbus.MakeVariant(true)
	}
	if e.beside {
		o["beside"] = godbus.MakeVariant(true)
	}
	if e.multiAP {
		o["multi-ap"] = godbus.MakeVariant(true)
	}
	if e.force {
		o["force"] = godbus.MakeVariant(true)
	}
	if e.apply != "" {
		o["apply"] = godbus.MakeVariant(e.apply)
	}
	return o
}

// newPBC joins by push button.
func newPBC(a *app) *cobra.Command {
	var e enrollFlags
	cmd := &cobra.Command{
		Use:   "pbc [ROUTER]",
		Short: "Join a network, or let a device in, by push button",
		Long: `Pbc joins the network of the router whose WPS button is pressed within two minutes, before or after the command is
given. If the buttons of two routers are active at once nobody can tell which is meant, and it stops; name the router
then, by its SSID or its BSSID (see "wpsctl scan").

On an interface that is an access point itself (--interface, or where there is no station) it lets the device in whose
button is pressed within two minutes.`,
		Example: `  wpsctl pbc
  wpsctl pbc "My network"
  wpsctl pbc 02:00:00:00:01:00`,
		ValidArgsFunction: completion{a}.router,
		RunE: func(cmd *cobra.Command, args []string) error {
			e.router = first(args)
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.pbc(cmd.Context(), c, e)
			})
		},
	}
	e.register(a, cmd)
	e.registerBeside(cmd)
	cmd.Flags().BoolVar(&e.multiAP, "multi-ap", false,
		"join as a repeater of a Multi-AP network (a backhaul station)")
	return cmd
}

// registerBeside declares the flag of the commands for which the connection can stay.
func (e *enrollFlags) registerBeside(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&e.beside, "beside", false,
		"leave the connection alone that is there, where the radio has room for two")
}

// pbc runs the command.
func (a *app) pbc(ctx context.Context, c *client, e enrollFlags) error {
	n, f, err := a.prepareAt(ctx, c, &e, "station", "ap")
	if err != nil {
		return err
	}
	var path godbus.ObjectPath
	if err := c.call(ctx, n.Path, interfaceIface+".StartPbc", []any{&path},
		e.options()); err != nil {
		return err
	}
	if !a.json && !e.detach {
		a.tellPBC(n)
	}
	return a.finish(ctx, c, f, path, e, secret.Value{})
}

// prepare picks the interface, which is in the first of these modes if it has no name, and listens
// for signals before anything starts.
func (a *app) prepare(ctx context.Context, c *client, modes ...string) (netif, *follower, error) {
	f, err := a.newFollower(ctx, c)
	if err != nil {
		return netif{}, nil, err
	}
	t, err := c.objects(ctx)
	if err != nil {
		return netif{}, nil, err
	}
	n, err := t.pick(a.ifname, modes...)
	return n, f, err
}

// prepareAt is prepare, and finds the access point that is named.
func (a *app) prepareAt(ctx context.Context, c *client, e *enrollFlags, modes ...string) (netif,
	*follower, error) {
	n, f, err := a.prepare(ctx, c, modes...)
	if err == nil && e.router != "" {
		e.bssid, err = a.bssid(ctx, c, n, f.signals, e.router)
	}
	return n, f, err
}

// finish follows the session at path to its end, or leaves it alone with --detach. pin is the PIN
// that was generated for it, which --json shows.
func (a *app) finish(ctx context.Context, c *client, f *follower, path godbus.ObjectPath,
	e enrollFlags, pin secret.Value) error {
	if a.json {
		started := map[string]any{"event": "started", "path": path, "detached": e.detach}
		if !pin.IsZero() {
			started["pin"] = string(pin.Bytes())
		}
		if err := a.printJSON(started); err != nil {
			return err
		}
	}
	if e.detach {
		if !a.json {
			a.printf("%s\n", path)
		}
		return nil
	}
	s, err := f.follow(ctx, path)
	if err != nil {
		return err
	}
	if s.State == "succeeded" && s.Purpose == "admit" {
		return a.showAdmitted(s)
	}
	if s.State == "succeeded" || s.Reason == "handover-failed" || s.Reason == "not-stored" {
		if err := a.showResult(context.WithoutCancel(ctx), c, s, e.showKey); err != nil {
			return err
		}
	}
	if s.State == "succeeded" {
		return nil
	}
	return a.showFailure(ctx, s, f.sentence)
}

// showFailure reports how a session failed; after Ctrl-C a canceled session is what was asked for.
func (a *app) showFailure(ctx context.Context, s session, sentence string) error {
	failed := sessionFailure(s, sentence)
	if ctx.Err() != nil && s.State == "canceled" {
		failed = &failure{Exit: exitInterrupted, Name: s.Reason, Text: "canceled"}
	}
	if a.json {
		event := sessionEvent("failed", s)
		event["error"] = failed
		if d := plainDetail(s.Detail); len(d) > 0 {
			event["detail"] = d
		}
		failed.told = true
		return joinFailure(failed, a.printJSON(event))
	}
	return failed
}

// joinFailure prefers the session's failure to one of printing it.
func joinFailure(failed *failure, printErr error) error {
	if printErr != nil && failed == nil {
		return printErr
	}
	return failed
}

// plainDetail takes the variants off a session's details.
func plainDetail(d map[string]godbus.Variant) map[string]any {
	plain := values(d)
	for name, v := range plain {
		switch v := v.(type) {
		case []byte:
			plain[name] = string(v)
		case [][]byte:
			texts := make([]string, len(v))
			for i, ssid := range v {
				texts[i] = string(ssid)
			}
			plain[name] = texts
		}
	}
	return plain
}

// showResult tells which networks a session brought.
func (a *app) showResult(ctx context.Context, c *client, s session, showKey bool) error {
	var raw []props
	err := c.call(ctx, s.Path, sessionIface+".GetCredentials", []any{&raw})
	if f, ok := errors.AsType[*failure](err); ok && f.Name == errorPrefix+"NoCredentials" {
		err = nil // with wps_cred_processing=1: other programs may know what to do with what came
	}
	if err != nil {
		return err
	}
	ids := make([]string, 0, len(s.Networks))
	for _, p := range s.Networks {
		ids = append(ids, newNetwork(p, nil).ID)
	}
	connected := "" // who
	if handed, _ := s.Detail["handed-over"].Value().(bool); handed {
		connected, _ = s.Detail["manager"].Value().(string)
	}
	if a.json {
		credentials := make([]map[string]any, 0, len(raw))
		for _, p := range raw {
			credentials = append(credentials, newCredential(p).public(showKey))
		}
		event := sessionEvent("received", s)
		if s.State == "succeeded" {
			event = sessionEvent("succeeded", s)
		}
		event["networks"], event["credentials"] = ids, credentials
		if connected != "" {
			event["manager"] = connected
			if uuid, ok := s.Detail["connection-uuid"].Value().(string); ok {
				event["connection_uuid"] = uuid
			}
		}
		return a.printJSON(event)
	}
	for _, p := range raw {
		cred := newCredential(p)
		a.printf("%s %s (%s).\n", resultText(s.Purpose), ssidText(cred.ssid),
			security(cred.auth, cred.encryption))
		if showKey {
			a.printf("Its key: %s\n", cred.keyText())
		}
	}
	a.printf("%s\n", a.storedText(ctx, c, ids, s))
	if left, _ := s.Detail["left-out"].Value().([]string); len(left) > 0 {
		a.printf("Left out: %s.\n", printable(strings.Join(left, ", ")))
	}
	if connected != "" {
		a.printf("%s is connected to it.\n", printable(outcome.ManagerName(connected)))
	}
	return nil
}

// resultText says what came of a session, as the beginning of a sentence about a network.
func resultText(purpose string) string {
	switch purpose {
	case "learn":
		return "The router has the network"
	case "configure":
		return "The router has the new network"
	}
	return "Received the network"
}

// storedText says where the networks of a session are now and what one can do with them. A network
// without a number is kept by nobody: its session has it for some minutes.
func (a *app) storedText(ctx context.Context, c *client, ids []string, s session) string {
	notStored, _ := s.Detail["not-stored"].Value().(bool)
	text := ""
	if len(ids) > 0 {
		text = storedAs(ids)
	}
	switch {
	case notStored && s.Path == "": // a tag
		return strings.TrimPrefix(text+"\nNot everything could be stored: delete some networks, then read it again.", "\n")
	case notStored:
		text += fmt.Sprintf("\nNot everything could be stored. Its key is kept for ten minutes: wpsctl credentials %s shows it.", path.Base(string(s.Path)))
		return strings.TrimPrefix(text, "\n")
	case text != "":
		return text
	}
	if p, err := c.properties(ctx, rootPath, managerIface); err == nil {
		return notStoredText(newManager(p).Processing)
	}
	return notStoredText("")
}

// notStoredText says why a network is not stored, as far as the mode of the service tells.
func notStoredText(processing string) string {
	if processing == "external" {
		return "It is not stored, as wps_cred_processing=1 leaves that to other programs; --show-key prints the key."
	}
	return "It is not stored; --show-key prints the key. " + logHint
}

// storedAs says what one can do with stored networks.
func storedAs(ids []string) string {
	return fmt.Sprintf("Stored as %s. Show the key: wpsctl networks show --key %s. For a phone: wpsctl networks qr %s.",
		strings.Join(ids, ", "), ids[0], ids[0])
}

// security names what protects a network, for people.
func security(auth, encryption string) string {
	names := map[string]string{"OPEN": "open", "WPAPSK": "WPA", "WPA2PSK": "WPA2",
		"WPAPSK|WPA2PSK": "WPA/WPA2", "SAE": "WPA3"}
	name, ok := names[auth]
	if !ok {
		name = orDash(auth)
	}
	if encryption == "" || encryption == "NONE" {
		return name
	}
	return name + ", " + printable(encryption)
}
