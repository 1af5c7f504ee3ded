// Package controlsocket is the client's end of the control sockets of hostapd and wpa_supplicant.
package controlsocket

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"time"

	"wpsd/drivers"
)

const (
	// ReplyTimeout is how long one reply may take; hostap's own client waits as long.
	ReplyTimeout = 10 * time.Second
	// MaxMessage is more than either ever sends: hostapd's reply buffer has 4096 bytes.
	MaxMessage = 16384
)

// Conn is one connection to a control socket: AF_UNIX datagrams, one reply per request.
// It is not safe for concurrent use.
type Conn struct {
	// Socket is the connection itself, for who listens to events.
	Socket *net.UnixConn
	buffer []byte
}

// Dial connects to the socket at path. Our own end has an abstract address: nothing is left
// in the file system when we are killed, and a private /tmp does not hide it.
func Dial(path string) (*Conn, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	local := &net.UnixAddr{Name: "@wpsd-" + hex.EncodeToString(id[:]), Net: "unixgram"}
	c, err := net.DialUnix("unixgram", local, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w: %w", path, drivers.ErrUnreachable, err)
	}
	return &Conn{Socket: c, buffer: make([]byte, MaxMessage)}, nil
}

// Close ends it.
func (c *Conn) Close() { _ = c.Socket.Close() }

// Request sends one command and returns its reply without the trailing newline. Events in between
// are skipped: this connection is never attached, but a late one may have been.
func (c *Conn) Request(ctx context.Context, command []byte) ([]byte, error) {
	deadline := time.Now().Add(ReplyTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.Socket.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	// stop does not wait for what is begun: that must not end a request over the next socket
	socket := c.Socket
	stop := context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.Socket.Write(command); err != nil {
		return nil, c.failed(ctx, err)
	}
	for {
		n, err := c.Socket.Read(c.buffer)
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
func (c *Conn) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("control socket: %w: %w", drivers.ErrUnreachable, err)
}
