package hostapd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"time"

	"wpsd/drivers"
)

const (
	// replyTimeout is how long one reply may take; hostapd's own client waits as long.
	replyTimeout = 10 * time.Second
	// maxMessage is more than hostapd ever sends: its reply buffer has 4096 bytes.
	maxMessage = 16384
)

// control is one connection to a control socket: AF_UNIX datagrams, one reply per request.
// It is not safe for concurrent use.
type control struct {
	c      *net.UnixConn
	buffer []byte
}

// dialControl connects to the socket at path. Our own end has an abstract address: nothing is left
// in the file system when we are killed, and a private /tmp does not hide it.
func dialControl(path string) (*control, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("hostapd: %w", err)
	}
	local := &net.UnixAddr{Name: "@wpsd-" + hex.EncodeToString(id[:]), Net: "unixgram"}
	c, err := net.DialUnix("unixgram", local, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("hostapd: control socket %s: %w: %w", path, drivers.ErrUnreachable, err)
	}
	return &control{c: c, buffer: make([]byte, maxMessage)}, nil
}

func (c *control) close() { _ = c.c.Close() }

// request sends one command and returns its reply without the trailing newline. Events in between
// are skipped: this connection is never attached, but a late one may have been.
func (c *control) request(ctx context.Context, command []byte) ([]byte, error) {
	deadline := time.Now().Add(replyTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.c.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("hostapd: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.c.Write(command); err != nil {
		return nil, c.failed(ctx, err)
	}
	for {
		n, err := c.c.Read(c.buffer)
		if err != nil {
			return nil, c.failed(ctx, err)
		}
		reply := c.buffer[:n]
		if bytes.HasPrefix(reply, []byte("<")) || bytes.HasPrefix(reply, []byte("IFNAME=")) {
			continue
		}
		return bytes.Clone(bytes.TrimRight(reply, "\n")), nil
	}
}

// failed tells our own end from the other's. The command may hold a PIN and is not named.
func (c *control) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("hostapd: %w: %w", drivers.ErrUnreachable, err)
}

var (
	commandAttach = []byte("ATTACH")

	replyOK      = []byte("OK")
	replyFail    = []byte("FAIL")
	replyOverlap = []byte("FAIL-PBC-OVERLAP")
	replyUnknown = []byte("UNKNOWN COMMAND")
)

// errAnswer tells what a reply that is not the wished one means.
func errAnswer(what string, reply []byte) error {
	switch {
	case bytes.HasPrefix(reply, replyOverlap):
		return fmt.Errorf("hostapd: %s: %w", what, drivers.ErrOverlap)
	case bytes.HasPrefix(reply, replyUnknown):
		return fmt.Errorf("hostapd: %s: %w", what, drivers.ErrNotSupported)
	case bytes.HasPrefix(reply, replyFail):
		return fmt.Errorf("hostapd: %s: %w", what, drivers.ErrRefused)
	}
	return fmt.Errorf("hostapd: %s: %w", what, errors.New("unexpected reply"))
}
