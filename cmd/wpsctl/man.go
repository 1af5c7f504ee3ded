package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newMan is what packagers and "make install" call: it writes the manual pages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of wpsctl into a directory",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // with it, every build would differ by its date
			// A manual page fills lines; the table stays one if it is indented like code, after an empty line.
			text, table, _ := strings.Cut(root.Long, "Exit codes:\n")
			root.Long = text + "Exit codes:\n\n" + strings.ReplaceAll("  "+table, "\n", "\n  ")
			// The date is today's, or SOURCE_DATE_EPOCH's.
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "wpsd " + version, Manual: "wpsd"}, args[0])
		},
	}
}
