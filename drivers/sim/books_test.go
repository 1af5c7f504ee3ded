package sim

import (
	"testing"
	"time"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestLockout(t *testing.T) {
	t.Parallel()
	var l lockout
	now := epoch
	// Ten failures with a success before the last: how long each locks, in minutes.
	for i, minutes := range []int{0, 0, 1, 1, 1, 2, 2, 2, 4} {
		l.failed(now)
		if d := time.Duration(minutes) * time.Minute; l.locked(now) != (d > 0) ||
			l.locked(now.Add(d)) {
			t.Errorf("failure %d does not lock for %v", i+1, d)
		}
		now = now.Add(time.Hour)
	}
	l.passed()
	l.failed(now)
	if l.forever {
		t.Error("ten failures that are not in a row lock for ever")
	}
	for range 9 {
		l.failed(now)
	}
	if !l.locked(now.Add(100 * maxLockDuration)) {
		t.Error("ten failures in a row do not lock for ever")
	}
	l = lockout{}
	for range 100 {
		l.failed(now)
		l.passed()
	}
	if d := l.until.Sub(now); d != maxLockDuration {
		t.Errorf("a hundred failures lock for %v", d)
	}
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
			return len(s.entries) == 1 && s.take(epoch, one).pin.Equal(b)
		}},
		{"a newer PIN of an Enrollee replaces its older one", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, UUID: one})
			s.add(epoch, PINGrant{PIN: b, UUID: one})
			return len(s.entries) == 1
		}},
		{"an Enrollee's own PIN goes before a wildcard", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			s.add(epoch, PINGrant{PIN: b, UUID: one})
			return s.take(epoch, one).pin.Equal(b) && s.take(epoch, two).pin.Equal(a)
		}},
		{"a PIN in use is not given to a second run", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			return s.take(epoch, one) != nil && s.take(epoch, two) == nil
		}},
		{"a wildcard PIN is good for two runs that fail early", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a})
			first := s.release(s.take(epoch, one), false, false)
			second := s.release(s.take(epoch, two), false, false)
			return !first && second && s.take(epoch, one) == nil
		}},
		{"an Enrollee's own PIN is good for any number of runs that fail early",
			func(s *pinStore) bool {
				s.add(epoch, PINGrant{PIN: a, UUID: one})
				for range 10 {
					s.release(s.take(epoch, one), false, false)
				}
				return s.take(epoch, one) != nil
			}},
		{"a PIN whose first half was revealed is spent", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, UUID: one})
			return s.release(s.take(epoch, one), false, true) && s.take(epoch, one) == nil
		}},
		{"a PIN that expired is not given", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, Timeout: time.Minute})
			return s.take(epoch.Add(time.Minute), one) == nil && len(s.entries) == 0
		}},
		{"clearing leaves a PIN in use to its run", func(s *pinStore) bool {
			s.add(epoch, PINGrant{PIN: a, UUID: one})
			s.add(epoch, PINGrant{PIN: b})
			e := s.take(epoch, one)
			s.clear()
			return len(s.entries) == 1 && s.release(e, true, true) && len(s.entries) == 0
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

func TestPBCMonitorIsBounded(t *testing.T) {
	t.Parallel()
	var p pbcMonitor
	for i := range 1000 {
		p.heard(epoch, wsc.UUID{byte(i), byte(i >> 8)}, wsc.MAC{2})
	}
	if len(p.sessions) > maxPBCSessions || !p.overlap(epoch) || p.overlap(epoch.Add(walkTime)) {
		t.Errorf("%d sessions", len(p.sessions))
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
