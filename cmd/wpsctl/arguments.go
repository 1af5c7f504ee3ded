package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// argument is one word of a command's usage line: BSSID, [PIN|-] or NETWORK....
type argument struct {
	name     string // "PIN|-"
	optional bool
	repeated bool
}

// argumentsOf reads the arguments out of a usage line, "learn ROUTER [PIN|-]", so that what is
// checked is what is told.
func argumentsOf(use string) []argument {
	var all []argument
	for _, word := range strings.Fields(use)[1:] {
		name := strings.Trim(word, "[]")
		bare := strings.TrimSuffix(name, "...")
		all = append(all, argument{name: bare, optional: name != word, repeated: bare != name})
	}
	return all
}

// isPIN tells whether the argument is a PIN, whose exit code is one of its own.
func (a argument) isPIN() bool { return strings.HasPrefix(a.name, "PIN") }

// checkArguments gives cmd and all below it a check of their arguments and options against the
// usage line: what is missing, what is too much, and what is empty, which is what an unset variable
// of a shell becomes.
func checkArguments(cmd *cobra.Command) {
	cmd.SuggestionsMinimumDistance = 2 // letters that may be wrong
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := emptyOption(cmd); err != nil {
			return err
		}
		return countArguments(cmd, args)
	}
	for _, below := range cmd.Commands() {
		checkArguments(below)
	}
}

// countArguments holds args against the usage line of cmd.
func countArguments(cmd *cobra.Command, args []string) error {
	usage := `Usage: "` + usageLine(cmd) + `".`
	if cmd.HasSubCommands() && len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	wanted := argumentsOf(cmd.Use)
	for i, arg := range args {
		at := min(i, len(wanted)-1)
		if at < 0 || i >= len(wanted) && !wanted[at].repeated {
			return &failure{Exit: exitUsage, Hint: usage,
				Text: `"` + printable(arg) + `" is an argument too many for "` +
					cmd.CommandPath() + `"`}
		}
		if arg == "" {
			return emptyArgument(cmd, wanted[at])
		}
	}
	if len(args) < len(wanted) && !wanted[len(args)].optional {
		return &failure{Exit: exitUsage, Hint: usage,
			Text: `"` + cmd.CommandPath() + `" needs ` + wanted[len(args)].name + ` after it`}
	}
	return nil
}

// usageLine is how the command is typed, without the options.
func usageLine(cmd *cobra.Command) string {
	_, arguments, _ := strings.Cut(cmd.Use, " ")
	return strings.TrimSpace(cmd.CommandPath() + " " + arguments)
}

func emptyArgument(cmd *cobra.Command, a argument) error {
	f := &failure{Exit: exitUsage, Hint: emptyHint,
		Text: `the argument ` + a.name + ` of "` + cmd.CommandPath() + `" is empty`}
	if a.isPIN() {
		f.Exit, f.Text = exitBadPIN, "the PIN is empty"
	}
	return f
}

const emptyHint = "Perhaps it comes from a variable that is not set."

// emptyOption refuses an option that was given with nothing as its value.
func emptyOption(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && err == nil {
			err = &failure{Exit: exitUsage, Text: "--" + f.Name + " is empty", Hint: emptyHint}
		}
	})
	return err
}

// unknownCommand says what there is in place of what was typed.
func unknownCommand(cmd *cobra.Command, name string) error {
	f := &failure{Exit: exitUsage,
		Text: `unknown command "` + printable(name) + `" for "` + cmd.CommandPath() + `"`,
		Hint: `"` + cmd.CommandPath() + ` --help" lists the commands.`}
	if like := cmd.SuggestionsFor(name); len(like) > 0 {
		f.Hint = `Perhaps "` + cmd.CommandPath() + " " + strings.Join(like, `" or "`) +
			`" is meant. ` + f.Hint
	}
	return f
}
