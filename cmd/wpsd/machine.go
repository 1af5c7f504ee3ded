package main

import (
	"context"
	"log/slog"
	"time"

	"wpsd/dbus/bus"
	"wpsd/drivers/hostnamed"
	"wpsd/engine/wsc"
	"wpsd/service/fence"
)

// machineTime bounds how long hostnamed may keep wpsd waiting: it is started for the question.
const machineTime = time.Second

// describer fills in what a configuration does not say of this machine.
type describer struct {
	flags flags
	bus   *bus.Conn
	log   *slog.Logger
}

// describe asks hostnamed. The simulation is no machine.
func (r describer) describe(ctx context.Context, d wsc.Device) wsc.Device {
	if r.flags.driver == simDriver || !hostnamed.Needed(d) {
		return d
	}
	ctx, cancel := context.WithTimeout(ctx, machineTime)
	defer cancel()
	m, err := hostnamed.Ask(ctx, r.bus)
	if err != nil {
		r.log.Debug("what this machine is called stands in the configuration only", "err", err)
		return d
	}
	return m.Complete(d)
}

// begin describes beside what else there is to do, until somebody wants to know.
func (r describer) begin(ctx context.Context, d wsc.Device) func() wsc.Device {
	done := make(chan wsc.Device, 1)
	go fence.Keep(r.log, "asking what this machine is called", func() {
		described := d
		defer func() { done <- described }()
		described = r.describe(ctx, d)
	})()
	return func() wsc.Device { return <-done }
}
