package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wpsd/service/store"
)

func TestRestore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, state string)
		want    int
		says    string
	}{
		{"nothing is owed", func(*testing.T, string) {}, exitOK, ""},
		{"a daemon runs", func(t *testing.T, state string) {
			j, err := store.OpenJournal(state)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { j.Close() })
		}, exitOK, "nothing to give back"},
		{"a directory that anybody may write to", func(t *testing.T, state string) {
			if err := os.MkdirAll(filepath.Join(state, "owed"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(state, "owed"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, exitFailure, "chmod"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			state := filepath.Join(t.TempDir(), "state")
			config := filepath.Join(t.TempDir(), "wpsd.conf")
			if err := os.WriteFile(config, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c.prepare(t, state)
			var stdout, stderr bytes.Buffer
			got := run([]string{"--restore", "--state-dir", state, "--config", config}, &stdout, &stderr)
			if got != c.want || !strings.Contains(stderr.String(), c.says) || stdout.Len() > 0 {
				t.Errorf("exit code %d: %s", got, stderr.String())
			}
		})
	}
}
