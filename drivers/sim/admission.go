package sim

import (
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// PINGrant lets the Enrollee with this PIN in.
type PINGrant struct {
	PIN     secret.Value
	UUID    wsc.UUID      // of the Enrollee; zero: any (a wildcard PIN)
	MAC     wsc.MAC       // what AuthorizedMACs says; zero: anybody (the broadcast address)
	Timeout time.Duration // 0: for ever
}

// forEver is how long a PIN without an end is good for.
const forEver = 100 * 365 * 24 * time.Hour

// pinStore are the PINs that an access point's Registrar knows. Which one an Enrollee is given, and
// when one is used up, is what the list of our own Registrars says. Hostapd's own is that an address
// keeps nobody out, it is announced only, and that a PIN for a certain Enrollee survives any number
// of runs that end before either half is proven, a wildcard PIN one.
type pinStore struct {
	list   admission.List
	newest admission.ID
	known  map[admission.ID]*pinUse // in the list
}

// pinUse is what the list does not keep of a PIN.
type pinUse struct {
	mac      wsc.MAC
	wildcard bool
	inUse    bool
}

// add puts a PIN in, in place of the one for the same Enrollee.
func (s *pinStore) add(now time.Time, g PINGrant) (announced wsc.MAC, err error) {
	s.expire(now)
	if g.Timeout <= 0 {
		g.Timeout = forEver
	}
	if g.MAC.IsZero() {
		g.MAC = wsc.Broadcast
	}
	s.newest++
	replaced, err := s.list.Add(s.newest, admission.Grant{Password: devpass.FromPIN(g.PIN),
		UUID: g.UUID, Expires: now.Add(g.Timeout)})
	for _, id := range replaced {
		delete(s.known, id)
	}
	if err != nil {
		return wsc.MAC{}, err
	}
	if s.known == nil {
		s.known = map[admission.ID]*pinUse{}
	}
	s.known[s.newest] = &pinUse{mac: g.MAC, wildcard: g.UUID == wsc.UUID{}}
	return g.MAC, nil
}

// take finds the PIN for an Enrollee and locks it for the run. The password is the store's until
// release.
func (s *pinStore) take(now time.Time, uuid wsc.UUID, password wsc.DevicePasswordID) (admission.ID,
	devpass.Password, bool) {
	s.expire(now)
	id, p, err := s.list.Take(now,
		admission.Applicant{Device: wsc.Device{UUID: uuid}, PasswordID: password})
	if err != nil {
		return 0, devpass.Password{}, false
	}
	s.known[id].inUse = true
	return id, p, true
}

// release ends the use of a PIN by a run. A run that came as far as M6 has shown both halves of the
// PIN's proof, or told which half is wrong: whether it succeeded or not, the PIN is spent. It
// reports whether the PIN is gone, and which address was announced for it.
func (s *pinStore) release(id admission.ID, success, revealed bool) (over bool, mac wsc.MAC) {
	use := s.known[id]
	if use == nil {
		return true, wsc.MAC{}
	}
	attempt := admission.Untried
	switch {
	case success:
		attempt = admission.Enrolled
	case revealed:
		attempt = admission.SecondHalf
	case use.wildcard:
		attempt = admission.FirstHalf
	}
	use.inUse = false
	if over = s.list.Release(id, attempt); over {
		delete(s.known, id)
	}
	return over, use.mac
}

// waiting is how many PINs there are.
func (s *pinStore) waiting() int { return len(s.known) }

// clear empties the store but for PINs in use.
func (s *pinStore) clear() {
	for id, use := range s.known {
		if !use.inUse {
			s.remove(id)
		}
	}
}

func (s *pinStore) expire(now time.Time) {
	for _, id := range s.list.Expired(now) {
		s.remove(id)
	}
}

func (s *pinStore) remove(id admission.ID) {
	s.list.Remove(id)
	delete(s.known, id)
}

// buttons are those that an access point hears of.
type buttons struct {
	admission.Monitor
	overlapped bool // two were pressed: until the access point's own is pressed again
}

// pressed notes an Enrollee that shows a push button in a probe request or M1, and reports whether
// more than one does.
func (b *buttons) pressed(now time.Time, uuid wsc.UUID) (overlap bool) {
	b.Heard(now, uuid)
	return b.Overlap(now)
}

// anyButton are the bits of a push button, real or on a screen.
const anyButton = wsc.ConfigPhysicalPushButton | wsc.ConfigVirtualPushButton
