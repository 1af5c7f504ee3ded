package wsc

// M3 is the Enrollee's commitment to both halves of the device password.
type M3 struct {
	// RegistrarNonce names the run: the nonce of M2.
	RegistrarNonce Nonce
	// EHash1 and EHash2 each commit to a secret nonce and to one half of the device password, under
	// the key of the run. The nonces follow in M5 and M7; only then can the hashes be checked.
	EHash1   [32]byte
	EHash2   [32]byte
	Version2 Version
	// Authenticator covers the message before (M2) and this one up to here (WSC, "Authenticator").
	Authenticator [8]byte
}

// ParseM3 reads an M3. All but Version2 is required; whether the Authenticator is right is for
// whoever has the keys to check.
func ParseM3(b []byte) (*M3, error) {
	var f fields
	f.readMessage(MsgM3, b)
	m := &M3{
		RegistrarNonce: f.nonce(AttrRegistrarNonce),
		EHash1:         f.hash(AttrEHash1),
		EHash2:         f.hash(AttrEHash2),
		Version2:       f.wfa.version2,
		Authenticator:  f.authenticator(b),
	}
	return whole(m, f.failed())
}

// AppendBody appends m without its Authenticator to b.
func (m *M3) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgM3)
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = AppendAttribute(b, AttrEHash1, m.EHash1[:])
	b = AppendAttribute(b, AttrEHash2, m.EHash2[:])
	return appendVersion2(b, m.Version2)
}
