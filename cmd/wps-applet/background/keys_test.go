package background

import (
	"log/slog"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/cmd/wps-applet/model"
	"wpsd/drivers/managerbus/managertest"
	"wpsd/test/testbus"
)

// NetworkManager and logind as far as a question for a key goes.
const (
	nm       = "org.freedesktop.NetworkManager"
	nmPath   = godbus.ObjectPath("/org/freedesktop/NetworkManager")
	login    = "org.freedesktop.login1"
	loginOne = godbus.ObjectPath("/org/freedesktop/login1/session/_31")
)

// asker plays NetworkManager to one agent.
type asker struct {
	t *testing.T
	managertest.Manager
	registered chan struct{}
}

func newAsker(t *testing.T) *asker {
	m := &asker{t: t, registered: make(chan struct{}, 4)}
	active, device := nmPath+"/ActiveConnection/1", nmPath+"/Devices/1"
	m.Put(nmPath, nm, "ActiveConnections", []godbus.ObjectPath{active})
	m.Put(active, nm+".Connection.Active", "Connection", nmPath+"/Settings/1")
	m.Put(active, nm+".Connection.Active", "Devices", []godbus.ObjectPath{device})
	m.Put(device, nm+".Device", "Interface", "sim0")
	m.Methods = map[string]managertest.Method{nm + ".AgentManager.Register": func(godbus.ObjectPath,
		[]any) ([]any, error) {
		m.registered <- struct{}{}
		return nil, nil
	}}
	return m
}

// asks asks for the key of a network, as for somebody who has clicked on it.
func (m *asker) asks(ssid string) *godbus.Call {
	m.t.Helper()
	m.Lock()
	defer m.Unlock()
	v := godbus.MakeVariant
	return m.Conn().Object(m.Sender, nmPath+"/SecretAgent").Go(nm+".SecretAgent.GetSecrets", 0, nil,
		map[string]map[string]godbus.Variant{"connection": {"id": v(ssid)},
			"802-11-wireless":          {"ssid": v([]byte(ssid))},
			"802-11-wireless-security": {"key-mgmt": v("wpa-psk")}},
		nmPath+"/Settings/1", "802-11-wireless-security", []string{"psk"}, uint32(5))
}

// newSeat plays logind: somebody sits at this computer.
func newSeat() *managertest.Manager {
	m := &managertest.Manager{}
	m.Put("/org/freedesktop/login1/user/self", login+".User", "Sessions", []struct {
		ID   string
		Path godbus.ObjectPath
	}{{"1", loginOne}})
	m.Put(loginOne, login+".Session", "Active", true)
	m.Put(loginOne, login+".Session", "Seat", struct {
		ID   string
		Path godbus.ObjectPath
	}{"seat0", "/org/freedesktop/login1/seat/seat0"})
	return m
}

// asksAnew asks until the desktop is told of it: wpsd may still be busy with the end of the session
// for the question before, and then NetworkManager's next agent would be asked.
func (m *asker) asksAnew(ssid string, notified <-chan string) (question *godbus.Call, title string) {
	m.t.Helper()
	for range 600 {
		question = m.asks(ssid)
		select {
		case title = <-notified:
			return question, title
		case <-question.Done:
			time.Sleep(100 * time.Millisecond)
		case <-time.After(time.Minute):
			m.t.Fatal("the question is neither shown nor answered")
		}
	}
	m.t.Fatalf("nobody is asked for the key of %s: %v", ssid, question.Err)
	return nil, ""
}

// outcome is what NetworkManager gets: the key, or the name of an error.
func (m *asker) outcome(c *godbus.Call) string {
	m.t.Helper()
	if c = await(m.t, c.Done); c.Err != nil {
		if e, ok := c.Err.(godbus.Error); ok {
			return e.Name
		}
		m.t.Fatal(c.Err)
	}
	var got map[string]map[string]godbus.Variant
	if err := c.Store(&got); err != nil {
		m.t.Fatal(err)
	}
	key, _ := got["802-11-wireless-security"]["psk"].Value().(string)
	return key
}

// await waits for something that has to come.
func await[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(time.Minute):
		t.Fatalf("waited in vain for %T", v)
	}
	return v
}

// NetworkManager lacks a key: the desktop is told to press the router's button, which gives it. Who
// rather types it, or gives up, says so there, and the notification goes with the question. A
// desktop without notifications has nobody to ask.
func TestAsksForAButtonWhereAKeyIsMissing(t *testing.T) {
	session, system := startBus(t), testbus.For(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", session)
	d := newDesktop(t, session)
	m := newAsker(t)
	m.Play(t, system, nm)
	newSeat().Play(t, system, login)
	command := startSimulation(t, system.Address)
	log := slog.New(slog.DiscardHandler)
	a := &Agent{Log: log, Bus: system.Address, Words: Words{
		Key:  func(name string) string { return "press " + name },
		Name: func(ssid []byte) string { return string(ssid) }}}
	a.Model = model.New(system.Address, log, a.Changed)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	await(t, m.registered)

	question, title := m.asksAnew("Sim Old", d.notified)
	if title != "press Sim Old" {
		t.Errorf("the desktop is told to %q", title)
	}
	command("pbc Sim Old")
	if got := m.outcome(question); got != "ten years old" {
		t.Errorf("NetworkManager gets %q", got)
	}
	await(t, d.closed)

	for action, answer := range map[string]string{actionPassword: "NoSecrets",
		actionCancel: "UserCanceled"} {
		question, _ = m.asksAnew("Sim Label", d.notified)
		d.click(t, action, func() bool { return len(question.Done) > 0 })
		if got := m.outcome(question); got != nm+".SecretAgent."+answer {
			t.Errorf("%s: NetworkManager gets %q", action, got)
		}
		await(t, d.closed)
	}

	if _, err := d.conn.ReleaseName(notifyName); err != nil {
		t.Fatal(err)
	}
	if got := m.outcome(m.asks("Sim Label")); got != nm+".SecretAgent.NoSecrets" {
		t.Errorf("without notifications NetworkManager gets %q", got)
	}
	if err := Quit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := await(t, ended); err != nil {
		t.Errorf("switched off: %v", err)
	}
}
