//go:build hwsim

package hwsim

import (
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

const interactionRequired = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

// startPolkitDaemon starts wpsd with the real polkitd beside it.
func (w *world) startPolkitDaemon() (*daemon, *process) {
	w.t.Helper()
	w.startBus()
	p := w.startPolkitd()
	return w.startDaemonAgain(), p
}

// TestPolkitDecidesForOtherUsers: the real polkitd, an administrator's rules, and users who really
// are others. One of them joins the network by himself.
func TestPolkitDecidesForOtherUsers(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d, _ := w.startPolkitDaemon()
	games, mail, news, list, nobody := w.connectAs(uidGames), w.connectAs(uidMail),
		w.connectAs(uidNews), w.connectAs(uidList), w.connectAs(uidNobody)

	a.mustOK("WPS_PBC")
	s := d.begin(games, "StartPbc")
	mail.refused("NotAuthorized", s.path, "Session.Cancel")
	nobody.refused("NotAuthorized", s.path, "Session.GetCredentials")
	nobody.refused("NotAuthorized", d.iface(), "Interface.Cancel")
	a.gives(s.succeeds(oneRun))
	network := d.networks()[0]
	games.mustCall(network, "Network.GetSecrets")

	for _, c := range []*client{mail, nobody} {
		c.refused("NotAuthorized", d.iface(), "Interface.StartPbc", options())
		c.refused("NotAuthorized", d.iface(), "Interface.Scan", options())
		c.refused("NotAuthorized", network, "Network.GetSecrets")
		c.refused("NotAuthorized", network, "Network.Delete")
		// no password would help
		c.ends(c.ask(d.iface(), "Interface.StartPbc", options()), "NotAuthorized")
		c.mustCall(rootPath, "Manager.GeneratePin")
		if name := c.property(d.iface(), "Interface", "Name"); name != station {
			t.Errorf("the interface is called %v", name)
		}
	}
	list.refused(interactionRequired, d.iface(), "Interface.StartPbc", options())
	// there is no agent
	list.ends(list.ask(d.iface(), "Interface.StartPbc", options()), interactionRequired)

	// A rule that looks at what we tell polkit.
	news.refused("NotAuthorized", d.iface(), "Interface.StartPin", options())
	news.refused("NotAuthorized", network, "Network.GetSecrets")
	s = d.begin(news, "StartPbc")
	news.mustCall(s.path, "Session.Cancel")
	s.fails(10*time.Second, "canceled")
	if len(d.networks()) != 1 {
		t.Error("the network is gone")
	}
}

// TestPolkitAsksTheUser: an authentication agent, whose user types the right password, a wrong one,
// and closes the dialog; and callers who leave while it is open.
func TestPolkitAsksTheUser(t *testing.T) {
	w := newWorld(t)
	d, _ := w.startPolkitDaemon()
	agent := w.startAgent()
	list := w.connectAs(uidList)
	start := func(c *client) *godbus.Call {
		return c.ask(d.iface(), "Interface.StartPbc", options())
	}

	// without the flag nobody is asked
	list.refused(interactionRequired, d.iface(), "Interface.StartPbc", options())

	call := start(list)
	q := agent.opens()
	if q.action != "fi.w1.wps.enroll" ||
		!strings.HasPrefix(q.message, "Authentication is required to join a Wi-Fi network") {
		t.Errorf("the dialog is %+v", q)
	}
	began := time.Now()
	d.mustCall(rootPath, "Manager.GeneratePin") // nobody else waits, root's calls neither
	d.mustCall(d.iface(), "Interface.Scan", options())
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("others waited %v for the dialog", took)
	}
	w.until("the scan is over", time.Minute, func() bool {
		return d.property(d.iface(), "Interface", "Scanning") == false
	})
	agent.answer <- dismiss
	list.ends(call, "AuthorizationDismissed")

	call = start(list)
	agent.opens()
	agent.answer <- wrongPassword
	list.ends(call, "NotAuthorized")

	call = start(list)
	agent.opens()
	agent.answer <- rightPassword
	list.ends(call, "")
	if call.Err == nil {
		list.mustCall(call.Body[0].(godbus.ObjectPath), "Session.Cancel")
	}
	w.until("the session is over", 10*time.Second, func() bool {
		return d.property(d.iface(), "Interface", "Session") == godbus.ObjectPath("/")
	})

	// He leaves, and the dialog is closed for him; the password comes too late.
	leaving := w.connectAs(uidList)
	start(leaving)
	q = agent.opens()
	w.must(leaving.conn.Close())
	agent.closes(q)
	agent.answer <- tooLate
	time.Sleep(2 * time.Second)
	if s := d.property(d.iface(), "Interface", "Session"); s != godbus.ObjectPath("/") {
		t.Error("a session runs for somebody who left")
	}

	// wpsd ends while a dialog is open.
	start(list)
	q = agent.opens()
	d.stop()
	agent.closes(q)
	agent.answer <- dismiss // which nobody hears
}

// TestPolkitdIsKilledHangsAndComesBack: whatever becomes of it, the answer is no, in time, and root
// is not kept waiting.
func TestPolkitdIsKilledHangsAndComesBack(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d, polkitd := w.startPolkitDaemon()
	agent := w.startAgent()
	games, list := w.connectAs(uidGames), w.connectAs(uidList)
	games.mustCall(d.iface(), "Interface.Scan", options())
	w.until("the scan is over", time.Minute, func() bool {
		return d.property(d.iface(), "Interface", "Scanning") == false
	})

	// Killed while a dialog is open. There is nobody to start it again, so only root passes.
	call := list.ask(d.iface(), "Interface.StartPbc", options())
	agent.opens()
	polkitd.kill()
	list.ends(call, "NotAuthorized")
	agent.answer <- dismiss // which nobody hears
	games.refused("NotAuthorized", d.iface(), "Interface.Scan", options())
	if !strings.Contains(d.output(), "polkit cannot be asked") {
		t.Error("the log does not tell that polkit is gone")
	}
	s := d.startPBC()
	d.mustCall(s.path, "Session.Cancel")
	s.fails(10*time.Second, "canceled")

	// Back again.
	polkitd = w.startPolkitd()
	agent.register()
	call = list.ask(d.iface(), "Interface.StartPbc", options())
	agent.opens()
	agent.answer <- dismiss
	list.ends(call, "AuthorizationDismissed")

	// It hangs.
	polkitd.signal(syscall.SIGSTOP)
	began := time.Now()
	call = games.ask(d.iface(), "Interface.Scan", options())
	d.mustCall(rootPath, "Manager.GeneratePin")
	s = d.startPBC()
	d.mustCall(s.path, "Session.Cancel")
	s.fails(10*time.Second, "canceled")
	games.ends(call, "NotAuthorized")
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("the refusal took %v: callers wait 25 s", took)
	}
	polkitd.signal(syscall.SIGCONT)
	w.until("polkitd works again", 10*time.Second, func() bool {
		_, err := games.call(d.iface(), "Interface.Scan", options())
		return err == nil
	})
	w.until("the scan is over", time.Minute, func() bool {
		return d.property(d.iface(), "Interface", "Scanning") == false
	})
	d.stillWorks(a)
}
