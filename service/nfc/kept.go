package nfc

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/fence"
	"wpsd/service/state"
)

const (
	// maxReadTokens bounds the passwords of tags that wait for Learn or Configure; for one more the
	// oldest goes.
	maxReadTokens = 16
	// maxHandovers bounds the keys of handover requests that were made and not answered; for one
	// more the oldest goes.
	maxHandovers = 8
	// keepNFC is how long the password of a tag, or the key of a handover request, is kept for the
	// run that is to use it.
	keepNFC = 10 * time.Minute
)

// Tokens are the passwords of tags that were read, and the keys that handovers announced, oldest
// first. Its methods are safe for concurrent use.
type Tokens struct {
	log     *slog.Logger
	expired func() // called when one is removed since its time is over

	mu        sync.Mutex
	read      []readToken
	handovers []handover
}

// readToken is a password that was read off a tag.
type readToken struct {
	password devpass.Password
	hash     [20]byte // of the key of whoever has it
	expire   *time.Timer
	// lets its device in once the External Registrar there has a network; nil: nobody asked for it
	awaits *TagRequest
}

// handover is the key pair that a handover request announced, or an answer of an External
// Registrar.
type handover struct {
	hash    [20]byte
	private secret.Value
	ifname  string  // of the External Registrar; empty: a request
	ap      er.APID // that it answered for
	expire  *time.Timer
}

// NewTokens makes Tokens without any; expired is called when one is removed since its time is over.
func NewTokens(log *slog.Logger, expired func()) *Tokens {
	return &Tokens{log: log, expired: expired}
}

// keep keeps a password for Learn and Configure. The newest of an id counts.
func (t *Tokens) keep(tag *ndef.PasswordToken, awaits *TagRequest) error {
	password, err := devpass.FromNFC(tag.ID, tag.Password.Bytes())
	if err != nil {
		return fmt.Errorf("%w: %w", state.ErrBadTag, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(tag.ID)
	if len(t.read) >= maxReadTokens {
		t.remove(t.read[0].password.ID)
	}
	var expire *time.Timer
	expire = time.AfterFunc(keepNFC, fence.Func(t.log, "forgetting a tag", func() {
		t.mu.Lock() // which keep holds until expire is set
		defer t.mu.Unlock()
		t.expire(expire, password.ID)
	}, nil))
	t.read = append(t.read, readToken{password: password, hash: tag.PublicKeyHash, expire: expire,
		awaits: awaits})
	t.log.Info("an NFC tag brought a device password", "id", uint16(tag.ID))
	return nil
}

// expire removes the password of an id, but not a newer one. The caller holds mu.
func (t *Tokens) expire(timer *time.Timer, id wsc.DevicePasswordID) {
	if slices.ContainsFunc(t.read, func(r readToken) bool { return r.expire == timer }) {
		t.remove(id)
		t.expired()
	}
}

// remove removes the password of an id. The caller holds mu.
func (t *Tokens) remove(id wsc.DevicePasswordID) {
	t.read = slices.DeleteFunc(t.read, func(r readToken) bool {
		if r.password.ID == id {
			r.expire.Stop()
			r.password.Wipe()
		}
		return r.password.ID == id
	})
}

// HasTokens reports whether any tag was read that Learn could go by.
func (t *Tokens) HasTokens() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.read) > 0
}

// HasHandovers reports whether a handover was begun.
func (t *Tokens) HasHandovers() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.handovers) > 0
}

// TokenOf finds the password of the tag with an id, as a secret of the caller's own, and the hash
// of the key of whoever has it.
func (t *Tokens) TokenOf(id wsc.DevicePasswordID) (password devpass.Password,
	hash [20]byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.read {
		if r.password.ID == id {
			return devpass.Password{ID: id, Value: r.password.Value.Clone()}, r.hash, true
		}
	}
	return devpass.Password{}, hash, false
}

// UsedUp removes the password of an id: a tag's password is for one run.
func (t *Tokens) UsedUp(id wsc.DevicePasswordID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(id)
}

// Awaited gives the tags that waited for a network of the External Registrar on an interface, once
// each, with secrets of the caller's own.
func (t *Tokens) Awaited(ifname string) (list []external.Awaited) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, r := range t.read {
		if r.awaits == nil || r.awaits.Interface != ifname {
			continue
		}
		list = append(list, external.Awaited{
			Password: devpass.Password{ID: r.password.ID, Value: r.password.Value.Clone()},
			Hash:     r.hash, Owner: r.awaits.Owner, User: r.awaits.User, Detach: r.awaits.Detach,
		})
		t.read[n].awaits = nil
	}
	return list
}

// keepHandover keeps the key of a request until its run, or until nobody will come back to it.
func (t *Tokens) keepHandover(h handover) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.handovers) >= maxHandovers {
		oldest := t.handovers[0]
		oldest.expire.Stop()
		oldest.private.Wipe()
		t.handovers = slices.Delete(t.handovers, 0, 1)
	}
	h.expire = time.AfterFunc(keepNFC, fence.Func(t.log, "forgetting a handover", func() {
		if late, ok := t.takeHandover(h.ifname, h.hash); ok {
			late.private.Wipe()
			t.expired()
		}
	}, nil))
	t.handovers = append(t.handovers, h)
}

// takeHandover hands out the key that a request, or the External Registrar of an interface,
// announced. It is for one run (the announced key of a handover is never used again).
func (t *Tokens) takeHandover(ifname string, hash [20]byte) (handover, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.handovers, func(h handover) bool {
		return h.hash == hash && h.ifname == ifname
	})
	if i < 0 {
		return handover{}, false
	}
	h := t.handovers[i]
	h.expire.Stop()
	t.handovers = slices.Delete(t.handovers, i, i+1)
	return h, true
}

// Wipe removes all.
func (t *Tokens) Wipe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.read {
		r.expire.Stop()
		r.password.Wipe()
	}
	for _, h := range t.handovers {
		h.expire.Stop()
		h.private.Wipe()
	}
	t.read, t.handovers = nil, nil
}
