package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const identityName = "device.json"

func networkName(id uint32) string { return fmt.Sprintf("network-%d.json", id) }

// networkID reads the id out of a file's name, which is what networkName writes and nothing else.
func networkID(name string) (uint32, bool) {
	digits, ok := strings.CutPrefix(name, "network-")
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, ".json")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || id == 0 || networkName(uint32(id)) != name {
		return 0, false
	}
	return uint32(id), true
}

// load reads every file. Only a directory that cannot be listed is an error.
func (s *Store) load() error {
	names, err := s.dir.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		id, isNetwork := networkID(name)
		switch {
		case name == identityName:
			s.loadIdentity()
		case name == tokenName:
			s.loadToken()
		case isNetwork:
			s.loadNetwork(name, id)
		}
		// Anything else, damaged files of earlier times among them, is not ours to touch.
	}
	s.tidy()
	return nil
}

func (s *Store) loadIdentity() {
	text, err := s.dir.read(identityName)
	if err == nil {
		s.uuid, err = parseIdentity(text)
	}
	if err != nil {
		s.report(identityName, err)
	}
}

func (s *Store) loadNetwork(name string, id uint32) {
	s.lastID = max(s.lastID, id) // also of a damaged one: its id may be in somebody's hands
	text, err := s.dir.read(name)
	if err != nil {
		s.report(name, err)
		return
	}
	defer clear(text)
	n, err := parseNetwork(text)
	switch {
	case err != nil:
		s.report(name, err)
	case len(s.networks) >= MaxNetworks:
		s.damaged = append(s.damaged, Damage{name, fmt.Errorf("%w: it is left out", ErrFull)})
	default:
		n.ID = id
		s.networks[id] = n
	}
}

// report sets a file aside unless a newer version can still make sense of it, or it is not a file.
func (s *Store) report(name string, err error) {
	if errors.Is(err, ErrInvalid) {
		aside, asideErr := s.dir.setAside(name)
		name, err = aside, errors.Join(err, asideErr)
	}
	s.damaged = append(s.damaged, Damage{name, err})
}
