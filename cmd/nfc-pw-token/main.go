// Command nfc-pw-token, installed as nfc_pw_token, makes NFC password tokens for manufacturing:
// what is written to a device's tag, and the configuration lines by which the device knows its tag.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"wpsd/packaging/commandpage"
)

// version is set by the linker (see the Makefile).
var version = "devel"

// Exit codes. They are documented and stay as they are: scripts depend on them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitExists      = 3
	exitInterrupted = 130
)

// maxCount keeps the names of a batch's files in order: they have six digits.
const maxCount = 999_999

// errUsage is wrapped by errors about what the user typed.
var errUsage = errors.New("wrong usage")

const long = `nfc_pw_token makes NFC password tokens for Wi-Fi Protected Setup: a key pair, a password and an id for each.

Without options it prints one: the tag's content as WSC attributes (#WPS=) and as an NDEF record (#NDEF=), and the
lines for the device's configuration. With --out it writes as many as --count says, into a directory, a file for each,
or into a file whose name ends in .csv, a row for each.

Private keys and passwords are in all of it: files are readable by their owner only, and no file is ever overwritten.
What was written when something goes wrong, or with Ctrl-C, stays and is complete.

Exit codes:
  0    success
  1    another failure
  2    wrong usage: unknown option, bad argument
  3    a file exists already
  130  interrupted with Ctrl-C`

func main() {
	a := &app{rand: rand.Reader, out: os.Stdout, errOut: os.Stderr}
	os.Exit(a.run(os.Args[1:]))
}

// app holds the options and the surroundings.
type app struct {
	rand        io.Reader // safe for concurrent use
	out, errOut io.Writer

	count   int
	target  string
	running bool // set once the options are understood: errors before that are about usage
}

// run is main without its end; it returns the exit code.
func (a *app) run(args []string) int {
	// The first Ctrl-C ends the batch in good order; a second one ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM,
		syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	return a.execute(ctx, args)
}

// execute is run without signals.
func (a *app) execute(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.errOut)
	err := root.ExecuteContext(ctx)
	if err != nil {
		_, _ = fmt.Fprintf(a.errOut, "nfc_pw_token: %v\n", err)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage) || !a.running:
		return exitUsage
	case errors.Is(err, fs.ErrExist):
		return exitExists
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailure
}

// newRoot builds the command.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:     "nfc_pw_token",
		Short:   "Make NFC password tokens for Wi-Fi Protected Setup",
		Long:    long,
		Version: version,
		Example: `  nfc_pw_token
  nfc_pw_token --count 500 --out tokens
  nfc_pw_token --count 500 --out tokens.csv`,
		Args:              cobra.NoArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.running = true
			if cmd.Flags().Changed("out") && a.target == "" {
				return fmt.Errorf("%w: --out is empty; perhaps it comes from a variable that is not set", errUsage)
			}
			return a.makeTokens(cmd.Context())
		},
	}
	f := root.Flags()
	f.IntVarP(&a.count, "count", "n", 1, "make `NUMBER` tokens; more than one needs --out")
	f.StringVarP(&a.target, "out", "o", "",
		"write the tokens into this `TARGET`: a directory, or a file whose name ends in .csv")
	root.AddCommand(newMan(a))
	return root
}

// makeTokens checks the options against each other and does the work.
func (a *app) makeTokens(ctx context.Context) error {
	switch {
	case a.count < 1 || a.count > maxCount:
		return fmt.Errorf("%w: --count must be from 1 to %d", errUsage, maxCount)
	case a.target == "" && a.count > 1:
		return fmt.Errorf("%w: more than one token needs --out", errUsage)
	case a.target == "":
		return a.single()
	}
	return a.batch(ctx)
}

// single prints one token as hostap's tool of this name does.
func (a *app) single() error {
	t, err := newToken(a.rand)
	if err != nil {
		return err
	}
	defer t.wipe()
	text := t.appendLines(nil)
	defer clear(text)
	if _, err := a.out.Write(text); err != nil {
		return fmt.Errorf("writing the token: %w", err)
	}
	return nil
}

// newMan is what packagers and "make install" call: it writes the manual page.
func newMan(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual page of nfc_pw_token into a directory",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.running = true
			return commandpage.Write(args[0], cmd.Root(), commandpage.About{
				Source: "wpsd " + version,
				ExitStatus: []commandpage.Entry{
					commandpage.Code(exitOK, "success"),
					commandpage.Code(exitFailure, "another failure"),
					commandpage.Code(exitUsage, "wrong usage: unknown option, bad argument"),
					commandpage.Code(exitExists, "a file exists already"),
					commandpage.Code(exitInterrupted, "interrupted with Ctrl-C"),
				},
				Also: []string{"wpsctl(1)", "wpsd.conf(5)"},
			})
		},
	}
}
