package main

import (
	_ "embed"
	"fmt"
	"time"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/engine/secret"
)

//go:embed ui/run.ui
var runXML string

// order is something to start: a session, and what is said meanwhile.
type order struct {
	title, body string
	// begin starts the session, off GTK's thread. pin, if there is one, is shown.
	begin func() (session model.Path, pin secret.Value, err error)
	// named starts it once more with this router, after two buttons were pressed; nil: no router
	// can be named.
	named func(bssid string) order
	// retype asks for the PIN again; nil: it was not typed here.
	retype func()
	// done is what is said about success; nil: about a network that was joined.
	done func(s model.Session) (title, body string)
	// keyless says that success brings no network to show.
	keyless bool
}

// runView shows one session at a time from its start to its end: what to do, how long there is, what
// was heard, how it ended, and what helps. Pages have one each.
type runView struct {
	a     *applet
	leave func() // back to where it was started

	root, ring, clock, title, body, heard, pinBox, pinLabel gtk.Object
	resultIcon, resultTitle, resultBody, card               gtk.Object
	end                                                     *notice
	shownCard                                               *card

	phase   phase
	order   order
	number  int        // of the order: answers to older ones are of no interest
	session model.Path // empty: it has not started yet
	pin     secret.Value
	seen    bool // whether the session was among what the service has
	last    model.Session
	total   time.Duration
	timer   *gtk.Timer
}

// phase is what a run shows.
type phase int

// The phases.
const (
	idle phase = iota
	starting
	running
	ended
)

func newRun(a *applet, leave func()) *runView {
	b := gtk.Build(runXML)
	defer b.Done()
	r := &runView{a: a, leave: leave, root: b.Get("root").Keep(), ring: b.Get("ring"),
		clock: b.Get("clock"), title: b.Get("title"), body: b.Get("body"), heard: b.Get("heard"),
		pinBox: b.Get("pin-box"), pinLabel: b.Get("pin"), resultIcon: b.Get("result-icon"),
		resultTitle: b.Get("result-title"), resultBody: b.Get("result-body"), card: b.Get("card"), end: newNotice()}
	r.root.AddPage("end", r.end.root)
	r.end.root.Unref()
	r.ring.OnDraw(func(d gtk.Drawing) { d.Ring(r.ring, r.fraction()) })
	b.Get("cancel").On("clicked", r.back)
	b.Get("done").On("clicked", r.back)
	b.Get("copy").On("clicked", func() {
		r.root.Copy(string(r.pin.Bytes()))
		a.toast(T("The PIN was copied."))
	})
	return r
}

// active tells whether it shows anything.
func (r *runView) active() bool { return r.phase != idle }

// busy tells whether something is under way; what came of the last one may be shown still.
func (r *runView) busy() bool { return r.phase == starting || r.phase == running }

// start begins.
func (r *runView) start(o order) {
	r.reset()
	r.number++
	r.order, r.phase = o, starting
	r.show()
	number := r.number
	r.a.in("starting a setup", func() func() {
		session, pin, err := r.a.whenFree(o.begin)
		return func() {
			switch {
			case number != r.number: // canceled meanwhile
				if err == nil {
					r.a.in("canceling a setup", func() func() {
						_ = r.a.model.Cancel(session) // it ends with us if not now
						return nil
					})
				}
				pin.Wipe()
			case err != nil:
				r.failed(err)
			default:
				r.session, r.pin, r.phase = session, pin, running
				r.render(&r.a.state)
			}
		}
	})
}

// How long to wait for the end of a scan before a session starts, and how often to look.
const (
	scanTime  = 20 * time.Second
	scanCheck = 200 * time.Millisecond
)

// whenFree begins, and waits if nothing but a scan is in the way: this window starts some itself.
func (a *applet) whenFree(begin func() (model.Path, secret.Value, error)) (session model.Path,
	pin secret.Value, err error) {
	for end := time.Now().Add(scanTime); ; {
		session, pin, err = begin()
		if errorName(err) != "Busy" || time.Now().After(end) {
			return session, pin, err
		}
		state := a.model.State()
		for _, i := range state.Interfaces {
			if i.Session != "" {
				return session, pin, err
			}
		}
		select {
		case <-a.run.Done():
			return session, pin, err
		case <-time.After(scanCheck):
		}
	}
}

// reset forgets what was.
func (r *runView) reset() {
	r.timer.Stop()
	r.timer = nil
	r.pin.Wipe()
	if r.shownCard != nil {
		r.shownCard.remove(r.card)
	}
	r.session, r.pin, r.seen, r.last, r.shownCard = "", secret.Value{}, false, model.Session{}, nil
	r.total = 0
	r.phase = idle
}

