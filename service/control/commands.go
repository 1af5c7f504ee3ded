package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wpsd/engine/wsc"
	"wpsd/service/fence"
	"wpsd/service/state"
)

const (
	// maxReply is the buffer of wpa_cli and wpa_gui. Lists end at the last line that fits.
	maxReply = 4096
	// answerTime bounds one command; clients wait for ten seconds.
	answerTime = 9 * time.Second
)

// on is do for a row of the table: it is given the call as the one of these that it deals with.
func on[T ~struct{ *call }](do func(T) string) func(*call) string {
	return func(c *call) string { return do(T{c}) }
}

// command is a row of the table. wpa_supplicant compares a command without arguments as a whole,
// and one with by its beginning, so "WPS_REG" alone is an unknown command.
type command struct {
	may   access
	alone func(*call) string // nil: it needs arguments
	with  func(*call) string // nil: it takes none
}

// onInterface are the commands of an interface's socket, and of the global one with the prefix
// IFNAME=.
var onInterface = map[string]command{
	"PING":      {may: accessRead, alone: func(*call) string { return "PONG\n" }},
	"IFNAME":    {may: accessRead, alone: func(c *call) string { return c.ifname }},
	"ATTACH":    {may: accessRead, alone: (*call).attach},
	"DETACH":    {may: accessRead, alone: (*call).detach},
	"LEVEL":     {may: accessRead, with: (*call).level},
	"LOG_LEVEL": {may: accessFull, alone: (*call).logLevel, with: (*call).setLogLevel},
	"TERMINATE": {may: accessFull, alone: (*call).terminate},
	"SUSPEND":   {may: accessFull, alone: (*call).suspend},
	"RESUME":    {may: accessFull, alone: (*call).resume},

	"STATUS":         {may: accessRead, alone: (*call).status, with: (*call).status},
	"STATUS-WPS":     {may: accessRead, alone: (*call).status},
	"STATUS-VERBOSE": {may: accessRead, alone: (*call).status},
	"INTERFACES":     {may: accessRead, alone: (*call).interfaces, with: (*call).interfaces},
	"GET_CAPABILITY": {may: accessRead, with: (*call).capability},
	// wpsd holds no connection
	"SIGNAL_POLL": {may: accessRead, alone: func(*call) string { return replyFail }},
	"LIST_CREDS": {may: accessRead, alone: func(*call) string {
		return "cred id / realm / username / domain / imsi\n"
	}},
	// stations of an access point are its own software's
	"STA-FIRST": {may: accessRead, alone: func(*call) string { return replyFail }},
	"SET":       {may: accessFull, with: (*call).set},
	"GET":       {may: accessRead, with: (*call).get},

	"SCAN":         {may: accessFull, alone: (*call).scan, with: (*call).scan},
	"SCAN_RESULTS": {may: accessRead, alone: (*call).scanResults},
	"BSS":          {may: accessRead, with: (*call).bss},

	"LIST_NETWORKS": {may: accessRead, alone: on(networkCall.listNetworks),
		with: on(networkCall.listNetworks)},
	"ADD_NETWORK":     {may: accessFull, alone: on(networkCall.addNetwork)},
	"REMOVE_NETWORK":  {may: accessFull, with: on(networkCall.removeNetwork)},
	"SET_NETWORK":     {may: accessFull, with: on(networkCall.setNetwork)},
	"GET_NETWORK":     {may: accessRead, with: on(networkCall.getNetwork)},
	"ENABLE_NETWORK":  {may: accessFull, with: on(networkCall.enableNetwork)},
	"DISABLE_NETWORK": {may: accessFull, with: on(networkCall.disableNetwork)},
	"SELECT_NETWORK":  {may: accessFull, with: (*call).selectNetwork},
	"SAVE_CONFIG":     {may: accessFull, alone: on(networkCall.saveConfig)},
	"DISCONNECT":      {may: accessFull, alone: (*call).disconnect},

	"WPS_PBC":       {may: accessFull, alone: (*call).wpsPBC, with: (*call).wpsPBC},
	"WPS_PIN":       {may: accessFull, with: (*call).wpsPIN},
	"WPS_CHECK_PIN": {may: accessRead, with: (*call).wpsCheckPIN},
	"WPS_CANCEL":    {may: accessFull, alone: (*call).wpsCancel},
	"WPS_REG":       {may: accessFull, with: (*call).wpsReg},
	"WPS_AP_PIN":    {may: accessFull, with: (*call).wpsAPPIN},

	"WPS_ER_START":      {may: accessFull, alone: on(erCall.start), with: on(erCall.start)},
	"WPS_ER_STOP":       {may: accessFull, alone: on(erCall.stop)},
	"WPS_ER_PIN":        {may: accessFull, with: on(erCall.pin)},
	"WPS_ER_PBC":        {may: accessFull, with: on(erCall.pbc)},
	"WPS_ER_LEARN":      {may: accessFull, with: on(erCall.learn)},
	"WPS_ER_SET_CONFIG": {may: accessFull, with: on(erCall.setConfig)},
	"WPS_ER_CONFIG":     {may: accessFull, with: on(erCall.config)},

	"WPS_ER_NFC_CONFIG_TOKEN": {may: accessFull, with: on(nfcCall.erNFCConfigToken)},

	"WPS_NFC": {may: accessFull, alone: on(nfcCall.wpsNFC),
		with: on(nfcCall.wpsNFC)},
	"WPS_NFC_TOKEN":        {may: accessFull, with: on(nfcCall.wpsNFCToken)},
	"WPS_NFC_CONFIG_TOKEN": {may: accessFull, with: on(nfcCall.wpsNFCConfigToken)},
	"WPS_NFC_TAG_READ":     {may: accessFull, with: on(nfcCall.wpsNFCTagRead)},
	"NFC_GET_HANDOVER_REQ": {may: accessFull, with: on(nfcCall.nfcGetHandoverReq)},
	"NFC_GET_HANDOVER_SEL": {may: accessFull, with: on(nfcCall.nfcGetHandoverSel)},
	"NFC_REPORT_HANDOVER":  {may: accessFull, with: on(nfcCall.nfcReportHandover)},
}

