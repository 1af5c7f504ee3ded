package control

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"wpsd/drivers"
	"wpsd/service"
	"wpsd/service/session"
	"wpsd/service/state"
)

// The replies that are not data. Every one ends with a newline, and what is one value has none
// (wpa_supplicant).
const (
	replyOK       = "OK\n"
	replyFail     = "FAIL\n"
	replyUnknown  = "UNKNOWN COMMAND\n"
	replyBusy     = "FAIL-BUSY\n"
	replyOverlap  = "FAIL-PBC-OVERLAP\n"
	replyChecksum = "FAIL-CHECKSUM\n"
	replyNoMatch  = "FAIL-NO-IFNAME-MATCH\n"
)

// call is one request.
type call struct {
	*port
	*hidden
	ctx    context.Context
	long   context.Context // for what goes on after the reply; it ends with the server
	caller caller
	ifname string
	name   string
	args   string // after the name and one space
}

// networkCall is a call about the list of networks, nfcCall one about tags, erCall one for the
// External Registrar.
type (
	networkCall struct{ *call }
	nfcCall     struct{ *call }
	erCall      struct{ *call }
)

// errSyntax is a command that says nothing that could be meant. The reply is FAIL, and nobody needs
// to read of it.
var errSyntax = errors.New("not a valid command")

// fail is the reply to what did not work, and tells the log why: wpa_cli shows FAIL and no more.
func (c *call) fail(err error) string {
	if !errors.Is(err, errSyntax) {
		c.server.log.Info("a control command failed", "command", c.name, "interface", c.ifname,
			"uid", c.caller.uid, "pid", c.caller.pid, "err", err)
	}
	return replyFail
}

// done is the reply to a command that gives nothing back.
func (c *call) done(err error) string {
	if err != nil {
		return c.fail(err)
	}
	return replyOK
}

// svc is the service that does the work.
func (c *call) svc() *service.Service { return c.server.svc }

// request begins a StartRequest. wpa_cli is gone right after its command, so its sessions outlive
// their owner. Each command begins anew, whatever runs, as with wpa_supplicant. A PIN whose check
// digit is wrong is taken, as by wpa_supplicant: WPS_CHECK_PIN is what asks.
func (c *call) request() session.StartRequest {
	return session.StartRequest{Interface: c.ifname, Owner: c.caller.owner(), User: c.caller.user(),
		Detach: true, Apply: c.server.options.Apply, Force: true, Anew: true}
}

// iface is the interface as it is now.
func (c *call) iface() state.Interface {
	if i, ok := c.svc().Published().Interface(c.ifname); ok {
		return i
	}
	return state.Interface{Name: c.ifname, Mode: drivers.ModeNone}
}

// isAP reports whether the interface is an access point of this machine.
func (c *call) isAP() bool { return c.iface().Mode == drivers.ModeAP }

func (s *Server) hasInterface(name string) bool {
	_, ok := s.svc.Published().Interface(name)
	return ok
}

func (s *Server) hasNetwork(id state.NetworkID) bool {
	_, ok := s.svc.Published().Network(id)
	return ok
}

// atoi reads a number as C does: up to the first thing that is no digit, 0 if there is none.
func atoi(text string) int {
	text = strings.TrimLeft(text, " \t")
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 &&
		(text[end] == '-' || text[end] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}
