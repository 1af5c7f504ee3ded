package iwd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
)

// knownI is the interface of a network that iwd has joined or was told of (iwd,
// doc/known-network-api.txt).
const knownI = busName + ".KnownNetwork"

// Changes reports whether iwd knows a network of this name, unless what it keeps of it is what
// Deliver would write. Where its directory is closed to us only an open network is known to be the
// same.
func (m *Manager) Changes(ctx context.Context, _ string, n credential.Network) (bool, error) {
	conn, err := m.Bus.Dial(ctx, busName)
	if errors.Is(err, managerbus.ErrAbsent) {
		return false, nil
	}
	if err != nil {
		return false, wrap(err)
	}
	defer conn.Close()
	var all objects
	if err := conn.Call(ctx, "/", "org.freedesktop.DBus.ObjectManager.GetManagedObjects", nil,
		&all); err != nil {
		return false, wrap(err)
	}
	for _, interfaces := range all {
		known, is := interfaces[knownI]
		name, _ := known["Name"].Value().(string)
		if !is || name != string(n.SSID) {
			continue
		}
		kind, _ := known["Type"].Value().(string)
		if kind != kindOf(n) || n.KeyKind != credential.KeyNone && !m.keeps(n) {
			return true, nil
		}
	}
	return false, nil
}

// keeps reports whether the file of a network is what Deliver would make of it.
func (m *Manager) keeps(n credential.Network) bool {
	root, err := os.OpenRoot(cmp.Or(m.Directory, Directory))
	if err != nil {
		return false
	}
	defer root.Close()
	old, err := readProfile(root, fileName(n.SSID, kindOf(n)))
	defer clear(old)
	if err != nil || old == nil {
		return false
	}
	text, err := profile(old, n)
	defer clear(text)
	return err == nil && bytes.Equal(old, text)
}
