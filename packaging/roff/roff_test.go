package roff

import (
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{".x\n'y": "\\&.x\n\\(aqy", `a\b`: `a\eb`,
		"a-b": `a\-b`} {
		if got := Escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"lines are filled", "one\ntwo", "one two\n"},
		{"a sentence a line", "One two. Three.", "One two.\nThree.\n"},
		{"paragraphs", "a\n\nb", "a\n.PP\nb\n"},
		{"an example stays as it is", "Type this:\n  wpsctl  pbc",
			"Type this:\n.PP\n.RS 4\n.nf\nwpsctl  pbc\n.fi\n.RE\n"},
		{"no word is a request", "a " + strings.Repeat("b", 75) + " .so /etc/passwd",
			"a " + strings.Repeat("b", 75) + "\n\\&.so /etc/passwd\n"},
		{"no line of an example is a request", "  .so x", ".RS 4\n.nf\n\\&.so x\n.fi\n.RE\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &Page{}
			p.Text(tt.in)
			if got := p.String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestDate(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	if got := NewPage("x", "1", "y", "wpsd").String(); !strings.HasPrefix(got,
		".TH X 1 1970\\-01\\-02") && !strings.HasPrefix(got, ".TH X 1 1970-01-02") {
		t.Error(got)
	}
}
