package iwd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
)

// Why iwd cannot have a network.
var (
	ErrWEP       = errors.New("iwd: WEP is broken, and iwd does not know it: set the access point to WPA2")
	ErrText      = errors.New("iwd: it takes names and passphrases only if they are UTF-8")
	ErrEncrypted = errors.New("it keeps this network encrypted: change the passphrase with iwd's own tools")
	ErrNotFound  = errors.New("the network is not in reach")
	ErrTooLong   = errors.New("what it knows of this network is larger than such a file can be")
)

// maxProfile bounds what is read of a file of iwd's.
const maxProfile = 64 << 10

// kindOf is iwd's word for a network's security; it is the ending of the file.
func kindOf(n credential.Network) string {
	if n.KeyKind == credential.KeyNone {
		return "open"
	}
	return "psk"
}

func check(n *credential.Offer) error {
	switch {
	case n.KeyKind == credential.KeyWEP || n.Encryption&wsc.EncrWEP != 0:
		return ErrWEP
	case !utf8.Valid(n.SSID) || !utf8.Valid(n.Key.Bytes()):
		return ErrText
	}
	return nil
}

// fileName is the name under which iwd looks for a network: the SSID itself if all of it is
// harmless, else = and its bytes in hex (iwd.network(5)).
func fileName(ssid []byte, kind string) string {
	harmless := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ' ' ||
			c == '_' || c == '-'
	}
	for _, c := range ssid {
		if !harmless(c) {
			return "=" + hex.EncodeToString(ssid) + "." + kind
		}
	}
	return string(ssid) + "." + kind
}

// secretKeys are those of [Security] that a new key replaces: iwd derives some of them from the
// passphrase.
var secretKeys = []string{"Passphrase", "PreSharedKey", "SAE-PT-Group19", "SAE-PT-Group20"}

// profile makes the text of a file, from what it has been before: settings that somebody made stay.
func profile(old []byte, n credential.Network) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(old) + 512) // no copy of a key is left behind by growing
	section, written := "", n.KeyKind == credential.KeyNone
	for line := range bytes.Lines(old) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "[") {
			section = text
		}
		key, _, _ := strings.Cut(text, "=")
		key = strings.TrimSpace(key)
		if section == "[Security]" && (key == "EncryptedSecurity" || key == "EncryptedSalt") {
			return nil, ErrEncrypted
		}
		if section == "[Security]" && isSecret(key) {
			continue
		}
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
		if text == "[Security]" && !written {
			appendKey(&b, n)
			written = true
		}
	}
	if !written {
		b.WriteString("[Security]\n")
		appendKey(&b, n)
	}
	return b.Bytes(), nil
}

func isSecret(key string) bool {
	for _, s := range secretKeys {
		if key == s {
			return true
		}
	}
	return false
}

// appendKey writes the key. SAE needs the passphrase; iwd derives the rest.
func appendKey(b *bytes.Buffer, n credential.Network) {
	if n.KeyKind == credential.KeyRawPSK {
		b.WriteString("PreSharedKey=")
		b.Write(bytes.ToLower(n.Key.Bytes()))
	} else {
		b.WriteString("Passphrase=")
		appendEscaped(b, n.Key.Bytes())
	}
	b.WriteByte('\n')
}

// appendEscaped writes a value as iwd's parser reads it: a leading space would be skipped, a
// backslash begins an escape.
func appendEscaped(b *bytes.Buffer, value []byte) {
	for i, c := range value {
		switch {
		case c == ' ' && i == 0:
			b.WriteString(`\s`)
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		default:
			b.WriteByte(c)
		}
	}
}

// readProfile returns what iwd knows of a network; nil: nothing.
func readProfile(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxProfile+1))
	if err == nil && len(text) > maxProfile {
		err = ErrTooLong
	}
	return text, err
}

// writeProfile puts a file into iwd's directory, which it watches, in one step. nil text removes
// it.
func writeProfile(root *os.Root, name string, text []byte) error {
	if text == nil {
		err := root.Remove(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	const temporary = ".wpsd.tmp"
	_ = root.Remove(temporary) // left by a process that was killed
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		_ = root.Remove(temporary)
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
