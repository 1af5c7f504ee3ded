package station

import (
	"context"
	"time"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/fence"
	"wpsd/service/keypair"
	"wpsd/service/lending"
	"wpsd/service/receive"
	"wpsd/service/search"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/tags"
)

// Enrolment is the procedure of one session. Its goroutine owns it.
type Enrolment struct {
	*Stations
	iface   Interface
	session *session.Running
	session.Task
	want         wsc.MAC // zero: any
	device       wsc.Device
	began        time.Time
	fragmentSize int
	keys         *keypair.Maker
	scan         *scanner
	search       *search.Search
	lastPIN      error           // the newest access point with another PIN
	last         error           // how the newest attempt failed
	begin        *time.Timer     // ends this attempt if no run begins
	message      wsc.MessageType // newest of this attempt
	backhaul     bool            // as a Multi-AP backhaul station
	apply        string          // who gets the network; see StartRequest
	tag          *tags.Use       // of an access point that it learns or configures
	aside
	receipt
}

// aside is what an enrolment knows of the connection that it leaves up until there is somebody to
// try.
type aside struct {
	beside  lending.Beside    // whether the interface stays with the manager, see StartRequest
	kept    bool              // there was a connection to keep
	alone   bool              // the radio cannot scan beside it
	first   *search.Candidate // whom to try first
	returns int               // how often the interface was given back for the connection
	// giveBackAt is when the interface is given back, unless somebody is to be tried; zero: at the
	// end.
	giveBackAt time.Time
}

// receipt is what an enrolment has got.
type receipt struct {
	// of an M8 (or an access point's M7) that was verified: take has them
	read *receive.Credentials
	// they are safe, and came is what became of them
	received bool
	came     arrival.Result
	unusable error // why settings that an access point showed make no network
	external bool  // credentials are for other programs
}

// Enrolment makes the procedure of a session.
func (s *Stations) Enrolment(j Job) *Enrolment {
	r := j.Request
	return &Enrolment{
		Stations: s, iface: j.Interface, session: j.Session, Task: j.Task, want: r.BSSID,
		device: j.Device, fragmentSize: j.FragmentSize, apply: r.Apply, backhaul: r.MultiAP,
		aside: aside{beside: besideOf(r)}, began: j.Session.Started, tag: s.Tags.Use(),
	}
}

func besideOf(r session.StartRequest) lending.Beside {
	switch {
	case r.BesideOnly:
		return lending.BesideOrNot
	case r.Beside:
		return lending.BesideIfRoom
	}
	return lending.BesideNobody
}

// newSearch begins to look, with what is known of the interface's surroundings.
func (e *Enrolment) newSearch(ctx context.Context) {
	goal := search.Goal{
		Button: e.Method == state.MethodPBC, Registrar: e.Purpose != state.PurposeEnroll,
		BSSID: e.want,
		SSID:  e.SSID, Hint: e.Hint,
	}
	cached := e.scan.cached(ctx)
	known := e.scan.known(cached)
	e.search = search.New(goal, e.began, e.scan.looked, candidates(known))
	if o, ok := e.scan.lastHeard(e.want, cached); ok {
		e.search.Known(o)
	}
	e.search.SetChannels(e.scan.channels)
	for _, k := range known {
		e.search.Name(k.BSSID, k.SSID)
	}
	for _, n := range e.Store.Networks() {
		if !n.BSSID.IsZero() {
			e.search.Name(n.BSSID, n.SSID)
		}
	}
}

// probeRequest is our element for probe requests. With a push button, it is what tells the access
// point that we pressed ours: it counts the stations that do.
func (e *Enrolment) probeRequest() []byte {
	device := e.device
	for _, c := range e.scan.channels {
		device.RFBands |= wsc.BandOf(c.Frequency)
	}
	p := wsc.ProbeRequest{RequestType: e.requestType(), Device: device,
		DevicePasswordID: e.Password.ID}
	return ie.AppendWSC(nil, p.Append(nil))
}

// multiAP are the flags that we have in a Multi-AP network.
func (e *Enrolment) multiAP() uint8 {
	if e.backhaul {
		return ie.BackhaulStation
	}
	return 0
}

func (e *Enrolment) requestType() wsc.RequestType {
	if e.Purpose == state.PurposeEnroll {
		return wsc.RequestEnrollee
	}
	return wsc.RequestRegistrar
}

func (e *Enrolment) change(alter func(*state.Session)) { e.session.Change(alter) }

// fenced is fence.Do for what gives no error.
func (e *Enrolment) fenced(what string, f func()) error {
	return fence.Do(e.Log, what, func() error { f(); return nil })
}
