package wsc

// Whoever sends these messages signs what AppendBody gives; tests have messages that are signed.

func (m *M3) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}

func (m *M4) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}

func (m *M5) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}

func (m *M6) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}

func (m *M7) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}

func (m *M8) Append(b []byte) []byte {
	return AppendAuthenticator(m.AppendBody(b), m.Authenticator)
}
