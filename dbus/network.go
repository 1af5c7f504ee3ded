package dbus

import (
	"context"

	"wpsd/service"
)

// addNetwork makes the object of a stored network.
func (t *tree) addNetwork(id service.NetworkID, emit emitter) {
	t.add(networkPath(id), networkIface, identity{network: id}, func() values { return networkValues(t.networks[id]) }, emit)
	t.stale[rootPath] = true
}

// networkValues are the properties of fi.w1.wps.Network.
func networkValues(n service.Network) values {
	bssid := ""
	if !n.BSSID.IsZero() {
		bssid = n.BSSID.String()
	}
	return values{
		"Ssid":       variant(octets(n.SSID)),
		"Auth":       variant(n.Auth.String()),
		"Encryption": variant(n.Encryption.String()),
		"Bssid":      variant(bssid),
		"Source":     variant(n.Source),
		"Created":    variant(microseconds(n.Created)),
	}
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

// deleteNetwork implements Network.Delete.
func deleteNetwork(ctx context.Context, r *request) ([]any, error) {
	return nil, r.svc.DeleteNetwork(ctx, r.network)
}
