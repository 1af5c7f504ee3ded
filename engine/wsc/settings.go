package wsc

import "slices"

// Settings is the plaintext of Encrypted Settings without the Key Wrap Authenticator. Each message
// holds a part of it: M4 R-SNonce1, M5 E-SNonce1, M6 R-SNonce2, M7 E-SNonce2 and an access point's
// settings, M8 Credentials or an access point's new settings.
type Settings struct {
	// The secret nonces open the commitments of M3 and M4, the first half before the second.
	// Whoever knows the keys of the run and such a nonce can try out its half of the device
	// password.
	ESNonce1    *Nonce
	ESNonce2    *Nonce
	RSNonce1    *Nonce
	RSNonce2    *Nonce
	Credentials []Credential // at most 10 are kept
	// AP are an access point's settings: the same attributes as in a Credential, but none around
	// them. NetworkIndex is only there in M8.
	AP *Credential
}

// ParseSettings reads the plaintext. One Credential that is none makes the whole invalid (hostap
// behaviour). Settings of an access point are there if an SSID is; incomplete, they make the whole
// invalid, too, unless Credentials are there: then hostap's Enrollee does not look at them.
func ParseSettings(plain []byte) (*Settings, error) {
	var f fields
	f.read("Encrypted Settings", plain)
	if err := f.failed(); err != nil {
		return nil, err
	}
	s := &Settings{
		ESNonce1: f.optNonce(AttrESNonce1),
		ESNonce2: f.optNonce(AttrESNonce2),
		RSNonce1: f.optNonce(AttrRSNonce1),
		RSNonce2: f.optNonce(AttrRSNonce2),
	}
	for _, v := range f.credentials.items[:f.credentials.n] {
		c, err := parseCredential(v)
		if err != nil {
			s.Wipe()
			return nil, err
		}
		s.Credentials = append(s.Credentials, c)
	}
	if !f.has(AttrSSID) {
		return s, nil
	}
	ap := f.credential()
	if s.ESNonce2 == nil {
		ap.NetworkIndex = f.opt8(AttrNetworkIndex)
	}
	switch err := f.failed(); {
	case err == nil:
		s.AP = &ap
	case s.Credentials == nil:
		ap.Wipe()
		s.Wipe()
		return nil, err
	}
	return s, nil
}

// Append appends the plaintext. With E-SNonce2, AP are written as in M7, else as in M8. It makes
// room for all of it first, as Credential.Append does.
func (s *Settings) Append(b []byte) []byte {
	const nonces = 4 * (headerLen + len(Nonce{}))
	room := nonces
	for i := range s.Credentials {
		room += s.Credentials[i].room()
	}
	if s.AP != nil {
		room += s.AP.room()
	}
	b = slices.Grow(b, room)
	for _, n := range []struct {
		id    AttributeID
		nonce *Nonce
	}{
		{AttrRSNonce1, s.RSNonce1}, {AttrESNonce1, s.ESNonce1}, {AttrRSNonce2, s.RSNonce2},
		{AttrESNonce2, s.ESNonce2},
	} {
		if n.nonce != nil {
			b = AppendAttribute(b, n.id, n.nonce[:])
		}
	}
	for i := range s.Credentials {
		b = s.Credentials[i].Append(b)
	}
	switch {
	case s.AP == nil:
		return b
	case s.ESNonce2 == nil:
		return s.AP.appendSettings(b)
	}
	// M7 has the access point's BSSID second and no Network Index.
	b = AppendAttribute(b, AttrSSID, s.AP.SSID)
	b = AppendAttribute(b, AttrMACAddress, s.AP.MAC[:])
	b = s.AP.appendSecurity(b)
	return s.AP.appendShareable(b)
}

// Wipe overwrites the secrets in s.
func (s *Settings) Wipe() {
	for _, n := range []*Nonce{s.ESNonce1, s.ESNonce2, s.RSNonce1, s.RSNonce2} {
		if n != nil {
			clear(n[:])
		}
	}
	for i := range s.Credentials {
		s.Credentials[i].Wipe()
	}
	if s.AP != nil {
		s.AP.Wipe()
	}
}
