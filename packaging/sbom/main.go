// Sbom prints what programs are made of, as an SPDX 2.3 document in JSON: each Go module that is
// linked into them, with its version and the hash that go.sum has of it, and the Go release whose
// standard library is in them.
//
//	sbom VERSION GO.SUM PROGRAM...
//
// It reads what Go's linker writes into every program ("go version -m"), so it lists what is in
// them and nothing that only tests use. Of the same programs it prints the same bytes: the date is
// SOURCE_DATE_EPOCH, and the document's name comes from its content.
package main

import (
	"bufio"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION GO.SUM PROGRAM...")
		os.Exit(2)
	}
	if err := run(os.Stdout, os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, version, sumFile string, programs []string) error {
	sums, err := readSums(sumFile)
	if err != nil {
		return err
	}
	made := time.Unix(0, 0)
	if s := os.Getenv("SOURCE_DATE_EPOCH"); s != "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		made = time.Unix(seconds, 0)
	}
	doc := newDocument(version, made)
	for _, path := range programs {
		if err := doc.addProgram(path, version, sums); err != nil {
			return err
		}
	}
	return doc.write(w)
}

// The parts of SPDX 2.3 that are used here (spdx.github.io/spdx-spec/v2.3).
type document struct {
	Version       string         `json:"spdxVersion"`
	DataLicense   string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Packages      []spdxPackage  `json:"packages"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID        string      `json:"SPDXID"`
	Name      string      `json:"name"`
	Version   string      `json:"versionInfo"`
	Purpose   string      `json:"primaryPackagePurpose"`
	Location  string      `json:"downloadLocation"`
	Analyzed  bool        `json:"filesAnalyzed"`
	Concluded string      `json:"licenseConcluded"`
	Declared  string      `json:"licenseDeclared"`
	Copyright string      `json:"copyrightText"`
	Source    string      `json:"sourceInfo,omitempty"`
	Checksums []checksum  `json:"checksums,omitempty"`
	Refs      []reference `json:"externalRefs,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const noAssertion = "NOASSERTION"

func newDocument(version string, made time.Time) *document {
	return &document{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT",
		Name: "wpsd-" + version,
		Creation: creation{
			Created:  made.UTC().Format(time.RFC3339),
			Creators: []string{"Tool: wpsd-packaging-sbom"},
		},
	}
}

// addProgram adds a program and what is linked into it.
func (d *document) addProgram(path, version string, sums map[string]string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name := filepath.Base(path)
	hash := sha256.Sum256(content)
	program := spdxPackage{
		ID: id("Program", name), Name: name, Version: version, Purpose: "APPLICATION",
		Location: noAssertion, Concluded: noAssertion, Declared: "BSD-3-Clause",
		Copyright: "2026 The wpsd authors",
		Checksums: []checksum{{"SHA256", hex.EncodeToString(hash[:])}},
	}
	d.Packages = append(d.Packages, program)
	d.relate(d.ID, "DESCRIBES", program.ID)

	release := strings.Fields(info.GoVersion)[0] // experiments stand behind it
	std := module("stdlib", strings.TrimPrefix(release, "go"), "")
	d.link(program.ID, std)
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		sum := m.Sum
		if sum == "" { // a program that is built from vendored modules does not know it
			sum = sums[m.Path+" "+m.Version]
		}
		d.link(program.ID, module(m.Path, m.Version, sum))
	}
	return nil
}

// link has the module in the document, once, and the program contain it.
func (d *document) link(program string, m spdxPackage) {
	if !slices.ContainsFunc(d.Packages, func(p spdxPackage) bool { return p.ID == m.ID }) {
		d.Packages = append(d.Packages, m)
	}
	d.relate(program, "CONTAINS", m.ID)
}

func (d *document) relate(from, kind, to string) {
	d.Relationships = append(d.Relationships, relationship{from, kind, to})
}

// module is a Go module as a package. Its hash, one of its files' names and hashes ("h1:",
// go.dev/ref/mod, "go.sum files"), is no checksum of what can be downloaded, which is all that SPDX
// has a field for.
func module(path, version, sum string) spdxPackage {
	p := spdxPackage{
		ID: id("Module", path+"-"+version), Name: path, Version: version, Purpose: "LIBRARY",
		Location: noAssertion, Concluded: noAssertion, Declared: noAssertion,
		Copyright: noAssertion,
		Refs:      []reference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + path + "@" + version}},
	}
	if path != "stdlib" {
		p.Location = "https://proxy.golang.org/" + escape(path) + "/@v/" + version + ".zip"
	}
	if sum != "" {
		p.Source = "go.sum: " + sum
	}
	return p
}

// escape writes a module's path as a module proxy has it: a capital letter is "!" and a small one.
func escape(path string) string {
	var b strings.Builder
	for _, r := range path {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// id is an identifier in the document: letters, digits, dots and dashes.
func id(kind, name string) string {
	return "SPDXRef-" + kind + "-" + strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, name)
}

// write sorts the document, names it after its content, and prints it.
func (d *document) write(w io.Writer) error {
	slices.SortFunc(d.Packages, func(a, b spdxPackage) int { return strings.Compare(a.ID, b.ID) })
	content, err := json.Marshal(d)
	if err != nil {
		return err
	}
	d.Namespace = fmt.Sprintf("https://example.org/spdx/%s-%x", d.Name, sha256.Sum256(content))
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(d)
}

// readSums reads go.sum: "PATH VERSION" to the hash of the module's files.
func readSums(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if part := strings.Fields(lines.Text()); len(part) == 3 {
			sums[part[0]+" "+part[1]] = part[2]
		}
	}
	return sums, lines.Err()
}
