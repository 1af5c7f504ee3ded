//go:build hwsim

package hwsim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

const agentPath = godbus.ObjectPath("/scenario/agent")

// agent is a program that takes credentials from wpsd.
type agent struct {
	*client
	got      *record[delivery]
	released chan struct{}
	answer   func() *godbus.Error // nil: it takes everything
}

// delivery is one call.
type delivery struct {
	session    godbus.ObjectPath
	credential credential
	raw        []byte
}

// agent connects a program and registers it.
func (d *daemon) agent(answer func() *godbus.Error) *agent {
	d.w.t.Helper()
	a := &agent{client: d.w.connect(), got: newRecord[delivery](), released: make(chan struct{}, 1),
		answer: answer}
	methods := map[string]any{"CredentialReceived": a.credentialReceived, "Release": a.release}
	d.w.must(a.conn.ExportMethodTable(methods, agentPath, busName+".CredentialAgent"))
	a.mustCall(rootPath, "Manager.RegisterCredentialAgent", agentPath)
	return a
}

func (a *agent) credentialReceived(session godbus.ObjectPath, m map[string]godbus.Variant,
	raw []byte) *godbus.Error {
	a.got.add(delivery{session, newCredential(m), raw})
	if a.answer != nil {
		return a.answer()
	}
	return nil
}

func (a *agent) release() *godbus.Error {
	a.released <- struct{}{}
	return nil
}

// gets waits for a number of calls.
func (a *agent) gets(n int) []delivery {
	a.w.t.Helper()
	a.w.until(fmt.Sprintf("the agent is called %d times", n), 10*time.Second, func() bool {
		return a.got.len() >= n
	})
	if got := a.got.len(); got != n {
		a.w.t.Fatalf("the agent was called %d times, want %d", got, n)
	}
	return a.got.all(0)
}

// endsWithoutANetwork waits for a good end of a session that stores nothing.
func (s *session) endsWithoutANetwork() {
	s.d.w.t.Helper()
	if o := s.end(oneRun); o.reason != "" || len(o.networks) != 0 {
		s.d.w.t.Fatalf("the session ended with %+v", o)
	}
	if n := s.d.networks(); len(n) != 0 {
		s.d.w.t.Errorf("stored are %v", n)
	}
}

// waiting checks how many credentials wait for an agent.
func (d *daemon) waiting(n uint32) {
	d.w.t.Helper()
	if got := d.property(rootPath, "Manager", "WaitingCredentials"); got != n {
		d.w.t.Errorf("%v credentials wait, want %d", got, n)
	}
}

// storesNothing looks for a key in every file of the state directory, as text and as hex digits.
func (w *world) storesNothing(key string) {
	w.t.Helper()
	w.must(filepath.Walk(w.stateDir(), func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(key)) ||
			bytes.Contains(bytes.ToLower(text), fmt.Appendf(nil, "%x", key)) ||
			strings.Contains(path, "network") {
			w.t.Errorf("%s holds a network", path)
		}
		return err
	}))
}

// witness lets a real wpa_supplicant enrol on the radio that wpsd uses later, and returns the
// Credential attributes that it tells external programs of.
func (w *world) witness(a *hostapd, count int) [][]byte {
	w.t.Helper()
	s := w.startSupplicant(station, "wps_cred_processing=1")
	defer s.stop()
	a.mustOK("WPS_PBC")
	s.mustOK("WPS_PBC")
	var list [][]byte
	s.wait(0, "WPS-SUCCESS", oneRun)
	for _, e := range s.events.all(0) {
		if digits, ok := strings.CutPrefix(e.text, "WPS-CRED-RECEIVED "); ok {
			raw, err := hex.DecodeString(strings.TrimSpace(digits))
			w.must(err)
			list = append(list, raw)
		}
	}
	if len(list) != count {
		w.t.Fatalf("wpa_supplicant told of %d credentials, want %d", len(list), count)
	}
	return list
}

// tlv is one attribute.
func tlv(id uint16, value string) []byte {
	return append([]byte{byte(id >> 8), byte(id), byte(len(value) >> 8),
		byte(len(value))}, value...)
}

