package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is one of our packages, as go list and the type checker see it. Tests are not in it.
type Package struct {
	Path  string // without "wpsd/"
	Files []*File
	info  *types.Info
	types *types.Package
}

// File is a source file.
type File struct {
	Name string
	ast  *ast.File
	set  *token.FileSet
}

// listed is what we read of go list's answer.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard                bool
}

// Load reads and checks all packages of the module at dir. The go command's cache has what they
// import, so it takes seconds.
func Load(dir string) ([]*Package, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Standard",
		"./...")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("shape: go list: %w", err)
	}
	exports := map[string]string{}
	var ours []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("shape: go list: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, "wpsd/") {
			ours = append(ours, p)
		}
	}
	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	var all []*Package
	for _, p := range ours {
		checked, err := check(p, set, imports)
		if err != nil {
			return nil, err
		}
		all = append(all, checked)
	}
	return all, nil
}

// check parses and type-checks one package.
func check(p listed, set *token.FileSet, imports types.Importer) (*Package, error) {
	made := &Package{Path: strings.TrimPrefix(p.ImportPath, "wpsd/"),
		info: &types.Info{Uses: map[*ast.Ident]types.Object{},
			Types: map[ast.Expr]types.TypeAndValue{}}}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, 0)
		if err != nil {
			return nil, fmt.Errorf("shape: %w", err)
		}
		files = append(files, f)
		made.Files = append(made.Files, &File{Name: name, ast: f, set: set})
	}
	conf := types.Config{Importer: imports}
	var err error
	if made.types, err = conf.Check(p.ImportPath, set, files, made.info); err != nil {
		return nil, fmt.Errorf("shape: %w", err)
	}
	return made, nil
}

// Structs gives the number of fields of each struct type with a name.
func (p *Package) Structs() map[string]int {
	sizes := map[string]int{}
	for _, f := range p.Files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				sizes[p.Path+"."+spec.Name.Name] = s.Fields.NumFields()
			}
			return true
		})
	}
	return sizes
}

// Methods gives the number of methods of each type that has some.
func (p *Package) Methods() map[string]int {
	counts := map[string]int{}
	for _, f := range p.Files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
				counts[p.Path+"."+receiver(fn)]++
			}
		}
	}
	return counts
}

// Functions gives the number of lines of each function and method.
func (p *Package) Functions() map[string]int {
	lines := map[string]int{}
	for _, f := range p.Files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := p.Path + "." + fn.Name.Name
			if fn.Recv != nil {
				name = p.Path + "." + receiver(fn) + "." + fn.Name.Name
			}
			lines[name] = f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1
		}
	}
	return lines
}

// receiver is the name of the type that a method is of.
func receiver(fn *ast.FuncDecl) string {
	t := fn.Recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.IndexListExpr:
			t = of.X
		case *ast.Ident:
			return of.Name
		default:
			return "?"
		}
	}
}
