package settings

import (
	"cmp"
	"fmt"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/wsc"
	"wpsd/service/state"
	"wpsd/service/store"
)

// checkProcessing refuses what credentials cannot be processed as.
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

// completeDevice fills in what the configuration leaves open.
func completeDevice(d wsc.Device, st *store.Store) wsc.Device {
	d.Version2 = cmp.Or(d.Version2, wsc.Version20)
	d.ConfigMethods = cmp.Or(d.ConfigMethods, wsc.DefaultConfigMethods)
	d.UUID = cmp.Or(d.UUID, st.UUID())
	return d
}
