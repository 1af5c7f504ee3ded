package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, shown string
		want            counts
	}{
		{"a pass is counted and not shown",
			`{"Action":"output","Package":"p","Test":"A","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`, "ok  \tp\t0.1s\n", counts{Passed: 1}},
		{"a failure is shown with its output, and its package not counted again",
			`{"Action":"output","Package":"p","Test":"A","Output":"a_test.go:1: wrong\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}
`, "a_test.go:1: wrong\n", counts{Failed: 1}},
		{"a package that dies without a failing test is a failure, and its tests' output is shown",
			`{"Action":"output","Package":"p","Test":"A","Output":"panic: x\n"}
{"Action":"fail","Package":"p"}
`, "panic: x\n", counts{Failed: 1}},
		{"a skip says why",
			`{"Action":"output","Package":"p","Test":"A","Output":"    a_test.go:3: needs dbus-daemon\n"}
{"Action":"skip","Package":"p","Test":"A"}
`, "skipped: p A: needs dbus-daemon\n", counts{Skipped: 1}},
		{"what is no event is shown", "# p\np.go:1: undefined: x\n",
			"# p\np.go:1: undefined: x\n", counts{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var shown strings.Builder
			got, err := tally(strings.NewReader(tt.in), &shown)
			if err != nil || got != tt.want || shown.String() != tt.shown {
				t.Errorf("got %+v, %v, shown %q; want %+v, %q", got, err, shown.String(),
					tt.want, tt.shown)
			}
		})
	}
}

func TestNothingRanIsAFailure(t *testing.T) {
	t.Parallel()
	if err := run(nil, strings.NewReader(""), &strings.Builder{}); err == nil {
		t.Error("no test, no error")
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if err := os.WriteFile(good, []byte(`{"Passed":3,"Failed":0,"Skipped":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"--sum", good, good}, nil, &out); err != nil ||
		out.String() != "2 skipped\n6 passed, 0 failed\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	err := run([]string{"--sum", good, filepath.Join(dir, "missing")}, nil, &out)
	if err == nil || !strings.HasSuffix(out.String(), "\n3 passed, 1 failed\n") {
		t.Errorf("a missing file: %q, %v", out.String(), err)
	}
}
