package sim

import (
	"net/netip"

	"wpsd/engine/upnp"
)

// Act is what an External Registrar asks for, without the network between.
func (ap *AP) Act(a upnp.Action) ([]byte, error) { return ap.act(netip.Addr{}, a) }

// UPnPRuns counts the runs with External Registrars.
func (ap *AP) UPnPRuns() int {
	ap.lan.mu.Lock()
	defer ap.lan.mu.Unlock()
	return len(ap.lan.runs)
}
