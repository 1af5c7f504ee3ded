package wsccrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"wpsd/engine/wsc"
)

// ErrEncryptedSettings means that Encrypted Settings are no good. It does not say why, so that no
// answer can depend on it: which check failed would help a forger.
var ErrEncryptedSettings = errors.New("wsccrypto: invalid Encrypted Settings")

// kwaSize is the length of the Key Wrap Authenticator attribute: Type, Length, eight bytes.
const kwaSize = 4 + 8

// maxPlain is the longest plaintext: with Key Wrap Authenticator, padding and IV it must fit an
// attribute.
const maxPlain = 0xFFFF - kwaSize - 2*aes.BlockSize

// Wrap makes the value of an Encrypted Settings attribute from plain, which it leaves alone: it
// adds the Key Wrap Authenticator and the padding, draws an IV of 16 bytes from rand and encrypts.
func (k *Keys) Wrap(rand io.Reader, plain []byte) ([]byte, error) {
	if k.wiped {
		return nil, ErrWiped
	}
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("wsccrypto: settings of %d bytes do not fit an attribute", len(
			plain))
	}
	// Between one and 16 bytes of padding, each telling how many: a whole block if none is needed.
	pad := aes.BlockSize - (len(plain)+kwaSize)%aes.BlockSize
	out := make([]byte, aes.BlockSize, aes.BlockSize+len(plain)+kwaSize+pad)
	if _, err := io.ReadFull(rand, out); err != nil {
		return nil, fmt.Errorf("wsccrypto: randomness: %w", err)
	}
	out = append(out, plain...)
	kwa := k.keyWrapAuthenticator(plain)
	out = wsc.AppendAttribute(out, wsc.AttrKeyWrapAuthenticator, kwa[:])
	for range pad {
		out = append(out, byte(pad))
	}
	block, err := aes.NewCipher(k.keyWrap.Bytes())
	if err != nil {
		return nil, fmt.Errorf("wsccrypto: %w", err) // the key has 16 bytes: cannot happen
	}
	body := out[aes.BlockSize:]
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(body, body)
	return out, nil
}

// Unwrap decrypts the value of an Encrypted Settings attribute and checks padding and Key Wrap
// Authenticator, which must be the last attribute. It returns what comes before: the caller clears
// it after use. hostap takes a padding of zero or of more than 16 bytes too; none such is known to
// be in use, and we take the 1 to 16 bytes of the specification.
func (k *Keys) Unwrap(data []byte) (plain []byte, err error) {
	if k.wiped {
		return nil, ErrWiped
	}
	if len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 || len(data) > 0xFFFF {
		return nil, ErrEncryptedSettings
	}
	block, err := aes.NewCipher(k.keyWrap.Bytes())
	if err != nil {
		return nil, fmt.Errorf("wsccrypto: %w", err)
	}
	out := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(out, data[aes.BlockSize:])
	plain, ok := k.open(out)
	if !ok {
		clear(out)
		return nil, ErrEncryptedSettings
	}
	return plain, nil
}

// open removes padding and Key Wrap Authenticator. Its time may tell how long the padding is and
// which check failed; only a peer that knows AuthKey gets here, since the Authenticator of the
// message is checked before.
func (k *Keys) open(out []byte) ([]byte, bool) {
	pad := int(out[len(out)-1])
	if pad < 1 || pad > aes.BlockSize || len(out)-pad < kwaSize {
		return nil, false
	}
	for _, b := range out[len(out)-pad:] {
		if int(b) != pad {
			return nil, false
		}
	}
	end := len(out) - pad - kwaSize
	plain, attr := out[:end:end], out[end:end+kwaSize]
	if binary.BigEndian.Uint16(attr) != uint16(wsc.AttrKeyWrapAuthenticator) ||
		binary.BigEndian.Uint16(attr[2:]) != 8 {
		return nil, false
	}
	want := k.keyWrapAuthenticator(plain)
	return plain, subtle.ConstantTimeCompare(want[:], attr[4:]) == 1
}

// keyWrapAuthenticator covers all attributes before it (WSC, attribute "Key Wrap Authenticator").
func (k *Keys) keyWrapAuthenticator(plain []byte) [8]byte {
	full := mac(k.auth.Bytes(), plain)
	return [8]byte(full[:8])
}
