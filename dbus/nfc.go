package dbus

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service"
)

// startNfc implements Interface.StartNfc.
func startNfc(ctx context.Context, r *request) ([]any, error) {
	start, err := startOptions(r, nil)
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
	t, err := r.svc.NFCPasswordToken(ctx, r.ifname, service.NFCFormat(r.text(0)))
	if err != nil {
		return nil, err
	}
	defer t.Wipe()
	return []any{octets(t.Bytes())}, nil
}

// nfcConfigToken implements Interface.NfcConfigToken.
func nfcConfigToken(ctx context.Context, r *request) ([]any, error) {
	var path godbus.ObjectPath
	if err := decodeOptions(r.options(1), map[string]any{"network": &path}); err != nil {
		return nil, err
	}
	var network service.NetworkID
	if _, given := r.options(1)["network"]; given {
		var ok bool
		if network, ok = networkOf(path); !ok {
			return nil, invalidf("The network %s is none: take one of Networks of the Manager.", quote(string(path)))
		}
	}
	t, err := r.svc.NFCConfigToken(ctx, r.ifname, service.NFCFormat(r.text(0)), network)
	if err != nil {
		return nil, err
	}
	defer t.Wipe()
	return []any{octets(t.Bytes())}, nil
}

// nfcTagRead implements Interface.NfcTagRead.
func nfcTagRead(ctx context.Context, r *request) ([]any, error) {
	return readTag(ctx, r, service.NFCTagRequest{Apply: "auto"})
}

// managerNfcTagRead implements Manager.NfcTagRead.
func managerNfcTagRead(ctx context.Context, r *request) ([]any, error) {
	tag := service.NFCTagRequest{Apply: "auto"}
	if err := decodeOptions(r.options(1), map[string]any{"apply": &tag.Apply}); err != nil {
		return nil, err
	}
	if err := checkApply(tag.Apply); err != nil {
		return nil, err
	}
	return readTag(ctx, r, tag)
}

// readTag hands a tag's content over; it may hold a key, and is overwritten.
func readTag(ctx context.Context, r *request, tag service.NFCTagRequest) ([]any, error) {
	tag.Interface, tag.Owner, tag.Payload = r.ifname, r.caller, r.bytes(0)
	defer clear(tag.Payload)
	got, err := r.svc.NFCTagRead(ctx, tag)
	if err != nil {
		return nil, err
	}
	return []any{tagValues(got)}, nil
}

// erNfcConfigToken implements ER.NfcConfigToken.
func erNfcConfigToken(ctx context.Context, r *request) ([]any, error) {
	ap, err := peerArg(r.text(0), "access point")
	if err != nil {
		return nil, err
	}
	t, err := r.svc.ERNFCConfigToken(ctx, r.ifname, ap, service.NFCFormat(r.text(1)))
	if err != nil {
		return nil, err
	}
	defer t.Wipe()
	return []any{octets(t.Bytes())}, nil
}

// erNfcHandoverSelect implements ER.NfcHandoverSelect.
func erNfcHandoverSelect(ctx context.Context, r *request) ([]any, error) {
	ap, err := peerArg(r.text(0), "access point")
	if err != nil {
		return nil, err
	}
	b, err := r.svc.ERNFCHandoverSelect(ctx, r.ifname, ap, service.NFCFormat(r.text(1)), service.NFCCarrier(r.text(2)))
	return []any{octets(b)}, err
}

// erNfcTagRead implements ER.NfcTagRead.
func erNfcTagRead(ctx context.Context, r *request) ([]any, error) {
	tag := service.NFCTagRequest{Interface: r.ifname, Owner: r.caller, Payload: r.bytes(0), Apply: "auto"}
	defer clear(tag.Payload)
	got, err := r.svc.ERNFCTagRead(ctx, tag)
	if err != nil {
		return nil, err
	}
	return []any{tagValues(got)}, nil
}

// tagValues says what came of a tag.
func tagValues(t service.NFCTag) values {
	what := values{"kind": variant(string(t.Kind))}
	if t.Kind == service.NFCTagPassword {
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
	return what
}

// nfcHandoverRequest implements Interface.NfcHandoverRequest.
func nfcHandoverRequest(ctx context.Context, r *request) ([]any, error) {
	b, err := r.svc.NFCHandoverRequest(ctx, r.ifname, service.NFCFormat(r.text(0)), service.NFCCarrier(r.text(1)))
	return []any{octets(b)}, err
}

// nfcHandoverSelect implements Interface.NfcHandoverSelect.
func nfcHandoverSelect(ctx context.Context, r *request) ([]any, error) {
	if err := decodeOptions(r.options(2), nil); err != nil {
		return nil, err
	}
	b, err := r.svc.NFCHandoverSelect(ctx, r.ifname, service.NFCFormat(r.text(0)), service.NFCCarrier(r.text(1)))
	return []any{octets(b)}, err
}

// nfcReportHandover implements Interface.NfcReportHandover.
func nfcReportHandover(ctx context.Context, r *request) ([]any, error) {
	h := service.NFCHandover{Interface: r.ifname, Request: r.bytes(2), Select: r.bytes(3), Owner: r.caller, Apply: "auto"}
	switch role := r.text(0); role {
	case "INIT":
		h.Initiator = true
	case "RESP":
	default:
		return nil, invalidf("There is no role %s: say INIT if the request was ours, or RESP if the answer was.", quote(role))
	}
	if carrier := r.text(1); carrier != string(service.NFCCarrierMessage) && carrier != string(service.NFCCarrierRecord) {
		return nil, invalidf("There is no carrier %s: say WPS.", quote(carrier))
	}
	_, err := r.svc.NFCReportHandover(ctx, h)
	return nil, err
}
