package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// formatVersion is in every file. A program that finds a higher one leaves the file alone.
const formatVersion = 1

// Bounds of a network. The SSID's is 802.11's; a key has at most 64 bytes, but WEP keys and what
// comes later may differ, and Raw may be several Credentials in a row.
const (
	maxSSID   = 32
	maxKey    = 64
	maxRaw    = 8 << 10
	maxSource = 32
)

// networkFile is a network as JSON. Secrets are []byte, which JSON has as base64, and never become
// Go strings, which could not be overwritten.
type networkFile struct {
	Version      int       `json:"version"`
	SSID         string    `json:"ssid,omitempty"`     // if it is text
	SSIDHex      string    `json:"ssid-hex,omitempty"` // if it is not
	Auth         string    `json:"auth"`
	Encryption   string    `json:"encryption"`
	KeyKind      string    `json:"key-kind"`
	Key          []byte    `json:"key,omitempty"`
	WPA3Only     bool      `json:"wpa3-only,omitempty"` // joined by SAE only, whatever auth says
	KeyIndex     uint8     `json:"key-index,omitempty"`
	NetworkIndex uint8     `json:"network-index,omitempty"`
	MAC          string    `json:"mac"`
	OwnMAC       bool      `json:"own-mac,omitempty"`
	BSSID        string    `json:"bssid"`
	Source       string    `json:"source"`
	Created      time.Time `json:"created"`
	Raw          []byte    `json:"raw,omitempty"` // the Credential attribute as it came
}

type identityFile struct {
	Version int    `json:"version"`
	UUID    string `json:"uuid"`
}

// appendNetwork writes n as the text of its file. The caller clears it.
func appendNetwork(n Network) ([]byte, error) {
	if err := check(n); err != nil {
		return nil, err
	}
	f := networkFile{
		Version: formatVersion, Auth: n.Auth.String(), Encryption: n.Encryption.String(),
		KeyKind: string(n.KeyKind), Key: n.Key.Bytes(), WPA3Only: n.WPA3Only, KeyIndex: n.KeyIndex,
		NetworkIndex: n.NetworkIndex,
		MAC:          n.MAC.String(), OwnMAC: n.OwnMAC, BSSID: n.BSSID.String(), Source: n.Source,
		Created: n.Created, Raw: n.Raw.Bytes(),
	}
	if isText(n.SSID) {
		f.SSID = string(n.SSID)
	} else {
		f.SSIDHex = hex.EncodeToString(n.SSID)
	}
	return encode(f)
}

// parseNetwork is strict, so that what was changed by accident is noticed. The id is in the name.
func parseNetwork(text []byte) (Network, error) {
	var f networkFile
	err := decode(text, &f)
	defer clear(f.Key)
	defer clear(f.Raw)
	if err != nil {
		return Network{}, err
	}
	n := Network{
		Network: credential.Network{
			SSID: []byte(f.SSID), KeyKind: credential.KeyKind(f.KeyKind), Key: secret.New(f.Key),
			WPA3Only:     f.WPA3Only,
			KeyIndex:     f.KeyIndex,
			NetworkIndex: f.NetworkIndex, OwnMAC: f.OwnMAC, Raw: secret.New(f.Raw),
		},
		Source: f.Source, Created: f.Created.UTC(),
	}
	var errs [5]error
	n.Auth, errs[0] = wsc.ParseAuthType(f.Auth)
	n.Encryption, errs[1] = wsc.ParseEncrType(f.Encryption)
	n.MAC, errs[2] = wsc.ParseMAC(f.MAC)
	n.BSSID, errs[3] = wsc.ParseMAC(f.BSSID)
	switch {
	case f.SSID != "" && f.SSIDHex != "":
		errs[4] = errors.New("both ssid and ssid-hex")
	case f.SSIDHex != "":
		n.SSID, errs[4] = hex.DecodeString(f.SSIDHex)
	}
	err = errors.Join(errs[:]...)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	} else {
		err = check(n)
	}
	if err != nil {
		n.wipe()
		return Network{}, err
	}
	return n, nil
}

