// Package figures prints what a comparison has measured: ours beside a rival's, whether the aim of
// a row is missed, and whether a row got worse than the figures that the repository keeps.
//
// A figure is a ratio wherever there is a rival, measured beside it in the same run: the machine
// and its load are in both. A row without a rival is told in its unit, and its kept figure holds
// for things that a machine does not change, such as memory.
package figures

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// worse is from which factor on a row got worse than its kept figure. Less is noise.
const worse = 1.1

// Row is one thing that was measured.
type Row struct {
	Name  string  // never twice in a Table
	Unit  string  // of Rival and Own: "ms", "KiB"
	Rival float64 // 0: there is none
	Own   float64
	// Aim is what Figure is to be at most; 0: there is no aim.
	Aim float64
}

// Figure is what is held against the aim and the kept figure: the ratio, or without a rival what
// was measured.
func (r Row) Figure() float64 {
	if r.Rival > 0 {
		return r.Own / r.Rival
	}
	return r.Own
}

// Table is the rows of one run.
type Table struct {
	Title string
	Rival string // its name
	Rows  []Row
}

// Add adds a row.
func (t *Table) Add(r Row) { t.Rows = append(t.Rows, r) }

// Kept is the figures of an earlier run by the names of their rows.
type Kept map[string]float64

// ReadKept reads the text that Keep writes.
func ReadKept(text string) (Kept, error) {
	kept := Kept{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		figure, name, ok := strings.Cut(line, " ")
		value, err := strconv.ParseFloat(figure, 64)
		if !ok || err != nil || value < 0 || math.IsInf(value, 0) || math.IsNaN(value) {
			return nil, fmt.Errorf("figures: %q is no figure and the name of its row", line)
		}
		name = strings.TrimSpace(name)
		if _, twice := kept[name]; twice {
			return nil, fmt.Errorf("figures: %q is kept twice", name)
		}
		kept[name] = value
	}
	return kept, lines.Err()
}

// Keep gives the figures of this run as they are kept in a file.
func (t *Table) Keep() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n# A ratio to %s where a row has one, else what was measured.\n", t.Title,
		t.Rival)
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "%-10s %s\n", short(r.Figure()), r.Name)
	}
	return b.String()
}

// Verdict says what is to be said of a row; "" is good news.
func (r Row) Verdict(kept Kept) string {
	var said []string
	if r.Aim > 0 && r.Figure() > r.Aim {
		said = append(said, "missed "+short(r.Aim))
	}
	if before, ok := kept[r.Name]; ok && r.Figure() > before*worse {
		said = append(said, "worse than "+short(before))
	}
	return strings.Join(said, ", ")
}

// Print prints the table. Kept may be nil. It returns how many rows miss their aim and how many got
// worse.
func (t *Table) Print(w io.Writer, kept Kept) (missed, worsened int) {
	width := len("row")
	for _, r := range t.Rows {
		width = max(width, len([]rune(r.Name)))
	}
	fmt.Fprintf(w, "%s\n%-*s %14s %14s %8s %8s %8s\n", t.Title, width, "", t.Rival, "wpsd", "ratio",
		"aim", "kept")
	for _, r := range t.Rows {
		before, known := kept[r.Name]
		verdict := r.Verdict(kept)
		fmt.Fprintf(w, "%-*s %14s %14s %8s %8s %8s  %s\n", width, r.Name,
			measured(r.Rival, r.Unit, r.Rival > 0), measured(r.Own, r.Unit, true),
			optional(r.Figure(), r.Rival > 0), optional(r.Aim, r.Aim > 0),
			optional(before, known), verdict)
		if r.Aim > 0 && r.Figure() > r.Aim {
			missed++
		}
		if known && r.Figure() > before*worse {
			worsened++
		}
	}
	fmt.Fprintf(w, "%d of %d aims missed, %d rows more than a tenth worse than kept\n", missed,
		t.aims(), worsened)
	for _, name := range t.absent(kept) {
		fmt.Fprintf(w, "kept, and not measured: %s\n", name)
	}
	return missed, worsened
}

func (t *Table) aims() (n int) {
	for _, r := range t.Rows {
		if r.Aim > 0 {
			n++
		}
	}
	return n
}

// absent gives the kept rows that this run has not: a row that is renamed is not held any more.
func (t *Table) absent(kept Kept) (names []string) {
	for name := range kept {
		if !slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Name == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func measured(v float64, unit string, known bool) string {
	if !known {
		return "–"
	}
	return strings.TrimSpace(short(v) + " " + unit)
}

func optional(v float64, known bool) string {
	if !known {
		return ""
	}
	return short(v)
}

// short writes three digits that count, and all of a larger whole number.
func short(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
