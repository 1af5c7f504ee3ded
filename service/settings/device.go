package settings

import (
	"context"
	"fmt"

	"wpsd/engine/wsc"
)

// SetDevice lets change alter what we say of ourselves, from the next session on. It lasts until
// the daemon ends. ErrInvalid tells of a value that cannot be sent.
func (s *Settings) SetDevice(_ context.Context, change func(*wsc.Device)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.manager.Device
	change(&d)
	d.MAC = wsc.MAC{}
	if err := checkDevice(d); err != nil {
		return err
	}
	s.manager.Device, s.altered = d, true
	s.publish()
	return nil
}

// Identify gives us a UUID if there is none yet: the one that hostap and iwd would make from the
// address, so that an access point that knows this device goes on knowing it.
func (s *Settings) Identify(mac wsc.MAC) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identify(mac)
}

// identify is Identify for who holds mu. The UUID is stored, as addresses change; that one short
// write under a lock happens once in a device's life.
func (s *Settings) identify(mac wsc.MAC) {
	if s.manager.Device.UUID != (wsc.UUID{}) || mac.IsZero() {
		return
	}
	uuid := wsc.UUIDFromMAC(mac)
	if err := s.store.SetUUID(uuid); err != nil {
		s.log.Warn("the device's UUID cannot be stored", "err", err)
	}
	s.manager.Device.UUID = uuid
	s.publish()
}

// Device is what we say of ourselves on an interface with this address.
func (s *Settings) Device(mac wsc.MAC) wsc.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.device(mac)
}

// device is Device for who holds mu.
func (s *Settings) device(mac wsc.MAC) wsc.Device {
	s.identify(mac)
	d := s.manager.Device
	d.MAC = mac
	d.AuthTypes, d.EncrTypes, d.ConnTypes = wsc.AuthCapabilities, wsc.EncrCapabilities, wsc.ConnESS
	d.State = wsc.NotConfigured
	return d
}

// NamedDevice is Device for what needs a UUID: without an address, as on the loopback interface, a
// random one.
func (s *Settings) NamedDevice(mac wsc.MAC) (wsc.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identify(mac)
	if s.manager.Device.UUID == (wsc.UUID{}) {
		var random wsc.MAC
		if _, err := s.rand.Read(random[:]); err != nil {
			return wsc.Device{}, fmt.Errorf("settings: %w", err)
		}
		s.identify(random)
	}
	return s.device(mac), nil
}
