package service

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestLocksAreGivenBack: in this package and its rooms, after Lock comes either the defer that
// gives the lock back, or nothing that could fail: a panic that a fence catches must not leave
// everybody else waiting. Calls of builtins, and of methods of time, cannot.
func TestLocksAreGivenBack(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range rooms {
		// it looks things up under its locks, which cannot fail
		if !strings.HasPrefix(name, "control/") {
			files = append(files, name)
		}
	}
	locks := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := gotoken.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			block, ok := n.(*ast.BlockStmt)
			if !ok {
				return true
			}
			for i, s := range block.List {
				lock, ok := lockOf(s)
				if !ok {
					continue
				}
				locks++
				if i+1 < len(block.List) {
					if d, ok := block.List[i+1].(*ast.DeferStmt); ok &&
						exprText(d.Call.Fun) == lock+".Unlock" {
						continue
					}
				}
				if call := firstCall(block.List[i+1:], lock+".Unlock"); call != "" {
					t.Errorf("%s: %s is called with %s held and without a defer",
						set.Position(s.Pos()), call, lock)
				}
			}
			return true
		})
	}
	if locks < 50 {
		t.Errorf("found %d locks only", locks)
	}
}

// lockOf is what a statement locks.
func lockOf(s ast.Stmt) (string, bool) {
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return "", false
	}
	call, ok := e.X.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(exprText(call.Fun), ".Lock")
}

// firstCall is the first function that is called before unlock.
func firstCall(list []ast.Stmt, unlock string) (found string) {
	for _, s := range list {
		over := false
		ast.Inspect(s, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || found != "" || over {
				return true
			}
			switch name := exprText(call.Fun); name {
			case unlock:
				over = true
			case "len", "append", "delete", "make", "close", "min", "max", "cap", "copy", "clear":
			default:
				found = name
			}
			return true
		})
		if over || found != "" {
			return found
		}
	}
	return found
}

func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	}
	return "a function"
}
