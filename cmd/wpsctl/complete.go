package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completeTime bounds what a shell waits for when Tab is pressed.
const completeTime = 2 * time.Second

// known asks wpsd for its objects, for completion: quickly or not at all.
func (a *app) known(cmd *cobra.Command) *tree {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	t := &tree{}
	_ = a.withClient(ctx, func(c *client) error { // completion has nobody to tell of an error
		found, err := c.objects(ctx)
		if err == nil {
			t = found
		}
		return err
	})
	return t
}

// completeInterfaces offers the interfaces' names.
func (a *app) completeInterfaces(cmd *cobra.Command, _ []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	var names []string
	for _, n := range a.known(cmd).Interfaces {
		names = append(names, cobra.CompletionWithDesc(printable(n.Name), printable(n.Mode)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeBSSIDs offers the access points, described by their names.
func (a *app) completeBSSIDs(cmd *cobra.Command, _ []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	var names []string
	for _, ap := range a.known(cmd).AccessPoints {
		if a.ifname == "" || ap.Interface == a.ifname {
			names = append(names, cobra.CompletionWithDesc(printable(ap.BSSID),
				ssidText(ap.ssid)+" "+printable(ap.Flags)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeRouter is completeBSSIDs for the first argument of a command.
func (a *app) completeRouter(cmd *cobra.Command, args []string, text string) ([]string,
	cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeBSSIDs(cmd, nil, text)
}

// completeNetworks offers the stored networks that are not named yet.
func (a *app) completeNetworks(cmd *cobra.Command, args []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	if len(args) > 0 && cmd.Name() != "delete" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, n := range a.known(cmd).Networks {
		if !slices.Contains(args, n.ID) {
			names = append(names, cobra.CompletionWithDesc(printable(n.ID), ssidText(n.ssid)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
