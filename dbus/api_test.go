package dbus

import (
	"encoding/xml"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/introspection"

	"wpsd/service/outcome"
)

// TestTablesAgree holds the introspection data, the handlers, the setters and the access table
// against each other.
func TestTablesAgree(t *testing.T) {
	t.Parallel()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, err := range outcome.Calls() {
		name, _ := outcome.OfCall(err)
		known[name] = true
	}
	declared := map[string]introspection.Doc{}
	var methods, properties []string
	for _, i := range all {
		// others implement the latter
		if !strings.HasPrefix(i.Name, "fi.w1.wps.") || i.Name == agentIface {
			continue
		}
		for _, m := range i.Methods {
			methods = append(methods, i.Name+"."+m.Name)
			declared[i.Name+"."+m.Name] = m.Doc
		}
		for _, p := range i.Properties {
			if p.Writable {
				properties = append(properties, p.Name)
				declared[i.Name+"."+p.Name] = p.Doc
			}
		}
	}
	sameNames(t, "handlers", slices.Sorted(maps.Keys(handlers)), methods)
	sameNames(t, "setters", slices.Sorted(maps.Keys(setters)), properties)
	sameNames(t, "rows", slices.Sorted(maps.Keys(access)), slices.Collect(maps.Keys(declared)))
	for name, row := range access {
		want := string(row.action)
		switch {
		case row.by != nil:
			want = row.asked
		case row.action == Anyone:
			want = "anyone"
		}
		if row.by != nil && (row.action != Anyone || row.asked == "") {
			t.Errorf("%s: who decides", name)
		}
		switch {
		case row.user:
			want += ", except for the user whose session it is"
		case row.owner:
			want += ", except for the owner of the session"
		}
		if got := declared[name].Access; got != want {
			t.Errorf("%s: the manual says %q, the table %q", name, got, want)
		}
		if strings.Contains(name, "Name") && row.action == Anyone && row.by == nil {
			t.Errorf("%s can be written by anyone", name)
		}
		for _, e := range declared[name].Errors {
			if !known[e] {
				t.Errorf("%s: there is no error %s", name, e)
			}
		}
		if (row.action != Anyone || row.by != nil) && handlers[name].do != nil &&
			!slices.Contains(declared[name].Errors, "NotAuthorized") {
			t.Errorf("%s: NotAuthorized is not among its errors", name)
		}
	}
}

// sameNames compares a table's names with those that the introspection data declare.
func sameNames(t *testing.T, what string, got, declared []string) {
	t.Helper()
	slices.Sort(declared)
	if !slices.Equal(got, declared) {
		t.Errorf("%s %v, declared %v", what, got, declared)
	}
}

// TestEveryErrorIsInTheManual: a name that no method documents is one that clients cannot expect.
func TestEveryErrorIsInTheManual(t *testing.T) {
	t.Parallel()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, i := range all {
		for _, m := range i.Methods {
			for _, e := range m.Doc.Errors {
				documented[e] = true
			}
		}
	}
	manual, err := os.ReadFile("../introspection/fi.w1.wps.Manager.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range outcome.Calls() {
		name, _ := outcome.OfCall(err)
		// What every method with an action can have is said once.
		everywhere := errors.Is(err, ErrNotAuthorized) && strings.Contains(string(manual), name)
		if !documented[name] && !everywhere {
			t.Errorf("no method documents %s", name)
		}
	}
}

// optioned are the methods of ours that take options, by their full names, and the options that the
// manual has of each.
func optioned(t *testing.T) (methods map[string]introspection.Method,
	keys map[string]map[string]string) {
	t.Helper()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	methods, keys = map[string]introspection.Method{}, map[string]map[string]string{}
	for _, i := range all {
		for _, m := range i.Methods {
			name := i.Name + "." + m.Name
			if handlers[name].do == nil || len(m.In) == 0 || m.In[len(m.In)-1].Type != "a{sv}" {
				continue
			}
			methods[name], keys[name] = m, map[string]string{}
			for _, a := range m.Doc.Args {
				if a.Key != "" {
					keys[name][a.Key] = a.Type
				}
			}
		}
	}
	return methods, keys
}

