package reply

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"

	"wpsd/service/helper"
)

// maxConnections bounds the connections at a time. One process may connect, which needs one.
const maxConnections = 8

// Server sends what its Clients ask for.
type Server struct {
	// Idle is how long it goes on without a connection; 0: for ever.
	Idle time.Duration
	// Log; nil: none.
	Log *slog.Logger
}

// Serve serves the connections of l until ctx ends, or nobody needs it. It closes l.
func (s Server) Serve(ctx context.Context, l *net.UnixListener) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return helper.Server{Max: maxConnections, Idle: s.Idle, Log: s.Log}.Serve(ctx, l, s.serve)
}

// serve answers one Client until it leaves.
func (s Server) serve(_ context.Context, conn *net.UnixConn) {
	request, oob := make([]byte, headLen+MaxPath+MaxText), make([]byte, syscall.CmsgSpace(fdLen))
	defer clear(request)
	for {
		n, oobn, flags, _, err := conn.ReadMsgUnix(request, oob)
		if err != nil || n == 0 {
			return
		}
		fd, ok := passed(oob[:oobn])
		if !ok || flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
			s.Log.Warn("a malformed request")
			return
		}
		held, err := send(fd, request[:n])
		_ = syscall.Close(fd)
		clear(request[:n])
		if errors.Is(err, errMalformed) {
			s.Log.Warn("a malformed request")
			return
		}
		var rights []byte
		if held != nil {
			rights = syscall.UnixRights(int(held.ref.Fd()))
		}
		_, _, err = conn.WriteMsgUnix(appendAnswer(nil, err), rights, nil)
		held.Close()
		if err != nil {
			return
		}
	}
}

// passed takes the one file descriptor that came along.
func passed(oob []byte) (fd int, ok bool) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, false
	}
	var all []int
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err == nil {
			all = append(all, fds...)
		}
	}
	if len(all) == 1 {
		return all[0], true
	}
	for _, fd := range all {
		_ = syscall.Close(fd)
	}
	return 0, false
}

// send sends the one datagram that a request asks for. From anything but a socket it is an error.
func send(fd int, request []byte) (*Held, error) {
	to, text, err := parseRequest(request)
	if err != nil {
		return nil, err
	}
	return to.Send(fd, text)
}
