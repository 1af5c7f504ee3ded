package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completeTime bounds what a shell waits for when Tab is pressed.
const completeTime = 2 * time.Second

// completion says what a shell offers when Tab is pressed.
type completion struct{ app *app }

// known asks wpsd for its objects, for completion: quickly or not at all.
func (c completion) known(cmd *cobra.Command) *tree {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	t := &tree{}
	_ = c.app.withClient(ctx, func(bus *client) error { // completion has nobody to tell of an error
		found, err := bus.objects(ctx)
		if err == nil {
			t = found
		}
		return err
	})
	return t
}

// interfaces offers the interfaces' names.
func (c completion) interfaces(cmd *cobra.Command, _ []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	var names []string
	for _, n := range c.known(cmd).Interfaces {
		names = append(names, cobra.CompletionWithDesc(printable(n.Name), printable(n.Mode)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// bssids offers the access points, described by their names.
func (c completion) bssids(cmd *cobra.Command, _ []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	var names []string
	for _, ap := range c.known(cmd).AccessPoints {
		if c.app.ifname == "" || ap.Interface == c.app.ifname {
			names = append(names, cobra.CompletionWithDesc(printable(ap.BSSID),
				ssidText(ap.ssid)+" "+printable(ap.Flags)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// router is bssids for the first argument of a command.
func (c completion) router(cmd *cobra.Command, args []string, text string) ([]string,
	cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.bssids(cmd, nil, text)
}

// networks offers the stored networks that are not named yet.
func (c completion) networks(cmd *cobra.Command, args []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	if len(args) > 0 && cmd.Name() != "delete" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, n := range c.known(cmd).Networks {
		if !slices.Contains(args, n.ID) {
			names = append(names, cobra.CompletionWithDesc(printable(n.ID), ssidText(n.ssid)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
