package wsc

import (
	"bytes"
	"slices"
)

// M2 is a Registrar's answer to an Enrollee that it will enrol.
type M2 struct {
	Device         // UUID is UUID-R
	EnrolleeNonce  Nonce
	RegistrarNonce Nonce
	// PK_R as on the wire, 190 to 192 bytes: hashes go over just these
	PublicKey        []byte
	AssociationState AssociationState // everybody sends 0
	ConfigError      ConfigError      // everybody sends 0: with an error it is an M2D
	DevicePasswordID DevicePasswordID // that of M1, or another that the Registrar has in its place
	// EncryptedSettings are in the M2 of the abbreviated exchange of NFC connection handover only;
	// else nil.
	EncryptedSettings []byte
	// Authenticator covers M1 and this message up to here.
	Authenticator [8]byte
}

// ParseM2 reads an M2. An Enrollee needs the nonces, UUID-R, Device Password ID, the key, the
// Authenticator and the description; Config Methods and flags it can do without (hostap behaviour).
func ParseM2(b []byte) (*M2, error) {
	var f fields
	f.readMessage(MsgM2, b)
	m := &M2{
		Device:            f.device(),
		EnrolleeNonce:     f.nonce(AttrEnrolleeNonce),
		RegistrarNonce:    f.nonce(AttrRegistrarNonce),
		PublicKey:         f.bytes(AttrPublicKey),
		AssociationState:  AssociationState(f.opt16(AttrAssociationState)),
		ConfigError:       ConfigError(f.opt16(AttrConfigurationError)),
		DevicePasswordID:  DevicePasswordID(f.get16(AttrDevicePasswordID)),
		EncryptedSettings: bytes.Clone(f.find(AttrEncryptedSettings)),
		Authenticator:     f.authenticator(b),
	}
	copy(m.UUID[:], f.get(AttrUUIDR))
	f.needDescription()
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M2) AppendBody(b []byte) []byte {
	b = slices.Grow(b, introductionSize+len(m.EncryptedSettings))
	b = appendStart(b, MsgM2)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = AppendAttribute(b, AttrUUIDR, m.UUID[:])
	b = AppendAttribute(b, AttrPublicKey, m.PublicKey)
	b = m.appendCapabilities(b)
	b = m.appendDescription(b)
	b = append8(b, AttrRFBands, uint8(m.RFBands))
	b = append16(b, AttrAssociationState, uint16(m.AssociationState))
	b = append16(b, AttrConfigurationError, uint16(m.ConfigError))
	b = append16(b, AttrDevicePasswordID, uint16(m.DevicePasswordID))
	b = m.appendOSVersion(b)
	b = appendVersion2(b, m.Version2)
	// An AirPort puts a vendor extension of its own here (recorded exchange).
	b = m.appendVendorExtensions(b)
	if m.EncryptedSettings != nil {
		b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	}
	return b
}

// Append appends m to b.
func (m *M2) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}
