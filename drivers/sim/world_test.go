package sim_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/ie"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// TestTiming pins the times that a scan takes: policies of whom to look for where rest on them.
func TestTiming(t *testing.T) {
	t.Parallel()
	bubbles(t, []bubble{
		{"an active channel takes 30 ms and a passive one 110", func(r *room) {
			r.scan(wsc.PasswordIDDefault, 2412) // the link is up now
			start := time.Now()
			r.scan(wsc.PasswordIDDefault, 2412, 2437)
			if took := time.Since(start); took != 60*time.Millisecond {
				r.Errorf("two active ones take %v", took)
			}
			start = time.Now()
			r.scan(wsc.PasswordIDDefault, 2472)
			if took := time.Since(start); took != 110*time.Millisecond {
				r.Errorf("a passive one takes %v", took)
			}
		}},
		{"an access point on a passive channel is heard by its beacon, without a probe request",
			func(r *room) {
				ap := r.home(func(o *sim.APOptions) {
					o.BSSs[0].Frequency = 5500
					o.Story.PressAfter = time.Second
				})
				found := r.scan(wsc.PasswordIDPushButton, 5500)
				if len(found) != 1 || !slices.Equal(found[0].IEs, found[0].BeaconIEs) {
					r.Fatalf("%+v", found)
				}
				time.Sleep(2 * time.Second)
				if ap.Status().PBC {
					r.Error("it heard a probe request on a channel that is for listening only")
				}
			}},
		{"a scan that only listens hears beacons, and asks nobody", func(r *room) {
			r.home(nil)
			found, err := r.s.Scan(r.Context(), drivers.ScanRequest{Passive: true,
				Frequencies: []int{2437}})
			if err != nil || len(found) != 1 || !slices.Equal(found[0].IEs, found[0].BeaconIEs) {
				r.Errorf("%+v, %v", found, err) // an answer has elements of its own
			}
		}},
		{"a probe request for another SSID gets no answer", func(r *room) {
			r.home(nil)
			answered := 0
			for range 10 {
				found, err := r.s.Scan(r.Context(),
					drivers.ScanRequest{SSID: []byte("else"), Frequencies: []int{2437}})
				if err != nil {
					r.Fatal(err)
				}
				if slices.ContainsFunc(found, func(b drivers.BSS) bool {
					return b.BeaconIEs == nil
				}) {
					answered++
				}
			}
			if answered != 0 {
				r.Errorf("%d answers", answered)
			}
		}},
		{"the cache forgets after 30 seconds", func(r *room) {
			r.home(nil)
			r.scan(wsc.PasswordIDDefault)
			for _, want := range []int{1, 0} {
				if found, err := r.s.Cached(r.Context(), time.Hour); err != nil ||
					len(found) != want {
					r.Errorf("%d found, not %d (%v)", len(found), want, err)
				}
				time.Sleep(31 * time.Second)
			}
		}},
	})
}

// TestChanged checks that a driver tells each change of the interfaces, and forgets nothing while
// nobody listens.
func TestChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		radio := sim.Radio{Name: "usb0", MAC: wsc.MAC{2, 9}}
		for _, row := range []struct {
			name   string
			change func()
		}{
			{"plugged in", func() { _ = r.w.AddRadio(radio) }},
			{"blocked", func() { r.w.BlockRadio("sim0", true) }},
			{"free", func() { r.w.BlockRadio("sim0", false) }},
			{"pulled out", func() { r.w.RemoveRadio("sim1") }},
			{"both at once", func() { r.w.RemoveRadio("usb0"); _ = r.w.AddRadio(radio) }},
		} {
			row.change()
			select {
			case <-r.d.Changed():
			default:
				t.Errorf("%s, and nobody is told", row.name)
			}
			select {
			case <-r.d.Changed():
				t.Errorf("%s, and it is told twice", row.name)
			default:
			}
		}
	})
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, err := sim.New(sim.Options{Speed: 10})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.Close() }()
		s, err := d.Station(t.Context(), sim.DefaultInterface)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := s.Scan(t.Context(),
			drivers.ScanRequest{Frequencies: []int{2412}}); err != nil {
			t.Fatal(err)
		}
		// 20 ms for the link, 30 ms for the channel
		if took := time.Since(start); took != 5*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// TestStartRule pins who begins: an access point sends the first EAP frame at once only to a
