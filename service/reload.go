package service

import (
	"cmp"

	"wpsd/engine/wsc"
	"wpsd/service/state"
	"wpsd/service/store"
)

// Reloaded is what Reload takes; the fields are Config's.
type Reloaded struct {
	Device       wsc.Device
	Processing   state.Processing
	FragmentSize int
}

// Reload replaces settings, also those that somebody changed since the start. Sessions go on with
// those they began with. On an error nothing is changed.
func (s *Service) Reload(r Reloaded) error {
	processing := cmp.Or(r.Processing, state.ProcessingInternal)
	if err := checkProcessing(processing); err != nil {
		return err
	}
	device := completeDevice(r.Device, s.store)
	if err := checkDevice(device); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fragmentSize, s.altered = r.FragmentSize, false
	s.manager.Device, s.manager.Processing = device, processing
	s.emit(state.ManagerChanged{Manager: s.manager})
	return nil
}

// completeDevice fills in what the configuration leaves open.
func completeDevice(d wsc.Device, st *store.Store) wsc.Device {
	d.Version2 = cmp.Or(d.Version2, wsc.Version20)
	d.ConfigMethods = cmp.Or(d.ConfigMethods, wsc.DefaultConfigMethods)
	d.UUID = cmp.Or(d.UUID, st.UUID())
	return d
}
