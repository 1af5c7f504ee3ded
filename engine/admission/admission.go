// Package admission decides whom a Registrar lets in. It keeps what users granted: a PIN for a
// certain Enrollee or for any, a pressed button, an NFC token. It does no I/O and is not safe for
// concurrent use.
//
// A PIN is short, and the protocol proves it in two halves: who is given enough tries learns it. So
// a PIN is tried once. If it proves wrong on either side it is over, and also if a run breaks off
// when our proof of the second half is out, or twice after that of the first: an Enrollee that goes
// silent there may have worked out the halves it saw.
package admission

import (
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
)

// How long grants hold if nobody says otherwise.
const (
	// of a button (WSC, push button configuration), and of an NFC token (hostap behaviour)
	WalkTime   = 120 * time.Second
	PINTimeout = 300 * time.Second // of a PIN at an External Registrar (hostap behaviour)
)

// MaxGrants bounds the list.
const MaxGrants = 64

// maxBreaks is how many runs may break off after our proof of the PIN's first half (hostap gives a
// wildcard PIN two uses).
const maxBreaks = 2

// Why nobody is let in, or no longer.
var (
	// ErrNone means that nothing was granted that fits.
	ErrNone = errors.New("admission: no device password for this device")
	// ErrInUse means that what fits is in use by another run.
	ErrInUse = errors.New("admission: the device password is in use")
	// ErrKeyHash means that the Enrollee has another public key than its NFC token says.
	ErrKeyHash = errors.New("admission: not the public key that the NFC token announces")
	// ErrLocked means that a PIN was tried and is not to be tried again.
	ErrLocked = errors.New("admission: the PIN was tried and is used up")
	// ErrTooMany means that MaxGrants wait already.
	ErrTooMany = errors.New("admission: too many grants wait")
)

// ID names a grant. The caller chooses it.
type ID uint32

// Grant is one permission.
type Grant struct {
	// a PIN, devpass.PushButton() or an NFC token's; the List has its own copy
	Password devpass.Password
	UUID     wsc.UUID  // of the Enrollee; zero: any
	MAC      wsc.MAC   // of the Enrollee; zero: any
	Scope    uint32    // the access point it is for, as the caller numbers them; 0: all
	KeyHash  *[20]byte // of the Enrollee's public key, from its NFC token; nil: not known
	Expires  time.Time
}

// entry is a grant and what became of it so far.
type entry struct {
	Grant
	id     ID
	locked bool // a run uses it
	breaks int  // runs that broke off after our proof of the first half
}

func (e *entry) pushButton() bool { return e.Password.ID == wsc.PasswordIDPushButton }
func (e *entry) token() bool {
	return e.Password.ID >= wsc.PasswordIDFirstToken ||
		e.Password.ID == wsc.PasswordIDNFCConnectionHandover
}

// List is what is granted now. The zero List is empty.
type List struct{ entries []*entry } // the oldest first

// Add puts a grant in. It takes the place of one for the same Enrollee by the same method, unless a
// run uses that: the caller hears which ones are gone.
func (l *List) Add(id ID, g Grant) (replaced []ID, err error) {
	g.Password.Value = g.Password.Value.Clone()
	l.entries = slices.DeleteFunc(l.entries, func(e *entry) bool {
		same := e.UUID == g.UUID && e.MAC == g.MAC && e.Scope == g.Scope &&
			kind(e.Password.ID) == kind(g.Password.ID)
		if !same || e.locked {
			return false
		}
		replaced = append(replaced, e.id)
		e.Password.Wipe()
		return true
	})
	if len(l.entries) >= MaxGrants {
		g.Password.Wipe()
		return nil, ErrTooMany
	}
	l.entries = append(l.entries, &entry{Grant: g, id: id})
	return replaced, nil
}

// kind puts all PINs into one; every token is a kind of its own.
func kind(id wsc.DevicePasswordID) wsc.DevicePasswordID {
	if id == wsc.PasswordIDPushButton || id >= wsc.PasswordIDFirstToken ||
		id == wsc.PasswordIDNFCConnectionHandover {
		return id
	}
	return wsc.PasswordIDDefault
}

// Applicant is an Enrollee that sent M1.
type Applicant struct {
	Scope      uint32 // the access point it talks through
	Device     wsc.Device
	PasswordID wsc.DevicePasswordID
	KeyHash    [20]byte // of its public key
}

// Take finds the grant for an Enrollee and locks it for the run. The Password is the List's: it
// holds until Release.
func (l *List) Take(now time.Time, a Applicant) (ID, devpass.Password, error) {
	found := l.find(now, a)
	switch {
	case found == nil:
		return 0, devpass.Password{}, ErrNone
	case found.locked:
		return found.id, devpass.Password{}, ErrInUse
	case found.KeyHash != nil && subtle.ConstantTimeCompare(found.KeyHash[:], a.KeyHash[:]) == 0:
		return found.id, devpass.Password{}, ErrKeyHash
	}
	found.locked = true
	password := found.Password
	if !found.pushButton() && !found.token() && a.PasswordID < wsc.PasswordIDFirstToken &&
		a.PasswordID != wsc.PasswordIDNFCConnectionHandover {
		password.ID = a.PasswordID // M2 repeats it; to a token that we do not know it offers a PIN
	}
	return found.id, password, nil
}

