package nmagent

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus/managertest"
	"wpsd/test/hostile"
	"wpsd/test/testbus"
)

const (
	home       = "home"
	passphrase = "correct horse battery"
	ifacePath  = wpsdPath + "/interfaces/wlan0"
	session    = wpsdPath + "/sessions/7"
	profile    = managerPath + "/Settings/3"
)

// house is a bus with NetworkManager, wpsd and logind, played as they were seen to behave. It is no
// proof that the real ones do so: those are in test/hwsim.
type house struct {
	*testing.T
	server              *testbus.Bus
	manager, wps, login *managertest.Manager
	agent               Agent
	events              chan Event
	log                 *syncBuffer
	credentials         []map[string]godbus.Variant
	options             chan map[string]godbus.Variant // of StartPbc
	canceled            chan godbus.ObjectPath         // sessions
	registered          chan string                    // identifiers
	scans               atomic.Int32
	reads               chan struct{} // the agent reads signals once it is closed; nil: at once
}

// syncBuffer is a log that two goroutines use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// inHouse plays everybody, and runs the agent until the test ends.
func inHouse(t *testing.T, change func(*house)) *house {
	t.Helper()
	h := &house{T: t, manager: &managertest.Manager{}, wps: &managertest.Manager{},
		login: &managertest.Manager{}, events: make(chan Event, 64), log: &syncBuffer{},
		options:    make(chan map[string]godbus.Variant, 8),
		canceled:   make(chan godbus.ObjectPath, 8),
		registered: make(chan string, 8)}
	h.furnish()
	if change != nil {
		change(h)
	}
	_, h.server = managertest.StartOn(t, map[string]*managertest.Manager{networkManager: h.manager,
		wpsd: h.wps, loginManager: h.login})
	h.agent.OnEvent = func(e Event) {
		h.events <- e
		if e.Kind == Registered && h.reads != nil {
			<-h.reads
		}
	}
	h.agent.Log = slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = h.agent.Run(ctx, h.server.Address)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if strings.Contains(h.log.String(), passphrase) {
			t.Error("the log has the key")
		}
	})
	return h
}

// furnish puts into the house what is usually there.
func (h *house) furnish() {
	active := managerPath + "/ActiveConnection/1"
	device := managerPath + "/Devices/2"
	h.manager.Put(managerPath, networkManager, "ActiveConnections", []godbus.ObjectPath{active})
	h.manager.Put(active, networkManager+".Connection.Active", "Connection", profile)
	h.manager.Put(active, networkManager+".Connection.Active", "Devices",
		[]godbus.ObjectPath{device})
	h.manager.Put(device, networkManager+".Device", "Interface", "wlan0")
	h.manager.Methods = map[string]managertest.Method{
		registryIface + ".Register": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			h.registered <- args[0].(string)
			return nil, nil
		},
	}
	h.wps.Put(ifacePath, interfaceIface, "Name", "wlan0")
	h.wps.Put(ifacePath, interfaceIface, "Mode", "station")
	h.hears("02:00:00:00:00:01", home)
	h.wps.Put(session, sessionIface, "State", "scanning")
	h.wps.Put(session, sessionIface, "Reason", "")
	h.credentials = []map[string]godbus.Variant{credential(home, passphrase)}
	h.wps.Methods = map[string]managertest.Method{
		interfaceIface + ".StartPbc": func(_ godbus.ObjectPath, args []any) ([]any, error) {
			h.options <- args[0].(map[string]godbus.Variant)
			return []any{session}, nil
		},
		"org.freedesktop.DBus.Properties.GetAll": func(path godbus.ObjectPath,
			args []any) ([]any, error) {
			all := map[string]godbus.Variant{}
			for name, v := range h.wps.Objects[path][args[0].(string)] {
				all[name] = godbus.MakeVariant(v)
			}
			return []any{all}, nil
		},
		sessionIface + ".GetCredentials": func(godbus.ObjectPath, []any) ([]any, error) {
			return []any{h.credentials}, nil
		},
		sessionIface + ".Cancel": func(path godbus.ObjectPath, _ []any) ([]any, error) {
			h.canceled <- path
			return nil, nil
		},
	}
	h.login.Put(loginUser, loginManager+".User", "Sessions", []struct {
		ID   string
		Path godbus.ObjectPath
	}{{"4", "/org/freedesktop/login1/session/_34"}})
	h.sits(true, "seat0")
}

