package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"wpsd/drivers/controlpoint"
	"wpsd/drivers/controlpoint/remote"
	"wpsd/service/external"
)

const (
	// upnpSocketName is what FileDescriptorName= calls the socket in wpsd-upnp.socket.
	upnpSocketName = "upnp"
	// upnpIdle is how long the process that speaks UPnP goes on when wpsd has closed its last
	// control point.
	upnpIdle = 10 * time.Second
)

// controlPoints is how wpsd gets the sockets of an External Registrar: its own, or those of another
// process.
func controlPoints(f flags, log *slog.Logger) func(ifname string) (external.ControlPoint, error) {
	return func(ifname string) (external.ControlPoint, error) {
		if f.simulation != nil {
			ifname = f.simulation.Network(ifname)
		}
		if f.upnpSocket != "" {
			return remote.Dial(f.upnpSocket, ifname, log)
		}
		return controlpoint.Open(controlpoint.Config{Interface: ifname, Log: log})
	}
}

// runUPnP is that other process.
func runUPnP(f flags, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// not the configuration's: it may hold a password, and is not for us
	log, _ := newLog(stderr, f.debug, &config{})
	slog.SetDefault(log)
	l, idle, err := upnpListener(f)
	if err == nil {
		err = remote.Server{Idle: idle, Log: log, Settled: releaseMemory,
			Open: func(ifname string) (remote.ControlPoint, error) {
				return controlpoint.Open(controlpoint.Config{Interface: ifname, Log: log})
			}}.Serve(ctx, l)
	}
	if err != nil {
		log.Error("wpsd's UPnP process ends", "err", err)
		return exitFailure
	}
	return exitOK
}

// upnpListener is the socket that systemd passes, which starts us again when we have ended for lack
// of work, or one of our own.
func upnpListener(f flags) (net.Listener, time.Duration, error) {
	all, err := activation.ListenersWithNames()
	if err != nil {
		return nil, 0, err
	}
	if passed := all[upnpSocketName]; len(passed) == 1 && passed[0] != nil {
		return passed[0], upnpIdle, nil
	}
	if len(all) > 0 {
		return nil, 0, fmt.Errorf("systemd passed other sockets than one with ListenStream= and FileDescriptorName=%s", upnpSocketName)
	}
	if f.upnpSocket == "" {
		return nil, 0, errors.New("--upnp-server needs --upnp-socket, or a socket from systemd")
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", f.upnpSocket)
	if err == nil {
		err = os.Chmod(f.upnpSocket, 0o600)
	}
	return l, 0, err
}
