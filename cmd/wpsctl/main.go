// Command wpsctl is the command line of wpsd, the Wi-Fi Protected Setup service. It speaks D-Bus
// only and holds no protocol of its own: whatever it can do, any D-Bus client can.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// version is set by the linker (see the Makefile).
var version = "devel"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	// The first Ctrl-C cancels the session in progress; a second one ends wpsctl at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM,
		syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)

	a := &app{stdin: stdin, out: stdout, errOut: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return a.report(root.ExecuteContext(ctx))
}

// app holds the global flags and where output goes.
type app struct {
	stdin       *os.File
	out, errOut io.Writer

	bus     string
	ifname  string
	json    bool
	lines   *bufio.Reader // of stdin, once a line was read from it
	running bool          // set once a command runs: errors before that are about usage
}

// newRoot builds the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "wpsctl",
		Short: "Join Wi-Fi networks by push button or PIN",
		Long: `wpsctl steers wpsd, the Wi-Fi Protected Setup service, over D-Bus.

To join a network, press the WPS button of the router and run "wpsctl pbc"; or run "wpsctl pin" and type the PIN
that it shows into the router's WPS page. The network is stored by wpsd; "wpsctl networks" shows what it has.

Who may do what is polkit's decision. Where it wants a password, the desktop asks for it, or wpsctl does on its terminal.

` + exitCodeHelp(),
		Version: version,
		Example: `  wpsctl pbc
  wpsctl pin
  wpsctl scan
  wpsctl networks show --key "My network"
  wpsctl --json pbc | jq -r 'select(.event == "succeeded").networks[]'`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true // packages install the completions
	f := root.PersistentFlags()
	f.StringVar(&a.bus, "bus", "system",
		"the `BUS` to use: \"system\", \"session\" or a D-Bus address")
	f.StringVarP(&a.ifname, "interface", "i", "",
		"network interface `IFNAME` (default: the first that is a station)")
	f.BoolVar(&a.json, "json", false,
		"print JSON: one object, or one per line for commands that go on")
	root.AddCommand(newStatus(a), newScan(a), newPBC(a), newPIN(a), newLearn(a), newConfigure(a),
		newAPPIN(a), newCheckPIN(a), newCancel(a), newCredentials(a), newNFC(a), newNetworks(a),
		newInterfaces(a), newER(a), newMonitor(a), newAgent(a), newNMAgent(a), newButton(a), newOnboard(a), newHooks(a),
		newMan())
	checkArguments(root)
	mustComplete(root.RegisterFlagCompletionFunc("interface", completion{a}.interfaces))
	mustComplete(root.RegisterFlagCompletionFunc("bus",
		cobra.FixedCompletions([]string{"system", "session"}, cobra.ShellCompDirectiveNoFileComp)))
	return root
}

// mustComplete panics on what can only be a typing mistake in this program: a completion for a flag
// that is not there.
func mustComplete(err error) {
	if err != nil {
		panic(err)
	}
}

// report tells how a command ended and returns its exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	f := a.asFailure(err)
	if f.told {
		return f.Exit
	}
	if a.json {
		_ = a.printJSON(map[string]any{"event": "error", "error": f})
		return f.Exit
	}
	_, _ = fmt.Fprintf(a.errOut, "wpsctl: %s\n", f.Text)
	if f.Hint != "" {
		_, _ = fmt.Fprintf(a.errOut, "%s\n", f.Hint)
	}
	return f.Exit
}

// asFailure turns any error into one with an exit code.
func (a *app) asFailure(err error) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled):
		return &failure{Exit: exitInterrupted, Text: "interrupted"}
	case !a.running:
		return &failure{Exit: exitUsage, Text: err.Error(),
			Hint: `"wpsctl help" lists the commands.`}
	}
	return &failure{Exit: exitFailure, Text: err.Error()}
}

// isTerminal reports whether w is a terminal that one can draw on, and its width.
func isTerminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	return width, true
}