// station that says that it speaks WPS 2.0, and its association response has a WSC element.
func TestStartRule(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name    string
		version wsc.Version
		wait    time.Duration // until the first frame comes by itself; 0: never
	}{
		{"a station of WPS 2.0 is asked at once", wsc.Version20, 100 * time.Millisecond},
		{"a station of WPS 1.0 is asked after its EAPOL-Start", 0, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var response []byte
				r := roomIn(t, sim.NewWorld(sim.WorldOptions{Trace: func(f sim.Frame) {
					if f.Kind == sim.AssociationResponse {
						mu.Lock()
						defer mu.Unlock()
						response = f.Body
					}
				}}))
				r.home(nil)
				req := wsc.AssociationRequest{RequestType: wsc.RequestEnrollee,
					Version2: row.version}
				link, err := r.s.Associate(r.Context(), drivers.AssociateRequest{
					BSSID: homeBSSID, SSID: []byte("home"), Frequency: 2437, Privacy: true,
					IEs: ie.AppendWSC(nil, req.Append(nil)),
				})
				if err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				data, _ := ie.WSC(response, nil)
				mu.Unlock()
				if a, err := wsc.ParseAssociationResponse(data); err != nil ||
					a.ResponseType != wsc.ResponseAP || a.Version2 != wsc.Version20 {
					t.Errorf("association response %+v, %v", a, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start := time.Now()
				_, err = link.Receive(ctx)
				if came := err == nil && time.Since(start) <= row.wait; came != (row.wait != 0) {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				if err == nil {
					return
				}
				if err := link.Send(t.Context(), []byte{2, 1, 0, 0}); err != nil {
					t.Fatal(err)
				}
				if _, err := link.Receive(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestSecurity(t *testing.T) {
	t.Parallel()
	rows := []struct {
		security sim.Security
		want     ie.Security
	}{
		{sim.Open, ie.Open}, {sim.WPA2, ie.WPA2PSK}, {sim.WPAMixed, ie.WPAPSK | ie.WPA2PSK},
		{sim.WPA2WPA3, ie.WPA2PSK | ie.SAE}, {sim.WPA3, ie.SAE},
	}
	for _, row := range rows {
		t.Run("the elements of "+row.security.String()+" say so", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(t)
				r.home(func(o *sim.APOptions) {
					if o.Security = row.security; row.security == sim.Open {
						o.Key = secret.Value{}
					}
				})
				b, _ := r.bss(homeBSSID)
				if got := ie.SecurityOf(b.IEs, b.Privacy); got != row.want {
					t.Errorf("%v, not %v", got, row.want)
				}
			})
		})
	}
}

// TestDefaultWorld walks through the story that wpsd --driver sim tells.
func TestDefaultWorld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, err := sim.New(sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := &room{T: t, w: d.World(), d: d, mac: laptop}
		defer func() { _ = d.Close() }()
		r.s = r.station(sim.DefaultInterface)

		home, label := wsc.MAC{2, 0x5a, 0, 0, 1, 0}, wsc.MAC{2, 0x5a, 0, 0, 2, 0}
		if n := len(r.scan(wsc.PasswordIDPushButton)); n != 10 {
			t.Errorf("%d BSSs", n)
		}
		time.Sleep(2 * time.Second)
		if _, a := r.bss(home); a.DevicePasswordID != wsc.PasswordIDPushButton {
			t.Error("nobody presses the button of Sim Home")
		}
		out, _ := r.enrol(home, devpass.PushButton())
		r.wantNetwork(out, "Sim Home", secret.FromString("correct horse battery"))
		out, _ = r.enrol(label, rightPIN)
		r.wantNetwork(out, "Sim Label", secret.FromString("label on the box"))
		out, _ = r.enrol(label, rightPIN)
		r.wantNetwork(out, "Sim Label", secret.FromString("label on the box"))

		for _, line := range []string{"", "# nothing", "overlap", "pin Sim Old 24681353",
			"pbc 02:5a:00:00:05:00", "cancel Sim New", "ap-pin Sim Home none", "lock Sim Old",
			"unlock Sim Old", "off Sim WPA3", "block sim0", "unblock sim0"} {
			if err := r.w.Command(line); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
		for _, line := range []string{"pbc", "pbc nobody", "dance Sim Old", "pin Sim Old 1234567",
			"pin 24681353", "block eth7", "pbc Sim Café ☕"} {
			if err := r.w.Command(line); err == nil {
				t.Errorf("%q is taken for a command", line)
			}
		}
		_, a := r.bss(wsc.MAC{2, 0x5a, 0, 0, 7, 0})
		_, b := r.bss(wsc.MAC{2, 0x5a, 0, 0, 8, 0})
		if !a.SelectedRegistrar || !b.SelectedRegistrar || a.UUIDE == b.UUIDE {
			t.Error("there is no overlap")
		}
		out, _ = r.enrol(wsc.MAC{2, 0x5a, 0, 0, 6, 0},
			devpass.FromPIN(secret.FromString("24681353")))
		r.wantNetwork(out, "Sim Old", secret.FromString("ten years old"))
	})
}

// TestControlPipe writes to the pipe as a shell would. It runs in real time, but waits for nothing
// except the pipe.
func TestControlPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "control")
	var log syncBuilder
	o := sim.Options{Control: path, Log: slog.New(slog.NewTextHandler(&log, nil))}
	d, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeNamedPipe|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	write := strings.Repeat("x",
		5000) + "\npin Sim Old 24681353\npin Sim Old 11111111\npbc Sim Old\n"
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(write); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	old := d.World().AP(wsc.MAC{2, 0x5a, 0, 0, 6, 0})
	for deadline := time.Now().Add(20 * time.Second); !old.Status().PBC; {
		if time.Now().After(deadline) {
			t.Fatal("the last command was not done in 20 s:", log.String())
		}
		time.Sleep(time.Millisecond)
	}
	if old.Status().PINs != 1 {
		t.Error("the PIN was not taken")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the pipe is still there")
	}
	if text := log.String(); strings.Contains(text, "24681353") ||
		strings.Contains(text, "11111111") || !strings.Contains(text, "line too long") {
		t.Errorf("the log: %s", text)
	}
}

func TestControlPipeElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, open, left := filepath.Join(dir, "file"), filepath.Join(dir, "open"),
		filepath.Join(dir, "left")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]uint32{open: 0o600, left: 0o600} {
		if err := syscall.Mkfifo(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o622); err != nil {
		t.Fatal(err)
	}
	for path, good := range map[string]bool{file: false, open: false, left: true,
		filepath.Join(dir, "no", "where"): false} {
		d, err := sim.New(sim.Options{Control: path})
		if (err == nil) != good {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// syncBuilder is a strings.Builder for two goroutines.
type syncBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuilder) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuilder) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestManyStations has ten stations enrol at once with a PIN each, in real goroutines: the race
// detector watches.
func TestManyStations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		ap := r.home(nil)
		var wg sync.WaitGroup
		for i := range byte(10) {
			mac := wsc.MAC{2, 0, 0, 1, 0, i}
			name := "many" + string('0'+rune(i))
			if err := r.w.AddRadio(sim.Radio{Name: name, MAC: mac}); err != nil {
				t.Fatal(err)
			}
			if err := ap.AllowPIN(sim.PINGrant{PIN: rightPIN.Value,
				UUID: wsc.UUIDFromMAC(mac)}); err != nil {
				t.Fatal(err)
			}
			one := &room{T: t, w: r.w, d: r.d, s: r.station(name), mac: mac}
			wg.Go(func() {
				out, _ := one.enrol(homeBSSID, rightPIN)
				one.wantNetwork(out, "home", passphrase)
			})
		}
		wg.Wait()
		if n := ap.Status().PINs; n != 0 {
			t.Errorf("%d PINs are left", n)
		}
	})
}
