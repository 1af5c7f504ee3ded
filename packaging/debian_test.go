package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDebianFolder: what make dist puts into the archive for dpkg-buildpackage has both packages, with
// the words of those that make deb and make deb-applet make, and nothing is left to fill in.
func TestDebianFolder(t *testing.T) {
	t.Parallel()
	tree := t.TempDir()
	cmd := exec.Command("debian/place", tree, "1.2.3-dev.4.gabc")
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=86400", "DEBFULLNAME=A Packager",
		"DEBEMAIL=packager@example.org")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(tree, "debian", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	changelog := read("changelog")
	for _, want := range []string{"wpsd (1.2.3~dev.4.gabc) unstable;",
		" -- A Packager <packager@example.org>  Fri, 02 Jan 1970 00:00:00 +0000\n"} {
		if !strings.Contains(changelog, want) {
			t.Errorf("not in the changelog: %s\n%s", want, changelog)
		}
	}
	control := read("control")
	if left := regexp.MustCompile(`@[A-Z]+@`).FindAllString(control, -1); left != nil {
		t.Errorf("not filled in: %v\n%s", left, control)
	}
	stanzas := strings.Split(strings.TrimSpace(control), "\n\n")
	if len(stanzas) != 3 || !strings.HasPrefix(stanzas[0], "Source: wpsd\n") {
		t.Fatalf("%d paragraphs:\n%s", len(stanzas), control)
	}
	for i, from := range []string{"deb/control", "applet/control"} {
		ours, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		_, description, _ := strings.Cut(string(ours), "\nDescription: ")
		if !strings.HasSuffix(stanzas[i+1], "\nDescription: "+strings.TrimSpace(description)) {
			t.Errorf("%s says something else of itself:\n%s", from, stanzas[i+1])
		}
		if !strings.Contains(stanzas[i+1], "\nArchitecture: any\n") ||
			!strings.Contains(stanzas[i+1], "\nDepends: ${misc:Depends}, ") {
			t.Errorf("%s:\n%s", from, stanzas[i+1])
		}
	}
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		if !strings.HasSuffix(read("wpsd."+script), "\n#DEBHELPER#\n") {
			t.Errorf("%s has no place for what debhelper adds", script)
		}
	}
	if info, err := os.Stat(filepath.Join(tree, "debian/rules")); err != nil ||
		info.Mode()&0o111 == 0 {
		t.Errorf("rules: %v", err)
	}
}
