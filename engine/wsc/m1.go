package wsc

import "slices"

// introductionSize is enough for an M1 or M2 with short texts, so that one allocation does.
const introductionSize = 512

// M1 is an Enrollee's introduction: who it is, what it can, its public key.
type M1 struct {
	Device
	EnrolleeNonce Nonce
	// PK_E as on the wire, 190 to 192 bytes: hashes go over just these
	PublicKey        []byte
	AssociationState AssociationState // everybody sends 0
	DevicePasswordID DevicePasswordID // which password the Enrollee means to use
	ConfigError      ConfigError      // of the run before; everybody sends 0
	MultiAP          *uint8           // flags of the Multi-AP subelement; nil: none
}

// ParseM1 reads an M1. A Registrar needs every attribute from UUID-E to OS Version (hostap
// behaviour).
func ParseM1(b []byte) (*M1, error) {
	var f fields
	f.readMessage(MsgM1, b)
	m := &M1{
		Device:           f.device(),
		EnrolleeNonce:    f.nonce(AttrEnrolleeNonce),
		PublicKey:        f.bytes(AttrPublicKey),
		AssociationState: AssociationState(f.get16(AttrAssociationState)),
		DevicePasswordID: DevicePasswordID(f.get16(AttrDevicePasswordID)),
		ConfigError:      ConfigError(f.get16(AttrConfigurationError)),
	}
	copy(m.UUID[:], f.get(AttrUUIDE))
	copy(m.MAC[:], f.get(AttrMACAddress))
	m.State = State(f.get8(AttrState))
	// Registrars refuse an M1 without these though little depends on them, and so do we: what
	// enrols with our Registrar shall enrol with hostap's too.
	for _, id := range []AttributeID{AttrAuthenticationTypeFlags, AttrEncryptionTypeFlags,
		AttrConnectionTypeFlags, AttrConfigMethods, AttrRFBands, AttrOSVersion} {
		f.get(id)
	}
	f.needDescription()
	if len(f.wfa.multiAP) == 1 {
		m.MultiAP = &[]uint8{f.wfa.multiAP[0]}[0]
	}
	return whole(m, f.failed())
}

// AppendBody appends m to b. M1 has no Authenticator, so this is all of it: there is no key yet.
// The order is hostap's (and iwd's), with the WFA extension between OS Version and those of other
// vendors.
func (m *M1) AppendBody(b []byte) []byte {
	b = slices.Grow(b, introductionSize)
	b = appendStart(b, MsgM1)
	b = AppendAttribute(b, AttrUUIDE, m.UUID[:])
	b = AppendAttribute(b, AttrMACAddress, m.MAC[:])
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrPublicKey, m.PublicKey)
	b = m.appendCapabilities(b)
	b = append8(b, AttrState, uint8(m.State))
	b = m.appendDescription(b)
	b = append8(b, AttrRFBands, uint8(m.RFBands))
	b = append16(b, AttrAssociationState, uint16(m.AssociationState))
	b = append16(b, AttrDevicePasswordID, uint16(m.DevicePasswordID))
	b = append16(b, AttrConfigurationError, uint16(m.ConfigError))
	b = m.appendOSVersion(b)
	x := wfaExtension{version2: m.Version2}
	if m.MultiAP != nil {
		x.multiAP = []byte{*m.MultiAP}
	}
	b = x.append(b)
	return m.appendVendorExtensions(b)
}

// Append appends m to b.
func (m *M1) Append(b []byte) []byte { return m.AppendBody(b) }
