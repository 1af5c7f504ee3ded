package wsc

import (
	"encoding/binary"
	"slices"

	"wpsd/engine/secret"
)

// Credential is what lets a station into one network, or the settings of an access point. Parsing
// takes what can be a Credential; whether it makes a usable network is for package credential to
// say.
type Credential struct {
	NetworkIndex        uint8 // 1 by convention; devices send anything
	SSID                []byte
	AuthType            AuthType
	EncrType            EncrType
	NetworkKeyIndex     *uint8 // nil: absent
	NetworkKey          secret.Value
	MAC                 MAC   // the Enrollee's; some access points put their own
	NetworkKeyShareable *bool // nil: absent
	// Raw is the whole Credential attribute with its header, as it came; empty if built here or if
	// the settings came without a Credential around them.
	Raw secret.Value
}

// ParseCredential reads one Credential attribute with its header, and nothing after it.
func ParseCredential(attr []byte) (Credential, error) {
	const what = "Credential"
	if len(attr) < headerLen {
		return Credential{}, &ParseError{Message: what, Err: ErrTruncated}
	}
	if AttributeID(binary.BigEndian.Uint16(attr)) != AttrCredential {
		return Credential{}, &ParseError{Message: what, Attribute: AttrCredential, Err: ErrMissing}
	}
	if int(binary.BigEndian.Uint16(attr[2:])) != len(attr)-headerLen {
		return Credential{}, &ParseError{Message: what, Attribute: AttrCredential, Err: ErrLength}
	}
	return parseCredential(attr[headerLen:])
}

// parseCredential reads the value of a Credential attribute. A Credential within it is skipped as
// any attribute that does not belong there: there is only one level.
func parseCredential(value []byte) (Credential, error) {
	var f fields
	f.read("Credential", value)
	c := f.credential()
	c.NetworkIndex = f.get8(AttrNetworkIndex)
	if err := f.failed(); err != nil {
		return Credential{}, err
	}
	raw := AppendAttribute(make([]byte, 0, headerLen+len(value)), AttrCredential, value)
	c.Raw = secret.New(raw)
	clear(raw)
	return c, nil
}

// credential reads what a Credential and an access point's settings have in common. An empty SSID
// is one (a stub that deployed Registrars send); an open network needs no key.
func (f *fields) credential() Credential {
	c := Credential{
		SSID:     f.bytes(AttrSSID),
		AuthType: AuthType(f.get16(AttrAuthenticationType)),
		EncrType: EncrType(f.get16(AttrEncryptionType)),
	}
	if c.AuthType != AuthOpen || c.EncrType != EncrNone {
		f.get(AttrNetworkKey)
	}
	// A longer key counts as an empty one (hostap behaviour), which no protected network takes.
	if key := f.find(AttrNetworkKey); len(key) > 0 && len(key) <= MaxNetworkKey {
		c.NetworkKey = secret.New(key)
	}
	copy(c.MAC[:], f.get(AttrMACAddress))
	if v := f.find(AttrNetworkKeyIndex); len(v) == 1 {
		c.NetworkKeyIndex = &[]uint8{v[0]}[0]
	}
	if v := f.wfa.networkKeyShareable; len(v) == 1 {
		c.NetworkKeyShareable = &[]bool{v[0] != 0}[0]
	}
	return c
}

// room is how many bytes Append appends at most.
func (c *Credential) room() int {
	// at most as many, and none but the SSID and the key has more than ten bytes
	const attributes = 10
	return attributes*(headerLen+10) + len(c.SSID) + c.NetworkKey.Len()
}

// Append appends c as one Credential attribute with its header. Raw is not looked at. It makes room
// for all of it first: a slice that grew would leave a copy of the key behind.
func (c *Credential) Append(b []byte) []byte {
	b = slices.Grow(b, c.room())
	start := len(b)
	b = appendHeader(b, AttrCredential, 0)
	b = c.appendSettings(b)
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-headerLen))
	return b
}

// appendSettings appends what a Credential holds, which is also what M8 holds for an access point.
func (c *Credential) appendSettings(b []byte) []byte {
	b = append8(b, AttrNetworkIndex, c.NetworkIndex)
	b = AppendAttribute(b, AttrSSID, c.SSID)
	b = c.appendSecurity(b)
	b = AppendAttribute(b, AttrMACAddress, c.MAC[:])
	return c.appendShareable(b)
}

// appendSecurity appends the types and the key. The key attribute is there even when it is empty.
func (c *Credential) appendSecurity(b []byte) []byte {
	b = append16(b, AttrAuthenticationType, uint16(c.AuthType))
	b = append16(b, AttrEncryptionType, uint16(c.EncrType))
	if c.NetworkKeyIndex != nil {
		b = append8(b, AttrNetworkKeyIndex, *c.NetworkKeyIndex)
	}
	return AppendAttribute(b, AttrNetworkKey, c.NetworkKey.Bytes())
}

func (c *Credential) appendShareable(b []byte) []byte {
	if c.NetworkKeyShareable == nil {
		return b
	}
	x := wfaExtension{networkKeyShareable: []byte{0}}
	if *c.NetworkKeyShareable {
		x.networkKeyShareable[0] = 1
	}
	return x.append(b)
}

// Wipe overwrites the key and Raw, in every copy of c.
func (c *Credential) Wipe() {
	c.NetworkKey.Wipe()
	c.Raw.Wipe()
}
