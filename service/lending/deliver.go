package lending

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/service/ending"
	"wpsd/service/session"
	"wpsd/service/state"
)

// deliverTime bounds a hand-over: a manager scans, connects, and may have to give up the connection
// that it has.
const deliverTime = 45 * time.Second

// CheckApply refuses what nobody here can do.
func (m *Managers) CheckApply(apply string) error {
	if apply == "" || apply == session.ApplyAuto || apply == session.ApplyNone ||
		m.sink(apply) != nil {
		return nil
	}
	return fmt.Errorf("%w: handing the network to %q: use auto or none", state.ErrNotSupported,
		apply)
}

func (m *Managers) sink(name string) Sink {
	i := slices.IndexFunc(m.sinks, func(k Sink) bool { return k.Name() == name })
	if i < 0 {
		return nil
	}
	return m.sinks[i]
}

// TakeNetworks reports whether networks can be handed to anybody here.
func (m *Managers) TakeNetworks() bool { return len(m.sinks) > 0 }

// SinkFor finds who gets the network: who was named, else who is configured, else who has the
// interface; nil: nobody.
func (m *Managers) SinkFor(apply, owner string) Sink {
	for _, name := range []string{apply, m.apply, owner} {
		if name != "" && name != session.ApplyAuto {
			return m.sink(name) // none, too, is nobody
		}
	}
	return nil
}

// Deliver hands networks over on an interface that nobody of us uses. The caller has the radio.
func (m *Managers) Deliver(ctx context.Context, sink Sink, ifname string,
	offers []credential.Offer) error {
	m.refresh(ctx, ifname, offers)
	_, err := m.deliver(ctx, sink, ifname, offers)
	return err
}

// deliver hands networks over: a Credential for each band may come, and not each need be in reach.
// The manager has them all in the end, and is connected to one.
func (m *Managers) deliver(ctx context.Context, sink Sink, ifname string,
	offers []credential.Offer) (made credential.Connection, err error) {
	if len(offers) == 0 {
		return made, &ending.HandoverError{Manager: sink.Name(),
			Err: errors.New("no network that was received has a name")}
	}
	within, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	start := time.Now()
	made, err = sink.Deliver(within, ifname, offers)
	switch {
	case err == nil:
		m.log.Info("the network was handed over", "interface", ifname, "manager", sink.Name(),
			"networks", len(offers),
			"took", time.Since(start).Round(time.Millisecond))
		return made, nil
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return made, context.Cause(ctx)
	case within.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		err = errors.New("it takes too long")
	}
	m.log.Warn("a network was not taken", "interface", ifname, "manager", sink.Name(), "err", err)
	return made, &ending.HandoverError{Manager: sink.Name(), Err: err}
}

// KeepTime is how long a manager has at least to take a network, also if another session wants the
// interface already.
const KeepTime = 2 * time.Second

// keeping gives a context for a hand-over, which ends as ctx does. If the next session ends it, the
// manager keeps the network; it has KeepTime for taking it.
func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	within, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	began := time.Now()
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), credential.ErrKeep) {
			select {
			case <-time.After(KeepTime - time.Since(began)):
			case <-within.Done():
			}
		}
		cancel(context.Cause(ctx))
	})
	return within, func() {
		stop()
		cancel(nil)
	}
}

const (
	// RefreshTime bounds how long a network is waited for before its manager looks for it: an
	// access point that takes its settings from the run (hostapd 2.10, not configured yet) is off
	// the air for a second or two.
	RefreshTime = 4 * time.Second
	// refreshPause is the time between two looks; one channel takes 30 to 110 ms.
	refreshPause = 200 * time.Millisecond
	// maxRefresh is how many channels are looked at: more take as long as a manager's own scan.
	maxRefresh = 4
)

// refresh has the interface's manager hear a network that it is to be given: looks at its channel
// while the manager has the interface, whose results the kernel tells everybody. wpa_supplicant
// 2.10 connects by results of the last 5 s (SCAN_RES_VALID_FOR_CONNECT) without a scan of its own,
// for itself and for NetworkManager, and iwd 2.3 takes them for those of its own search. Each would
// look at all channels otherwise, for 4 to 8 s. So what a manager has begun to scan is ended for
// this. The caller has the radio.
func (m *Managers) refresh(ctx context.Context, ifname string, offers []credential.Offer) {
	look := drivers.ScanRequest{Urgent: true}
	for i := range offers {
		if o := &offers[i]; o.Frequency != 0 && !slices.Contains(look.Frequencies, o.Frequency) {
			look.Frequencies = append(look.Frequencies, o.Frequency)
			look.SSID = o.SSID // a network that hides its name answers to that only
		}
	}
	if len(look.Frequencies) == 0 || len(look.Frequencies) > maxRefresh {
		return
	}
	if len(look.Frequencies) > 1 {
		look.SSID = nil
	}
	ctx, cancel := context.WithTimeout(ctx, RefreshTime)
	defer cancel()
	err := m.hub.WithStation(ctx, ifname, func(station drivers.Station) error {
		again := time.NewTimer(refreshPause)
		defer again.Stop()
		for {
			heard, err := station.Scan(ctx, look)
			if err != nil || slices.ContainsFunc(heard, func(b drivers.BSS) bool {
				return offered(&b, offers)
			}) {
				return err
			}
			again.Reset(refreshPause)
			select {
			case <-again.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	if err != nil { // then the manager looks by itself
		m.log.Debug("no look before the hand-over", "interface", ifname, "err", err)
	}
}

// offered reports whether a BSS is of one of the networks, and protected as that is.
func offered(b *drivers.BSS, offers []credential.Offer) bool {
	name, _ := ie.SSID(b.IEs)
	return slices.ContainsFunc(offers, func(o credential.Offer) bool {
		return bytes.Equal(name, o.SSID) && o.Suits(ie.SecurityOf(b.IEs, b.Privacy))
	})
}

// changesTime bounds what a manager may take to say whether it has a network.
const changesTime = 10 * time.Second

// Changes asks a manager whether one of the networks would change what it has. One that cannot tell
// would.
func (m *Managers) Changes(ctx context.Context, sink Sink, ifname string,
	networks []credential.Network) bool {
	ctx, cancel := context.WithTimeout(ctx, changesTime)
	defer cancel()
	for _, n := range networks {
		if len(n.SSID) == 0 {
			continue
		}
		changes, err := sink.Changes(ctx, ifname, n)
		if err != nil {
			m.log.Debug("whether a manager has a network", "manager", sink.Name(), "interface",
				ifname, "err", err)
		}
		if changes || err != nil {
			return true
		}
	}
	return false
}
