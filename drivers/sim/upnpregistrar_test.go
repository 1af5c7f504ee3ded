package sim_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// These tests are in real time, since they have sockets: an External Registrar on the loopback
// interface. Each World has addresses of its own there.
var worlds atomic.Uint32

func newAddress() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 97, byte(worlds.Add(1)), 1})
}

// patience is for what happens at once on a machine that has nothing else to do.
const patience = time.Minute

// speed makes scans short.
const speed = 100

// registrar is an External Registrar and what it knows of one access point: as little of one as
// will do.
type registrar struct {
	*room
	p       *controlpoint.ControlPoint
	ap      *sim.AP
	control upnp.URL
	event   upnp.URL
	sid     string
	events  chan upnp.Notification
}

// onNetwork is a room whose access point is found by an External Registrar.
func onNetwork(t *testing.T, change func(*sim.APOptions)) *registrar {
	t.Helper()
	w := sim.NewWorld(sim.WorldOptions{Speed: speed})
	r := &registrar{room: roomAt(t, w, speed)}
	at := newAddress()
	r.do(w.ServeUPnP(at))
	r.ap = r.home(func(o *sim.APOptions) {
		o.APPIN = rightPIN.Value
		if change != nil {
			change(o)
		}
	})
	return r.finds(at)
}

// finds searches for the access point at an address and reads its description.
func (r *registrar) finds(at netip.Addr) *registrar {
	r.Helper()
	var err error
	if r.p, err = controlpoint.Open(controlpoint.Config{Interface: "lo"}); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = r.p.Close() })
	a := r.hears(at, upnp.Answer, func() { r.do(r.p.Search(r.Context())) })
	if a.UUID != wsc.UUIDFromMAC(homeBSSID) || a.Location != r.ap.UPnP() {
		r.Errorf("%+v", a)
	}
	d, err := upnp.ParseDescription(a.Location, r.ask(upnp.GetDescription(a.Location)).Body)
	r.do(err)
	if d.FriendlyName != "home" || d.UDN != a.UUID {
		r.Errorf("%+v", d)
	}
	r.control, r.event = d.Control, d.Event
	return r
}

// hears does something until an announcement comes of it: datagrams can be lost where others speak,
// too.
func (r *registrar) hears(at netip.Addr, kind upnp.Kind, do func()) upnp.Announcement {
	r.Helper()
	for began := time.Now(); time.Since(began) < patience; {
		do()
		for late := time.After(time.Second); late != nil; {
			select {
			case a := <-r.p.Heard():
				if a.From == at && a.Kind == kind {
					return a
				}
			case <-late:
				late = nil
			}
		}
	}
	r.Fatalf("%s says no %v", at, kind)
	panic("unreachable")
}

func (r *registrar) ask(q upnp.Request) upnp.Response {
	r.Helper()
	resp, err := r.p.Do(r.Context(), q)
	r.do(err)
	return resp
}

// call calls an action.
func (r *registrar) call(a upnp.Action) ([]byte, error) {
	r.Helper()
	return a.Name.ParseReply(r.ask(a.Request(r.control)))
}

// subscribe begins to take events.
func (r *registrar) subscribe() {
	r.Helper()
	s, err := upnp.ParseSubscription(r.ask(upnp.Subscribe(r.event)))
	r.do(err)
	events, done := make(chan upnp.Notification, 1024), make(chan struct{})
	r.sid, r.events = s.SID, events
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case n := <-r.p.Notified():
				if n.SID != s.SID {
					continue
				}
				select {
				case events <- n:
				case <-done:
					return
				}
			case <-done:
				return
			}
		}
	})
	r.Cleanup(func() { close(done); reader.Wait() })
}

// tells waits for an event of a kind from a station; nil: the first event of the subscription.
func (r *registrar) tells(t upnp.EventType, from wsc.MAC) []byte {
	r.Helper()
	for late := time.After(patience); ; {
		select {
		case n := <-r.events:
			if n.Err != nil || n.Event == nil {
				r.Fatalf("an event that says nothing: %+v", n)
			}
			if n.Event.Type == t && n.Event.MAC == from {
				return n.Event.Message
			}
		case <-late:
			r.Fatalf("no event %d of %s", t, from)
		}
	}
}

// selects has the access point say that this Registrar waits for somebody.
func (r *registrar) selects(s wsc.SelectedRegistrar) error {
	r.Helper()
	s.Version2, s.UUID = wsc.Version20, registrarUUID
	_, err := r.call(upnp.Action{Name: upnp.SetSelectedRegistrar, Message: s.Append(nil)})
	return err
}

var registrarUUID = wsc.UUID{0xee}

func (r *registrar) machine(p devpass.Password, give []wsc.Credential,
	settings *wsc.Credential) *registration.Registrar {
	r.Helper()
	d := device(neighbour)
	d.UUID = registrarUUID
	m, err := registration.NewRegistrar(registration.RegistrarConfig{
		Device: d, Give: give, NewSettings: settings,
		Password: func(_ time.Time, _ wsc.Device,
			id wsc.DevicePasswordID) (devpass.Password, bool) {
			return p, !p.Value.IsZero() && id == p.ID
		},
	})
	r.do(err)
	return m
}

// configures runs the Registration Protocol with the access point as Enrollee.
func (r *registrar) configures(p devpass.Password, settings *wsc.Credential) registration.Outcome {
	r.Helper()
	m := r.machine(p, nil, settings)
	m.Start(time.Now())
	message, err := r.call(upnp.Action{Name: upnp.GetDeviceInfo})
	r.do(err)
	for len(message) > 0 {
		step := m.Handle(time.Now(), message)
		if len(step.Send) == 0 {
			break
		}
		message, err = r.call(upnp.Action{Name: upnp.PutMessage, Message: step.Send[0]})
		r.do(err)
	}
	return m.Outcome()
}

// enrols lets the next device that comes in, and gives how that ended for the Registrar.
func (r *registrar) enrols(e *sim.Enrollee, p devpass.Password) registration.Outcome {
	r.Helper()
	own := wsc.Credential{SSID: []byte("home"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: r.ap.Key()}
	m := r.machine(p, []wsc.Credential{own}, nil)
	m.Start(time.Now())
	for {
		message := r.tells(upnp.EventMessage, e.MAC())
		step := m.Handle(time.Now(), message)
		if kind, _ := wsc.PeekMessageType(message); kind == wsc.MsgNack || kind == wsc.MsgDone {
			return m.Outcome() // the station's last word: nobody takes an answer
		}
		for _, send := range step.Send {
			_, err := r.call(upnp.Action{Name: upnp.PutWLANResponse, Type: upnp.EventMessage,
				MAC: e.MAC(), Message: send})
			r.do(err)
		}
		if step.Done {
			return m.Outcome()
		}
	}
}
