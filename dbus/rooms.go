package dbus

import (
	"wpsd/service"
	"wpsd/service/agents"
	"wpsd/service/external"
	"wpsd/service/hotspot"
	"wpsd/service/listening"
	"wpsd/service/nfc"
)

// Rooms has the methods of the service and of its rooms in one: New takes it.
type Rooms struct {
	*service.Service
	*agents.Registry
	*external.Registrars
	*hotspot.Hotspots
	*listening.Scans
	*nfc.Exchange
}

// RoomsOf finds the rooms of a service.
func RoomsOf(s *service.Service) Rooms {
	return Rooms{Service: s, Registry: s.Agents(), Registrars: s.Registrars(),
		Hotspots: s.Hotspots(), Scans: s.Scans(), Exchange: s.NFC()}
}

// ReleaseOwner ends what an owner that is gone has everywhere.
func (r Rooms) ReleaseOwner(owner string) { r.Service.ReleaseOwner(owner) }
