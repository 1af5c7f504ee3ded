package wsc

// M7 is the Enrollee's proof of the second half of the device password: Encrypted Settings hold
// E-SNonce2, and an access point's settings if the Enrollee is one.
type M7 struct {
	// RegistrarNonce names the run: the nonce of M2.
	RegistrarNonce Nonce
	// EncryptedSettings are an initialization vector and whole AES blocks, at least 32 bytes.
	EncryptedSettings []byte
	Version2          Version
	// Authenticator covers the message before (M6) and this one up to here (WSC, "Authenticator").
	Authenticator [8]byte
}

// ParseM7 reads an M7. All but Version2 is required; whether the Authenticator is right is for
// whoever has the keys to check.
func ParseM7(b []byte) (*M7, error) {
	var f fields
	f.readMessage(MsgM7, b)
	m := &M7{
		RegistrarNonce:    f.nonce(AttrRegistrarNonce),
		EncryptedSettings: f.encryptedSettings(),
		Version2:          f.wfa.version2,
		Authenticator:     f.authenticator(b),
	}
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M7) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM7)
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	return appendVersion2(b, m.Version2)
}
