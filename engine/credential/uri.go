package credential

import (
	"encoding/hex"
	"unicode/utf8"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// WifiURI returns the text of the QR code that phones read: WIFI:T:WPA;S:name;P:passphrase;; as the
// ZXing project's wiki ("Barcode Contents") describes it. It is a secret, as the key is in it.
//
// A name that is not UTF-8 text is written as hex digits, which ZXing's readers understand. A name
// that merely looks like hex is written as it is: the quotes that ZXing wants around such a name
// are taken as a part of it by the cameras of current phones.
func (n Network) WifiURI() secret.Value {
	b := append(secret.Zeros(256).Bytes()[:0], "WIFI:T:"...)
	switch {
	case n.Auth&(wsc.AuthWPAPSK|wsc.AuthWPA2PSK) != 0:
		b = append(b, "WPA"...)
	case n.KeyKind == KeyWEP:
		b = append(b, "WEP"...)
	default:
		b = append(b, "nopass"...)
	}
	b = append(b, ";S:"...)
	if utf8.Valid(n.SSID) {
		b = appendEscaped(b, n.SSID)
	} else {
		b = hex.AppendEncode(b, n.SSID)
	}
	if !n.Key.IsZero() {
		b = append(b, ";P:"...)
		b = appendEscaped(b, n.Key.Bytes())
	}
	b = append(b, ";;"...)
	defer clear(b)
	return secret.New(b)
}

// appendEscaped puts a backslash before each byte that means something in the text.
func appendEscaped(b, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '\\', ';', ',', '"', ':':
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}
