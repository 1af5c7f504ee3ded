package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/coreos/go-systemd/v22/daemon"

	"wpsd/dbus"
	"wpsd/drivers"
	"wpsd/drivers/hostapd"
	"wpsd/drivers/logind"
	"wpsd/drivers/neard"
	"wpsd/drivers/nl80211"
	"wpsd/drivers/none"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/fence"
	"wpsd/service/nfc"
	"wpsd/service/store"
)

// serve runs the service until ctx ends, which is success, or something it cannot do without fails.
func serve(ctx context.Context, f flags, conf *config, hangup <-chan os.Signal, log *slog.Logger,
	level *slog.LevelVar) (err error) {
	for _, note := range conf.Notes {
		log.Warn("configuration", "note", note)
	}
	// The bus first: without it nothing else needs to be touched.
	bus, err := dbus.Dial(f.bus)
	if err != nil {
		return fmt.Errorf("bus %s: %w", f.bus, err)
	}
	defer func() { _ = bus.Close() }() // the server closes it as well
	machine := describer{f, bus.Conn(), log}
	device := machine.begin(ctx, conf.Device)
	st, err := openStore(f, conf, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	driver, accessPoints, err := newDriver(f, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, driver.Close()) }()
	if accessPoints == nil {
		accessPoints = hostapd.Directories{Paths: conf.AccessPoints, Log: log}
	}

	hold, err := newManagers(f, conf, f.managers(), bus.Conn())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hold.close()) }()

	svc, err := service.New(service.Config{
		Device: device(), Drivers: withNone(driver), Interfaces: f.interfaces, Store: st,
		Token:        conf.Token,
		Managers:     hold.config(conf.Apply),
		AccessPoints: accessPoints,
		ControlPoint: controlPoints(f, log),
		Processing:   conf.Processing, FragmentSize: conf.FragmentSize, Log: log, Version: version,
	})
	if err != nil {
		return err
	}
	return work{flags: f, conf: conf, log: log, level: level, hangup: hangup, bus: bus, svc: svc,
		describe: machine.describe, meet: hold.meet}.run(ctx)
}

// work is what serve has made ready.
type work struct {
	flags    flags
	conf     *config
	log      *slog.Logger
	level    *slog.LevelVar
	hangup   <-chan os.Signal
	bus      *dbus.Bus
	svc      *service.Service
	describe func(context.Context, wsc.Device) wsc.Device
	meet     func(context.Context)
}

// run publishes the service, on D-Bus and the control sockets, until ctx ends or nobody needs it.
func (w work) run(ctx context.Context) (err error) {
	sockets := &sockets{log: w.log}
	if ctx, err = sockets.prepare(ctx, w.svc, w.flags, w.conf, w.level); err != nil {
		return err
	}
	idle, leave, line := &idleAfter{}, newLeaver(w.log), &statusLine{log: w.log, work: "idle"}
	idle.set(w.flags, w.conf)
	server, err := dbus.New(w.bus, dbus.RoomsOf(w.svc), dbus.Options{
		Log: w.log, Authorizer: dbus.NewPolkit(w.bus, w.log),
		Ready: func() {
			sockets.wait() // who was told that wpsd is ready finds them there
			w.log.Info("wpsd is ready", "version", version, "driver", w.flags.driver, "bus",
				w.flags.bus)
			notify(w.log, daemon.SdNotifyReady, "STATUS=idle")
		},
		Idle:  dbus.Idle{After: idle.get, Leaving: leave.leaving, Staying: leave.staying},
		Pulse: pulse(w.log), Managers: managerNames(w.flags.managers()), Alive: func() {
			notify(w.log, daemon.SdNotifyWatchdog)
		},
	})
	if err != nil {
		return err
	}
	reload := &reloader{flags: w.flags, conf: w.conf, idle: idle, svc: w.svc,
		line: line, log: w.log,
		level: w.level, describe: w.describe}
	err = runAll(ctx, w.svc, server, w.log, leave.run, func(ctx context.Context) {
		followSessions(ctx, w.svc, line)
	}, sockets.run, func(ctx context.Context) { reload.run(ctx, w.hangup) },
		func(ctx context.Context) { guardSleep(ctx, w.flags, w.svc, w.log) },
		func(ctx context.Context) {
			touch(ctx, w.flags, w.svc, w.log)
		}, w.meet)
	return errors.Join(err, sockets.err)
}

