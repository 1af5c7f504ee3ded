package dbus

import (
	"context"
	"maps"
	"strings"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/lending"
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
	return values{
		"Ssid":       variant(octets(n.SSID)),
		"Auth":       variant(credential.AuthName(n.Auth, n.WPA3Only)),
		"Encryption": variant(n.Encryption.String()),
		"Bssid":      variant(textIf(!n.BSSID.IsZero(), n.BSSID)),
		"Source":     variant(n.Source),
		"Created":    variant(microseconds(n.Created)),
	}
}

// networkToAdd is a network that is to be stored, and its access point.
type networkToAdd struct {
	session.Settings
	bssid wsc.MAC // zero: whatever access point
}

// readAddNetwork reads the arguments of Manager.AddNetwork.
func readAddNetwork(r *request) (n networkToAdd, err error) {
	var given settingsFields
	var bssid string
	fields := map[string]any{"bssid": &bssid}
	maps.Copy(fields, given.fields())
	if err := decodeOptions(r.options(0), fields); err != nil {
		return n, err
	}
	if n.Settings, err = given.settings(r.options(0)); err != nil {
		return n, err
	}
	if _, named := r.options(0)["bssid"]; named {
		if n.bssid, err = wsc.ParseMAC(bssid); err != nil {
			return n, outcome.BadBSSIDOfNetwork.Of(quote(bssid))
		}
		if n.bssid.IsZero() {
			return n, state.ErrUnknownBSSID
		}
	}
	return n, nil
}

// addNetwork implements Manager.AddNetwork.
func addNetwork(ctx context.Context, svc Rooms, add networkToAdd) ([]any, error) {
	n, err := svc.AddNetwork(ctx, add.Settings, add.bssid)
	if err != nil {
		return nil, err
	}
	return []any{networkPath(n.ID)}, nil
}

// getSecrets implements Network.GetSecrets.
func getSecrets(_ context.Context, svc Rooms, id state.NetworkID) ([]any, error) {
	n, err := svc.NetworkSecrets(id)
	if err != nil {
		return nil, err
	}
	defer wipe(n)
	return []any{credentialValues(n)}, nil
}

// activation says which network is to be connected to, and by whom.
type activation struct {
	network state.NetworkID
	lending.ActivateRequest
}

// readActivate reads the arguments of Network.Activate.
func readActivate(r *request) (activation, error) {
	a := activation{network: r.network,
		ActivateRequest: lending.ActivateRequest{Apply: session.ApplyAuto}}
	if err := decodeOptions(r.options(0),
		map[string]any{"interface": &a.Interface, "apply": &a.Apply}); err != nil {
		return a, err
	}
	if err := r.checkApply(a.Apply); err != nil {
		return a, err
	}
	if a.Apply == session.ApplyNone {
		return a, outcome.ActivateByNobody.Of(strings.Join(r.managers, ", "))
	}
	return a, nil
}

// activate implements Network.Activate.
func activate(svc Rooms, ctx context.Context, a activation) error {
	return svc.Managers().Activate(ctx, a.network, a.ActivateRequest)
}
