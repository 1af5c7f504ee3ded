package dbus

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/wsc"
	"wpsd/introspection"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// The names of methods, in full.
const (
	startPbcMethod = interfaceIface + ".StartPbc"
	startPinMethod = interfaceIface + ".StartPin"
	get            = propertiesIface + ".Get"
	getAll         = propertiesIface + ".GetAll"
	set            = propertiesIface + ".Set"
	introspect     = introspectableIface + ".Introspect"
)

func TestFromCallToSignal(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		reply := c.must(wlan0, startPbcMethod,
			options("bssid", "02:00:00:00:01:00", "detach", true, "apply", "none"))
		if len(reply) != 1 || reply[0] != session1 {
			t.Fatalf("StartPbc returned %v", reply)
		}
		want := session.StartRequest{Interface: "wlan0", BSSID: bssid1, Owner: c.conn.Names()[0],
			User: "0", Purpose: state.PurposeEnroll, Detach: true, Apply: "none"}
		if w.svc.last != want {
			t.Errorf("the service was asked for %+v", w.svc.last)
		}
		expect(t, c.heard(),
			" InterfacesAdded "+string(session1),
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[")

		s, _ := w.svc.Published.Session(1)
		if s.Owner != c.conn.Names()[0] || s.Role != state.RoleEnrollee ||
			s.Method != state.MethodPBC || s.State != state.StateScanning {
			t.Errorf("the session is %+v", s)
		}
		s.State, s.Peer, s.Message = state.StateExchanging, bssid1, wsc.MsgM4
		w.svc.tell(state.AccessPointAdded{AccessPoint: accessPoint()},
			state.SessionChanged{Session: s})
		expect(t, c.heard(),
			" InterfacesAdded "+string(ap1),
			"/interfaces/wlan0 AccessPointAvailable "+string(ap1)+" WPS",
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[AccessPoints:["+
				string(ap1)+"]] []",
			"/sessions/1 PropertiesChanged fi.w1.wps.Session map[AccessPoint:"+string(ap1)+
				" Message:M4 Peer:02:00:00:00:01:00 Progress:0.55 State:exchanging Step:exchanging] []",
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[Scanning:false] []")

		w.svc.received(t, press)
		heard := c.heard()
		end := slices.IndexFunc(heard, func(s string) bool {
			return strings.Contains(s, "CredentialReceived")
		})
		expect(t, heard[end:],
			"/sessions/1 CredentialReceived map[auth:WPA2PSK encryption:CCMP key:\""+key,
			"/sessions/1 PropertiesChanged fi.w1.wps.Session map[",
			"/sessions/1 Succeeded ["+string(network7)+"]", // the same network
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[Session:/] []")
		if !strings.HasSuffix(heard[end+1], " Progress:1 State:succeeded Step:ended] []") ||
			!slices.ContainsFunc(heard, func(s string) bool {
				return strings.Contains(s, "Networks:["+string(network7)+"]")
			}) {
			t.Errorf("heard\n\t%s", strings.Join(heard, "\n\t"))
		}
	})
}

// expect compares signals with the beginnings they should have.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for n := 0; ok && n < len(got); n++ {
		ok = strings.HasPrefix(got[n], want[n])
	}
	if !ok {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestSignalsComeBeforeTheReply: a client that learns the path of its session has heard of the
// object before.
func TestSignalsComeBeforeTheReply(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		call := c.call(wlan0, startPbcMethod, options())
		synctest.Wait()
		for range len(c.signals) {
			if s := <-c.signals; s.Sequence >= call.ResponseSequence {
				t.Errorf("%s came after the reply", s.Name)
			}
		}
		if _, ok := c.must(session1, get, sessionIface, "State")[0].(godbus.Variant); !ok {
			t.Error("the session is not there")
		}
	})
}

func TestPropertiesHaveTheirTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger)
		w.svc.tell(state.AccessPointAdded{AccessPoint: accessPoint()},
			state.SessionAdded{Session: state.Session{
				ID: 1, Interface: "wlan0", Detail: outcome.Detail{
					Overlap: []outcome.AccessPoint{{BSSID: bssid1}}, PasswordHalf: 2,
					AccessPointsTried: 3,
					SSID:              []byte("x"), LinkReason: 4, LinkStatus: 5, Credentials: 1,
					NotStored: true, Connection: "/nm/7", ConnectionUUID: "7",
				},
			}})
		all, err := introspection.All()
		if err != nil {
			t.Fatal(err)
		}
		paths := map[string]godbus.ObjectPath{managerIface: rootPath, interfaceIface: wlan0,
			accessPointIface: ap1, sessionIface: session1, networkIface: network7}
		for _, i := range all {
			path, ours := paths[i.Name]
			if !ours {
				continue
			}
			got := c.must(path, getAll, i.Name)[0].(map[string]godbus.Variant)
			checkTypes(t, &i, got, "")
			if len(got) != len(i.Properties) {
				t.Errorf("%s has %d properties, declared are %d", i.Name, len(got),
					len(i.Properties))
			}
			for _, p := range i.Properties {
				one := c.must(path, get, i.Name, p.Name)[0].(godbus.Variant)
				if plain(one) != plain(got[p.Name]) {
					t.Errorf("%s.%s: Get gives %v, GetAll %v", i.Name, p.Name, one, got[p.Name])
				}
			}
		}
		ap := c.must(ap1, getAll, accessPointIface)[0].(map[string]godbus.Variant)
		if name := ap["DeviceName"].Value(); name != "router�[2J�" {
			t.Errorf("DeviceName is %q", name)
		}
		detail := c.must(session1, get, sessionIface, "Detail")[0].(godbus.Variant)
		want := `map[bssids:[02:00:00:00:01:00] connection:/nm/7 connection-uuid:7 credentials:1 half:2 link-reason:4 link-status:5 not-stored:true ssid:"x" ssids:[[]] tried:3 uuids:[]]`
		made := detail.Value().(map[string]godbus.Variant)["connection"]
		if plain(detail) != want || made.Signature().String() != "o" {
			t.Errorf("Detail is %s", plain(detail))
		}
	})
}

