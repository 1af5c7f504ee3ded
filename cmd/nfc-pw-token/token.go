package main

import (
	"fmt"
	"io"
	"strconv"

	"wpsd/engine/ndef"
	"wpsd/engine/wsccrypto"
)

// privateLen is the length of a private key in the output. Ours are shorter; zeros in front make
// them as long as hostap's, whose programs read these lines, too.
const privateLen = 192

// token is one password token with the key pair that it announces. It is for one goroutine.
type token struct {
	tag  *ndef.PasswordToken
	keys *wsccrypto.KeyPair
}

// newToken draws the private key, the id and the password from rand, in this order.
func newToken(rand io.Reader) (*token, error) {
	keys, err := wsccrypto.GenerateKeyPair(rand)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	tag, err := ndef.NewPasswordToken(rand, wsccrypto.PublicKeyHash(keys.Public()))
	if err != nil {
		keys.Wipe()
		return nil, fmt.Errorf("making a token: %w", err)
	}
	return &token{tag: tag, keys: keys}, nil
}

// wipe overwrites the secrets.
func (t *token) wipe() {
	t.tag.Wipe()
	t.keys.Wipe()
}

// column is one of the things that are told of a token.
type column struct {
	name   string // in a line, before "="
	header string // in a table
	append func(b []byte, t *token) []byte
}

// columns are the lines of a token, in the order and with the names of hostap's tool. The last four
// are configuration lines; the others are comments to whoever reads configurations.
var columns = []column{
	{"#WPS", "wps", appendWPS},
	{"#NDEF", "ndef", appendNDEF},
	{"wps_nfc_dev_pw_id", "wps_nfc_dev_pw_id", appendID},
	{"wps_nfc_dh_pubkey", "wps_nfc_dh_pubkey", appendPublic},
	{"wps_nfc_dh_privkey", "wps_nfc_dh_privkey", appendPrivate},
	{"wps_nfc_dev_pw", "wps_nfc_dev_pw", appendPassword},
}

func appendWPS(b []byte, t *token) []byte {
	content := t.tag.Append(nil)
	defer clear(content)
	return appendHex(b, content)
}

func appendNDEF(b []byte, t *token) []byte {
	content := t.tag.AppendNDEF(nil)
	defer clear(content)
	return appendHex(b, content)
}

func appendID(b []byte, t *token) []byte { return strconv.AppendUint(b, uint64(t.tag.ID), 10) }

func appendPublic(b []byte, t *token) []byte { return appendHex(b, t.keys.Public()) }

func appendPrivate(b []byte, t *token) []byte {
	var padded [privateLen]byte
	defer clear(padded[:])
	key := t.keys.Private().Bytes()
	copy(padded[privateLen-len(key):], key)
	return appendHex(b, padded[:])
}

func appendPassword(b []byte, t *token) []byte { return appendHex(b, t.tag.Password.Bytes()) }

// linesLen is more than a token's lines have, so that secrets are not left behind in slices
// outgrown.
const linesLen = 2048

// appendLines appends the token as lines.
func (t *token) appendLines(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, linesLen)
	}
	for _, c := range columns {
		b = append(append(b, c.name...), '=')
		b = append(c.append(b, t), '\n')
	}
	return b
}

// appendRow appends the token as a row of a table, with its number in front. Digits need no quotes.
func (t *token) appendRow(b []byte, number int) []byte {
	if b == nil {
		b = make([]byte, 0, linesLen)
	}
	b = strconv.AppendInt(b, int64(number), 10)
	for _, c := range columns {
		b = c.append(append(b, ','), t)
	}
	return append(b, '\n')
}

// header is the first row of a table.
func header() []byte {
	b := []byte("number")
	for _, c := range columns {
		b = append(append(b, ','), c.header...)
	}
	return append(b, '\n')
}

// appendHex appends src in upper case, as hostap's tool writes it.
func appendHex(b, src []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, v := range src {
		b = append(b, digits[v>>4], digits[v&15])
	}
	return b
}
