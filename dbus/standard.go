package dbus

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/introspection"
	"wpsd/service/outcome"
)

// standard answers a call of a standard interface. The arguments have their types.
func (s *Server) standard(c *call, args []any) {
	switch c.Interface + "." + c.Member {
	case peerIface + ".Ping":
		s.answer(c, nil, nil)
	case peerIface + ".GetMachineId":
		id, err := machineID()
		s.answer(c, []any{id}, err)
	case introspectableIface + ".Introspect":
		s.answer(c, []any{s.introspect(c.Path)}, nil)
	case objectManagerIface + ".GetManagedObjects":
		s.watch(c.Sender)
		s.answer(c, []any{s.objects.managed()}, nil)
	case propertiesIface + ".Get":
		v, err := s.get(c, args)
		s.answer(c, []any{v}, err)
	case propertiesIface + ".GetAll":
		all, err := s.getAll(c, args)
		s.answer(c, []any{all}, err)
	case propertiesIface + ".Set":
		if err := s.set(c, args); err != nil {
			s.answer(c, nil, err)
		}
	}
}

// machineID reads what identifies the machine; D-Bus and systemd share it.
func machineID() (string, error) {
	var first error
	for _, name := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		text, err := os.ReadFile(name)
		if err == nil {
			return strings.TrimSpace(string(text)), nil
		}
		if first == nil {
			first = err
		}
	}
	return "", outcome.NoMachineID.Of(first)
}

// doctype begins every description.
const doctype = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`

// introspect describes a path: that of an object, or one above objects.
func (s *Server) introspect(path godbus.ObjectPath) string {
	var b strings.Builder
	b.WriteString(doctype + "<node>\n")
	ifaces := slices.Clone(standard)
	o := s.objects.objects[path]
	switch {
	case o == nil: // a path above objects has no properties
		ifaces = []string{introspectableIface, peerIface}
	case path == rootPath:
		ifaces = append(ifaces, objectManagerIface)
	}
	for _, iface := range ifaces {
		b.Write(s.api[iface].XML)
	}
	if o != nil {
		for _, f := range o.faces {
			b.Write(s.api[f.iface].XML)
		}
	}
	children, _ := s.objects.children(path)
	for _, name := range children {
		fmt.Fprintf(&b, "  <node name=%q/>\n", name)
	}
	b.WriteString("</node>\n")
	return b.String()
}

// ours finds the object of a Properties call and those of its interfaces that the call names. An
// empty name means all; the standard interfaces are there, but have no properties.
func (s *Server) ours(c *call, iface string) (o *object, named []face, err error) {
	o = s.objects.objects[c.Path]
	switch {
	case o != nil && iface == "":
		return o, o.faces, nil
	case o != nil && o.face(iface) != nil:
		return o, []face{*o.face(iface)}, nil
	case slices.Contains(standard, iface), iface == objectManagerIface && c.Path == rootPath:
		return o, nil, nil
	}
	return nil, nil, outcome.NoInterfaceThere.Of(c.Path, quote(iface))
}

// property finds the object, the interface and the property of a Get or Set.
func (s *Server) property(c *call, args []any) (*object, face, *introspection.Property, error) {
	iface, _ := args[0].(string)
	name, _ := args[1].(string)
	o, named, err := s.ours(c, iface)
	if err != nil {
		return nil, face{}, nil, err
	}
	for _, f := range named {
		list := s.api[f.iface].Properties
		for n := range list {
			if list[n].Name == name {
				return o, f, &list[n], nil
			}
		}
	}
	return nil, face{}, nil, outcome.NoProperty.Of(quote(name))
}

// get implements Properties.Get.
func (s *Server) get(c *call, args []any) (godbus.Variant, error) {
	_, f, p, err := s.property(c, args)
	if err != nil {
		return godbus.Variant{}, err
	}
	return f.now()[p.Name], nil
}

// getAll implements Properties.GetAll.
func (s *Server) getAll(c *call, args []any) (values, error) {
	iface, _ := args[0].(string)
	_, named, err := s.ours(c, iface)
	all := values{}
	for _, f := range named {
		maps.Copy(all, f.now())
	}
	return all, err
}

// set implements Properties.Set. It returns nil if the call is being worked on or was answered.
func (s *Server) set(c *call, args []any) error {
	o, f, p, err := s.property(c, args)
	if err != nil {
		return err
	}
	name := f.iface + "." + p.Name
	if !p.Writable {
		return outcome.ReadOnly.Of(p.Name)
	}
	v, _ := args[2].(godbus.Variant)
	if got := v.Signature().String(); got != p.Type {
		return outcome.PropertyType.Of(p.Name, p.Type, got)
	}
	s.perform(c, s.request(c, o), name, acts(
		func(*request) (setting, error) { return setters[p.Name](v.Value()) },
		func(svc Rooms, ctx context.Context, change setting) error { return change(ctx, svc) }))
	return nil
}
