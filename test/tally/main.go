// Command tally reads what "go test -json" prints, shows what a person wants to see of it, and
// counts. It ends with status 1 if a test or a package failed, or if there was no test at all.
//
//	go test -json ./... | go run ./test/tally FILE    counts into FILE as well
//	go run ./test/tally --sum FILE...                 prints "N passed, N failed" over all FILEs
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// counts is how often each end was seen. A package that fails without a failing test (it does not
// build, or its TestMain or a data race ended it) counts as one failure.
type counts struct {
	Passed, Failed, Skipped int
}

// event is one line of go test -json, or of go tool test2json.
type event struct {
	Action, Package, Test, Output string
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		if !errors.Is(err, errTold) {
			fmt.Fprintln(os.Stderr, "tally:", err)
		}
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 && args[0] == "--sum" {
		return sum(args[1:], out)
	}
	c, err := tally(in, out)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		data, err := json.Marshal(c)
		if err == nil {
			err = os.WriteFile(args[0], data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case c.Failed > 0:
		return fmt.Errorf("%d failed", c.Failed)
	case c.Passed+c.Skipped == 0:
		return errors.New("no test ran")
	}
	return nil
}

// sum adds up the files that earlier runs wrote. A file that is missing is a step that did not come
// to its end: its step has failed already, and it counts as one failure here too.
func sum(files []string, out io.Writer) error {
	var total counts
	for _, name := range files {
		var c counts
		data, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(data, &c)
		}
		if err != nil {
			fmt.Fprintf(out, "tally: %v\n", err)
			c = counts{Failed: 1}
		}
		total.Passed += c.Passed
		total.Failed += c.Failed
		total.Skipped += c.Skipped
	}
	if total.Skipped > 0 {
		fmt.Fprintf(out, "%d skipped\n", total.Skipped)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", total.Passed, total.Failed)
	if total.Failed > 0 {
		return errTold
	}
	return nil
}

// errTold is a failure that was printed: the sum is the last line, whatever it says.
var errTold = errors.New("told")

// reader keeps what has to be known between events.
type reader struct {
	out     io.Writer
	counts  counts
	output  map[string][]string // of tests that have not ended, and of packages
	failed  map[string]bool     // packages with a failing test
	skipped []string            // why tests were skipped
}

// tally reads events to the end. Lines that are none are shown as they are: messages of the
// compiler, say.
func tally(in io.Reader, out io.Writer) (counts, error) {
	r := reader{out: out, output: map[string][]string{}, failed: map[string]bool{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
				r.take(e)
			} else {
				fmt.Fprint(out, line)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.counts, err
		}
	}
	slices.Sort(r.skipped)
	for _, s := range slices.Compact(r.skipped) {
		fmt.Fprintf(out, "skipped: %s\n", s)
	}
	return r.counts, nil
}

// take looks at one event.
func (r *reader) take(e event) {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "output", "build-output":
		r.collect(e, key)
	case "build-fail":
		r.show(key)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
			return
		}
		switch e.Action {
		case "pass":
			r.counts.Passed++
		case "skip":
			r.counts.Skipped++
			r.skipped = append(r.skipped, e.Package+" "+e.Test+reasonOf(r.output[key]))
		case "fail":
			r.counts.Failed++
			r.failed[e.Package] = true
			r.show(key)
		}
		delete(r.output, key)
	}
}

// collect keeps a line of output until it is known whether somebody wants to see it. A package's
// own closing line ("ok …", "FAIL …") is always shown.
func (r *reader) collect(e event, key string) {
	if e.Test == "" && (strings.HasPrefix(e.Output, "ok  \t") ||
		strings.HasPrefix(e.Output, "FAIL\t")) {
		fmt.Fprint(r.out, e.Output)
		return
	}
	if e.Test == "" && (e.Output == "PASS\n" || e.Output == "FAIL\n" ||
		strings.HasPrefix(e.Output, "?   \t")) {
		return
	}
	r.output[key] = append(r.output[key], e.Output)
}

// endPackage counts a package that failed by itself, and shows what it said.
func (r *reader) endPackage(e event) {
	if e.Action == "fail" && !r.failed[e.Package] {
		r.counts.Failed++
	}
	if e.Action != "fail" {
		return
	}
	// A test that was running when the package died never got its own end.
	for key := range r.output {
		if strings.HasPrefix(key, e.Package+"\x00") {
			r.show(key)
			delete(r.output, key)
		}
	}
}

// show prints what was collected.
func (r *reader) show(key string) {
	for _, line := range r.output[key] {
		fmt.Fprint(r.out, line)
	}
}

// reasonOf finds the line that says why a test was skipped.
func reasonOf(output []string) string {
	for _, line := range output {
		if text := strings.TrimSpace(line); strings.Contains(text, ".go:") {
			_, why, _ := strings.Cut(text, ": ")
			return ": " + why
		}
	}
	return ""
}
