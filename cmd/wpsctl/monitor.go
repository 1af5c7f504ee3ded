package main

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// newMonitor shows what happens.
func newMonitor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "monitor",
		Short: "Show what happens, until Ctrl-C",
		Long: `Monitor prints a line for every change that wpsd tells of: access points that show up or whose button is pressed,
devices that ask an access point of this machine to let them in, sessions and their messages, networks that are stored. It never shows keys. With --json each line is an object with
the signal's path, name and arguments.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withClient(cmd.Context(), func(c *client) error {
				return a.monitor(cmd.Context(), c, nil)
			})
		},
	}
}

// monitor runs the command, for the signals that filter passes; nil: all. Ctrl-C is its regular
// end. It outlives wpsd: a restart is something to see as well.
func (a *app) monitor(ctx context.Context, c *client, filter func(*godbus.Signal) bool) error {
	signals, err := c.watch(ctx)
	if err != nil {
		return err
	}
	t, err := c.objects(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(map[string]any{"event": "watching", "version": t.Manager.Version,
			"time": time.Now()})
	} else {
		a.printf("%s  watching wpsd %s; Ctrl-C ends\n", time.Now().Format(time.TimeOnly),
			printable(t.Manager.Version))
	}
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-signals:
			if !ok {
				return &failure{Exit: exitNoService, Text: "the connection to the bus was closed"}
			}
			if filter != nil && !filter(s) {
				continue
			}
			if err := a.printSignal(s, time.Now()); err != nil {
				return err
			}
		}
	}
}

// printSignal prints one signal, as JSON or for people.
func (a *app) printSignal(s *godbus.Signal, now time.Time) error {
	if a.json {
		return a.printJSON(signalJSON(s, now))
	}
	for _, text := range signalText(s) {
		a.printf("%s  %s\n", now.Format(time.TimeOnly), text)
	}
	return nil
}

// signalJSON is a signal as an object. A unicast signal with a key is not for us, and is not asked
// for; should one come all the same its arguments are left out.
func signalJSON(s *godbus.Signal, now time.Time) map[string]any {
	m := map[string]any{"event": member(s), "signal": s.Name, "path": s.Path, "time": now}
	if owner, ok := serviceOwner(s); ok {
		m["event"], m["running"] = "service", owner != ""
		return m
	}
	if s.Name != sessionIface+".CredentialReceived" && s.Name != erIface+".ApSettings" {
		args := make([]any, len(s.Body))
		for i, arg := range s.Body {
			args[i] = plain(arg)
		}
		m["args"] = args
	}
	return m
}

// member is a signal's name without its interface.
func member(s *godbus.Signal) string { return strings.TrimPrefix(path.Ext(s.Name), ".") }

// plain takes variants off a value of a signal, so that JSON shows the value alone, and shows bytes
// as text.
func plain(v any) any {
	switch v := v.(type) {
	case godbus.Variant:
		return plain(v.Value())
	case []byte:
		return string(v)
	case map[string]godbus.Variant:
		m := map[string]any{}
		for name, value := range v {
			m[name] = plain(value)
		}
		return m
	case map[string]map[string]godbus.Variant:
		m := map[string]any{}
		for name, value := range v {
			m[name] = plain(value)
		}
		return m
	}
	return v
}

// signalText is a signal in words, one line or more or none.
func signalText(s *godbus.Signal) []string {
	if owner, ok := serviceOwner(s); ok {
		if owner == "" {
			return []string{"wpsd stopped"}
		}
		return []string{"wpsd started"}
	}
	object := objectName(s.Path)
	if strings.HasPrefix(s.Name, erIface+".") {
		return erText(object, s)
	}
	switch s.Name {
	case objectManager + ".InterfacesAdded":
		return addedText(s)
	case objectManager + ".InterfacesRemoved":
		if len(s.Body) == 2 {
			p, _ := s.Body[0].(godbus.ObjectPath)
			return []string{objectName(p) + " is gone"}
		}
	case propertiesIface + ".PropertiesChanged":
		return changedText(object, s)
	case interfaceIface + ".ScanDone":
		if len(s.Body) == 1 && s.Body[0] == true {
			return []string{object + ": scan done"}
		}
		return []string{object + ": scan failed"}
	case sessionIface + ".Failed":
		if len(s.Body) == 3 {
			reason, _ := s.Body[0].(string)
			sentence, _ := s.Body[2].(string)
			return []string{object + " failed: " + printable(reason) + ": " + prose(sentence)}
		}
	case sessionIface + ".Succeeded":
		return []string{object + " succeeded"}
	case interfaceIface + ".EnrolleeSeen", interfaceIface + ".PinNeeded":
		return enrolleeText(object, s)
	case interfaceIface + ".AccessPointAvailable":
		if len(s.Body) == 2 {
			p, _ := s.Body[0].(godbus.ObjectPath)
			flags, _ := s.Body[1].(string)
			return []string{objectName(p) + ": " + printable(flags)}
		}
	}
	return []string{object + ": " + printable(member(s))}
}

// addedText tells of a new object.
func addedText(s *godbus.Signal) []string {
	if len(s.Body) != 2 {
		return nil
	}
	p, _ := s.Body[0].(godbus.ObjectPath)
	ifaces, _ := s.Body[1].(map[string]map[string]godbus.Variant)
	if text := erObjectText(p, ifaces); text != nil {
		return text
	}
	switch {
	case ifaces[accessPointIface] != nil:
		ap := newAccessPoint(p, ifaces[accessPointIface], nil)
		return []string{objectName(p) + ": " + ssidText(ap.ssid) + ", " + printable(ap.Flags)}
	case ifaces[networkIface] != nil:
		n := newNetwork(p, ifaces[networkIface])
		return []string{objectName(p) + ": " + ssidText(n.ssid) + " (" +
			security(n.Auth, n.Encryption) + ")"}
	case ifaces[sessionIface] != nil:
		n := newSession(p, ifaces[sessionIface])
		return []string{objectName(p) + ": " + printable(n.Method) + ", " + printable(n.State)}
	}
	return []string{objectName(p) + " is there"}
}

// changedText tells of changed properties, leaving out what changes with every beacon.
func changedText(object string, s *godbus.Signal) []string {
	if len(s.Body) != 3 {
		return nil
	}
	changed, _ := s.Body[1].(map[string]godbus.Variant)
	var parts []string
	if iface, _ := s.Body[0].(string); iface == networkIface && changed["Created"].Value() != nil {
		parts = append(parts, "received again")
		delete(changed, "Created")
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		switch name {
		case "Signal", "LastSeen", "AccessPoints", "Interfaces", "Networks", "Detail", "Enrollees":
			continue
		}
		parts = append(parts, name+"="+valueText(name, changed[name].Value()))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{object + ": " + strings.Join(parts, " ")}
}

// valueText is the value of a property for people: text stands in quotation marks if it is empty or
// could be taken for more than one word; a time is one of the day.
func valueText(name string, value any) string {
	switch v := value.(type) {
	case string:
		text := printable(v)
		if text == "" || strings.ContainsAny(text, " \"=,") {
			return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
		}
		return text
	case []byte:
		return valueText(name, ssidText(v))
	case []string:
		texts := make([]string, len(v))
		for i, s := range v {
			texts[i] = valueText("", s)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case godbus.ObjectPath:
		if v == "/" {
			return "none"
		}
		return valueText("", objectName(v))
	case []godbus.ObjectPath:
		texts := make([]string, len(v))
		for i, p := range v {
			texts[i] = valueText("", p)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case uint64:
		if at := when(props{"": godbus.MakeVariant(v)}, ""); !at.IsZero() &&
			(name == "Deadline" || name == "Started" || name == "Expires" || name == "Created") {
			return at.Local().Format(time.TimeOnly)
		}
	}
	return printable(fmt.Sprint(value))
}

// objectName is a short name of an object: "session 3", "wlan0", "access point 02:…", "network 1".
func objectName(p godbus.ObjectPath) string {
	if p == rootPath {
		return "wpsd"
	}
	rest := strings.TrimPrefix(string(p), string(rootPath)+"/")
	kind, name, ok := strings.Cut(rest, "/")
	if !ok {
		return "wpsd"
	}
	if ifname, object, ok := strings.Cut(name, "/er/"); ok {
		return printable(ifname) + " " + erObjectName(object)
	}
	if ifname, bssid, ok := strings.Cut(name, "/aps/"); ok {
		return printable(ifname) + " access point " + printable(strings.ReplaceAll(bssid, "_", ":"))
	}
	switch kind {
	case "sessions":
		return "session " + printable(name)
	case "networks":
		return "network " + printable(name)
	}
	return printable(name)
}

// erObjectName is a short name of an object of the External Registrar, whose path ends with its
// UUID, or with that and an address.
func erObjectName(rest string) string {
	kind, name, _ := strings.Cut(rest, "/")
	parts := strings.Split(name, "_")
	switch {
	case kind == "aps" && len(parts) >= 5:
		return "access point " + printable(strings.Join(parts[:5], "-"))
	case kind == "enrollees" && len(parts) >= 11:
		return "device " + printable(strings.Join(parts[5:11], ":"))
	}
	return printable(rest)
}
