package shape

import (
	"go/ast"
	"slices"
)

// uses says which file of a package uses anything (a function, method, field, type, constant,
// variable) that another one declares: uses[user][used] is 1 then. One thing or ten, who reads the
// user has to know the other file.
func (p *Package) uses() [][]int {
	number := map[string]int{}
	for i, f := range p.Files {
		number[f.set.Position(f.ast.Package).Filename] = i
	}
	counts := make([][]int, len(p.Files))
	for i, f := range p.Files {
		counts[i] = make([]int, len(p.Files))
		ast.Inspect(f.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			used := p.info.Uses[id]
			if used == nil || used.Pkg() == nil || !used.Pos().IsValid() {
				return true
			}
			if to, ours := number[f.set.Position(used.Pos()).Filename]; ours && to != i {
				counts[i][to] = 1
			}
			return true
		})
	}
	return counts
}

// Upward gives how many uses between the files of a package there are, and how many of them go back
// up if the files are in the order in which as few as possible do. It looks for that order by moving
// one file after the other to its best place until no move helps, so it may miss a use or two.
func (p *Package) Upward() (up, all int) {
	uses := p.uses()
	var order []int
	for i := range uses {
		for _, n := range uses[i] {
			all += n
		}
		order = append(order, i)
	}
	// Who uses much and is used little comes first.
	balance := func(i int) (n int) {
		for j := range uses {
			n += uses[i][j] - uses[j][i]
		}
		return n
	}
	slices.SortStableFunc(order, func(a, b int) int { return balance(b) - balance(a) })
	for moved := true; moved; {
		moved = false
		for i := range uses {
			if better := bestPlace(uses, order, i); better != nil {
				order, moved = better, true
			}
		}
	}
	return cost(uses, order), all
}

// bestPlace gives the order with file i where it costs least; nil: where it is.
func bestPlace(uses [][]int, order []int, i int) []int {
	least, best := cost(uses, order), []int(nil)
	rest := slices.DeleteFunc(slices.Clone(order), func(n int) bool { return n == i })
	for at := range order {
		try := slices.Insert(slices.Clone(rest), at, i)
		if c := cost(uses, try); c < least {
			least, best = c, try
		}
	}
	return best
}

// cost is how many uses go from a later file to an earlier one.
func cost(uses [][]int, order []int) (n int) {
	for at, user := range order {
		for _, used := range order[:at] {
			n += uses[user][used]
		}
	}
	return n
}
