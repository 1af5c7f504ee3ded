//go:build applet

package applet

import (
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"

	"wpsd/test/atspi"
)

// service is a stand-in for wpsd whose sessions end as a test says: most reasons cannot be had from
// the simulation. It has one station, and one session at a time.
type service struct {
	conn *godbus.Conn

	mu     sync.Mutex
	allows string // what each action is: "yes", "auth" or "no"
	reason string // with which the next session fails
	refuse string // name of the error with which the next call fails; empty: none
	detail map[string]godbus.Variant
	number int
}

const (
	fakeRoot    = godbus.ObjectPath("/fi/w1/wps")
	fakeStation = godbus.ObjectPath("/fi/w1/wps/interfaces/wlan0")
	fakeHotspot = godbus.ObjectPath("/fi/w1/wps/interfaces/wlan1")
	fakePolkit  = godbus.ObjectPath("/org/freedesktop/PolicyKit1/Authority")
)

type variants = map[string]godbus.Variant

func v(value any) godbus.Variant { return godbus.MakeVariant(value) }

// newService puts one on a bus, which allows this.
func newService(t *testing.T, address, allows string) *service {
	t.Helper()
	conn, err := godbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s := &service{conn: conn, allows: allows}
	for path, methods := range map[godbus.ObjectPath]map[string]map[string]any{
		fakeRoot: {"org.freedesktop.DBus.ObjectManager": {"GetManagedObjects": s.objects},
			"fi.w1.wps.Manager": {"GetPermissions": s.permissions}},
		fakeStation: {"fi.w1.wps.Interface": {"Scan": s.scan, "StartPbc": s.start}},
	} {
		for iface, table := range methods {
			if err := conn.ExportMethodTable(table, path, iface); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := conn.Export(introspect.Introspectable("<node/>"), fakeRoot,
		"org.freedesktop.DBus.Introspectable"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"org.freedesktop.PolicyKit1", "fi.w1.wps"} {
		if _, err := conn.RequestName(name, godbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *service) objects() (map[godbus.ObjectPath]map[string]variants, *godbus.Error) {
	return map[godbus.ObjectPath]map[string]variants{
		fakeRoot: {"fi.w1.wps.Manager": {"Version": v("test")}},
		fakeStation: {"fi.w1.wps.Interface": {"Name": v("wlan0"), "Mode": v("station"),
			"Session": v(godbus.ObjectPath("/")), "Capabilities": v([]string{"pbc", "pin"})},
			"fi.w1.wps.ER": {"Running": v(false)}},
		fakeHotspot: {"fi.w1.wps.Interface": {"Name": v("wlan1"), "Mode": v("ap"),
			"Session": v(godbus.ObjectPath("/")), "Capabilities": v([]string{"pbc", "pin"})}},
	}, nil
}

func (s *service) permissions() (map[string]string, *godbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, action := range []string{"scan", "enroll", "register", "read-secrets", "manage"} {
		all["fi.w1.wps."+action] = s.allows
	}
	return all, nil
}

// allow says what the user may do from now on; told has polkit tell of it.
func (s *service) allow(allows string, told bool) {
	s.mu.Lock()
	s.allows = allows
	s.mu.Unlock()
	if told {
		_ = s.conn.Emit(fakePolkit, "org.freedesktop.PolicyKit1.Authority.Changed")
	}
}

// next says how the next session ends, or which error there is instead.
func (s *service) next(reason, refuse string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason, s.refuse = reason, refuse
}

func (*service) scan(variants) *godbus.Error { return nil }

// start begins a session that has failed by the time that it is looked at.
func (s *service) start(variants) (godbus.ObjectPath, *godbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != "" {
		return "", godbus.NewError(s.refuse, []any{"The stand-in refuses."})
	}
	s.number++
	path := godbus.ObjectPath("/fi/w1/wps/sessions/" + string(rune('a'+s.number%26)) +
		string(rune('a'+s.number/26)))
	_ = s.conn.ExportMethodTable(map[string]any{"GetCredentials": s.credentials}, path,
		"fi.w1.wps.Session")
	now := uint64(time.Now().UnixMicro())
	state := "failed"
	if s.reason == "canceled" {
		state = "canceled"
	}
	_ = s.conn.Emit(fakeRoot, "org.freedesktop.DBus.ObjectManager.InterfacesAdded", path,
		map[string]variants{"fi.w1.wps.Session": {"Interface": v(fakeStation),
			"Role": v("enrollee"), "Purpose": v("enroll"), "Method": v("pbc"), "State": v(state),
			"Reason": v(s.reason), "Started": v(now), "Deadline": v(now + 120e6),
			"AccessPoint": v(godbus.ObjectPath("/")), "Detail": v(s.detail)}})
	return path, nil
}

// plugIn brings a second adapter, whose radio is off.
func (s *service) plugIn(name string) {
	path := fakeRoot + godbus.ObjectPath("/interfaces/"+name)
	_ = s.conn.ExportMethodTable(map[string]any{
		"StartPbc": func(variants) (godbus.ObjectPath, *godbus.Error) {
			return "", godbus.NewError("fi.w1.wps.Error.RadioBlocked", []any{name})
		}}, path, "fi.w1.wps.Interface")
	_ = s.conn.Emit(fakeRoot, "org.freedesktop.DBus.ObjectManager.InterfacesAdded", path,
		map[string]variants{"fi.w1.wps.Interface": {"Name": v(name), "Mode": v("station"),
			"Session": v(godbus.ObjectPath("/")), "Capabilities": v([]string{"pbc", "pin"})}})
}

// credentials are those of a session that received something.
func (*service) credentials() ([]variants, *godbus.Error) {
	return []variants{{"ssid": v([]byte("Fake Home")), "auth": v("WPA2PSK"),
		"key-kind": v("passphrase"), "key": v([]byte("shown this once"))}}, nil
}

// switchesOn is NetworkManager where it is asked to switch Wi-Fi on: that asks for it, and answer
// does it before NetworkManager says that it is done.
func (d *desktop) switchesOn(that, answer func()) {
	d.T.Helper()
	conn, err := godbus.Connect(d.system.Address)
	if err != nil {
		d.T.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	asked, done := make(chan string), make(chan struct{})
	set := func(_, name string, on godbus.Variant) *godbus.Error {
		asked <- name + "=" + on.String()
		<-done
		return nil
	}
	if err := conn.ExportMethodTable(map[string]any{"Set": set}, "/org/freedesktop/NetworkManager",
		"org.freedesktop.DBus.Properties"); err != nil {
		d.T.Fatal(err)
	}
	if _, err := conn.RequestName("org.freedesktop.NetworkManager",
		godbus.NameFlagDoNotQueue); err != nil {
		d.T.Fatal(err)
	}
	that()
	select {
	case what := <-asked:
		if what != "WirelessEnabled=true" {
			d.T.Errorf("NetworkManager is asked for %s", what)
		}
	case <-time.After(atspi.Patience):
		d.T.Fatal("nobody asks NetworkManager")
	}
	answer()
	close(done)
	d.Gone("Wi-Fi Is Switched Off")
}
