package nfc

import (
	"context"
	"errors"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Carrier is how much of a handover message is wanted.
type Carrier string

// The carriers, in the words of README-WPS.
const (
	// the carrier record alone: NFC software puts it into a message of its own
	CarrierRecord  Carrier = "WPS-CR"
	CarrierMessage Carrier = "WPS" // the whole message
)

// handoverMessage is what either side of a handover says.
type handoverMessage interface {
	Append(b []byte) []byte
	AppendCarrier(b []byte) []byte
}

// writeHandover gives it the form that was asked for; message makes the whole one.
func writeHandover(f Format, c Carrier, m handoverMessage,
	message func() []byte) ([]byte, error) {
	if err := checkHandover(f, c); err != nil {
		return nil, err
	}
	switch {
	case f == FormatWPS:
		return m.Append(nil), nil
	case c == CarrierRecord:
		return m.AppendCarrier(nil), nil
	}
	return message(), nil
}

func checkHandover(f Format, c Carrier) error {
	if err := f.check(); err != nil {
		return err
	}
	switch {
	case c != CarrierRecord && c != CarrierMessage:
		return fmt.Errorf("%w: there is no carrier %q: say WPS-CR for the carrier record, or WPS for the whole message", state.ErrInvalid, string(c))
	case c == CarrierMessage && f == FormatWPS:
		return fmt.Errorf("%w: a whole handover message is always NDEF: take the format NDEF, or the carrier WPS-CR", state.ErrInvalid)
	}
	return nil
}

// NFCHandoverRequest returns what this device, as an Enrollee, says over an NFC link to begin a
// handover. It announces a new key, which the run after NFCReportHandover uses.
func (s *Exchange) NFCHandoverRequest(_ context.Context, ifname string, f Format,
	c Carrier) ([]byte, error) {
	if err := checkHandover(f, c); err != nil {
		return nil, err
	}
	uuid, err := s.hub.UUID(ifname)
	if err != nil {
		return nil, err
	}
	pair, err := wsccrypto.GenerateKeyPair(s.rand)
	if err != nil {
		return nil, fmt.Errorf("nfc: %w", err)
	}
	defer pair.Wipe()
	h := handover{hash: wsccrypto.PublicKeyHash(pair.Public()), private: pair.Private().Clone()}
	s.handovers.keep(h, s.log, s.expired)
	request := &ndef.HandoverRequest{PublicKeyHash: h.hash, UUIDE: uuid, Version2: wsc.Version20}
	var random [2]byte
	if _, err := s.rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("nfc: randomness: %w", err)
	}
	return writeHandover(f, c, request, func() []byte {
		return request.AppendMessage(nil, uint16(random[0])<<8|uint16(random[1]))
	})
}

// NFCHandoverSelect returns what an access point of this machine answers to a handover request: its
// network, and the key by which its Registrar will be known.
func (s *Exchange) NFCHandoverSelect(ctx context.Context, ifname string, f Format,
	c Carrier) ([]byte, error) {
	if err := checkHandover(f, c); err != nil {
		return nil, err
	}
	if !s.hub.IsAccessPoint(ifname) {
		if err := s.hub.Known(ifname); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s is no access point, so it has no network to offer",
			state.ErrNotSupported, ifname)
	}
	carrier, err := s.hotspots.Ask(ctx, ifname,
		func(ap drivers.AccessPoint) (secret.Value, error) {
			b, err := ap.HandoverSelect(ctx)
			return secretOf(b), err
		})
	if err != nil {
		return nil, err
	}
	sel, err := ndef.ParseHandoverSelect(carrier.Bytes())
	if err != nil { // its own software made it
		return nil, fmt.Errorf("%w: %w", state.ErrRefused, err)
	}
	return writeHandover(f, c, sel, func() []byte { return sel.AppendMessage(nil) })
}

// Handover is what was said over an NFC link. Request and Select are the caller's; each may be a
// whole message, a carrier record or a carrier without NDEF.
type Handover struct {
	Interface string
	// Initiator: the request was ours, and we join the network of Select. Otherwise an access point
	// of this machine answered, and lets the other device in.
	Initiator       bool
	Request, Select []byte
	Owner, User     string
	Detach          bool
	Apply           string
	Anew            bool // see session.StartRequest
}

// NFCReportHandover begins the run that a handover was about.
func (s *Exchange) NFCReportHandover(ctx context.Context, h Handover) (state.Session, error) {
	if err := s.hub.Known(h.Interface); err != nil {
		return state.Session{}, err
	}
	request, err := ndef.ParseHandoverRequest(h.Request)
	if err != nil {
		return state.Session{}, badHandover("request", err)
	}
	sel, err := ndef.ParseHandoverSelect(h.Select)
	if err != nil {
		return state.Session{}, badHandover("select", err)
	}
	start := session.StartRequest{Interface: h.Interface, Owner: h.Owner, User: h.User,
		Detach: h.Detach,
		Apply:  h.Apply, Anew: h.Anew}
	if !h.Initiator {
		return s.answerHandover(ctx, h, start, request, sel)
	}
	ours, ok := s.handovers.take("", request.PublicKeyHash)
	if !ok {
		return state.Session{}, fmt.Errorf("%w: the handover request is not of this device, or was used already: make a new one", state.ErrNoToken)
	}
	start.BSSID = sel.BSSID
	ses, err := s.hub.Start(start, session.Task{
		Purpose: state.PurposeEnroll, Method: state.MethodNFC,
		Password:   devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover},
		PrivateKey: ours.private, RegistrarKey: &sel.PublicKeyHash, SSID: sel.SSID,
		Hint: frequencyOf(sel.RFBands, sel.APChannel),
	})
	if err != nil && errors.Is(err, state.ErrBusy) {
		return state.Session{}, fmt.Errorf("%w, then touch again", err)
	}
	return ses, err
}

// badHandover tells what is wrong with one side of a handover.
func badHandover(which string, err error) error {
	if errors.Is(err, ndef.ErrNoRecord) {
		return fmt.Errorf("%w: the handover %s offers no Wi-Fi", state.ErrBadTag, which)
	}
	return fmt.Errorf("%w: the handover %s: %w", state.ErrBadTag, which, err)
}

// answerHandover lets the device in whose request an access point of this machine has answered, or
// the External Registrar on the interface.
func (s *Exchange) answerHandover(ctx context.Context, h Handover, r session.StartRequest,
	request *ndef.HandoverRequest, sel *ndef.HandoverSelect) (state.Session, error) {
	if !s.hub.IsAccessPoint(r.Interface) {
		if s.registrars.Runs(r.Interface) {
			return s.erAnswerHandover(ctx, h, request, sel)
		}
		return state.Session{}, fmt.Errorf("%w: %s is no access point, so it can let nobody in: say INIT if the request was ours", state.ErrNotSupported, r.Interface)
	}
	req, answer := request.AppendCarrier(nil), sel.AppendCarrier(nil)
	report := func(request []byte) func(context.Context, drivers.AccessPoint) error {
		return func(ctx context.Context, ap drivers.AccessPoint) error {
			return ap.HandoverReport(ctx, request, answer)
		}
	}
	// nobody's key has the hash zero
	nobody := ndef.HandoverRequest{UUIDE: request.UUIDE, Version2: request.Version2}
	return s.hub.Start(r, session.Task{Purpose: state.PurposeAdmit, Method: state.MethodNFC,
		NFCGrant:  report(req),
		NFCRevoke: report(nobody.AppendCarrier(nil))})
}
