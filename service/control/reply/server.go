package reply

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"wpsd/service/fence"
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
	var conns sync.WaitGroup
	defer conns.Wait()
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.SetDeadline(time.Now()) })
	defer stop()
	slots := make(chan struct{}, maxConnections)
	for ctx.Err() == nil {
		if s.Idle > 0 && ctx.Err() == nil {
			_ = l.SetDeadline(time.Now().Add(s.Idle))
		}
		if ctx.Err() != nil {
			break // its deadline may have come before ours
		}
		conn, err := l.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
		case errors.Is(err, os.ErrDeadlineExceeded) && len(slots) > 0:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		default:
			select {
			case slots <- struct{}{}:
				conns.Go(fence.Func(s.Log, "a client of wpsd-reply", func() {
					defer func() { <-slots }()
					s.serve(ctx, conn)
				}, nil))
			default:
				_ = conn.Close()
			}
		}
	}
	return nil
}

// serve answers one Client until it leaves.
func (s Server) serve(ctx context.Context, conn *net.UnixConn) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
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
