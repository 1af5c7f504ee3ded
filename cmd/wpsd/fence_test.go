package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// unfenced are goroutines that need no fence, with the reason. They are named by file and by what
// starts them.
var unfenced = map[string]string{
	"cmd/wpsd/serve.go: go func literal":              "it has a fence around what it runs",
	"service/keypair/maker.go: go func literal":       "it has a fence around what it runs",
	"service/station/pump.go: reader.Go":              "it has a fence around what it runs",
	"service/external/perform.go: e.tasks.Go":         "it has a fence around what it runs",
	"service/station/enroll.go: time.AfterFunc":       "it calls a cancel function, and nothing else",
	"service/control/select.go: c.server.tasks.Go":    "it has a fence around what it runs",
	"service/helper/helper.go: tasks.Go":              "it has a fence around what it runs",
	"drivers/controlpoint/remote/server.go: tasks.Go": "it has a fence around what it runs",
	"dbus/job.go: go s.job":                           "it has a fence around what it runs",
	"cmd/wpsd/process.go: time.AfterFunc":             "no peer: memory is given back",
	"service/control/reply/client.go: time.AfterFunc": "no peer: an idle connection is closed",
}

// TestGoroutinesAreFenced: a goroutine, or a timer's function, that serves a peer is inside a
// fence, so that a mistake of ours ends what it is for and not the daemon.
func TestGoroutinesAreFenced(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	used := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			!reachable(name) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, start := range starts(file) {
			key := name + ": " + start.what
			switch {
			case start.fenced:
			case unfenced[key] != "":
				used[key] = true
			default:
				t.Errorf("%s has no fence: use fence.Func or fence.Keep, or say in unfenced why not", key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range unfenced {
		if !used[key] {
			t.Errorf("%s is not there any more", key)
		}
	}
}

// reachable reports whether a file is a part of the daemon that peers can reach. The simulation's
// access points are in it, but no peer of a machine's.
func reachable(name string) bool {
	for _, other := range []string{"drivers/sim/", "drivers/wfadevice/", "drivers/drivertest/",
		"drivers/controlpoint/controlpointtest/", "drivers/managerbus/managertest/",
		"dbus/dbustest/"} {
		if strings.HasPrefix(name, other) {
			return false
		}
	}
	for _, ours := range []string{"bus/", "service/", "dbus/", "drivers/", "cmd/wpsd/"} {
		if strings.HasPrefix(name, ours) {
			return true
		}
	}
	return false
}

// start is a place where a goroutine begins.
type start struct {
	what   string
	fenced bool // what it runs is made by package fence
}

// starts finds go statements, Go of a WaitGroup, and functions of timers.
func starts(file *ast.File) []start {
	var list []start
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			call := n.Call
			what := "go " + callee(call)
			made, _ := call.Fun.(*ast.CallExpr) // go fence.Func(…)()
			list = append(list,
				start{what, made != nil && strings.HasPrefix(callee(made), "fence.")})
		case *ast.CallExpr:
			name := callee(n)
			switch {
			case strings.HasSuffix(name, ".Go") && len(n.Args) == 1:
				list = append(list, start{name, isFence(n.Args[0])})
			case name == "time.AfterFunc" && len(n.Args) == 2:
				list = append(list, start{name, isFence(n.Args[1])})
			}
		}
		return true
	})
	return list
}

func isFence(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && strings.HasPrefix(callee(call), "fence.")
}

// callee is what is called, as in the source: "s.tasks.Go".
func callee(call *ast.CallExpr) string { return sourceOf(call.Fun) }

func sourceOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return sourceOf(e.X) + "." + e.Sel.Name
	case *ast.CallExpr:
		return sourceOf(e.Fun) + "()"
	case *ast.FuncLit:
		return "func literal"
	}
	return "?"
}
