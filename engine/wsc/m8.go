package wsc

// M8 is what the run was for: Encrypted Settings hold the Credentials for a station, or the new
// settings for an access point.
type M8 struct {
	// EnrolleeNonce names the run: the nonce of M1.
	EnrolleeNonce Nonce
	// EncryptedSettings are an initialization vector and whole AES blocks, at least 32 bytes.
	EncryptedSettings []byte
	Version2          Version
	// Authenticator covers the message before (M7) and this one up to here (WSC, "Authenticator").
	Authenticator [8]byte
}

// ParseM8 reads an M8. All but Version2 is required; whether the Authenticator is right is for
// whoever has the keys to check.
func ParseM8(b []byte) (*M8, error) {
	var f fields
	f.readMessage(MsgM8, b)
	m := &M8{
		EnrolleeNonce:     f.nonce(AttrEnrolleeNonce),
		EncryptedSettings: f.encryptedSettings(),
		Version2:          f.wfa.version2,
		Authenticator:     f.authenticator(b),
	}
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M8) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM8)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	return appendVersion2(b, m.Version2)
}
