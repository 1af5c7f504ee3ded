package shape

import (
	"fmt"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The limits.
const (
	maxFields  = 20
	maxMethods = 60
	maxLines   = 60
	maxColumns = 120
	maxUpward  = 20 // percent
	maxOfOne   = 12 // methods of an interface that one type implements
	// fewUses is how many uses between files a package may have without being looked at: of a few,
	// one makes much.
	fewUses = 20
)

// loaded are all packages, read once for all tests.
var loaded = sync.OnceValues(func() ([]*Package, error) { return Load("../..") })

// everyPackage gives them.
func everyPackage(t *testing.T) []*Package {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command:", err)
	}
	all, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestShape: no struct, type, function and line is too large, and the files of a package can be read
// from top to bottom; but for those in ceilings.go, which do not grow.
func TestShape(t *testing.T) {
	t.Parallel()
	all := everyPackage(t)
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

// TestNoWideInterfaceOfOne: an interface with many methods that one type implements is that type
// once more. Who needs it takes the type.
func TestNoWideInterfaceOfOne(t *testing.T) {
	t.Parallel()
	all := Interfaces(everyPackage(t))
	if len(all) < 20 || len(all["drivers.Driver"].By) < 3 {
		t.Errorf("%d interfaces, drivers.Driver is implemented by %v", len(all),
			all["drivers.Driver"].By)
	}
	for name, i := range all {
		t.Logf("%s: %d methods, %v", name, i.Methods, i.By)
		if i.Methods > maxOfOne && len(i.By) < 2 {
			t.Errorf("%s has %d methods and is implemented by %v: take the type itself", name,
				i.Methods, i.By)
		}
	}
}

// TestNoOptionalInterfaces: what some implement only is a method that may say that it is not
// supported.
func TestNoOptionalInterfaces(t *testing.T) {
	t.Parallel()
	all := everyPackage(t)
	for _, p := range all {
		for _, place := range p.Assertions() {
			t.Errorf("%s asks for an interface of ours: make it a method of the one that the "+
				"value has, which may return an error for what is not supported", place)
		}
	}
}

// TestAssertions: each way to ask is found, and what asks for something else is not.
func TestAssertions(t *testing.T) {
	t.Parallel()
	const source = `package drivers
type Whole interface{ All() }
type Part interface{ Some() }
type Alias = Part
type real struct{}
func (real) All() {}
func found(w Whole) {
	_, _ = w.(Part)
	_ = w.(Alias)
	switch w.(type) { case real: case Part, interface{ Any() }: }
}
func notFound(w Whole) {
	_, _ = w.(real)
	_, _ = w.(interface{ Error() string })
	_, _ = any(w).(error)
}`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := check(listed{ImportPath: "wpsd/drivers", Dir: dir, GoFiles: []string{"a.go"}},
		token.NewFileSet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, place := range p.Assertions() {
		lines = append(lines, strings.Split(place, ":")[1])
	}
	if want := []string{"8", "9", "10"}; !slices.Equal(lines, want) {
		t.Errorf("found in the lines %v, not %v", lines, want)
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
		if len(wide) > 0 {
			t.Errorf("%s: the lines %d are wider than %d columns", name, wide, maxColumns)
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
