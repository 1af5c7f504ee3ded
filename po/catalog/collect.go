package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// message is a text that is translated, and where it stands.
type message struct {
	id, plural string
	places     []string
}

// marks are the functions whose argument is a text: T and text have one, N has two.
var marks = map[string]int{"T": 1, "text": 1, "N": 2}

// collect finds the texts of Go files and GtkBuilder's XML below a directory, in a steady order.
func collect(dir string) (list []message, err error) {
	byID := map[string]int{}
	add := func(id, plural, place string) {
		if id == "" {
			return
		}
		i, known := byID[id]
		if !known {
			i = len(list)
			byID[id] = i
			list = append(list, message{id: id, plural: plural})
		}
		if plural != "" {
			list[i].plural = plural
		}
		if !slices.Contains(list[i].places, place) {
			list[i].places = append(list[i].places, place)
		}
	}
	err = filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go"):
			return err
		case strings.HasSuffix(name, ".go"):
			return collectGo(name, add)
		case strings.HasSuffix(name, ".ui"):
			return collectXML(name, add)
		}
		return nil
	})
	return list, err
}

// collectGo finds the texts of a Go file.
func collectGo(name string, add func(id, plural, place string)) error {
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var wrong []error
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fun, ok := call.Fun.(*ast.Ident)
		if !ok || marks[fun.Name] == 0 || len(call.Args) < marks[fun.Name] {
			return true
		}
		var texts []string
		for _, a := range call.Args[:marks[fun.Name]] {
			text, ok := literal(a)
			if !ok {
				if fun.Name != "T" { // T(variable): its text is marked elsewhere, by text
					wrong = append(wrong, fmt.Errorf("%s: %s of what is no literal", name, fun.Name))
				}
				return true
			}
			texts = append(texts, text)
		}
		add(texts[0], strings.Join(texts[1:], ""), name)
		return true
	})
	return errors.Join(wrong...)
}

// literal is the value of a string literal.
func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// collectXML finds the texts of a file of GtkBuilder's: elements with translatable="yes".
func collectXML(name string, add func(id, plural, place string)) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	d := xml.NewDecoder(f)
	var marked bool
	var text strings.Builder
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			text.Reset()
			marked = false
			for _, a := range t.Attr {
				marked = marked || a.Name.Local == "translatable" && a.Value == "yes"
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if marked {
				add(text.String(), "", name)
			}
			marked = false
		}
	}
}
