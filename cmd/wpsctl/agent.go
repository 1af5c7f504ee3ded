package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"

	"wpsd/dbus/bus"
)

const (
	agentIface = "fi.w1.wps.CredentialAgent"
	agentPath  = rootPath + "/wpsctl/agent"
	// releaseTime is how long to wait for wpsd to say that there are no more calls. In a call it
	// waits for us.
	releaseTime = 3 * time.Second
)

// newAgent prints what is received.
func newAgent(a *app) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Take every received network from wpsd and print it, with its key",
		Long: `Agent registers with wpsd as a program that takes credentials, and prints each one with its key, as it is received and
as the registrar sent it (the Credential attribute in hex digits). Those that nobody has taken so far come first. It goes
on until Ctrl-C, also when wpsd is restarted in between.

It gets something only if credentials are processed externally: with wps_cred_processing=1 (agents get them, nothing is
stored) or 2 (both) in wpsd.conf. "wpsctl status" shows the mode. What could not be printed stays with wpsd.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.agent(cmd.Context(), c, once)
			})
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the first credential")
	return cmd
}

// credentialAgent is the object that wpsd, and nobody else, calls, each time in a goroutine.
type credentialAgent struct {
	a        *app
	once     bool
	released chan struct{} // holds a value when wpsd has released us
	over     chan error    // gets how it ended: nil with --once, or an error of printing

	mu   sync.Mutex
	done bool // nothing more is taken
}

// agent runs the command. Ctrl-C is its regular end.
func (a *app) agent(ctx context.Context, c *client, once bool) error {
	g := &credentialAgent{a: a, once: once, released: make(chan struct{}, 1),
		over: make(chan error, 1)}
	defer c.conn.Serve(bus.Object{Path: agentPath, Interface: agentIface, Caller: busName,
		Methods: map[string]bus.Method{
			"CredentialReceived": {In: "oa{sv}ay", Do: g.credentialReceived},
			"Release":            {Do: g.release},
		}})()
	signals, err := c.watch(ctx)
	if err != nil {
		return err
	}
	if err := g.register(ctx, c); err != nil {
		return err
	}
	var again <-chan time.Time
	there := true // wpsd is
	for {
		select {
		case <-ctx.Done():
			return g.unregister(c)
		case err := <-g.over:
			return errors.Join(err, g.unregister(c))
		case <-g.released:
			if there {
				again = time.After(releaseTime) // if wpsd ends, it will be gone by then
			}
		case <-again:
			again = nil
			if err := g.register(ctx, c); err != nil {
				return err
			}
		case s, ok := <-signals:
			if !ok {
				return &failure{Exit: exitNoService, Text: "the connection to the bus was closed"}
			}
			owner, ok := serviceOwner(s)
			if !ok || owner == "" && !c.left(s) || owner != "" && owner == c.answered {
				continue // of nobody, or told late: the one that came has us already
			}
			again, there = nil, owner != ""
			if !there {
				_, _ = fmt.Fprintln(a.errOut, "wpsctl: wpsd stopped; waiting for it")
			} else if err := g.register(ctx, c); err != nil {
				return err
			}
		}
	}
}

// register tells wpsd of us.
func (g *credentialAgent) register(ctx context.Context, c *client) error {
	p, err := c.properties(ctx, rootPath, managerIface)
	if err != nil {
		return err
	}
	mode := newManager(p).Processing
	if g.a.json {
		err = g.a.printJSON(map[string]any{"event": "registering", "credential_processing": mode})
	} else {
		_, err = fmt.Fprintf(g.a.out, "Waiting for networks; Ctrl-C ends. %s%s\n",
			processingText(mode), inVain(mode))
	}
	if err != nil {
		return err
	}
	err = c.call(ctx, rootPath, managerIface+".RegisterCredentialAgent", nil, agentPath)
	if ctx.Err() != nil {
		return nil // Ctrl-C, which is the regular end; whoever called us unregisters
	}
	return err
}

// unregister ends it in order: wpsd hears the answer to the call that we may be in, and does not
// count it as lost.
func (g *credentialAgent) unregister(c *client) error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	if c.call(ctx, rootPath, managerIface+".UnregisterCredentialAgent", nil, agentPath) != nil {
		return nil // wpsd is gone, or did it before
	}
	select {
	case <-g.released:
	case <-ctx.Done():
	}
	return nil
}

// refuse is what a call gets that is not answered with success. It never tells more.
func refuse(text string) error {
	return godbus.Error{Name: "fi.w1.wps.Error.NotTaken", Body: []any{text}}
}

// credentialReceived implements the method: it answers once the credential is printed.
func (g *credentialAgent) credentialReceived(_ context.Context, args []any) ([]any, error) {
	session, _ := args[0].(godbus.ObjectPath)
	p, _ := args[1].(props)
	raw, _ := args[2].([]byte)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done {
		return nil, refuse("This agent is about to end.")
	}
	if err := g.a.printCredential(session, newCredential(p), raw); err != nil {
		g.done = true
		g.over <- fmt.Errorf("a credential could not be printed, wpsd keeps it: %w", err)
		return nil, refuse("The credential could not be printed.")
	}
	if g.once {
		g.done = true
		g.over <- nil
	}
	return nil, nil
}

// release implements the method.
func (g *credentialAgent) release(context.Context, []any) ([]any, error) {
	select {
	case g.released <- struct{}{}:
	default:
	}
	return nil, nil
}

// printCredential prints one, with its key: that is what this command is for.
func (a *app) printCredential(session godbus.ObjectPath, cred credential, raw []byte) error {
	if a.json {
		m := cred.public(true)
		m["event"], m["session"], m["raw"] = "credential", session, hex.EncodeToString(raw)
		return a.printJSON(m)
	}
	_, err := fmt.Fprintf(a.out,
		"Network %s\n  security  %s\n  key       %s\n  session   %s\n  raw       %x\n",
		ssidText(cred.ssid), security(cred.auth, cred.encryption), cred.keyText(),
		printable(strings.TrimPrefix(string(session), string(rootPath)+"/sessions/")), raw)
	return err
}

// inVain says what to do where no credential will come.
func inVain(mode string) string {
	if mode != "internal" {
		return ""
	}
	return " For them to come here, set wps_cred_processing=2 in /etc/wpsd/wpsd.conf, and reload wpsd."
}

// processingText says what becomes of what is received.
func processingText(mode string) string {
	switch mode {
	case "internal":
		return "Received networks are stored by wpsd, and given to no other program."
	case "external":
		return "Received networks are not stored, but given to programs that take them, such as \"wpsctl agent\"."
	case "both":
		return "Received networks are stored by wpsd, and given to programs that take them as well."
	}
	return "Received networks are processed in the way " + orDash(mode) + "."
}
