package sim

import (
	"testing"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// taken is the PIN that an Enrollee is given; 0: none.
func taken(s *pinStore, now time.Time, uuid wsc.UUID) admission.ID {
	id, _, _ := s.take(now, uuid, wsc.PasswordIDDefault)
	return id
}

// gives reports whether an Enrollee is given this PIN.
func gives(s *pinStore, now time.Time, uuid wsc.UUID, pin secret.Value) bool {
	_, p, ok := s.take(now, uuid, wsc.PasswordIDDefault)
	return ok && p.Value.Equal(pin)
}

// over reports whether a PIN is gone after a run.
func over(s *pinStore, id admission.ID, success, revealed bool) bool {
	gone, _ := s.release(id, success, revealed)
	return gone
}

func TestPINStore(t *testing.T) {
	t.Parallel()
	one, two := wsc.UUID{1}, wsc.UUID{2}
	a, b := secret.FromString("12345670"), secret.FromString("24681353")
	rows := []struct {
		name string
		run  func(s *pinStore) bool
	}{
		{"a newer wildcard PIN replaces one that was not used", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			s.add(epoch, PINGrant{PIN: b})
			return s.waiting() == 1 && gives(s, epoch, one, b)
		}},
		{"a newer PIN of an Enrollee replaces its older one", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, UUID: one})
			s.add(epoch, PINGrant{PIN: b, UUID: one})
			return s.waiting() == 1
		}},
		{"an Enrollee's own PIN goes before a wildcard", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			s.add(epoch, PINGrant{PIN: b, UUID: one})
			return gives(s, epoch, one, b) && gives(s, epoch, two, a)
		}},
		{"a PIN in use is not given to a second run", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			return taken(s, epoch, one) != 0 && taken(s, epoch, two) == 0
		}},
		{"a wildcard PIN is good for two runs that fail early", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			first := over(s, taken(s, epoch, one), false, false)
			second := over(s, taken(s, epoch, two), false, false)
			return !first && second && taken(s, epoch, one) == 0
		}},
		{"an Enrollee's own PIN is good for any number of runs that fail early",
			func(s *pinStore) bool {
				s.add(epoch, PINGrant{PIN: a, UUID: one})
				for range 10 {
					over(s, taken(s, epoch, one), false, false)
				}
				return taken(s, epoch, one) != 0
			}},
		{"a PIN whose first half was revealed is spent", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, UUID: one})
			return over(s, taken(s, epoch, one), false, true) && taken(s, epoch, one) == 0
		}},
		{"a PIN that expired is not given", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, Timeout: time.Minute})
			return taken(s, epoch.Add(time.Minute), one) == 0 && s.waiting() == 0
		}},
		{"clearing leaves a PIN in use to its run", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, UUID: one})
			s.add(epoch, PINGrant{PIN: b})
			e := taken(s, epoch, one)
			s.clear()
			return s.waiting() == 1 && over(s, e, true, true) && s.waiting() == 0
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if !row.run(&pinStore{}) {
				t.Error("it is not so")
			}
		})
	}
}

func TestNetworkFrom(t *testing.T) {
	t.Parallel()
	key := secret.FromString("passphrase")
	rows := []struct {
		name string
		c    wsc.Credential
		want Security
		ok   bool
	}{
		{"open settings are taken", wsc.Credential{SSID: []byte("x"), AuthType: wsc.AuthOpen,
			EncrType: wsc.EncrNone}, Open, true},
		{"WPA2 settings are taken", wsc.Credential{SSID: []byte("x"), AuthType: wsc.AuthWPA2PSK,
			EncrType: wsc.EncrAES, NetworkKey: key}, WPA2, true},
		{"WPA gets WPA2 beside it", wsc.Credential{SSID: []byte("x"), AuthType: wsc.AuthWPAPSK,
			EncrType: wsc.EncrAES, NetworkKey: key}, WPAMixed, true},
		{"TKIP gets AES beside it", wsc.Credential{SSID: []byte("x"), AuthType: wsc.AuthWPA2PSK,
			EncrType: wsc.EncrTKIP, NetworkKey: key}, WPAMixed, true},
		{"WEP is refused", wsc.Credential{SSID: []byte("x"), AuthType: wsc.AuthOpen,
			EncrType: wsc.EncrWEP, NetworkKey: key}, Open, false},
		{"a short key is refused", wsc.Credential{SSID: []byte("x"), AuthType: wsc.AuthWPA2PSK,
			EncrType: wsc.EncrAES, NetworkKey: secret.FromString("1234567")}, WPA2, false},
		{"no SSID is refused", wsc.Credential{AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone},
			Open, false},
		{"an enterprise network is refused", wsc.Credential{SSID: []byte("x"),
			AuthType: wsc.AuthWPA2, EncrType: wsc.EncrAES, NetworkKey: key}, Open, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			n, ok := networkFrom(&row.c)
			if ok != row.ok || ok && n.security != row.want {
				t.Errorf("%v, %v", n.security, ok)
			}
		})
	}
}

// TestBadOptions checks that mistakes in a test's own world are told, not lived with.
func TestBadOptions(t *testing.T) {
	t.Parallel()
	w := NewWorld(WorldOptions{})
	good := APOptions{SSID: "x", BSSs: []BSS{{BSSID: wsc.MAC{2}, Frequency: 2412}}}
	if _, err := w.AddAP(good); err != nil {
		t.Fatal(err)
	}
	rows := map[string]APOptions{
		"a BSSID that is taken": good,
		"no BSS":                {SSID: "x"},
		"an SSID of 33 bytes": {SSID: "123456789012345678901234567890123",
			BSSs: []BSS{{BSSID: wsc.MAC{2, 1}, Frequency: 2412}}},
		"a group address": {BSSs: []BSS{{BSSID: wsc.Broadcast, Frequency: 2412}}},
		"no frequency":    {BSSs: []BSS{{BSSID: wsc.MAC{2, 1}}}},
		"a key of an open one": {Key: secret.FromString("passphrase"),
			BSSs: []BSS{{BSSID: wsc.MAC{2, 1}, Frequency: 2412}}},
		"no key of a WPA2 one": {Security: WPA2,
			BSSs: []BSS{{BSSID: wsc.MAC{2, 1}, Frequency: 2412}}},
		"a key that is too long": {Security: WPA2, Key: secret.New(make([]byte, 65)),
			BSSs: []BSS{{BSSID: wsc.MAC{2, 1}, Frequency: 2412}}},
	}
	for name, o := range rows {
		if _, err := w.AddAP(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, r := range []Radio{{}, {Name: "a"}, {Name: "a", MAC: wsc.Broadcast}} {
		if w.AddRadio(r) == nil {
			t.Errorf("%+v is taken", r)
		}
	}
	if err := w.AddRadio(Radio{Name: "a", MAC: wsc.MAC{2, 2}}); err != nil ||
		w.AddRadio(Radio{Name: "a", MAC: wsc.MAC{2, 3}}) == nil {
		t.Error("two radios of one name")
	}
	if _, err := New(Options{Speed: -1}); err == nil {
		t.Error("a negative speed is taken")
	}
}
