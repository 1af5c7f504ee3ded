// Package enginetest proves engine.Machines: a conformance test that every machine passes, a
// loopback that runs two of them against each other over a bad channel in virtual time, scripted
// randomness, and transcripts to compare with.
package enginetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Block is one expected draw of randomness.
type Block struct {
	Name  string
	Bytes []byte
}

// Script is a source of randomness that gives named blocks in order and fails on any other draw:
// the order of draws is part of a machine's documented behaviour.
type Script struct {
	blocks []Block
}

// NewScript makes a Script.
func NewScript(blocks ...Block) *Script { return &Script{blocks} }

// Fill makes a block of n bytes of one value.
func Fill(name string, n int, value byte) Block {
	return Block{name, bytes.Repeat([]byte{value}, n)}
}

// Read implements io.Reader: one Read is one draw.
func (s *Script) Read(b []byte) (int, error) {
	if len(s.blocks) == 0 {
		return 0, fmt.Errorf("enginetest: a draw of %d bytes after the script's end", len(b))
	}
	next := s.blocks[0]
	if len(next.Bytes) != len(b) {
		return 0, fmt.Errorf("enginetest: a draw of %d bytes where %q has %d", len(b), next.Name,
			len(next.Bytes))
	}
	s.blocks = s.blocks[1:]
	return copy(b, next.Bytes), nil
}

// Left names the blocks that were not drawn.
func (s *Script) Left() []string {
	var names []string
	for _, b := range s.blocks {
		names = append(names, b.Name)
	}
	return names
}

// Golden compares got with testdata/name. With WPSD_UPDATE=1 in the environment it writes the file.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("WPSD_UPDATE") == "1" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (WPSD_UPDATE=1 makes it)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (WPSD_UPDATE=1 rewrites it; say why in the commit)\n--- got\n%s--- want\n%s", path, got, want)
	}
}
