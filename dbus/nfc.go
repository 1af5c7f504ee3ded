package dbus

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// startNfc implements Interface.StartNfc.
func startNfc(ctx context.Context, r *request) ([]any, error) {
	start, err := startOptions(r, receives, nil)
	if err != nil {
		return nil, err
	}
	s, err := r.svc.StartNFC(ctx, start)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
}

// nfcPasswordToken implements Interface.NfcPasswordToken.
func nfcPasswordToken(ctx context.Context, r *request) ([]any, error) {
	t, err := r.svc.NFCPasswordToken(ctx, r.ifname, nfc.Format(r.text(0)))
	if err != nil {
		return nil, err
	}
	return []any{bus.Octets{Value: t}}, nil
}

// nfcConfigToken implements Interface.NfcConfigToken.
func nfcConfigToken(ctx context.Context, r *request) ([]any, error) {
	var path godbus.ObjectPath
	if err := decodeOptions(r.options(1), map[string]any{"network": &path}); err != nil {
		return nil, err
	}
	var network state.NetworkID
	if _, given := r.options(1)["network"]; given {
		var ok bool
		if network, ok = networkOf(path); !ok {
			return nil, outcome.NoNetworkOption.Of(quote(string(path)))
		}
	}
	t, err := r.svc.NFCConfigToken(ctx, r.ifname, nfc.Format(r.text(0)), network)
	if err != nil {
		return nil, err
	}
	return []any{bus.Octets{Value: t}}, nil
}

// nfcTagRead implements Interface.NfcTagRead, and that of the Manager, which is for no interface.
func nfcTagRead(ctx context.Context, r *request) ([]any, error) {
	return readTag(ctx, r, r.svc.NFCTagRead)
}

// readTag has a tag's content taken; it may hold a key, and is overwritten.
func readTag(ctx context.Context, r *request,
	take func(context.Context, nfc.TagRequest) (nfc.Tag, error)) ([]any, error) {
	tag, err := tagRequest(r)
	if err != nil {
		return nil, err
	}
	got, err := take(ctx, tag)
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

// erNfcConfigToken implements ER.NfcConfigToken.
func erNfcConfigToken(ctx context.Context, r *request) ([]any, error) {
	ap, err := peerArg(r.text(0), "access point")
	if err != nil {
		return nil, err
	}
	t, err := r.svc.ERNFCConfigToken(ctx, r.ifname, ap, nfc.Format(r.text(1)))
	if err != nil {
		return nil, err
	}
	return []any{bus.Octets{Value: t}}, nil
}

// erNfcHandoverSelect implements ER.NfcHandoverSelect.
func erNfcHandoverSelect(ctx context.Context, r *request) ([]any, error) {
	ap, err := peerArg(r.text(0), "access point")
	if err != nil {
		return nil, err
	}
	b, err := r.svc.ERNFCHandoverSelect(ctx, r.ifname, ap, nfc.Format(r.text(1)),
		nfc.Carrier(r.text(2)))
	return []any{octets(b)}, err
}

// erNfcTagRead implements ER.NfcTagRead.
func erNfcTagRead(ctx context.Context, r *request) ([]any, error) {
	return readTag(ctx, r, r.svc.ERNFCTagRead)
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

// nfcHandoverRequest implements Interface.NfcHandoverRequest.
func nfcHandoverRequest(ctx context.Context, r *request) ([]any, error) {
	b, err := r.svc.NFCHandoverRequest(ctx, r.ifname, nfc.Format(r.text(0)),
		nfc.Carrier(r.text(1)))
	return []any{octets(b)}, err
}

// nfcHandoverSelect implements Interface.NfcHandoverSelect.
func nfcHandoverSelect(ctx context.Context, r *request) ([]any, error) {
	if err := decodeOptions(r.options(2), nil); err != nil {
		return nil, err
	}
	b, err := r.svc.NFCHandoverSelect(ctx, r.ifname, nfc.Format(r.text(0)),
		nfc.Carrier(r.text(1)))
	return []any{octets(b)}, err
}

// nfcReportHandover implements Interface.NfcReportHandover.
func nfcReportHandover(ctx context.Context, r *request) ([]any, error) {
	run, err := r.decodeRun(r.options(4), receives, nil)
	if err != nil {
		return nil, err
	}
	h := nfc.Handover{
		Interface: r.ifname, Request: r.bytes(2), Select: r.bytes(3), Owner: r.caller, User: r.user,
		Detach: run.detach, Apply: run.apply,
	}
	switch role := r.text(0); role {
	case "INIT":
		h.Initiator = true
	case "RESP":
	default:
		return nil, outcome.NoNFCRole.Of(quote(role))
	}
	if carrier := r.text(1); carrier != string(nfc.CarrierMessage) &&
		carrier != string(nfc.CarrierRecord) {
		return nil, outcome.NoNFCCarrier.Of(quote(carrier))
	}
	_, err = r.svc.NFCReportHandover(ctx, h)
	return nil, err
}