// TestExternalProcessingGivesEveryAttributeAsItCame: the access point sends its own network and two
// more of which one has an attribute that nobody knows and the other is for an enterprise network.
// An agent gets all three, each with the very bytes that a real wpa_supplicant gets from this
// access point, and nothing is stored.
func TestExternalProcessingGivesEveryAttributeAsItCame(t *testing.T) {
	w := newWorld(t)
	mac, err := hex.DecodeString(strings.ReplaceAll(w.mac(station), ":", ""))
	w.must(err)
	more := func(ssid, auth, key string, extra []byte) []byte {
		return tlv(0x100e, string(bytes.Join([][]byte{
			tlv(0x1026, "\x01"), tlv(0x1045, ssid), tlv(0x1003, auth), tlv(0x100f, "\x00\x08"),
			tlv(0x1027, key), tlv(0x1020, string(mac)), extra,
		}, nil)))
	}
	own := more(testSSID, "\x00\x20", testPassphrase, nil)
	odd := more("second", "\x00\x20", "another passphrase", tlv(0x1fff, "whatever this is"))
	office := more("office", "\x00\x10", "", nil)
	extra := w.write("extra-cred", string(odd)+string(office))
	a := w.startAP(ap{extra: []string{"extra_cred=" + extra}})
	theirs := w.witness(a, 3)

	d := w.startDaemon("wps_cred_processing=1")
	agent := d.agent(nil)
	a.mustOK("WPS_PBC")
	s := d.startPBC()
	s.endsWithoutANetwork()
	got := agent.gets(3)
	for i, want := range [][]byte{own, odd, office} {
		if !bytes.Equal(theirs[i], want) {
			t.Errorf("number %d: wpa_supplicant got %x, hostapd has %x", i, theirs[i], want)
		}
		if !bytes.Equal(got[i].raw, theirs[i]) {
			t.Errorf("number %d: the agent got %x, wpa_supplicant %x", i, got[i].raw, theirs[i])
		}
		if got[i].session != s.path {
			t.Errorf("number %d is of %s", i, got[i].session)
		}
	}
	a.gives(got[0].credential)
	if c := got[1].credential; string(c.ssid) != "second" || string(c.key) != "another passphrase" {
		t.Errorf("the second is %v", c)
	}
	// The owner of the session has them as well.
	var signalled [][]byte
	for _, g := range s.owner.signals.all(s.from) {
		if g.Name == busName+".Session.CredentialReceived" {
			signalled = append(signalled, g.Body[1].([]byte))
		}
	}
	if !slices.EqualFunc(signalled, theirs, bytes.Equal) {
		t.Errorf("the owner got the signals %x", signalled)
	}
	body := d.mustCall(s.path, "Session.GetCredentials")
	if all := body[0].([]map[string]godbus.Variant); len(all) != 2 {
		t.Errorf("GetCredentials has %d", len(all))
	} else {
		a.gives(newCredential(all[0]))
	}
	d.waiting(0)
	w.storesNothing(testPassphrase)
	w.connects(station, got[0].credential, a)
}

// TestCredentialWaitsForAnAgentThatTakesIt: there is none, then one that refuses, then one that is
// killed in the middle, then one that takes it. Everybody else hears nothing.
func TestCredentialWaitsForAnAgentThatTakesIt(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon("wps_cred_processing=1")
	spy := w.connect()
	a.mustOK("WPS_PBC")
	d.startPBC().endsWithoutANetwork()
	d.waiting(1)

	refusing := d.agent(func() *godbus.Error {
		return godbus.NewError("org.example.No", []any{"not now"})
	})
	refusing.gets(1)
	d.waiting(1)
	w.must(refusing.conn.Close())

	stuck := make(chan struct{})
	defer close(stuck)
	dying := d.agent(func() *godbus.Error { <-stuck; return nil })
	dying.gets(1)
	w.must(dying.conn.Close())
	d.waiting(1)

	taking := d.agent(nil)
	a.gives(taking.gets(1)[0].credential)
	w.until("nothing waits", 5*time.Second, func() bool {
		return d.property(rootPath, "Manager", "WaitingCredentials") == uint32(0)
	})
	d.agent(nil).gets(0)
	for _, g := range spy.signals.all(0) {
		if strings.Contains(fmt.Sprintf("%q", g.Body), testPassphrase) {
			t.Errorf("%s told everybody the key", g.Name)
		}
	}

	// What is not taken ends with the daemon, which says so; agents are released.
	taking.mustCall(rootPath, "Manager.UnregisterCredentialAgent", agentPath)
	<-taking.released
	d.stop()
	d = w.startDaemonAgain("wps_cred_processing=1")
	d.waiting(0)
	w.storesNothing(testPassphrase)
}

// TestBothWaysOfProcessing: the mode is changed while wpsd runs, and wpsctl is the agent.
func TestBothWaysOfProcessing(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	w.must(d.conn.Object(busName, rootPath).SetProperty(busName+".Manager.CredentialProcessing",
		godbus.MakeVariant("both")))
	a.mustOK("WPS_PBC")
	a.gives(d.startPBC().succeeds(oneRun)) // it is stored
	d.waiting(1)
	r := w.run("/in/wpsctl", "agent", "--once")
	if r.status != 0 || !strings.Contains(r.stdout, testPassphrase) {
		t.Errorf("wpsctl agent: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	d.waiting(0)
	if len(d.networks()) != 1 {
		t.Errorf("stored are %v", d.networks())
	}
}

// TestUpdateConfig0ForgetsEverything: a network is there until wpsd ends, and nothing is written.
func TestUpdateConfig0ForgetsEverything(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon("update_config=0")
	a.mustOK("WPS_PBC")
	a.gives(d.startPBC().succeeds(oneRun))
	d.mustCall(rootPath, "Manager.AddNetwork",
		options("ssid", []byte("cabin"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte("secret of the cabin")))
	if n := d.networks(); len(n) != 2 {
		t.Errorf("stored are %v", n)
	}
	if !strings.Contains(d.output(), "update_config=0") {
		t.Error("the log does not say that networks are forgotten")
	}
	d.stop()
	w.must(filepath.WalkDir(w.stateDir(), func(path string, e fs.DirEntry, err error) error {
		// What is owed to an interface while a session has it is another matter, and paid by now.
		if err == nil && !e.IsDir() {
			t.Errorf("written was %s", path)
		}
		return err
	}))
	d = w.startDaemonAgain("update_config=0")
	if n := d.networks(); len(n) != 0 {
		t.Errorf("after a restart there are %v", n)
	}
	d.stillWorks(a)
}
