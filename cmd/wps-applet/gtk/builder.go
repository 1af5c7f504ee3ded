package gtk

import "fmt"

// Domain is the gettext domain of all texts; main sets it with Translate.
var domain string

// lcAll is LC_ALL of glibc and musl.
const lcAll = 6

// Translate says where the translations are: DIR/LANGUAGE/LC_MESSAGES/DOMAIN.mo, for the language of
// the environment.
func Translate(name, dir string) {
	c.setlocale(lcAll, "")
	c.bindtextdomain(name, dir)
	c.bindTextdomainCodeset(name, "UTF-8")
	c.textdomain(name)
	domain = name
}

// T translates a text. What is not in the catalog, and everything before Translate, stays English.
func T(text string) string {
	if domain == "" || text == "" { // the translation of nothing is the catalog's header
		return text
	}
	return c.dgettext(domain, text)
}

// N translates a text that depends on a number.
func N(one, many string, n int) string {
	if domain == "" {
		if n == 1 {
			return one
		}
		return many
	}
	return c.dngettext(domain, one, many, uint64(n))
}

// Builder makes objects of GtkBuilder's XML.
type Builder struct{ o Object }

// Build makes the objects of a piece of XML. The XML is ours, so that one which GTK does not take is
// a mistake, and a panic.
func Build(xml string) Builder {
	b := Builder{c.builderNew()}
	c.builderSetDomain(b.o, domain)
	var e uintptr
	if !c.builderAddFromString(b.o, xml, int64(len(xml)), &e) {
		panic(fmt.Sprintf("gtk: %v", errorText(e)))
	}
	return b
}

// Get finds an object by its id. The Builder owns it, and whoever it was put into.
func (b Builder) Get(id string) Object {
	o := c.builderGetObject(b.o, id)
	if o == 0 {
		panic("gtk: there is no object " + id)
	}
	return o
}

// Done gives up the Builder's own references: what was put into a window lives with that.
func (b Builder) Done() { b.o.Unref() }

// Style adds a style sheet for all windows.
func Style(css string) {
	p := c.cssProviderNew()
	c.cssProviderLoad(p, css, int64(len(css)))
	const application = 600 // GTK_STYLE_PROVIDER_PRIORITY_APPLICATION
	c.styleAddProvider(c.displayGetDefault(), p, application)
	p.Unref()
}

// Icons adds a directory with icons, in the form of a theme.
func Icons(dir string) { c.iconThemeAddPath(c.iconThemeForDisplay(c.displayGetDefault()), dir) }
