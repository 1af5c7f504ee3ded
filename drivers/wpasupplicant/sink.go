package wpasupplicant

import (
	"context"
	"errors"
	"strconv"
	"time"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
)

// ErrFailed means that it knows the network, and is not in it.
var ErrFailed = errors.New("it could not connect in time")

// lookTime is how long only the channels are looked at on which the networks were heard. After that
// an access point may have moved, and everything is.
const lookTime = 6 * time.Second

// talk is a conversation with a wpa_supplicant about one interface, over D-Bus or over its control
// socket. Networks have the names that they have there.
type talk interface {
	// networks lists those that are configured.
	networks(ctx context.Context) ([]network, error)
	can(ctx context.Context) (abilities, error)
	// add makes a network, which is disabled. On an error there is none.
	add(ctx context.Context, values []value) (id string, err error)
	change(ctx context.Context, id string, values []value) error
	remove(ctx context.Context, id string) error
	// choose makes it connect to a network, and disables all others.
	choose(ctx context.Context, id string) error
	enable(ctx context.Context, id string) error
	// current is the network that it is connected to, or tries; "": none.
	current(ctx context.Context) (id string, connected bool, err error)
	// save writes its configuration file, if that says so (update_config=1): its owner's decision.
	save(ctx context.Context)
	// again makes the conversation usable after a context has ended in its middle.
	again() error
	Close()
}

// Deliver implements Sink: for each network it changes the block that has this name already, else
// adds one, and selects the first. The others are enabled again afterwards; to select one disables
// them.
func (m *Manager) Deliver(ctx context.Context, ifname string,
	offers []credential.Offer) (credential.Connection, error) {
	usable, err := credential.Usable(offers, check)
	if len(usable) == 0 {
		return credential.Connection{}, err
	}
	t, err := m.talk(ctx, ifname)
	if err != nil {
		return credential.Connection{}, err
	}
	defer t.Close()
	return credential.Connection{}, wrap(hand(ctx, t, usable))
}

// talk finds the wpa_supplicant that is to get a network. One on D-Bus that was asked for by name,
// and does not have the interface, gets it.
func (m *Manager) talk(ctx context.Context, ifname string) (talk, error) {
	t, err := m.owner(ctx, ifname)
	if t != nil || err != nil {
		return t, err
	}
	i, err := m.dial(ctx, ifname)
	if err != nil {
		return nil, err
	}
	if err := i.create(ctx, map[string]string{"Ifname": ifname, "Driver": "nl80211"}); err != nil {
		i.Close()
		return nil, wrap(err)
	}
	return i, nil
}

// owner finds the wpa_supplicant that has the interface, on D-Bus or not. nil without an error:
// there is none.
func (m *Manager) owner(ctx context.Context, ifname string) (talk, error) {
	i, err := m.dial(ctx, ifname)
	if err == nil && i.path != "" {
		return i, nil
	}
	if err == nil {
		i.Close()
	} else if !isAbsent(err) {
		return nil, err
	}
	if p, err := m.socket(ctx, ifname); p != nil || err != nil {
		return orNone(p), err
	}
	return nil, nil
}

// orNone keeps a nil process from being a talk that is not nil.
func orNone(p *process) talk {
	if p == nil {
		return nil
	}
	return p
}

// placed is an offer that wpa_supplicant knows.
type placed struct {
	*credential.Offer
	network
	added bool
}

// hand makes it know the networks and waits until it is in one of them.
func hand(ctx context.Context, t talk, offers []*credential.Offer) error {
	all, err := t.networks(ctx)
	if err != nil {
		return err
	}
	ours, err := place(ctx, t, offers, all)
	if len(ours) > 0 {
		// That one of several cannot be used is no failure.
		err = join(ctx, t, ours)
	}
	tidy := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		if againErr := t.again(); againErr != nil {
			return errors.Join(err, againErr)
		}
	}
	kept := errors.Is(context.Cause(ctx), credential.ErrKeep) // nobody waits, and it goes on
	failed := err
	if kept {
		err = nil
	}
	mine := map[string]bool{}
	for _, p := range ours {
		mine[p.id] = true
		switch {
		case err != nil && p.added:
			err = errors.Join(err, t.remove(tidy, p.id))
		case err != nil && !p.enabled: // as it was
		case len(ours) > 1 || err != nil || kept:
			err = errors.Join(err, t.enable(tidy, p.id))
		}
	}
	for _, other := range all {
		if other.enabled && !mine[other.id] {
			err = errors.Join(err, t.enable(tidy, other.id))
		}
	}
	if err == nil {
		t.save(tidy)
	}
	if kept {
		err = errors.Join(failed, err)
	}
	return err
}

