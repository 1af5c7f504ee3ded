package upnp

import (
	"bytes"
	"encoding/xml"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxDepth    = 16   // of a device three levels below the root: 2 + 3*2, its service 2 more
	maxElements = 1024 // of one document; an InternetGatewayDevice with all its services has 150
)

// element is one element of a document. Namespaces and attributes mean nothing to us (hostap goes
// by local names, too). Text is kept of elements without others inside.
type element struct {
	depth int
	name  string
	text  string
}

// parseXML reads a document into its elements, in their order, as far as tidy makes one of it. It
// knows the entities of XML itself and the characters of HTML, and refuses every document type:
// nothing expands. What follows the end of the root does not count: some devices pad with zeros.
func parseXML(what string, body []byte, limit int) ([]element, error) {
	if len(body) > limit {
		return nil, wrong(what, "", ErrTooLong)
	}
	d := xml.NewDecoder(bytes.NewReader(tidy(body)))
	d.Entity = xml.HTMLEntity
	var (
		all  []element
		open []xml.Name // where we are
		leaf bool       // the element opened last is still open
		text []byte     // of the leaf
	)
	for {
		token, err := d.RawToken()
		if err != nil { // io.EOF as well: the root has not ended
			return nil, wrong(what, "", ErrSyntax)
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, wrong(what, "", ErrDTD)
		case xml.StartElement:
			if len(open) == maxDepth || len(all) == maxElements {
				return nil, wrong(what, "", ErrTooDeep)
			}
			all = append(all, element{depth: len(open), name: token.Name.Local})
			open, leaf, text = append(open, token.Name), true, text[:0]
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name {
				return nil, wrong(what, "", ErrSyntax)
			}
			if leaf {
				all[len(all)-1].text = string(text)
			}
			open, leaf = open[:len(open)-1], false
			if len(open) == 0 {
				return all, nil
			}
		case xml.CharData:
			if leaf {
				text = append(text, token...)
			}
		}
	}
}

// isEntity reports whether &name; stands for a character.
func isEntity(name string) bool {
	switch name {
	case "amp", "lt", "gt", "quot", "apos":
		return true
	}
	return xml.HTMLEntity[name] != ""
}

// under gives what is inside all[i], at any depth.
func under(all []element, i int) []element {
	end := i + 1
	for end < len(all) && all[end].depth > all[i].depth {
		end++
	}
	return all[i+1 : end]
}

// find gives the text of the first element with this name.
func find(all []element, name string) (string, bool) {
	for _, e := range all {
		if strings.EqualFold(e.name, name) {
			return strings.TrimSpace(e.text), true
		}
	}
	return "", false
}

// maxText bounds what a device says about itself. UDA asks for less than 64 characters in most
// places; what is longer is cut, not refused: a talkative device is no attack.
const maxText = 256

// clean makes a text fit to be shown on one line.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	var b strings.Builder
	for _, word := range strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}) {
		space := min(b.Len(), 1)
		word = cut(word, maxText-b.Len()-space)
		if word == "" {
			break
		}
		if space > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// cut shortens s to at most n bytes between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n = max(n, 0); n > 0 && !utf8.RuneStart(s[n]); n-- {
	}
	return s[:n]
}

// appendElement appends <name>text</name>, escaped; nothing if text is empty.
func appendElement(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	w := bytes.NewBuffer(append(b, "<"+name+">"...))
	_ = xml.EscapeText(w, []byte(text)) // a Buffer takes everything
	return append(w.Bytes(), "</"+name+">\n"...)
}
