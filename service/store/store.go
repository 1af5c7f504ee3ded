// Package store keeps what survives a restart: the identity of this device, its NFC token, and the
// networks it received, one file of mode 0600 each in a directory of our own.
//
// A file is written under a temporary name, synced, renamed, and the directory synced, so after a
// crash or kill -9 at any point there is the old file or the new one, never a part. What cannot be
// read is set aside as NAME.damaged and reported, never deleted and never fatal. The directory is
// opened once (os.Root): nothing that happens to its path later leads us elsewhere.
package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// MaxNetworks is how many networks are kept.
const MaxNetworks = 256

// Errors, found with errors.Is.
var (
	// ErrUnsafe means that the directory is not ours, or that others can write to it: they could
	// plant networks.
	ErrUnsafe = errors.New("store: unsafe state directory")
	// ErrInUse means that another process has the directory open.
	ErrInUse = errors.New("store: the state directory is in use by another process")
	// ErrFull means that MaxNetworks are stored already.
	ErrFull = errors.New("store: too many networks")
	// ErrNotFound means that there is no network with this id.
	ErrNotFound = errors.New("store: no such network")
	// ErrInvalid means that a network, or the file of one, breaks a rule of the format.
	ErrInvalid = errors.New("store: invalid")
	// ErrVersion means that a newer version wrote the file. It is left as it is.
	ErrVersion = errors.New("store: written by a newer version")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("store: closed")
)

// Network is a stored network.
type Network struct {
	credential.Network
	ID      uint32 // never 0, never used twice while the daemon runs
	BSSID   wsc.MAC
	Source  string    // how it was received: "pbc", "pin", …
	Created time.Time // when it came last, in UTC, in whole seconds
}

// Damage is a file that could not be used.
type Damage struct {
	Name string // as it is called now
	Err  error
}

// Store holds networks and identity, in memory and, unless made by Memory, in a directory. It is
// safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	dir      *directory // nil: in memory only
	closed   bool
	uuid     wsc.UUID
	token    Token // of id 0: none
	networks map[uint32]Network
	lastID   uint32
	damaged  []Damage
	tidied   []uint32
	leftover []uint32 // superseded ones whose files could not be removed
}

// Memory returns a Store that keeps nothing (update_config=0).
func Memory() *Store { return &Store{networks: make(map[uint32]Network)} }

// Open opens the directory at path, which is made if there is none, and reads what is in it.
func Open(path string) (*Store, error) {
	dir, err := openDirectory(path)
	if err != nil {
		return nil, err
	}
	s := Memory()
	s.dir = dir
	if err := s.load(); err != nil {
		return nil, errors.Join(err, dir.close())
	}
	return s, nil
}

// Volatile reports whether all is forgotten at the end of the process.
func (s *Store) Volatile() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir == nil
}

// Damaged lists the files that Open set aside or left alone.
func (s *Store) Damaged() []Damage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.damaged)
}

// UUID returns the identity that was stored, or the zero UUID.
func (s *Store) UUID() wsc.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uuid
}

// SetUUID stores the identity.
func (s *Store) SetUUID(u wsc.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.write(identityName, appendIdentity(u)); err != nil {
		return err
	}
	s.uuid = u
	return nil
}

// Networks returns all networks without their secrets, oldest first.
func (s *Store) Networks() []Network {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.SortedFunc(maps.Values(s.networks), func(a, b Network) int {
		return cmp.Compare(a.ID, b.ID)
	})
	for i := range list {
		list[i] = list[i].withoutSecrets()
	}
	return list
}

// Network returns one network, with secrets of its own.
func (s *Store) Network(id uint32) (Network, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.networks[id]
	if !ok {
		return Network{}, fmt.Errorf("%w: %d", ErrNotFound, id)
	}
	return n.clone(), nil
}

