package main

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newMan is what packagers and "make install" call: it writes the manual pages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of wpsctl into a directory",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // with it, every build would differ by its date
			// Manual pages know paragraphs only; an indented table is kept as it is.
			root.Long = strings.ReplaceAll(root.Long, "\n  ", "\n\n    ")
			day := time.Unix(0, 0)
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "wpsd " + version, Manual: "wpsd", Date: &day}, args[0])
		},
	}
}
