package dbus

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/agents"
	"wpsd/service/external"
	"wpsd/service/hotspot"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// fake is a service that does as told. Its calls are on record.
type fake struct {
	mu       sync.Mutex
	snapshot state.Snapshot
	subs     []*fakeSubscription
	made     []string // calls, as "Scan wlan0"
	next     state.SessionID

	// on, if set, runs at each call, without the lock; what it returns is the call's error.
	on func(call string) error
	// credentials is what every session received, and every network holds.
	credentials []credential.Network
	last        session.StartRequest
	settings    session.Settings // of Configure or AddNetwork
	tag         nfc.Tag          // what comes of a tag
	effect      nfc.TagEffect
	erUser      string // whose the External Registrar is
	agents      []agents.Agent
	agentOwners []string
	erOwners    []string
	lastER      external.Request
	busy        string
	followed    bool
	calm        chan struct{}
}

// fakeSubscription is a Subscription that a test fills.
type fakeSubscription struct {
	mu    sync.Mutex
	queue []state.Event
	err   error
	ready chan struct{}
}

func (s *fakeSubscription) Next(ctx context.Context) (state.Event, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			e := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			return e, nil
		}
		err := s.err
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (s *fakeSubscription) Ready() <-chan struct{} { return s.ready }
func (s *fakeSubscription) Close()                 {}

func (s *fakeSubscription) put(err error, events ...state.Event) {
	s.mu.Lock()
	s.queue, s.err = append(s.queue, events...), err
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (f *fake) Subscribe() (state.Snapshot, *fakeSubscription) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sub := &fakeSubscription{ready: make(chan struct{}, 1)}
	f.subs = append(f.subs, sub)
	return f.snapshot, sub
}

func (f *fake) Calm() <-chan struct{} { return f.calm }

func (f *fake) Busy() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.busy
}

func (f *fake) Follow(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.followed = on
}

// tell sends events to the newest subscription.
func (f *fake) tell(events ...state.Event) {
	f.mu.Lock()
	sub := f.subs[len(f.subs)-1]
	f.mu.Unlock()
	sub.put(nil, events...)
}

// call records a call and does what the test wants then.
func (f *fake) call(text string) error {
	f.mu.Lock()
	f.made = append(f.made, text)
	on := f.on
	f.mu.Unlock()
	if on != nil {
		return on(text)
	}
	return nil
}

// calls returns the record.
func (f *fake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.made)
}

// start makes a session and tells of it, as the service does before it returns.
func (f *fake) start(r session.StartRequest, method state.Method) (state.Session, error) {
	if err := f.call("Start " + string(method) + " " + r.Interface); err != nil {
		return state.Session{}, err
	}
	f.mu.Lock()
	f.next++
	f.last = r
	s := state.Session{
		ID: f.next, Interface: r.Interface, Owner: r.Owner, User: r.User, Detached: r.Detach,
		Role: state.RoleEnrollee, Method: method,
		State: state.StateScanning,
	}
	i := f.snapshot.Interfaces[0]
	i.Session = s.ID
	f.mu.Unlock()
	f.tell(state.SessionAdded{Session: s}, state.InterfaceChanged{Interface: i})
	return s, nil
}

func (f *fake) StartPBC(_ context.Context, r session.StartRequest) (state.Session, error) {
	return f.start(r, state.MethodPBC)
}

func (f *fake) StartPIN(_ context.Context, r session.StartRequest) (state.Session,
	secret.Value, error) {
	s, err := f.start(r, state.MethodPIN)
	if err != nil || !r.PIN.IsZero() {
		return s, r.PIN.Clone(), err
	}
	return s, secret.FromString("12345670"), nil
}

func (f *fake) StartNFC(_ context.Context, r session.StartRequest) (state.Session, error) {
	return f.start(r, "nfc")
}

func (f *fake) NFCPasswordToken(_ context.Context, ifname string,
	format nfc.Format) (secret.Value, error) {
	return secret.FromString("password token"),
		f.call(fmt.Sprintf("NFCPasswordToken %s %s", ifname, format))
}

func (f *fake) NFCConfigToken(_ context.Context, ifname string, format nfc.Format,
	id state.NetworkID) (secret.Value, error) {
	return secret.FromString("config token"),
		f.call(fmt.Sprintf("NFCConfigToken %s %s %d", ifname, format, id))
}

// NFCTagEffect is not on record: it changes nothing.
func (f *fake) NFCTagEffect(context.Context, nfc.TagRequest) (nfc.TagEffect, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.effect == "" {
		return nfc.TagAdds, nil
	}
	return f.effect, nil
}

func (f *fake) NFCTagRead(_ context.Context, r nfc.TagRequest) (nfc.Tag, error) {
	return f.tag, f.call(fmt.Sprintf("NFCTagRead %q %s %s %s", r.Interface, r.Payload,
		r.Owner, r.Apply))
}

func (f *fake) NFCHandoverRequest(_ context.Context, ifname string, format nfc.Format,
	c nfc.Carrier) ([]byte, error) {
	return []byte("request"), f.call(fmt.Sprintf("NFCHandoverRequest %s %s %s", ifname, format, c))
}

func (f *fake) NFCHandoverSelect(_ context.Context, ifname string, format nfc.Format,
	c nfc.Carrier) ([]byte, error) {
	return []byte("select"), f.call(fmt.Sprintf("NFCHandoverSelect %s %s %s", ifname, format, c))
}

