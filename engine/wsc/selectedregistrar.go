package wsc

import "slices"

// SelectedRegistrar is what an External Registrar asks an access point to tell in its beacons and
// probe responses: that a Registrar waits for an Enrollee, or no longer does. It goes over UPnP in
// SetSelectedRegistrar, without a message type.
type SelectedRegistrar struct {
	Selected         bool
	DevicePasswordID DevicePasswordID
	ConfigMethods    ConfigMethods
	Version2         Version // 0: a 1.0 Registrar, which knows no AuthorizedMACs
	AuthorizedMACs   []MAC   // at most 5; Broadcast: anybody
	UUID             UUID    // of the Registrar
}

// ParseSelectedRegistrar reads the message as an access point does (hostap behaviour): what lacks
// has the meaning it had before there was an attribute for it. A 1.0 Registrar authorizes
// everybody.
func ParseSelectedRegistrar(b []byte) (*SelectedRegistrar, error) {
	var f fields
	f.read("SetSelectedRegistrar", b)
	s := &SelectedRegistrar{
		Selected:         f.opt8(AttrSelectedRegistrar) != 0,
		DevicePasswordID: DevicePasswordID(f.opt16(AttrDevicePasswordID)),
		ConfigMethods:    0xFFFF,
		Version2:         f.wfa.version2,
	}
	if f.has(AttrSelectedRegistrarConfigMethods) {
		s.ConfigMethods = ConfigMethods(f.opt16(AttrSelectedRegistrarConfigMethods))
	}
	copy(s.UUID[:], f.find(AttrUUIDR))
	for macs := f.wfa.authorizedMACs; len(macs) >= len(MAC{}); macs = macs[len(MAC{}):] {
		s.AuthorizedMACs = append(s.AuthorizedMACs, MAC(macs))
	}
	if s.Version2 == 0 {
		s.AuthorizedMACs = []MAC{Broadcast}
	}
	return whole(s, f.failed())
}

// Append appends the message in hostap's order.
func (s *SelectedRegistrar) Append(b []byte) []byte {
	selected := uint8(0)
	if s.Selected {
		selected = 1
	}
	b = append8(b, AttrVersion, uint8(Version10))
	b = append8(b, AttrSelectedRegistrar, selected)
	b = append16(b, AttrDevicePasswordID, uint16(s.DevicePasswordID))
	b = append16(b, AttrSelectedRegistrarConfigMethods, uint16(s.ConfigMethods))
	if s.Version2 != 0 {
		x := wfaExtension{version2: s.Version2}
		for _, m := range s.AuthorizedMACs[:min(len(s.AuthorizedMACs), MaxAuthorizedMACs)] {
			x.authorizedMACs = append(x.authorizedMACs, m[:]...)
		}
		b = x.append(b)
	}
	return AppendAttribute(b, AttrUUIDR, s.UUID[:])
}

// Authorizes reports whether a device with this address may enrol.
func (s *SelectedRegistrar) Authorizes(m MAC) bool {
	return slices.Contains(s.AuthorizedMACs, m) || slices.Contains(s.AuthorizedMACs, Broadcast)
}
