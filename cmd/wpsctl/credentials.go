package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
)

// newCredentials shows what a session received.
func newCredentials(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "credentials [SESSION]",
		Short: "Show what a session received, with the key",
		Long: `Credentials shows the networks that a session received, with their keys: those, too, that could not be stored, because
the disk is full or the state directory cannot be written. A session has them for ten minutes after its end. Without
SESSION (a number or a D-Bus path) it is the newest one that received something.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.showCredentials(cmd.Context(), c, first(args))
			})
		},
	}
}

// showCredentials prints what the session that arg names has received.
func (a *app) showCredentials(ctx context.Context, c *client, arg string) error {
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	s, err := newestWithCredentials(t.Sessions)
	if arg != "" {
		s, err = t.session(arg)
	}
	if err != nil {
		return err
	}
	var raw []props
	if err := c.call(ctx, s.Path, sessionIface+".GetCredentials", []any{&raw}); err != nil {
		return err
	}
	if a.json {
		credentials := make([]map[string]any, 0, len(raw))
		for _, p := range raw {
			credentials = append(credentials, newCredential(p).public(true))
		}
		return a.printJSON(map[string]any{"session": s.Path, "credentials": credentials})
	}
	for _, p := range raw {
		cred := newCredential(p)
		a.printf("%s (%s)\n  key  %s\n", ssidText(cred.ssid), security(cred.auth, cred.encryption),
			cred.keyText())
	}
	return nil
}

// newestWithCredentials finds the newest session that received a network.
func newestWithCredentials(list []session) (session, error) {
	for _, s := range slices.Backward(list) { // by their numbers
		if n, _ := s.Detail["credentials"].Value().(uint32); n > 0 {
			return s, nil
		}
	}
	return session{}, &failure{Exit: exitNotFound,
		Text: "no session of the last ten minutes has received a network",
		Hint: `"wpsctl networks" lists those that are stored.`}
}
