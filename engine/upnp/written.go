package upnp

import (
	"bytes"
	"strings"
)

// Texts are what a device says about itself as it wrote it: with its entities, in its encoding, at
// most 256 bytes each.
type Texts struct {
	FriendlyName     string
	Manufacturer     string
	ManufacturerURL  string
	ModelDescription string
	ModelName        string
	ModelURL         string
}

// written takes the texts as hostap's External Registrar shows them: of the first element with the
// name in the whole document, whatever is around it, from its tag to the next one (wpa_supplicant
// 2.10, heard beside us).
func written(body []byte) Texts {
	var t Texts
	wanted := map[string]*string{
		"friendlyname": &t.FriendlyName, "manufacturer": &t.Manufacturer,
		"manufacturerurl":  &t.ManufacturerURL,
		"modeldescription": &t.ModelDescription, "modelname": &t.ModelName, "modelurl": &t.ModelURL,
	}
	for len(wanted) > 0 {
		_, rest, ok := bytes.Cut(body, []byte("<"))
		tag, rest, closed := bytes.Cut(rest, []byte(">"))
		if !ok || !closed {
			break
		}
		body = rest
		name := strings.ToLower(localName(tag))
		if value := wanted[name]; value != nil {
			text, _, _ := bytes.Cut(rest, []byte("<"))
			*value = string(text[:min(len(text), maxText)])
			delete(wanted, name)
		}
	}
	return t
}

// localName is the name of a tag without its prefix and attributes; that of an end tag begins with
// a slash.
func localName(tag []byte) string {
	name := tag
	if n := bytes.IndexAny(tag, " \t\r\n"); n >= 0 {
		name = tag[:n]
	}
	if _, local, ok := bytes.Cut(name, []byte(":")); ok && !bytes.HasPrefix(name, []byte("/")) {
		name = local
	}
	return string(name)
}