// TestEveryStartCanBeDetached: who makes one call and leaves the bus, as busctl does, can start
// whatever can be started.
func TestEveryStartCanBeDetached(t *testing.T) {
	t.Parallel()
	methods, keys := optioned(t)
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	// Besides those that return a session: what these start is told otherwise.
	starts := map[string]bool{
		interfaceIface + ".NfcTagRead": true, interfaceIface + ".NfcReportHandover": true,
		erIface + ".NfcTagRead": true,
		erIface + ".Start":      true, managerIface + ".NfcTagRead": true,
	}
	for _, i := range all {
		for _, m := range i.Methods {
			for _, out := range m.Out {
				starts[i.Name+"."+m.Name] = starts[i.Name+"."+m.Name] || out.Name == "session"
			}
		}
	}
	n := 0
	for name, does := range starts {
		if !does {
			continue
		}
		n++
		if _, ok := methods[name]; !ok || keys[name]["detach"] != "b" {
			t.Errorf("%s takes no option detach", name)
		}
	}
	if n < 14 {
		t.Errorf("only %d methods start something", n)
	}
}

// sample is an argument or option that a method takes, or at least looks at, by its name and type.
func sample(name, signature string) any {
	switch signature {
	case "ay":
		return []byte("passphrase")
	case "b":
		return true
	case "u":
		return uint32(60)
	case "o":
		return network7
	case "a{sv}":
		return options()
	}
	if text := map[string]string{
		"pin": "12345670", "format": "NDEF", "carrier": "WPS", "role": "INIT", "command": "set",
		"driver": "none", "apply": "none",
		"auth": "WPA2PSK", "encryption": "CCMP", "address": "192.0.2.1", "name": "eth7",
		"interface": "wlan0", "control-path": "/run/x",
	}[name]; text != "" {
		return text
	}
	return "02:00:00:00:03:00"
}

// TestOptionsAgree: each method takes the options that its manual has, of their types, and no
// others.
func TestOptionsAgree(t *testing.T) {
	t.Parallel()
	methods, keys := optioned(t)
	every := map[string]string{"no-such-option": "s"}
	for _, of := range keys {
		maps.Copy(every, of)
	}
	objects := map[string]godbus.ObjectPath{managerIface: rootPath, interfaceIface: wlan0,
		erIface: wlan0, networkIface: network7}
	inBubble(t, Options{}, func(w *world) {
		for name, m := range methods {
			iface := name[:strings.LastIndex(name, ".")]
			for key, signature := range every {
				args := make([]any, 0, len(m.In))
				for _, in := range m.In[:len(m.In)-1] {
					args = append(args, sample(in.Name, in.Type))
				}
				text := ""
				if call := w.client(0).call(objects[iface], name,
					append(args, options(key, sample(key, signature)))...); call.Err != nil {
					text = call.Err.Error()
				}
				documented := keys[name][key]
				if taken := !strings.Contains(text,
					"There is no option"); taken != (documented != "") {
					t.Errorf("%s with %s: %q; the manual says %q", name, key, text, documented)
				}
				if documented == signature && strings.Contains(text, "is of type") {
					t.Errorf("%s with %s: %s", name, key, text)
				}
			}
		}
	})
}

