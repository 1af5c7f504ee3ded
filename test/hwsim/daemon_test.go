//go:build hwsim

package hwsim

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// daemon is a running wpsd with one client on its bus.
type daemon struct {
	w *world
	*process
	*client
	radio string
	wasUp bool // how the radio was when wpsd started, and has to be again after each session
	wired bool // there is no radio
}

// startDaemon starts a bus and wpsd for the station, with the given lines as its configuration.
func (w *world) startDaemon(config ...string) *daemon {
	w.t.Helper()
	w.startBus()
	return w.startDaemonAgain(config...)
}

// startDaemonAgain starts wpsd on the bus that is there, with the state that an earlier one left.
func (w *world) startDaemonAgain(config ...string) *daemon {
	w.t.Helper()
	return w.startDaemonOn(station, config...)
}

// startDaemonOn starts wpsd for a radio, on the bus that is there.
func (w *world) startDaemonOn(radio string, config ...string) *daemon {
	w.t.Helper()
	if _, err := os.Stat("/in/wpsd"); err != nil {
		w.t.Skip("wpsd was not built: run test/hwsim/run")
	}
	file := w.write("wpsd.conf", strings.Join(config, "\n")+"\n")
	d := &daemon{w: w, radio: radio, wasUp: w.isUp(radio)}
	d.process = w.startWpsd(file, "--driver", "nl80211", "--interface", radio)
	w.t.Cleanup(d.leaksNothing)
	d.client = w.connect()
	d.shows()
	d.isConfined()
	return d
}

// restore runs wpsd --restore, as a unit does after wpsd has ended.
func (w *world) restore() {
	w.t.Helper()
	r := w.runWpsd(filepath.Join(w.dir, "wpsd.conf"), "--restore")
	if r.status != 0 {
		w.t.Errorf("wpsd --restore: status %d: %s", r.status, r.stderr)
	}
}

// shows waits until wpsd has its interface on the bus.
func (d *daemon) shows() {
	w := d.w
	w.t.Helper()
	w.until("wpsd shows its interface on the bus", 15*time.Second, func() bool {
		if !d.running() {
			w.t.Fatalf("wpsd ended early:\n%s", tail(d.output(), 20))
		}
		v, err := d.conn.Object(busName, rootPath).GetProperty(busName + ".Manager.Interfaces")
		if err != nil {
			return false
		}
		paths, _ := v.Value().([]godbus.ObjectPath)
		return len(paths) == 1 && paths[0] == d.iface()
	})
}

// leaksNothing looks for keys and PINs of the scenarios in what wpsd has logged, which none of them
// may be in.
func (d *daemon) leaksNothing() {
	upnp, _ := os.ReadFile(upnpLog)
	for _, secret := range []string{testPassphrase, testPSK, labelPIN,
		fmt.Sprintf("%x", testPassphrase)} {
		if strings.Contains(d.output()+string(upnp), secret) {
			d.w.t.Errorf("wpsd's log has the secret %q", secret)
		}
	}
}

// iface is the object of the station.
func (d *daemon) iface() godbus.ObjectPath {
	return rootPath + "/interfaces/" + godbus.ObjectPath(d.radio)
}

// session is one WPS run as its owner sees it.
type session struct {
	d     *daemon
	owner *client
	path  godbus.ObjectPath
	pin   string
	from  int       // position in the owner's signals when it was started
	began time.Time // when the call was made
}

// startPBC calls StartPbc with the options, which are alternating names and values.
func (d *daemon) startPBC(pairs ...any) *session {
	d.w.t.Helper()
	return d.begin(d.client, "StartPbc", pairs...)
}

// startPIN calls StartPin; the PIN in use is in the session.
func (d *daemon) startPIN(pairs ...any) *session {
	d.w.t.Helper()
	return d.begin(d.client, "StartPin", pairs...)
}

func (d *daemon) begin(owner *client, method string, pairs ...any) *session {
	d.w.t.Helper()
	return d.call(owner, method, options(pairs...))
}

// call calls a method of the interface that starts a session, with these arguments.
func (d *daemon) call(owner *client, method string, args ...any) *session {
	d.w.t.Helper()
	s := &session{d: d, owner: owner, from: owner.signals.len(), began: time.Now()}
	body := owner.mustCall(d.iface(), "Interface."+method, args...)
	if took := time.Since(s.began); took > time.Second {
		d.w.t.Errorf("%s took %v: it must not wait for the run", method, took)
	}
	s.path = body[0].(godbus.ObjectPath)
	if len(body) > 1 {
		s.pin = body[1].(string)
	}
	return s
}