// hears has wpsd hear an access point with WPS.
func (h *house) hears(bssid, ssid string) {
	path := ifacePath + "/aps/" + godbus.ObjectPath(strings.ReplaceAll(bssid, ":", "_"))
	h.wps.Put(path, accessPointIface, "Bssid", bssid)
	h.wps.Put(path, accessPointIface, "Ssid", []byte(ssid))
	h.wps.Put(path, accessPointIface, "Flags", "WPS")
}

// sits says what logind knows of the user's session.
func (h *house) sits(active bool, seat string) {
	const path = "/org/freedesktop/login1/session/_34"
	h.login.Put(path, loginManager+".Session", "Active", active)
	h.login.Put(path, loginManager+".Session", "Seat", struct {
		ID   string
		Path godbus.ObjectPath
	}{seat, "/org/freedesktop/login1/seat/seat0"})
}

func credential(ssid, key string) map[string]godbus.Variant {
	return map[string]godbus.Variant{"ssid": godbus.MakeVariant([]byte(ssid)),
		"key": godbus.MakeVariant([]byte(key)), "key-kind": godbus.MakeVariant("passphrase"),
		"wifi-uri": godbus.MakeVariant("WIFI:S:" + ssid + ";P:" + key + ";;")}
}

// connection is a profile without its key.
func connection(change func(settings)) settings {
	s := settings{
		"connection": {"id": godbus.MakeVariant(home)},
		wireless:     {"ssid": godbus.MakeVariant([]byte(home))},
		wirelessSecurity: {"key-mgmt": godbus.MakeVariant("wpa-psk"),
			"wps-method": godbus.MakeVariant(uint32(1))},
	}
	if change != nil {
		change(s)
	}
	return s
}

// next waits for an event of this kind.
func (h *house) next(kind EventKind) Event {
	h.Helper()
	for {
		select {
		case e := <-h.events:
			if e.Kind == kind {
				return e
			}
		case <-time.After(20 * time.Second):
			h.Fatalf("no event %s", kind)
		}
	}
}

// asks has NetworkManager ask for the key, once the agent is known to it.
func (h *house) asks(s settings, setting string, flags uint32) *godbus.Call {
	h.Helper()
	return h.agentObject().Go(agentIface+".GetSecrets", 0, nil, s, profile, setting,
		[]string{"psk"}, flags)
}

// agentObject is what NetworkManager calls.
func (h *house) agentObject() godbus.BusObject {
	h.manager.Lock()
	defer h.manager.Unlock()
	return h.manager.Conn().Object(h.manager.Sender, agentPath)
}

// ends has wpsd's session end.
func (h *house) ends(signal string, values ...any) {
	h.Helper()
	if err := h.wps.Conn().Emit(session, sessionIface+"."+signal, values...); err != nil {
		h.Fatal(err)
	}
}

// answered waits for the answer to a question: the key, or the name of the error.
func (h *house) answered(c *godbus.Call) (key, failed, text string) {
	h.Helper()
	select {
	case <-c.Done:
	case <-time.After(20 * time.Second):
		h.Fatal("no answer")
	}
	if e, ok := c.Err.(godbus.Error); ok {
		return "", strings.TrimPrefix(e.Name, agentIface+"."), e.Error()
	}
	var s settings
	if err := c.Store(&s); err != nil {
		h.Fatal(err)
	}
	key, _ = s[wirelessSecurity]["psk"].Value().(string)
	return key, "", ""
}

