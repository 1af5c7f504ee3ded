package shape

import (
	"go/ast"
	"go/types"
	"strings"
)

// Assertions gives the places where the package asks, with a type assertion or a type switch,
// whether a value has the methods of an interface of ours. Such an interface is an optional one: a
// type that wraps the value loses it, and the compiler does not say so.
func (p *Package) Assertions() (places []string) {
	for _, f := range p.Files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeAssertExpr:
				if p.isOurInterface(n.Type) {
					places = append(places, f.set.Position(n.Pos()).String())
				}
			case *ast.TypeSwitchStmt:
				for _, c := range n.Body.List {
					for _, e := range c.(*ast.CaseClause).List {
						if p.isOurInterface(e) {
							places = append(places, f.set.Position(e.Pos()).String())
						}
					}
				}
			}
			return true
		})
	}
	return places
}

// isOurInterface reports whether an expression is the name of an interface that a package of ours
// declares.
func (p *Package) isOurInterface(e ast.Expr) bool {
	if e == nil { // x.(type)
		return false
	}
	named, ok := types.Unalias(p.info.Types[e].Type).(*types.Named)
	return ok && types.IsInterface(named) && named.Obj().Pkg() != nil &&
		strings.HasPrefix(named.Obj().Pkg().Path(), "wpsd/")
}