// Put stores n and returns it without its secrets. A network that is stored already keeps its id,
// and is updated in one step: whatever ends the process, there is the old key or the new one, and
// never both. It is the same one if it has the same SSID and, like n, a key or none: a new key for
// a network makes the old one useless (hostap behaviour), and a network that is open now is not the
// one that was protected. n's secrets are copied.
//
// removed are the ids of further ones that are the same network, which a version before this one
// could leave behind when it was killed.
func (s *Store) Put(n Network) (stored Network, removed []uint32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = n.clone()
	n.Created = n.Created.UTC().Truncate(time.Second)
	if n.ID, removed, err = s.place(n); err != nil {
		n.wipe()
		return Network{}, nil, err
	}
	text, err := appendNetwork(n)
	if err == nil {
		defer clear(text)
		s.lastID = max(s.lastID, n.ID) // also if it fails: the file may be there all the same
		err = s.write(networkName(n.ID), text)
	}
	if err != nil {
		n.wipe()
		return Network{}, nil, err
	}
	s.networks[n.ID].wipe()
	s.networks[n.ID] = n
	for _, id := range removed {
		s.supersede(id)
	}
	return n.withoutSecrets(), removed, nil
}

// place finds the id under which n is to be stored: that of the newest one that is the same
// network, or a new one. others are older ones that are it, too.
func (s *Store) place(n Network) (id uint32, others []uint32, err error) {
	others = s.same(n)
	if last := len(others) - 1; last >= 0 {
		return others[last], others[:last], nil
	}
	if len(s.networks) >= MaxNetworks {
		return 0, nil, fmt.Errorf("%w: delete some of the %d", ErrFull, len(s.networks))
	}
	return s.lastID + 1, nil, nil
}

// same lists what is stored of a network, the newest last: that has the highest id, whatever the
// clock was.
func (s *Store) same(n Network) []uint32 {
	var ids []uint32
	for id, old := range s.networks {
		if string(old.SSID) == string(n.SSID) &&
			(old.Auth == wsc.AuthOpen) == (n.Auth == wsc.AuthOpen) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// supersede forgets an older copy of a network. If its file cannot be removed, the next start or
// Delete tries again: this is no reason to say that the newer one was not stored.
func (s *Store) supersede(id uint32) {
	if s.dir != nil && s.dir.remove(networkName(id)) != nil {
		s.leftover = append(s.leftover, id)
	}
	s.forget(id)
}

// tidy leaves the newest copy of each network, as Put does. A process of an earlier version that
// was killed between storing a network and removing what it replaced has left two.
func (s *Store) tidy() {
	for _, id := range slices.Sorted(maps.Keys(s.networks)) {
		n, ok := s.networks[id]
		if !ok {
			continue
		}
		same := s.same(n)
		for _, old := range same[:len(same)-1] {
			s.supersede(old)
			s.tidied = append(s.tidied, old)
		}
	}
}

// Tidied lists the networks that Open removed because there was a newer copy of each.
func (s *Store) Tidied() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tidied)
}

// Delete removes a network and overwrites its secrets.
func (s *Store) Delete(id uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.networks[id]; !ok {
		return fmt.Errorf("%w: %d", ErrNotFound, id)
	}
	return s.remove(id)
}

// Close gives the directory back and overwrites all secrets in memory.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.networks {
		s.forget(id)
	}
	s.token.Wipe()
	s.token = Token{}
	s.closed = true
	if s.dir == nil {
		return nil
	}
	dir := s.dir
	s.dir = nil
	return dir.close()
}

// remove deletes the file, then the entry.
func (s *Store) remove(id uint32) error {
	if s.closed {
		return ErrClosed
	}
	if s.dir != nil {
		// first: one of these may be an older copy, which would be back at the next start
		for len(s.leftover) > 0 {
			if err := s.dir.remove(networkName(s.leftover[0])); err != nil {
				return err
			}
			s.leftover = s.leftover[1:]
		}
		if err := s.dir.remove(networkName(id)); err != nil {
			return err
		}
	}
	s.forget(id)
	return nil
}

func (s *Store) forget(id uint32) {
	s.networks[id].wipe()
	delete(s.networks, id)
}

func (s *Store) write(name string, text []byte) error {
	switch {
	case s.closed:
		return ErrClosed
	case s.dir == nil:
		return nil
	}
	return s.dir.write(name, text)
}

// clone gives n secrets of its own.
func (n Network) clone() Network {
	n.SSID = slices.Clone(n.SSID)
	n.Key = n.Key.Clone()
	n.Raw = n.Raw.Clone()
	return n
}

func (n Network) withoutSecrets() Network {
	n.Key, n.Raw = secret.Value{}, secret.Value{}
	return n
}

func (n Network) wipe() {
	n.Key.Wipe()
	n.Raw.Wipe()
}
