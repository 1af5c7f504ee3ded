package tags

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/wsc"
	"wpsd/service/fence"
	"wpsd/service/state"
)

const (
	// most bounds the passwords that are kept; for one more the oldest goes.
	most = 16
	// Lifetime is how long what NFC brought is kept for the run that is to use it.
	Lifetime = 10 * time.Minute
)

// Tags are the passwords of tags that were read, oldest first. Its methods are safe for concurrent
// use.
type Tags struct {
	log     *slog.Logger
	expired func() // called when one is removed since its time is over

	mu   sync.Mutex
	read []tag
}

// tag is a password that was read off a tag.
type tag struct {
	password devpass.Password
	hash     [20]byte // of the key of whoever has it
	expire   *time.Timer
	// lets its device in once the External Registrar there has a network; nil: nobody asked for it
	awaits *Grant
}

// Grant is a tag whose device is to be let in, where, and for whom.
type Grant struct {
	Interface   string
	Owner, User string
	Detach      bool
	// Password and Hash are set by Awaited; the password is the caller's to wipe.
	Password devpass.Password
	Hash     [20]byte // of the device's key
}

// New makes Tags without any; expired is called when one is removed since its time is over.
func New(log *slog.Logger, expired func()) *Tags { return &Tags{log: log, expired: expired} }

// Keep keeps a copy of a password for Learn and Configure, and what Awaited is to tell of it; nil:
// nothing. The newest of an id counts.
func (t *Tags) Keep(read *ndef.PasswordToken, awaits *Grant) error {
	password, err := devpass.FromNFC(read.ID, read.Password.Bytes())
	if err != nil {
		return fmt.Errorf("%w: %w", state.ErrBadTag, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(read.ID)
	if len(t.read) >= most {
		t.remove(t.read[0].password.ID)
	}
	var expire *time.Timer
	expire = time.AfterFunc(Lifetime, fence.Func(t.log, "forgetting a tag", func() {
		t.mu.Lock() // which Keep holds until expire is set
		defer t.mu.Unlock()
		if slices.ContainsFunc(t.read, func(r tag) bool { return r.expire == expire }) {
			t.remove(password.ID)
			t.expired()
		}
	}, nil))
	t.read = append(t.read, tag{password: password, hash: read.PublicKeyHash, expire: expire,
		awaits: awaits})
	t.log.Info("an NFC tag brought a device password", "id", uint16(read.ID))
	return nil
}

// remove removes the password of an id. The caller holds mu.
func (t *Tags) remove(id wsc.DevicePasswordID) {
	t.read = slices.DeleteFunc(t.read, func(r tag) bool {
		if r.password.ID == id {
			r.expire.Stop()
			r.password.Wipe()
		}
		return r.password.ID == id
	})
}

// Count is how many are kept.
func (t *Tags) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.read)
}

// Check refuses with ErrNoToken what goes by the tag of an access point while none is kept.
func (t *Tags) Check() error {
	if t.Count() == 0 {
		return fmt.Errorf("%w: read the access point's tag first", state.ErrNoToken)
	}
	return nil
}

// Awaited gives the tags that waited for a network of the External Registrar on an interface, once
// each.
func (t *Tags) Awaited(ifname string) (list []Grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, r := range t.read {
		if r.awaits == nil || r.awaits.Interface != ifname {
			continue
		}
		grant := *r.awaits
		grant.Password, grant.Hash = r.copied(), r.hash
		list = append(list, grant)
		t.read[n].awaits = nil
	}
	return list
}

// copied is a password of the caller's own: a tag that is read meanwhile may take this one's place.
func (r tag) copied() devpass.Password {
	return devpass.Password{ID: r.password.ID, Value: r.password.Value.Clone()}
}

// Wipe removes all.
func (t *Tags) Wipe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.read {
		r.expire.Stop()
		r.password.Wipe()
	}
	t.read = nil
}
