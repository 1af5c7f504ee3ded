package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/coreos/go-systemd/v22/activation"

	"wpsd/service"
	"wpsd/service/control"
	"wpsd/service/control/reply"
)

// globalSocketName is what FileDescriptorName= calls the global control socket in a systemd socket
// unit.
const globalSocketName = "control-global"

// errTerminated is the end that a client of a control socket asked for.
var errTerminated = errors.New("a client of the control socket ended wpsd")

// sockets are the control sockets, if the configuration has any.
type sockets struct {
	log    *slog.Logger
	svc    *service.Service
	server *control.Server // nil: there are none
	end    context.CancelCauseFunc
	done   chan struct{} // closed when run has ended
	err    error         // why they ended, if that was no regular end
}

// prepare makes what run runs. The context that it returns ends when the sockets end wpsd.
func (s *sockets) prepare(ctx context.Context, svc *service.Service, f flags, conf *config,
	level *slog.LevelVar) (context.Context, error) {
	ctx, s.end = context.WithCancelCause(ctx)
	s.done = make(chan struct{})
	passed, err := passedSocket()
	if err != nil {
		return ctx, err
	}
	if passed == nil && f.global == "" && conf.Control.Dir == "" {
		return ctx, nil
	}
	o := control.Options{
		Place: conf.Control, Global: f.global, GlobalSocket: passed, Apply: "auto",
		Forget: conf.Forget, LogLevel: level, Log: s.log,
	}
	if f.replySocket != "" {
		o.Reply = reply.NewClient(f.replySocket)
	}
	if conf.ControlTerminate {
		o.Terminate = func() { s.end(errTerminated) }
	}
	s.svc = svc
	s.server, err = control.New(svc, o)
	return ctx, err
}

// run answers on the sockets until ctx ends. If they cannot be had wpsd ends: whoever configured
// them relies on them.
func (s *sockets) run(ctx context.Context) {
	defer close(s.done)
	if s.server == nil {
		return
	}
	select {
	case <-s.svc.Ready():
	case <-ctx.Done():
		return
	}
	if err := s.server.Run(ctx); err != nil {
		s.err = err
		s.end(err)
	}
}

// wait returns once the sockets are there, or will never be.
func (s *sockets) wait() {
	if s.server == nil {
		return
	}
	select {
	case <-s.server.Listening():
	case <-s.done:
	}
}

// passedSocket takes the global control socket that systemd has bound, if it passed one. The
// environment is cleared, so that nobody else takes it.
func passedSocket() (*net.UnixConn, error) {
	var found *net.UnixConn
	for name, files := range activation.FilesWithNames() {
		for _, file := range files {
			conn, err := net.FilePacketConn(file)
			_ = file.Close() // conn has a copy
			if err != nil {
				return nil, fmt.Errorf("the socket %q of the unit: %w", name, err)
			}
			unix, ok := conn.(*net.UnixConn)
			if name != globalSocketName || !ok || found != nil {
				_ = conn.Close()
				return nil, fmt.Errorf("systemd passed the socket %q: wpsd takes one with ListenDatagram= and FileDescriptorName=%s", name, globalSocketName)
			}
			found = unix
		}
	}
	return found, nil
}
