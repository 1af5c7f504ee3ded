package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// maxArchitecture is the size of ARCHITECTURE.md in bytes that one still reads in one go.
const maxArchitecture = 20 << 10

var (
	decisionEntry = regexp.MustCompile(`(?m)^- (?:\(superseded by (D\d+)\) )?\*\*(D\d+)\. `)
	decisionNamed = regexp.MustCompile(`\bD\d+\b`)
	supersedes    = regexp.MustCompile(`supersedes ((?:D\d+)(?:(?:,|\s+and)\s+D\d+)*)`)
)

// TestDecisions: every entry has a number of its own, whoever is named exists, and of two entries
// of which one supersedes the other both say so.
func TestDecisions(t *testing.T) {
	text := readRepo(t, ".architecture/decisions.md")
	by := map[string]string{} // what it is superseded by, or nothing
	starts := decisionEntry.FindAllStringSubmatchIndex(text, -1)
	for n, at := range starts {
		number := text[at[4]:at[5]]
		if _, twice := by[number]; twice {
			t.Errorf("two entries are %s", number)
		}
		by[number] = ""
		if at[2] >= 0 {
			by[number] = text[at[2]:at[3]]
		}
		end := len(text)
		if n+1 < len(starts) {
			end = starts[n+1][0]
		}
		body := text[at[0]:end]
		for _, list := range supersedes.FindAllStringSubmatch(body, -1) {
			for _, old := range decisionNamed.FindAllString(list[1], -1) {
				if want := "- (superseded by " + number + ") **" + old + ". "; !strings.Contains(text, want) {
					t.Errorf("%s supersedes %s, which does not say so: %q", number, old, want)
				}
			}
		}
	}
	if len(by) < 100 {
		t.Errorf("%d entries: are they still written as before?", len(by))
	}
	for _, name := range decisionNamed.FindAllString(text, -1) {
		if _, there := by[name]; !there {
			t.Errorf("%s is named and does not exist", name)
		}
	}
}

// TestArchitectureIsReadable: ARCHITECTURE.md stays short and leads to the decisions.
func TestArchitectureIsReadable(t *testing.T) {
	text := readRepo(t, "ARCHITECTURE.md")
	if len(text) > maxArchitecture {
		t.Errorf("ARCHITECTURE.md has %d bytes, of %d: what is a decision goes to the decisions",
			len(text), maxArchitecture)
	}
	if !strings.Contains(text, "(.architecture/decisions.md)") {
		t.Error("ARCHITECTURE.md does not link the decisions")
	}
}

func readRepo(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
