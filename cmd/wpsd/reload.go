package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/settings"
)

// idleDefault is how soon wpsd ends when nobody needs it, if nothing else was said, and if systemd
// started it: then whoever calls it next has it started again. What was started by hand stays.
const idleDefault = time.Minute

// idleAfter is that time, which may change when the configuration is read again; 0: never.
type idleAfter struct{ atomic.Int64 }

func (i *idleAfter) get() time.Duration { return time.Duration(i.Load()) }

// set takes the first that says something: the command line, the configuration, the default.
func (i *idleAfter) set(f flags, conf *config) {
	after := time.Duration(0)
	switch {
	case f.idle != nil:
		after = *f.idle
	case conf.IdleExit != nil:
		after = *conf.IdleExit
	case underSystemd():
		after = idleDefault
	}
	i.Store(int64(after))
}

// reloader reads the configuration again at each SIGHUP.
type reloader struct {
	flags flags
	conf  *config // as it is in use
	idle  *idleAfter
	svc   *service.Service
	line  *statusLine
	log   *slog.Logger
	level *slog.LevelVar
	// describe fills in what the configuration does not say of this machine
	describe func(context.Context, wsc.Device) wsc.Device
}

// run waits for signals until ctx ends.
func (r *reloader) run(ctx context.Context, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		notify(r.log, daemon.SdNotifyReloading, monotonic())
		err := r.reload(ctx)
		if err != nil {
			r.log.Error("the configuration was not taken; wpsd goes on with the old one", "err", err)
		} else {
			r.log.Info("the configuration was read again", "file", r.flags.config)
		}
		notify(r.log, daemon.SdNotifyReady)
		r.line.reloaded(err)
	}
}

func (r *reloader) reload(ctx context.Context) error {
	conf, err := loadConfig(r.flags.config, !r.flags.named)
	if err != nil {
		return err
	}
	// First, so that the event which Reload sends makes the bus look at it.
	idle := r.idle.get()
	r.idle.set(r.flags, conf)
	device := r.describe(ctx, conf.Device)
	if err := r.svc.Settings().Reload(settings.Values{Device: device, Processing: conf.Processing,
		FragmentSize: conf.FragmentSize}); err != nil {
		r.idle.Store(int64(idle))
		return err
	}
	if keys := r.conf.needRestart(conf); len(keys) > 0 {
		r.log.Warn("these settings count after a restart", "keys", strings.Join(keys, " "))
	}
	if !r.flags.debug && conf.LogLevel != r.conf.LogLevel {
		r.level.Set(conf.LogLevel)
		// one that a client of a control socket has set since stays until the file says another
		r.conf.LogLevel = conf.LogLevel
	}
	return nil
}

// needRestart lists the keys that differ and count only when wpsd starts.
func (c *config) needRestart(other *config) []string {
	var list []string
	for _, k := range []struct {
		name string
		same bool
	}{
		{"update_config", c.Forget == other.Forget},
		{"apply", c.Apply == other.Apply},
		{"ctrl_interface", c.Control == other.Control},
		{"ctrl_terminate", c.ControlTerminate == other.ControlTerminate},
		{"hostapd_ctrl_interface", slices.Equal(c.AccessPoints, other.AccessPoints)},
		{"wpa_supplicant_ctrl_interface", slices.Equal(c.Supplicants, other.Supplicants)},
		{"wps_nfc_dev_pw", reflect.DeepEqual(c.nfc, other.nfc)},
	} {
		if !k.same {
			list = append(list, k.name)
		}
	}
	return list
}

// monotonic is the line that belongs to RELOADING=1: when it began (sd_notify(3)).
func monotonic() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "MONOTONIC_USEC=0"
	}
	return fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000)
}
