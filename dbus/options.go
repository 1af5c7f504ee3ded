package dbus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/outcome"
)

// decodeOptions reads an a{sv} into the variables that fields has for its keys: *string, *bool,
// *uint32, *[]byte, *godbus.ObjectPath, or, for what call.hides names, *bus.Text or *bus.Octets. An
// unknown key is an error, never ignored: a caller that asks for more than we can must not think
// that it got it.
func decodeOptions(options map[string]godbus.Variant, fields map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(options)) {
		field, ok := fields[key]
		if !ok {
			known := "there are none here"
			if len(fields) > 0 {
				known = "there are " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
			}
			return outcome.NoOption.Of(quote(key), known)
		}
		if !store(options[key], field) {
			return outcome.OptionType.Of(quote(key), typeOf(field), options[key].Signature().String())
		}
	}
	return nil
}

// store copies a variant's value into a variable of its type.
func store(v godbus.Variant, field any) bool {
	ok := false
	switch field := field.(type) {
	case *string:
		*field, ok = v.Value().(string)
	case *bool:
		*field, ok = v.Value().(bool)
	case *uint32:
		*field, ok = v.Value().(uint32)
	case *[]byte:
		*field, ok = v.Value().([]byte)
	case *bus.Text:
		*field, ok = v.Value().(bus.Text)
	case *bus.Octets:
		*field, ok = v.Value().(bus.Octets)
	case *godbus.ObjectPath:
		*field, ok = v.Value().(godbus.ObjectPath)
	}
	return ok
}

// typeOf is the D-Bus type of a variable.
func typeOf(field any) string {
	switch field.(type) {
	case *string, *bus.Text:
		return "s"
	case *bool:
		return "b"
	case *[]byte, *bus.Octets:
		return "ay"
	case *godbus.ObjectPath:
		return "o"
	}
	return "u"
}

// quote shows text that a caller sent, cut to a sensible length.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%q…", strings.ToValidUTF8(s[:most], ""))
	}
	return fmt.Sprintf("%q", s)
}
