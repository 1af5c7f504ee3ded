package control

import (
	"encoding/hex"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/discovery"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// source is what a translator asks of the service besides its events.
type source struct {
	// received gives a network for each Credential attribute that a session received, which the
	// caller wipes.
	received func(state.SessionID) []credential.Network
	// frequency of an access point, 0: unknown.
	frequency func(ifname string, bssid wsc.MAC) int
	// number that a stored network has here; -1: none.
	number func(state.NetworkID) int
	// toldOf notes what is told of an interface's connection, and gives what was told before.
	toldOf func(ifname string, bssid wsc.MAC) (before wsc.MAC, known bool)
}

func (s *Server) source() source {
	return source{
		received: func(id state.SessionID) []credential.Network {
			list, err := s.svc.Received(id)
			if err != nil {
				return nil
			}
			return list
		},
		frequency: s.frequency,
		number:    s.networks.number,
		toldOf:    s.toldOf,
	}
}

// translator makes wpa_supplicant's events of the service's. The service tells what is the case,
// and of what lasts a moment only the last; wpa_supplicant tells each step. So for each run it is
// kept which steps were told, and those that were passed over are told before the one that was
// reached.
type translator struct {
	source
	processing state.Processing
	interfaces map[string]state.Interface
	modes      map[string]drivers.Mode                // of interfaces that were removed
	classes    map[string]map[wsc.MAC]discovery.Class // of the access points heard, by interface
	runs       map[state.SessionID]*run
	// access points of an External Registrar that were told with what their M1 says
	introduced map[erKey]bool
	lines      []line
}

// run is a session and what was told of it.
type run struct {
	state.Session
	scanning   bool // a scan was told to have begun
	tried      int  // access points
	associated bool
	eap        bool
	failed     bool   // a reason was told for the newest try
	received   bool   // what was wanted
	closed     bool   // that nothing came of it was told
	ended      bool   // the access point ended the newest try without a reason
	lost       uint16 // or its link, with this reason code
}

func newTranslator(s source) *translator {
	t := &translator{source: s}
	t.reset(state.Snapshot{})
	return t
}

// reset begins anew with what there is. Nothing is told of it.
func (t *translator) reset(snap state.Snapshot) {
	t.interfaces = make(map[string]state.Interface)
	t.modes = make(map[string]drivers.Mode)
	t.classes = make(map[string]map[wsc.MAC]discovery.Class)
	t.runs = make(map[state.SessionID]*run)
	t.introduced = make(map[erKey]bool)
	t.processing = snap.Manager.Processing
	for _, i := range snap.Interfaces {
		t.interfaces[i.Name] = i
	}
	for _, ap := range snap.AccessPoints {
		t.classify(ap)
	}
	for _, s := range snap.Sessions {
		if !s.State.Ended() {
			t.runs[s.ID] = &run{
				Session: s, scanning: s.State == state.StateScanning,
				tried:      s.Detail.AccessPointsTried,
				associated: s.State == state.StateExchanging, eap: s.Message != 0,
			}
		}
	}
}

// translate gives what to tell of an event, in order.
func (t *translator) translate(e state.Event) []line {
	t.lines = nil
	switch e := e.(type) {
	case state.InterfaceAdded:
		t.interfaceAdded(e.Interface)
	case state.InterfaceChanged:
		t.interfaceChanged(e.Interface)
	case state.InterfaceRemoved:
		t.modes[e.Name] = t.interfaces[e.Name].Mode
		delete(t.interfaces, e.Name)
		delete(t.classes, e.Name)
	case state.ManagerChanged:
		t.processing = e.Manager.Processing
	case state.AccessPointAdded:
		t.classify(e.AccessPoint)
	case state.AccessPointChanged:
		t.classify(e.AccessPoint)
	case state.AccessPointRemoved:
		delete(t.classes[e.Interface], e.BSSID)
	case state.ScanDone:
		t.scanDone(e)
	case state.NetworkAdded:
		t.networkCame(e.Network)
	case state.NetworkChanged:
		t.networkCame(e.Network)
	case state.ConnectionChanged:
		t.connectionChanged(e)
	case state.PINNeeded:
		t.pinNeeded(e.Enrollee)
	case state.EnrolleeSeen:
		t.enrolleeSeen(e.Enrollee)
	default:
		t.translateRun(e)
		t.translateER(e)
	}
	lines := t.lines
	t.lines = nil
	if t.ofER(e) {
		for i := range lines {
			lines[i].er = true
		}
	}
	return lines
}

// translateRun translates what happens in a run; those that the socket does not show have no lines.
func (t *translator) translateRun(e state.Event) {
	switch e := e.(type) {
	case state.SessionAdded:
		t.sessionAdded(e.Session)
	case state.SessionChanged:
		if r := t.runs[e.Session.ID]; r != nil {
			t.sessionChanged(r, e.Session)
		}
	case state.RunFailed:
		if r := t.runs[e.Session]; r != nil {
			t.runFailed(r, e)
		}
	case state.CredentialReceived:
		if r := t.runs[e.Session]; r != nil {
			t.credentialReceived(r)
		}
	case state.SessionEnded:
		if r := t.runs[e.Session.ID]; r != nil {
			t.sessionEnded(r, e.Session)
			delete(t.runs, e.Session.ID)
		}
	}
}

// ofER reports whether an event is one of an External Registrar.
func (t *translator) ofER(e state.Event) bool {
	switch e := e.(type) {
	case state.SessionAdded:
		return e.Session.Role == state.RoleExternalRegistrar
	case state.SessionChanged:
		return e.Session.Role == state.RoleExternalRegistrar
	case state.SessionEnded:
		return e.Session.Role == state.RoleExternalRegistrar
	case state.ERAPAdded, state.ERAPChanged, state.ERAPAsked, state.ERAPRemoved,
		state.EREnrolleeAdded, state.EREnrolleeChanged,
		state.EREnrolleeRemoved, state.ERAPSettings:
		return true
	}
	return false
}

// networkCame tells the steps that led to a network before the network.
func (t *translator) networkCame(n state.Network) {
	for _, r := range t.runs {
		if r.station() && r.tried > 0 && r.Peer == n.BSSID && n.Source != "added" {
			t.reach(r, true)
		}
	}
}

// translateER takes the events of an External Registrar.
func (t *translator) translateER(e state.Event) {
	switch e := e.(type) {
	case state.ERAPAdded:
		t.introduced[erKey{e.AccessPoint.Interface, e.AccessPoint.ID}] = e.AccessPoint.HasDevice
		t.erAPAdd(e.AccessPoint)
	case state.ERAPChanged:
		t.erAPChanged(e.AccessPoint)
	case state.ERAPAsked:
		t.erAPAsked(e)
	case state.ERAPRemoved:
		delete(t.introduced, erKey{e.AccessPoint.Interface, e.AccessPoint.ID})
		t.tell(e.AccessPoint.Interface, "WPS-ER-AP-REMOVE %s", e.AccessPoint.UUID)
	case state.EREnrolleeAdded:
		t.erEnrolleeAdd(e.Enrollee)
	case state.EREnrolleeChanged:
		t.erEnrolleeAdd(e.Enrollee)
	case state.EREnrolleeRemoved:
		t.tell(e.Enrollee.Interface, "WPS-ER-ENROLLEE-REMOVE %s %s", e.Enrollee.Device.UUID,
			e.Enrollee.MAC)
	case state.ERAPSettings:
		if r := t.runs[e.Session]; r != nil {
			t.erAPSettings(r)
		}
	default:
	}
}

// tell adds an event of an interface.
func (t *translator) tell(ifname, format string, args ...any) {
	t.lines = append(t.lines, line{ifname: ifname, level: levelInfo,
		text: fmt.Sprintf(format, args...)})
}

func (t *translator) classify(ap state.AccessPoint) {
	if t.classes[ap.Interface] == nil {
		t.classes[ap.Interface] = make(map[wsc.MAC]discovery.Class)
	}
	t.classes[ap.Interface][ap.BSSID] = ap.Class
}

// interfaceAdded tells of an interface that has become an access point, or is none any more: it was
// removed just before.
func (t *translator) interfaceAdded(i state.Interface) {
	before := t.modes[i.Name]
	delete(t.modes, i.Name)
	t.interfaces[i.Name] = i
	switch {
	case before == drivers.ModeStation && i.Mode == drivers.ModeAP:
		t.tell(i.Name, "AP-ENABLED ")
	case before == drivers.ModeAP && i.Mode == drivers.ModeStation:
		t.tell(i.Name, "AP-DISABLED ")
	}
}

func (t *translator) interfaceChanged(i state.Interface) {
	before := t.interfaces[i.Name]
	t.interfaces[i.Name] = i
	if i.Scanning && !before.Scanning {
		t.tell(i.Name, "CTRL-EVENT-SCAN-STARTED ")
	}
	switch {
	case i.Mode != drivers.ModeAP:
	case i.SetupLocked && !before.SetupLocked:
		t.tell(i.Name, "WPS-AP-SETUP-LOCKED ")
	case !i.SetupLocked && before.SetupLocked:
		t.tell(i.Name, "WPS-AP-SETUP-UNLOCKED ")
	}
}

// scanDone tells of a scan, and of the most promising access point that it shows: one event,
// whatever there is.
func (t *translator) scanDone(e state.ScanDone) {
	if !e.Success {
		t.tell(e.Interface, "CTRL-EVENT-SCAN-FAILED ret=-1")
		return
	}
	for _, r := range t.runs {
		if r.Interface == e.Interface && r.station() && r.State == state.StateScanning {
			t.scan(r) // the next one of a run that goes on looking: its beginning is not told
			r.scanning = false
		}
	}
	t.scanResults(e.Interface)
}

func (t *translator) scanResults(ifname string) {
	t.tell(ifname, "CTRL-EVENT-SCAN-RESULTS ")
	best := discovery.None
	for _, class := range t.classes[ifname] {
		best = max(best, class)
	}
	switch best {
	case discovery.None:
	case discovery.PBC:
		t.tell(ifname, "WPS-AP-AVAILABLE-PBC ")
	case discovery.Auth:
		t.tell(ifname, "WPS-AP-AVAILABLE-AUTH ")
	case discovery.PIN:
		t.tell(ifname, "WPS-AP-AVAILABLE-PIN ")
	default:
		t.tell(ifname, "WPS-AP-AVAILABLE ")
	}
}

// station reports whether a session is one of a radio of ours: not of an access point, not of an
// External Registrar.
func (r *run) station() bool {
	return r.Purpose != state.PurposeAdmit && r.Role != state.RoleExternalRegistrar
}

func (t *translator) sessionAdded(s state.Session) {
	r := &run{Session: s}
	t.runs[s.ID] = r
	if !r.station() {
		if s.Role == state.RoleExternalRegistrar && s.Method == state.MethodPBC {
			t.tell(s.Interface, "WPS-PBC-ACTIVE ")
		}
		return
	}
	switch {
	case s.Purpose != state.PurposeEnroll:
	case s.Method == state.MethodPBC:
		t.tell(s.Interface, "WPS-PBC-ACTIVE ")
	case s.Method == state.MethodPIN:
		t.tell(s.Interface, "WPS-PIN-ACTIVE ")
	default: // a handover has none; a password token's is told by the command
	}
	t.scan(r)
}

// scan tells that a run looks for access points.
func (t *translator) scan(r *run) {
	if !r.scanning {
		r.scanning = true
		t.tell(r.Interface, "CTRL-EVENT-SCAN-STARTED ")
	}
}

func (t *translator) sessionChanged(r *run, s state.Session) {
	before := r.Session
	r.Session = s
	switch {
	case r.station():
	case s.Role == state.RoleExternalRegistrar:
		return
	default:
		t.admissionChanged(r, before)
		return
	}
	if s.Detail.AccessPointsTried > r.tried {
		t.leave(r)
		t.try(r)
	}
	switch s.State {
	case state.StateScanning:
		if r.tried > 0 {
			t.leave(r)
			t.scan(r)
		}
	case state.StateExchanging:
		t.reach(r, s.Message != 0)
	case state.StateHandingOver:
		t.leave(r)
	default:
	}
}

// endScan tells that the scan of a run is over.
func (t *translator) endScan(r *run) {
	if r.scanning {
		r.scanning = false
		t.scanResults(r.Interface)
	}
}

// try tells that an access point is tried. A scan that found it ended early.
func (t *translator) try(r *run) {
	t.endScan(r)
	r.tried, r.failed = r.Detail.AccessPointsTried, false
	t.tell(r.Interface, "Trying to associate with %s (SSID='%s' freq=%d MHz)", r.Peer,
		quoteSSID(r.Detail.SSID), t.frequency(r.Interface, r.Peer))
}

// reach tells the steps up to the association, or up to EAP.
func (t *translator) reach(r *run, eap bool) {
	if !r.associated {
		r.associated = true
		t.tell(r.Interface, "Associated with %s", r.Peer)
	}
	if eap && !r.eap {
		r.eap = true
		for _, text := range []string{
			"CTRL-EVENT-EAP-STARTED EAP authentication started",
			"CTRL-EVENT-EAP-STATUS status='started' parameter=''",
			"CTRL-EVENT-EAP-PROPOSED-METHOD vendor=14122 method=1",
			"CTRL-EVENT-EAP-STATUS status='accept proposed method' parameter='WSC'",
			"CTRL-EVENT-EAP-METHOD EAP vendor 14122 method 1 (WSC) selected",
		} {
			t.tell(r.Interface, "%s", text)
		}
	}
}

// leave tells that the connection to an access point is over. EAP ends with a failure also when all
// went well: that is how WSC ends (WSC, EAP-WSC).
func (t *translator) leave(r *run) {
	if r.lost != 0 && r.associated { // nothing more was heard
		t.tell(r.Interface, "CTRL-EVENT-DISCONNECTED bssid=%s reason=%d", r.Peer, r.lost)
		r.associated, r.eap, r.lost = false, false, 0
		return
	}
	if r.eap {
		t.tell(r.Interface, "CTRL-EVENT-EAP-STATUS status='completion' parameter='failure'")
		t.tell(r.Interface, "CTRL-EVENT-EAP-FAILURE EAP authentication failed")
	}
	// wpa_supplicant tells so of a button and of a Registrar's run, not of a PIN, which it tries
	// again. A Registrar that learns ends the run with WSC_NACK, so that is no success either.
	if r.eap && (r.Purpose == state.PurposeLearn || r.ended || r.failed && !r.received &&
		(r.Method == state.MethodPBC || r.Purpose == state.PurposeConfigure)) {
		t.tell(r.Interface, "WPS-FAIL ")
		r.closed, r.ended = true, false
	}
	if r.associated {
		t.tell(r.Interface, "CTRL-EVENT-DISCONNECTED bssid=%s reason=3 locally_generated=1", r.Peer)
	}
	r.associated, r.eap = false, false
}

// connected tells that the network manager has connected to what was received, if it has: a
// hand-over that succeeded is a connection.
func (t *translator) connected(r *run) {
	if r.Detail.Manager == "" {
		return
	}
	id := 0
	if len(r.Networks) > 0 {
		id = max(t.number(r.Networks[0]), 0)
	}
	t.toldOf(r.Interface, r.Peer)
	t.tell(r.Interface, connectedText, r.Peer, id)
}

const connectedText = "CTRL-EVENT-CONNECTED - Connection to %s completed [id=%d id_str=]"

// connectionChanged tells of a connection that a manager has made or lost by itself, unless it was
// told as the end of a run.
func (t *translator) connectionChanged(e state.ConnectionChanged) {
	before, known := t.toldOf(e.Interface, e.BSSID)
	switch {
	case known && before == e.BSSID:
	case e.BSSID.IsZero():
		t.tell(e.Interface, "CTRL-EVENT-DISCONNECTED bssid=%s reason=0", e.Before)
	default:
		t.tell(e.Interface, connectedText, e.BSSID, 0)
	}
}

func (t *translator) runFailed(r *run, e state.RunFailed) {
	if e.Unsent {
		t.endScan(r)
	} else {
		t.reach(r, e.Lost == 0 || r.Message != 0)
	}
	switch e.Message {
	case 0:
		r.ended, r.lost = e.Lost == 0, e.Lost
	case wsc.MsgM2D:
		t.tell(r.Interface, "WPS-M2D dev_password_id=%d config_error=%d", uint16(e.PasswordID),
			uint16(e.ConfigError))
	default:
		r.failed = true
		text := fmt.Sprintf("WPS-FAIL msg=%d config_error=%d", uint8(e.Message),
			uint16(e.ConfigError))
		if e.WEP {
			text += " reason=2 (WEP Prohibited)" // wpa_supplicant's error indication
		}
		t.tell(r.Interface, "%s", text)
	}
}

// credentialReceived tells of each Credential. Its bytes go along if another program is to process
// it; an access point's own new settings never came as one.
func (t *translator) credentialReceived(r *run) {
	if !r.station() {
		return
	}
	t.reach(r, true)
	r.received = true
	received := t.received(r.ID)
	for _, n := range received {
		l := line{ifname: r.Interface, level: levelInfo, text: "WPS-CRED-RECEIVED "}
		if t.processing != state.ProcessingInternal && r.Purpose != state.PurposeConfigure {
			text := hex.AppendEncode(nil, n.Raw.Bytes())
			l.secret = secret.New(text)
			clear(text)
		}
		t.lines = append(t.lines, l)
		n.Key.Wipe()
		n.Raw.Wipe()
	}
	if t.processing != state.ProcessingExternal && r.Detail.Credentials == 0 {
		return // there is no network in it for anybody: the session fails
	}
	if r.Purpose == state.PurposeLearn {
		// that is how success is told here (wpa_supplicant)
		t.tell(r.Interface, "WPS-FAIL msg=%d config_error=0", uint8(wsc.MsgM7))
		return
	}
	t.tell(r.Interface, "WPS-SUCCESS ")
}

// walkSlack: a session that ends so near to its deadline has timed out, whatever else went wrong
// before.
const walkSlack = time.Second

func (t *translator) sessionEnded(r *run, s state.Session) {
	r.Session = s
	switch {
	case r.station():
	case s.Role == state.RoleExternalRegistrar:
		t.erEnded(r)
		return
	default:
		t.admissionEnded(r)
		return
	}
	if s.Replaced && s.State == state.StateCanceled { // wpa_supplicant begins anew without a word
		t.leave(r)
		return
	}
	late := time.Until(s.Deadline) < walkSlack
	overlap := s.Reason == outcome.ReasonOverlap && len(s.Detail.Overlap) > 0
	t.leave(r)
	switch {
	case s.State == state.StateSucceeded, s.Reason == outcome.ReasonNotStored &&
		s.Detail.HandedOver:
		t.connected(r)
	case s.State == state.StateCanceled:
		t.tell(s.Interface, "WPS-CANCEL ")
	case overlap:
		t.tell(s.Interface, "WPS-OVERLAP-DETECTED PBC session overlap")
		t.tell(s.Interface, "WPS-CANCEL ")
	case s.Reason == outcome.ReasonHandoverFailed, s.Reason == outcome.ReasonNotStored:
		// Its success was told: wpa_supplicant, too, only logs it when it cannot write its file.
	case late:
		t.tell(s.Interface, "WPS-TIMEOUT Requested operation timed out")
	default:
		if s.Detail.LinkStatus != 0 {
			t.tell(s.Interface, "CTRL-EVENT-ASSOC-REJECT bssid=%s status_code=%d", s.Peer,
				s.Detail.LinkStatus)
		}
		if !r.closed {
			t.tell(s.Interface, "WPS-FAIL ")
		}
	}
}
