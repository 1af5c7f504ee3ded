package dbus

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/secret"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// tokenRequest says what to write onto a tag or into a handover, and of which network or access
// point.
type tokenRequest struct {
	ifname  string
	format  nfc.Format
	carrier nfc.Carrier     // of a handover
	network state.NetworkID // of a configuration token; 0: the one that the interface is in
	ap      external.Peer   // of the External Registrar
}

// readStartNfc reads the arguments of Interface.StartNfc.
func readStartNfc(r *request) (session.StartRequest, error) {
	return startOptions(r, receives, nil)
}

// readPasswordToken reads the arguments of Interface.NfcPasswordToken.
func readPasswordToken(r *request) (tokenRequest, error) {
	return tokenRequest{ifname: r.ifname, format: nfc.Format(r.text(0))}, nil
}

// nfcPasswordToken implements Interface.NfcPasswordToken.
func nfcPasswordToken(ctx context.Context, svc Rooms, t tokenRequest) (secret.Value, error) {
	return svc.NFCPasswordToken(ctx, t.ifname, t.format)
}

// readConfigToken reads the arguments of Interface.NfcConfigToken.
func readConfigToken(r *request) (tokenRequest, error) {
	t := tokenRequest{ifname: r.ifname, format: nfc.Format(r.text(0))}
	var path godbus.ObjectPath
	if err := decodeOptions(r.options(1), map[string]any{"network": &path}); err != nil {
		return t, err
	}
	if _, given := r.options(1)["network"]; given {
		var ok bool
		if t.network, ok = networkOf(path); !ok {
			return t, outcome.NoNetworkOption.Of(quote(string(path)))
		}
	}
	return t, nil
}

// nfcConfigToken implements Interface.NfcConfigToken.
func nfcConfigToken(ctx context.Context, svc Rooms, t tokenRequest) (secret.Value, error) {
	return svc.NFCConfigToken(ctx, t.ifname, t.format, t.network)
}

// nfcTagRead implements Interface.NfcTagRead, and that of the Manager, which is for no interface.
// A tag may hold a key, and is overwritten.
func nfcTagRead(ctx context.Context, svc Rooms, t nfc.TagRequest) ([]any, error) {
	got, err := svc.NFCTagRead(ctx, t)
	if err != nil {
		return nil, err
	}
	return []any{tagValues(got)}, nil
}

// erNfcTagRead implements ER.NfcTagRead.
func erNfcTagRead(ctx context.Context, svc Rooms, t nfc.TagRequest) ([]any, error) {
	got, err := svc.ERNFCTagRead(ctx, t)
	if err != nil {
		return nil, err
	}
	return []any{tagValues(got)}, nil
}

// tagRequest reads the arguments of the NfcTagRead methods.
func tagRequest(r *request) (nfc.TagRequest, error) {
	run, err := r.decodeRun(r.options(1), receives, nil)
	return nfc.TagRequest{
		Interface: r.ifname, Payload: r.secret(0).Bytes(), Owner: r.caller, User: r.user,
		Detach: run.detach, Apply: run.apply, Allowed: r.effect,
	}, err
}

// readERConfigToken reads the arguments of ER.NfcConfigToken.
func readERConfigToken(r *request) (t tokenRequest, err error) {
	t.ifname, t.format = r.ifname, nfc.Format(r.text(1))
	t.ap, err = peerArg(r.text(0), "access point")
	return t, err
}

// erNfcConfigToken implements ER.NfcConfigToken.
func erNfcConfigToken(ctx context.Context, svc Rooms, t tokenRequest) (secret.Value, error) {
	return svc.ERNFCConfigToken(ctx, t.ifname, t.ap, t.format)
}

// readERHandoverSelect reads the arguments of ER.NfcHandoverSelect.
func readERHandoverSelect(r *request) (tokenRequest, error) {
	t, err := readERConfigToken(r)
	t.carrier = nfc.Carrier(r.text(2))
	return t, err
}

// erNfcHandoverSelect implements ER.NfcHandoverSelect.
func erNfcHandoverSelect(ctx context.Context, svc Rooms, t tokenRequest) ([]any, error) {
	b, err := svc.ERNFCHandoverSelect(ctx, t.ifname, t.ap, t.format, t.carrier)
	return []any{octets(b)}, err
}

// tagValues says what came of a tag.
func tagValues(t nfc.Tag) values {
	what := values{"kind": variant(string(t.Kind))}
	if t.Kind == nfc.TagPassword {
		what["password-id"] = variant(uint16(t.PasswordID))
	}
	if t.Session != 0 {
		what["session"] = variant(sessionPath(t.Session))
	}
	if len(t.Networks) > 0 {
		what["network"] = variant(networkPath(t.Networks[0]))
		all := make([]godbus.ObjectPath, len(t.Networks))
		for i, id := range t.Networks {
			all[i] = networkPath(id)
		}
		what["networks"] = variant(all)
	}
	if t.NotStored {
		what["not-stored"] = variant(true)
	}
	return what
}

// readHandoverRequest reads the arguments of Interface.NfcHandoverRequest.
func readHandoverRequest(r *request) (tokenRequest, error) {
	return tokenRequest{ifname: r.ifname, format: nfc.Format(r.text(0)),
		carrier: nfc.Carrier(r.text(1))}, nil
}

// nfcHandoverRequest implements Interface.NfcHandoverRequest.
func nfcHandoverRequest(ctx context.Context, svc Rooms, t tokenRequest) ([]any, error) {
	b, err := svc.NFCHandoverRequest(ctx, t.ifname, t.format, t.carrier)
	return []any{octets(b)}, err
}

// readHandoverSelect reads the arguments of Interface.NfcHandoverSelect.
func readHandoverSelect(r *request) (tokenRequest, error) {
	if err := decodeOptions(r.options(2), nil); err != nil {
		return tokenRequest{}, err
	}
	return readHandoverRequest(r)
}

// nfcHandoverSelect implements Interface.NfcHandoverSelect.
func nfcHandoverSelect(ctx context.Context, svc Rooms, t tokenRequest) ([]any, error) {
	b, err := svc.NFCHandoverSelect(ctx, t.ifname, t.format, t.carrier)
	return []any{octets(b)}, err
}

// readHandover reads the arguments of Interface.NfcReportHandover.
func readHandover(r *request) (nfc.Handover, error) {
	run, err := r.decodeRun(r.options(4), receives, nil)
	h := nfc.Handover{
		Interface: r.ifname, Request: r.bytes(2), Select: r.bytes(3), Owner: r.caller, User: r.user,
		Detach: run.detach, Apply: run.apply,
	}
	if err != nil {
		return h, err
	}
	switch role := r.text(0); role {
	case "INIT":
		h.Initiator = true
	case "RESP":
	default:
		return h, outcome.NoNFCRole.Of(quote(role))
	}
	if carrier := r.text(1); carrier != string(nfc.CarrierMessage) &&
		carrier != string(nfc.CarrierRecord) {
		return h, outcome.NoNFCCarrier.Of(quote(carrier))
	}
	return h, nil
}

// reportHandover implements Interface.NfcReportHandover.
func reportHandover(svc Rooms, ctx context.Context, h nfc.Handover) error {
	_, err := svc.NFCReportHandover(ctx, h)
	return err
}
