package wsc

import "slices"

// M2D is a Registrar's answer to an Enrollee that it knows of but cannot enrol now: the device
// password is missing, or Config Error says why.
type M2D struct {
	Device           // UUID is UUID-R
	EnrolleeNonce    Nonce
	RegistrarNonce   Nonce // hostap sends zeros
	AssociationState AssociationState
	ConfigError      ConfigError
	// DevicePasswordID is the kind of password that the Registrar would want, if it says so;
	// hostapd does not.
	DevicePasswordID    DevicePasswordID
	HasDevicePasswordID bool
}

// ParseM2D reads an M2D. Nothing but the Enrollee Nonce is needed (hostap behaviour): what the
// Registrar says of itself is only shown.
func ParseM2D(b []byte) (*M2D, error) {
	var f fields
	f.readMessage(MsgM2D, b)
	m := &M2D{
		Device:           f.device(),
		EnrolleeNonce:    f.nonce(AttrEnrolleeNonce),
		AssociationState: AssociationState(f.opt16(AttrAssociationState)),
		ConfigError:      ConfigError(f.opt16(AttrConfigurationError)),

		DevicePasswordID:    DevicePasswordID(f.opt16(AttrDevicePasswordID)),
		HasDevicePasswordID: f.has(AttrDevicePasswordID),
	}
	copy(m.RegistrarNonce[:], f.find(AttrRegistrarNonce))
	copy(m.UUID[:], f.find(AttrUUIDR))
	return whole(m, f.failed())
}

// AppendBody appends m to b. M2D has no Authenticator, so this is all of it.
func (m *M2D) AppendBody(b []byte) []byte {
	b = slices.Grow(b, introductionSize)
	b = appendStart(b, MsgM2D)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = AppendAttribute(b, AttrUUIDR, m.UUID[:])
	b = m.appendCapabilities(b)
	b = m.appendDescription(b)
	b = append8(b, AttrRFBands, uint8(m.RFBands))
	b = append16(b, AttrAssociationState, uint16(m.AssociationState))
	b = append16(b, AttrConfigurationError, uint16(m.ConfigError))
	if m.HasDevicePasswordID {
		b = append16(b, AttrDevicePasswordID, uint16(m.DevicePasswordID))
	}
	b = m.appendOSVersion(b)
	b = appendVersion2(b, m.Version2)
	return m.appendVendorExtensions(b)
}

// Append appends m to b.
func (m *M2D) Append(b []byte) []byte { return m.AppendBody(b) }
