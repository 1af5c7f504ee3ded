// Package settings has what may be changed while the daemon runs: what we say of ourselves, what
// becomes of credentials, how large fragments are. It tells of each change. What managers are asked
// for with a network is lending's.
package settings

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/state"
	"wpsd/service/store"
)

// Config is what Settings begin with.
type Config struct {
	Values
	Version   string           // of the program
	Store     *store.Store     // keeps the UUID
	Published *state.Published // is told of changes
	Rand      io.Reader
	Log       *slog.Logger
}

// Values are those of the configuration.
type Values struct {
	// Device is what we say of ourselves. A zero UUID is replaced by the stored one or, on the
	// first start, by one made from the address of the first interface. A zero Version2 becomes 2.0
	// and zero ConfigMethods wpa_supplicant's default.
	Device wsc.Device
	// Processing of received credentials; empty: internal.
	Processing state.Processing
	// FragmentSize of EAP; 0: 1400.
	FragmentSize int
}

// complete fills in what the configuration leaves open, and refuses what cannot be meant.
func (v *Values) complete(st *store.Store) error {
	v.Device = completeDevice(v.Device, st)
	v.Processing = cmp.Or(v.Processing, state.ProcessingInternal)
	if err := checkDevice(v.Device); err != nil {
		return err
	}
	return checkProcessing(v.Processing)
}

// Settings are safe for concurrent use. Their lock is taken after the service's, and before that of
// state.Published.
type Settings struct {
	store     *store.Store
	published *state.Published
	rand      io.Reader
	log       *slog.Logger

	mu           sync.Mutex
	manager      state.Manager
	fragmentSize int
	altered      bool // one is another than the configuration's
}

// New makes Settings, and tells of them.
func New(c Config) (*Settings, error) {
	if err := c.complete(c.Store); err != nil {
		return nil, err
	}
	s := &Settings{store: c.Store, published: c.Published, rand: c.Rand, log: c.Log,
		fragmentSize: c.FragmentSize,
		manager:      state.Manager{Version: c.Version, Device: c.Device, Processing: c.Processing}}
	s.publish()
	return s, nil
}

// publish tells what the settings are. The caller holds mu.
func (s *Settings) publish() { s.published.Publish(state.ManagerChanged{Manager: s.manager}) }

// Reload replaces settings by the configuration's, also those that somebody changed since the start.
// Sessions go on with those they began with. On an error nothing is changed.
func (s *Settings) Reload(v Values) error {
	if err := v.complete(s.store); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fragmentSize, s.altered = v.FragmentSize, false
	s.manager.Device, s.manager.Processing = v.Device, v.Processing
	s.publish()
	return nil
}

// Altered reports whether a setting is another than the configuration's.
func (s *Settings) Altered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.altered
}

// Alter notes that a setting is another than the configuration's, which is not kept here.
func (s *Settings) Alter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.altered = true
	s.publish() // the bus looks at who needs the daemon
}

// SetWaiting tells how many credentials wait for an agent.
func (s *Settings) SetWaiting(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manager.Waiting = n
	s.publish()
}

// GeneratePIN returns a new random PIN; nothing is started.
func (s *Settings) GeneratePIN() (secret.Value, error) {
	pin, err := devpass.GeneratePIN(s.rand)
	if err != nil {
		return secret.Value{}, fmt.Errorf("settings: %w", err)
	}
	return pin, nil
}

// Processing is what becomes of credentials that are received now.
func (s *Settings) Processing() state.Processing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.manager.Processing
}

// SetProcessing says what becomes of credentials that are received from now on.
func (s *Settings) SetProcessing(_ context.Context, p state.Processing) error {
	if err := checkProcessing(p); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manager.Processing != p {
		s.manager.Processing, s.altered = p, true
		s.publish()
	}
	return nil
}

// MinFragmentSize and MaxFragmentSize bound EAP-WSC fragments. Below 50 bytes an exchange is a
// hundred round trips and hardly ends in time (hostap's own tests go down to 50 as well); above
// 1,400 a fragment may not fit a frame.
const (
	MinFragmentSize = 50
	MaxFragmentSize = 1400
)

// FragmentSize bounds the EAP-WSC fragments of sessions that begin now, in bytes; 0: the usual size.
func (s *Settings) FragmentSize() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fragmentSize
}

// SetFragmentSize sets it, until the daemon ends or Reload.
func (s *Settings) SetFragmentSize(_ context.Context, n int) error {
	if n != 0 && (n < MinFragmentSize || n > MaxFragmentSize) {
		return fmt.Errorf("%w: a fragment has %d to %d bytes, not %d", state.ErrInvalid,
			MinFragmentSize, MaxFragmentSize, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fragmentSize != n {
		s.fragmentSize, s.altered = n, true
		s.publish() // the bus looks at who needs the daemon
	}
	return nil
}
