package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// catalog is what a .po file has.
type catalog struct {
	header string
	texts  map[string]translation
}

// translation is what a text becomes: one form, or several where there is a plural.
type translation struct {
	plural string
	forms  []string
}

// header is that of a new catalog.
func header(language string) string {
	return "Project-Id-Version: wpsd\nLanguage: " + language + "\nMIME-Version: 1.0\n" +
		"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n" +
		"Plural-Forms: nplurals=2; plural=(n != 1);\n"
}

// read reads a .po file as this program and msgfmt write it: comments, msgid, msgid_plural, msgstr
// and msgstr[N], each with lines that go on.
func read(name string) (catalog, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return catalog{}, err
	}
	c := catalog{texts: map[string]translation{}}
	var id string
	var now translation
	var field *string
	end := func() {
		if id == "" && len(now.forms) > 0 {
			c.header = now.forms[0]
		} else if len(now.forms) > 0 {
			c.texts[id] = now
		}
		id, now, field = "", translation{}, nil
	}
	s := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			if line == "" {
				end()
			}
			continue
		case strings.HasPrefix(line, `"`):
			rest = line
		case word == "msgid":
			if len(now.forms) > 0 {
				end()
			}
			field = &id
		case word == "msgid_plural":
			field = &now.plural
		case strings.HasPrefix(word, "msgstr"):
			now.forms = append(now.forms, "")
			field = &now.forms[len(now.forms)-1]
		default:
			return c, fmt.Errorf("%s:%d: what is %q?", name, n, word)
		}
		text, err := strconv.Unquote(rest)
		if err != nil || field == nil {
			return c, fmt.Errorf("%s:%d: not a text in quotation marks", name, n)
		}
		*field += text
	}
	end()
	return c, s.Err()
}

// format writes a .po file: all texts in their order, with what is known of their translations. What
// is no text any more is left out.
func format(header string, texts []message, known map[string]translation) []byte {
	var b bytes.Buffer
	b.WriteString("msgid \"\"\nmsgstr \"\"\n")
	for line := range strings.Lines(header) {
		fmt.Fprintf(&b, "%s\n", quote(line))
	}
	for _, m := range texts {
		fmt.Fprintf(&b, "\n#: %s\n", strings.Join(m.places, " "))
		if strings.Contains(m.id, "%s") || strings.Contains(m.id, "%d") {
			b.WriteString("#, c-format\n")
		}
		fmt.Fprintf(&b, "msgid %s\n", quote(m.id))
		t := known[m.id]
		if m.plural == "" {
			form := ""
			if len(t.forms) > 0 {
				form = t.forms[0]
			}
			fmt.Fprintf(&b, "msgstr %s\n", quote(form))
			continue
		}
		fmt.Fprintf(&b, "msgid_plural %s\n", quote(m.plural))
		for i := range max(2, len(t.forms)) {
			form := ""
			if i < len(t.forms) {
				form = t.forms[i]
			}
			fmt.Fprintf(&b, "msgstr[%d] %s\n", i, quote(form))
		}
	}
	return b.Bytes()
}

// quote writes a text as .po files have it.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// compile makes a .mo file (gettext's manual, "The Format of GNU MO Files"): a table of the texts in
// their order as bytes, one of their translations, and the texts, each with a NUL behind it. What is
// not translated is left out.
func compile(c catalog) []byte {
	pairs := [][2]string{{"", c.header}}
	for id, t := range c.texts {
		if slices.Contains(t.forms, "") {
			continue
		}
		if t.plural != "" {
			id += "\x00" + t.plural
		}
		pairs = append(pairs, [2]string{id, strings.Join(t.forms, "\x00")})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	const head, entry = 28, 8
	n := uint32(len(pairs))
	le := binary.LittleEndian
	out := le.AppendUint32(nil, 0x950412de)
	for _, v := range []uint32{0, n, head, head + entry*n, 0, head + 2*entry*n} {
		out = le.AppendUint32(out, v)
	}
	at := head + 2*entry*n
	for side := range 2 {
		for _, p := range pairs {
			out = le.AppendUint32(out, uint32(len(p[side])))
			out = le.AppendUint32(out, at)
			at += uint32(len(p[side])) + 1
		}
	}
	for side := range 2 {
		for _, p := range pairs {
			out = append(append(out, p[side]...), 0)
		}
	}
	return out
}
