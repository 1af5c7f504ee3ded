package main

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// lan is what the kernel knows of an interface that matters to an External Registrar.
type lan struct {
	address string // IPv4; empty: none, or it is down
	route   bool   // the default route goes there
}

// lanOf asks the kernel. A simulated interface is not there.
func lanOf(ifname string) lan {
	i, err := net.InterfaceByName(ifname)
	if err != nil || i.Flags&net.FlagUp == 0 {
		return lan{}
	}
	addresses, err := i.Addrs()
	if err != nil {
		return lan{}
	}
	l := lan{}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() &&
			l.address == "" {
			l.address = p.Addr().String()
		}
	}
	routes, err := os.ReadFile("/proc/net/route")
	l.route = err == nil && l.address != "" && hasDefaultRoute(string(routes), ifname)
	return l
}

// hasDefaultRoute looks for an interface in /proc/net/route: name, destination, gateway, flags, 3
// numbers, mask, all in hex.
func hasDefaultRoute(table, ifname string) bool {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) >= 8 && f[0] == ifname && f[1] == "00000000" && f[7] == "00000000" {
			return true
		}
	}
	return false
}

// pickER finds the interface that is meant: the named one, else the one where the External
// Registrar runs. If it runs nowhere, any will do to say so.
func (t *tree) pickER(name string) (netif, error) {
	if name != "" {
		return t.named(name)
	}
	var running []netif
	for _, n := range t.Interfaces {
		if n.ER {
			running = append(running, n)
		}
	}
	switch {
	case len(running) == 1:
		return running[0], nil
	case len(running) > 1:
		return netif{}, &failure{Exit: exitUsage,
			Text: "the External Registrar runs on more than one interface: name one with --interface",
			Hint: "It runs on " + names(running) + "."}
	case len(t.Interfaces) > 0:
		return t.Interfaces[0], nil
	}
	return t.named(name)
}

// pickERStart finds where to start it: where it runs already, or on the only interface, or on the
// only one with an IPv4 address, or on the only one of these with the default route. To guess
// otherwise would announce this machine in a network that its user did not mean.
func (t *tree) pickERStart(name string, look func(ifname string) lan) (netif, error) {
	running := slices.ContainsFunc(t.Interfaces, func(n netif) bool { return n.ER })
	if name != "" || running || len(t.Interfaces) < 2 {
		return t.pickER(name)
	}
	var addressed, routed []netif
	var candidates []string
	for _, n := range t.Interfaces {
		l := look(n.Name)
		text := printable(n.Name) + " (" + printable(n.Mode)
		switch {
		case l.route:
			addressed, routed = append(addressed, n), append(routed, n)
			text += ", " + l.address + ", default route"
		case l.address != "":
			addressed = append(addressed, n)
			text += ", " + l.address
		default:
			text += ", no IPv4 address"
		}
		candidates = append(candidates, text+")")
	}
	switch {
	case len(addressed) == 1:
		return addressed[0], nil
	case len(routed) == 1:
		return routed[0], nil
	}
	return netif{}, &failure{Exit: exitUsage,
		Text: "it cannot be told in which network the access points are: name an interface with --interface",
		Hint: "There are: " + strings.Join(candidates, ", ") + "."}
}

// named finds an interface by its name. One without a radio is known to wpsd only if somebody added
// it.
func (t *tree) named(name string) (netif, error) {
	n, err := t.pick(name, "none")
	if f, ok := err.(*failure); ok {
		if name == "" {
			f.Text = "wpsd has no network interface"
			name = "eth0"
			f.Hint = ""
		}
		f.Hint = strings.TrimSpace(f.Hint + ` One without a radio has to be added: "wpsctl interfaces add ` + printable(name) + `".`)
	}
	return n, err
}

func names(all []netif) string {
	var list []string
	for _, n := range all {
		list = append(list, printable(n.Name))
	}
	return strings.Join(list, ", ")
}
