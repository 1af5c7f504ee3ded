package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromisesHaveTests: each row of test/PROMISES.md names at least one test, and each test that
// it names exists, in the folder that stands before it.
func TestPromisesHaveTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "test", "PROMISES.md"))
	if err != nil {
		t.Fatal(err)
	}
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	exists := map[string]bool{}
	err = filepath.WalkDir(filepath.Join("..", ".."),
		func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			folder := strings.TrimPrefix(filepath.Dir(path), filepath.Join("..", "..")+"/")
			for _, m := range declaration.FindAllSubmatch(source, -1) {
				exists[folder+" "+string(m[1])] = true
			}
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("([a-z][a-z0-9/-]+ )?`(Test\\w+)`")
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || strings.HasPrefix(line, "|---") ||
			strings.HasPrefix(line, "| README-WPS |") {
			continue
		}
		rows++
		tests := named.FindAllStringSubmatch(cells[2], -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", line)
		}
		for _, m := range tests {
			folder := m[1]
			if folder == "" {
				folder = "test/hwsim "
			}
			if !exists[folder+m[2]] {
				t.Errorf("there is no %s%s: %s", folder, m[2], line)
			}
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows were read", rows)
	}
}