// A button is pressed, and NetworkManager gets the key: beside its own connection, from the access
// point of that network.
func TestNetworkManagerGetsTheKey(t *testing.T) {
	t.Parallel()
	h := inHouse(t, nil)
	h.next(Registered)
	if id := <-h.registered; id != Identifier {
		t.Errorf("registered as %q", id)
	}
	c := h.asks(connection(nil), wirelessSecurity, allowInteraction|userRequested)
	if e := h.next(Waiting); string(e.SSID) != home || e.Interface != "wlan0" ||
		e.Session != session {
		t.Errorf("the event is %+v", e)
	}
	o := <-h.options
	if o["beside-only"].Value() != true || o["apply"].Value() != "none" ||
		o["bssid"].Value() != "02:00:00:00:00:01" || len(o) != 3 {
		t.Errorf("the options are %v", o)
	}
	h.ends("Succeeded", []godbus.ObjectPath{})
	if key, failed, text := h.answered(c); key != passphrase {
		t.Errorf("the answer is %q, %s: %s", key, failed, text)
	}
	h.next(Answered)
}

// TestQuestions: what is asked, what is there, and what comes of it.
func TestQuestions(t *testing.T) {
	t.Parallel()
	const asked = allowInteraction | userRequested
	set := func(setting, property string, value any) func(settings) {
		return func(s settings) { s[setting][property] = godbus.MakeVariant(value) }
	}
	for _, c := range []struct {
		name    string
		house   func(*house)
		profile func(settings)
		flags   uint32
		setting string
		end     func(*house) // of wpsd's session; nil: none begins
		waiting func(Event)  // what is made of the question; nil: nothing
		key     string
		failed  string
		says    string
	}{
		{name: "nobody may be asked", flags: userRequested, failed: "NoSecrets", says: "nobody"},
		{name: "NetworkManager runs push button itself", flags: asked | ownPushButton,
			failed: "NoSecrets", says: "itself"},
		{name: "NetworkManager connects by itself", flags: allowInteraction, failed: "NoSecrets",
			says: "by itself"},
		{name: "NetworkManager connects by itself, and the agent is unattended",
			house: func(h *house) { h.agent.Unattended = true }, flags: allowInteraction,
			end: func(h *house) { h.ends("Succeeded", []godbus.ObjectPath{}) }, key: passphrase},
		{name: "another setting", setting: "802-1x", flags: asked, failed: "NoSecrets",
			says: "not about"},
		{name: "an enterprise network", profile: set(wirelessSecurity, "key-mgmt", "wpa-eap"),
			flags: asked, failed: "NoSecrets", says: "share"},
		{name: "a profile of another type", profile: set(wirelessSecurity, "key-mgmt", uint32(7)),
			flags: asked, failed: "NoSecrets", says: "share"},
		{name: "no SSID", profile: set(wireless, "ssid", []byte{}), flags: asked,
			failed: "NoSecrets", says: "names no network"},
		{name: "an SSID that is too long", profile: set(wireless, "ssid", make([]byte, 33)),
			flags: asked, failed: "NoSecrets", says: "names no network"},
		{name: "a hotspot of this computer", profile: set(wireless, "mode", "ap"), flags: asked,
			failed: "NoSecrets", says: "hotspot"},
		{name: "a key that a keyring keeps",
			profile: set(wirelessSecurity, "psk-flags", uint32(1)), flags: asked,
			failed: "NoSecrets", says: "keyring"},
		{name: "nobody's session is active", house: func(h *house) { h.sits(false, "seat0") },
			flags: asked, failed: "NoSecrets", says: "Nobody is at"},
		{name: "the session is not at a seat", house: func(h *house) { h.sits(true, "") },
			flags: asked, failed: "NoSecrets", says: "Nobody is at"},
		{name: "no seat but a terminal", house: func(h *house) {
			h.sits(true, "")
			h.agent.Terminal = true
		}, flags: asked, end: func(h *house) { h.ends("Succeeded", []godbus.ObjectPath{}) },
			key: passphrase},
		{name: "the network has no WPS", house: func(h *house) {
			h.wps.Objects[ifacePath+"/aps/02_00_00_00_00_01"] = nil
			h.hears("02:00:00:00:00:02", "neighbour")
			h.wps.Methods[interfaceIface+".Scan"] = func(godbus.ObjectPath, []any) ([]any, error) {
				h.scans.Add(1)
				return nil, h.wps.Conn().Emit(ifacePath, interfaceIface+".ScanDone", true)
			}
		}, flags: asked, failed: "NoSecrets", says: "does not offer WPS"},
		{name: "the network is heard in a look around", house: func(h *house) {
			h.wps.Objects[ifacePath+"/aps/02_00_00_00_00_01"] = nil
			h.wps.Methods[interfaceIface+".Scan"] = func(godbus.ObjectPath, []any) ([]any, error) {
				h.hears("02:00:00:00:00:01", home)
				return nil, h.wps.Conn().Emit(ifacePath, interfaceIface+".ScanDone", true)
			}
		}, flags: asked, end: func(h *house) { h.ends("Succeeded", []godbus.ObjectPath{}) },
			key: passphrase},
		{name: "an access point that cannot be used", house: func(h *house) {
			h.wps.Put(ifacePath+"/aps/02_00_00_00_00_01", accessPointIface, "Usable", false)
			h.wps.Methods[interfaceIface+".Scan"] = func(godbus.ObjectPath, []any) ([]any, error) {
				return nil, h.wps.Conn().Emit(ifacePath, interfaceIface+".ScanDone", true)
			}
		}, flags: asked, failed: "NoSecrets", says: "does not offer WPS"},
		{name: "the button of another network", house: func(h *house) {
			h.credentials = []map[string]godbus.Variant{credential("neighbour", "not for here")}
		}, flags: asked, end: func(h *house) { h.ends("Succeeded", []godbus.ObjectPath{}) },
			failed: "NoSecrets", says: "neighbour"},
		{name: "several networks, and one of them", house: func(h *house) {
			h.credentials = append([]map[string]godbus.Variant{credential("guests", "not this")},
				h.credentials...)
		}, flags: asked, end: func(h *house) { h.ends("Succeeded", []godbus.ObjectPath{}) },
			key: passphrase},
		{name: "a key that NetworkManager cannot take", house: func(h *house) {
			h.credentials = []map[string]godbus.Variant{credential(home, "eight\x7fby")}
		}, flags: asked, end: func(h *house) { h.ends("Succeeded", []godbus.ObjectPath{}) },
			failed: "NoSecrets", says: "no key"},
		{name: "nobody presses", flags: asked, end: func(h *house) {
			h.ends("Failed", "walk-time-expired", uint16(16), "No button was pressed.")
		}, failed: "NoSecrets", says: "No button was pressed."},
		{name: "somebody cancels the session", flags: asked, end: func(h *house) {
			h.ends("Failed", "canceled", uint16(0), "The session was canceled.")
		}, failed: "UserCanceled", says: "canceled"},
		{name: "somebody rather types the key", flags: asked, waiting: func(e Event) {
			e.Decline()
		},
			failed: "NoSecrets", says: "No button"},
		{name: "somebody gives up", flags: asked, waiting: func(e Event) { e.Cancel() },
			failed: "UserCanceled", says: "canceled"},
		{name: "wpsd refuses", house: func(h *house) {
			h.wps.Methods[interfaceIface+".StartPbc"] = func(godbus.ObjectPath,
				[]any) ([]any, error) {
				return nil, godbus.NewError(wpsd+".Error.Busy", []any{"A session runs."})
			}
		}, flags: asked, failed: "NoSecrets", says: "A session runs."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := inHouse(t, c.house)
			h.next(Registered)
			setting := wirelessSecurity
			if c.setting != "" {
				setting = c.setting
			}
			call := h.asks(connection(c.profile), setting, c.flags)
			if c.end != nil {
				h.next(Waiting)
				c.end(h)
			}
			if c.waiting != nil {
				c.waiting(h.next(Waiting))
			}
			key, failed, text := h.answered(call)
			if key != c.key || failed != c.failed || !strings.Contains(text, c.says) {
				t.Errorf("the answer is %q, %s: %q", key, failed, text)
			}
			if n := h.scans.Load(); n > 1 {
				t.Errorf("%d scans", n)
			}
		})
	}
}

