package settings

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"

	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
	"wpsd/service/state"
	"wpsd/service/store"
)

// newSettings are those of a device without a UUID, and where they are told.
func newSettings(t *testing.T, st *store.Store) (*Settings, *state.Published) {
	t.Helper()
	p := state.New(state.Manager{})
	s, err := New(Config{Values: Values{Device: wsc.Device{DeviceName: "laptop"}}, Version: "1",
		Store: st, Published: p, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

// TestIdentity: the UUID comes from the first address that there is, and is kept.
func TestIdentity(t *testing.T) {
	t.Parallel()
	first, second := wsc.MAC{2, 0, 0, 0, 0, 1}, wsc.MAC{2, 0, 0, 0, 0, 2}
	st := store.Memory()
	s, p := newSettings(t, st)
	if s.Identify(wsc.MAC{}); p.Manager().Device.UUID != (wsc.UUID{}) {
		t.Error("a UUID of no address")
	}
	s.Identify(first)
	s.Identify(second)
	if want := wsc.UUIDFromMAC(first); p.Manager().Device.UUID != want || st.UUID() != want {
		t.Errorf("%v, stored %v", p.Manager().Device.UUID, st.UUID())
	}
	d := s.Device(second)
	if d.MAC != second || d.UUID != wsc.UUIDFromMAC(first) || d.AuthTypes == 0 ||
		d.State != wsc.NotConfigured || d.DeviceName != "laptop" {
		t.Errorf("%+v", d)
	}
	again, _ := newSettings(t, st)
	if d := again.Device(second); d.UUID != wsc.UUIDFromMAC(first) {
		t.Errorf("after a start it is %v", d.UUID)
	}
}

// TestERNeedsNoAddress: an interface without one, such as lo, gets an identity all the same, which
// is kept.
func TestERNeedsNoAddress(t *testing.T) {
	t.Parallel()
	st := store.Memory()
	s, p := newSettings(t, st)
	if d := s.Device(wsc.MAC{}); d.UUID != (wsc.UUID{}) {
		t.Errorf("who needs none got %v", d.UUID)
	}
	d, err := s.NamedDevice(wsc.MAC{})
	if err != nil || d.UUID == (wsc.UUID{}) || st.UUID() != d.UUID || p.Manager().Device.UUID != d.UUID {
		t.Errorf("%v, stored %v, told %v: %v", d.UUID, st.UUID(), p.Manager().Device.UUID, err)
	}
}

// TestChanges: each change is told, counts as another than the configuration's, and Reload takes it
// back; what cannot be meant changes nothing.
func TestChanges(t *testing.T) {
	t.Parallel()
	name := func(text string) func(*Settings) error {
		return func(s *Settings) error {
			return s.SetDevice(t.Context(), func(d *wsc.Device) { d.DeviceName = text })
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*Settings) error
		is      func(*Settings, state.Manager) bool
		refused bool
	}{
		{"a name", name("phone"), func(_ *Settings, m state.Manager) bool {
			return m.Device.DeviceName == "phone"
		}, false},
		{"a name that no display should show", name("a\x1b[2J"), nil, true},
		{"a name that does not fit", name("a name of more than thirty-two characters"), nil, true},
		{"the processing", func(s *Settings) error {
			return s.SetProcessing(t.Context(), state.ProcessingExternal)
		}, func(s *Settings, m state.Manager) bool {
			return m.Processing == state.ProcessingExternal && s.Processing() == m.Processing
		}, false},
		{"a processing that there is not", func(s *Settings) error {
			return s.SetProcessing(t.Context(), "all")
		}, nil, true},
		{"fragments", func(s *Settings) error { return s.SetFragmentSize(t.Context(), 100) },
			func(s *Settings, _ state.Manager) bool { return s.FragmentSize() == 100 }, false},
		{"fragments of nothing", func(s *Settings) error {
			return s.SetFragmentSize(t.Context(), MinFragmentSize-1)
		}, nil, true},
		{"fragments that fit no frame", func(s *Settings) error {
			return s.SetFragmentSize(t.Context(), MaxFragmentSize+1)
		}, nil, true},
		{"what is kept elsewhere", func(s *Settings) error { s.Alter(); return nil },
			func(*Settings, state.Manager) bool { return true }, false},
	} {
		s, p := newSettings(t, store.Memory())
		before := p.Manager()
		_, sub := p.Subscribe()
		err := c.change(s)
		_, told := sub.TryNext()
		if c.refused {
			if !errors.Is(err, state.ErrInvalid) || told || s.Altered() ||
				p.Manager().Device.DeviceName != before.Device.DeviceName || s.FragmentSize() != 0 ||
				s.Processing() != before.Processing {
				t.Errorf("%s: %v, told %v: %+v", c.name, err, told, p.Manager())
			}
			continue
		}
		if err != nil || !told || !s.Altered() || !c.is(s, p.Manager()) {
			t.Errorf("%s: %v, told %v: %+v", c.name, err, told, p.Manager())
		}
		if err := s.Reload(Values{Device: before.Device}); err != nil || s.Altered() ||
			s.FragmentSize() != 0 || s.Processing() != state.ProcessingInternal ||
			p.Manager().Device.DeviceName != "laptop" {
			t.Errorf("%s: after Reload: %v, %+v", c.name, err, p.Manager())
		}
	}
}

// TestWaiting: how many credentials wait is told with the settings, and is none.
func TestWaiting(t *testing.T) {
	t.Parallel()
	s, p := newSettings(t, store.Memory())
	if s.SetWaiting(3); p.Manager().Waiting != 3 || p.Manager().Version != "1" || s.Altered() {
		t.Errorf("%+v", p.Manager())
	}
	pin, err := s.GeneratePIN()
	if _, bad := devpass.CheckPIN(pin.Bytes()); err != nil || bad != nil {
		t.Errorf("%v, %v", err, bad)
	}
}