// TestManagersAreThoseThatAreWired: the option "apply" takes the names that main has, and no
// others.
func TestManagersAreThoseThatAreWired(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Managers: []string{"novel"}}, func(w *world) {
		w.svc.answer = w.svc.pretend
		c := w.client(0)
		activateMethod := networkIface + ".Activate"
		if v := c.must(rootPath, get, managerIface, "Managers")[0].(godbus.Variant); plain(v) !=
			plain(godbus.MakeVariant([]string{"novel"})) {
			t.Errorf("Managers is %v", v)
		}
		c.must(network7, activateMethod, options("interface", "wlan0", "apply", "novel"))
		for _, name := range []string{"iwd", ""} {
			if text := c.refused("InvalidArguments", network7, activateMethod,
				options("apply", name)); !strings.Contains(text, "one of these: novel") {
				t.Errorf("%q: %s", name, text)
			}
		}
		if text := c.refused("InvalidArguments", wlan0, startPbcMethod,
			options("apply", "networkmanager")); !strings.Contains(text, "novel") {
			t.Error(text)
		}
	})
}

// TestManyAccessPointsAreOneChangeOfTheList: the list is not sent again for each of them.
func TestManyAccessPointsAreOneChangeOfTheList(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		var found []state.Event
		for n := range 50 {
			ap := accessPoint()
			ap.BSSID[5] = byte(n)
			found = append(found, state.AccessPointAdded{AccessPoint: ap})
		}
		w.svc.tell(found...)
		lists := 0
		for _, s := range c.heard() {
			if strings.Contains(s, "PropertiesChanged") {
				lists++
			}
		}
		if lists != 1 {
			t.Errorf("the list was sent %d times", lists)
		}
		if all := c.must(rootPath, objectManagerIface+
			".GetManagedObjects")[0].(map[godbus.ObjectPath]map[string]map[string]godbus.Variant); len(all) != 52 {
			t.Errorf("%d objects", len(all))
		}
	})
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		for _, bad := range []struct {
			options map[string]godbus.Variant
			method  string
			name    string
			says    string
		}{
			{options("bssd", "x"), startPbcMethod, "InvalidArguments",
				`"bssd": there are apply, beside, beside-only, bssid, detach`},
			{options("pin", "1234"), startPbcMethod, "InvalidArguments", `"pin"`},
			{options("x", "x"), interfaceIface + ".Scan", "InvalidArguments", `"x"`},
			{options("detach", "yes"), startPbcMethod, "InvalidArguments",
				`"detach" is of type "b", not "s"`},
			{options("bssid", uint32(7)), startPinMethod, "InvalidArguments",
				`"bssid" is of type "s", not "u"`},
			{options("timeout", "7"), startPinMethod, "InvalidArguments",
				`"timeout" is of type "u", not "s"`},
			{options("bssid", "here"), startPbcMethod, "InvalidArguments", `"here"`},
			{options("bssid", "00:00:00:00:00:00"), startPbcMethod, "UnknownBssid",
				"list of access points"},
			{options("apply", "someone"), startPbcMethod, "InvalidArguments", `"someone"`},
			{options("timeout", uint32(0)), startPinMethod, "InvalidArguments", "0 seconds"},
			{options("pin", ""), startPinMethod, "InvalidPin", "empty"},
			{options(strings.Repeat("k", 9999), "x"), startPbcMethod, "InvalidArguments", `kkk"…`},
		} {
			if text := c.refused(bad.name, wlan0, bad.method,
				bad.options); !strings.Contains(text, bad.says) {
				t.Errorf("%s %v: %q does not say %q", bad.method, bad.options, text, bad.says)
			}
		}
		if calls := w.svc.calls(); len(calls) != 0 {
			t.Errorf("the service was called: %v", calls)
		}
	})
}