func (f *fake) NFCReportHandover(_ context.Context,
	h nfc.Handover) (state.Session, error) {
	return state.Session{}, f.call(fmt.Sprintf("NFCReportHandover %s %v %s %s %s", h.Interface,
		h.Initiator, h.Request, h.Select, h.Owner))
}

func (f *fake) Learn(_ context.Context, r session.StartRequest) (state.Session, error) {
	return f.start(r, "learn "+state.Method(r.PIN.Bytes()))
}

func (f *fake) Configure(_ context.Context, r session.StartRequest,
	s session.Settings) (state.Session, error) {
	f.mu.Lock()
	f.settings = s
	f.settings.Key = s.Key.Clone()
	f.mu.Unlock()
	return f.start(r, "configure "+state.Method(r.PIN.Bytes()))
}

// APPIN sets what it is told to, else the PIN is 12345670.
func (f *fake) APPIN(_ context.Context, r hotspot.APPINRequest) (secret.Value, error) {
	if err := f.call(fmt.Sprintf("APPIN %s %s %v", r.Interface, r.Command, r.Timeout)); err != nil {
		return secret.Value{}, err
	}
	switch {
	case r.Command == hotspot.APPINDisable:
		return secret.Value{}, nil
	case !r.PIN.IsZero():
		return r.PIN.Clone(), nil
	}
	return secret.FromString("12345670"), nil
}

func (f *fake) Scan(_ context.Context, ifname string) error { return f.call("Scan " + ifname) }

func (f *fake) Cancel(_ context.Context, id state.SessionID) error {
	return f.call("Cancel " + string(sessionPath(id)))
}

func (f *fake) CancelInterface(_ context.Context, ifname string) error {
	return f.call("CancelInterface " + ifname)
}

func (f *fake) ReleaseOwner(owner string) { _ = f.call("ReleaseOwner " + owner) }

// copies gives each caller secrets of his own, to wipe.
func (f *fake) copies() []credential.Network {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.Clone(f.credentials)
	for n := range list {
		list[n].Key, list[n].Raw = list[n].Key.Clone(), list[n].Raw.Clone()
	}
	return list
}

func (f *fake) Credentials(id state.SessionID) ([]credential.Network, error) {
	return f.copies(), f.call("Credentials " + string(sessionPath(id)))
}

func (f *fake) Received(id state.SessionID) ([]credential.Network, error) {
	return f.copies(), f.call("Received " + string(sessionPath(id)))
}

func (f *fake) AddInterface(_ context.Context, name, driver string) error {
	if err := f.call("AddInterface " + name + " " + driver); err != nil {
		return err
	}
	f.tell(state.InterfaceAdded{Interface: state.Interface{Name: name, Driver: driver,
		Mode: drivers.ModeNone}})
	return nil
}

func (f *fake) RemoveInterface(_ context.Context, name string) error {
	if err := f.call("RemoveInterface " + name); err != nil {
		return err
	}
	f.tell(state.InterfaceRemoved{Name: name})
	return nil
}

func (f *fake) AddNetwork(_ context.Context, settings session.Settings,
	bssid wsc.MAC) (state.Network, error) {
	if err := f.call("AddNetwork " + bssid.String()); err != nil {
		return state.Network{}, err
	}
	settings.Key = settings.Key.Clone()
	n := state.Network{ID: 8, SSID: settings.SSID, Auth: settings.Auth,
		Encryption: settings.Encryption, BSSID: bssid, Source: "added"}
	f.mu.Lock()
	f.settings = settings
	f.mu.Unlock()
	f.tell(state.NetworkAdded{Network: n})
	return n, nil
}

func (f *fake) RegisterAgent(_ context.Context, owner, name string, to agents.Agent) error {
	if err := f.call("RegisterAgent " + name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents = append(f.agents, to)
	f.agentOwners = append(f.agentOwners, owner)
	return nil
}

func (f *fake) UnregisterAgent(_, name string) error { return f.call("UnregisterAgent " + name) }

func (f *fake) HasAgent(owner string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.agentOwners, owner)
}

func (f *fake) NetworkSecrets(id state.NetworkID) (credential.Network, error) {
	if err := f.call("NetworkSecrets " + string(networkPath(id))); err != nil {
		return credential.Network{}, err
	}
	return f.copies()[0], nil
}

func (f *fake) Activate(_ context.Context, id state.NetworkID, r service.ActivateRequest) error {
	return f.call("Activate " + string(networkPath(id)) + " " + r.Interface + " " + r.Apply)
}

func (f *fake) DeleteNetwork(_ context.Context, id state.NetworkID) error {
	return f.call("DeleteNetwork " + string(networkPath(id)))
}

func (f *fake) GeneratePIN() (secret.Value, error) {
	return secret.FromString("12345670"), f.call("GeneratePIN")
}

func (f *fake) SetDevice(_ context.Context, change func(*wsc.Device)) error {
	if err := f.call("SetDevice"); err != nil {
		return err
	}
	f.mu.Lock()
	change(&f.snapshot.Manager.Device)
	m := f.snapshot.Manager
	f.mu.Unlock()
	f.tell(state.ManagerChanged{Manager: m})
	return nil
}

func (f *fake) SetProcessing(_ context.Context, p state.Processing) error {
	if err := f.call("SetProcessing " + string(p)); err != nil {
		return err
	}
	f.mu.Lock()
	f.snapshot.Manager.Processing = p
	m := f.snapshot.Manager
	f.mu.Unlock()
	f.tell(state.ManagerChanged{Manager: m})
	return nil
}
