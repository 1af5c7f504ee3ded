package model

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// Service says whether wpsd is there.
type Service int

// The states of the service.
const (
	NoBus        Service = iota // there is no system bus, or we were thrown off it
	Starting                    // asked for, no answer yet
	NotInstalled                // nobody has the name, and D-Bus knows of nobody to start
	Away                        // it ended, or did not start: State.Why says more
	Ready
)

// State is all that is known at a moment. What it has is its own.
type State struct {
	Service    Service
	Why        string // what the bus said about a wpsd that did not start
	Version    string
	Interfaces []Interface
	Routers    []Router // what stations hear, the best first
	Sessions   []Session
	Networks   []Network
	Found      []FoundRouter // by External Registrars
	Devices    []Device      // that ask to be let in
	Granted    map[string]string
}

// Interface is one network interface.
type Interface struct {
	Path, Session           Path
	Name, Driver, Mode, MAC string
	Capabilities            []string
	Scanning, Locked        bool
	HasER, ER               bool // there is an External Registrar, and it runs
	Manager                 string
	Connected, Disconnects  bool
	TellsConnected          bool // older services do not say whether they are Connected
}

// Can tells whether the interface can do something, in the words of its Capabilities.
func (i Interface) Can(what string) bool { return slices.Contains(i.Capabilities, what) }

// BSS is one radio of a router.
type BSS struct {
	Path          Path
	BSSID, Band   string
	Channel       uint32
	Signal        int32
	Flags, Why    string
	Usable        bool
	Locked        bool
	ConfigMethods []string
}

// Router is what a person calls so: the BSSs with one UUID and one name, as one interface hears
// them. A network for guests is a router of its own, as one joins the one or the other.
type Router struct {
	Interface    Path
	SSID         []byte
	UUID         string
	Name, Model  string // what it says of itself
	Security     []string
	Configured   bool
	Locked       bool
	Pressed      bool // its button is, now
	Expects      bool // it expects this device
	Usable       bool
	Why          string
	Signal       int32
	BSSs         []BSS
	Manufacturer string
}

// BSSID is the address of the router's best radio.
func (r Router) BSSID() string { return r.BSSs[0].BSSID }

// Key tells one router from another, for as long as it is heard.
func (r Router) Key() string {
	if r.UUID == "" {
		return string(r.Interface) + " " + r.BSSID()
	}
	return string(r.Interface) + " " + r.UUID + " " + string(r.SSID)
}

// Bands are the router's, each once.
func (r Router) Bands() (bands []string) {
	for _, b := range r.BSSs {
		if b.Band != "" && !slices.Contains(bands, b.Band) {
			bands = append(bands, b.Band)
		}
	}
	slices.Sort(bands)
	return bands
}

// Session is one WPS run.
type Session struct {
	Path, Interface, AccessPoint         Path
	Role, Purpose, Method, State, Reason string
	Step                                 string // more than State says; empty: an older service
	Message, Peer                        string
	Started, Deadline                    time.Time
	ConfigError                          uint16
	Networks                             []Path
	Detail                               map[string]any
}

// Over tells whether the session has ended.
func (s Session) Over() bool {
	return s.State == "succeeded" || s.State == "failed" || s.State == "canceled"
}

// Network is a stored network, without its key.
type Network struct {
	Path                     Path
	SSID                     []byte
	Auth, Encryption, Source string
	BSSID                    string
	Created                  time.Time
}

// FoundRouter is an access point that an External Registrar found over the network.
type FoundRouter struct {
	Path, Interface                     Path
	UUID, BSSID, Address, Name          string
	Manufacturer, Model, State, Problem string
	Locked, HasSettings, Dropped        bool
}

// Device is one that asks to be let in, at an access point that an External Registrar talks to, or at
// one of this machine.
type Device struct {
	Path, Interface, AccessPoint  Path
	UUID, MAC, Name, Manufacturer string
	Model, DeviceType             string
	Pressed                       bool // by button; otherwise by PIN
}

// get reads a property of type T; one that is missing or of another type is the zero value.
func get[T any](p props, name string) T {
	v, _ := p[name].Value().(T)
	return v
}

// orNone takes the path "/" for none.
func orNone(p Path) Path {
	if p == "/" {
		return ""
	}
	return p
}

// when reads a time: microseconds since 1970, 0 for none.
func when(p props, name string) time.Time {
	us := get[uint64](p, name)
	if us == 0 || us > 1<<62 {
		return time.Time{}
	}
	return time.UnixMicro(int64(us))
}

// moment reads a time of CLOCK_MONOTONIC in microseconds as one that can be compared with time.Now,
// whatever became of the wall clock since: the first network often sets it. Zero: there is none.
func moment(p props, name string) time.Time {
	at := get[uint64](p, name)
	var now unix.Timespec
	if at == 0 || at > 1<<50 || unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(at)*time.Microsecond - time.Duration(now.Nano()))
}

// parent is the interface's part of the path of an object below it.
func parent(p Path) Path {
	const prefix = string(rootPath) + "/interfaces/"
	rest, ok := strings.CutPrefix(string(p), prefix)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return Path(prefix + name)
}

