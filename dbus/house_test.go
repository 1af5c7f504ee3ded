package dbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wpsd/dbus/bus"
	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/drivers/sim"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/external"
	"wpsd/service/hotspot"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
	networkstore "wpsd/service/store"
)

// house is the real service, with a simulated radio. What the handlers make of calls is on record,
// and a test can say what becomes of a call instead of asking the service.
type house struct {
	Rooms
	air   *sim.World
	radio *radio
	store *networkstore.Store
	end   context.CancelFunc
	over  chan error
	once  sync.Once // closed

	mu   sync.Mutex
	made []string // what was asked for, as "Scan wlan0"
	next state.SessionID

	// on, if set, runs before each call of the service, without the lock; its error is the call's.
	on func(call string) error
	// answer, if set, is given in place of the service's.
	answer func(name string, asked any) []any

	last     session.StartRequest
	settings session.Settings // of Configure or AddNetwork
	lastER   external.Request
	agents   []*agent
}

// radio is a simulated one that says whether somebody wants to hear what others hear.
type radio struct {
	*sim.Driver
	listens atomic.Bool
	heard   chan drivers.HeardScan
}

func (r *radio) Heard() <-chan drivers.HeardScan { return r.heard }
func (r *radio) Listen(on bool) error            { r.listens.Store(on); return nil }

// silence is a network without access points: the ControlPoint of an External Registrar that finds
// nobody.
type silence struct{}

func (silence) Heard() <-chan upnp.Announcement    { return nil }
func (silence) Notified() <-chan upnp.Notification { return nil }
func (silence) Changed() <-chan struct{}           { return nil }
func (silence) Search(context.Context) error       { return nil }
func (silence) Close() error                       { return nil }

func (silence) Do(ctx context.Context, _ upnp.Request) (upnp.Response, error) {
	<-ctx.Done()
	return upnp.Response{}, ctx.Err()
}

// homeNetwork is the one that is stored, and that sessions receive.
func homeNetwork() credential.Network {
	return credential.Network{
		SSID: []byte("home"), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
		Key: secret.FromString(key), KeyKind: credential.KeyPassphrase,
		KeyIndex: 1, MAC: laptop, NetworkIndex: 1, Raw: secret.FromString(rawKey),
	}
}

// newHouse starts a service with one interface, wlan0, and one network, 7. In no bubble t is nil.
func newHouse(t testing.TB, log *slog.Logger) *house {
	h := &house{air: sim.NewWorld(sim.WorldOptions{}), store: networkstore.Memory(),
		over: make(chan error, 1)}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.air.AddRadio(sim.Radio{Name: "wlan0", MAC: laptop}))
	driver, err := sim.New(sim.Options{World: h.air})
	must(err)
	h.radio = &radio{Driver: driver, heard: make(chan drivers.HeardScan, 1)}
	for n := range 7 { // ids are never used twice
		stored := networkstore.Network{Network: homeNetwork(), BSSID: bssid1, Source: "pbc",
			Created: epoch}
		stored, _, err = h.store.Put(stored)
		must(err)
		if n < 6 {
			must(h.store.Delete(stored.ID))
		}
	}
	svc, err := service.New(service.Config{
		Device: wsc.Device{UUID: wsc.UUIDFromMAC(laptop), DeviceName: "laptop",
			PrimaryDeviceType: wsc.DeviceType{0, 1, 0, 0x50, 0xf2, 4, 0, 1}},
		Drivers: []drivers.Driver{h.radio, none.New(nil)}, Store: h.store, Version: "0.1",
		ControlPoint: func(string) (external.ControlPoint, error) { return silence{}, nil },
		Log:          log,
	})
	must(err)
	h.Rooms = RoomsOf(svc)
	ctx, cancel := context.WithCancel(context.Background())
	h.end = cancel
	go func() { h.over <- svc.Run(ctx) }()
	<-svc.Ready()
	if t != nil {
		t.Cleanup(func() { must(h.close()) })
	}
	return h
}

// close ends the service. It tells a Server how its sessions end.
func (h *house) close() (err error) {
	h.once.Do(func() {
		h.end()
		err = errors.Join(<-h.over, h.radio.Close())
	})
	return err
}

// tell has events happen that the service does not know of.
func (h *house) tell(events ...state.Event) {
	for _, e := range events {
		h.Published.Publish(e)
	}
}