// place writes a block for each offer. An error is that of the ones that could not be placed.
func place(ctx context.Context, t talk, offers []*credential.Offer, all []network) (ours []placed,
	err error) {
	can, err := t.can(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, o := range offers {
		p := placed{Offer: o, added: true}
		for _, c := range all {
			if !taken[c.id] && c.fits(&o.Network) {
				p.network, p.added = c, false
				break
			}
		}
		if placeErr := p.write(ctx, t, can); placeErr != nil {
			err = errors.Join(err, placeErr)
			continue
		}
		taken[p.id] = true
		ours = append(ours, p)
	}
	return ours, err
}

func (p *placed) write(ctx context.Context, t talk, can abilities) error {
	values, err := settings(p.Offer, p.have, can)
	if err != nil {
		return err
	}
	defer wipe(values)
	if p.added {
		p.id, err = t.add(ctx, values)
		return err
	}
	return t.change(ctx, p.id, values)
}

// join has it connect to any of the networks, the first before the others. For a while it looks
// only where they were heard: all channels take it seconds.
func join(ctx context.Context, t talk, ours []placed) error {
	var near []placed
	for _, p := range ours {
		if p.Frequency != 0 {
			near = append(near, p)
		}
	}
	if len(near) == 0 {
		if err := choose(ctx, t, ours); err != nil {
			return err
		}
		return connects(ctx, t, ours)
	}
	err := narrow(ctx, t, near)
	if err == nil {
		err = choose(ctx, t, near)
	}
	if err == nil {
		soon, cancel := context.WithTimeout(ctx, lookTime)
		err = connects(soon, t, near)
		cancel()
	}
	if widenErr := widen(ctx, t, near); widenErr != nil && ctx.Err() == nil {
		return errors.Join(err, widenErr)
	}
	if !errors.Is(err, ErrFailed) || ctx.Err() != nil {
		return err
	}
	// Nothing is broken off: what it tries just now it goes on with.
	if id, _, err := t.current(ctx); err != nil {
		return err
	} else if id == "" {
		if err := t.choose(ctx, ours[0].id); err != nil {
			return err
		}
	}
	for _, p := range ours {
		if err := t.enable(ctx, p.id); err != nil {
			return err
		}
	}
	return connects(ctx, t, ours)
}

// narrow lets it look for each of the networks on its own channel only.
func narrow(ctx context.Context, t talk, near []placed) error {
	for _, p := range near {
		if err := t.change(ctx, p.id,
			[]value{{name: "scan_freq", text: strconv.Itoa(p.Frequency)}}); err != nil {
			return err
		}
	}
	return nil
}

// widen takes that out again, also after ctx has ended.
func widen(ctx context.Context, t talk, near []placed) error {
	if ctx.Err() != nil {
		if err := t.again(); err != nil {
			return err
		}
		ctx = context.WithoutCancel(ctx)
	}
	var err error
	for _, p := range near {
		was := p.have["scan_freq"]
		if was == "" {
			was = "0" // as a list of frequencies ends: none
		}
		err = errors.Join(err, t.change(ctx, p.id, []value{{name: "scan_freq", text: was}}))
	}
	return err
}

// choose selects the first, and lets it take the others as well.
func choose(ctx context.Context, t talk, list []placed) error {
	err := t.choose(ctx, list[0].id)
	for _, p := range list[1:] {
		if err == nil {
			err = t.enable(ctx, p.id)
		}
	}
	return err
}

// connects waits until it is in one of the networks. ErrFailed: it is not when ctx ends in time.
func connects(ctx context.Context, t talk, list []placed) error {
	err := managerbus.Until(ctx, func() (bool, error) {
		id, connected, err := t.current(ctx)
		if err != nil || !connected {
			return false, err
		}
		for _, p := range list {
			if p.id == id {
				return true, nil
			}
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrFailed
	}
	return err
}