// What the agent reads late of who owned wpsd's name before its session began, or while that did,
// is not the end of the session: a wpsd that nobody needed has left, and the call has started the
// next one; or it was called in the moment in which it gave its name back, and took it again.
func TestTheNameOfTheServiceIsReadLate(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(h *house) (answers *managertest.Manager){
		"a former wpsd has left": func(h *house) *managertest.Manager {
			h.releases()
			next := &managertest.Manager{Objects: h.wps.Objects, Methods: h.wps.Methods}
			next.Play(h.T, h.server, wpsd)
			return next
		},
		"this one has its name again": func(h *house) *managertest.Manager {
			start := h.wps.Methods[interfaceIface+".StartPbc"]
			h.wps.Answer(interfaceIface+".StartPbc", func(path godbus.ObjectPath,
				args []any) ([]any, error) {
				h.releases()
				if _, err := h.wps.Conn().RequestName(wpsd, 0); err != nil {
					return nil, err
				}
				return start(path, args)
			})
			return h.wps
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			h := inHouse(t, func(h *house) { h.reads = release })
			h.next(Registered) // from here on the agent reads no signal
			answers := move(h)
			c := h.asks(connection(nil), wirelessSecurity, allowInteraction|userRequested)
			h.next(Waiting)
			close(release)
			if err := answers.Conn().Emit(session, sessionIface+".Succeeded",
				[]godbus.ObjectPath{}); err != nil {
				t.Fatal(err)
			}
			if key, failed, text := h.answered(c); key != passphrase {
				t.Errorf("the answer is %q, %s: %s", key, failed, text)
			}
		})
	}
}

