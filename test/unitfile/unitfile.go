// Package unitfile reads what tests need of a unit of systemd's: they start a program as the unit
// would.
package unitfile

import (
	"os"
	"strings"
)

// Environment gives what the lines "Environment=" of a unit's file put into the environment of what
// it starts, as name=value. None of ours has quotes, or more than one in a line.
func Environment(file string) (variables []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			variables = append(variables, v)
		}
	}
	return variables, nil
}