// State takes a snapshot.
func (m *Model) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := State{Service: m.service, Why: m.why, Granted: m.granted}
	if m.service != Ready {
		return s
	}
	s.Version = get[string](m.objects[rootPath][managerIface], "Version")
	heard := map[string][]heardBSS{}
	for at, o := range m.objects {
		if p, ok := o[netIface]; ok {
			s.Interfaces = append(s.Interfaces, newInterface(at, p, o[erIface]))
		}
		if p, ok := o[apIface]; ok {
			b := newBSS(at, p)
			heard[b.group()] = append(heard[b.group()], b)
		}
		if p, ok := o[sessionIface]; ok {
			s.Sessions = append(s.Sessions, newSession(at, p))
		}
		if p, ok := o[networkIface]; ok {
			s.Networks = append(s.Networks, newNetwork(at, p))
		}
		if p, ok := o[erAPIface]; ok {
			s.Found = append(s.Found, newFoundRouter(at, p))
		}
		if p, ok := o[enrolleeIface]; ok {
			s.Devices = append(s.Devices, newDevice(at, p))
		}
	}
	for _, list := range heard {
		s.Routers = append(s.Routers, newRouter(list))
	}
	s.sort()
	return s
}

// sort puts everything into a steady order.
func (s *State) sort() {
	slices.SortFunc(s.Interfaces, func(a, b Interface) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Routers, func(a, b Router) int {
		return cmp.Or(-compareBool(a.Pressed, b.Pressed), -compareBool(a.Usable, b.Usable),
			cmp.Compare(band(b.Signal), band(a.Signal)), cmp.Compare(string(a.SSID), string(b.SSID)),
			cmp.Compare(a.Key(), b.Key()))
	})
	slices.SortFunc(s.Sessions, func(a, b Session) int { return byNumber(a.Path, b.Path) })
	slices.SortFunc(s.Networks, func(a, b Network) int {
		return cmp.Or(b.Created.Compare(a.Created), byNumber(a.Path, b.Path))
	})
	slices.SortFunc(s.Found, func(a, b FoundRouter) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	slices.SortFunc(s.Devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
}

// band makes of a signal's strength what moves a row: one that wavers stays where it is.
func band(signal int32) int32 { return signal / 10 }

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// byNumber orders paths that end in a number.
func byNumber(a, b Path) int {
	na, _ := strconv.Atoi(path.Base(string(a)))
	nb, _ := strconv.Atoi(path.Base(string(b)))
	return cmp.Or(na-nb, cmp.Compare(a, b))
}

func newInterface(at Path, p, er props) Interface {
	i := Interface{Path: at, Session: orNone(get[Path](p, "Session")), Name: get[string](p, "Name"),
		Driver: get[string](p, "Driver"), Mode: get[string](p, "Mode"),
		MAC: get[string](p, "HardwareAddress"), Capabilities: get[[]string](p, "Capabilities"),
		Scanning: get[bool](p, "Scanning"), Locked: get[bool](p, "SetupLocked"),
		HasER: er != nil, ER: get[bool](er, "Running"), Manager: get[string](p, "Manager"),
		Connected: get[bool](p, "Connected"), Disconnects: get[bool](p, "Disconnects")}
	_, i.TellsConnected = p["Connected"]
	return i
}

// heardBSS is a BSS with what it says of its router.
type heardBSS struct {
	BSS
	iface Path
	props props
}

// group tells BSSs of one router from those of others.
func (b heardBSS) group() string {
	id := get[string](b.props, "Uuid")
	if id == "" {
		id = b.BSSID
	}
	return string(b.iface) + " " + id + " " + string(get[[]byte](b.props, "Ssid"))
}

func newBSS(at Path, p props) heardBSS {
	b := BSS{Path: at, BSSID: get[string](p, "Bssid"), Band: get[string](p, "Band"),
		Channel: get[uint32](p, "Channel"), Signal: get[int32](p, "Signal"),
		Flags: get[string](p, "Flags"), Why: get[string](p, "Why"), Usable: true,
		Locked: get[bool](p, "SetupLocked"), ConfigMethods: get[[]string](p, "ConfigMethods")}
	if usable, told := p["Usable"].Value().(bool); told {
		b.Usable = usable
	}
	return heardBSS{BSS: b, iface: parent(at), props: p}
}

// newRouter makes one of its BSSs. One that is pressed, or usable, speaks for all; the strongest
// says what it is called.
func newRouter(list []heardBSS) Router {
	slices.SortFunc(list, func(a, b heardBSS) int {
		return cmp.Or(cmp.Compare(b.Signal, a.Signal), cmp.Compare(a.BSSID, b.BSSID))
	})
	p := list[0].props
	r := Router{Interface: list[0].iface, SSID: get[[]byte](p, "Ssid"), UUID: get[string](p, "Uuid"),
		Name: get[string](p, "DeviceName"), Model: get[string](p, "ModelName"),
		Manufacturer: get[string](p, "Manufacturer"), Security: get[[]string](p, "Security"),
		Configured: get[bool](p, "Configured"), Signal: list[0].Signal, Why: list[0].Why}
	for _, b := range list {
		r.BSSs = append(r.BSSs, b.BSS)
		r.Locked = r.Locked || b.Locked
		r.Usable = r.Usable || b.Usable
		r.Pressed = r.Pressed || b.Flags == "WPS-PBC"
		r.Expects = r.Expects || b.Flags == "WPS-AUTH"
	}
	return r
}

func newSession(at Path, p props) Session {
	s := Session{Path: at, Interface: get[Path](p, "Interface"),
		AccessPoint: orNone(get[Path](p, "AccessPoint")), Role: get[string](p, "Role"),
		Purpose: get[string](p, "Purpose"), Method: get[string](p, "Method"),
		State: get[string](p, "State"), Reason: get[string](p, "Reason"),
		Message: get[string](p, "Message"), Peer: get[string](p, "Peer"),
		Started: when(p, "Started"), Deadline: when(p, "Deadline"), Step: get[string](p, "Step"),
		ConfigError: get[uint16](p, "ConfigError"), Networks: get[[]Path](p, "Networks"),
		Detail: map[string]any{}}
	for name, v := range get[map[string]godbus.Variant](p, "Detail") {
		s.Detail[name] = v.Value()
	}
	if end := moment(p, "DeadlineMonotonic"); !end.IsZero() {
		s.Started = s.Started.Add(end.Sub(s.Deadline)) // on the same clock
		s.Deadline = end
	}
	return s
}

func newNetwork(at Path, p props) Network {
	return Network{Path: at, SSID: get[[]byte](p, "Ssid"), Auth: get[string](p, "Auth"),
		Encryption: get[string](p, "Encryption"), Source: get[string](p, "Source"),
		BSSID: get[string](p, "Bssid"), Created: when(p, "Created")}
}

func newFoundRouter(at Path, p props) FoundRouter {
	return FoundRouter{Path: at, Interface: parent(at), UUID: get[string](p, "Uuid"),
		BSSID: get[string](p, "Bssid"), Address: get[string](p, "Address"),
		Name:         cmp.Or(get[string](p, "FriendlyName"), get[string](p, "DeviceName")),
		Manufacturer: get[string](p, "Manufacturer"), Model: get[string](p, "ModelName"),
		State: get[string](p, "State"), Problem: get[string](p, "Problem"),
		Locked: get[bool](p, "SetupLocked"), HasSettings: get[bool](p, "HasSettings"),
		Dropped: get[bool](p, "Dropped")}
}

func newDevice(at Path, p props) Device {
	const buttonPressed = 4 // Device Password ID of push button
	return Device{Path: at, Interface: parent(at), AccessPoint: orNone(get[Path](p, "AccessPoint")),
		UUID: get[string](p, "Uuid"), MAC: get[string](p, "MacAddress"),
		Name: get[string](p, "DeviceName"), Manufacturer: get[string](p, "Manufacturer"),
		Model: get[string](p, "ModelName"), DeviceType: get[string](p, "DeviceType"),
		Pressed: get[uint16](p, "PasswordId") == buttonPressed}
}

// Station is the interface that joins networks: the one called name, or else the first that is one.
func (s *State) Station(name string) (Interface, bool) {
	return s.first(name, "station")
}

// AccessPoint is an interface that is an access point.
func (s *State) AccessPoint() (Interface, bool) { return s.first("", "ap") }

func (s *State) first(name, mode string) (Interface, bool) {
	for _, i := range s.Interfaces {
		if i.Mode == mode && (name == "" || i.Name == name) {
			return i, true
		}
	}
	return Interface{}, false
}

// Session finds a session.
func (s *State) Session(at Path) (Session, bool) {
	for _, one := range s.Sessions {
		if one.Path == at {
			return one, true
		}
	}
	return Session{}, false
}

// Router finds the router that an access point object belongs to.
func (s *State) Router(at Path) (Router, bool) {
	for _, r := range s.Routers {
		for _, b := range r.BSSs {
			if b.Path == at {
				return r, true
			}
		}
	}
	return Router{}, false
}

// RouterOf finds the router with this BSSID.
func (s *State) RouterOf(bssid string) (Router, bool) {
	for _, r := range s.Routers {
		for _, b := range r.BSSs {
			if b.BSSID == bssid {
				return r, true
			}
		}
	}
	return Router{}, false
}

// Network finds a stored network.
func (s *State) Network(at Path) (Network, bool) {
	for _, n := range s.Networks {
		if n.Path == at {
			return n, true
		}
	}
	return Network{}, false
}

// May tells whether an action of polkit's is out of the question: then a page says so at once.
func (s *State) May(action string) bool { return s.Granted["fi.w1.wps."+action] != "no" }

// Offline tells whether an interface is a station that is in no network, as far as that is told.
func (s *State) Offline(at Path) bool {
	for _, i := range s.Interfaces {
		if i.Path == at {
			return i.Mode == "station" && i.TellsConnected && !i.Connected && i.Session == ""
		}
	}
	return false
}
