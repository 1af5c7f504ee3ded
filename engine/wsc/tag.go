package wsc

import "wpsd/engine/secret"

// ParseTagCredential reads the attributes of a network off an NFC tag: the value of a Credential
// attribute, or the same attributes with none around them. A tag is written by whoever owns it,
// often with a program that leaves out what a reader does not need, so only the SSID has to be
// there (Android 4.4's reader, and what neard 0.16 writes with Tag.Write: SSID, types and key).
// What M8 brings is for ParseCredential, which is strict.
//
// Without an Authentication Type a network with a key is WPA2-Personal, one without is open.
func ParseTagCredential(value []byte) (Credential, error) {
	var f fields
	f.read("NFC token", value)
	c := Credential{NetworkIndex: 1, SSID: f.bytes(AttrSSID)}
	if err := f.failed(); err != nil {
		return Credential{}, err
	}
	if key := f.find(AttrNetworkKey); len(key) > 0 && len(key) <= MaxNetworkKey {
		c.NetworkKey = secret.New(key)
	}
	switch {
	case f.has(AttrAuthenticationType):
		c.AuthType = AuthType(f.opt16(AttrAuthenticationType))
	case c.NetworkKey.IsZero():
		c.AuthType = AuthOpen
	default:
		c.AuthType = AuthWPA2PSK
	}
	switch {
	case f.has(AttrEncryptionType):
		c.EncrType = EncrType(f.opt16(AttrEncryptionType))
	case c.AuthType == AuthOpen:
		c.EncrType = EncrNone
	default:
		c.EncrType = EncrTKIP | EncrAES // whatever the access point takes
	}
	if f.has(AttrNetworkIndex) {
		c.NetworkIndex = f.opt8(AttrNetworkIndex)
	}
	copy(c.MAC[:], f.find(AttrMACAddress))
	if v := f.find(AttrNetworkKeyIndex); len(v) == 1 {
		c.NetworkKeyIndex = &[]uint8{v[0]}[0]
	}
	raw := c.Append(nil)
	c.Raw = secret.New(raw)
	clear(raw)
	return c, nil
}
