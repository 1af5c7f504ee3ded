package wpasupplicant

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"wpsd/drivers"
	"wpsd/drivers/managerbus/managertest"
	"wpsd/engine/credential"
)

// socketed is a wpa_supplicant that is not on D-Bus: it has wlan0 and the networks "home", and
// "off", which is disabled.
type socketed struct {
	mu       sync.Mutex
	state    string
	selected string
	refuses  bool     // the access point does not let it in
	added    int      // how many networks
	told     []string // commands that change something
}

// playSocket answers at a control socket as wpa_supplicant 2.10 does.
func playSocket(t *testing.T) (*Manager, *socketed) {
	t.Helper()
	dir := t.TempDir()
	conn, err := net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: filepath.Join(dir, "wlan0"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	s := &socketed{state: stateCompleted}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUnix(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUnix([]byte("<3>an event of somebody else's"), from)
			_, _ = conn.WriteToUnix([]byte(s.reply(string(b[:n]))), from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &Manager{Bus: managertest.Start(t, nil), Sockets: []string{t.TempDir(), dir}}, s
}

func (s *socketed) reply(command string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch verb, rest, _ := strings.Cut(command, " "); verb {
	case "PING":
		return "PONG\n"
	case "STATUS":
		return "bssid=02:00:00:00:00:00\nid=" + s.selected + "\nwpa_state=" + s.state + "\n"
	case "LIST_NETWORKS":
		return "network id / ssid / bssid / flags\n0\thome\tany\t[CURRENT]\n1\toff\tany\t[DISABLED]\n"
	case "GET_NETWORK":
		return map[string]string{"0 ssid": `"home"`, "1 ssid": `"off"`, "0 key_mgmt": "WPA-PSK",
			"1 key_mgmt": "NONE", "0 mode": "0", "1 mode": "0"}[rest]
	case "GET_CAPABILITY":
		return "NONE WPA-PSK SAE"
	case "DISCONNECT":
		s.state = stateDisconnected
	case "RECONNECT", "SELECT_NETWORK":
		s.state, s.selected = stateCompleted, rest
		if s.refuses {
			s.state = "SCANNING"
		}
	}
	s.told = append(s.told, command)
	if command == "ADD_NETWORK" {
		s.added++
		return fmt.Sprintf("%d\n", 1+s.added)
	}
	return "OK\n"
}

func (s *socketed) wantTold(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.told, want) {
		t.Errorf("it was told\n%q, not\n%q", s.told, want)
	}
	s.told = nil
}

func TestHolderOverTheSocket(t *testing.T) {
	t.Parallel()
	m, s := playSocket(t)
	owed, err := m.Claim(t.Context(), "wlan0")
	if err != nil || string(owed) != `{"way":"socket"}` {
		t.Fatalf("Claim: %s, %v", owed, err)
	}
	s.wantTold(t)
	if apart, err := m.Release(t.Context(), "wlan0", owed); err != nil || apart {
		t.Fatalf("Release: %v, %v", apart, err)
	}
	s.wantTold(t, "DISCONNECT", "ABORT_SCAN")
	if err := m.Restore(t.Context(), "wlan0", owed, false); err != nil {
		t.Fatal(err)
	}
	s.wantTold(t)
	if err := m.Restore(t.Context(), "wlan0", owed, true); err != nil {
		t.Fatal(err)
	}
	s.wantTold(t, "RECONNECT")
	if owed, err := m.Claim(t.Context(), "wlan1"); owed != nil || err != nil {
		t.Errorf("an interface that it does not have: %s, %v", owed, err)
	}
	if err := m.Restore(t.Context(), "wlan1", owed, true); err != nil {
		t.Errorf("it was stopped meanwhile: %v", err)
	}
	s.mu.Lock()
	s.state = stateDisabled
	s.mu.Unlock()
	held := new(drivers.HeldError)
	if _, err := m.Claim(t.Context(), "wlan0"); !errors.As(err, &held) ||
		held.Interface != "wlan0" || !errors.Is(held, drivers.ErrHeldLinkDown) {
		t.Errorf("its link is down: %v", err)
	}
}

func TestDeliverOverTheSocket(t *testing.T) {
	t.Parallel()
	m, s := playSocket(t)
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(received("home", "new words", credential.KeyPassphrase))); err != nil {
		t.Fatal(err)
	}
	s.wantTold(t, "SET_NETWORK 0 ssid 686f6d65",
		"SET_NETWORK 0 key_mgmt WPA-PSK WPA-PSK-SHA256 SAE", "SET_NETWORK 0 ieee80211w 1",
		`SET_NETWORK 0 psk "new words"`, "SELECT_NETWORK 0", "SAVE_CONFIG")
	if _, err := m.Deliver(t.Context(), "wlan0",
		offer(received("off", "", credential.KeyNone))); err != nil {
		t.Fatal(err)
	}
	s.wantTold(t, "SET_NETWORK 1 ssid 6f6666", "SET_NETWORK 1 key_mgmt NONE", "SELECT_NETWORK 1",
		"ENABLE_NETWORK 0", "SAVE_CONFIG")
	s.mu.Lock()
	s.refuses = true
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // nobody waits for the time to run out
		for !s.isSelected("2") && ctx.Err() == nil {
		}
		cancel()
	}()
	key := strings.Repeat("0123456789abcdef", 4)
	if _, err := m.Deliver(ctx, "wlan0",
		offer(received("fresh", key, credential.KeyRawPSK))); !errors.Is(err, context.Canceled) {
		t.Fatalf("it does not connect: %v", err)
	}
	s.wantTold(t, "ADD_NETWORK", "SET_NETWORK 2 ssid 6672657368", "SET_NETWORK 2 key_mgmt WPA-PSK",
		"SET_NETWORK 2 psk "+key,
		"SELECT_NETWORK 2", "REMOVE_NETWORK 2", "ENABLE_NETWORK 0")
}

// TestAHandOverThatNobodyWaitsForGoesOn: the network stays, enabled and saved.
func TestAHandOverThatNobodyWaitsForGoesOn(t *testing.T) {
	m, s := playSocket(t)
	s.mu.Lock()
	s.refuses = true
	s.mu.Unlock()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for !s.isSelected("0") && ctx.Err() == nil {
		}
		cancel(fmt.Errorf("another session: %w", credential.ErrKeep))
	}()
	if _, err := m.Deliver(ctx, "wlan0",
		offer(received("home", "new words", credential.KeyPassphrase))); err == nil {
		t.Fatal("it is connected")
	}
	s.wantTold(t, "SET_NETWORK 0 ssid 686f6d65",
		"SET_NETWORK 0 key_mgmt WPA-PSK WPA-PSK-SHA256 SAE", "SET_NETWORK 0 ieee80211w 1",
		`SET_NETWORK 0 psk "new words"`, "SELECT_NETWORK 0", "ENABLE_NETWORK 0", "SAVE_CONFIG")
}

func (s *socketed) isSelected(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.selected == id
}
