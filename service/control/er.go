package control

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// The replies of WPS_ER_PBC that say why not.
const (
	replyUnknownUUID  = "FAIL-UNKNOWN-UUID\n"
	replyNoAPSettings = "FAIL-NO-AP-SETTINGS\n"
)

// erPINTime is how long a PIN for an Enrollee is good for (wpa_supplicant).
const erPINTime = 300 * time.Second

// start is WPS_ER_START [ifname=INTERFACE] [ADDRESS]: External Registrar, on another network
// interface than that of the socket, of one access point only with an address. When it runs already
// neither counts, and all that is known is told again.
func (c erCall) start() string {
	on, text := c.ifname, c.args
	if name, ok := strings.CutPrefix(text, "ifname="); ok {
		on, text, _ = strings.Cut(name, " ")
	}
	r := external.Start{Owner: c.caller.owner(), User: c.caller.user(), Detach: true}
	if text != "" {
		address, err := netip.ParseAddr(text)
		if err != nil || !address.Is4() {
			return c.fail(errSyntax)
		}
		r.Address = address
	}
	if running := c.svc().Published().ER(c.netInterface()); running.Running {
		on, r.Address = running.Interface, running.Address
	}
	r.Interface = on
	undo, err := c.moveTo(on)
	if err == nil {
		if err = c.svc().Registrars().StartER(c.ctx, r); err != nil {
			undo()
		}
	}
	return c.done(err)
}

// erElsewhere says that the External Registrar of a socket runs on another interface than that of
// the socket.
type erElsewhere struct {
	ifname string
	added  bool // for it
}

// netInterface is where the External Registrar of this socket runs, or would.
func (c erCall) netInterface() string {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if e, ok := c.server.ers[c.ifname]; ok {
		return e.ifname
	}
	return c.ifname
}

// moveTo notes where the External Registrar of this socket runs from now on. An interface that
// wpsd does not know, such as a wired one, is added.
func (c erCall) moveTo(ifname string) (undo func(), err error) {
	e := erElsewhere{ifname: ifname}
	if c.netInterface() == ifname {
		return func() {}, nil
	}
	c.moveBack()
	if ifname == c.ifname {
		return func() {}, nil
	}
	if !c.server.hasInterface(ifname) {
		if err := c.svc().AddInterface(c.ctx, ifname, "none"); err != nil {
			return nil, err
		}
		e.added = true
	}
	c.server.mu.Lock()
	c.server.ers[c.ifname] = e
	c.server.mu.Unlock()
	return c.moveBack, nil
}

// moveBack forgets that, and takes back the interface that was added for it.
func (c erCall) moveBack() {
	c.server.mu.Lock()
	e := c.server.ers[c.ifname]
	delete(c.server.ers, c.ifname)
	c.server.mu.Unlock()
	if e.added {
		if err := c.svc().RemoveInterface(c.ctx, e.ifname); err != nil {
			c.server.log.Debug("an interface that was added for an External Registrar", "interface",
				e.ifname, "err", err)
		}
	}
}

// runs reports whether an External Registrar runs for this socket.
func (c erCall) runs() bool {
	return c.svc().Published().ER(c.netInterface()).Running
}

// stop is WPS_ER_STOP, which is always OK.
func (c erCall) stop() string {
	err := c.svc().Registrars().StopER(c.ctx, c.netInterface())
	if errors.Is(err, state.ErrERStopped) || errors.Is(err, state.ErrNoInterface) {
		err = nil
	}
	c.moveBack()
	return c.done(err)
}

// request begins an ERRequest. What it learns is stored, and handed to nobody: the network of the
// access point is one that this machine is in, or need not be in.
func (c erCall) request() external.Request {
	return external.Request{Interface: c.netInterface(), Owner: c.caller.owner(),
		User: c.caller.user(), Detach: true, Force: true}
}

// erPeer reads the UUID, BSSID or IPv4 address of an access point, which has to be one in
// particular.
func erPeer(text string) (external.Peer, error) {
	p, err := external.ParsePeer(text)
	if err == nil && p.IsAny() {
		err = errSyntax
	}
	return p, err
}

