package wsc

// Done is WSC_Done: the Enrollee took what M8 gave.
type Done struct {
	EnrolleeNonce  Nonce
	RegistrarNonce Nonce
	Version2       Version
}

// ParseDone reads a WSC_Done.
func ParseDone(b []byte) (*Done, error) {
	var f fields
	f.readMessage(MsgDone, b)
	m := &Done{
		EnrolleeNonce:  f.nonce(AttrEnrolleeNonce),
		RegistrarNonce: f.nonce(AttrRegistrarNonce),
		Version2:       f.wfa.version2,
	}
	return whole(m, f.failed())
}

// AppendBody appends m to b. WSC_Done has no Authenticator, so this is all of it.
func (m *Done) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgDone)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	return appendVersion2(b, m.Version2)
}

// Append appends m to b.
func (m *Done) Append(b []byte) []byte { return m.AppendBody(b) }
