package service

import (
	"context"

	"wpsd/engine/credential"
)

// NFCTagEffect is what reading a tag does, for those who decide whether somebody may.
type NFCTagEffect string

// The effects.
const (
	// NFCTagAdds: networks with names that nobody here knows, or ones that are known exactly so.
	NFCTagAdds NFCTagEffect = "adds"
	// NFCTagChanges: the key or the kind of security of a network that is stored, or that a manager
	// has, becomes another.
	NFCTagChanges NFCTagEffect = "changes"
	// NFCTagAdmits: a device password, with which a device is let in or an access point managed.
	NFCTagAdmits NFCTagEffect = "admits"
)

// NFCTagEffect says what NFCTagRead or ERNFCTagRead would do with a tag, and changes nothing. It
// asks the manager that would get the networks, which takes up to 10 s.
func (s *Service) NFCTagEffect(ctx context.Context, r NFCTagRequest) (NFCTagEffect, error) {
	tag, err := parseTag(r.Payload)
	if err != nil {
		return "", err
	}
	defer tag.Wipe()
	if tag.Configuration == nil {
		return NFCTagAdmits, nil
	}
	networks, _, err := credential.FromRun(tag.Configuration.Credentials, s.address(r.Interface))
	if err != nil {
		return NFCTagAdds, nil // NFCTagRead says what is wrong with it, and stores nothing
	}
	defer credential.WipeAll(networks)
	var processing Processing
	var ifname string
	ok := locked(&s.mu, func() (ok bool) {
		processing = s.manager.Processing
		ifname, ok = s.tagStation(r, processing)
		return ok
	})
	for _, n := range networks {
		if processing != ProcessingExternal && s.changesStored(n) {
			return NFCTagChanges, nil
		}
	}
	if !ok {
		return NFCTagAdds, nil
	}
	sink := s.tagSink(ctx, r, ifname)
	if sink != nil && s.lenders.Changes(ctx, sink, ifname, networks) {
		return NFCTagChanges, nil
	}
	return NFCTagAdds, nil
}

// changesStored reports whether storing n changes what is known of a network of its name.
func (s *Service) changesStored(n credential.Network) bool {
	for _, have := range s.store.Networks() {
		if string(have.SSID) != string(n.SSID) {
			continue
		}
		old, err := s.store.Network(have.ID)
		if err != nil {
			continue // deleted in this moment
		}
		same := old.Auth == n.Auth && old.KeyKind == n.KeyKind && old.Key.Equal(n.Key)
		old.Network.Wipe()
		if !same {
			return true
		}
	}
	return false
}

// mayStore is what is asked, for each network of a tag, before any is stored: whether that does no
// more than was allowed.
func (r NFCTagRequest) mayStore(s *Service) func(credential.Network) error {
	return func(n credential.Network) error {
		if r.Allowed == NFCTagAdds && s.changesStored(n) {
			return ErrChanged
		}
		return nil
	}
}
