package wsc

// Ack is WSC_ACK: the answer to M2D, and of a Registrar that is a station to WSC_Done.
type Ack struct {
	EnrolleeNonce  Nonce
	RegistrarNonce Nonce
	Version2       Version
}

// ParseAck reads a WSC_ACK.
func ParseAck(b []byte) (*Ack, error) {
	var f fields
	f.readMessage(MsgAck, b)
	m := &Ack{
		EnrolleeNonce:  f.nonce(AttrEnrolleeNonce),
		RegistrarNonce: f.nonce(AttrRegistrarNonce),
		Version2:       f.wfa.version2,
	}
	return whole(m, f.failed())
}

// AppendBody appends m to b. WSC_ACK has no Authenticator, so this is all of it.
func (m *Ack) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgAck)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	return appendVersion2(b, m.Version2)
}

// Append appends m to b.
func (m *Ack) Append(b []byte) []byte { return m.AppendBody(b) }
