// Package hostapd steers an access point that runs already: hostapd, or wpa_supplicant in AP or
// P2P GO mode, through its control socket. The EAP and the Registrar are theirs.
package hostapd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

// DefaultDirectories are where control sockets are looked for, in this order.
var DefaultDirectories = []string{"/run/hostapd", "/var/run/hostapd", "/run/wpa_supplicant", "/var/run/wpa_supplicant"}

// pingInterval is how often the software is asked whether it lives, only while a grant is out: a
// datagram socket does not tell that its other end was killed.
const pingInterval = 5 * time.Second

// Find returns the control socket of an interface.
func Find(directories []string, ifname string) (string, error) {
	if ifname != filepath.Base(ifname) || ifname == "." || ifname == ".." {
		return "", fmt.Errorf("hostapd: %q: %w", ifname, drivers.ErrNoInterface)
	}
	for _, d := range directories {
		path := filepath.Join(d, ifname)
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("hostapd: no control socket of %s in %v: set ctrl_interface in its configuration: %w", ifname, directories, drivers.ErrUnreachable)
}

// Open steers the access point behind the control socket at path.
func Open(ctx context.Context, path string, log *slog.Logger) (drivers.AccessPoint, error) {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("hostapd: watching %s: %w", filepath.Dir(path), err)
	}
	if err := watch.Add(filepath.Dir(path)); err != nil {
		_ = watch.Close()
		return nil, fmt.Errorf("hostapd: watching %s: %w", filepath.Dir(path), err)
	}
	a := &accessPoint{path: path, log: log, watch: watch, events: make(chan drivers.APEvent, 256), stop: make(chan struct{}), pinging: make(chan bool, 1)}
	if err := a.attach(ctx); err != nil {
		_ = watch.Close()
		return nil, err
	}
	a.wait.Go(a.run)
	return a, nil
}

// accessPoint implements drivers.AccessPoint.
type accessPoint struct {
	path    string
	log     *slog.Logger
	watch   *fsnotify.Watcher
	events  chan drivers.APEvent
	stop    chan struct{}
	once    sync.Once
	wait    sync.WaitGroup
	pinging chan bool // true: a grant is out

	mu       sync.Mutex // one request at a time
	commands *control   // nil while the software is away

	monitor *control // owned by run
}

var _ drivers.AccessPoint = (*accessPoint)(nil)

// attach opens both connections and asks for events on one.
func (a *accessPoint) attach(ctx context.Context) error {
	monitor, err := dialControl(a.path)
	if err != nil {
		return err
	}
	reply, err := monitor.request(ctx, []byte("ATTACH"))
	if err == nil && !bytes.Equal(reply, replyOK) {
		err = errAnswer("ATTACH", reply)
	}
	if err != nil {
		monitor.close()
		return err
	}
	_ = monitor.c.SetDeadline(time.Time{})
	commands, err := dialControl(a.path)
	if err != nil {
		monitor.close()
		return err
	}
	a.mu.Lock()
	a.commands = commands
	a.mu.Unlock()
	a.monitor = monitor
	return nil
}

// detach closes both connections.
func (a *accessPoint) detach() {
	a.mu.Lock()
	if a.commands != nil {
		a.commands.close()
		a.commands = nil
	}
	a.mu.Unlock()
	if a.monitor != nil {
		a.monitor.close()
		a.monitor = nil
	}
}

// run reads events, notices that the software went away or came back, until Close.
func (a *accessPoint) run() {
	defer close(a.events)
	defer a.detach()
	datagrams := a.read()
	ticker := time.NewTicker(time.Hour)
	ticker.Stop()
	defer ticker.Stop()
	for {
		select {
		case <-a.stop:
			return
		case on := <-a.pinging:
			if ticker.Stop(); on {
				ticker.Reset(pingInterval)
			}
		case <-ticker.C:
			if a.monitor != nil && !a.alive() {
				ticker.Stop()
				a.gone()
				datagrams = nil
			}
		case d, ok := <-datagrams:
			if !ok {
				a.gone()
				datagrams = nil
			} else if e, ok := parseEvent(d); ok {
				a.tell(e)
			}
		case e, ok := <-a.watch.Events:
			if !ok {
				return
			}
			if e.Name == a.path && e.Has(fsnotify.Create) {
				datagrams = a.again()
			}
		}
	}
}

// read starts the reader of the monitor connection; the channel is closed when that one ends.
func (a *accessPoint) read() <-chan []byte {
	monitor, out := a.monitor, make(chan []byte, 64)
	a.wait.Go(func() {
		defer close(out)
		for {
			b := make([]byte, maxMessage)
			n, err := monitor.c.Read(b)
			if err != nil {
				return
			}
			select {
			case out <- b[:n]:
			case <-a.stop:
				return
			}
		}
	})
	return out
}

// again attaches to software that was started anew: its socket was made again.
func (a *accessPoint) again() <-chan []byte {
	if a.monitor != nil {
		a.gone()
	}
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	if err := a.attach(ctx); err != nil {
		a.log.Warn("the access point's software is back but does not answer", "socket", a.path, "error", err)
		return nil
	}
	a.tell(drivers.APEvent{Kind: drivers.APBack})
	return a.read()
}

// gone closes what is left and tells so once.
func (a *accessPoint) gone() {
	a.detach()
	a.tell(drivers.APEvent{Kind: drivers.APGone})
}

