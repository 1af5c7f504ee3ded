package service

import (
	"context"

	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Learn begins to read the settings of an access point with its own PIN (wps_reg BSSID PIN): they
// are stored as a network. The AP's settings stay as they are. A wrong PIN is tried once only.
func (s *Service) Learn(_ context.Context, r session.StartRequest) (state.Session, error) {
	t, err := s.stations.Learn(r)
	if err != nil {
		return state.Session{}, err
	}
	return s.start(r, t)
}

// Configure begins to give an access point new settings, with its own PIN; when it took them, they
// are stored as a network. They are sent as they are, also weak ones: what an access point makes of
// them is its decision. The key of settings is copied.
func (s *Service) Configure(_ context.Context, r session.StartRequest,
	settings session.Settings) (state.Session, error) {
	t, err := s.stations.Configure(r, settings)
	if err != nil {
		return state.Session{}, err
	}
	return s.start(r, t)
}

// AddNetwork stores a network that somebody knows. The key is copied.
func (s *Service) AddNetwork(_ context.Context, settings session.Settings,
	bssid wsc.MAC) (state.Network, error) {
	return s.arrivals.Add(settings, bssid)
}
