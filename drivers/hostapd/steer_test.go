package hostapd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

func TestDirectories(t *testing.T) {
	t.Parallel()
	stale, live, empty := t.TempDir(), t.TempDir(), t.TempDir()
	dead, err := net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: filepath.Join(stale, "wlan0"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close() // leaves the file, as kill -9 does
	startFake(t, filepath.Join(live, "wlan0"), hostapdAnswers)
	if err := os.WriteFile(filepath.Join(empty, "wlan0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		paths  []string
		ifname string
		want   error
	}{
		"the one that answers":     {[]string{empty, stale, live}, "wlan0", nil},
		"a socket that was left":   {[]string{stale}, "wlan0", drivers.ErrUnreachable},
		"a file that is no socket": {[]string{empty}, "wlan0", drivers.ErrUnreachable},
		"no such directory": {[]string{filepath.Join(empty, "x")}, "wlan0",
			drivers.ErrUnreachable},
		"no such interface":               {[]string{live}, "wlan1", drivers.ErrUnreachable},
		"a name with a path in it":        {[]string{live}, "../wlan0", drivers.ErrNoInterface},
		"a name that is the directory":    {[]string{live}, "..", drivers.ErrNoInterface},
		"the usual places, without a log": {nil, "no-such-interface", drivers.ErrUnreachable},
	} {
		a, err := Directories{Paths: c.paths}.AccessPoint(t.Context(), c.ifname)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = a.Close()
		}
	}
}

// TestDirectoriesThatAreClosed: hostapd makes its directory 0770, and a group of ours has to be
// configured.
func TestDirectoriesThatAreClosed(t *testing.T) {
	dir := t.TempDir()
	startFake(t, filepath.Join(dir, "wlan0"), hostapdAnswers)
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	// As another user of the file system, since nothing is closed to root. The thread ends with its
	// goroutine.
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			_, _ = unix.SetfsuidRetUid(65534)
		}
		_, err := Directories{Paths: []string{dir}}.AccessPoint(t.Context(), "wlan0")
		failed <- err
	}()
	if err := <-failed; !errors.Is(err, fs.ErrPermission) ||
		!errors.Is(err, drivers.ErrUnreachable) {
		t.Error(err)
	}
}

// TestEventsComeBeforeTheGrant: what happened before a grant is not taken for what it brings.
func TestEventsComeBeforeTheGrant(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wlan0")
	f := startFake(t, path, hostapdAnswers)
	a := open(t, path)
	for n, grant := range []func() error{
		func() error {
			return a.AllowPIN(t.Context(),
				drivers.PINGrant{PIN: secret.FromString("12345670"), Timeout: time.Minute})
		},
		func() error { return a.AllowPBC(t.Context()) },
		func() error { return a.Withdraw(t.Context()) },
	} {
		f.event(t, "<3>WPS-CANCEL ")
		if err := grant(); err != nil {
			t.Fatal(err)
		}
		select {
		case e := <-a.Events():
			if e.Kind != drivers.APCanceled {
				t.Errorf("%d: event %+v", n, e)
			}
		default:
			t.Errorf("%d: the event is not there yet", n)
		}
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	supplicant := map[string]string{"STATUS": "wpa_state=COMPLETED\nmode=AP\n",
		"WPS_CANCEL": "OK\n"}
	off := maps.Clone(hostapdAnswers)
	off["WPS_PIN"], off["WPS_CANCEL"] = "FAIL\n", "FAIL\n"
	for name, c := range map[string]struct {
		answers map[string]string
		want    string
	}{
		"hostapd":        {hostapdAnswers, `WPS_CANCEL\nSTATUS\nWPS_PIN [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} \d{8} 1\nWPS_CANCEL`},
		"wpa_supplicant": {supplicant, `WPS_CANCEL\nSTATUS\nWPS_PIN any \d{8} 1`},
		"WPS is off":     {off, `WPS_CANCEL\nSTATUS\nWPS_PIN .*`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "wlan0")
			f := startFake(t, path, c.answers)
			err := open(t, path).Withdraw(t.Context())
			if name == "wpa_supplicant" { // the fake cannot echo a PIN that it does not know
				if err == nil {
					t.Error("another PIN than ours is taken for its echo")
				}
			} else if err != nil {
				t.Error(err)
			}
			if got := strings.Join(f.commands(),
				"\n"); !regexp.MustCompile(c.want).MatchString(got) {
				t.Errorf("commands:\n%s", got)
			}
		})
	}
}

