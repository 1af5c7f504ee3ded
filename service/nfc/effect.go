package nfc

import (
	"context"

	"wpsd/engine/credential"
	"wpsd/service/state"
)

// TagEffect is what reading a tag does, for those who decide whether somebody may.
type TagEffect string

// The effects.
const (
	// TagAdds: networks with names that nobody here knows, or ones that are known exactly so.
	TagAdds TagEffect = "adds"
	// TagChanges: the key or the kind of security of a network that is stored, or that a manager
	// has, becomes another.
	TagChanges TagEffect = "changes"
	// TagAdmits: a device password, with which a device is let in or an access point managed.
	TagAdmits TagEffect = "admits"
)

// TagEffect says what NFCTagRead or ERNFCTagRead would do with a tag, and changes nothing. It
// asks the manager that would get the networks, which takes up to 10 s.
func (s *Exchange) NFCTagEffect(ctx context.Context, r TagRequest) (TagEffect, error) {
	tag, err := parseTag(r.Payload)
	if err != nil {
		return "", err
	}
	defer tag.Wipe()
	if tag.Configuration == nil {
		return TagAdmits, nil
	}
	networks, _, err := credential.FromRun(tag.Configuration.Credentials,
		s.hub.Address(r.Interface))
	if err != nil {
		return TagAdds, nil // NFCTagRead says what is wrong with it, and stores nothing
	}
	defer credential.WipeAll(networks)
	p := s.arrivals.Processing()
	for _, n := range networks {
		if p != state.ProcessingExternal && s.changesStored(n) {
			return TagChanges, nil
		}
	}
	if s.managers.HasOthers(ctx, r.touch(p), networks) {
		return TagChanges, nil
	}
	return TagAdds, nil
}

// changesStored reports whether storing n changes what is known of a network of its name.
func (s *Exchange) changesStored(n credential.Network) bool {
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
func (s *Exchange) mayStore(r TagRequest) func(credential.Network) error {
	return func(n credential.Network) error {
		if r.Allowed == TagAdds && s.changesStored(n) {
			return state.ErrChanged
		}
		return nil
	}
}
