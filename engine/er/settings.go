package er

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"wpsd/engine/wsc"
)

// settingsKey is how settings are found again when an access point comes back.
type settingsKey struct {
	uuid  wsc.UUID
	bssid wsc.MAC
}

// kept is what Enrollees of an access point are given.
type kept struct {
	key        settingsKey
	addr       netip.Addr // of the access point
	credential wsc.Credential
}

// settingsOf finds the settings that Enrollees of an access point are given; nil: there are none.
// They may have been set before its BSSID was known, or while it had another address; as long as
// others say to be the same access point, those count only that are this address's.
func (r *Registrar) settingsOf(a *ap) *kept {
	keys := [...]settingsKey{{a.UUID, a.BSSID}, {a.UUID, wsc.MAC{}}}
	for _, key := range keys {
		for _, k := range r.settings[key] {
			if k.addr == a.Addr {
				return k
			}
		}
	}
	if len(a.Also) > 0 {
		return nil
	}
	for _, key := range keys {
		if list := r.settings[key]; len(list) > 0 {
			return list[len(list)-1]
		}
	}
	return nil
}

// adopt notes that settings are those of an access point that got another address.
func (r *Registrar) adopt(a *ap) {
	if k := r.settingsOf(a); k != nil {
		k.addr = a.Addr
	}
}

// setSettings takes over c, which is the Registrar's from now on.
func (r *Registrar) setSettings(now time.Time, a *ap, c wsc.Credential) error {
	if old := r.settingsOf(a); old != nil {
		r.dropSettings(old)
	} else if r.kept >= maxSettings {
		c.Wipe()
		return ErrTooMany
	}
	k := &kept{settingsKey{a.UUID, a.BSSID}, a.Addr, c}
	r.settings[k.key] = append(r.settings[k.key], k)
	r.kept++
	if !a.HasSettings {
		a.HasSettings = true
		r.changed(a)
	}
	r.reselect(now, a)
	return nil
}

// dropSettings forgets settings.
func (r *Registrar) dropSettings(k *kept) {
	k.credential.Wipe()
	r.kept--
	rest := slices.DeleteFunc(r.settings[k.key], func(o *kept) bool { return o == k })
	if len(rest) == 0 {
		delete(r.settings, k.key)
	} else {
		r.settings[k.key] = rest
	}
}

// forgetSettings forgets all.
func (r *Registrar) forgetSettings() {
	for _, list := range r.settings {
		for _, k := range list {
			k.credential.Wipe()
		}
	}
	clear(r.settings)
	r.kept = 0
}

// clone copies a Credential with secrets of its own.
func clone(c wsc.Credential) wsc.Credential {
	c.SSID = bytes.Clone(c.SSID)
	c.NetworkKey = c.NetworkKey.Clone()
	c.Raw = c.Raw.Clone()
	return c
}

// SetConfig says what Enrollees of an access point are to be given, without asking it.
func (r *Registrar) SetConfig(now time.Time, ap APID, settings wsc.Credential) ([]Action, error) {
	a, err := r.usable(ap)
	if err != nil {
		return nil, err
	}
	if err := r.setSettings(now, a, clone(settings)); err != nil {
		return nil, err
	}
	r.pump(now, a)
	return r.done(now), nil
}

// Settings gives what Enrollees of an access point are given. The caller wipes it.
func (r *Registrar) Settings(ap APID) (wsc.Credential, bool) {
	a := r.aps[ap]
	if a == nil {
		return wsc.Credential{}, false
	}
	k := r.settingsOf(a)
	if k == nil {
		return wsc.Credential{}, false
	}
	return clone(k.credential), true
}
