// Package helper is what wpsd's helper processes have in common, those that speak UPnP and answer
// clients of the control sockets: where they listen, how many may connect, and when they end. What
// goes over a connection is each one's own.
package helper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"wpsd/service/fence"
)

// idle is how long a process that systemd has started goes on when wpsd has left: its socket unit
// starts it again.
const idle = 10 * time.Second

// listens says which line of a socket unit gives a kind of socket (systemd.socket(5)).
var listens = map[string]string{
	"unix": "ListenStream=", "unixpacket": "ListenSequentialPacket="}

// Socket is where a helper process listens.
type Socket struct {
	Name    string // what FileDescriptorName= of its socket unit calls it
	Network string // unix or unixpacket
	Path    string // of a socket of its own, where systemd passes none
}

// Listen gives the socket that systemd passes, or makes one at Path that only this user can connect
// to. idle is for Server.Idle: 0 where nobody starts the process again.
func (s Socket) Listen() (l *net.UnixListener, idle time.Duration, err error) {
	all, err := activation.ListenersWithNames()
	if err != nil {
		return nil, 0, err
	}
	return s.choose(all)
}

// choose is Listen with what systemd has passed.
func (s Socket) choose(all map[string][]net.Listener) (*net.UnixListener, time.Duration, error) {
	if passed := all[s.Name]; len(all) == 1 && len(passed) == 1 {
		l, ok := passed[0].(*net.UnixListener)
		if ok && l.Addr().Network() == s.Network {
			return l, idle, nil
		}
	}
	if len(all) > 0 {
		return nil, 0, fmt.Errorf("systemd passed other sockets than one with %s and FileDescriptorName=%s",
			listens[s.Network], s.Name)
	}
	if s.Path == "" {
		return nil, 0, fmt.Errorf("--%s-server needs --%[1]s-socket, or a socket from systemd", s.Name)
	}
	l, err := net.ListenUnix(s.Network, &net.UnixAddr{Name: s.Path, Net: s.Network})
	if err != nil {
		return nil, 0, err
	}
	if err := os.Chmod(s.Path, 0o600); err != nil {
		return nil, 0, errors.Join(err, l.Close())
	}
	return l, 0, nil
}

// Server accepts connections.
type Server struct {
	Max  int           // connections at a time; one more is closed at once
	Idle time.Duration // how long it goes on without one; 0: for ever
	Log  *slog.Logger
}

// Serve has serve deal with each connection, inside a fence, and closes it afterwards and when ctx
// ends. It ends with ctx, or when nobody was connected for a while: both are no errors. It closes l
// and waits for all serve.
func (s Server) Serve(ctx context.Context, l *net.UnixListener,
	serve func(context.Context, *net.UnixConn)) error {
	ctx, end := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer end()
	defer func() { _ = l.Close() }() // ends accept
	conns, failed := make(chan *net.UnixConn), make(chan error, 1)
	tasks.Go(fence.Func(s.Log, "accepting connections", func() {
		failed <- accept(ctx, l, conns)
	}, func(err error) { failed <- err }))
	over := make(chan struct{})
	open, idle := 0, s.idle()
	for {
		select {
		case c := <-conns:
			if open == s.Max {
				_ = c.Close()
				continue
			}
			open++
			idle = nil
			tasks.Go(func() {
				_ = fence.Do(s.Log, "a connection of wpsd", func() error {
					defer func() { _ = c.Close() }()
					stop := context.AfterFunc(ctx, func() { _ = c.Close() })
					defer stop()
					serve(ctx, c)
					return nil
				})
				select {
				case over <- struct{}{}:
				case <-ctx.Done():
				}
			})
		case <-over:
			if open--; open == 0 {
				idle = s.idle()
			}
		case err := <-failed:
			return fmt.Errorf("accepting connections: %w", err)
		case <-idle:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// accept passes connections on until l is closed or ctx ends.
func accept(ctx context.Context, l *net.UnixListener, conns chan<- *net.UnixConn) error {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return err
		}
		select {
		case conns <- c:
		case <-ctx.Done():
			_ = c.Close()
			return ctx.Err()
		}
	}
}

func (s Server) idle() <-chan time.Time {
	if s.Idle == 0 {
		return nil
	}
	return time.After(s.Idle)
}
