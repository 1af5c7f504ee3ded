package service

import (
	"fmt"

	"wpsd/service/air"
	"wpsd/service/state"
)

// The questions for one thing, where Snapshot is for all.

// BSSs lists every access point that was heard on an interface within the last three minutes; see
// air.Air.
func (s *Service) BSSs(ifname string) ([]air.BSS, error) {
	i := s.interfaceOf(ifname)
	if i == nil {
		return nil, fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	return i.air.BSSs(), nil
}
