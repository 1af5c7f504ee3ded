package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"wpsd/engine/secret"
)

// carrierFlag says how much of a handover message is wanted.
type carrierFlag struct{ message bool }

// register declares the flag.
func (f *carrierFlag) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.message, "message", false,
		"the whole handover message, not only the carrier record for one")
}

// carrier is D-Bus' word for it.
func (f *carrierFlag) carrier() string {
	if f.message {
		return "WPS"
	}
	return "WPS-CR"
}

// newNFCHandoverRequest makes a handover request.
func newNFCHandoverRequest(a *app) *cobra.Command {
	var o nfcOutput
	var f carrierFlag
	cmd := &cobra.Command{
		Use:   "handover-request",
		Short: "Print a connection handover request, to join a network",
		Long: `Handover-request prints what this device says over an NFC link to join a network by connection handover: the carrier record,
which NFC software puts into a message of its own, or with --message the whole message. Once the answer is there, give
both to "wpsctl nfc report-handover init".`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return nfcRun{a}.get(cmd.Context(), o, []string{"station"}, "NfcHandoverRequest",
				f.carrier())
		},
	}
	o.register(cmd)
	f.register(cmd)
	return cmd
}

// newNFCHandoverSelect makes a handover select.
func newNFCHandoverSelect(a *app) *cobra.Command {
	var o nfcOutput
	var f carrierFlag
	var er string
	cmd := &cobra.Command{
		Use:   "handover-select",
		Short: "Print an access point's answer to a connection handover request",
		Long: `Handover-select prints what an access point of this machine answers to a connection handover request, or with --er the
External Registrar for an access point. Give both to "wpsctl nfc report-handover resp" before the answer is sent, so that the
device is expected when it comes.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if er != "" {
				return nfcRun{a}.getER(cmd, o, "NfcHandoverSelect", er, f.carrier())
			}
			return nfcRun{a}.get(cmd.Context(), o, []string{"ap"}, "NfcHandoverSelect",
				f.carrier(), options{})
		},
	}
	o.register(cmd)
	f.register(cmd)
	nfcRun{a}.erFlag(cmd, &er)
	return cmd
}

// newNFCReportHandover starts what a handover was about.
func newNFCReportHandover(a *app) *cobra.Command {
	var isHex bool
	var e enrollFlags
	cmd := &cobra.Command{
		Use:   "report-handover init|resp REQUEST SELECT",
		Short: "Start what a connection handover was about",
		Long: `Report-handover tells wpsd of a connection handover over an NFC link and follows the run that begins. REQUEST and SELECT are
files with the two messages or their carrier records; "-" for one of them is standard input.

"init": the request was ours, and this device joins the network. "resp": the answer was that of an access point of this machine,
or of the External Registrar, which lets the device in.`,
		Example: `  wpsctl nfc handover-request -o request.ndef
  wpsctl nfc report-handover init request.ndef select.ndef`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string,
			cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return []string{"init", "resp"}, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			mode, known := map[string]string{"init": "station", "resp": "ap"}[args[0]]
			switch {
			case !known:
				return usagef(`%s: say "init" if the request was ours, or "resp" if the answer was`,
					printable(args[0]))
			case args[1] == "-" && args[2] == "-":
				return usagef("only one of the two can come from standard input")
			}
			request, err := nfcRun{a}.readBytes(args[1], isHex)
			if err != nil {
				return err
			}
			sel, err := nfcRun{a}.readBytes(args[2], isHex)
			if err != nil {
				return err
			}
			return a.withClient(cmd.Context(), func(c *client) error {
				return nfcRun{a}.reportHandover(cmd.Context(), c, strings.ToUpper(args[0]), mode,
					request, sel, e)
			})
		},
	}
	cmd.Flags().BoolVar(&isHex, "hex", false, "the input is hex digits")
	e.register(a, cmd)
	return cmd
}

// reportHandover reports and follows. The session is the newest of the interface.
func (a nfcRun) reportHandover(ctx context.Context, c *client, role, mode string,
	request, sel []byte,
	e enrollFlags) error {
	n, f, err := a.prepare(ctx, c, mode)
	if err != nil && role == "RESP" {
		n, err = a.runningER(ctx, c, err)
	}
	if err != nil {
		return err
	}
	if err := c.call(ctx, n.Path, interfaceIface+".NfcReportHandover", nil, role, "WPS", request,
		sel, e.options()); err != nil {
		return err
	}
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	for i := len(t.Sessions) - 1; i >= 0; i-- {
		if s := t.Sessions[i]; s.Interface == n.Path {
			return a.finish(ctx, c, f, s.Path, e, secret.Value{})
		}
	}
	return &failure{Exit: exitFailure,
		Text: "wpsd took the handover, but there is no session of it"}
}

// runningER finds the interface of the External Registrar where no access point was found;
// otherwise why stays.
func (a *app) runningER(ctx context.Context, c *client, why error) (netif, error) {
	t, err := c.objects(ctx)
	if err != nil {
		return netif{}, err
	}
	n, err := t.pickER(a.ifname)
	if err != nil || !n.ER {
		return n, why
	}
	return n, nil
}