// guardSleep lets sessions end before the machine sleeps, where logind says when it does.
func guardSleep(ctx context.Context, f flags, svc *service.Service, log *slog.Logger) {
	_ = logind.Run(ctx, f.bus, svc, log) // ends with ctx
}

// toucher is what neard tells.
type toucher struct {
	*service.Service
	*nfc.Exchange
}

// touch lets neard, where it runs, tell what was touched.
func touch(ctx context.Context, f flags, svc *service.Service, log *slog.Logger) {
	_ = neard.Run(ctx, f.bus, toucher{svc, svc.NFC()}, log) // ends with ctx
}

// openStore opens the state directory, unless networks are to be forgotten.
func openStore(f flags, conf *config, log *slog.Logger) (*store.Store, error) {
	if conf.Forget {
		log.Info("networks are kept in memory only and forgotten at the end: update_config=0")
		return store.Memory(), nil
	}
	return store.Open(f.stateDir)
}

// newDriver makes the radio that was asked for by name. It may have access points that it steers
// itself; nil: hostapd does.
func newDriver(f flags, log *slog.Logger) (drivers.Driver, drivers.AccessPoints, error) {
	switch f.driver {
	case simDriver:
		return f.simulation.Open(log)
	case "none":
		return none.New(f.interfaces), nil, nil
	case nl80211Driver:
		d, err := nl80211.New(log)
		return d, nil, err
	}
	return nil, nil, fmt.Errorf("no driver %q", f.driver)
}

// withNone adds the driver for interfaces that somebody names while wpsd runs.
func withNone(driver drivers.Driver) []drivers.Driver {
	if driver.Name() == "none" {
		return []drivers.Driver{driver}
	}
	return []drivers.Driver{driver, none.New(nil)}
}

// runAll runs service and server, and what goes on beside them. At the end the service goes first,
// so that clients still hear how their sessions ended; the server follows.
func runAll(ctx context.Context, svc *service.Service, server *dbus.Server, log *slog.Logger,
	beside ...func(context.Context)) error {
	serviceCtx, stopService := context.WithCancel(ctx)
	defer stopService()
	serverCtx, stopServer := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopServer(nil)

	told := make(chan struct{})
	undo := context.AfterFunc(ctx, func() {
		defer close(told)
		log.Info("wpsd stops")
		notify(log, daemon.SdNotifyStopping)
	})
	defer func() { // ctx ends with every return, but only a signal is a stop
		if !undo() {
			<-told
		}
	}()
	serviceDone := make(chan error, 1)
	var others sync.WaitGroup
	go func() {
		err := fence.Do(log, "the service", func() error { return svc.Run(serviceCtx) })
		stopServer(errStopped)
		serviceDone <- err
	}()
	for _, run := range beside {
		others.Go(fence.Keep(log, "a part beside the service", func() { run(serviceCtx) }))
	}
	var err error
	select {
	case <-svc.Ready(): // clients shall find the interfaces there
		err = server.Run(serverCtx)
	case <-serverCtx.Done():
		err = errStopped
	}
	stopService()
	others.Wait()
	return errors.Join(withoutStop(err), <-serviceDone)
}

// errStopped is how the server ends when all went well.
var errStopped = errors.New("stopped")

// withoutStop takes the regular end off the server's errors.
func withoutStop(err error) error {
	if err == nil || errors.Is(err, errStopped) || errors.Is(err, context.Canceled) ||
		errors.Is(err, dbus.ErrIdle) {
		return nil
	}
	return err
}
