package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNothingSimulatedInTheDaemon: the daemon that is confined links no simulated access points, and
// the program that has them does.
func TestNothingSimulatedInTheDaemon(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command:", err)
	}
	for tags, want := range map[string]bool{"": false, "sim": true} {
		out, err := exec.Command("go", "list", "-deps", "-tags", tags, ".").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, name := range []string{"wpsd/drivers/sim", "wpsd/drivers/simmanager",
			"wpsd/drivers/wfadevice"} {
			if got := strings.Contains(string(out), name+"\n"); got != want {
				t.Errorf("tags %q: %s is linked: %v", tags, name, got)
			}
		}
	}
}
