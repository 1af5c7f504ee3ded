// Package roff writes manual pages in the language of man(7) that both groff and mandoc read
// without a complaint. Text that is handed in is text: nothing in it is a request.
package roff

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// width is how long a line of the page's source may be: mandoc -T lint complains of longer ones.
const width = 80

// Page is a manual page that grows.
type Page struct{ b strings.Builder }

// NewPage begins a page: its name, its section, what NAME says of it, and who made it ("wpsd 1.0").
func NewPage(name, section, what, source string) *Page {
	p := &Page{}
	fmt.Fprintf(&p.b, ".TH %s %s %s \"%s\" \"wpsd manual\"\n", Escape(strings.ToUpper(name)),
		section, day(), Escape(source))
	p.Section("NAME")
	p.Markup(Escape(name) + ` \- ` + Escape(what))
	return p
}

// day is the date of the page: SOURCE_DATE_EPOCH's, so that builds can be repeated, or today.
func day() string {
	at := time.Now()
	if n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		at = time.Unix(n, 0)
	}
	return at.UTC().Format(time.DateOnly)
}

// String is the whole page.
func (p *Page) String() string { return p.b.String() }

// Section and Subsection begin one.
func (p *Page) Section(title string)    { fmt.Fprintf(&p.b, ".SH %s\n", argument(title)) }
func (p *Page) Subsection(title string) { fmt.Fprintf(&p.b, ".SS %s\n", argument(title)) }

// argument is one argument of a request.
func argument(s string) string {
	if strings.Contains(s, " ") {
		return `"` + Escape(s) + `"`
	}
	return Escape(s)
}

// Item begins something that is explained, in bold; the explanation follows.
func (p *Page) Item(name string) { p.Term(Bold(name)) }

// Together begins several things that share the explanation of the last one.
func (p *Page) Together(names ...string) {
	for i, name := range names {
		p.Item(name)
		if i < len(names)-1 {
			p.b.WriteString(".PD 0\n")
		}
	}
	if len(names) > 1 {
		p.b.WriteString(".PD\n")
	}
}

// Term is Item with markup: see Bold and Italic.
func (p *Page) Term(markup string) { fmt.Fprintf(&p.b, ".TP\n%s\n", guard(markup)) }

// Bold and Italic are text in another font.
func Bold(s string) string   { return `\fB` + Escape(s) + `\fR` }
func Italic(s string) string { return `\fI` + Escape(s) + `\fR` }

// Text adds the paragraphs of a section, Below those of an item. A line that begins with two spaces
// is an example, and stays as it is; others are filled.
func (p *Page) Text(s string)  { p.paragraphs(".PP", s) }
func (p *Page) Below(s string) { p.paragraphs(".IP", s) }

// BelowMarkup adds a paragraph of an item that has markup.
func (p *Page) BelowMarkup(s string) { p.b.WriteString(".IP\n" + fill(s)) }

// Markup adds a line that has markup.
func (p *Page) Markup(s string) { p.b.WriteString(fill(s)) }

func (p *Page) paragraphs(between, s string) {
	first := true
	for _, paragraph := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		text, example := apart(paragraph)
		if text != "" {
			if !first {
				p.b.WriteString(between + "\n")
			}
			p.b.WriteString(fill(Escape(text)))
			first = false
		}
		if example != "" {
			if !first {
				p.b.WriteString(between + "\n")
			}
			p.example(example)
			first = false
		}
	}
}

// apart gives the lines of a paragraph that are text, and those that are indented.
func apart(paragraph string) (text, example string) {
	var filled, kept []string
	for line := range strings.SplitSeq(paragraph, "\n") {
		if strings.HasPrefix(line, "  ") {
			kept = append(kept, strings.TrimPrefix(line, "  "))
		} else {
			filled = append(filled, line)
		}
	}
	return strings.Join(filled, "\n"), strings.Join(kept, "\n")
}

// example adds lines that stay as they are.
func (p *Page) example(s string) {
	p.b.WriteString(".RS 4\n.nf\n")
	for line := range strings.SplitSeq(strings.Trim(s, "\n"), "\n") {
		p.b.WriteString(guard(Escape(strings.TrimPrefix(line, "  "))) + "\n")
	}
	p.b.WriteString(".fi\n.RE\n")
}

// Also names related pages, as "wpsd(8)".
func (p *Page) Also(pages ...string) {
	p.Section("SEE ALSO")
	for i, name := range pages {
		comma := ","
		if i == len(pages)-1 {
			comma = ""
		}
		title, section, _ := strings.Cut(strings.TrimSuffix(name, ")"), "(")
		fmt.Fprintf(&p.b, ".BR %s (%s)%s\n", Escape(title), section, comma)
	}
}

// escapes are the characters that roff would act on or show as others.
var escapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~",
	`\(ti`, `"`, `\(dq`,
	"…", `\[u2026]`, "é", `\('e`)

// Escape makes text of a manual page: nothing in it is a request of roff.
func Escape(s string) string {
	lines := strings.Split(escapes.Replace(s), "\n")
	for i, l := range lines {
		lines[i] = guard(l)
	}
	return strings.Join(lines, "\n")
}

// guard keeps a line from being a request.
func guard(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}

// fill breaks text into lines of the page's source, and begins one for each sentence, as roff wants
// it.
func fill(escaped string) string {
	var b strings.Builder
	line := ""
	flush := func() {
		if line != "" {
			b.WriteString(guard(line) + "\n")
		}
		line = ""
	}
	for _, word := range strings.Fields(escaped) {
		word = strings.TrimPrefix(word, `\&`)
		if line != "" && len(line)+1+len(word) > width-2 {
			flush()
		}
		if line != "" {
			line += " "
		}
		line += word
		if strings.HasSuffix(word, ".") && !strings.HasSuffix(word, "..") && len(word) > 3 ||
			strings.HasSuffix(word, "?") {
			flush()
		}
	}
	flush()
	return b.String()
}
