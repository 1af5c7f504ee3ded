package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"wpsd/service/control/reply"
	"wpsd/service/helper"
)

// runHelper is a helper process, until it is told to end or nobody needs it. It reads no
// configuration: that may hold a password, and is not for it.
func runHelper(f flags, stderr io.Writer, socket helper.Socket, serve func(context.Context,
	*net.UnixListener, time.Duration, *slog.Logger) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, _ := newLog(stderr, f.debug, &config{})
	slog.SetDefault(log)
	l, idle, err := socket.Listen()
	if err == nil {
		err = serve(ctx, l, idle, log)
	}
	if err != nil {
		log.Error("a helper process of wpsd ends", "process", socket.Name, "err", err)
		return exitFailure
	}
	return exitOK
}

// runReply is the process that answers clients of the control sockets, whom wpsd cannot reach from
// its sandbox. It has a capability that would let it read the configuration.
func runReply(f flags, stderr io.Writer) int {
	return runHelper(f, stderr,
		helper.Socket{Name: "reply", Network: "unixpacket", Path: f.replySocket},
		func(ctx context.Context, l *net.UnixListener, idle time.Duration, log *slog.Logger) error {
			return reply.Server{Idle: idle, Log: log}.Serve(ctx, l)
		})
}
