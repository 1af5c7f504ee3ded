package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// languages are those that have to be complete.
var languages = []string{"de", "es", "fr"}

// atTop runs a test at the top of the tree, as the program is run.
func atTop(t *testing.T) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
}

// A text that was added or changed is in the catalogs, and translated.
func TestCatalogsAreComplete(t *testing.T) {
	atTop(t)
	texts, err := collect("cmd/wps-applet")
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 100 {
		t.Fatalf("only %d texts were found", len(texts))
	}
	pot, err := os.ReadFile("po/wps-applet.pot")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pot, format(header(""), texts, nil)) {
		t.Error("po/wps-applet.pot is not what the source has: go run ./po/catalog")
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for _, language := range languages {
		c, err := read(filepath.Join("po", language+".po"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, m := range texts {
			known, ok := c.texts[m.id]
			if !ok || slices.Contains(known.forms, "") {
				t.Errorf("%s: %q is not translated", language, m.id)
				continue
			}
			for _, form := range known.forms {
				if !slices.Equal(verb.FindAllString(form, -1), verb.FindAllString(m.id, -1)) {
					t.Errorf("%s: %q has other verbs than %q", language, form, m.id)
				}
			}
		}
		if len(c.texts) != len(texts) {
			t.Errorf("%s has %d texts, the source %d: go run ./po/catalog", language,
				len(c.texts), len(texts))
		}
	}
}

// setters are what shows a text; a literal there that is no argument of T is not translated.
var setters = []string{"Say", "Toast", "toast", "Label", "show", "ask"}

// TestNoTextWithoutMark finds texts for people that nobody translates: literals with a space in what
// is shown, in Go, and properties of XML that are shown.
func TestNoTextWithoutMark(t *testing.T) {
	atTop(t)
	files, err := filepath.Glob("cmd/wps-applet/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "cmd/wps-applet/main.go" {
			continue // the command line is English
		}
		checkGo(t, name)
	}
	xmls, err := filepath.Glob("cmd/wps-applet/ui/*.ui")
	if err != nil || len(xmls) == 0 {
		t.Fatal("no XML", err)
	}
	shown := regexp.MustCompile(`<(?:property|attribute) name="(label|title|subtitle|description|tooltip-text|body|heading|comments|application-name)"([^>]*)>([^<]*)<`)
	for _, name := range xmls {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(data), -1) {
			if strings.IndexFunc(m[3], unicode.IsLetter) >= 0 &&
				!strings.Contains(m[2], `translatable="yes"`) {
				t.Errorf("%s: %q is not marked as translatable", name, m[3])
			}
		}
	}
}

// checkGo looks at the calls of setters and at the texts of buttons, rows and messages.
func checkGo(t *testing.T, name string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(e ast.Expr) {
		if text, ok := literal(e); ok && strings.Contains(strings.TrimSpace(text), " ") &&
			strings.IndexFunc(text, unicode.IsLetter) >= 0 && !strings.HasPrefix(text, "%") {
			t.Errorf("%s: %q is shown and not translated", fset.Position(e.Pos()), text)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(setters, s.Sel.Name) {
				for _, a := range n.Args {
					bad(a)
				}
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && slices.Contains([]string{"title", "body",
				"subtitle", "button", "badge", "label"}, k.Name) {
				bad(n.Value)
			}
		}
		return true
	})
}

// What is compiled here is what gettext's own msgfmt compiles.
func TestCompilesAsMsgfmt(t *testing.T) {
	msgunfmt, err := exec.LookPath("msgunfmt")
	if err != nil {
		t.Skip("needs msgunfmt (gettext):", err)
	}
	atTop(t)
	dir := t.TempDir()
	for _, language := range languages {
		po := filepath.Join("po", language+".po")
		if err := compileInto(dir, po); err != nil {
			t.Fatal(err)
		}
		mo := filepath.Join(dir, language, "LC_MESSAGES", domain+".mo")
		theirs := filepath.Join(dir, language+".mo")
		if out, err := exec.Command("msgfmt", "--check-format", "-o", theirs,
			po).CombinedOutput(); err != nil {
			t.Errorf("msgfmt: %v\n%s", err, out)
			continue
		}
		var texts [2][]byte
		for i, name := range []string{mo, theirs} {
			if texts[i], err = exec.Command(msgunfmt, name).Output(); err != nil {
				t.Fatalf("msgunfmt %s: %v", name, err)
			}
		}
		if !bytes.Equal(texts[0], texts[1]) {
			t.Errorf("%s: msgfmt makes something else of it", language)
		}
	}
}

// A .po file that is broken is refused with its line, and not read in part.
func TestBrokenCatalogs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"msgid \"a\nmsgstr \"b\"\n":        ":1:",
		"msgid \"a\"\nmsgstr b\n":          ":2:",
		"\"a\"\n":                          ":1:",
		"msgctxt \"a\"\nmsgid \"a\"\n":     ":1:",
		"msgid \"a\"\nmsgstr \"\\q\"\n":    ":2:",
		"\nmsgid \"a\"\n\nmsgstr[\"x\"]\n": ":4:",
	} {
		name := filepath.Join(t.TempDir(), "x.po")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error at %s", text, err, want)
		}
	}
}