// A wpsd that leaves takes its session with it.
func TestTheServiceLeaves(t *testing.T) {
	t.Parallel()
	h := inHouse(t, nil)
	h.next(Registered)
	c := h.asks(connection(nil), wirelessSecurity, allowInteraction|userRequested)
	h.next(Waiting)
	h.releases()
	if _, failed, text := h.answered(c); failed != "NoSecrets" ||
		!strings.Contains(text, "stopped") {
		t.Errorf("the answer is %s: %s", failed, text)
	}
}

// releases has wpsd give its name back.
func (h *house) releases() {
	if _, err := h.wps.Conn().ReleaseName(wpsd); err != nil {
		h.Error(err)
	}
}

// NetworkManager does not want the key any more: the session ends.
func TestCanceledQuestionEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(*house){
		"by its word": func(h *house) {
			h.agentObject().Go(agentIface+".CancelGetSecrets", 0, nil, profile, wirelessSecurity)
		},
		"by its end": func(h *house) { _, _ = h.manager.Conn().ReleaseName(networkManager) },
		"by the same question": func(h *house) {
			h.asks(connection(nil), wirelessSecurity, allowInteraction|userRequested)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := inHouse(t, nil)
			h.next(Registered)
			c := h.asks(connection(nil), wirelessSecurity, allowInteraction|userRequested)
			h.next(Waiting)
			cancel(h)
			if _, failed, _ := h.answered(c); failed != "AgentCanceled" {
				t.Errorf("the answer is %s", failed)
			}
			if path := <-h.canceled; path != session {
				t.Errorf("canceled is %s", path)
			}
		})
	}
}

// A NetworkManager that is restarted knows nobody: the agent registers again. One that has an agent
// of this kind already is told of, and nothing is asked here.
func TestRegistersAgain(t *testing.T) {
	t.Parallel()
	h := inHouse(t, nil)
	h.next(Registered)
	<-h.registered
	if _, err := h.manager.Conn().ReleaseName(networkManager); err != nil {
		t.Fatal(err)
	}
	h.next(Left)
	h.manager.Answer(registryIface+".Register", func(godbus.ObjectPath, []any) ([]any, error) {
		return nil, managertest.Fail(registryIface + ".PermissionDenied")
	})
	if _, err := h.manager.Conn().RequestName(networkManager, 0); err != nil {
		t.Fatal(err)
	}
	if e := h.next(Refused); !strings.Contains(e.Sentence, "another one of this user") {
		t.Errorf("the sentence is %q", e.Sentence)
	}
}

