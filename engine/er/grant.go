package er

import (
	"slices"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// grant is what a user allowed, as a run: from the permission until an Enrollee used it or it is
// over.
type grant struct {
	id    RunID
	scope APID // 0: all access points that we have settings for
	over  bool
	// Of a handover: whose keys both sides announced.
	keyHash *[20]byte
	key     secret.Value
}

// PINGrant lets the Enrollee with this PIN in.
type PINGrant struct {
	PIN  secret.Value // the caller keeps and wipes its own
	UUID wsc.UUID     // of the Enrollee; zero: any
	// MAC is the Enrollee's address; zero: any. Access points tell it, so that others do not try;
	// and they do not get in.
	MAC     wsc.MAC
	AP      APID          // 0: all that we have settings for, also those that come later
	Timeout time.Duration // 0: admission.PINTimeout
}

// PBCGrant lets the Enrollee in whose button is pressed within two minutes.
type PBCGrant struct {
	UUID wsc.UUID // of the Enrollee; zero: any
	MAC  wsc.MAC  // the same
	// 0: the access point that heard the Enrollee; if none did, all that we have settings for
	AP APID
}

// NFCGrant lets the Enrollee with this token in, or the one that asked for it over an NFC link: a
// handover, whose Password has the id 7 and no value.
type NFCGrant struct {
	Password devpass.Password // the caller keeps and wipes its own
	KeyHash  *[20]byte        // of the Enrollee's public key; nil: not known. A handover needs it
	// handover: our private key, which the answer announced; the caller keeps and wipes its own
	Key     secret.Value
	UUID    wsc.UUID      // of the Enrollee; zero: any
	AP      APID          // 0: all that we have settings for
	Timeout time.Duration // 0: admission.WalkTime
}

func (g *NFCGrant) handover() bool { return g.Password.ID == wsc.PasswordIDNFCConnectionHandover }

// token is what the Registrar of a handover goes by; false: the grant is for a password.
func (g *grant) token(p devpass.Password) (registration.Token, bool) {
	if g.keyHash == nil {
		return registration.Token{}, false
	}
	pair, err := wsccrypto.KeyPairFromPrivate(g.key)
	return registration.Token{Password: p, EnrolleeKeyHash: g.keyHash, KeyPair: pair}, err == nil
}

// hearer finds the access point that heard an Enrollee last, of those that we have settings for; 0:
// none, or nobody is named.
func (r *runs) hearer(uuid wsc.UUID, mac wsc.MAC) APID {
	if uuid == (wsc.UUID{}) && mac.IsZero() {
		return 0
	}
	for p := r.enrollees.Back(); p != nil; p = p.Prev() {
		e := p.Value.(*enrollee)
		if (uuid == wsc.UUID{} || e.Device.UUID == uuid) && (mac.IsZero() || e.MAC == mac) &&
			e.ap.HasSettings {
			return e.AP
		}
	}
	return 0
}

// scope gives the access points that a grant is for now.
func (r *runs) scope(id APID) []*ap {
	var all []*ap
	for _, a := range r.sorted() {
		if (id == 0 || a.ID == id) && a.HasSettings && a.published && !a.Dropped {
			all = append(all, a)
		}
	}
	return all
}

// allow puts a grant in and has the access points tell of it.
func (r *runs) allow(now time.Time, id APID, g admission.Grant) (*grant, error) {
	if !r.running {
		return nil, ErrNotRunning
	}
	if id != 0 {
		if _, err := r.usable(id); err != nil {
			return nil, err
		}
	}
	if len(r.scope(id)) == 0 {
		return nil, ErrNoSettings
	}
	g.Scope = uint32(id)
	run := r.last + 1
	replaced, err := r.list.Add(admission.ID(run), g)
	if err != nil {
		return nil, err
	}
	r.last = run
	for _, old := range replaced {
		r.endGrant(now, r.grants[RunID(old)], runEnd{err: ErrReplaced})
	}
	r.grants[run] = &grant{id: run, scope: id}
	r.reselectScope(now, id)
	return r.grants[run], nil
}

// cancel ends a run, if it is still there.
func (r *runs) cancel(now time.Time, run RunID) {
	if g := r.grants[run]; g != nil {
		r.endGrant(now, g, runEnd{err: ErrCanceled})
	}
	for _, a := range r.aps {
		if a.run != nil && a.run.id == run {
			r.endAPRun(now, a, ErrCanceled)
			r.pump(now, a)
			break
		}
	}
}

// endGrant takes a grant back, breaks off the runs that use it, and has the access points say so.
func (r *runs) endGrant(now time.Time, g *grant, e runEnd) {
	if g == nil || g.over {
		return
	}
	g.over = true
	delete(r.grants, g.id)
	g.key.Wipe()
	for _, a := range r.sorted() {
		for _, s := range a.stationsInOrder() {
			if s.grant == g {
				e.ap, e.peer, e.device = a.ID, s.mac, s.device
				r.endStation(now, s, e.err)
				r.pump(now, a)
			}
		}
	}
	r.list.Remove(admission.ID(g.id))
	e.run = g.id
	r.publishEnd(e)
	r.reselectScope(now, g.scope)
}

func (r *runs) grantsInOrder() []RunID {
	ids := make([]RunID, 0, len(r.grants))
	for id := range r.grants {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// reselectScope has the access points that a grant is for tell what holds now.
func (r *runs) reselectScope(now time.Time, id APID) {
	for _, a := range r.sorted() {
		if id == 0 || a.ID == id {
			r.reselect(now, a)
			r.pump(now, a)
		}
	}
}
