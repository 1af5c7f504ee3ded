package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/store"
)

// nfcConfig is the NFC password token of the configuration, as nfc_pw_token prints it: all four
// lines, or none.
type nfcConfig struct {
	id                wsc.DevicePasswordID
	public            []byte
	private, password secret.Value
	keys              int // how many of the lines were there
}

// setTokenID takes the Device Password ID; the lower ones have other meanings.
func setTokenID(c *config, value string) error {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || n < uint64(wsc.PasswordIDFirstToken) {
		return fmt.Errorf("%q is not a number from 16 to 65535", printable(value))
	}
	c.nfc.id = wsc.DevicePasswordID(n)
	c.nfc.keys++
	return nil
}

// tokenHex reads hex digits of a length; the error does not repeat them.
func tokenHex(value string, least, most int) ([]byte, error) {
	b, err := hex.DecodeString(value)
	switch {
	case err != nil:
		return nil, errors.New("is not made of pairs of hexadecimal digits")
	case len(b) < least || len(b) > most:
		clear(b)
		if least == most {
			return nil, fmt.Errorf("is of %d bytes, not of %d", len(b), most)
		}
		return nil, fmt.Errorf("is of %d bytes, not of %d to %d", len(b), least, most)
	}
	return b, nil
}

func setTokenPublicKey(c *config, value string) (err error) {
	c.nfc.keys++
	c.nfc.public, err = tokenHex(value, wsccrypto.PublicKeySize, wsccrypto.PublicKeySize)
	return err
}

func setTokenPrivateKey(c *config, value string) error {
	b, err := tokenHex(value, 1, wsccrypto.PublicKeySize)
	if err != nil {
		return err
	}
	defer clear(b)
	c.nfc.keys++
	c.nfc.private = secret.New(b)
	return nil
}

func setTokenPassword(c *config, value string) error {
	b, err := tokenHex(value, 16, 32)
	if err != nil {
		return err
	}
	defer clear(b)
	c.nfc.keys++
	c.nfc.password = secret.New(b)
	return nil
}

// token makes the token of the lines, of id 0 if there were none.
func (n *nfcConfig) token() (store.Token, error) {
	switch n.keys {
	case 0:
		return store.Token{}, nil
	case 4:
	default:
		return store.Token{}, errors.New("an NFC token is wps_nfc_dev_pw_id, wps_nfc_dh_pubkey, wps_nfc_dh_privkey and wps_nfc_dev_pw together; " +
			"nfc_pw_token prints all four, and without any wpsd makes one when it is needed")
	}
	pair, err := wsccrypto.KeyPairFromPrivate(n.private)
	if err != nil {
		return store.Token{}, errors.New("wps_nfc_dh_privkey is no private key")
	}
	defer pair.Wipe()
	if !bytes.Equal(pair.Public(), n.public) {
		return store.Token{}, errors.New("wps_nfc_dh_pubkey is not the public key of wps_nfc_dh_privkey: take both of the same token")
	}
	return store.Token{ID: n.id, Private: n.private, Password: n.password}, nil
}