// wlan0 is the interface as it is.
func (h *house) wlan0() state.Interface {
	i, _ := h.Published.Interface("wlan0")
	return i
}

// released reports whether what an owner had is over.
func (h *house) released(owner string) bool {
	for _, s := range h.Published.Snapshot().Sessions {
		if s.Owner == owner && !s.Detached && !s.State.Ended() {
			return false
		}
	}
	return !h.HasAgent(owner) && !h.WantsER(owner)
}

// calls returns the record.
func (h *house) calls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.made)
}

// lastAgent is the one that has registered last.
func (h *house) lastAgent() *agent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.agents[len(h.agents)-1]
}

// record puts a call on record and reports what a test wants to become of it.
func (h *house) record(name string, asked any) (on func(string) error,
	answer func(string, any) []any, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text = asText(name, asked)
	if text != "" {
		h.made = append(h.made, text)
	}
	switch q := asked.(type) {
	case session.StartRequest:
		h.last = q
	case configuration[session.StartRequest]:
		h.last, h.settings = q.start, q.settings
	case external.Request:
		h.lastER = q
	case configuration[external.Request]:
		h.lastER, h.settings = q.start, q.settings
	case networkToAdd:
		h.settings = q.Settings
	case *agent:
		h.agents = append(h.agents, q)
	}
	for _, v := range []*secret.Value{&h.last.PIN, &h.lastER.PIN, &h.settings.Key} {
		if !v.IsZero() {
			*v = v.Clone() // it is wiped
		}
	}
	return h.on, h.answer, text
}

// listens has what handlers make of calls put on record.
func (h *house) listens(table map[string]handler) map[string]handler {
	heard := map[string]handler{}
	for name, m := range table {
		heard[name] = handler{read: m.read, do: func(ctx context.Context, s Rooms,
			asked any) ([]any, error) {
			on, answer, text := h.record(name, asked)
			if on != nil {
				if err := on(text); err != nil {
					return nil, err
				}
			}
			if answer != nil {
				return answer(name, asked), nil
			}
			return m.do(ctx, s, asked)
		}}
	}
	return heard
}

// pretend is an answer for tests of what is asked and of who may: everything succeeds, and nothing
// is done but that a session is told of.
func (h *house) pretend(name string, asked any) []any {
	switch q := asked.(type) {
	case session.StartRequest:
		begun := h.begin(state.Session{Interface: q.Interface, Owner: q.Owner, User: q.User,
			Detached: q.Detach})
		if name == startPinMethod {
			return []any{begun, bus.Text{Value: q.PIN.Clone()}}
		}
		return []any{begun}
	case external.Request:
		return []any{h.begin(state.Session{Interface: q.Interface, Owner: q.Owner, User: q.User,
			Detached: q.Detach})}
	case configuration[session.StartRequest]:
		return h.pretend(name, q.start)
	case configuration[external.Request]:
		return h.pretend(name, q.start)
	case nfc.TagRequest:
		return []any{values{}}
	case tokenRequest: // such as "er config token"
		_, face, _ := strings.Cut(name, "fi.w1.wps.")
		return []any{[]byte(strings.ToLower(face))}
	case hotspot.APPINRequest:
		switch {
		case q.Command == hotspot.APPINDisable:
			return []any{""}
		case !q.PIN.IsZero():
			return []any{bus.Text{Value: q.PIN.Clone()}}
		}
		return []any{"12345670"}
	}
	return nil
}

// begin tells of a session, as the service does before it answers.
func (h *house) begin(s state.Session) any {
	h.mu.Lock()
	h.next++
	s.ID, s.State, s.Role = h.next, state.StateScanning, state.RoleEnrollee
	h.mu.Unlock()
	i := h.wlan0()
	i.Session = s.ID
	h.tell(state.SessionAdded{Session: s}, state.InterfaceChanged{Interface: i})
	return sessionPath(s.ID)
}