// TestErrorsOfTheService: each reaches the caller under its name.
func TestErrorsOfTheService(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		for _, err := range outcome.Calls() {
			w.svc.on = func(string) error { return fmt.Errorf("%w (more about it)", err) }
			name, _ := outcome.OfCall(err)
			c.refused(name, wlan0, startPinMethod, options())
		}
		w.svc.on = func(string) error { return errors.New("disk on fire") }
		if text := c.refused(outcome.NameFailed, wlan0, startPbcMethod,
			options()); strings.Contains(text, "fire") {
			t.Errorf("the caller is told %q", text)
		}
		synctest.Wait()
		if !strings.Contains(w.log.String(), "disk on fire") {
			t.Errorf("the log is told nothing: %s", w.log)
		}
	})
}

func TestStandardInterfaces(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger)
		w.svc.tell(state.AccessPointAdded{AccessPoint: accessPoint()})
		c.must("/no/such/object", peerIface+".Ping")
		if _, err := os.Stat("/etc/machine-id"); err == nil {
			if id := c.must(rootPath, peerIface+".GetMachineId")[0].(string); len(id) != 32 {
				t.Errorf("machine id %q", id)
			}
		}
		for path, want := range map[godbus.ObjectPath]string{
			"/": `<node name="fi"/>`, "/fi": `<node name="w1"/>`, "/fi/w1": `<node name="wps"/>`,
			rootPath: `<node name="interfaces"/>`, "/fi/w1/wps/interfaces": `<node name="wlan0"/>`,
			wlan0:          `<node name="aps"/>`,
			wlan0 + "/aps": `<node name="02_00_00_00_01_00"/>`, ap1: accessPointIface,
			"/fi/w1/wps/networks": `<node name="7"/>`, network7: networkIface,
		} {
			if text := c.must(path, introspect)[0].(string); !strings.Contains(text, want) ||
				!strings.Contains(text, "<!DOCTYPE") {
				t.Errorf("%s is described as %s", path, text)
			}
		}
		unknown := "org.freedesktop.DBus.Error.Unknown"
		c.refused(unknown+"Object", "/fi/w1/wps/sessions/9", introspect)
		c.refused(unknown+"Object", "/fi/w1/wp", introspect)
		c.refused(unknown+"Object", "/fi/w1/wps/sessions/9", sessionIface+".Cancel")
		c.refused(unknown+"Interface", wlan0, managerIface+".GeneratePin")
		c.refused(unknown+"Interface", wlan0, "no.such.Interface")
		c.refused(unknown+"Interface", wlan0, objectManagerIface+".GetManagedObjects")
		c.refused(unknown+"Interface", "/fi/w1", managerIface+".GeneratePin")
		c.refused(unknown+"Method", wlan0, interfaceIface+".Scann", options())
		c.refused(unknown+"Method", wlan0, peerIface+".Pong")
		c.refused(unknown+"Property", wlan0, get, interfaceIface, "Nane")
		c.refused(unknown+"Property", wlan0, get, introspectableIface, "Name")
		c.refused(unknown+"Interface", wlan0, get, managerIface, "Version")
		c.refused(unknown+"Interface", "/fi", getAll, managerIface)
		c.refused(outcome.NameReadOnly, rootPath, set, managerIface, "Version",
			godbus.MakeVariant("2"))
		c.refused(outcome.NameInvalidArgs, rootPath, set, managerIface, "DeviceName",
			godbus.MakeVariant(uint32(2)))
		c.refused(outcome.NameInvalidArgs, wlan0, interfaceIface+".Scan")
		c.refused(outcome.NameInvalidArgs, wlan0, interfaceIface+".Scan", "text")
		c.refused(outcome.NameInvalidArgs, rootPath, managerIface+".GeneratePin", "text")
		if got := c.must(wlan0, get, "", "Name")[0].(godbus.Variant); got.Value() != "wlan0" {
			t.Errorf("Get without an interface gives %v", got)
		}
		if got := c.must(wlan0, getAll, peerIface)[0].(map[string]godbus.Variant); len(got) != 0 {
			t.Errorf("Peer has the properties %v", got)
		}
	})
}

