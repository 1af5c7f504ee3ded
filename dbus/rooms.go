package dbus

import (
	"wpsd/service"
	"wpsd/service/agents"
	"wpsd/service/external"
	"wpsd/service/hotspot"
	"wpsd/service/listening"
	"wpsd/service/nfc"
	"wpsd/service/settings"
	"wpsd/service/state"
)

// Rooms are the service and its rooms: what is asked for is asked of whoever does it.
type Rooms struct {
	*service.Service
	*agents.Registry
	*external.Registrars
	*hotspot.Hotspots
	*listening.Scans
	*nfc.Exchange
	*settings.Settings
	Published *state.Published // what there is, and what happens
}

// RoomsOf finds the rooms of a service.
func RoomsOf(s *service.Service) Rooms {
	return Rooms{Service: s, Registry: s.Agents(), Registrars: s.Registrars(),
		Hotspots: s.Hotspots(), Scans: s.Scans(), Exchange: s.NFC(), Settings: s.Settings(), Published: s.Published()}
}

// ReleaseOwner ends what an owner that is gone has everywhere.
func (r Rooms) ReleaseOwner(owner string) { r.Service.ReleaseOwner(owner) }
