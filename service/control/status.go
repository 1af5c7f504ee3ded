package control

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"

	"wpsd/drivers"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// status is STATUS: the run that is under way, if one is, and who we are.
func (c *call) status() string {
	snap := c.svc().Published().Snapshot()
	i := c.iface()
	var out strings.Builder
	state, address := "DISCONNECTED", ""
	bss, connected := c.svc().Connection(c.ctx, c.ifname)
	switch {
	case i.Blocked:
		state = "INTERFACE_DISABLED"
	case i.Mode == drivers.ModeAP:
		out.WriteString("mode=AP\n")
		state = "COMPLETED"
	case i.Session != 0:
		state = c.running(snap, i.Session, &out)
	case connected:
		state, address = "COMPLETED", ipAddress(c.ifname)
		c.connection(snap, bss, &out)
	case i.Scanning:
		state = "SCANNING"
	case len(snap.Networks) == 0:
		state = "INACTIVE"
	}
	_, _ = fmt.Fprintf(&out, "wpa_state=%s\n%saddress=%s\nuuid=%s\n", state, address,
		i.HardwareAddr, snap.Manager.Device.UUID)
	return out.String()
}

// running writes what there is to say of a station's run, and gives wpa_supplicant's name of its
// state.
func (c *call) running(snap state.Snapshot, id state.SessionID, out *strings.Builder) string {
	at := slices.IndexFunc(snap.Sessions, func(s state.Session) bool { return s.ID == id })
	if at < 0 {
		return "DISCONNECTED"
	}
	ses := &snap.Sessions[at]
	if ses.State == state.StateScanning {
		return "SCANNING"
	}
	_, _ = fmt.Fprintf(out, "bssid=%s\n", ses.Peer)
	if f := c.server.frequency(c.ifname, ses.Peer); f != 0 {
		_, _ = fmt.Fprintf(out, "freq=%d\n", f)
	}
	_, _ = fmt.Fprintf(out, "ssid=%s\nmode=station\nkey_mgmt=WPS\n", quoteSSID(ses.Detail.SSID))
	if ses.State == state.StateAssociating {
		return "ASSOCIATING"
	}
	return "ASSOCIATED"
}

// connection writes what there is to say of the network that the network manager has connected to.
// Its ciphers are known to that one alone.
func (c *call) connection(snap state.Snapshot, b drivers.BSS, out *strings.Builder) {
	ssid, _ := ie.SSID(b.IEs)
	_, _ = fmt.Fprintf(out, "bssid=%s\nfreq=%d\nssid=%s\n", wsc.MAC(b.BSSID), b.Frequency,
		quoteSSID(ssid))
	for _, n := range snap.Networks {
		if id := c.server.networks.number(n.ID); id >= 0 && string(n.SSID) == string(ssid) {
			_, _ = fmt.Fprintf(out, "id=%d\n", id)
			break
		}
	}
	out.WriteString("mode=station\n")
}

// ipAddress is the line with the first IPv4 address of an interface; empty: it has none.
func ipAddress(ifname string) string {
	i, err := net.InterfaceByName(ifname)
	if err != nil {
		return ""
	}
	list, err := i.Addrs()
	if err != nil {
		return ""
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return "ip_address=" + n.IP.String() + "\n"
		}
	}
	return ""
}

// frequency is that of an access point as last heard; 0: it was not heard.
func (s *Server) frequency(ifname string, bssid wsc.MAC) int {
	list, err := s.svc.BSSs(ifname)
	if err != nil {
		return 0
	}
	for _, b := range list {
		if b.BSSID == bssid {
			return b.Frequency
		}
	}
	return 0
}

// capabilities are the answers to GET_CAPABILITY: what a credential that WPS hands out may need.
// wpa_gui shows its WPS tab if eap has WSC.
var capabilities = map[string]string{
	"eap":      "WSC",
	"pairwise": "CCMP TKIP",
	"group":    "CCMP TKIP",
	"key_mgmt": "NONE WPA-PSK",
	"proto":    "RSN WPA",
	"auth_alg": "OPEN",
}

func (c *call) capability() string {
	word, _, _ := strings.Cut(c.args, " ") // "strict" may follow; ours are always
	if text, ok := capabilities[word]; ok {
		return text
	}
	return replyFail
}

// interfaces is INTERFACES, or "INTERFACES ctrl" with the directory of each one's socket.
func (c *call) interfaces() string {
	var out page
	for _, i := range c.svc().Published().Interfaces() {
		text := i.Name
		if c.args == "ctrl" && c.server.options.Place.Dir != "" {
			text += " ctrl_iface=" + c.server.options.Place.Dir
		}
		if !out.add(text + "\n") {
			break
		}
	}
	return out.text
}

func (c *call) globalStatus() string {
	var out page
	for _, i := range c.svc().Published().Interfaces() {
		if !out.add(fmt.Sprintf("ifname=%s\naddress=%s\n", i.Name, i.HardwareAddr)) {
			break
		}
	}
	return out.text
}

// interfaceList is INTERFACE_LIST: what could be added. wpsd uses every radio on its own, so there
// is never anything.
func (c *call) interfaceList() string { return "" }

// interfaceAdd is INTERFACE_ADD NAME<tab>CONFIG<tab>DRIVER<tab>CTRL_INTERFACE<tab>… Radios are
// there without it; what can be added is an interface without one, for an External Registrar on a
// wired network.
func (c *call) interfaceAdd() string {
	fields := strings.Split(c.args, "\t")
	at := func(n int) string {
		if n < len(fields) {
			return fields[n]
		}
		return ""
	}
	switch {
	case at(1) != "":
		return c.fail(errors.New("an interface has no configuration of its own: leave it out"))
	case at(2) != "none":
		return c.fail(fmt.Errorf("the driver %q: wpsd finds radios by itself, only none can be added", at(2)))
	case at(3) != "" && at(3) != c.server.options.Place.Dir:
		return c.fail(fmt.Errorf("the directory %q: sockets are in the one of ctrl_interface", at(
			3)))
	}
	for n := 4; n < len(fields); n++ {
		if fields[n] != "" {
			return c.fail(errors.New("an interface without a radio has no driver parameters and no bridge"))
		}
	}
	return c.done(c.svc().AddInterface(c.ctx, at(0), "none"))
}

func (c *call) interfaceRemove() string { return c.done(c.svc().RemoveInterface(c.ctx, c.args)) }

// levels are wpa_supplicant's names for what is logged, and what they mean here.
var levels = []struct {
	name  string
	level slog.Level
}{
	{"EXCESSIVE", slog.LevelDebug}, {"MSGDUMP", slog.LevelDebug}, {"DEBUG", slog.LevelDebug},
	{"INFO", slog.LevelInfo}, {"WARNING", slog.LevelWarn}, {"ERROR", slog.LevelError},
}

// logLevel is LOG_LEVEL. The log's own times are always there.
func (c *call) logLevel() string {
	name := "INFO"
	if v := c.server.options.LogLevel; v != nil {
		for _, l := range levels {
			if l.level == v.Level() {
				name = l.name // the last one of the same meaning: DEBUG
			}
		}
	}
	return "Current level: " + name + "\nTimestamp: 1\n"
}

// setLogLevel is LOG_LEVEL NAME [TIMESTAMP].
func (c *call) setLogLevel() string {
	name, _, _ := strings.Cut(c.args, " ")
	for _, l := range levels {
		if l.name == name && c.server.options.LogLevel != nil {
			c.server.options.LogLevel.Set(l.level)
			return replyOK
		}
	}
	return replyFail
}