// TestPolkitPolicy holds the actions against the policy file, and the file against the table of the
// API.
func TestPolkitPolicy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../packaging/fi.w1.wps.policy")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Actions []struct {
			ID          string `xml:"id,attr"`
			Description string `xml:"description"`
			Message     string `xml:"message"`
			Any         string `xml:"defaults>allow_any"`
			Inactive    string `xml:"defaults>allow_inactive"`
			Active      string `xml:"defaults>allow_active"`
		} `xml:"action"`
	}
	if err := xml.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	want := map[Action]string{
		ActionScan: "yes no no", ActionEnroll: "yes auth_admin no",
		ActionRegister:    "auth_admin_keep no no",
		ActionReadSecrets: "auth_admin_keep no no", ActionManage: "auth_admin_keep no no",
	}
	for _, a := range policy.Actions {
		if got := a.Active + " " + a.Inactive + " " + a.Any; got != want[Action(a.ID)] {
			t.Errorf("%s: active, inactive, any: %s; want %s", a.ID, got, want[Action(a.ID)])
		}
		delete(want, Action(a.ID))
		if a.Description == "" || !strings.HasPrefix(a.Message, "Authentication is required to ") {
			t.Errorf("%s: description %q, message %q", a.ID, a.Description, a.Message)
		}
	}
	if len(want) > 0 {
		t.Errorf("not in the policy: %v", want)
	}
	for name, row := range access {
		if row.action != Anyone && !strings.Contains(string(text), `id="`+string(row.action)+`"`) {
			t.Errorf("%s needs %s, which polkit does not know", name, row.action)
		}
	}
}

// TestBusPolicy: the name in the policy is ours, and nobody but root and wpsd's user may own it.
func TestBusPolicy(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../packaging/fi.w1.wps.conf")
	if err != nil {
		t.Fatal(err)
	}
	var conf struct {
		Policies []struct {
			User    string `xml:"user,attr"`
			Context string `xml:"context,attr"`
			Allow   []struct {
				Own  string `xml:"own,attr"`
				Send string `xml:"send_destination,attr"`
				Call string `xml:"send_interface,attr"`
			} `xml:"allow"`
		} `xml:"policy"`
	}
	if err := xml.Unmarshal(text, &conf); err != nil {
		t.Fatal(err)
	}
	// Who may what. wpsd's own user may also ask those that manage interfaces, and register with
	// neard.
	want := map[string]map[string]bool{
		"root ": {"own " + BusName: true, "call " + agentIface: true},
		"wpsd ": {"own " + BusName: true, "call " + agentIface: true,
			"send fi.w1.wpa_supplicant1": true, "send net.connman.iwd": true,
			"send org.neard": true},
		" default": {"send " + BusName: true},
	}
	for _, p := range conf.Policies {
		may := want[p.User+" "+p.Context]
		for _, a := range p.Allow {
			for what, name := range map[string]string{"own ": a.Own, "send ": a.Send,
				"call ": a.Call} {
				if name != "" && !may[what+name] {
					t.Errorf("%q may %s%s", p.User+p.Context, what, name)
				}
			}
		}
	}
	if len(conf.Policies) != len(want) {
		t.Errorf("%d policies", len(conf.Policies))
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"wlan0": "wlan0", "wlan0.1": "wlan0_2e1", "wlan_0": "wlan_5f0", "0wlan": "_30wlan", "": "_",
		"é": "_c3_a9", "a/b": "a_2fb",
		"wlp2s0-p2p": "wlp2s0_2dp2p", "\xff": "_ff",
	} {
		if got := escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if !interfacePath(in).IsValid() {
			t.Errorf("%q makes no path", in)
		}
	}
}

// TestSinceIsAVersion: what is new says which version of the API has it, of those that there are.
func TestSinceIsAVersion(t *testing.T) {
	t.Parallel()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, d introspection.Doc) {
		if d.Since == "" {
			return
		}
		if n, err := strconv.ParseUint(d.Since, 10, 32); err != nil || n == 0 ||
			n > uint64(apiVersion) {
			t.Errorf("%s is there since %q: say a number up to Manager.ApiVersion, %d", name,
				d.Since, apiVersion)
		}
	}
	for _, i := range all {
		check(i.Name, i.Doc)
		for _, m := range i.Methods {
			check(i.Name+"."+m.Name, m.Doc)
		}
		for _, s := range i.Signals {
			check(i.Name+"."+s.Name, s.Doc)
		}
		for _, p := range i.Properties {
			check(i.Name+"."+p.Name, p.Doc)
		}
	}
}
