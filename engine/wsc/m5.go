package wsc

// M5 is the Enrollee's proof of the first half of the device password: Encrypted Settings hold
// E-SNonce1.
type M5 struct {
	// RegistrarNonce names the run: the nonce of M2.
	RegistrarNonce Nonce
	// EncryptedSettings are an initialization vector and whole AES blocks, at least 32 bytes.
	EncryptedSettings []byte
	Version2          Version
	// Authenticator covers the message before (M4) and this one up to here (WSC, "Authenticator").
	Authenticator [8]byte
}

// ParseM5 reads an M5. All but Version2 is required; whether the Authenticator is right is for
// whoever has the keys to check.
func ParseM5(b []byte) (*M5, error) {
	var f fields
	f.readMessage(MsgM5, b)
	m := &M5{
		RegistrarNonce:    f.nonce(AttrRegistrarNonce),
		EncryptedSettings: f.encryptedSettings(),
		Version2:          f.wfa.version2,
		Authenticator:     f.authenticator(b),
	}
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M5) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM5)
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	return appendVersion2(b, m.Version2)
}
