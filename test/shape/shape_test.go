package shape

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The limits.
const (
	maxFields  = 20
	maxMethods = 60
	maxLines   = 60
	maxColumns = 120
	maxUpward  = 20 // percent
	// fewUses is how many uses between files a package may have without being looked at: of a few,
	// one makes much.
	fewUses = 20
)

// TestShape: no struct, type, function and line is too large, and the files of a package can be read
// from top to bottom; but for those in ceilings.go, which do not grow.
func TestShape(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command:", err)
	}
	all, err := Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 40 {
		t.Fatalf("%d packages", len(all))
	}
	met := map[string]bool{}
	hold := func(kind string, figures map[string]int, limit int) {
		for _, name := range slices.Sorted(maps.Keys(figures)) {
			key := kind + " " + name
			most := limit
			if ceiling, listed := ceilings[key]; listed {
				met[key] = true
				if most = ceiling; figures[name] <= limit {
					t.Logf("%s is within the limit (%d): take it out of ceilings.go", key, limit)
				}
			}
			if figures[name] > most {
				t.Errorf("%s: %d, and %d is the most: make it smaller", key, figures[name], most)
			}
		}
	}
	for _, p := range all {
		structs := p.Structs()
		maps.DeleteFunc(structs, func(name string, _ int) bool { return wireAndConfig[name] != "" })
		hold("fields", structs, maxFields)
		hold("methods", p.Methods(), maxMethods)
		hold("lines", p.Functions(), maxLines)
		if up, uses := p.Upward(); uses > fewUses {
			hold("upward", map[string]int{p.Path: (100*up + uses - 1) / uses}, maxUpward)
			if testing.Verbose() {
				t.Logf("upward %s: %d of %d uses", p.Path, up, uses)
			}
		}
	}
	for key := range ceilings {
		if !met[key] {
			t.Logf("%s is no more: take it out of ceilings.go", key)
		}
	}
}

func TestNoWideLines(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("git", "ls-files", "*.go")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Skip("needs the files of the repository:", err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		wide, err := WideLines("../../"+name, maxColumns)
		if err != nil {
			continue // deleted, and not committed yet
		}
		if len(wide) > wideLines[name] {
			t.Errorf("%s: the lines %d are wider than %d columns, and %d of them may be", name, wide,
				maxColumns, wideLines[name])
		}
	}
}

// TestUpward: the order with the fewest uses that go back up is found.
func TestUpward(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		uses [][]int
		want int
	}{
		{"a chain, listed from its end", [][]int{{0, 0, 0}, {3, 0, 0}, {1, 2, 0}}, 0},
		{"a ring", [][]int{{0, 2, 0}, {0, 0, 2}, {1, 0, 0}}, 1},
		{"two that use each other", [][]int{{0, 5}, {4, 0}}, 4},
	} {
		order := []int{}
		for i := range c.uses {
			order = append(order, i)
		}
		for moved := true; moved; {
			moved = false
			for i := range c.uses {
				if better := bestPlace(c.uses, order, i); better != nil {
					order, moved = better, true
				}
			}
		}
		if got := cost(c.uses, order); got != c.want {
			t.Errorf("%s: %d, want %d (%v)", c.name, got, c.want, fmt.Sprint(order))
		}
	}
}