// TestCallsWithoutAnInterface: the specification lets callers leave it out.
func TestCallsWithoutAnInterface(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		for path, member := range map[godbus.ObjectPath]string{rootPath: "GeneratePin",
			wlan0: "Introspect", network7: "GetSecrets", "/": "Ping"} {
			if call := c.send(0, path, "", member); call.Err != nil {
				t.Errorf("%s on %s: %v", member, path, call.Err)
			}
		}
		var e godbus.Error
		if call := c.send(0, rootPath, "", "Nothing"); !errors.As(call.Err, &e) ||
			e.Name != outcome.NameUnknownMethod {
			t.Errorf("an unknown method: %v", call.Err)
		}
	})
}

func TestManager(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger)
		pin, _ := c.must(rootPath, managerIface+".GeneratePin")[0].(string)
		if again := c.must(rootPath, managerIface+".CheckPin", pin)[0]; again != pin ||
			len(pin) != 8 {
			t.Errorf("GeneratePin gives %v", pin)
		}
		if pin := c.must(rootPath, managerIface+".CheckPin", "1234-5670 ")[0]; pin != "12345670" {
			t.Errorf("CheckPin gives %v", pin)
		}
		c.refused("InvalidPin", rootPath, managerIface+".CheckPin", "12")
		c.refused("InvalidPinChecksum", rootPath, managerIface+".CheckPin", "12345678")

		root := w.client(0).listen()
		for name, v := range map[string]any{
			"DeviceName": "desk", "Manufacturer": "m", "ModelName": "n", "ModelNumber": "o",
			"SerialNumber": "p", "DeviceType": "6-0050F204-1",
			"OsVersion": uint32(7), "ConfigMethods": []string{"label", "keypad"},
			"CredentialProcessing": "external",
		} {
			root.must(rootPath, set, managerIface, name, godbus.MakeVariant(v))
			if got := root.must(rootPath, get, managerIface,
				name)[0].(godbus.Variant); plain(got) != plain(godbus.MakeVariant(v)) {
				t.Errorf("%s is %v", name, got)
			}
			expect(t, root.heard(), " PropertiesChanged fi.w1.wps.Manager map["+name+":"+plain(v))
		}
		before := w.svc.Published.Manager()
		for name, v := range map[string]any{
			"DeviceName": strings.Repeat("x", 33), "Manufacturer": strings.Repeat("é", 33),
			"ModelName": "a\nb", "DeviceType": "PC",
			"OsVersion": uint32(1 << 31), "ConfigMethods": []string{"label keypad"},
			"CredentialProcessing": "none",
		} {
			root.refused("InvalidArguments", rootPath, set, managerIface, name,
				godbus.MakeVariant(v))
		}
		root.refused("InvalidArguments", rootPath, set, managerIface, "ConfigMethods",
			godbus.MakeVariant([]string{""}))
		if after := w.svc.Published.Manager(); !reflect.DeepEqual(after, before) {
			t.Errorf("the service was asked all the same: %+v", after)
		}
	})
}

