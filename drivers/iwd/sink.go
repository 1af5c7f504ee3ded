package iwd

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
)

// ErrNoDevice means that iwd does not have the interface.
var ErrNoDevice = errors.New("iwd: it does not have the interface")

// Deliver implements Sink: it writes the files from which iwd knows the networks, then connects, to
// the first that it gets into. If there is none the files are again what they were. Where we may
// not write there (we need not be root), iwd is told by way of its agent, which is asked for the
// network that iwd joins only.
func (m *Manager) Deliver(ctx context.Context, ifname string,
	offers []credential.Offer) (credential.Connection, error) {
	usable, err := credential.Usable(offers, check)
	if len(usable) == 0 {
		return credential.Connection{}, err
	}
	d, err := m.dial(ctx, ifname)
	switch {
	case err != nil:
		return credential.Connection{}, err
	case d == nil:
		return credential.Connection{}, ErrNoDevice
	}
	defer d.Close()
	if err := d.on(ctx); err != nil {
		return credential.Connection{}, wrap(err)
	}
	return credential.Connection{}, wrap(m.hand(ctx, d, usable))
}

// placed is an offer, and how iwd is told of it.
type placed struct {
	*credential.Offer
	byAgent bool
	undo    func() error
}

func (m *Manager) hand(ctx context.Context, d *device, offers []*credential.Offer) error {
	var ours []placed
	var err error
	for _, o := range offers {
		undo, provisionErr := m.provision(o.Network)
		switch {
		case isForbidden(provisionErr):
			ours = append(ours, placed{o, true, func() error { return nil }})
		case provisionErr != nil:
			err = errors.Join(err, provisionErr)
		default:
			ours = append(ours, placed{o, false, undo})
		}
	}
	for n, p := range ours {
		joinErr := m.join(ctx, d, p, len(ours)-n)
		if joinErr == nil {
			return nil
		}
		err = errors.Join(err, joinErr)
		if ctx.Err() != nil {
			break
		}
	}
	if errors.Is(context.Cause(ctx), credential.ErrKeep) { // nobody waits, and it goes on
		return err
	}
	for _, p := range ours {
		err = errors.Join(err, p.undo())
	}
	return err
}

// join connects to a network, within its share of the time that is left for so many.
func (m *Manager) join(ctx context.Context, d *device, p placed, attempts int) error {
	ctx, cancel := managerbus.Part(ctx, attempts)
	defer cancel()
	if p.byAgent {
		return m.connectWithAgent(ctx, d, p.Offer)
	}
	return d.connect(ctx, string(p.SSID), kindOf(p.Network))
}

func isForbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) ||
		errors.Is(err, fs.ErrNotExist)
}

// provision writes the file, and returns how to make it what it was.
func (m *Manager) provision(n credential.Network) (undo func() error, err error) {
	path := cmp.Or(m.Directory, Directory)
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := fileName(n.SSID, kindOf(n))
	old, err := readProfile(root, name)
	if err != nil {
		return nil, err
	}
	text, err := profile(old, n)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	if err := writeProfile(root, name, text); err != nil {
		return nil, err
	}
	return func() error {
		root, err := os.OpenRoot(path)
		if err != nil {
			return err
		}
		defer root.Close()
		return writeProfile(root, name, old)
	}, nil
}