// outcome is what Succeeded or Failed said.
type outcome struct {
	networks    []godbus.ObjectPath // of Succeeded; nil for Failed
	reason      string
	configError uint16
	sentence    string
	at          time.Time
}

// end waits for the session's end, and until the interface is as it was before.
func (s *session) end(timeout time.Duration) outcome {
	s.d.w.t.Helper()
	got := s.owner.wait(s.from, timeout, "end of the session", func(g signal) bool {
		return g.Path == s.path &&
			(g.Name == busName+".Session.Succeeded" || g.Name == busName+".Session.Failed")
	})
	o := outcome{at: got.at}
	if strings.HasSuffix(got.Name, "Succeeded") {
		o.networks = got.Body[0].([]godbus.ObjectPath)
	} else {
		o.reason, o.configError, o.sentence = got.Body[0].(string), got.Body[1].(uint16),
			got.Body[2].(string)
	}
	s.d.givenBack()
	return o
}

// givenBack checks that the interface is not associated any more, and up or down as it was.
func (d *daemon) givenBack() {
	d.w.t.Helper()
	if d.wired {
		return
	}
	d.w.until("the interface is given back as it was", 3*time.Second, func() bool {
		return !d.w.isAssociated(d.radio) && d.w.isUp(d.radio) == d.wasUp
	})
}

// succeeds waits for a good end and returns the one Credential, as GetCredentials has it. On the
// way it checks all that a good end means on the bus.
func (s *session) succeeds(timeout time.Duration) credential {
	t := s.d.w.t
	t.Helper()
	o := s.end(timeout)
	if o.networks == nil {
		t.Fatalf("the session failed: %s (configuration error %d): %s", o.reason,
			o.configError, o.sentence)
	}
	if len(o.networks) != 1 {
		t.Fatalf("%d networks, want 1", len(o.networks))
	}
	if state := s.property("State"); state != "succeeded" {
		t.Errorf("State %q after Succeeded", state)
	}
	body := s.owner.mustCall(s.path, "Session.GetCredentials")
	all := body[0].([]map[string]godbus.Variant)
	if len(all) != 1 {
		t.Fatalf("%d credentials, want 1", len(all))
	}
	c := newCredential(all[0])

	// The signal to the owner carries the same, and the attribute as it came.
	received := s.owner.wait(s.from, time.Second, "CredentialReceived", func(g signal) bool {
		return g.Path == s.path && g.Name == busName+".Session.CredentialReceived"
	})
	if told := newCredential(received.Body[0].(map[string]godbus.Variant)); !told.equal(c) {
		t.Errorf("CredentialReceived has %v, GetCredentials %v", told, c)
	}
	if raw := received.Body[1].([]byte); len(raw) < 4 || raw[0] != 0x10 || raw[1] != 0x0e {
		t.Errorf("raw is not a Credential attribute: %x", raw)
	}
	if ssid := s.owner.property(o.networks[0], "Network",
		"Ssid").([]byte); !bytes.Equal(ssid, c.ssid) {
		t.Errorf("network has SSID %q, credential %q", ssid, c.ssid)
	}
	return c
}

// fails waits for a bad end with one of the reasons.
func (s *session) fails(timeout time.Duration, reasons ...string) outcome {
	t := s.d.w.t
	t.Helper()
	o := s.end(timeout)
	if o.networks != nil {
		t.Fatalf("the session succeeded, want %v", reasons)
	}
	for _, r := range reasons {
		if o.reason == r {
			if o.sentence == "" {
				t.Errorf("%s comes without a sentence", r)
			}
			return o
		}
	}
	t.Fatalf("the session failed with %s (configuration error %d, %q), want %v", o.reason,
		o.configError, o.sentence, reasons)
	return o
}

func (s *session) property(name string) any {
	s.d.w.t.Helper()
	return s.owner.property(s.path, "Session", name)
}

// reaches waits until a property of the session has one of the values.
func (s *session) reaches(name string, timeout time.Duration, values ...string) {
	s.d.w.t.Helper()
	s.d.w.until("the session's "+name+" is one of "+strings.Join(values, ", "), timeout,
		func() bool {
			got := s.property(name)
			for _, v := range values {
				if got == v {
					return true
				}
			}
			return false
		})
}

// detail is the property Detail.
func (s *session) detail() map[string]godbus.Variant {
	s.d.w.t.Helper()
	return s.property("Detail").(map[string]godbus.Variant)
}

func networkPathsOf(g signal) []godbus.ObjectPath { return g.Body[0].([]godbus.ObjectPath) }
