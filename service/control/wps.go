package control

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/hotspot"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// wpsPBC is WPS_PBC [any|BSSID] or WPS_PBC [BSSID ]multi_ap=N: the button. At an access point it
// lets one device in.
func (c *call) wpsPBC() string {
	r := c.request()
	ap := c.isAP()
	text, backhaul, multiAP := c.args, "", false
	if n := strings.Index(text, "multi_ap="); n == 0 || n > 0 && text[n-1] == ' ' {
		text, backhaul, multiAP = strings.TrimSuffix(text[:n], " "), text[n+len("multi_ap="):], true
		r.MultiAP = atoi(backhaul) != 0
	}
	// The device of the person at the access point is named by the P2P variant, which wpsd does not
	// have.
	switch {
	case text == "" || text == "any" && !multiAP: // wpa_supplicant takes no "any multi_ap=1"
	case ap:
		return c.fail(errSyntax)
	default:
		bssid, err := wsc.ParseMAC(text)
		if err != nil {
			return c.fail(errSyntax)
		}
		r.BSSID = bssid
	}
	ses, err := c.svc().StartPBC(c.ctx, r)
	switch {
	case err != nil || !ap:
		return c.done(err)
	case c.granted(ses.ID) == outcome.ReasonOverlap:
		return replyOverlap
	}
	return replyOK
}

// granted waits until the access point has taken a grant, or the session has ended, and says why it
// did.
func (c *call) granted(id state.SessionID) outcome.Reason {
	_, sub := c.svc().Published().Subscribe()
	defer sub.Close()
	for {
		ses, ok := c.svc().Published().Session(id)
		switch {
		case !ok:
			return outcome.ReasonInternal
		case ses.State.Ended() || ses.Detail.Granted:
			return ses.Reason
		}
		if _, err := sub.Next(c.ctx); err != nil {
			return ""
		}
	}
}

// wpsPIN is WPS_PIN any|get|BSSID [PIN [SECONDS]]. The reply is the PIN in use, without a newline.
func (c *call) wpsPIN() string {
	who, rest, _ := strings.Cut(c.args, " ")
	if who == "get" {
		pin, err := c.svc().Settings().GeneratePIN()
		return c.secret(pin, err)
	}
	r := c.request()
	ap := c.isAP()
	if who != "any" {
		mac, err := wsc.ParseMAC(who)
		if err != nil {
			return c.fail(errSyntax)
		}
		if ap {
			r.MAC = mac
		} else {
			r.BSSID = mac
		}
	}
	text, seconds, hasSeconds := strings.Cut(rest, " ")
	if hasSeconds && ap {
		r.Timeout = time.Duration(max(atoi(seconds), 0)) * time.Second
	}
	if text == "" {
		// wpa_supplicant takes an empty PIN as one; nobody means that, and a new one is what the
		// user needs.
		_, pin, err := c.svc().StartPIN(c.ctx, r)
		return c.secret(pin, err)
	}
	r.PIN = c.take(text)
	defer r.PIN.Wipe()
	_, pin, err := c.svc().StartPIN(c.ctx, r)
	pin.Wipe()
	if err != nil {
		return c.fail(err)
	}
	return text // as it was typed
}

// secret is a reply that is one: the PIN itself, without a newline.
func (c *call) secret(value secret.Value, err error) string {
	if err != nil {
		return c.fail(err)
	}
	return c.put(value)
}

// wpsCheckPIN is WPS_CHECK_PIN TEXT: the digits of a PIN that somebody typed.
func (c *call) wpsCheckPIN() string {
	given := c.take(c.args)
	defer given.Wipe()
	pin, err := devpass.CheckPIN(given.Bytes())
	switch {
	case errors.Is(err, devpass.ErrPINChecksum):
		return replyChecksum
	case err != nil:
		return replyFail
	}
	return c.secret(pin, nil)
}

// wpsCancel is WPS_CANCEL. For a station it is always OK, and told; an access point fails if there
// is nothing to cancel.
func (c *call) wpsCancel() string {
	err := c.svc().CancelInterface(c.ctx, c.ifname)
	switch {
	case err == nil: // its end is told as an event
	case !errors.Is(err, state.ErrNoSession) || c.isAP():
		return c.fail(err)
	default:
		c.server.tell(line{ifname: c.ifname, level: levelInfo, text: "WPS-CANCEL "})
	}
	return replyOK
}

