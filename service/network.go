package service

import (
	"context"
	"errors"
	"fmt"

	"wpsd/engine/credential"
	"wpsd/service/state"
	"wpsd/service/store"
)

// NetworkSecrets returns a stored network with its key. What is returned is the caller's to wipe.
func (s *Service) NetworkSecrets(id state.NetworkID) (credential.Network, error) {
	return s.arrivals.Network(id)
}

// DeleteNetwork removes a stored network.
func (s *Service) DeleteNetwork(_ context.Context, id state.NetworkID) error {
	switch err := s.store.Delete(uint32(id)); {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("%w (%d)", state.ErrNoNetwork, id)
	case err != nil:
		s.log.Error("the network cannot be deleted", "network", id, "err", err)
		return fmt.Errorf("%w: %w", state.ErrStore, err)
	}
	s.published.RemoveNetwork(id)
	return nil
}