// find prefers what was granted to this very Enrollee, then what is not in use, then the newest.
func (l *List) find(now time.Time, a Applicant) *entry {
	var best *entry
	rank := -1
	for _, e := range l.entries {
		if !now.Before(e.Expires) || !e.fits(a) {
			continue
		}
		r := 0
		if e.UUID == a.Device.UUID {
			r += 8
		}
		if e.MAC == a.Device.MAC {
			r += 4
		}
		if e.token() {
			r += 2 // a PIN is only offered if the token is not known
		}
		if !e.locked {
			r++
		}
		if r >= rank {
			best, rank = e, r
		}
	}
	return best
}

// fits reports whether a grant is for this Enrollee and its device password (the acceptable ids are
// hostap's).
func (e *entry) fits(a Applicant) bool {
	if e.UUID != (wsc.UUID{}) && e.UUID != a.Device.UUID || !e.MAC.IsZero() &&
		e.MAC != a.Device.MAC || e.Scope != 0 && e.Scope != a.Scope {
		return false
	}
	if e.pushButton() || e.token() {
		return a.PasswordID == e.Password.ID
	}
	switch a.PasswordID {
	case wsc.PasswordIDDefault, wsc.PasswordIDUserSpecified, wsc.PasswordIDMachineSpecified,
		wsc.PasswordIDRegistrarSpecified,
		wsc.PasswordIDP2PSDefault, wsc.PasswordIDNFCConnectionHandover:
		return true
	}
	return a.PasswordID >= wsc.PasswordIDFirstToken
}

// Attempt is how far a run came that used a grant.
type Attempt uint8

// The ways in which a run ends.
const (
	Untried    Attempt = iota // before our proof of the first half was out
	FirstHalf                 // our proof of the first half was out, and the run broke off
	SecondHalf                // our proofs of both halves were out, and the run broke off
	Wrong                     // the password proved wrong on either side
	Enrolled                  // the Enrollee has what it came for
)

// Release ends the use of a grant by a run and reports whether the grant is over. A button stays
// pressed unless its Enrollee was let in. Of an unknown grant it says true: it is over.
func (l *List) Release(id ID, a Attempt) (over bool) {
	i := l.index(id)
	if i < 0 {
		return true
	}
	e := l.entries[i]
	e.locked = false
	switch {
	case a == Enrolled:
		over = true
	case e.pushButton() || a == Untried:
	case a == Wrong:
		over = true
	case e.token(): // 16 random bytes or more: who saw a proof learned nothing
	case a == SecondHalf:
		over = true
	case a == FirstHalf:
		e.breaks++
		over = e.breaks >= maxBreaks
	}
	if over {
		l.Remove(id)
	}
	return over
}

// Remove takes a grant back and wipes its password.
func (l *List) Remove(id ID) {
	if i := l.index(id); i >= 0 {
		l.entries[i].Password.Wipe()
		l.entries = slices.Delete(l.entries, i, i+1)
	}
}

// Has reports whether a grant is in the list.
func (l *List) Has(id ID) bool { return l.index(id) >= 0 }

func (l *List) index(id ID) int {
	return slices.IndexFunc(l.entries, func(e *entry) bool { return e.id == id })
}

// Expired gives the grants whose time is over, but for those that a run still uses. They stay until
// they are removed.
func (l *List) Expired(now time.Time) []ID {
	var ids []ID
	for _, e := range l.entries {
		if !e.locked && !now.Before(e.Expires) {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// NextExpiry is when Expired will have something to say; zero: never.
func (l *List) NextExpiry() time.Time {
	var next time.Time
	for _, e := range l.entries {
		if !e.locked && (next.IsZero() || e.Expires.Before(next)) {
			next = e.Expires
		}
	}
	return next
}

// Selection is what an access point should tell of the grants: the Selected Registrar.
type Selection struct {
	PasswordID     wsc.DevicePasswordID
	PushButton     bool
	AuthorizedMACs []wsc.MAC
}

// Selection sums up the grants for one access point; ok is false if there is none. A button goes
// before other methods, a newer grant before an older one.
func (l *List) Selection(now time.Time, scope uint32) (s Selection, ok bool) {
	everybody := false
	for _, e := range l.entries {
		if e.Scope != 0 && e.Scope != scope || !now.Before(e.Expires) {
			continue
		}
		ok = true
		if !s.PushButton {
			s.PasswordID, s.PushButton = e.Password.ID, e.pushButton()
		}
		switch {
		case e.MAC.IsZero():
			everybody = true
		case !slices.Contains(s.AuthorizedMACs, e.MAC):
			s.AuthorizedMACs = append(s.AuthorizedMACs, e.MAC)
		}
	}
	if everybody || len(s.AuthorizedMACs) > wsc.MaxAuthorizedMACs {
		s.AuthorizedMACs = []wsc.MAC{wsc.Broadcast}
	}
	return s, ok
}
