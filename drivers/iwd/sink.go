package iwd

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"wpsd/engine/credential"
)

// ErrNoDevice means that iwd does not have the interface.
var ErrNoDevice = errors.New("iwd: it does not have the interface")

// Deliver implements Sink: it writes the file from which iwd knows the network, then connects. If that fails the file
// is again what it was. Where we may not write there (we need not be root), iwd is told by way of its agent.
func (m *Manager) Deliver(ctx context.Context, ifname string, n credential.Network) error {
	if err := check(n); err != nil {
		return err
	}
	d, err := m.dial(ctx, ifname)
	switch {
	case err != nil:
		return err
	case d == nil:
		return ErrNoDevice
	}
	defer d.Close()
	if err := d.on(ctx); err != nil {
		return wrap(err)
	}
	undo, err := m.provision(n)
	if isForbidden(err) {
		return wrap(m.connectWithAgent(ctx, d, n))
	}
	if err != nil {
		return wrap(err)
	}
	if err := d.connect(ctx, string(n.SSID), kindOf(n)); err != nil {
		return wrap(errors.Join(err, undo()))
	}
	return nil
}

func isForbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrNotExist)
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
