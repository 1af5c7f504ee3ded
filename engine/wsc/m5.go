package wsc

// M5 is the Enrollee's proof of the first half of the device password: Encrypted Settings hold
// E-SNonce1.
type M5 struct {
	RegistrarNonce    Nonce
	EncryptedSettings []byte
	Version2          Version
	Authenticator     [8]byte
}

// ParseM5 reads an M5.
func ParseM5(b []byte) (*M5, error) {
	var f fields
	f.readMessage(MsgM5, b)
	m := &M5{
		RegistrarNonce:    f.nonce(AttrRegistrarNonce),
		EncryptedSettings: f.encryptedSettings(),
		Version2:          f.wfa.version2,
		Authenticator:     f.authenticator(b),
	}
	if err := f.failed(); err != nil {
		return nil, err
	}
	return m, nil
}

// AppendBody appends m without its Authenticator to b.
func (m *M5) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM5)
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = AppendAttribute(b, AttrEncryptedSettings, m.EncryptedSettings)
	return appendVersion2(b, m.Version2)
}

// Append appends m to b.
func (m *M5) Append(b []byte) []byte { return AppendAuthenticator(m.AppendBody(b), m.Authenticator) }
