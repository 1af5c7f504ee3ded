package wsc

// M6 is the Registrar's proof of the second half of the device password: Encrypted Settings hold
// R-SNonce2.
type M6 struct {
	// EnrolleeNonce names the run: the nonce of M1.
	EnrolleeNonce Nonce
	// EncryptedSettings are an initialization vector and whole AES blocks, at least 32 bytes.
	EncryptedSettings []byte
	Version2          Version
	// Authenticator covers the message before (M5) and this one up to here (WSC, "Authenticator").
	Authenticator [8]byte
}

// ParseM6 reads an M6. All but Version2 is required; whether the Authenticator is right is for
// whoever has the keys to check.
func ParseM6(b []byte) (*M6, error) {
	var f fields
	f.readMessage(MsgM6, b)
	m := &M6{
		EnrolleeNonce:     f.nonce(AttrEnrolleeNonce),
		EncryptedSettings: f.encryptedSettings(),
		Version2:          f.wfa.version2,
		Authenticator:     f.authenticator(b),
	}
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M6) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM6)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	return appendVersion2(b, m.Version2)
}
