package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"wpsd/cmd/internal/evkey"
	"wpsd/cmd/internal/led"
)

// buttonConfig is where the button's own settings are. They are not in wpsd.conf: that can hold a
// password, which whoever reads keys is not to see.
const buttonConfig = "/etc/wpsd/button.conf"

// maxConfig bounds a file of settings.
const maxConfig = 64 << 10

// buttonSettings say which key is watched, and what shows how it goes.
type buttonSettings struct {
	key       uint16
	light     string // empty: none
	ifname    string // empty: the first that can
	lights    string // their directory, "" for the usual one
	directory string // of event devices, "" for the usual one
}

// newButton has a key of the machine start push button.
func newButton(a *app) *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "button",
		Short: "Start push button whenever a key of this machine is pressed",
		Long: `Button waits for the WPS button of this machine, as router boards have it, or another key, and does what "wpsctl pbc" does: as a
station it joins the network whose button is pressed within two minutes, as an access point it lets a device in. A light shows how
it goes: it blinks while a button is to be pressed, is on for five seconds when it went well, and flickers when it did not.

Which key, and which light, is in /etc/wpsd/button.conf. As a service of the machine: systemctl enable --now wpsd-button.service. It
runs as a user of its own in the group input, hears of that key alone, and needs a rule of udev to be allowed to switch the light:

  SUBSYSTEM=="leds", KERNEL=="green:wps", RUN+="/bin/chgrp wpsd-client /sys%p/brightness", RUN+="/bin/chmod g+w /sys%p/brightness"`,
		Example: `  wpsctl button --config my-button.conf`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := readButtonSettings(config)
			if err != nil {
				return err
			}
			a.running = true
			return a.button(cmd.Context(), settings)
		},
	}
	cmd.Flags().StringVar(&config, "config", buttonConfig, "the settings, in `FILE`")
	return cmd
}

// readButtonSettings reads the file. One that is not there says nothing: the usual key, no light.
func readButtonSettings(name string) (buttonSettings, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && name == buttonConfig {
		return parseButtonSettings(name, "")
	}
	if err != nil {
		return buttonSettings{}, usagef("%s", prose(err.Error()))
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil || len(text) > maxConfig {
		return buttonSettings{}, usagef("%s: it cannot be read, or is too long", printable(name))
	}
	return parseButtonSettings(name, string(text))
}

// parseButtonSettings takes lines of the form key=value; # begins a comment.
func parseButtonSettings(name, text string) (buttonSettings, error) {
	s := buttonSettings{key: 0x211} // KEY_WPS_BUTTON
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		var err error
		switch {
		case !ok:
			err = errors.New("not of the form key=value")
		case key == "key":
			s.key, err = evkey.Number(value)
		case key == "led":
			s.light = value
		case key == "interface":
			s.ifname = value
		default:
			err = fmt.Errorf("there is no setting %q: there are interface, key, led", key)
		}
		if err != nil {
			return s, usagef("%s:%d: %s", printable(name), number, prose(err.Error()))
		}
	}
	return s, nil
}

// button runs the command. A signal is its regular end.
func (a *app) button(ctx context.Context, s buttonSettings) error {
	var light *led.Light
	if s.light != "" {
		var err error
		if light, err = led.Open(s.lights, s.light); err != nil {
			// Without it the button works all the same.
			_, _ = fmt.Fprintf(a.errOut, "wpsctl: the light is not used: %s\n", prose(err.Error()))
			light = nil
		}
	}
	log := slog.New(slog.NewTextHandler(a.errOut, &slog.HandlerOptions{Level: slog.LevelInfo}))
	presses, err := (&evkey.Watcher{Key: s.key, Directory: s.directory, Log: log}).Watch(ctx)
	if err != nil {
		return err
	}
	if s.ifname != "" {
		a.ifname = s.ifname
	}
	for range presses {
		err := a.pressed(ctx, light)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			a.report(err)
			light.Failure(ctx)
		} else {
			light.Success(ctx)
		}
		select {
		case <-presses: // while it was at it: a person who presses twice means once
		default:
		}
	}
	return nil
}

// pressed is push button, with the light.
func (a *app) pressed(ctx context.Context, light *led.Light) error {
	showing, stop := context.WithCancel(ctx)
	var shown sync.WaitGroup
	shown.Go(func() { light.Waiting(showing) })
	defer shown.Wait()
	defer stop()
	return a.withClient(ctx, func(c *client) error {
		return a.pbc(ctx, c, enrollFlags{})
	})
}