// alive asks.
func (a *accessPoint) alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	reply, err := a.request(ctx, []byte("PING"))
	return err == nil && bytes.Equal(reply, []byte("PONG"))
}

// tell hands an event over. A reader that is 256 events behind loses the new ones: a flood of
// probe requests must not hold us up.
func (a *accessPoint) tell(e drivers.APEvent) {
	select {
	case a.events <- e:
	default:
		a.log.Warn("an event of the access point is dropped", "kind", e.Kind)
	}
}

// request sends one command on the command connection.
func (a *accessPoint) request(ctx context.Context, command []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.commands == nil {
		return nil, fmt.Errorf("hostapd: %w", drivers.ErrUnreachable)
	}
	return a.commands.request(ctx, command)
}

// Events implements drivers.AccessPoint.
func (a *accessPoint) Events() <-chan drivers.APEvent { return a.events }

// Close implements drivers.AccessPoint.
func (a *accessPoint) Close() error {
	a.once.Do(func() {
		close(a.stop)
		_ = a.watch.Close()
		a.mu.Lock()
		if a.commands != nil {
			_ = a.commands.c.SetDeadline(time.Unix(1, 0))
		}
		a.mu.Unlock()
	})
	a.wait.Wait()
	return nil
}

// watching turns the pings on or off; the newest word counts.
func (a *accessPoint) watching(on bool) {
	for {
		select {
		case a.pinging <- on:
			return
		case <-a.pinging:
		case <-a.stop:
			return
		}
	}
}

// expectOK sends a command whose good answer is OK.
func (a *accessPoint) expectOK(ctx context.Context, what string, command []byte) error {
	reply, err := a.request(ctx, command)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(reply, replyOK):
		return errAnswer(what, reply)
	}
	return nil
}

// AllowPIN implements drivers.AccessPoint. hostapd and wpa_supplicant word the command differently.
func (a *accessPoint) AllowPIN(ctx context.Context, g drivers.PINGrant) error {
	status, err := a.request(ctx, []byte("STATUS"))
	if err != nil {
		return err
	}
	seconds := strconv.Itoa(int(g.Timeout / time.Second))
	command := []byte("WPS_PIN ")
	defer func() { clear(command) }()
	if a.supplicant(fields(status)) {
		who := "any"
		if g.MAC != ([6]byte{}) {
			who = macText(g.MAC)
		}
		command = append(append(append(command, who...), ' '), g.PIN.Bytes()...)
		command = append(append(command, ' '), seconds...)
		reply, err := a.request(ctx, command)
		if err == nil && !bytes.Equal(reply, g.PIN.Bytes()) { // it echoes the PIN
			err = errAnswer("WPS_PIN", reply)
		}
		clear(reply)
		return a.granted(err)
	}
	who := "any"
	if g.UUID != "" {
		if !isUUID(g.UUID) {
			return fmt.Errorf("hostapd: bad UUID %q", g.UUID)
		}
		who = g.UUID
	}
	command = append(append(append(command, who...), ' '), g.PIN.Bytes()...)
	command = append(append(command, ' '), seconds...)
	if g.MAC != ([6]byte{}) {
		command = append(append(command, ' '), macText(g.MAC)...)
	}
	return a.granted(a.expectOK(ctx, "WPS_PIN", command))
}

func (a *accessPoint) granted(err error) error {
	if err == nil {
		a.watching(true)
	}
	return err
}

// AllowPBC implements drivers.AccessPoint. hostapd answers an overlap with a bare FAIL and tells it
// as an event; wpa_supplicant names it.
func (a *accessPoint) AllowPBC(ctx context.Context) error {
	return a.granted(a.expectOK(ctx, "WPS_PBC", []byte("WPS_PBC")))
}

// Withdraw implements drivers.AccessPoint. With nothing to withdraw it is content.
func (a *accessPoint) Withdraw(ctx context.Context) error {
	a.watching(false)
	err := a.expectOK(ctx, "WPS_CANCEL", []byte("WPS_CANCEL"))
	if errors.Is(err, drivers.ErrRefused) {
		return nil
	}
	return err
}

// APPIN implements drivers.AccessPoint.
func (a *accessPoint) APPIN(ctx context.Context, r drivers.APPINRequest) (secret.Value, error) {
	seconds := strconv.Itoa(int(r.Timeout / time.Second))
	var command []byte
	switch r.Command {
	case drivers.APPINDisable:
		return secret.Value{}, a.expectOK(ctx, "WPS_AP_PIN disable", []byte("WPS_AP_PIN disable"))
	case drivers.APPINRandom:
		command = []byte("WPS_AP_PIN random " + seconds)
	case drivers.APPINGet:
		command = []byte("WPS_AP_PIN get")
	case drivers.APPINSet:
		command = append(append([]byte("WPS_AP_PIN set "), r.PIN.Bytes()...), ' ')
		command = append(command, seconds...)
	}
	defer clear(command)
	reply, err := a.request(ctx, command)
	if err != nil {
		return secret.Value{}, err
	}
	defer clear(reply)
	if len(reply) == 0 || len(reply) > 8 || bytes.ContainsFunc(reply, func(r rune) bool { return r < '0' || r > '9' }) {
		return secret.Value{}, errAnswer("WPS_AP_PIN", reply)
	}
	return secret.New(reply), nil
}

func macText(m [6]byte) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}
