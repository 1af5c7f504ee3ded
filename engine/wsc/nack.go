package wsc

// Nack is WSC_NACK: the end of a run, with the reason. It is not authenticated.
type Nack struct {
	EnrolleeNonce  Nonce
	RegistrarNonce Nonce
	// any number; 0 is what most failures give, and the end of a run that was to learn
	ConfigError ConfigError
	Version2    Version
}

// ParseNack reads a WSC_NACK.
func ParseNack(b []byte) (*Nack, error) {
	var f fields
	f.readMessage(MsgNack, b)
	m := &Nack{
		EnrolleeNonce:  f.nonce(AttrEnrolleeNonce),
		RegistrarNonce: f.nonce(AttrRegistrarNonce),
		ConfigError:    ConfigError(f.get16(AttrConfigurationError)),
		Version2:       f.wfa.version2,
	}
	return whole(m, f.failed())
}

// AppendBody appends m to b. WSC_NACK has no Authenticator, so this is all of it.
func (m *Nack) AppendBody(b []byte) []byte {
	b = appendStart(b, MsgNack)
	b = AppendAttribute(b, AttrEnrolleeNonce, m.EnrolleeNonce[:])
	b = AppendAttribute(b, AttrRegistrarNonce, m.RegistrarNonce[:])
	b = append16(b, AttrConfigurationError, uint16(m.ConfigError))
	return appendVersion2(b, m.Version2)
}

// Append appends m to b.
func (m *Nack) Append(b []byte) []byte { return m.AppendBody(b) }