// back cancels what runs, and goes back to where it was started.
func (r *runView) back() {
	if r.phase == running && !r.last.Over() && r.session != "" {
		session := r.session
		r.a.in("canceling a setup", func() func() {
			if err := r.a.model.Cancel(session); err != nil {
				return func() { r.a.toast(T("It could not be canceled.")) }
			}
			return nil
		})
	}
	r.number++
	r.reset()
	r.leave()
	r.a.front()
}

// render shows how the session is.
func (r *runView) render(s *model.State) {
	if r.phase != running {
		return
	}
	now, ok := s.Session(r.session)
	switch {
	case ok:
		r.seen, r.last = true, now
		if now.Over() {
			r.over(now)
			return
		}
	case s.Service != model.Ready:
		return // the window says so; what becomes of it shows when the service is back
	case r.seen:
		r.lost()
		return
	}
	r.show()
}

// lost is the end of a session whose service was restarted.
func (r *runView) lost() {
	r.phase = ended
	r.fail(sentence{T(interrupted.title), T(interrupted.body), again}, "")
}

// show shows the session as it runs.
func (r *runView) show() {
	s := r.last
	title, body := r.order.title, r.order.body
	switch s.State {
	case "associating":
		title = fmt.Sprintf(T("Connecting to %s"), r.peer())
		body = T("This takes a few seconds.")
	case "exchanging":
		switch {
		case s.Purpose != "admit":
			title = fmt.Sprintf(T("Setting up with %s"), r.peer())
			body = T("This takes a few seconds.")
		case s.Peer != "":
			title = fmt.Sprintf(T("Letting %s in"), r.device())
			body = T("This takes a few seconds.")
		}
	case "handing-over":
		title = T("Received. Connecting…")
		body = T("The network manager connects to the network.")
	}
	r.title.Say("label", title)
	r.body.Say("label", body)
	r.pinBox.Show(!r.pin.IsZero())
	if !r.pin.IsZero() {
		r.pinLabel.Say("label", pinText(string(r.pin.Bytes())))
	}
	heard := r.heardText()
	r.heard.Say("label", heard)
	r.heard.Show(heard != "")
	r.tick()
	if r.timer == nil && r.phase == running {
		r.timer = gtk.EverySecond(1, func() bool { r.tick(); return true })
	}
	r.root.Page("wait")
}

// left is how long there is, and whether that is known.
func (r *runView) left() (time.Duration, bool) {
	if r.last.Deadline.IsZero() || r.last.State == "handing-over" {
		return 0, false
	}
	return max(time.Until(r.last.Deadline), 0), true
}

func (r *runView) fraction() float64 {
	left, known := r.left()
	if !known || r.total <= 0 {
		return 0
	}
	return float64(left) / float64(r.total)
}

// tick moves the countdown.
func (r *runView) tick() {
	left, known := r.left()
	if !known {
		r.clock.Say("label", "…")
		return
	}
	r.total = max(r.total, left, r.last.Deadline.Sub(r.last.Started))
	text := clock(int(left.Round(time.Second) / time.Second))
	if r.clock.Text("label") != text {
		r.clock.Set("label", text)
		r.ring.Progress(r.fraction(), fmt.Sprintf(T("%s left"), text))
		r.ring.Redraw()
	}
}

// peer is the router that the session deals with.
func (r *runView) peer() string {
	if router, ok := r.a.state.Router(r.last.AccessPoint); ok {
		return ssidText(router.SSID)
	}
	for _, f := range r.a.state.Found {
		if f.Path == r.last.AccessPoint && f.Name != "" {
			return printable(f.Name)
		}
	}
	if r.last.Peer != "" {
		return printable(r.last.Peer)
	}
	return T("the router")
}

// device is the device that is let in.
func (r *runView) device() string {
	for _, d := range r.a.state.Devices {
		if d.MAC == r.last.Peer && d.Name != "" {
			return printable(d.Name)
		}
	}
	return printable(r.last.Peer)
}

// heardText says what is heard meanwhile.
func (r *runView) heardText() string {
	if r.last.Purpose != "enroll" || r.last.State != "scanning" && r.last.Step != "checking" {
		return ""
	}
	near, pressed := 0, ""
	for _, router := range r.a.state.Routers {
		if router.Interface != r.last.Interface {
			continue
		}
		near++
		if router.Pressed && pressed == "" {
			pressed = ssidText(router.SSID)
		}
	}
	switch {
	case pressed != "" && r.last.Method == "pbc" && (r.last.Step == "" || r.last.Step == "checking"):
		return fmt.Sprintf(T("Heard the button of %s. Making sure that there is no second one."), pressed)
	case near > 0:
		return fmt.Sprintf(N("%d router with WPS is in range.", "%d routers with WPS are in range.",
			near), near)
	}
	return T("No router with WPS was heard so far.")
}

