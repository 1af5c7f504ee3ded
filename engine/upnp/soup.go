package upnp

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Devices write XML with printf: a name that somebody has typed into their page goes out as it is,
// in whatever encoding it came. hostap's External Registrar never notices, since it looks for the
// tags that it needs (upnp_xml.c, xml_get_first_item). This file makes of such a document one that
// encoding/xml reads: its characters become UTF-8 without controls, and what can be no markup
// becomes text. Nothing is made up, and nothing that is markup changes its meaning.

// tidy gives the document from its first tag on. Declarations, comments and processing instructions
// are left out; a document type stays, to be refused.
func tidy(body []byte) []byte {
	in := characters(body)
	out := make([]byte, 0, len(in)+len(in)/16)
	for len(in) > 0 {
		switch {
		case in[0] == '&':
			out, in = reference(out, in)
		case in[0] != '<':
			n := bytes.IndexAny(in, "<&")
			if n < 0 {
				n = len(in)
			}
			out, in = plain(out, in[:n]), in[n:]
		case bytes.HasPrefix(in, []byte("<!--")):
			_, in, _ = bytes.Cut(in[4:], []byte("-->"))
		case bytes.HasPrefix(in, []byte("<?")):
			_, in, _ = bytes.Cut(in[2:], []byte("?>"))
		case bytes.HasPrefix(in, []byte("<![CDATA[")):
			var text []byte
			text, in, _ = bytes.Cut(in[9:], []byte("]]>"))
			out = literal(out, text)
		case len(in) > 1 && (in[1] == '/' || in[1] == '!' || in[1] == '_' ||
			in[1] >= utf8.RuneSelf || 'a' <= in[1]|0x20 && in[1]|0x20 <= 'z'):
			n := tagLength(in)
			out, in = tag(out, in[:n]), in[n:]
		default:
			out, in = append(out, "&lt;"...), in[1:]
		}
	}
	if n := bytes.IndexByte(out, '<'); n > 0 {
		out = out[n:]
	}
	return out
}

// tag appends a tag. In its attributes, which mean nothing to us, there may be URLs with
// ampersands.
func tag(out, in []byte) []byte {
	for len(in) > 0 {
		n := bytes.IndexByte(in, '&')
		if n < 0 {
			return append(out, in...)
		}
		out, in = reference(append(out, in[:n]...), in[n:])
	}
	return out
}

// tagLength is how long the tag at the beginning of in is. Quotes hide what ends it.
func tagLength(in []byte) int {
	var quote byte
	for n, c := range in {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return n + 1
		}
	}
	return len(in)
}

// plain appends text. The end of a CDATA section, which may not stand alone, is the one thing in it
// that is not text.
func plain(out, text []byte) []byte {
	return append(out, bytes.ReplaceAll(text, []byte("]]>"), []byte("]]&gt;"))...)
}

// literal appends text in which nothing has a meaning.
func literal(out, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '&':
			out = append(out, "&amp;"...)
		case '<':
			out = append(out, "&lt;"...)
		case '>':
			out = append(out, "&gt;"...)
		default:
			out = append(out, c)
		}
	}
	return out
}

// maxReference is the longest name of a character that is looked for: HTML's longest has eight
// letters.
const maxReference = 12

// reference appends what an ampersand begins: a character, or itself. Which names there are is for
// the reader.
func reference(out, in []byte) (longer, rest []byte) {
	name, _, ok := bytes.Cut(in[1:min(len(in), maxReference)], []byte(";"))
	if !ok {
		return append(out, "&amp;"...), in[1:]
	}
	rest = in[len("&;")+len(name):]
	if digits, isNumber := bytes.CutPrefix(name, []byte("#")); isNumber {
		base := 10
		if hexadecimal, is := bytes.CutPrefix(bytes.ToLower(digits), []byte("x")); is {
			digits, base = hexadecimal, 16
		}
		if n, err := strconv.ParseUint(string(digits), base, 32); err == nil {
			return appendCharacter(out, rune(min(n, utf8.MaxRune+1)), true), rest
		}
	} else if isEntity(string(name)) {
		return append(append(append(out, '&'), name...), ';'), rest
	}
	return append(out, "&amp;"...), in[1:]
}

