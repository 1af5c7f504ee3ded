package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"wpsd/cmd/wps-applet/background"
	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
)

// runBackground is wps-applet --background: no window, and nothing of GTK but GLib's translations.
func runBackground(o options, log *slog.Logger) int {
	if err := gtk.LoadTexts(); err == nil { // without it, English
		gtk.Translate(gettextDomain, shared("locale"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	agent := &background.Agent{Icon: appID + "-symbolic", Icons: shared("icons"), Log: log,
		Bus: o.bus,
		Words: background.Words{
			Title: T("Wi-Fi Setup"),
			Pressed: func(name string) string {
				return fmt.Sprintf(T("Join %s?"), name)
			},
			PressedBody: T("The WPS button of this router is pressed, and this computer is offline."),
			Join:        T("Join"), Name: ssidText,
			Key: func(name string) string {
				return fmt.Sprintf(T("Press the WPS button of %s"), name)
			},
			KeyBody:  T("NetworkManager lacks its password. With the button nobody has to type it."),
			Password: T("Type the Password"), Cancel: T("Cancel")}}
	agent.Open = func() { open(log) }
	agent.Join = func(bssid string) { open(log, "--join", bssid) }
	agent.Model = model.New(o.bus, log, agent.Changed)
	agent.Model.Start()
	defer agent.Model.Close()
	err := agent.Run(ctx)
	if err == nil || errors.Is(err, background.ErrRuns) || ctx.Err() != nil {
		return 0
	}
	_, _ = fmt.Fprintln(os.Stderr, "wps-applet:", err)
	return 1
}

// open starts this program once more, with a window.
func open(log *slog.Logger, args ...string) {
	exe, err := os.Executable()
	if err == nil {
		cmd := exec.Command(exe, args...)
		if err = cmd.Start(); err == nil {
			go func() { _ = cmd.Wait() }()
			return
		}
	}
	log.Error("cannot open the window", "err", err)
}

// autostartFile is where the user says whether the applet begins with the session.
func autostartFile() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "autostart", appID+".desktop"), err
}

// switchBackground starts the background instance, now and with each session, or ends it.
func (a *applet) switchBackground(on bool) {
	a.in("the background", func() func() {
		ctx, cancel := context.WithTimeout(a.run, 10*time.Second)
		defer cancel()
		err := writeAutostart(on)
		if on {
			open(a.log, "--background", "--bus", a.o.bus)
		} else {
			err = errors.Join(err, background.Quit(ctx))
		}
		return func() {
			switch {
			case err != nil:
				a.log.Error("the background", "err", err)
				a.toast(T("That could not be stored."))
			case on:
				a.toast(T("It stays in the background, and says when a button is pressed nearby."))
			default:
				a.toast(T("It ends with its window now."))
			}
		}
	})
}

// writeAutostart writes the user's own autostart file, which goes before the one that is installed.
func writeAutostart(on bool) error {
	name, err := autostartFile()
	if err != nil {
		return err
	}
	text := "[Desktop Entry]\nType=Application\nName=Wi-Fi Setup\nExec=wps-applet --background\nIcon=" +
		appID + "\n"
	if !on {
		text += "Hidden=true\n"
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o600)
}