// check is what every stored network fulfils, whoever wrote the file.
func check(n Network) error {
	const known = wsc.AuthOpen | wsc.AuthWPAPSK | wsc.AuthWPA2PSK
	keyed := n.KeyKind == credential.KeyPassphrase || n.KeyKind == credential.KeyRawPSK ||
		n.KeyKind == credential.KeyWEP
	switch {
	case len(n.SSID) == 0 || len(n.SSID) > maxSSID:
		return fmt.Errorf("%w: an SSID has 1 to %d bytes, not %d", ErrInvalid, maxSSID, len(n.SSID))
	case n.Auth == 0 || n.Auth&^known != 0:
		return fmt.Errorf("%w: authentication type %v", ErrInvalid, n.Auth)
	case n.Encryption == 0 || n.Encryption&^(wsc.EncrNone|wsc.EncrWEP|wsc.EncrTKIP|wsc.EncrAES) != 0:
		return fmt.Errorf("%w: encryption type %v", ErrInvalid, n.Encryption)
	case !keyed && n.KeyKind != credential.KeyNone:
		return fmt.Errorf("%w: kind of key %q", ErrInvalid, n.KeyKind)
	case keyed == n.Key.IsZero() || n.Key.Len() > maxKey:
		return fmt.Errorf("%w: a key of %d bytes as %q", ErrInvalid, n.Key.Len(), n.KeyKind)
	case n.WPA3Only && n.KeyKind != credential.KeyPassphrase:
		return fmt.Errorf("%w: SAE with a key of kind %q", ErrInvalid, n.KeyKind)
	case n.Raw.Len() > maxRaw:
		return fmt.Errorf("%w: a Credential of %d bytes", ErrInvalid, n.Raw.Len())
	case len(n.Source) > maxSource || !isText([]byte(n.Source)):
		return fmt.Errorf("%w: source %q", ErrInvalid, n.Source)
	case n.Created.Year() < 0 || n.Created.Year() > 9999: // RFC 3339 cannot say it
		return fmt.Errorf("%w: created in the year %d", ErrInvalid, n.Created.Year())
	}
	return nil
}

func appendIdentity(u wsc.UUID) []byte {
	text, err := encode(identityFile{Version: formatVersion, UUID: u.String()})
	if err != nil {
		panic(err) // a number and a string always encode
	}
	return text
}

func parseIdentity(text []byte) (wsc.UUID, error) {
	var f identityFile
	if err := decode(text, &f); err != nil {
		return wsc.UUID{}, err
	}
	u, err := wsc.ParseUUID(f.UUID)
	switch {
	case err != nil:
		return wsc.UUID{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	case u == wsc.UUID{}:
		return wsc.UUID{}, fmt.Errorf("%w: a UUID of zeros", ErrInvalid)
	}
	return u, nil
}

// isText tells whether b may stand in a file as it is: JSON would replace what is not UTF-8, and a
// person could not see what does not print.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) })
}

// encode writes a file, a struct. Its secrets are in the text that it returns, and in no other
// place.
func encode(f any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(concealed(f)); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := reveal(b.Bytes(), f); err != nil {
		clear(b.Bytes())
		return nil, err
	}
	return b.Bytes(), nil
}

// decode reads one JSON object of this version, without unknown names, and nothing after it.
func decode(text []byte, f any) error {
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, withoutValue(err))
	}
	switch {
	case v.Version > formatVersion:
		return fmt.Errorf("%w (format %d)", ErrVersion, v.Version)
	case v.Version != formatVersion:
		return fmt.Errorf("%w: format %d", ErrInvalid, v.Version)
	}
	if err := checkNames(text, f); err != nil {
		return err
	}
	if err := json.Unmarshal(text, f); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, withoutValue(err))
	}
	return nil
}

func decodeStrictly(d *json.Decoder, f any) error {
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, withoutValue(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something after the end", ErrInvalid)
	}
	return nil
}

// withoutValue takes out of an error what stood in the file: it may have been a key.
func withoutValue(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%q is of the wrong type", wrong.Field)
	}
	return err
}
