package nl80211

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/service/fence"
)

// watch waits for what changes by itself: interfaces coming, going and being renamed, cfg80211
// being loaded, radios being blocked. It has one goroutine for each source; all of them sleep in a
// read.
type watch struct {
	driver  *Driver
	config  socket       // nl80211's configuration events, and the news about families
	route   routeSocket  // renaming; nl80211 does not tell it
	rfkill  *os.File     // nil: there is none, or we may not read it
	running map[int]bool // by index: whether data flows, of links that were heard of; watchRoute's
	stopped chan struct{}
	wait    sync.WaitGroup
}

// The controller that knows the families tells their coming and going to a group with a fixed
// number.
const (
	familyController      = unix.GENL_ID_CTRL
	familyControllerGroup = unix.GENL_ID_CTRL
)

func startWatch(d *Driver) (*watch, error) {
	w := &watch{driver: d, stopped: make(chan struct{}), running: make(map[int]bool)}
	var err error
	if w.config, err = d.kernel.generic(); err != nil {
		return nil, fmt.Errorf("nl80211: open a netlink socket: %w", err)
	}
	if err = w.config.JoinGroup(familyControllerGroup); err == nil {
		err = w.joinConfig()
	}
	if err == nil {
		if w.route, err = d.kernel.route(unix.RTMGRP_LINK); err != nil {
			err = fmt.Errorf("nl80211: open a route netlink socket: %w", err)
		}
	}
	if err != nil {
		w.config.Close()
		return nil, err
	}
	w.wait.Go(fence.Keep(d.log, "nl80211: the configuration", w.watchConfig))
	w.wait.Go(fence.Keep(d.log, "nl80211: links", w.watchRoute))
	// Non-blocking, so that Close ends a read that waits.
	if w.rfkill, err = os.OpenFile(d.rfkill.device, os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
		w.wait.Go(fence.Keep(d.log, "nl80211: rfkill", w.watchRfkill))
	} else {
		d.log.Debug("nl80211: changes of rfkill will not be noticed at once", "err", err)
	}
	return w, nil
}

// joinConfig hears the configuration events from now on, if the kernel has Wi-Fi.
func (w *watch) joinConfig() error {
	f, err := w.driver.queries.current()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // watchConfig learns when it comes
	case err != nil:
		return err
	}
	if err := f.join(w.config, unix.NL80211_MULTICAST_GROUP_CONFIG); err != nil {
		return err
	}
	// Without the group, radios are asked each time.
	w.driver.queries.radios.follow(f.join(w.config, unix.NL80211_MULTICAST_GROUP_REG) == nil)
	return nil
}

// close ends the goroutines and waits for them.
func (w *watch) close() {
	close(w.stopped)
	w.config.Close()
	w.route.Close()
	if w.rfkill != nil {
		w.rfkill.Close()
	}
	w.wait.Wait()
}

// broken logs why a source has ended, unless we ended it.
func (w *watch) broken(source string, err error) {
	select {
	case <-w.stopped:
	default:
		w.driver.log.Error("nl80211: changes will not be noticed any more", "source",
			source, "err", err)
	}
}

func (w *watch) watchConfig() {
	for {
		messages, headers, err := w.config.Receive()
		switch {
		case err == nil:
			for i, m := range messages {
				w.configEvent(m, uint16(headers[i].Header.Type))
			}
		case errors.Is(err, unix.ENOBUFS):
			w.resync()
		case fromKernel(err), errors.Is(err, unix.EINTR):
		default:
			w.driver.queries.radios.follow(false)
			w.broken("nl80211", err)
			return
		}
	}
}

// configEvent takes one event. Unless channels have changed only, somebody should list the
// interfaces again, whatever it is about.
func (w *watch) configEvent(m genetlink.Message, kind uint16) {
	w.driver.queries.radios.forget()
	if kind != familyController && aboutChannels(m.Header.Command) {
		return
	}
	if kind == familyController {
		if !aboutNL80211(m.Data) {
			return
		}
		// Loaded or unloaded: the numbers are new ones.
		w.driver.queries.renew()
		if m.Header.Command == unix.CTRL_CMD_NEWFAMILY {
			if err := w.joinConfig(); err != nil {
				w.driver.log.Error("nl80211: interfaces will not be noticed", "err", err)
			}
			w.driver.relisten()
		}
	} else if m.Header.Command == unix.NL80211_CMD_DEL_INTERFACE {
		if e, ok := parseEvent(m.Header.Command, m.Data); ok && e.ifindex != 0 {
			w.driver.gone(e.ifindex)
		}
	}
	w.driver.tellChanged()
}

// aboutChannels tells whether an event says that a radio may use other channels than before: a
// country was set, or a beacon told of one, or showed that a channel may be used for sending.
func aboutChannels(command uint8) bool {
	switch command {
	case unix.NL80211_CMD_REG_CHANGE, unix.NL80211_CMD_WIPHY_REG_CHANGE,
		unix.NL80211_CMD_REG_BEACON_HINT:
		return true
	}
	return false
}

// aboutNL80211 tells whether a message of the controller names our family.
func aboutNL80211(attrs []byte) bool {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return false
	}
	for d.Next() {
		if d.Type() == unix.CTRL_ATTR_FAMILY_NAME {
			return d.String() == unix.NL80211_GENL_NAME
		}
	}
	return false
}

func (w *watch) watchRoute() {
	for {
		messages, err := w.route.Receive()
		switch {
		case err == nil:
			for _, m := range messages {
				if l, ok, err := parseLinkMessage(m); ok && err == nil {
					w.linkEvent(l)
				}
			}
		case errors.Is(err, unix.ENOBUFS):
			w.resync()
		case fromKernel(err), errors.Is(err, unix.EINTR):
		default:
			w.broken("route netlink", err)
			return
		}
	}
}

// linkEvent compares a link with what we know of it; most events are about other interfaces, or
// about things that nobody is told.
func (w *watch) linkEvent(l linkMessage) {
	d := w.driver
	d.mu.Lock()
	before, ok := d.known[l.index]
	d.mu.Unlock()
	if !ok {
		return
	}
	if l.gone {
		d.downs.remove(l.index)
	} else {
		d.downs.onLink(l.index, l.up)
	}
	if was, heard := w.running[l.index]; !heard || was != (l.running && !l.gone) {
		w.running[l.index] = l.running && !l.gone
		d.tellLink(l.name)
	}
	renamed := l.name != before.name
	if l.gone || renamed {
		d.gone(l.index)
	}
	if l.gone || renamed || l.addressed && l.address != before.address {
		d.tellChanged()
	}
}

// resync makes up for lost events: all interfaces are listed again, and each Station is checked.
func (w *watch) resync() {
	d := w.driver
	d.queries.radios.forget()
	d.downs.reset()
	d.log.Warn("nl80211: the kernel had more news than we could read; looking again")
	if _, err := d.netdevs(context.Background()); err == nil {
		d.mu.Lock()
		var lost []int
		for index, s := range d.stations {
			if d.known[index].name != s.name {
				lost = append(lost, index)
			}
		}
		d.mu.Unlock()
		for _, index := range lost {
			d.gone(index)
		}
	}
	d.tellChanged()
}

func (w *watch) watchRfkill() {
	if err := watchRfkill(w.rfkill, w.driver.tellChanged); err != nil {
		w.broken("rfkill", err)
	}
}
