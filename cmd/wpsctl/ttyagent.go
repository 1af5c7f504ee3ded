package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/term"
)

const (
	// waitTime is how long an answer may take before we tell that somebody may be asked for a
	// password meanwhile.
	waitTime = 15 * time.Second
	// ttyAgentTime is how long pkttyagent may take to be there.
	ttyAgentTime = 10 * time.Second
)

// ttyAgent is polkit's own agent for terminals, as systemctl has it. It asks for the user's
// password on our terminal; we never see it.
type ttyAgent struct {
	cmd   *exec.Cmd
	stdin int
	state *term.State // of the terminal, before
}

// canAsk reports whether there is a terminal where somebody can type a password.
func (a *app) canAsk() bool {
	return os.Geteuid() != 0 && a.stdin != nil && term.IsTerminal(int(a.stdin.Fd()))
}

// startTTYAgent starts pkttyagent for this process and waits until polkit knows of it. systemctl
// does so with --fallback, before it knows whether the desktop has an agent; we know that there is
// none, and a fallback is not asked about a process that is in no session of logind's.
func startTTYAgent() (*ttyAgent, error) {
	ready, told, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ready.Close() }()
	t := &ttyAgent{cmd: exec.Command("pkttyagent", "--notify-fd", "3"), stdin: int(os.Stdin.Fd())}
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = os.Stdin, os.Stderr, os.Stderr
	t.cmd.ExtraFiles = []*os.File{told}                                  // number 3 there
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // it must not outlive us
	// without it, nothing is restored
	t.state, _ = term.GetState(t.stdin)
	err = t.cmd.Start()
	_ = told.Close() // the child has its own
	if errors.Is(err, exec.ErrNotFound) {
		return nil, &failure{Text: "Install polkit with its pkttyagent, which asks for passwords on a terminal; or run wpsctl as root (sudo)."}
	}
	if err != nil {
		return nil, fmt.Errorf("pkttyagent: %w", err)
	}
	_ = ready.SetReadDeadline(time.Now().Add(ttyAgentTime)) // a pipe has them
	// it closes the pipe when it is registered, or at its end
	if _, err := io.Copy(io.Discard, ready); err != nil {
		t.end()
		return nil, fmt.Errorf("pkttyagent: %w", err)
	}
	return t, nil
}

// end ends the agent. It may be reading a password, with the terminal's echo off.
func (t *ttyAgent) end() {
	if t == nil {
		return
	}
	_ = t.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = t.cmd.Wait()
	if t.state != nil {
		_ = term.Restore(t.stdin, t.state)
	}
}

// explainWait tells a person why nothing happens.
func (a *app) explainWait() {
	if _, ok := isTerminal(a.errOut); ok && !a.json {
		_, _ = fmt.Fprintln(a.errOut,
			"wpsctl: waiting for wpsd; is there a question for a password on the screen?")
	}
}
