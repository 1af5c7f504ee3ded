package service

import (
	"context"
	"fmt"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// GeneratePIN returns a new random PIN; nothing is started.
func (s *Service) GeneratePIN() (secret.Value, error) {
	pin, err := devpass.GeneratePIN(s.rand)
	if err != nil {
		return secret.Value{}, fmt.Errorf("service: %w", err)
	}
	return pin, nil
}

// SetDevice lets change alter what we say of ourselves, from the next session on. It lasts until
// the daemon ends. ErrInvalid tells of a value that cannot be sent.
func (s *Service) SetDevice(_ context.Context, change func(*wsc.Device)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.manager.Device
	change(&d)
	d.MAC = wsc.MAC{}
	if err := checkDevice(d); err != nil {
		return err
	}
	s.manager.Device, s.altered = d, true
	s.emit(state.ManagerChanged{Manager: s.manager})
	return nil
}

// SetProcessing says what becomes of credentials that are received from now on.
func (s *Service) SetProcessing(_ context.Context, p state.Processing) error {
	if err := checkProcessing(p); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manager.Processing != p {
		s.manager.Processing, s.altered = p, true
		s.emit(state.ManagerChanged{Manager: s.manager})
	}
	return nil
}

// MinFragmentSize and MaxFragmentSize bound EAP-WSC fragments. Below 50 bytes an exchange is a
// hundred round trips and hardly ends in time (hostap's own tests go down to 50 as well); above
// 1,400 a fragment may not fit a frame.
const (
	MinFragmentSize = 50
	MaxFragmentSize = 1400
)

// SetFragmentSize bounds the EAP-WSC fragments of sessions that begin from now on, in bytes; 0: the
// usual size. It lasts until the daemon ends, or Reload.
func (s *Service) SetFragmentSize(_ context.Context, n int) error {
	if n != 0 && (n < MinFragmentSize || n > MaxFragmentSize) {
		return fmt.Errorf("%w: a fragment has %d to %d bytes, not %d", state.ErrInvalid,
			MinFragmentSize,
			MaxFragmentSize, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fragmentSize != n {
		s.fragmentSize, s.altered = n, true
		s.emit(state.ManagerChanged{Manager: s.manager}) // the bus looks at who needs the daemon
	}
	return nil
}

func checkProcessing(p state.Processing) error {
	switch p {
	case state.ProcessingInternal, state.ProcessingExternal, state.ProcessingBoth:
		return nil
	}
	return fmt.Errorf("%w: credential processing %q: say internal, external or both",
		state.ErrInvalid, string(p))
}

// checkDevice refuses texts that would be cut on the air, or that no display should show.
func checkDevice(d wsc.Device) error {
	for _, f := range []struct {
		name, text string
		most       int
	}{
		{"manufacturer", d.Manufacturer, wsc.MaxManufacturer},
		{"model name", d.ModelName, wsc.MaxModelName},
		{"model number", d.ModelNumber, wsc.MaxModelNumber},
		{"serial number", d.SerialNumber, wsc.MaxSerialNumber},
		{"device name", d.DeviceName, wsc.MaxDeviceName},
	} {
		if len(f.text) > f.most {
			return fmt.Errorf("%w: the %s has %d bytes, %d fit", state.ErrInvalid, f.name,
				len(f.text), f.most)
		}
		if !utf8.ValidString(f.text) {
			return fmt.Errorf("%w: the %s is not UTF-8", state.ErrInvalid, f.name)
		}
		for _, r := range f.text {
			if unicode.IsControl(r) {
				return fmt.Errorf("%w: a control character in the %s", state.ErrInvalid, f.name)
			}
		}
	}
	if n := len(d.SecondaryDeviceTypes); n > wsc.MaxSecondaryDeviceTypes {
		return fmt.Errorf("%w: %d secondary device types, %d fit", state.ErrInvalid, n,
			wsc.MaxSecondaryDeviceTypes)
	}
	return nil
}

// identify gives us a UUID if there is none yet: the one that hostap and iwd would make from the
// address, so that an access point that knows this device goes on knowing it. It is stored, as
// addresses change. The caller holds mu; the one short write under it happens once in a device's
// life.
func (s *Service) identify(mac wsc.MAC) {
	if s.manager.Device.UUID != (wsc.UUID{}) || mac.IsZero() {
		return
	}
	uuid := wsc.UUIDFromMAC(mac)
	if err := s.store.SetUUID(uuid); err != nil {
		s.log.Warn("the device's UUID cannot be stored", "err", err)
	}
	s.manager.Device.UUID = uuid
	s.emit(state.ManagerChanged{Manager: s.manager})
}

// identifyAnyway is identify for what needs a UUID: without an address, as on the loopback
// interface, a random one. The caller holds mu.
func (s *Service) identifyAnyway(mac wsc.MAC) error {
	s.identify(mac)
	if s.manager.Device.UUID != (wsc.UUID{}) {
		return nil
	}
	var random wsc.MAC
	if _, err := s.rand.Read(random[:]); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	s.identify(random)
	return nil
}

// device is deviceFor for who does not hold mu.
func (s *Service) device(mac wsc.MAC) wsc.Device {
	return locked(&s.mu, func() wsc.Device { return s.deviceFor(mac) })
}

// deviceFor is what we say of ourselves on one interface. The caller holds mu.
func (s *Service) deviceFor(mac wsc.MAC) wsc.Device {
	d := s.manager.Device
	s.identify(mac)
	d.UUID = s.manager.Device.UUID
	d.MAC = mac
	d.AuthTypes, d.EncrTypes, d.ConnTypes = wsc.AuthCapabilities, wsc.EncrCapabilities, wsc.ConnESS
	d.State = wsc.NotConfigured
	return d
}
