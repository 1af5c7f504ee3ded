package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocument has the document of the one program that is sure to be there, this test: it says the
// standard library and every module that is linked in, once, with the hash that go.sum has.
func TestDocument(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.Symlink(self, other); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	var out, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&out, &again} {
		if err := run(w, "1.2.3", "../../go.sum", []string{self, other}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("another document the second time")
	}
	var d document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Creation.Created != "1970-01-02T00:00:00Z" {
		t.Errorf("made on %s", d.Creation.Created)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"stdlib": "", filepath.Base(self): "", "other": ""}
	sums, err := readSums("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		want[m.Path] = sums[m.Path+" "+m.Version]
	}
	ids := map[string]bool{"SPDXRef-DOCUMENT": true}
	for _, p := range d.Packages {
		hash, expected := want[p.Name]
		if !expected || !strings.HasSuffix(p.Source, hash) {
			t.Errorf("package %s %s, source %q", p.Name, p.Version, p.Source)
		}
		ids[p.ID] = true
		delete(want, p.Name)
	}
	for name := range want {
		t.Errorf("%s is not in the document", name)
	}
	for _, r := range d.Relationships {
		if !ids[r.From] || !ids[r.To] {
			t.Errorf("relationship of what is not there: %v", r)
		}
	}
}

// TestModule has what the document says of modules whose names need care.
func TestModule(t *testing.T) {
	p := module("github.com/BurntSushi/toml", "v1.0.0+incompatible", "h1:abc=")
	if p.ID != "SPDXRef-Module-github.com-BurntSushi-toml-v1.0.0-incompatible" {
		t.Error(p.ID)
	}
	if p.Location != "https://proxy.golang.org/github.com/!burnt!sushi/toml/@v/v1.0.0+incompatible.zip" {
		t.Error(p.Location)
	}
	if p.Source != "go.sum: h1:abc=" {
		t.Error(p.Source)
	}
}

func TestWhatIsNoProgram(t *testing.T) {
	if err := run(&bytes.Buffer{}, "1", "../../go.sum", []string{"main.go"}); err == nil {
		t.Error("a document of a text")
	}
}