// pin is WPS_ER_PIN any|UUID|MAC PIN [MAC]: lets an Enrollee in.
func (c erCall) pin() string {
	who, rest, ok := strings.Cut(c.args, " ")
	pin, mac, hasMAC := strings.Cut(rest, " ")
	peer, err := external.ParsePeer(who)
	if err != nil || !ok {
		return c.fail(errSyntax)
	}
	r := c.request()
	r.Enrollee, r.Timeout = peer, erPINTime
	if hasMAC {
		if r.MAC, err = wsc.ParseMAC(mac); err != nil {
			return c.fail(errSyntax)
		}
	}
	if peer.UUID == (wsc.UUID{}) && !peer.MAC.IsZero() && !c.knowsEnrollee(peer) {
		return c.fail(fmt.Errorf("no Enrollee has the address %s: name it any, with the address at the end", peer.MAC))
	}
	r.PIN = c.take(pin)
	defer r.PIN.Wipe()
	_, err = c.svc().Registrars().EREnrollPIN(c.ctx, r)
	return c.done(err)
}

// knowsEnrollee reports whether the External Registrar has heard of a device.
func (c erCall) knowsEnrollee(p external.Peer) bool {
	return c.svc().Registrars().KnowsEREnrollee(c.netInterface(), p)
}

// knowsAP reports whether the External Registrar has found an access point.
func (c erCall) knowsAP(p external.Peer) bool {
	return c.svc().Registrars().KnowsERAccessPoint(c.netInterface(), p)
}

// pbc is WPS_ER_PBC UUID|MAC: lets the Enrollee in that has its button pressed, or whoever does
// so at an access point.
func (c erCall) pbc() string {
	peer, err := erPeer(c.args)
	if err != nil {
		return c.fail(errSyntax)
	}
	r := c.request()
	switch {
	case !c.runs():
		return c.fail(state.ErrERStopped)
	case c.knowsAP(peer):
		r.AP = peer
	case c.knowsEnrollee(peer):
		r.Enrollee = peer
	default:
		return replyUnknownUUID
	}
	_, err = c.svc().Registrars().EREnrollPBC(c.ctx, r)
	switch {
	case errors.Is(err, state.ErrEROverlap):
		return replyOverlap
	case errors.Is(err, state.ErrNoERSettings):
		return replyNoAPSettings
	}
	return c.done(err)
}

// learn is WPS_ER_LEARN UUID|BSSID PIN|nfc-pw: reads an access point's settings.
func (c erCall) learn() string {
	who, pin, ok := strings.Cut(c.args, " ")
	peer, err := erPeer(who)
	if err != nil || !ok {
		return c.fail(errSyntax)
	}
	r := c.request()
	r.AP = peer
	if r.NFC = pin == nfcWord; !r.NFC {
		r.PIN = c.take(pin)
	}
	defer r.PIN.Wipe()
	_, err = c.svc().Registrars().ERLearn(c.ctx, r)
	return c.done(err)
}

// setConfig is WPS_ER_SET_CONFIG UUID|BSSID NETWORK: what Enrollees of an access point are given.
// The access point itself is not asked.
func (c erCall) setConfig() string {
	who, number, _ := strings.Cut(c.args, " ")
	peer, err := erPeer(who)
	if err != nil {
		return c.fail(errSyntax)
	}
	id, err := parseID(number)
	if err != nil {
		return c.fail(err)
	}
	network, err := networkCall(c).store(id)
	if err != nil {
		return c.fail(err)
	}
	return c.done(c.svc().Registrars().ERSetConfig(c.ctx, c.netInterface(), peer, network))
}

// config is WPS_ER_CONFIG UUID|BSSID PIN|nfc-pw SSID AUTH ENCR KEY, SSID and KEY in hex: gives an
// access point new settings.
func (c erCall) config() string {
	who, rest, _ := strings.Cut(c.args, " ")
	pin, rest, ok := strings.Cut(rest, " ")
	peer, err := erPeer(who)
	if err != nil || !ok {
		return c.fail(errSyntax)
	}
	settings, err := c.parseSettings(rest)
	if err != nil {
		return c.fail(err)
	}
	defer settings.Key.Wipe()
	r := c.request()
	r.AP = peer
	if r.NFC = pin == nfcWord; !r.NFC {
		r.PIN = c.take(pin)
	}
	defer r.PIN.Wipe()
	_, err = c.svc().Registrars().ERConfigure(c.ctx, r, settings)
	return c.done(err)
}

// erAPAdd tells of an access point, as its description and its M1 say of it: in the device's own
// words, as wpa_supplicant does, with entities and bars, but on one line.
func (t *translator) erAPAdd(ap state.ERAccessPoint) {
	d := ap.Description.Written
	t.tell(ap.Interface, "WPS-ER-AP-ADD %s %s pri_dev_type=%s wps_state=%d |%s|%s|%s|%s|%s|%s|",
		ap.UUID, ap.BSSID, ap.Device.PrimaryDeviceType,
		uint8(ap.Device.State), noControls(d.FriendlyName), noControls(d.Manufacturer),
		noControls(d.ModelDescription), noControls(d.ModelName), noControls(d.ManufacturerURL),
		noControls(d.ModelURL))
}