// onGlobal are the commands of the global socket.
var onGlobal = map[string]command{
	"PING":             onInterface["PING"],
	"ATTACH":           onInterface["ATTACH"],
	"DETACH":           onInterface["DETACH"],
	"LEVEL":            onInterface["LEVEL"],
	"LOG_LEVEL":        onInterface["LOG_LEVEL"],
	"TERMINATE":        onInterface["TERMINATE"],
	"SUSPEND":          onInterface["SUSPEND"],
	"RESUME":           onInterface["RESUME"],
	"INTERFACES":       onInterface["INTERFACES"],
	"STATUS":           {may: accessRead, alone: (*call).globalStatus},
	"INTERFACE_LIST":   {may: accessRead, alone: (*call).interfaceList},
	"INTERFACE_ADD":    {may: accessFull, with: (*call).interfaceAdd},
	"INTERFACE_REMOVE": {may: accessFull, with: (*call).interfaceRemove},

	// A tag belongs to no interface (wpa_supplicant routes these to one of its own).
	"WPS_NFC_TOKEN":    onInterface["WPS_NFC_TOKEN"],
	"WPS_NFC_TAG_READ": onInterface["WPS_NFC_TAG_READ"],
}

// answer gives the reply to one datagram. The caller wipes it.
func (p *port) answer(long context.Context, c caller, command []byte) []byte {
	answer := []byte(replyFail)
	_ = fence.Do(p.server.log, "control: a command", func() error {
		answer = p.carryOut(long, c, command)
		return nil
	})
	return answer
}

func (p *port) carryOut(long context.Context, c caller, command []byte) []byte {
	ctx, cancel := context.WithTimeout(long, answerTime)
	defer cancel()
	// wpa_cli sends what the user typed; a newline at its end is no part of it.
	var secrets hidden
	defer func() { secrets.wipe() }()
	text := secrets.conceal(bytes.TrimRight(command, "\n\x00"))
	table, r := onInterface, &call{port: p, hidden: &secrets, ctx: ctx, long: long, caller: c,
		ifname: p.ifname}
	if p.ifname == "" {
		table = onGlobal
		if rest, ok := strings.CutPrefix(text, "IFNAME="); ok {
			r.ifname, text, _ = strings.Cut(rest, " ")
			if !p.server.hasInterface(r.ifname) || r.ifname == "" {
				return []byte(replyNoMatch)
			}
			table = onInterface
		}
	}
	name, args, hasArgs := strings.Cut(text, " ")
	cmd, known := table[name]
	run := cmd.alone
	if hasArgs {
		run = cmd.with
	}
	if !known || run == nil {
		return []byte(replyUnknown)
	}
	if c.may < cmd.may {
		p.server.log.Debug("a control command was refused", "command", name, "uid", c.uid,
			"pid", c.pid)
		return []byte(replyFail)
	}
	r.name, r.args = name, args
	reply := run(r)
	if v, ok := secrets.find(reply); ok {
		return bytes.Clone(v.Bytes())
	}
	// a list would have ended before; a client would take what is cut for the whole
	if len(reply) > maxReply-1 {
		return []byte(replyFail)
	}
	return []byte(reply)
}

func (c *call) attach() string {
	if !c.monitors.attach(c.caller) {
		return c.fail(errors.New("too many clients have attached"))
	}
	return replyOK
}

func (c *call) detach() string {
	if !c.monitors.detach(c.caller) {
		return replyFail
	}
	return replyOK
}

func (c *call) level() string {
	if !c.monitors.setLevel(c.caller, atoi(c.args)) {
		return replyFail
	}
	return replyOK
}

func (c *call) terminate() string {
	if c.server.options.Terminate == nil {
		return c.fail(errors.New("nobody may end wpsd this way: stop the service, or set ctrl_terminate=1"))
	}
	c.server.options.Terminate()
	return replyOK
}

// suspend is SUSPEND: the machine is about to sleep. It concerns all interfaces, whichever is
// asked: sessions end, and the reply comes when each interface is given back. Nothing begins before
// RESUME.
func (c *call) suspend() string { return c.done(c.svc().Suspend(c.ctx)) }

// resume is RESUME: it is awake.
func (c *call) resume() string {
	c.svc().Resume()
	return replyOK
}

// disconnect is DISCONNECT: what wpsd does on the interface ends, and the network manager's
// connection.
func (c *call) disconnect() string {
	if err := c.svc().CancelInterface(c.ctx, c.ifname); err != nil &&
		!errors.Is(err, state.ErrNoSession) {
		return c.fail(err)
	}
	b, connected := c.svc().Connection(c.ctx, c.ifname)
	// before it happens: its news may come at once
	before, known := c.server.toldOf(c.ifname, wsc.MAC{})
	if err := c.svc().Managers().Disconnect(c.ctx, c.ifname); err != nil {
		if known {
			c.server.toldOf(c.ifname, before)
		}
		return c.fail(err)
	}
	if connected {
		c.server.tell(line{ifname: c.ifname, level: levelInfo,
			text: fmt.Sprintf("CTRL-EVENT-DISCONNECTED bssid=%s reason=3 locally_generated=1",
				wsc.MAC(b.BSSID))})
	}
	return replyOK
}