// asText shows what the service is asked for; empty: it is not asked.
func asText(name string, asked any) string {
	_, member, _ := strings.Cut(strings.TrimPrefix(name, "fi.w1.wps."), ".")
	if strings.HasPrefix(name, erIface+".") {
		return asTextER(strings.TrimPrefix(name, erIface+"."), asked)
	}
	switch q := asked.(type) {
	case struct{}:
		return "GeneratePIN"
	case session.StartRequest:
		return "Start " + map[string]string{"StartPbc": "pbc", "StartPin": "pin", "StartNfc": "nfc",
			"Learn": "learn " + string(q.PIN.Bytes())}[member] + " " + q.Interface
	case configuration[session.StartRequest]:
		return "Start configure " + string(q.start.PIN.Bytes()) + " " + q.start.Interface
	case string:
		return member + " " + q
	case state.SessionID:
		return strings.TrimPrefix(member, "Get") + " " + string(sessionPath(q))
	case cancelRequest:
		if q.session != 0 {
			return "Cancel " + string(sessionPath(q.session))
		}
		return "CancelInterface " + q.ifname
	case state.NetworkID:
		return map[string]string{"GetSecrets": "NetworkSecrets", "Delete": "DeleteNetwork"}[member] +
			" " + string(networkPath(q))
	case activation:
		return "Activate " + string(networkPath(q.network)) + " " + q.Interface + " " + q.Apply
	case networkToAdd:
		return "AddNetwork " + q.bssid.String()
	case interfaceToAdd:
		return "AddInterface " + q.name + " " + q.driver
	case *agent:
		return map[string]string{"RegisterCredentialAgent": "RegisterAgent",
			"UnregisterCredentialAgent": "UnregisterAgent"}[member] + " " + string(q.path)
	case hotspot.APPINRequest:
		return fmt.Sprintf("APPIN %s %s %v", q.Interface, q.Command, q.Timeout)
	case tokenRequest:
		return asTextToken("NFC", member, q)
	case nfc.TagRequest:
		return fmt.Sprintf("NFCTagRead %q %s %s %s", q.Interface, q.Payload, q.Owner, q.Apply)
	case nfc.Handover:
		return fmt.Sprintf("NFCReportHandover %s %v %s %s %s", q.Interface, q.Initiator, q.Request,
			q.Select, q.Owner)
	}
	return ""
}

// asTextToken is asText of what is read from NFC.
func asTextToken(prefix, member string, q tokenRequest) string {
	text := prefix + strings.TrimPrefix(member, "Nfc") + " " + q.ifname
	if prefix == "ERNFC" {
		text += " " + q.ap.String()
	}
	text += " " + string(q.format)
	switch {
	case q.carrier != "":
		return text + " " + string(q.carrier)
	case member == "NfcConfigToken" && prefix == "NFC":
		return fmt.Sprint(text, " ", q.network)
	}
	return text
}

// asTextER is asText for the External Registrar.
func asTextER(member string, asked any) string {
	proof := func(r external.Request) string {
		if r.NFC {
			return "its tag" + string(r.PIN.Bytes())
		}
		return string(r.PIN.Bytes())
	}
	switch q := asked.(type) {
	case external.Start:
		return fmt.Sprintf("StartER %s %v detach=%v", q.Interface, q.Address, q.Detach)
	case erStopRequest:
		if q.own {
			return "StopOwnER " + q.ifname + " " + q.user
		}
		return "StopER " + q.ifname
	case external.Request:
		return "Start er " + map[string]string{
			"Learn":     "learn " + q.AP.String() + " " + proof(q),
			"EnrollPbc": "pbc " + q.Enrollee.String(),
			"EnrollPin": "pin " + q.Enrollee.String() + " " + string(q.PIN.Bytes()),
		}[member] + " " + q.Interface
	case configuration[external.Request]:
		return "Start er configure " + q.start.AP.String() + " " + proof(q.start) + " " +
			q.start.Interface
	case erSetConfigRequest:
		return fmt.Sprintf("ERSetConfig %s %s %d", q.ifname, q.ap, q.network)
	case tokenRequest:
		return asTextToken("ERNFC", member, q)
	case nfc.TagRequest:
		return fmt.Sprintf("ERNFCTagRead %q %s %s %s", q.Interface, q.Payload, q.Owner, q.Apply)
	}
	return ""
}

// received lets a session of the service end with homeNetwork. The bubble's time goes on.
func (h *house) received(t testing.TB, press func(ap *sim.AP)) {
	t.Helper()
	ap, err := h.air.AddAP(sim.APOptions{SSID: "home", Security: sim.WPA2,
		Key: secret.FromString(key), BSSs: []sim.BSS{{BSSID: bssid1, Frequency: 2437}}})
	if err != nil {
		t.Fatal(err)
	}
	press(ap)
	time.Sleep(10 * time.Second)
}
