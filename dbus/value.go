package dbus

import (
	"reflect"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// The signatures of the types that nearly all values have. godbus finds one by reflection, anew for
// each value, which took a tenth of all that an External Registrar computes.
var (
	signatureString   = godbus.ParseSignatureMust("s")
	signaturePath     = godbus.ParseSignatureMust("o")
	signatureBool     = godbus.ParseSignatureMust("b")
	signatureUint16   = godbus.ParseSignatureMust("q")
	signatureUint32   = godbus.ParseSignatureMust("u")
	signatureUint64   = godbus.ParseSignatureMust("t")
	signatureStrings  = godbus.ParseSignatureMust("as")
	signaturePaths    = godbus.ParseSignatureMust("ao")
	signatureBytes    = godbus.ParseSignatureMust("ay")
	signatureValues   = godbus.ParseSignatureMust("a{sv}")
	signatureChanges  = godbus.ParseSignatureMust("sa{sv}as")
	signatureAddition = godbus.ParseSignatureMust("oa{sa{sv}}")
	signatureOfSig    = godbus.ParseSignatureMust("g")
)

// variant makes a D-Bus variant of a value. Texts are made printable, whoever said them.
func variant(v any) godbus.Variant {
	v = cleaned(v)
	return godbus.MakeVariantWithSignature(v, signature(v))
}

// signature is godbus.SignatureOf for one value.
func signature(v any) godbus.Signature {
	switch v.(type) {
	case string:
		return signatureString
	case godbus.ObjectPath:
		return signaturePath
	case bool:
		return signatureBool
	case uint16:
		return signatureUint16
	case uint32:
		return signatureUint32
	case uint64:
		return signatureUint64
	case []string:
		return signatureStrings
	case []godbus.ObjectPath:
		return signaturePaths
	case []byte:
		return signatureBytes
	case values:
		return signatureValues
	case godbus.Signature:
		return signatureOfSig
	case bus.Text:
		return signatureString
	case bus.Octets:
		return signatureBytes
	}
	return godbus.SignatureOf(v)
}

// signatureOf is godbus.SignatureOf for the body of a message.
func signatureOf(body []any) godbus.Signature {
	switch len(body) {
	case 1:
		return signature(body[0])
	case 2: // InterfacesAdded
		if _, ok := body[1].(map[string]values); ok && signature(body[0]) == signaturePath {
			return signatureAddition
		}
	case 3: // PropertiesChanged
		if signature(body[0]) == signatureString && signature(body[1]) == signatureValues &&
			signature(body[2]) == signatureStrings {
			return signatureChanges
		}
	}
	var all strings.Builder
	for _, v := range body {
		all.WriteString(signature(v).String())
	}
	return godbus.ParseSignatureMust(all.String())
}

// same reports whether a property has still the same value. reflect.DeepEqual is right for all, and
// slow.
func same(a, b godbus.Variant) bool {
	switch x := a.Value().(type) {
	case string, godbus.ObjectPath, bool, uint16, uint32, uint64:
		return x == b.Value()
	case []godbus.ObjectPath:
		y, ok := b.Value().([]godbus.ObjectPath)
		return ok && slices.Equal(x, y)
	case []string:
		y, ok := b.Value().([]string)
		return ok && slices.Equal(x, y)
	}
	return reflect.DeepEqual(a, b)
}
