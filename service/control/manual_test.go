package control

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestManualListsTheCommands: the manual page has all commands, and none that there is not.
func TestManualListsTheCommands(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../packaging/wpsd.8")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "The commands are\n")
	section, _, _ = strings.Cut(section, ".\n")
	section = strings.ReplaceAll(strings.ReplaceAll(section, `\-`, "-"), "\n", " ")
	if got, want := section, strings.Join(commandNames(), ", "); got != want {
		t.Errorf("the manual has\n%s\nthe table has\n%s", got, want)
	}
}

// commandNames lists all commands.
func commandNames() []string {
	names := slices.Collect(maps.Keys(onInterface))
	for name := range onGlobal {
		if _, both := onInterface[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
