package main

import (
	"context"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// props are the properties of one interface of an object. A property that is missing or of another
// type reads as its zero value: wpsctl may be older or newer than wpsd. It is an alias, as godbus
// stores into exactly this type.
type props = map[string]godbus.Variant

// get reads a property of type T.
func get[T any](p props, name string) T {
	v, _ := p[name].Value().(T)
	return v
}

// when reads a time property: microseconds since 1970, 0 for none.
func when(p props, name string) time.Time {
	us := get[uint64](p, name)
	if us == 0 || us > 1<<62 {
		return time.Time{}
	}
	return time.UnixMicro(int64(us))
}

// tree is everything that ObjectManager told.
type tree struct {
	Manager      manager       `json:"manager"`
	Interfaces   []netif       `json:"interfaces"`
	AccessPoints []accessPoint `json:"access_points"`
	Sessions     []session     `json:"sessions"`
	Networks     []network     `json:"networks"`
	Enrollees    []enrollee    `json:"enrollees"`

	ERAccessPoints []erAccessPoint `json:"er_access_points"`
	EREnrollees    []erEnrollee    `json:"er_enrollees"`
}

// manager is the service itself.
type manager struct {
	Version       string   `json:"version"`
	Managers      []string `json:"managers"`
	UUID          string   `json:"uuid"`
	DeviceName    string   `json:"device_name"`
	Manufacturer  string   `json:"manufacturer"`
	ModelName     string   `json:"model_name"`
	DeviceType    string   `json:"device_type"`
	ConfigMethods []string `json:"config_methods"`
	Processing    string   `json:"credential_processing"`
	Waiting       uint32   `json:"waiting_credentials"`
}

// netif is one network interface.
type netif struct {
	Path    godbus.ObjectPath `json:"path"`
	Name    string            `json:"name"`
	Driver  string            `json:"driver"`
	Mode    string            `json:"mode"`
	MAC     string            `json:"hardware_address"`
	Manager string            `json:"manager,omitempty"`
	Online  bool              `json:"connected"`
	Costs   bool              `json:"disconnects"`
	Scan    bool              `json:"scanning"`
	Session godbus.ObjectPath `json:"session,omitempty"`
	ER      bool              `json:"external_registrar"` // runs
}

// accessPoint is one access point with WPS.
type accessPoint struct {
	Path       godbus.ObjectPath `json:"path"`
	Interface  string            `json:"interface"`
	BSSID      string            `json:"bssid"`
	SSID       string            `json:"ssid"`
	SSIDHex    string            `json:"ssid_hex"`
	ssid       []byte
	Frequency  uint32    `json:"frequency"`
	Signal     int32     `json:"signal"`
	Flags      string    `json:"flags"`
	Security   []string  `json:"security"`
	Configured bool      `json:"configured"`
	Locked     bool      `json:"setup_locked"`
	UUID       string    `json:"uuid,omitempty"`
	Router     string    `json:"router,omitempty"`
	Version    string    `json:"version"`
	DeviceName string    `json:"device_name"`
	Maker      string    `json:"manufacturer"`
	Model      string    `json:"model_name"`
	LastSeen   time.Time `json:"last_seen"`
}

// session is one WPS run.
type session struct {
	Path        godbus.ObjectPath         `json:"path"`
	Interface   godbus.ObjectPath         `json:"interface"`
	Role        string                    `json:"role"`
	Purpose     string                    `json:"purpose"`
	Method      string                    `json:"method"`
	State       string                    `json:"state"`
	Message     string                    `json:"message,omitempty"`
	Peer        string                    `json:"peer,omitempty"`
	AccessPoint godbus.ObjectPath         `json:"access_point,omitempty"`
	Started     time.Time                 `json:"started"`
	Deadline    time.Time                 `json:"deadline,omitzero"`
	ends        time.Time                 // Deadline by the clock that nobody sets
	Step        string                    `json:"step,omitempty"`
	Progress    float64                   `json:"progress"`
	Reason      string                    `json:"reason,omitempty"`
	ConfigError uint16                    `json:"config_error,omitempty"`
	Detail      map[string]godbus.Variant `json:"-"`
	Networks    []godbus.ObjectPath       `json:"networks,omitempty"`
}

// network is one stored network, without its key.
type network struct {
	Path       godbus.ObjectPath `json:"path"`
	ID         string            `json:"id"`
	SSID       string            `json:"ssid"`
	SSIDHex    string            `json:"ssid_hex"`
	ssid       []byte
	Auth       string    `json:"auth"`
	Encryption string    `json:"encryption"`
	BSSID      string    `json:"bssid,omitempty"`
	Source     string    `json:"source"`
	Created    time.Time `json:"created"`
}

// objects asks for everything there is, in a steady order.
func (c *client) objects(ctx context.Context) (*tree, error) {
	var all map[godbus.ObjectPath]map[string]props
	if err := c.call(ctx, rootPath, objectManager+".GetManagedObjects", []any{&all}); err != nil {
		return nil, err
	}
	// The root is not among its own managed objects where a service follows the specification to
	// the letter.
	if _, ok := all[rootPath][managerIface]; !ok {
		p, err := c.properties(ctx, rootPath, managerIface)
		if err != nil {
			return nil, err
		}
		all[rootPath] = map[string]props{managerIface: p}
	}
	return newTree(all), nil
}

// newTree sorts managed objects into their kinds.
func newTree(all map[godbus.ObjectPath]map[string]props) *tree {
	t := &tree{Interfaces: []netif{}, AccessPoints: []accessPoint{}, Sessions: []session{},
		Networks: []network{}, Enrollees: []enrollee{},
		ERAccessPoints: []erAccessPoint{}, EREnrollees: []erEnrollee{}}
	names := map[godbus.ObjectPath]string{}
	for p, ifaces := range all {
		if m, ok := ifaces[managerIface]; ok {
			t.Manager = newManager(m)
		}
		if i, ok := ifaces[interfaceIface]; ok {
			n := newNetif(p, i)
			n.ER = get[bool](ifaces[erIface], "Running")
			names[p] = n.Name
			t.Interfaces = append(t.Interfaces, n)
		}
	}
	for p, ifaces := range all {
		if ap, ok := ifaces[accessPointIface]; ok {
			t.AccessPoints = append(t.AccessPoints, newAccessPoint(p, ap, names))
		}
		if ap, ok := ifaces[erAccessPointIface]; ok {
			t.ERAccessPoints = append(t.ERAccessPoints, newERAccessPoint(p, ap, names))
		}
		if e, ok := ifaces[enrolleeIface]; ok {
			t.Enrollees = append(t.Enrollees, newEnrollee(p, e, names))
		}
		if s, ok := ifaces[sessionIface]; ok {
			t.Sessions = append(t.Sessions, newSession(p, s))
		}
		if n, ok := ifaces[networkIface]; ok {
			t.Networks = append(t.Networks, newNetwork(p, n))
		}
	}
	for p, ifaces := range all {
		if e, ok := ifaces[erEnrolleeIface]; ok {
			t.EREnrollees = append(t.EREnrollees, newEREnrollee(p, e, names, t.ERAccessPoints))
		}
	}
	slices.SortFunc(t.ERAccessPoints, func(a, b erAccessPoint) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	slices.SortFunc(t.Enrollees, func(a, b enrollee) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	slices.SortFunc(t.EREnrollees, func(a, b erEnrollee) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	slices.SortFunc(t.Interfaces, func(a, b netif) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(t.AccessPoints, func(a, b accessPoint) int {
		if a.Signal != b.Signal {
			return int(b.Signal) - int(a.Signal)
		}
		return strings.Compare(a.BSSID, b.BSSID)
	})
	slices.SortFunc(t.Sessions, func(a, b session) int { return compareNumbered(a.Path, b.Path) })
	slices.SortFunc(t.Networks, func(a, b network) int { return compareNumbered(a.Path, b.Path) })
	return t
}

// compareNumbered orders paths that end in a number.
func compareNumbered(a, b godbus.ObjectPath) int {
	na, _ := strconv.Atoi(path.Base(string(a)))
	nb, _ := strconv.Atoi(path.Base(string(b)))
	if na != nb {
		return na - nb
	}
	return strings.Compare(string(a), string(b))
}

func newManager(p props) manager {
	return manager{Version: get[string](p, "Version"),
		Managers: get[[]string](p, "Managers"), UUID: get[string](p, "Uuid"),
		DeviceName:   get[string](p, "DeviceName"),
		Manufacturer: get[string](p, "Manufacturer"), ModelName: get[string](p, "ModelName"),
		DeviceType:    get[string](p, "DeviceType"),
		ConfigMethods: get[[]string](p, "ConfigMethods"),
		Processing:    get[string](p, "CredentialProcessing"),
		Waiting:       get[uint32](p, "WaitingCredentials")}
}

func newNetif(at godbus.ObjectPath, p props) netif {
	n := netif{Path: at, Name: get[string](p, "Name"), Driver: get[string](p, "Driver"),
		Mode: get[string](p, "Mode"),
		MAC:  get[string](p, "HardwareAddress"), Scan: get[bool](p, "Scanning"),
		Manager: get[string](p, "Manager"), Online: get[bool](p, "Connected"),
		Costs:   get[bool](p, "Disconnects"),
		Session: get[godbus.ObjectPath](p, "Session")}
	if n.Session == "/" { // how a property says "none"
		n.Session = ""
	}
	return n
}

// newAccessPoint makes one; names maps interface objects to their names.
func newAccessPoint(at godbus.ObjectPath, p props, names map[godbus.ObjectPath]string) accessPoint {
	ssid := get[[]byte](p, "Ssid")
	parent, _, _ := strings.Cut(string(at), "/aps/")
	return accessPoint{Path: at, Interface: names[godbus.ObjectPath(parent)],
		BSSID: get[string](p, "Bssid"),
		SSID:  string(ssid), SSIDHex: hex.EncodeToString(ssid), ssid: ssid,
		Frequency: get[uint32](p, "Frequency"), Signal: get[int32](p, "Signal"),
		Flags: get[string](p, "Flags"), Security: get[[]string](p, "Security"),
		Configured: get[bool](p, "Configured"), Locked: get[bool](p, "SetupLocked"),
		UUID: get[string](p, "Uuid"), Router: get[string](p, "Router"),
		Version: get[string](p, "Version"), DeviceName: get[string](p, "DeviceName"),
		Maker: get[string](p, "Manufacturer"),
		Model: get[string](p, "ModelName"), LastSeen: when(p, "LastSeen")}
}

func newSession(at godbus.ObjectPath, p props) session {
	s := session{Path: at, Interface: get[godbus.ObjectPath](p, "Interface"),
		Role: get[string](p, "Role"), Purpose: get[string](p, "Purpose"),
		Method: get[string](p, "Method"),
		State:  get[string](p, "State"), Message: get[string](p, "Message"),
		Peer:        get[string](p, "Peer"),
		AccessPoint: get[godbus.ObjectPath](p, "AccessPoint"), Started: when(p, "Started"),
		Deadline: when(p, "Deadline"), ends: moment(p, "DeadlineMonotonic"),
		Step: get[string](p, "Step"), Progress: get[float64](p, "Progress"),
		Reason: get[string](p, "Reason"), ConfigError: get[uint16](p, "ConfigError"),
		Detail:   get[map[string]godbus.Variant](p, "Detail"),
		Networks: get[[]godbus.ObjectPath](p, "Networks")}
	if s.AccessPoint == "/" {
		s.AccessPoint = ""
	}
	return s
}

func newNetwork(at godbus.ObjectPath, p props) network {
	ssid := get[[]byte](p, "Ssid")
	return network{Path: at, ID: path.Base(string(at)), SSID: string(ssid),
		SSIDHex: hex.EncodeToString(ssid), ssid: ssid,
		Auth: get[string](p, "Auth"), Encryption: get[string](p, "Encryption"),
		BSSID:  get[string](p, "Bssid"),
		Source: get[string](p, "Source"), Created: when(p, "Created")}
}

// pickInterface finds the interface called name, or, without a name, the first that is a station.
func (t *tree) pickInterface(name string) (netif, error) { return t.pick(name, "station") }

// pick finds the interface called name, or, without a name, the first in the first of the modes
// that any is in.
func (t *tree) pick(name string, modes ...string) (netif, error) {
	for _, mode := range modes {
		for _, n := range t.Interfaces {
			if n.Name == name || name == "" && n.Mode == mode {
				return n, nil
			}
		}
	}
	f := &failure{Exit: exitNoInterface, Hint: "wpsd sees no network interface that it could use."}
	if len(t.Interfaces) > 0 {
		var names []string
		for _, n := range t.Interfaces {
			names = append(names, printable(n.Name))
		}
		f.Hint = "There are: " + strings.Join(names, ", ") + "."
	}
	f.Text = "no interface is a Wi-Fi station"
	if modes[0] == "ap" {
		f.Text = "no interface is an access point"
	}
	if name != "" {
		f.Text = "no interface " + printable(name)
	}
	return netif{}, f
}