// appendCharacter appends one character as XML may have it (XML 1.0, 2.2): a control character
// becomes a space.
func appendCharacter(out []byte, r rune, escape bool) []byte {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
	case r < ' ':
		r = ' '
	case r == 0xfffe, r == 0xffff, !utf8.ValidRune(r):
		r = utf8.RuneError
	case escape && r < utf8.RuneSelf:
		return literal(out, []byte{byte(r)})
	}
	return utf8.AppendRune(out, r)
}

// characters gives the characters of a document in UTF-8. What is well-formed UTF-8 is UTF-8,
// whatever it is declared to be. In another one each byte above ASCII is a character of
// Windows-1252, which has all of Latin-1, unless the document declares an encoding that we do not
// know. There may be both in a document that is declared to be UTF-8 or declares nothing: a name
// that was pasted in.
func characters(body []byte) []byte {
	if wide, ok := utf16Text(body); ok {
		body = wide
	}
	label := declared(body)
	mixed := label == "" || label == "utf-8" || label == "utf8"
	known := mixed || windows1252Labels[label]
	single := !mixed && !utf8.Valid(body)
	out := make([]byte, 0, len(body)+len(body)/16)
	for len(body) > 0 {
		if body[0] >= ' ' && body[0] < utf8.RuneSelf {
			out, body = append(out, body[0]), body[1:]
			continue
		}
		r, n := utf8.DecodeRune(body)
		if n == 1 && r == utf8.RuneError || single && r >= utf8.RuneSelf {
			r, n = utf8.RuneError, 1
			if known {
				r = windows1252(body[0])
			}
		}
		out, body = appendCharacter(out, r, false), body[n:]
	}
	return out
}

// utf16Text undoes UTF-16, which has a mark at the beginning or at least a tag.
func utf16Text(body []byte) ([]byte, bool) {
	if len(body) < 2 {
		return nil, false
	}
	high := 0
	switch string(body[:2]) {
	case "\xff\xfe", "<\x00":
		high = 1
	case "\xfe\xff", "\x00<":
	default:
		return nil, false
	}
	units := make([]uint16, 0, len(body)/2)
	for i := 0; i+1 < len(body); i += 2 {
		units = append(units, uint16(body[i+high])<<8|uint16(body[i+1-high]))
	}
	return []byte(string(utf16.Decode(units))), true
}

// declared gives the encoding that the declaration of a document names, in small letters; empty:
// none.
func declared(body []byte) string {
	head := body[:min(len(body), 256)]
	_, head, ok := bytes.Cut(head, []byte("<?xml"))
	head, _, closed := bytes.Cut(head, []byte("?>"))
	_, value, has := bytes.Cut(head, []byte("encoding"))
	value = bytes.TrimLeft(value, " \t\r\n=")
	if !ok || !closed || !has || len(value) == 0 || value[0] != '"' && value[0] != '\'' {
		return ""
	}
	label, _, _ := bytes.Cut(value[1:], value[:1])
	return strings.ToLower(strings.TrimSpace(string(label)))
}

// windows1252Labels are the names of the encodings that are read as Windows-1252: it itself, and
// those that it contains (WHATWG Encoding, 4.2, has the same).
var windows1252Labels = map[string]bool{
	"windows-1252": true, "cp1252": true, "x-cp1252": true, "ansi": true,
	"iso-8859-1": true, "iso8859-1": true, "iso_8859-1": true, "iso88591": true, "latin1": true,
	"latin-1": true, "l1": true,
	"us-ascii": true, "ascii": true,
}

// windows1252 gives the character of a byte. Its 27 own ones stand between ASCII and the upper half
// of Latin-1.
func windows1252(b byte) rune {
	if b < 0x80 || b > 0x9f {
		return rune(b)
	}
	return own1252[b-0x80]
}

var own1252 = [32]rune{
	'€', ' ', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', ' ', 'Ž', ' ',
	' ', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', ' ', 'ž', 'Ÿ',
}
