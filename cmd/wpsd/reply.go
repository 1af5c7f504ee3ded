package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"log/slog"
	"wpsd/service/control/reply"
)

const (
	// replySocketName is what FileDescriptorName= calls the socket in wpsd-reply.socket.
	replySocketName = "reply"
	// replyIdle is how long the process that answers clients goes on when wpsd has not asked it for
	// anything.
	replyIdle = 10 * time.Second
)

// runReply is the process that answers clients of the control sockets, whom wpsd cannot reach from
// its sandbox. It reads no configuration: it has a capability that would let it.
func runReply(f flags, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, _ := newLog(stderr, f.debug, &config{})
	slog.SetDefault(log)
	l, idle, err := replyListener(f)
	if err == nil {
		err = reply.Server{Idle: idle, Log: log}.Serve(ctx, l)
	}
	if err != nil {
		log.Error("wpsd's process that answers clients ends", "err", err)
		return exitFailure
	}
	return exitOK
}

// replyListener is the socket that systemd passes, which starts us again when we have ended for
// lack of work, or one of our own.
func replyListener(f flags) (*net.UnixListener, time.Duration, error) {
	all, err := activation.ListenersWithNames()
	if err != nil {
		return nil, 0, err
	}
	if passed := all[replySocketName]; len(passed) == 1 {
		if l, ok := passed[0].(*net.UnixListener); ok && l.Addr().Network() == "unixpacket" {
			return l, replyIdle, nil
		}
	}
	if len(all) > 0 {
		return nil, 0, fmt.Errorf("systemd passed other sockets than one with ListenSequentialPacket= and FileDescriptorName=%s", replySocketName)
	}
	if f.replySocket == "" {
		return nil, 0, errors.New("--reply-server needs --reply-socket, or a socket from systemd")
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: f.replySocket, Net: "unixpacket"})
	if err == nil {
		err = os.Chmod(f.replySocket, 0o600)
	}
	return l, 0, err
}
