package service

import (
	"context"
	"errors"
	"fmt"

	"wpsd/engine/credential"
	"wpsd/service/store"
)

// NetworkSecrets returns a stored network with its key. What is returned is the caller's to wipe.
func (s *Service) NetworkSecrets(id NetworkID) (credential.Network, error) {
	n, err := s.store.Network(uint32(id))
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w (%d)", ErrNoNetwork, id)
	}
	return n.Network, nil
}

// DeleteNetwork removes a stored network.
func (s *Service) DeleteNetwork(_ context.Context, id NetworkID) error {
	switch err := s.store.Delete(uint32(id)); {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("%w (%d)", ErrNoNetwork, id)
	case err != nil:
		s.log.Error("the network cannot be deleted", "network", id, "err", err)
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	s.published.RemoveNetwork(id)
	return nil
}