// TestMethodsReachTheService: each of the rest, with what it asks of the service.
func TestMethodsReachTheService(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		c.must(wlan0, startPbcMethod, options())
		w.svc.received(t, press)
		if got := c.must(session1, sessionIface+
			".GetCredentials")[0].([]map[string]godbus.Variant); len(got) != 1 || plain(
			got[0]["wifi-uri"]) != "WIFI:T:WPA;S:home;P:"+key+";;" {
			t.Errorf("GetCredentials gives %v", got)
		}
		got := c.must(network7, networkIface+".GetSecrets")[0].(map[string]godbus.Variant)
		want := `map[auth:WPA2PSK encryption:CCMP key:"` + key +
			`" key-index:0 key-kind:passphrase mac:02:00:00:00:00:00 network-index:1 ssid:"home" wifi-uri:WIFI:T:WPA;S:home;P:` + key + `;;]`
		if plain(got) != want {
			t.Errorf("GetSecrets gives %s", plain(got))
		}
		c.must(wlan0, startPbcMethod, options())
		c.must(wlan0, interfaceIface+".Cancel")
		synctest.Wait() // the interface is free again before anything is pretended
		c.refused("NoCredentials", "/fi/w1/wps/sessions/2", sessionIface+".GetCredentials")
		w.svc.answer = w.svc.pretend
		c.must(wlan0, interfaceIface+".Scan", options())
		if got := c.must(wlan0, startPinMethod, options("pin", "1234-5670")); got[0] != session1 ||
			got[1] != "1234-5670" {
			t.Errorf("StartPin gives %v", got)
		}
		c.must(session1, sessionIface+".Cancel")
		c.must(wlan0, interfaceIface+".Cancel") // by the owner: his session, whatever runs by then
		c.must(network7, networkIface+".Activate", options("interface", "wlan0", "apply", "iwd"))
		c.must(network7, networkIface+".Activate", options())
		for _, bad := range []map[string]godbus.Variant{options("apply", "none"),
			options("apply", "connman"), options("iface", "wlan0")} {
			c.refused("InvalidArguments", network7, networkIface+".Activate", bad)
		}
		w.client(0).must(wlan0, interfaceIface+".Cancel") // another process of his
		w.svc.answer = nil
		c.must(network7, networkIface+".Delete")
		if _, err := w.svc.NetworkSecrets(7); !errors.Is(err, state.ErrNoNetwork) {
			t.Errorf("the network is still there: %v", err)
		}
		wantCalls := []string{
			"Start pbc wlan0", "Credentials " + string(session1),
			"NetworkSecrets " + string(network7),
			"Start pbc wlan0", "Cancel /fi/w1/wps/sessions/2", "Credentials /fi/w1/wps/sessions/2",
			"Scan wlan0", "Start pin wlan0", "Cancel " + string(session1),
			"Cancel " + string(session1), "Activate " + string(network7) + " wlan0 iwd",
			"Activate " + string(network7) + "  auto",
			"Cancel " + string(session1), "DeleteNetwork " + string(network7),
		}
		if calls := w.svc.calls(); !slices.Equal(calls, wantCalls) {
			t.Errorf("the service was asked %v", calls)
		}
		c.refused("InvalidPin", wlan0, startPinMethod, options("pin", "123"))
	})
}