// over shows how a session ended.
func (r *runView) over(s model.Session) {
	r.phase = ended
	r.timer.Stop()
	r.timer = nil
	received := s.State == "succeeded" && !r.order.keyless || s.Reason == "not-stored"
	if s.State == "succeeded" && r.order.keyless {
		r.success(s, nil)
		return
	}
	if !received {
		r.fail(explain(s), "")
		return
	}
	number := r.number
	r.a.in("reading what was received", func() func() {
		list, err := r.a.model.Credentials(s.Path)
		return func() {
			if number != r.number {
				return
			}
			if err != nil || len(list) == 0 {
				r.success(s, nil)
				return
			}
			r.success(s, &list[0])
		}
	})
}

// success shows what came of a session.
func (r *runView) success(s model.Session, c *model.Credential) {
	title, body := r.joined(s, c)
	if r.order.done != nil {
		title, body = r.order.done(s)
	}
	icon := "emblem-ok-symbolic"
	if s.Reason == "not-stored" {
		e := explain(s)
		icon, title, body = "dialog-warning-symbolic", e.title, e.body
	}
	r.resultIcon.Say("icon-name", icon)
	r.resultIcon.Class("success", s.Reason == "")
	r.resultIcon.Class("warning", s.Reason != "")
	r.resultTitle.Say("label", title)
	r.resultBody.Say("label", body)
	r.resultBody.Show(body != "")
	if c != nil {
		r.shownCard = newCard(r.a, *c)
		r.card.Append(r.shownCard.root)
		r.shownCard.root.Unref()
	}
	r.root.Page("result")
	r.a.front()
}

// joined is what is said about a network that was joined.
func (r *runView) joined(s model.Session, c *model.Credential) (title, body string) {
	name := ""
	if c != nil {
		name = ssidText(c.SSID)
	} else if ssid, ok := s.Detail["ssid"].([]byte); ok {
		name = ssidText(ssid)
	}
	manager, _ := s.Detail["manager"].(string)
	if handed, _ := s.Detail["handed-over"].(bool); handed {
		return fmt.Sprintf(T("Connected to %s"), name),
			fmt.Sprintf(T("%s has the connection. Next time it connects by itself."),
				managerText(manager))
	}
	return fmt.Sprintf(T("Received %s"), name), T("The network is stored. No network manager was told, so connect to it on the page Networks.")
}

// failed shows why a session could not be started.
func (r *runView) failed(err error) {
	r.phase = ended
	s, fine := explainError(err)
	r.fail(s, fine)
}

// fail shows an end without success, and the one action that helps.
func (r *runView) fail(s sentence, fine string) {
	r.timer.Stop()
	r.timer = nil
	m := message{icon: "dialog-warning-symbolic", title: s.title, body: s.body, fine: fine,
		secondary: &button{T("Back"), r.back}}
	o := r.order
	retry := &button{T("Try Again"), func() { r.start(o) }}
	switch s.helps {
	case again:
		m.primary = retry
	case pick:
		m.choices = r.choices()
		if len(m.choices) == 0 {
			m.primary = retry
		}
	case retype:
		m.primary = retry
		if o.retype != nil {
			m.primary = &button{T("Enter the PIN Again"), func() { r.reset(); o.retype(); r.a.front() }}
		}
	case radio:
		m.icon = "network-wireless-disabled-symbolic"
		m.primary = &button{T("Switch Wi-Fi On"), func() { r.a.switchOn(func() { r.start(o) }) }}
	case elsewhere:
		m.primary = &button{T("Show the Routers"), func() { r.back(); r.a.open("routers") }}
	case stop:
		m.primary = &button{T("End It and Start"), func() { r.a.freeStation(func() { r.start(o) }) }}
	case look:
		m.primary = &button{T("Show the Networks"), func() { r.back(); r.a.open("networks") }}
	case ask:
		m.icon = notAllowedIcon
		fallthrough
	case nothing:
		m.primary, m.secondary = &button{T("Back"), r.back}, nil
	}
	r.end.show(m)
	r.root.Page("end")
	r.a.front()
}

// choices are the routers of which one has to be named.
func (r *runView) choices() (list []choice) {
	if r.order.named == nil {
		return nil
	}
	bssids, _ := r.last.Detail["bssids"].([]string)
	told := map[string]bool{}
	for _, bssid := range bssids {
		title, subtitle := printable(bssid), ""
		if router, ok := r.a.state.RouterOf(bssid); ok {
			if told[router.Key()] {
				continue
			}
			told[router.Key()] = true
			title = ssidText(router.SSID)
			subtitle = routerText(router)
		}
		list = append(list, choice{title: title, subtitle: subtitle, do: func() {
			r.start(r.order.named(bssid))
		}})
	}
	return list
}