// wpsReg is WPS_REG BSSID PIN|nfc-pw [SSID AUTH ENCR KEY], SSID and KEY in hex. All four need their
// spaces, also an empty key.
func (c *call) wpsReg() string {
	address, rest, ok := strings.Cut(c.args, " ")
	bssid, err := wsc.ParseMAC(address)
	if !ok || err != nil {
		return c.fail(errSyntax)
	}
	r := c.request()
	r.BSSID = bssid
	text, rest, configure := strings.Cut(rest, " ")
	if text == nfcWord {
		r.NFC = true
	} else {
		r.PIN = c.take(text)
		defer r.PIN.Wipe()
	}
	if !configure {
		_, err := c.svc().Learn(c.ctx, r)
		return c.done(err)
	}
	settings, err := c.parseSettings(rest)
	if err != nil {
		return c.fail(err)
	}
	defer settings.Key.Wipe()
	_, err = c.svc().Configure(c.ctx, r, settings)
	return c.done(err)
}

// parseSettings reads "SSID AUTH ENCR KEY". wpa_supplicant says OK to a word that it does not know
// and fails later; here it is refused at once.
func (c *call) parseSettings(text string) (session.Settings, error) {
	fields := strings.Split(text, " ")
	if len(fields) != 4 {
		return session.Settings{}, errSyntax
	}
	ssid, err := hex.DecodeString(fields[0])
	if err != nil {
		return session.Settings{}, errors.New("the SSID is not in hex")
	}
	auth, err := wsc.ParseAuthType(fields[1])
	if err != nil {
		return session.Settings{}, err
	}
	encryption, err := wsc.ParseEncrType(fields[2])
	if err != nil {
		return session.Settings{}, err
	}
	given := c.take(fields[3])
	defer given.Wipe()
	key := secret.Zeros(hex.DecodedLen(given.Len()))
	if _, err := hex.Decode(key.Bytes(), given.Bytes()); err != nil {
		key.Wipe()
		return session.Settings{}, errors.New("the key is not in hex")
	}
	return session.Settings{SSID: ssid, Auth: auth, Encryption: encryption, Key: key}, nil
}

// defaultAPPINTime is how long a PIN of the access point itself is good for unless the command says
// (wpa_supplicant).
const defaultAPPINTime = 300

// wpsAPPIN is WPS_AP_PIN disable | random [SECONDS] | get | set PIN [SECONDS]. 0 seconds: until it
// is disabled.
func (c *call) wpsAPPIN() string {
	if !c.isAP() {
		return replyFail
	}
	word, rest, _ := strings.Cut(c.args, " ")
	r := hotspot.APPINRequest{Interface: c.ifname, Command: hotspot.APPINCommand(word), Force: true}
	seconds := ""
	switch r.Command {
	case hotspot.APPINRandom:
		seconds = rest
	case hotspot.APPINSet:
		var pin string
		pin, seconds, _ = strings.Cut(rest, " ")
		r.PIN = c.take(pin)
		defer r.PIN.Wipe()
	case hotspot.APPINDisable, hotspot.APPINGet:
	default:
		return c.fail(errSyntax)
	}
	if r.Command == hotspot.APPINRandom || r.Command == hotspot.APPINSet {
		n := defaultAPPINTime
		if seconds != "" {
			n = max(atoi(seconds), 0)
		}
		r.Timeout = time.Duration(n) * time.Second
	}
	pin, err := c.svc().Hotspots().APPIN(c.ctx, r)
	switch {
	case err != nil:
		return c.fail(err)
	case r.Command == hotspot.APPINDisable:
		pin.Wipe()
		return replyOK
	case pin.IsZero():
		return replyFail
	}
	return c.secret(pin, nil)
}

// quoteSSID writes an SSID as wpa_supplicant does: what is not printable ASCII as an escape of C.
func quoteSSID(ssid []byte) string {
	var b strings.Builder
	for _, ch := range ssid {
		switch {
		case ch == '"', ch == '\\':
			b.WriteByte('\\')
			b.WriteByte(ch)
		case ch == 0x1b:
			b.WriteString(`\e`)
		case ch == '\n':
			b.WriteString(`\n`)
		case ch == '\r':
			b.WriteString(`\r`)
		case ch == '\t':
			b.WriteString(`\t`)
		case ch >= 32 && ch <= 126:
			b.WriteByte(ch)
		default:
			fmt.Fprintf(&b, `\x%02x`, ch)
		}
	}
	return b.String()
}
