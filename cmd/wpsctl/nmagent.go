package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wpsd/cmd/internal/nmagent"
	"wpsd/dbus/bus"
)

// newNMAgent answers NetworkManager's questions for keys.
func newNMAgent(a *app) *cobra.Command {
	var unattended bool
	cmd := &cobra.Command{
		Use:   "nm-agent",
		Short: "Give NetworkManager missing Wi-Fi keys by push button",
		Long: `Nm-agent registers with NetworkManager as a secret agent. When you connect to a network whose key NetworkManager does not
have, and its router has WPS, press the WPS button of the router: the key comes from there, NetworkManager connects, and keeps the
key. So its menus and "nmcli connection up" do WPS, also with iwd. It goes on until Ctrl-C, also when NetworkManager or wpsd is
restarted in between.

NetworkManager's own connection stays as it is meanwhile; where the radio has no room for a second one, nothing is done. A
connection whose wps-method lets NetworkManager run push button itself is left to it: set 802-11-wireless-security.wps-method to
disabled (1) for this one. So are connections that keep their key in a keyring, and those that nobody at this computer asked for.
NetworkManager asks the agents of the user who connects, this one before those that began earlier, such as the desktop's.

As a service of yours, in each of your sessions: systemctl --user enable --now wpsd-nm-agent.service`,
		Example: `  nmcli connection add type wifi con-name Home ssid Home wifi-sec.key-mgmt wpa-psk wifi-sec.wps-method disabled
  wpsctl nm-agent &
  nmcli connection up Home`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.nmAgent(cmd.Context(), unattended)
		},
	}
	cmd.Flags().BoolVar(&unattended, "unattended", false,
		"answer also where nobody is at the computer, and for connections that NetworkManager makes by itself")
	return cmd
}

// nmAgent runs the command. Ctrl-C is its regular end.
func (a *app) nmAgent(ctx context.Context, unattended bool) error {
	if _, err := bus.Address(a.bus); err != nil {
		return usagef("--bus %s: %s", printable(a.bus), prose(err.Error()))
	}
	events := make(chan nmagent.Event, 64)
	agent := nmagent.Agent{Unattended: unattended, Log: slog.New(slog.DiscardHandler),
		Terminal: a.stdin != nil && term.IsTerminal(int(a.stdin.Fd())),
		OnEvent: func(e nmagent.Event) {
			select {
			case events <- e:
			default: // who reads the output does not; the agent goes on
			}
		}}
	over := make(chan error, 1)
	go func() { over <- agent.Run(ctx, a.bus) }()
	for {
		select {
		case e := <-events:
			if err := a.printAgentEvent(e); err != nil {
				return err
			}
		case err := <-over:
			if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
				return nil
			}
			return err
		}
	}
}

// printAgentEvent tells what happened.
func (a *app) printAgentEvent(e nmagent.Event) error {
	if a.json {
		m := map[string]any{"event": string(e.Kind)}
		for key, text := range map[string]string{"interface": e.Interface,
			"session": string(e.Session), "message": e.Sentence} {
			if text != "" {
				m[key] = text
			}
		}
		if len(e.SSID) > 0 {
			m["ssid"], m["ssid_hex"] = string(e.SSID), hex.EncodeToString(e.SSID)
		}
		if !e.Deadline.IsZero() {
			m["deadline"] = e.Deadline
		}
		return a.printJSON(m)
	}
	text := prose(e.Sentence)
	switch e.Kind {
	case nmagent.Waiting:
		text = fmt.Sprintf("Press the WPS button of the router, for NetworkManager to connect (%s).",
			clock(time.Until(e.Deadline))+" left")
	case nmagent.Answered:
		text = "NetworkManager has the key."
	}
	if len(e.SSID) > 0 {
		text = ssidText(e.SSID) + ": " + text
	}
	_, err := fmt.Fprintln(a.out, text)
	return err
}
