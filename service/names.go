package service

import "wpsd/service/outcome"

// addNames puts the names that the interface has heard into what a session tells of its end. The
// caller holds Service.mu.
func (i *iface) addNames(s *Session) {
	if ap := i.accessPoints[s.Wanted]; ap != nil {
		s.Detail.Wanted.SSID = ap.SSID
	}
	overlap := make([]outcome.AccessPoint, len(s.Detail.Overlap))
	for n, seen := range s.Detail.Overlap {
		if ap := i.accessPoints[seen.BSSID]; ap != nil {
			seen.SSID, seen.UUID = ap.SSID, ap.Ad.UUIDE
		}
		overlap[n] = seen
	}
	s.Detail.Overlap = overlap
}
