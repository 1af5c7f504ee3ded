package wsc

// M4 is the Registrar's commitment to both halves of the device password, and its proof of the
// first: Encrypted Settings hold R-SNonce1.
type M4 struct {
	// EnrolleeNonce names the run: the nonce of M1.
	EnrolleeNonce Nonce
	// RHash1 and RHash2 are the Registrar's E-Hash1 and E-Hash2.
	RHash1 [32]byte
	RHash2 [32]byte
	// EncryptedSettings are an initialization vector and whole AES blocks, at least 32 bytes; see
	// Settings for what is in them.
	EncryptedSettings []byte
	Version2          Version
	// Authenticator covers the message before (M3) and this one up to here (WSC, "Authenticator").
	Authenticator [8]byte
}

// ParseM4 reads an M4. All but Version2 is required; whether the Authenticator is right is for
// whoever has the keys to check.
func ParseM4(b []byte) (*M4, error) {
	var f fields
	f.readMessage(MsgM4, b)
	m := &M4{
		EnrolleeNonce:     f.nonce(AttrEnrolleeNonce),
		RHash1:            f.hash(AttrRHash1),
		RHash2:            f.hash(AttrRHash2),
		EncryptedSettings: f.encryptedSettings(),
		Version2:          f.wfa.version2,
		Authenticator:     f.authenticator(b),
	}
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M4) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM4)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrRHash1, m.RHash1[:])
	b = AppendAttribute(b, AttrRHash2, m.RHash2[:])
	b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	return appendVersion2(b, m.Version2)
}
