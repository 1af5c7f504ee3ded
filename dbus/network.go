package dbus

import (
	"context"
	"maps"
	"strings"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// addNetwork makes the object of a stored network.
func (t *tree) addNetwork(id state.NetworkID, emit emitter) {
	t.add(networkPath(id), identity{network: id}, emit,
		face{iface: networkIface, render: func() values { return networkValues(t.networks[id]) }})
	t.stale[rootPath] = true
}

// networkValues are the properties of fi.w1.wps.Network.
func networkValues(n state.Network) values {
	bssid := ""
	if !n.BSSID.IsZero() {
		bssid = n.BSSID.String()
	}
	return values{
		"Ssid":       variant(octets(n.SSID)),
		"Auth":       variant(credential.AuthName(n.Auth, n.WPA3Only)),
		"Encryption": variant(n.Encryption.String()),
		"Bssid":      variant(bssid),
		"Source":     variant(n.Source),
		"Created":    variant(microseconds(n.Created)),
	}
}

// addNetwork implements Manager.AddNetwork.
func addNetwork(ctx context.Context, r *request) ([]any, error) {
	var given settingsFields
	var bssid string
	fields := map[string]any{"bssid": &bssid}
	maps.Copy(fields, given.fields())
	if err := decodeOptions(r.options(0), fields); err != nil {
		return nil, err
	}
	settings, err := given.settings(r.options(0))
	if err != nil {
		return nil, err
	}
	var mac wsc.MAC // zero: whatever access point
	if _, named := r.options(0)["bssid"]; named {
		if mac, err = wsc.ParseMAC(bssid); err != nil {
			return nil, outcome.BadBSSIDOfNetwork.Of(quote(bssid))
		}
		if mac.IsZero() {
			return nil, state.ErrUnknownBSSID
		}
	}
	n, err := r.svc.AddNetwork(ctx, settings, mac)
	if err != nil {
		return nil, err
	}
	return []any{networkPath(n.ID)}, nil
}

// getSecrets implements Network.GetSecrets.
func getSecrets(_ context.Context, r *request) ([]any, error) {
	n, err := r.svc.NetworkSecrets(r.network)
	if err != nil {
		return nil, err
	}
	defer wipe(n)
	return []any{credentialValues(n)}, nil
}

// activate implements Network.Activate.
func activate(ctx context.Context, r *request) ([]any, error) {
	a := service.ActivateRequest{Apply: session.ApplyAuto}
	if err := decodeOptions(r.options(0),
		map[string]any{"interface": &a.Interface, "apply": &a.Apply}); err != nil {
		return nil, err
	}
	if err := r.checkApply(a.Apply); err != nil {
		return nil, err
	}
	if a.Apply == session.ApplyNone {
		return nil, outcome.ActivateByNobody.Of(strings.Join(r.managers, ", "))
	}
	return nil, r.svc.Activate(ctx, r.network, a)
}

// deleteNetwork implements Network.Delete.
func deleteNetwork(ctx context.Context, r *request) ([]any, error) {
	return nil, r.svc.DeleteNetwork(ctx, r.network)
}
