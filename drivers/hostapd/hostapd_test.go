package hostapd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

// fake is a control socket that answers from a table, as hostapd or wpa_supplicant would.
type fake struct {
	conn    *net.UnixConn
	mu      sync.Mutex
	answers map[string]string // command prefix → reply
	heard   []string
	monitor *net.UnixAddr
}

func startFake(t *testing.T, path string, answers map[string]string) *fake {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{conn: conn, answers: answers}
	t.Cleanup(func() { conn.Close() })
	go f.serve()
	return f
}

func (f *fake) serve() {
	b := make([]byte, 8192)
	for {
		n, from, err := f.conn.ReadFromUnix(b)
		if err != nil {
			return
		}
		command := string(b[:n])
		f.mu.Lock()
		f.heard = append(f.heard, command)
		reply := "UNKNOWN COMMAND\n"
		switch {
		case command == "ATTACH":
			f.monitor, reply = from, "OK\n"
		case command == "PING":
			reply = "PONG\n"
		}
		for prefix, answer := range f.answers {
			if strings.HasPrefix(command, prefix) {
				reply = answer
			}
		}
		f.mu.Unlock()
		_, _ = f.conn.WriteToUnix([]byte(reply), from)
	}
}

func (f *fake) event(t *testing.T, text string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.conn.WriteToUnix([]byte(text), f.monitor); err != nil {
		t.Fatal(err)
	}
}

func (f *fake) commands() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.heard...)
}

func open(t *testing.T, path string) drivers.AccessPoint {
	t.Helper()
	a, err := Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

var hostapdAnswers = map[string]string{
	"STATUS":     "state=ENABLED\nphy=phy0\nfreq=2412\nchannel=1\n",
	"GET_CONFIG": "bssid=02:00:00:00:00:00\nssid=caf\\xc3\\xa9 \\\"x\\\"\nwps_state=configured\npassphrase=12345678\nwpa=3\nkey_mgmt=WPA-PSK SAE\ngroup_cipher=TKIP\nrsn_pairwise_cipher=CCMP\nwpa_pairwise_cipher=TKIP\n",
	"WPS_PIN":    "OK\n", "WPS_PBC": "OK\n", "WPS_CANCEL": "OK\n",
	"WPS_AP_PIN disable": "OK\n", "WPS_AP_PIN random": "12345670", "WPS_AP_PIN get": "FAIL\n",
	"WPS_AP_PIN set": "24681353",
}

func TestHostapd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wlan0")
	f := startFake(t, path, hostapdAnswers)
	a, ctx := open(t, path), t.Context()
	pin := secret.FromString("12345670")
	mac := [6]byte{2, 0, 0, 0, 1, 0}

	s, err := a.Settings(ctx)
	if err != nil || string(s.SSID) != `café "x"` || !s.Configured || !s.WPA || !s.RSN || !s.SAE ||
		!s.TKIP || !s.CCMP || string(s.Key.Bytes()) != "12345678" || s.Frequency != 2412 {
		t.Errorf("settings %+v, %v", s, err)
	}
	for name, err := range map[string]error{
		"AllowPIN any":     a.AllowPIN(ctx, drivers.PINGrant{PIN: pin, Timeout: 300 * time.Second}),
		"AllowPIN one MAC": a.AllowPIN(ctx, drivers.PINGrant{PIN: pin, MAC: mac}),
		"AllowPBC":         a.AllowPBC(ctx),
		"Withdraw":         a.Withdraw(ctx),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for command, want := range map[drivers.APPINCommand]string{drivers.APPINRandom: "12345670",
		drivers.APPINSet: "24681353", drivers.APPINDisable: ""} {
		got, err := a.APPIN(ctx, drivers.APPINRequest{Command: command,
			PIN: secret.FromString("24681353"), Timeout: time.Minute})
		if err != nil || string(got.Bytes()) != want {
			t.Errorf("APPIN %d: %q, %v", command, got.Bytes(), err)
		}
	}
	if _, err := a.APPIN(ctx, drivers.APPINRequest{Command: drivers.APPINGet}); !errors.Is(err,
		drivers.ErrRefused) {
		t.Errorf("APPIN get without a PIN: %v", err)
	}
	for _, want := range []string{"WPS_PIN any 12345670 300",
		"WPS_PIN any 12345670 0 02:00:00:00:01:00", "WPS_AP_PIN set 24681353 60",
		"WPS_AP_PIN random 60"} {
		if !strings.Contains(strings.Join(f.commands(), "\n"), want) {
			t.Errorf("%q was not sent: %q", want, f.commands())
		}
	}
}

func TestWPASupplicantInAPMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wlan0")
	status := "bssid=02:00:00:00:00:00\nfreq=2437\nssid=net\nmode=AP\npairwise_cipher=CCMP\nkey_mgmt=WPA2-PSK\nwpa_state=COMPLETED\n"
	f := startFake(t, path, map[string]string{
		"STATUS": status + "passphrase=87654321\n", "WPS_PIN": "12345670",
		"WPS_PBC": "FAIL-PBC-OVERLAP\n",
	})
	a := open(t, path)
	s, err := a.Settings(t.Context())
	if err != nil || string(s.SSID) != "net" || !s.RSN || !s.CCMP || s.Frequency != 2437 ||
		string(s.Key.Bytes()) != "87654321" {
		t.Errorf("settings %+v, %v", s, err)
	}
	if err := a.AllowPIN(t.Context(),
		drivers.PINGrant{PIN: secret.FromString("12345670"), Timeout: time.Minute}); err != nil {
		t.Error(err)
	}
	if err := a.AllowPBC(t.Context()); !errors.Is(err, drivers.ErrOverlap) {
		t.Errorf("AllowPBC in an overlap: %v", err)
	}
	if got := strings.Join(f.commands(), "\n"); !strings.Contains(got, "WPS_PIN any 12345670 60") {
		t.Errorf("commands %q", got)
	}
}