// erAPChanged tells again of an access point once it has told who it is.
func (t *translator) erAPChanged(ap state.ERAccessPoint) {
	if ap.HasDevice && !t.introduced[erKey{ap.Interface, ap.ID}] {
		t.introduced[erKey{ap.Interface, ap.ID}] = true
		t.erAPAdd(ap)
	}
}

// erAPAsked tells of a SetSelectedRegistrar: at the level of wpa_supplicant's debugging, which
// clients have to ask for, and for all to hear only if the access point refuses.
func (t *translator) erAPAsked(e state.ERAPAsked) {
	l := line{ifname: e.AccessPoint.Interface, level: levelDebug}
	l.text = fmt.Sprintf("WPS-ER-AP-SET-SEL-REG uuid=%s state=", e.AccessPoint.UUID)
	switch e.Asked.State {
	case er.AskSent:
		selected := 0
		if e.Asked.Selected {
			selected = 1
		}
		l.text += fmt.Sprintf("START sel_reg=%d dev_passwd_id=%d sel_reg_config_methods=0x%x",
			selected, uint16(e.Asked.PasswordID), uint16(e.Asked.Methods))
	case er.AskTaken:
		l.text += "DONE"
	case er.AskRefused:
		l.level, l.text = levelInfo, l.text+"FAILED"
	}
	t.lines = append(t.lines, l)
}

func (t *translator) erEnrolleeAdd(e state.EREnrollee) {
	m1 := 0
	if e.M1 {
		m1 = 1
	}
	d := e.Device
	t.tell(e.Interface, "WPS-ER-ENROLLEE-ADD %s %s M1=%d config_methods=0x%x dev_passwd_id=%d pri_dev_type=%s |%s|%s|%s|%s|%s|", d.UUID, e.MAC, m1,
		uint16(d.ConfigMethods), uint16(e.PasswordID), d.PrimaryDeviceType,
		noControls(d.DeviceName), noControls(d.Manufacturer), noControls(d.ModelName),
		noControls(d.ModelNumber), noControls(d.SerialNumber))
}

// erKey names an access point of an External Registrar.
type erKey struct {
	ifname string
	ap     er.APID
}

// erAPSettings tells what was learned, the key only to those that may see it.
func (t *translator) erAPSettings(r *run) {
	for _, n := range t.received(r.ID) {
		l := line{ifname: r.Interface, level: levelInfo}
		l.text = fmt.Sprintf("WPS-ER-AP-SETTINGS uuid=%s ssid=%s auth_type=0x%04x encr_type=0x%04x key=",
			r.ERAPUUID, quoteSSID(n.SSID), uint16(n.Auth), uint16(n.Encryption))
		if n.Auth != wsc.AuthOpen && n.Key.Len() >= 8 && n.Key.Len() <= 64 {
			l.secret = n.Key.Clone()
		}
		t.lines = append(t.lines, l)
		n.Key.Wipe()
		n.Raw.Wipe()
	}
	// how success is told here, too (wpa_supplicant)
	t.tell(r.Interface, "WPS-FAIL msg=%d config_error=0", uint8(wsc.MsgM7))
}

// erEnded tells how a session of an External Registrar ended.
func (t *translator) erEnded(r *run) {
	switch {
	case r.State == state.StateCanceled:
	case r.State == state.StateSucceeded && r.Purpose == state.PurposeLearn:
		// told with the settings
	case r.State == state.StateSucceeded:
		if r.Purpose == state.PurposeConfigure {
			t.tell(r.Interface, "WPS-CRED-RECEIVED ")
		}
		if r.Method == state.MethodPBC {
			t.tell(r.Interface, "WPS-PBC-DISABLE ")
		}
		t.tell(r.Interface, "WPS-SUCCESS ")
	case r.Reason == outcome.ReasonOverlap:
		t.tell(r.Interface, "WPS-OVERLAP-DETECTED ")
	case r.Reason == outcome.ReasonWalkTime:
		t.tell(r.Interface, "WPS-TIMEOUT ")
	case r.Detail.PasswordHalf != 0: // the Enrollee refused M4 or M6
		t.tell(r.Interface, "WPS-FAIL msg=%d config_error=%d",
			uint8([]wsc.MessageType{wsc.MsgM4, wsc.MsgM6}[r.Detail.PasswordHalf-1]),
			uint16(r.ConfigError))
	default:
		t.tell(r.Interface, "WPS-FAIL ")
	}
}
