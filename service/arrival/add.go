package arrival

import (
	"fmt"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Add stores a network that somebody knows. The key is copied.
func (a *Arrivals) Add(settings session.Settings, bssid wsc.MAC) (state.Network, error) {
	if bssid.IsMulticast() {
		return state.Network{}, fmt.Errorf("%w (%s)", state.ErrUnknownBSSID, bssid)
	}
	if err := settings.Check(); err != nil {
		return state.Network{}, err
	}
	c := settings.Credential()
	c.MAC = bssid
	raw := c.Append(nil)
	c.Raw = secret.New(raw)
	clear(raw)
	defer c.Wipe()
	n, err := credentialNetwork(c)
	if err != nil {
		return state.Network{}, err
	}
	added := &receive.Credentials{Networks: []credential.Network{n}}
	defer added.Wipe()
	if came := a.Take(Arrival{Credentials: added, Typed: true,
		From: receive.Origin{BSSID: bssid, Source: "added"}}); came.Err != nil {
		return state.Network{}, came.Err
	}
	return NetworkOf(added.Stored[0].Network), nil
}

// credentialNetwork makes a network of a Credential that nobody sent.
func credentialNetwork(c wsc.Credential) (credential.Network, error) {
	n, err := credential.FromWSC(c, wsc.MAC{})
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w: %w", state.ErrInvalid, err)
	}
	return n, nil
}