func next(t *testing.T, a drivers.AccessPoint) drivers.APEvent {
	t.Helper()
	select {
	case e := <-a.Events():
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event")
		panic("unreachable")
	}
}

func TestARestartIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wlan0")
	f := startFake(t, path, hostapdAnswers)
	a := open(t, path)
	f.event(t, "<3>WPS-SUCCESS ")
	if e := next(t, a); e.Kind != drivers.APSuccess {
		t.Fatalf("event %+v", e)
	}
	f.conn.Close()
	_ = os.Remove(path)
	startFake(t, path, hostapdAnswers)
	if e := next(t, a); e.Kind != drivers.APGone {
		t.Fatalf("after the end: %+v", e)
	}
	if e := next(t, a); e.Kind != drivers.APBack {
		t.Fatalf("after the restart: %+v", e)
	}
	if err := a.AllowPBC(t.Context()); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestASilentPeerDoesNotHoldUs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wlan0")
	f := startFake(t, path, hostapdAnswers)
	a := open(t, path)
	f.conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := a.AllowPBC(ctx); err == nil {
		t.Error("a dead peer said yes")
	}
}

func TestParseEvent(t *testing.T) {
	t.Parallel()
	const uuid = "12345678-9abc-def0-1234-56789abcdef0"
	mac := [6]byte{2, 0, 0, 0, 1, 0}
	cases := map[string]struct {
		want drivers.APEvent
		ok   bool
	}{
		"<3>WPS-PBC-ACTIVE ":           {drivers.APEvent{Kind: drivers.APPBCActive}, true},
		"IFNAME=wlan0 <3>WPS-TIMEOUT ": {drivers.APEvent{Kind: drivers.APTimeout}, true},
		"<3>WPS-FAIL msg=8 config_error=18": {drivers.APEvent{Kind: drivers.APFailed,
			Message: 8, ConfigError: 18}, true},
		"<3>WPS-FAIL ":                        {drivers.APEvent{Kind: drivers.APFailed}, true},
		"<3>WPS-FAIL msg=99999 config_error=": {drivers.APEvent{Kind: drivers.APFailed}, true},
		"<3>WPS-REG-SUCCESS 02:00:00:00:01:00 " +
			uuid: {drivers.APEvent{Kind: drivers.APEnrolled, MAC: mac, UUID: uuid}, true},
		"<3>WPS-REG-SUCCESS 02:00:00:00:01 " + uuid: {drivers.APEvent{}, false},
		"<3>WPS-REG-SUCCESS ":                       {drivers.APEvent{}, false},
		"<3>WPS-PIN-NEEDED " + uuid + " 02:00:00:00:01:00 [n|Maker|Model|1|2|1-0050F204-1]": {
			drivers.APEvent{Kind: drivers.APPINNeeded, MAC: mac, UUID: uuid,
				Device: drivers.APEnrollee{
					Name: "n", Manufacturer: "Maker", ModelName: "Model", ModelNumber: "1",
					SerialNumber: "2", DeviceType: "1-0050F204-1"}}, true},
		"<3>WPS-ENROLLEE-SEEN 02:00:00:00:01:00 " + uuid + " 1-0050F204-1 0x4388 4 1 [a b]": {
			drivers.APEvent{Kind: drivers.APEnrolleeSeen, MAC: mac, UUID: uuid,
				Device: drivers.APEnrollee{
					Name: "a b", DeviceType: "1-0050F204-1", ConfigMethods: 0x4388,
					DevicePasswordID: 4}}, true},
		"<3>WPS-ENROLLEE-SEEN x": {drivers.APEvent{}, false},
		"<3>CTRL-EVENT-EAP-STARTED 02:00:00:00:01:00": {drivers.APEvent{Kind: drivers.APRunStarted,
			MAC: mac}, true},
		"<3>CTRL-EVENT-EAP-STARTED EAP authentication": {drivers.APEvent{}, false},
		"OK":                    {drivers.APEvent{}, false},
		"<3":                    {drivers.APEvent{}, false},
		"<3>AP-STA-CONNECTED x": {drivers.APEvent{}, false},
	}
	for text, c := range cases {
		got, ok := parseEvent([]byte(text))
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %+v %v", text, got, ok)
		}
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`plain`: "plain", `a\\b\"c\"`: `a\b"c"`,
		`\x00\xff\n\r\t\e`: "\x00\xff\n\r\t\x1b"} {
		if got, err := unescape([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, bad := range []string{`\`, `\x`, `\x1`, `\xzz`, `\q`} {
		if got, err := unescape([]byte(bad)); err == nil {
			t.Errorf("%s is taken for %q", bad, got)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte("<3>WPS-FAIL msg=8 config_error=18"))
	f.Add([]byte("<3>WPS-PIN-NEEDED 12345678-9abc-def0-1234-56789abcdef0 02:00:00:00:01:00 [n|m|m|1|2|1-0050F204-1]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, ok := parseEvent(b)
		if !ok {
			return
		}
		if e.Kind == 0 || len(e.Device.Name) > 64 ||
			strings.ContainsAny(e.Device.Name, "\n\x00\x7f") || e.UUID != "" && !isUUID(e.UUID) {
			t.Errorf("%q: %+v", b, e)
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(hostapdAnswers["GET_CONFIG"]))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSettings(fields(b), fields(b))
		if err == nil && (len(s.SSID) == 0 || len(s.SSID) > 32) {
			t.Errorf("%q: %+v", b, s)
		}
	})
}
