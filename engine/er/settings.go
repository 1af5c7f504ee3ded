package er

import (
	"bytes"
	"net/netip"
	"slices"

	"wpsd/engine/wsc"
)

// settingsKey is how settings are found again when an access point comes back.
type settingsKey struct {
	uuid  wsc.UUID
	bssid wsc.MAC
}

// apSettings is what Enrollees of an access point are given.
type apSettings struct {
	key        settingsKey
	addr       netip.Addr // of the access point
	credential wsc.Credential
}

// settings is what is known of the settings of access points, here or not.
type settings struct {
	byKey map[settingsKey][]*apSettings
	count int // in all
}

// of finds the settings that Enrollees of an access point are given; nil: there are none. They may
// have been set before its BSSID was known, or while it had another address; as long as others say
// to be the same access point, those count only that are this address's.
func (s *settings) of(a *AP) *apSettings {
	keys := [...]settingsKey{{a.UUID, a.BSSID}, {a.UUID, wsc.MAC{}}}
	for _, key := range keys {
		for _, known := range s.byKey[key] {
			if known.addr == a.Addr {
				return known
			}
		}
	}
	if len(a.Also) > 0 {
		return nil
	}
	for _, key := range keys {
		if list := s.byKey[key]; len(list) > 0 {
			return list[len(list)-1]
		}
	}
	return nil
}

// adopt notes that settings are those of an access point that got another address.
func (s *settings) adopt(a *AP) {
	if known := s.of(a); known != nil {
		known.addr = a.Addr
	}
}

// set takes c over, which is the store's from now on, and wipes it if there is no room.
func (s *settings) set(a *AP, c wsc.Credential) error {
	if old := s.of(a); old != nil {
		s.remove(old)
	} else if s.count >= maxSettings {
		c.Wipe()
		return ErrTooMany
	}
	key := settingsKey{a.UUID, a.BSSID}
	s.byKey[key] = append(s.byKey[key], &apSettings{key, a.Addr, c})
	s.count++
	return nil
}

// remove wipes settings.
func (s *settings) remove(old *apSettings) {
	old.credential.Wipe()
	s.count--
	rest := slices.DeleteFunc(s.byKey[old.key], func(o *apSettings) bool { return o == old })
	if len(rest) == 0 {
		delete(s.byKey, old.key)
	} else {
		s.byKey[old.key] = rest
	}
}

// wipe forgets all.
func (s *settings) wipe() {
	for _, list := range s.byKey {
		for _, known := range list {
			known.credential.Wipe()
		}
	}
	clear(s.byKey)
	s.count = 0
}

// clone copies a Credential with secrets of its own.
func clone(c wsc.Credential) wsc.Credential {
	c.SSID = bytes.Clone(c.SSID)
	c.NetworkKey = c.NetworkKey.Clone()
	c.Raw = c.Raw.Clone()
	return c
}
