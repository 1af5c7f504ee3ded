package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// hookDirectory is where the programs are.
const hookDirectory = "/etc/wpsd/hooks.d"

// maxHooks bounds how many programs are run for one session.
const maxHooks = 64

// hooks are the programs that are told how sessions end.
type hooks struct {
	app   *app
	dir   string
	limit time.Duration
}

// newHooks runs programs when sessions end.
func newHooks(a *app) *cobra.Command {
	h := hooks{app: a}
	cmd := &cobra.Command{
		Use:   "hooks",
		Short: "Run the programs of a directory whenever a session ends",
		Long: `Hooks runs each program in /etc/wpsd/hooks.d, in the order of their names, one after another, when a session of WPS ends, whoever
began it. It goes on until it is stopped, also when wpsd is restarted in between.

A program gets how the session ended as its argument: succeeded, failed or canceled. The environment says more: WPSD_EVENT (the same),
WPSD_SESSION (its number), WPSD_INTERFACE, WPSD_ROLE, WPSD_PURPOSE, WPSD_METHOD, WPSD_REASON, WPSD_PEER (an address), WPSD_NETWORKS (the
numbers of stored networks) and WPSD_SSIDS (their names, in hex digits, as they can be any bytes). No key and no PIN is ever in there: "wpsctl
networks show --key NUMBER" gives one to who may have it. A program that runs longer than 30 seconds (see --limit) is killed, with what it has started.

Only programs are run that nobody but root can change: the directory and the file belong to root, and neither their group nor others may
write there. Names have letters, digits, dashes, underscores, and one dot at most, so that what editors and package managers leave is left alone.

As a service of the machine, which runs them as root: systemctl enable --now wpsd-hooks.service`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if h.limit <= 0 {
				return usagef("--limit is a time, such as 30s")
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				return h.follow(cmd.Context(), c)
			})
		},
	}
	cmd.Flags().StringVar(&h.dir, "dir", hookDirectory, "the `DIRECTORY` with the programs")
	cmd.Flags().DurationVar(&h.limit, "limit", 30*time.Second, "`TIME` that a program may take")
	return cmd
}

// follow runs the programs until ctx ends. Sessions that end meanwhile wait for their turn.
func (h *hooks) follow(ctx context.Context, c *client) error {
	signals, err := c.watch(ctx)
	if err != nil {
		return err
	}
	h.app.printf("The programs in %s run whenever a session ends; Ctrl-C ends.\n", printable(h.dir))
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-signals:
			if !ok {
				return errServiceLeft()
			}
			if s.Name == sessionIface+".Succeeded" || s.Name == sessionIface+".Failed" {
				h.ended(ctx, c, s)
			}
		}
	}
}

// ended runs the programs for one session.
func (h *hooks) ended(ctx context.Context, c *client, s *godbus.Signal) {
	p, err := c.properties(ctx, s.Path, sessionIface)
	if err != nil { // wpsd ended with it: what the signal says is all there is
		p = props{}
	}
	said := newSession(s.Path, p)
	event := strings.ToLower(path.Ext(s.Name)[1:])
	if said.State == "canceled" {
		event = "canceled"
	}
	if said.Reason == "" && s.Name == sessionIface+".Failed" && len(s.Body) == 3 {
		said.Reason, _ = s.Body[0].(string)
	}
	var numbers, names []string
	for _, n := range said.Networks {
		numbers = append(numbers, path.Base(string(n)))
		if p, err := c.properties(ctx, n, networkIface); err == nil {
			names = append(names, hex.EncodeToString(get[[]byte](p, "Ssid")))
		}
	}
	environment := environmentOf(map[string]string{"EVENT": event,
		"SESSION": path.Base(string(s.Path)), "INTERFACE": path.Base(string(said.Interface)),
		"ROLE": said.Role, "PURPOSE": said.Purpose, "METHOD": said.Method, "REASON": said.Reason,
		"PEER": said.Peer, "NETWORKS": strings.Join(numbers, " "),
		"SSIDS": strings.Join(names, " ")})
	for _, program := range h.programs() {
		h.run(ctx, program, event, environment)
	}
}

// plainValue is what a variable may hold: nothing that a shell would take for more than text.
var plainValue = regexp.MustCompile(`^[0-9A-Za-z:. _-]*$`)

// environmentOf makes the variables. What is empty, or something else than a word of the API, is
// left out.
func environmentOf(values map[string]string) []string {
	list := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for name, value := range values {
		if value != "" && value != "." && value != "/" && plainValue.MatchString(value) {
			list = append(list, "WPSD_"+name+"="+value)
		}
	}
	return list
}

// hookName is what a program may be called.
var hookName = regexp.MustCompile(`^[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)?$`)

// programs lists those that are to be run. Why others are not is told.
func (h *hooks) programs() []string {
	if err := onlyOwners(h.dir); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			h.warn(err)
		}
		return nil
	}
	entries, err := os.ReadDir(h.dir) // by name
	if err != nil {
		h.warn(err)
		return nil
	}
	var list []string
	for _, e := range entries {
		program := filepath.Join(h.dir, e.Name())
		info, err := e.Info()
		switch {
		case !hookName.MatchString(e.Name()) || strings.Contains(e.Name(), ".dpkg-"), err != nil,
			!info.Mode().IsRegular(), info.Mode()&0o111 == 0:
			continue
		case len(list) == maxHooks:
			h.warn(fmt.Errorf("%s has more than %d programs: the others are not run", h.dir, maxHooks))
			return list
		}
		if err := onlyOwners(program); err != nil {
			h.warn(err)
			continue
		}
		list = append(list, program)
	}
	return list
}

// onlyOwners checks that nobody but root, or whoever we are, can change a file.
func onlyOwners(name string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	is, ok := info.Sys().(*syscall.Stat_t)
	if !ok || is.Uid != 0 && is.Uid != uint32(os.Geteuid()) || info.Mode()&0o022 != 0 ||
		info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is not used: others than root could change it (chown root, chmod go-w)", name)
	}
	return nil
}

// run runs one program to its end.
func (h *hooks) run(ctx context.Context, program, event string, environment []string) {
	limited, cancel := context.WithTimeout(ctx, h.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, program, event)
	cmd.Env, cmd.Dir = environment, "/"
	cmd.Stdout, cmd.Stderr = h.app.out, h.app.errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it has started goes with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
	case limited.Err() != nil:
		h.warn(fmt.Errorf("%s did not end within %v: it was killed", program, h.limit))
	case err != nil:
		h.warn(fmt.Errorf("%s: %w", program, err))
	}
}

// warn tells whoever looks why something is not done.
func (h *hooks) warn(err error) {
	_, _ = fmt.Fprintf(h.app.errOut, "wpsctl: %s\n", prose(err.Error()))
}
