package er

import (
	"net/netip"
	"time"
)

// Registrar is the External Registrar on one interface. It is not safe for concurrent use.
type Registrar struct {
	runs
	limits
	only    netip.Addr // of the only access point; zero: all
	movedAt time.Time  // when a change of our address is acted on; zero: there was none
}

// New makes a Registrar that does nothing yet.
func New(c Config) *Registrar {
	r := new(Registrar)
	r.device, r.rand, r.keyPair = c.Device, c.Rand, c.KeyPair
	r.settings.byKey = make(map[settingsKey][]*apSettings)
	r.calls = make(map[uint64]*call)
	r.reset()
	return r
}

// reset forgets everything but the settings, and who is leaving.
func (r *Registrar) reset() {
	r.registry.clear()
	r.departures = make(map[netip.Addr]allowance)
	r.grants = make(map[RunID]*grant)
}

// done ends a call: what is due goes out, and the Actions go to the caller.
func (r *Registrar) done(now time.Time) []Action {
	if r.running && r.search.due(now) {
		r.searchNow(now, r.device.UUID)
	}
	r.serve(now)
	actions := r.actions
	r.actions = nil
	return actions
}
