//go:build applet

package applet

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wpsd/test/atspi"
)

// TestMain fails where the tests have shown something to press that none of them has pressed.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	whole := flag.Lookup("test.run").Value.String()
	if code == 0 && (whole == "" || whole == ".") {
		left, err := neverPressed()
		if err != nil || len(left) > 0 {
			fmt.Printf("FAIL: shown, and pressed by no test: %q %v\n", left, err)
			code = 1
		}
	}
	os.Exit(code)
}

// neverPressed gives the labels of what was shown and never pressed. The name of a row's button
// ends with what the row is of.
func neverPressed() (left []string, err error) {
	labels, err := messages()
	if err != nil {
		return nil, err
	}
	shown, done := atspi.Presses()
	used := map[string]bool{}
	for _, name := range done {
		used[labelOf(name, labels)] = true
	}
	for _, name := range shown {
		label := labelOf(name, labels)
		if label != "" && !used[label] && !slices.Contains(left, label) {
			left = append(left, label)
		}
	}
	slices.Sort(left)
	return left, nil
}

// labelOf gives the longest of the labels that a name begins with, and what its row is of if that is
// a message, too: not each router counts, but each "Make" is another one. Empty: it is somebody
// else's.
func labelOf(name string, labels []string) string {
	for _, l := range labels {
		if row, ok := strings.CutPrefix(name, l+" "); ok && row != l && slices.Contains(labels, row) {
			return name
		} else if ok || name == l {
			return l
		}
	}
	return ""
}

// messages are what the applet says, the longest first, without the marks of keys.
func messages() (all []string, err error) {
	texts, err := catalog("wps-applet.pot")
	if err != nil {
		return nil, err
	}
	for m := range texts {
		all = append(all, strings.Replace(m, "_", "", 1))
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return all, nil
}

// catalog reads a catalog of messages: what the applet says in English, and its translation.
func catalog(name string) (map[string]string, error) {
	text, err := os.ReadFile("../../po/" + name)
	if err != nil {
		return nil, err
	}
	texts, english := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		what, quoted, _ := strings.Cut(strings.TrimSpace(line), " ")
		said, err := strconv.Unquote(quoted)
		switch {
		case err != nil:
		case what == "msgid":
			english = said
		case strings.HasPrefix(what, "msgstr") && english != "":
			texts[english] = said
		}
	}
	return texts, nil
}

// copied waits until the clipboard has a text, as another program reads it.
func (d *desktop) copied(want string) {
	d.T.Helper()
	var got []byte
	for end := time.Now().Add(atspi.Patience); ; time.Sleep(50 * time.Millisecond) {
		cmd := exec.Command("xclip", "-display", d.display, "-selection", "clipboard", "-o")
		if got, _ = cmd.Output(); string(got) == want {
			return
		}
		if time.Now().After(end) {
			d.T.Fatalf("the clipboard has %q, want %q", got, want)
		}
	}
}

// The main menu tells about the applet, keeps it in the background, and ends it; a narrow window has
// the pages behind a button.
func TestMainMenu(t *testing.T) {
	d := newDesktop(t, setting{args: narrow, size: "360x720"})
	d.See("Join a Network")
	d.Click("Pages")
	d.See("Networks")
	d.picture("pages-narrow")
	d.Click("Pages")
	item := func(name string) {
		t.Helper()
		d.Click("Main menu")
		d.Act(d.WaitAny(name, "menu item", "check menu item", "button", "push button"))
	}
	item("About Wi-Fi Setup")
	d.See("About")
	d.picture("about")
	d.ClickIn("About", "Close")
	item("Quit")
	ended := make(chan error, 1)
	go func() { ended <- d.applet.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error("the applet ended:", err)
		}
	case <-time.After(atspi.Patience):
		t.Error("the applet does not end")
	}
}
