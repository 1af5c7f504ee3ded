//go:build hwsim

package hwsim

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that runs beside the scenario. Its output goes to a file in the scenario's
// folder.
type process struct {
	w      *world
	name   string
	log    string
	cmd    *exec.Cmd // nil where systemd has started it
	unit   string    // as what systemd has
	handle *os.Process
	done   chan struct{} // closed when it has ended
}

// start runs a program until the scenario ends: then it gets SIGTERM and, 5 s later, SIGKILL.
func (w *world) start(name string, command ...string) *process {
	w.t.Helper()
	return w.startReading(nil, 0, name, command...)
}

// startTyped is start for a program that reads what a user types, a line each; as root, or as a
// user in another group.
func (w *world) startTyped(gid uint32, name string, command ...string) (p *process,
	typeLine func(string)) {
	w.t.Helper()
	r, keys, err := os.Pipe()
	w.must(err)
	defer r.Close()
	p = w.startReading(r, gid, name, command...)
	w.t.Cleanup(func() { keys.Close() })
	return p, func(line string) {
		w.t.Helper()
		_, err := fmt.Fprintln(keys, line)
		w.must(err)
	}
}

func (w *world) startReading(stdin *os.File, gid uint32, name string, command ...string) *process {
	w.t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	if stdin != nil {
		cmd.Stdin = stdin
	}
	if gid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: gid}}
	}
	return w.startCmd(name, cmd)
}

// startCmd is start for a program with a user, or an environment, of its own.
func (w *world) startCmd(name string, cmd *exec.Cmd) *process {
	w.t.Helper()
	p := &process{w: w, name: name, log: filepath.Join(w.dir, name+".log"), cmd: cmd,
		done: make(chan struct{})}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	w.must(err)
	defer file.Close()
	p.cmd.Stdout, p.cmd.Stderr = file, file
	w.must(p.cmd.Start())
	p.handle = p.cmd.Process
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	w.t.Cleanup(p.stop)
	return p
}

// stop ends the process as a service manager would.
func (p *process) stop() {
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGCONT) // it may have been held
	select {
	case <-p.done:
	case <-time.After(patience(5 * time.Second)):
		p.w.t.Errorf("%s did not end within %v of SIGTERM", p.name, patience(5*time.Second))
		p.kill()
	}
}

// kill ends the process without any chance to tidy up.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

func (p *process) signal(s syscall.Signal) {
	if err := p.handle.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.w.t.Errorf("%s: %v", p.name, err)
	}
}

func (p *process) pid() int { return p.handle.Pid }

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// output is what the process has printed so far.
func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	p.w.must(err)
	return string(text)
}

// waitLog waits until the process has printed text.
func (p *process) waitLog(text string, timeout time.Duration) {
	p.w.t.Helper()
	p.w.until(fmt.Sprintf("%s prints %q", p.name, text), timeout, func() bool {
		if !p.running() && !strings.Contains(p.output(), text) {
			p.w.t.Fatalf("%s ended early:\n%s", p.name, tail(p.output(), 20))
		}
		return strings.Contains(p.output(), text)
	})
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// result is how a short program ended.
type result struct {
	status         int
	stdout, stderr string
}

// run runs a short program to its end.
func (w *world) run(command ...string) result {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("%v: %v", command, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// record is a list that grows while others wait on it. It is safe for concurrent use.
type record[T any] struct {
	mu   sync.Mutex
	list []T
	more chan struct{} // closed and replaced with each addition
}

func newRecord[T any]() *record[T] { return &record[T]{more: make(chan struct{})} }

func (r *record[T]) add(item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, item)
	close(r.more)
	r.more = make(chan struct{})
}

// all returns what came from position from on.
func (r *record[T]) all(from int) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]T(nil), r.list[from:]...)
}

func (r *record[T]) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.list)
}

// wait returns the first item from position from on that matches, as soon as it is there.
func (r *record[T]) wait(from int, timeout time.Duration, match func(T) bool) (item T, ok bool) {
	end := time.After(timeout)
	for {
		r.mu.Lock()
		list, more := r.list, r.more
		r.mu.Unlock()
		for ; from < len(list); from++ {
			if match(list[from]) {
				return list[from], true
			}
		}
		select {
		case <-more:
		case <-end:
			return item, false
		}
	}
}