// Nobody but NetworkManager may ask.
func TestStrangersAreNotAnswered(t *testing.T) {
	t.Parallel()
	h := inHouse(t, nil)
	h.next(Registered)
	stranger, err := godbus.Connect(h.server.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Close() })
	h.manager.Lock()
	agent := h.manager.Sender
	h.manager.Unlock()
	for method, args := range map[string][]any{
		"GetSecrets": {connection(nil), profile, wirelessSecurity, []string{},
			uint32(allowInteraction | userRequested)},
		"CancelGetSecrets": {profile, wirelessSecurity},
		"SaveSecrets":      {connection(nil), profile},
		"DeleteSecrets":    {connection(nil), profile},
	} {
		err := stranger.Object(agent, agentPath).Call(agentIface+"."+method, 0, args...).Err
		if e, ok := err.(godbus.Error); !ok || !strings.HasSuffix(e.Name, "AccessDenied") {
			t.Errorf("%s: %v", method, err)
		}
	}
	select {
	case <-h.options:
		t.Error("a session began for a stranger")
	default:
	}
}

// On a bus with somebody who sends everybody what nobody asked for, the key comes all the same.
func TestHostileBus(t *testing.T) {
	t.Parallel()
	h := inHouse(t, nil)
	h.next(Registered)
	ctx, cancel := context.WithCancel(t.Context())
	attacked := make(chan error, 1)
	go func() {
		a := hostile.Attacker{Spare: h.fakes(), Names: []string{networkManager, wpsd}}
		_, _, err := a.Run(ctx, h.server.Address)
		attacked <- err
	}()
	for range 3 {
		c := h.asks(connection(nil), wirelessSecurity, allowInteraction|userRequested)
		h.next(Waiting)
		h.ends("Succeeded", []godbus.ObjectPath{})
		if key, failed, text := h.answered(c); key != passphrase {
			t.Errorf("the answer is %q, %s: %s", key, failed, text)
		}
	}
	cancel()
	if err := <-attacked; err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}

// fakes are the connections of those who are played.
func (h *house) fakes() []string {
	var names []string
	for _, m := range []*managertest.Manager{h.manager, h.wps, h.login} {
		names = append(names, m.Conn().Names()...)
	}
	return names
}

// TestFind: on which interface, and at which access point.
func TestFind(t *testing.T) {
	t.Parallel()
	station := func(name string) map[string]map[string]godbus.Variant {
		return map[string]map[string]godbus.Variant{interfaceIface: {
			"Name": godbus.MakeVariant(name), "Mode": godbus.MakeVariant("station")}}
	}
	ap := func(bssid, ssid string) map[string]map[string]godbus.Variant {
		return map[string]map[string]godbus.Variant{accessPointIface: {
			"Bssid": godbus.MakeVariant(bssid), "Ssid": godbus.MakeVariant([]byte(ssid)),
			"Flags": godbus.MakeVariant("WPS-PBC")}}
	}
	base := string(wpsdPath) + "/interfaces/"
	all := objects{
		godbus.ObjectPath(base + "wlan0"):       station("wlan0"),
		godbus.ObjectPath(base + "wlan1"):       station("wlan1"),
		godbus.ObjectPath(base + "wlan1/aps/a"): ap("a", home),
		godbus.ObjectPath(base + "wlan1/aps/b"): ap("b", home),
		godbus.ObjectPath(base + "wlan1/aps/c"): ap("c", "one"),
		godbus.ObjectPath(base + "wlan0/aps/d"): ap("d", "other radio"),
	}
	for _, c := range []struct {
		name, device, ssid string
		want               string // interface and BSSID
		err                string
	}{
		{"several access points of the network are one", "wlan1", home, "wlan1 ", ""},
		{"the only one is named", "wlan1", "one", "wlan1 c", ""},
		{"what another radio hears does not count", "wlan1", "other radio", "wlan1 ",
			"does not offer WPS"},
		{"the first station where nobody says which", "", "other radio", "wlan0 d", ""},
		{"an interface that wpsd does not have", "wlan7", home, " ", "no Wi-Fi interface wlan7"},
	} {
		at, err := find(all, c.device, []byte(c.ssid))
		if got := at.name + " " + at.bssid; got != c.want ||
			!strings.Contains(fmt.Sprint(err), c.err) || (err == nil) != (c.err == "") {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
