// Package commandpage makes manual pages of the commands of our programs, from the text that --help
// has.
package commandpage

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wpsd/packaging/roff"
)

// Entry is something with its explanation: an exit code, a variable of the environment, a file.
type Entry struct{ Name, Text string }

// About is what a program's page says besides what its commands say of themselves.
type About struct {
	Source      string // "wpsd 1.0"
	ExitStatus  []Entry
	Environment []Entry
	Files       []Entry
	Also        []string // "wpsd(8)"
}

// Write writes the page of a program into a directory, and one for each command below it that is
// not hidden.
func Write(dir string, root *cobra.Command, about About) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, pageName(root)+".1"),
		[]byte(programPage(root, about)), 0o644); err != nil {
		return err
	}
	for _, cmd := range below(root) {
		if err := os.WriteFile(filepath.Join(dir, pageName(cmd)+".1"),
			[]byte(commandPage(cmd, about)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// below lists the commands below one, and theirs, in order.
func below(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		all = append(append(all, c), below(c)...)
	}
	return all
}

// pageName is wpsctl-er-learn.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// programPage is the page of the whole program.
func programPage(root *cobra.Command, about About) string {
	p := roff.NewPage(root.Name(), "1", lowerFirst(root.Short), about.Source)
	synopsis(p, root)
	p.Section("DESCRIPTION")
	text, _, _ := strings.Cut(root.Long, "Exit codes:\n") // they have a section of their own
	p.Text(text)
	if commands := below(root); len(commands) > 0 {
		p.Section("COMMANDS")
		for _, cmd := range commands {
			p.Term(usage(strings.TrimPrefix(cmd.CommandPath(), root.Name()+" "), cmd))
			p.Below(cmd.Short + ".")
		}
		p.Text("Each has a page of its own, such as " + pageName(commands[0]) +
			"(1), with its options and examples.")
	}
	options(p, "OPTIONS", root.LocalFlags())
	for _, section := range []struct {
		title   string
		entries []Entry
	}{{"EXIT STATUS", about.ExitStatus}, {"ENVIRONMENT", about.Environment}, {"FILES",
		about.Files}} {
		if len(section.entries) == 0 {
			continue
		}
		p.Section(section.title)
		for _, e := range section.entries {
			p.Item(e.Name)
			p.Below(upperFirst(e.Text) + ".")
		}
	}
	examples(p, root)
	var also []string
	for _, cmd := range root.Commands() {
		if !cmd.Hidden && cmd.Name() != "help" {
			also = append(also, pageName(cmd)+"(1)")
		}
	}
	p.Also(append(also, about.Also...)...)
	return p.String()
}

// commandPage is the page of one command.
func commandPage(cmd *cobra.Command, about About) string {
	p := roff.NewPage(pageName(cmd), "1", lowerFirst(cmd.Short), about.Source)
	synopsis(p, cmd)
	p.Section("DESCRIPTION")
	if cmd.Long == "" {
		p.Text(cmd.Short + ".")
	} else {
		p.Text(cmd.Long)
	}
	if commands := below(cmd); len(commands) > 0 {
		p.Section("COMMANDS")
		for _, c := range commands {
			p.Term(usage(strings.TrimPrefix(c.CommandPath(), cmd.Root().Name()+" "), c))
			p.Below(c.Short + ".")
		}
	}
	options(p, "OPTIONS", cmd.LocalNonPersistentFlags())
	options(p, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
	p.Section("EXIT STATUS")
	p.Text("0 for success; " + cmd.Root().Name() + "(1) lists the others.")
	examples(p, cmd)
	also := []string{cmd.Root().Name() + "(1)"}
	for c := cmd.Parent(); c != nil && c.HasParent(); c = c.Parent() {
		also = append(also, pageName(c)+"(1)")
	}
	for _, c := range below(cmd) {
		also = append(also, pageName(c)+"(1)")
	}
	p.Also(append(also, about.Also...)...)
	return p.String()
}

// synopsis says how the command is typed.
func synopsis(p *roff.Page, cmd *cobra.Command) {
	p.Section("SYNOPSIS")
	text := roff.Bold(cmd.CommandPath()) + " [" + roff.Italic("OPTION") + "]..."
	switch {
	case !cmd.HasParent() && cmd.HasAvailableSubCommands():
		text += " " + roff.Italic("COMMAND") + " [" + roff.Italic("ARGUMENT") + "]..."
	case cmd.HasAvailableSubCommands():
		text += " [" + roff.Italic("COMMAND") + " [" + roff.Italic("ARGUMENT") + "]...]"
	default:
		text += arguments(cmd)
	}
	p.Markup(text)
}

// usage is a command with its arguments: what is typed in bold, what is filled in in italics.
func usage(name string, cmd *cobra.Command) string { return roff.Bold(name) + arguments(cmd) }

// arguments marks up what follows a command in its usage line.
func arguments(cmd *cobra.Command) string {
	var b strings.Builder
	for _, word := range strings.Fields(cmd.Use)[1:] {
		name := strings.Trim(word, "[].")
		before, after, _ := strings.Cut(word, name)
		b.WriteString(" " + roff.Escape(before))
		for i, choice := range strings.Split(name, "|") {
			if i > 0 {
				b.WriteString("|")
			}
			if strings.ToLower(choice) == choice {
				b.WriteString(roff.Bold(choice))
			} else {
				b.WriteString(roff.Italic(choice))
			}
		}
		b.WriteString(roff.Escape(after))
	}
	return b.String()
}

// options lists flags as people type them: "-i, --interface IFNAME".
func options(p *roff.Page, title string, flags *pflag.FlagSet) {
	begun := false
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		if !begun {
			p.Section(title)
			begun = true
		}
		value, text := pflag.UnquoteUsage(f)
		term := roff.Bold("--" + f.Name)
		if f.Shorthand != "" {
			term = roff.Bold("-"+f.Shorthand) + ", " + term
		}
		if value != "" {
			term += " " + roff.Italic(value)
		}
		p.Term(term)
		if f.DefValue != "" && f.DefValue != "false" && !strings.Contains(text, "default") {
			text += " (default: " + f.DefValue + ")"
		}
		p.Below(upperFirst(text) + ".")
	})
}

// examples adds them.
func examples(p *roff.Page, cmd *cobra.Command) {
	if cmd.Example != "" {
		p.Section("EXAMPLES")
		p.Text(cmd.Example)
	}
}

// Code is an Entry of an exit code.
func Code(code int, text string) Entry { return Entry{strconv.Itoa(code), text} }

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// lowerFirst makes the rest of a sentence of one, but for what is written in capitals: "NFC:
// tokens".
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if next, _ := utf8.DecodeRuneInString(s[n:]); unicode.IsUpper(next) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}
