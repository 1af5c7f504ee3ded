package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"rsc.io/qr"
)

// quietZone is the border that scanners need, in modules (ISO/IEC 18004).
const quietZone = 4

// newNetworksQR shows a network as a QR code.
func newNetworksQR(a *app) *cobra.Command {
	var png string
	cmd := &cobra.Command{
		Use:   "qr NETWORK",
		Short: "Show a stored network as a QR code that phones join by",
		Long: `Qr draws a QR code in the terminal that holds the network's name and key: who can see it can join. With --png it
writes a picture to a new file that only its owner can read; "-" is standard output.`,
		ValidArgsFunction: completion{a}.networks,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.qr(cmd.Context(), c, args[0], png)
			})
		},
	}
	cmd.Flags().StringVar(&png, "png", "", "write a PNG picture to this `FILE`")
	return cmd
}

// qr runs the command.
func (a *app) qr(ctx context.Context, c *client, arg, png string) error {
	n, err := c.network(ctx, arg)
	if err != nil {
		return err
	}
	cred, err := c.secrets(ctx, n.Path)
	if err != nil {
		return err
	}
	if cred.wifiURI.IsZero() {
		return &failure{Exit: exitNotSupported, Text: "this network cannot be written as a QR code"}
	}
	if a.json && png == "" {
		return a.printJSON(map[string]string{"wifi_uri": string(cred.wifiURI.Bytes())})
	}
	code, err := qr.Encode(string(cred.wifiURI.Bytes()), qr.M)
	if err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	if png != "" {
		return writePNG(a.out, png, code)
	}
	width, terminal := isTerminal(a.out)
	if need := code.Size + 2*quietZone; terminal && width < need {
		return &failure{Exit: exitFailure, Text: fmt.Sprintf(
			"the terminal has %d columns, the QR code needs %d", width,
			need), Hint: "Widen it, or use --png."}
	}
	if err := drawQR(a.out, code.Size, code.Black, terminal); err != nil {
		return err
	}
	a.printf("%s\n", ssidText(cred.ssid))
	return nil
}

// drawQR draws a code with half blocks, two rows of modules to a line. On a terminal it sets black
// and white itself, as the theme may be dark or light; elsewhere blocks are the light modules, for
// white text on black as most terminals show it.
func drawQR(w io.Writer, size int, black func(x, y int) bool, colors bool) error {
	b := bufio.NewWriter(w)
	light := func(x, y int) bool { return x < 0 || y < 0 || x >= size || y >= size || !black(x, y) }
	// Index: upper module light, lower module light.
	blocks := [2][2]string{{" ", "▄"}, {"▀", "█"}}
	for y := -quietZone; y < size+quietZone; y += 2 {
		if colors {
			_, _ = b.WriteString("\x1b[97;40m") // bright white on black; bufio keeps the error
		}
		for x := -quietZone; x < size+quietZone; x++ {
			_, _ = b.WriteString(blocks[index(light(x, y))][index(light(x, y+1))])
		}
		if colors {
			_, _ = b.WriteString("\x1b[0m")
		}
		_ = b.WriteByte('\n')
	}
	return b.Flush()
}

// index is 1 for true.
func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// writePNG writes the picture to a new file, since it holds the key: an existing file may be
// readable by others.
func writePNG(stdout io.Writer, name string, code *qr.Code) error {
	if name == "-" {
		_, err := stdout.Write(code.PNG())
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already; remove it or choose another name", printable(name))
	}
	if err != nil {
		return err
	}
	_, err = f.Write(code.PNG())
	return errors.Join(err, f.Close())
}
