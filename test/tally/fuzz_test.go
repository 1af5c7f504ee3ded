package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFuzzRunsAgain: test/fuzz runs a target again whose time was over (golang/go#75804), and no
// other one. What go test says is made up; the form is Go 1.26's.
func TestFuzzRunsAgain(t *testing.T) {
	t.Parallel()
	const (
		begin    = "=== RUN   FuzzURL\n|fuzz: elapsed: 0s, gathering baseline coverage: 0/3 completed\n|"
		fail     = "--- FAIL: FuzzURL (3.02s)\n|"
		end      = "FAIL\n|exit status 1\n|FAIL\twpsd/engine/upnp\t3.1s\n"
		overdue  = begin + fail + "    context deadline exceeded\n|" + end
		good     = begin + "PASS\n"
		finding  = begin + fail + "    --- FAIL: FuzzURL (0.00s)\n|        fuzz_test.go:4: context deadline exceeded\n|    \n|    Failing input written to testdata/fuzz/FuzzURL/4b6d\n|" + end
		both     = begin + fail + "    context deadline exceeded\n|    Failing input written to testdata/fuzz/FuzzURL/4b6d\n|" + end
		hung     = begin + fail + "    fuzzing process hung or terminated unexpectedly: exit status 2\n|" + end
		panicked = begin + "panic: context deadline exceeded\n|" + end
		silent   = begin + fail + end
	)
	for name, tt := range map[string]struct {
		runs []string
		ok   bool
		tell string // of the run whose events are passed on
	}{
		"good":                   {[]string{good}, true, "PASS"},
		"out of time, then good": {[]string{overdue, good}, true, "PASS"},
		"out of time twice":      {[]string{overdue, overdue, good}, true, "PASS"},
		"always out of time": {[]string{overdue, overdue, overdue}, false,
			"deadline"},
		"a finding":                        {[]string{finding}, false, "Failing input"},
		"a finding when the time was over": {[]string{both}, false, "Failing input"},
		"out of time, then a finding": {[]string{overdue, finding}, false,
			"Failing input"},
		"a target that hangs":        {[]string{hung}, false, "hung"},
		"a panic that says the same": {[]string{panicked}, false, "panic"},
		"a failure without a word":   {[]string{silent}, false, "FAIL"},
		"what does not build":        {nil, false, "syntax"},
		"a line of the target that says nothing": {[]string{begin + fail + "    \n|" + end},
			false, "FAIL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for n, said := range tt.runs {
				var events strings.Builder
				for line := range strings.SplitSeq(said, "|") {
					text, err := json.Marshal(line)
					if err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(&events, `{"Time":"2026-11-30T16:39:44Z","Action":"output","Package":"wpsd/engine/upnp","Test":"FuzzURL","Output":%s}`+"\n", text)
				}
				write(t, filepath.Join(dir, fmt.Sprint("run", n+1)), events.String(), 0o600)
				status := "1"
				if strings.HasSuffix(said, "PASS\n") {
					status = "0"
				}
				write(t, filepath.Join(dir, fmt.Sprint("status", n+1)), status, 0o600)
			}
			if tt.runs == nil {
				write(t, filepath.Join(dir, "broken"),
					`{"ImportPath":"wpsd/engine/upnp.test","Action":"build-output","Output":"./fuzz_test.go:3:1: syntax error\n"}`, 0o600)
			}
			write(t, filepath.Join(dir, "target"), "#!/bin/bash\necho x >> "+dir+
				"/runs\nn=$(wc -l < "+dir+"/runs)\ncat "+dir+"/run$n\nexit $(cat "+dir+
				"/status$n)\n", 0o700)
			write(t, filepath.Join(dir, "go"), `#!/bin/bash
dir=`+dir+`
case $1 in
  env) echo $dir ;;
  tool) exec "${@:6:1}" ;; # test2json -t -p NAME BINARY
  test)
    if [ -e $dir/broken ]; then cat $dir/broken; exit 1; fi
    while [ "$1" != -o ]; do shift; done
    cp $dir/target "$2"
    ;;
esac
`, 0o700)
			cmd := exec.Command("../fuzz", "1x", "FuzzURL$")
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			runs, _ := os.ReadFile(filepath.Join(dir, "runs"))
			if (err == nil) != tt.ok || bytes.Count(runs, []byte("\n")) != len(tt.runs) ||
				!strings.Contains(stdout.String(), tt.tell) ||
				strings.Count(stdout.String(), "=== RUN") > 1 {
				t.Errorf("%v after %d runs, not %d\n%s%s", err, bytes.Count(runs, []byte("\n")),
					len(tt.runs), stdout.String(), stderr.String())
			}
		})
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
