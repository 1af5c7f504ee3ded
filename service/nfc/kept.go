package nfc

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/secret"
	"wpsd/service/fence"
	"wpsd/service/tags"
)

// maxHandovers bounds the keys of handover requests that were made and not answered; for one more
// the oldest goes.
const maxHandovers = 8

// handovers are the keys that handovers announced, oldest first.
type handovers struct {
	mu   sync.Mutex
	list []handover
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

// keep keeps the key of a handover until its run, or until nobody will come back to it; expired is
// called then.
func (k *handovers) keep(h handover, log *slog.Logger, expired func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) >= maxHandovers {
		k.list[0].wipe()
		k.list = slices.Delete(k.list, 0, 1)
	}
	h.expire = time.AfterFunc(tags.Lifetime, fence.Func(log, "forgetting a handover", func() {
		if late, ok := k.take(h.ifname, h.hash); ok {
			late.private.Wipe()
			expired()
		}
	}, nil))
	k.list = append(k.list, h)
}

// take hands out the key that a request, or the External Registrar of an interface, announced. It
// is for one run (the announced key of a handover is never used again).
func (k *handovers) take(ifname string, hash [20]byte) (handover, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.list, func(h handover) bool {
		return h.hash == hash && h.ifname == ifname
	})
	if i < 0 {
		return handover{}, false
	}
	h := k.list[i]
	h.expire.Stop()
	k.list = slices.Delete(k.list, i, i+1)
	return h, true
}

// wipe forgets a handover.
func (h handover) wipe() {
	h.expire.Stop()
	h.private.Wipe()
}

// HasHandovers reports whether a handover was begun.
func (s *Exchange) HasHandovers() bool {
	s.handovers.mu.Lock()
	defer s.handovers.mu.Unlock()
	return len(s.handovers.list) > 0
}

// Wipe forgets the handovers that were begun.
func (s *Exchange) Wipe() {
	s.handovers.mu.Lock()
	defer s.handovers.mu.Unlock()
	for _, h := range s.handovers.list {
		h.wipe()
	}
	s.handovers.list = nil
}
