package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/drivers/controlpoint/remote"
	"wpsd/service/external"
	"wpsd/service/helper"
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
	return runHelper(f, stderr, helper.Socket{Name: "upnp", Network: "unix", Path: f.upnpSocket},
		func(ctx context.Context, l *net.UnixListener, idle time.Duration, log *slog.Logger) error {
			return remote.Server{Idle: idle, Log: log, Settled: releaseMemory,
				Open: func(ifname string) (remote.ControlPoint, error) {
					return controlpoint.Open(controlpoint.Config{Interface: ifname, Log: log})
				}}.Serve(ctx, l)
		})
}
