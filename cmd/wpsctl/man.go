package main

import (
	"github.com/spf13/cobra"

	"wpsd/packaging/commandpage"
)

// newMan is what packagers and "make install" call: it writes the manual pages.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of wpsctl into a directory",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			about := commandpage.About{
				Source: "wpsd " + version,
				Environment: []commandpage.Entry{
					{Name: "DBUS_SYSTEM_BUS_ADDRESS",
						Text: "the system bus, if it is not at its usual place"},
					{Name: "DBUS_SESSION_BUS_ADDRESS", Text: "the bus for --bus session"},
					{Name: "TERM", Text: `"dumb" is a terminal on which no line can be drawn over: progress comes in lines then`},
				},
				Files: []commandpage.Entry{
					{Name: "/etc/wpsd/wpsd.conf",
						Text: "the configuration of the service: see wpsd.conf(5)"},
					{Name: "/etc/polkit-1/rules.d",
						Text: "where an administrator allows more, or less, than the defaults: see fi.w1.wps(7) for the actions"},
				},
				Also: []string{"wpsd(8)", "wpsd.conf(5)", "fi.w1.wps(7)", "nfc_pw_token(1)",
					"polkit(8)", "jq(1)"},
			}
			for _, e := range exitCodes {
				about.ExitStatus = append(about.ExitStatus, commandpage.Code(e.code, e.text))
			}
			return commandpage.Write(args[0], cmd.Root(), about)
		},
	}
}
