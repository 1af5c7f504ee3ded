package control

import (
	"encoding/hex"
	"errors"
	"strings"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/state"
)

// nfcWord is what stands in the place of the PIN if the access point's tag was read.
const nfcWord = "nfc-pw"

// upper is a reply of bytes: hex in upper case with a newline, as all NFC commands have it
// (wpa_supplicant).
func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) + "\n" }

// token is such a reply that holds a secret, and wipes it.
func (c nfcCall) token(t secret.Value, err error) string {
	if err != nil {
		return c.fail(err)
	}
	defer t.Wipe()
	return upper(t.Bytes())
}

// wpsNFC is WPS_NFC [BSSID]: an enrolment with this device's own password token.
func (c nfcCall) wpsNFC() string {
	r := c.request()
	if c.args != "" {
		bssid, err := wsc.ParseMAC(c.args)
		if err != nil {
			return c.fail(errSyntax)
		}
		r.BSSID = bssid
	}
	if _, err := c.svc().NFC().StartNFC(c.ctx, r); err != nil {
		return c.fail(err)
	}
	c.server.tell(line{ifname: c.ifname, level: levelInfo, text: "WPS-PIN-ACTIVE "})
	return replyOK
}

// wpsNFCToken is WPS_NFC_TOKEN WPS|NDEF: this device's own password token.
func (c nfcCall) wpsNFCToken() string {
	return c.token(c.svc().NFC().NFCPasswordToken(c.ctx, c.ifname, nfc.Format(c.args)))
}

// wpsNFCConfigToken is WPS_NFC_CONFIG_TOKEN WPS|NDEF [NETWORK]: a network for a tag, by default the
// access point's own.
func (c nfcCall) wpsNFCConfigToken() string {
	format, number, has := strings.Cut(c.args, " ")
	var network state.NetworkID
	if has {
		id, err := parseID(number)
		if err == nil {
			network, err = networkCall(c).store(id)
		}
		if err != nil {
			return c.fail(err)
		}
	} else if !c.isAP() {
		return c.fail(errors.New("name a network, or an interface that is an access point"))
	}
	return c.token(c.svc().NFC().NFCConfigToken(c.ctx, c.ifname,
		nfc.Format(format), network))
}

// wpsNFCTagRead is WPS_NFC_TAG_READ HEX [freq=MHZ]: what was read off a tag. The frequency is a
// hint for whoever connects.
func (c nfcCall) wpsNFCTagRead() string {
	text, hint, has := strings.Cut(c.args, " ")
	payload, err := hex.DecodeString(text)
	if err != nil || len(payload) == 0 || has && !strings.HasPrefix(hint, "freq=") {
		return c.fail(errSyntax)
	}
	defer clear(payload)
	r := nfc.TagRequest{Interface: c.ifname, Payload: payload, Owner: c.caller.owner(),
		User: c.caller.user(), Detach: true, Apply: c.server.options.Apply}
	// a password may be an access point's, for WPS_REG
	tag, err := c.svc().NFC().NFCTagRead(c.ctx, r)
	if er := (erCall(c)); err == nil && tag.Kind == nfc.TagPassword && er.runs() {
		r.Interface, r.Await = er.netInterface(), true // and it may be a device's, which is let in
		_, err = c.svc().NFC().ERNFCTagRead(c.ctx, r)
	}
	if err != nil {
		return c.fail(err)
	}
	for _, id := range tag.Networks {
		l := c.credentialLine(id)
		c.server.tell(l)
		l.wipe()
	}
	return replyOK
}

// credentialLine tells of a network that came from a tag, with its bytes if another program is to
// process it.
func (c nfcCall) credentialLine(id state.NetworkID) line {
	l := line{ifname: c.ifname, level: levelInfo, text: "WPS-CRED-RECEIVED "}
	if c.svc().Published().Manager().Processing == state.ProcessingInternal {
		return l
	}
	n, err := c.svc().NetworkSecrets(id)
	if err != nil {
		return l // removed already
	}
	defer n.Key.Wipe()
	defer n.Raw.Wipe()
	text := hex.AppendEncode(nil, n.Raw.Bytes())
	l.secret = secret.New(text)
	clear(text)
	return l
}

// erNFCConfigToken is WPS_ER_NFC_CONFIG_TOKEN WPS|NDEF UUID|BSSID: the network of an access point
// for a tag.
func (c nfcCall) erNFCConfigToken() string {
	format, who, _ := strings.Cut(c.args, " ")
	ap, err := erPeer(who)
	if err != nil {
		return c.fail(errSyntax)
	}
	return c.token(c.svc().NFC().ERNFCConfigToken(c.ctx, erCall(c).netInterface(), ap,
		nfc.Format(format)))
}

// nfcWords are the first two words of a handover command: the format, which can only be NDEF, and
// the carrier.
func (c nfcCall) nfcWords() (nfc.Carrier, string, error) {
	format, rest, _ := strings.Cut(c.args, " ")
	carrier, rest, _ := strings.Cut(rest, " ")
	if format != "NDEF" {
		return "", "", errSyntax
	}
	return nfc.Carrier(carrier), rest, nil
}

// nfcGetHandoverReq is NFC_GET_HANDOVER_REQ NDEF WPS-CR: what to send over an NFC link to begin a
// handover.
func (c nfcCall) nfcGetHandoverReq() string {
	carrier, rest, err := c.nfcWords()
	if err != nil || rest != "" || carrier != nfc.CarrierRecord {
		return c.fail(errSyntax)
	}
	b, err := c.svc().NFC().NFCHandoverRequest(c.ctx, c.ifname, nfc.FormatNDEF, carrier)
	if err != nil {
		return c.fail(err)
	}
	return upper(b)
}

// nfcGetHandoverSel is NFC_GET_HANDOVER_SEL NDEF WPS-CR|WPS [UUID|BSSID]: the answer to such a
// request, at an access point, or for one of the External Registrar's.
func (c nfcCall) nfcGetHandoverSel() string {
	carrier, rest, err := c.nfcWords()
	if err != nil {
		return c.fail(errSyntax)
	}
	var b []byte
	if rest == "" {
		b, err = c.svc().NFC().NFCHandoverSelect(c.ctx, c.ifname, nfc.FormatNDEF, carrier)
	} else {
		var ap external.Peer
		if ap, err = erPeer(rest); err == nil {
			b, err = c.svc().NFC().ERNFCHandoverSelect(c.ctx, erCall(c).netInterface(), ap,
				nfc.FormatNDEF, carrier)
		}
	}
	if err != nil {
		return c.fail(err)
	}
	return upper(b)
}

// nfcReportHandover is NFC_REPORT_HANDOVER INIT|RESP WPS REQUEST SELECT: a handover that was made.
func (c nfcCall) nfcReportHandover() string {
	f := strings.Split(c.args, " ")
	if len(f) == 5 && strings.HasPrefix(f[4], "freq=") {
		f = f[:4]
	}
	if len(f) != 4 || f[0] != "INIT" && f[0] != "RESP" || f[1] != "WPS" {
		return c.fail(errSyntax)
	}
	request, err := hex.DecodeString(f[2])
	sel, err2 := hex.DecodeString(f[3])
	if err != nil || err2 != nil {
		return c.fail(errSyntax)
	}
	defer clear(sel)
	_, err = c.svc().NFC().NFCReportHandover(c.ctx, nfc.Handover{
		Interface: c.ifname, Initiator: f[0] == "INIT", Request: request, Select: sel,
		Owner: c.caller.owner(), User: c.caller.user(), Detach: true,
		Apply: c.server.options.Apply, Anew: true,
	})
	return c.done(err)
}