func TestOverlapIsToldFromARefusal(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]error{
		"PBC Status: Overlap\nLast WPS result: None\n": drivers.ErrOverlap,
		"PBC Status: Disabled\n":                       drivers.ErrRefused,
		"FAIL\n":                                       drivers.ErrRefused,
	} {
		path := filepath.Join(t.TempDir(), "wlan0")
		startFake(t, path, map[string]string{"WPS_PBC": "FAIL\n", "WPS_GET_STATUS": status})
		if err := open(t, path).AllowPBC(t.Context()); !errors.Is(err, want) {
			t.Errorf("%q: %v", status, err)
		}
	}
}

// TestAFloodDoesNotCostTheEventsOfARun: stations that nobody let in cannot push those out that
// matter.
func TestAFloodDoesNotCostTheEventsOfARun(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := &accessPoint{events: make(chan drivers.APEvent, maxEvents),
		log: slog.New(slog.NewTextHandler(&log, nil))}
	for n := range 10 * maxEvents {
		a.tell(drivers.APEvent{Kind: drivers.APEnrolleeSeen,
			MAC: [6]byte{2, 0, 0, 0, byte(n >> 8), byte(n)}})
	}
	if len(a.events) != maxEvents/2 || log.Len() != 0 {
		t.Errorf("%d events wait, log %q", len(a.events), log.String())
	}
	a.tell(drivers.APEvent{Kind: drivers.APFailed})
	a.tell(drivers.APEvent{Kind: drivers.APEnrolled})
	for range maxEvents / 2 {
		<-a.events
	}
	if e := <-a.events; e.Kind != drivers.APFailed {
		t.Errorf("event %+v", e)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 ||
		!strings.Contains(log.String(), fmt.Sprint("dropped=", 10*maxEvents-maxEvents/2)) {
		t.Errorf("log %q", log.String())
	}
}

func TestTheDirectoryGoes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hostapd")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := startFake(t, filepath.Join(dir, "wlan0"), hostapdAnswers)
	a := open(t, filepath.Join(dir, "wlan0"))
	f.conn.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if e := next(t, a); e.Kind != drivers.APGone {
		t.Errorf("event %+v", e)
	}
	select {
	case e, open := <-a.Events():
		if open {
			t.Errorf("event %+v", e)
		}
	case <-time.After(time.Minute):
		t.Error("the events do not end")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.AllowPBC(ctx); !errors.Is(err, drivers.ErrUnreachable) {
		t.Errorf("a command after the end: %v", err)
	}
}

// TestALateReplyIsNobodysAnswer: the reply to a command that was given up is not taken for the next
// one's.
func TestALateReplyIsNobodysAnswer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wlan0")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	slow := make(chan struct{})
	go func() {
		b := make([]byte, 8192)
		for {
			n, from, err := conn.ReadFromUnix(b)
			if err != nil {
				return
			}
			reply := "OK\n"
			switch command := string(b[:n]); {
			case command == "WPS_AP_PIN get":
				<-slow
				reply = "11111111"
			case strings.HasPrefix(command, "WPS_AP_PIN"):
				reply = "12345670"
			}
			_, _ = conn.WriteToUnix([]byte(reply), from)
		}
	}()
	a := open(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if pin, err := a.APPIN(ctx, drivers.APPINRequest{Command: drivers.APPINGet}); err == nil {
		t.Errorf("a reply before it was sent: %s", pin.Bytes())
	}
	close(slow)
	random := drivers.APPINRequest{Command: drivers.APPINRandom}
	if pin, err := a.APPIN(t.Context(), random); err != nil || string(pin.Bytes()) != "12345670" {
		t.Errorf("the next command is answered %q, %v", pin.Bytes(), err)
	}
}
