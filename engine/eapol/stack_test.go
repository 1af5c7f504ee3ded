package eapol_test

import (
	"fmt"
	"testing"
	"time"

	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/enginetest"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

func device(name string, mac wsc.MAC) wsc.Device {
	return wsc.Device{
		UUID: wsc.UUIDFromMAC(mac), MAC: mac, Manufacturer: "wpsd", ModelName: name,
		ModelNumber:  "1",
		SerialNumber: "7", DeviceName: name,
		PrimaryDeviceType: wsc.DeviceType{0, 1, 0, 0x50, 0xf2, 4, 0, 1},
		ConfigMethods:     0x2108, AuthTypes: 0x23, EncrTypes: 0xd, ConnTypes: 1, RFBands: 1,
		State: wsc.Configured, Version2: wsc.Version20,
	}
}

var home = wsc.Credential{
	NetworkIndex: 1, SSID: []byte("home"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
	NetworkKey: secret.FromString("correct horse"), MAC: wsc.MAC{2},
}

// stack is a station and an access point, all layers of both, of which one enrols the other.
type stack struct {
	station   *eapol.Supplicant
	ap        *eapol.Authenticator
	enrollee  *registration.Enrollee
	registrar *registration.Registrar
}

func newStack(t testing.TB, stationEnrols, waitForStart bool, stationSize, apSize int, typed,
	expected string) stack {
	t.Helper()
	var s stack
	var err error
	enrollee := registration.EnrolleeConfig{
		Device:   device("enrollee", wsc.MAC{2, 0, 0, 0, 1}),
		Password: devpass.FromPIN(secret.FromString(typed)),
	}
	registrar := registration.RegistrarConfig{
		Device: device("registrar", wsc.MAC{2, 0, 0, 0, 2}), AckDone: !stationEnrols,
		Password: func(_ time.Time, _ wsc.Device,
			id wsc.DevicePasswordID) (devpass.Password, bool) {
			return devpass.FromPIN(secret.FromString(expected)), id == wsc.PasswordIDDefault
		},
	}
	if stationEnrols {
		registrar.Give = []wsc.Credential{home}
	} else {
		enrollee.APSettings = &home
	}
	if s.enrollee, err = registration.NewEnrollee(enrollee); err != nil {
		t.Fatal(err)
	}
	if s.registrar, err = registration.NewRegistrar(registrar); err != nil {
		t.Fatal(err)
	}
	var stationRole, apRole engine.Machine = s.enrollee, s.registrar
	identity := eapwsc.IdentityEnrollee
	if !stationEnrols {
		stationRole, apRole, identity = apRole, stationRole, eapwsc.IdentityRegistrar
	}
	s.station = eapol.NewSupplicant(eapol.SupplicantConfig{
		Inner: eapwsc.NewPeer(eapwsc.PeerConfig{Identity: identity, Inner: stationRole,
			FragmentSize: stationSize}),
	})
	s.ap = eapol.NewAuthenticator(eapol.AuthenticatorConfig{WaitForStart: waitForStart,
		Inner: eapwsc.NewServer(eapwsc.ServerConfig{FragmentSize: apSize,
			Inner: func(got string) engine.Machine {
				if got != identity {
					return nil
				}
				return apRole
			}}),
	})
	return s
}

// TestAllLayers runs the Registration Protocol through EAP-WSC and 802.1X.
func TestAllLayers(t *testing.T) {
	t.Parallel()
	for _, stationEnrols := range []bool{true, false} {
		for _, waitForStart := range []bool{false, true} {
			for _, size := range [][2]int{{0, 0}, {50, 50}, {300, 50}, {50, 300}} {
				t.Run(fmt.Sprintf("station enrols %v, waits for EAPOL-Start %v, fragments %v",
					stationEnrols, waitForStart, size), func(t *testing.T) {
					t.Parallel()
					s := newStack(t, stationEnrols, waitForStart, size[0], size[1],
						"12345670", "12345670")
					l := enginetest.Loopback{A: s.station, B: s.ap}
					if _, err := l.Run(); err != nil {
						t.Fatal(err)
					}
					s.succeeded(t, stationEnrols)
				})
			}
		}
	}
}

func (s stack) succeeded(t *testing.T, stationEnrols bool) {
	t.Helper()
	e, r := s.enrollee.Outcome(), s.registrar.Outcome()
	switch {
	case e.Err != nil && stationEnrols || r.Err != nil:
		t.Errorf("enrollee: %v, registrar: %v", e.Err, r.Err)
	case stationEnrols && (len(e.Credentials) != 1 ||
		!e.Credentials[0].NetworkKey.Equal(home.NetworkKey)):
		t.Error("no credential")
	case !stationEnrols && (r.APSettings == nil || !r.APSettings.NetworkKey.Equal(home.NetworkKey)):
		t.Error("no settings of the access point")
	}
}

// TestAllLayersWrongPIN: the WSC_NACKs of both sides pass through the layers, and the run ends well
// within the time that an access point waits.
func TestAllLayersWrongPIN(t *testing.T) {
	t.Parallel()
	for _, stationEnrols := range []bool{true, false} {
		s := newStack(t, stationEnrols, false, 50, 50, "12345670", "12340002")
		l := enginetest.Loopback{A: s.station, B: s.ap}
		if _, err := l.Run(); err != nil {
			t.Fatal(err)
		}
		if took := l.Now().Sub(enginetest.Epoch); took > 2*time.Second {
			t.Errorf("station enrols %v: it took %v", stationEnrols, took)
		}
		if e, r := s.enrollee.Outcome().Err, s.registrar.Outcome().Err; e == nil || r == nil {
			t.Errorf("station enrols %v: enrollee %v, registrar %v", stationEnrols, e, r)
		}
	}
}

// TestAllLayersSilence: an access point that falls silent is noticed at every layer that it may
// have reached.
func TestAllLayersSilence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		packets  int // of both sides, before the silence
		timedOut bool
		took     time.Duration
	}{
		{"it never begins", 0, true, 92 * time.Second},
		{"it asks for the identity only", 1, true, 15 * time.Second},
		{"after M2", 5, true, 15 * time.Second},
		{"in the middle of a message in fragments", 8, true, 15 * time.Second},
		{"never", 1000, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, true, false, 300, 300, "12345670", "12345670")
			now := enginetest.Epoch
			toStation, toAP := s.ap.Start(now).Send, [][]byte(nil)
			step := s.station.Start(now)
			for n := 0; n < c.packets && len(toStation)+len(toAP) > 0 && !step.Done; n++ {
				if len(toStation) > 0 {
					step = s.station.Handle(now, toStation[0])
					toStation, toAP = toStation[1:], append(toAP, step.Send...)
					continue
				}
				toStation, toAP = append(toStation, s.ap.Handle(now, toAP[0]).Send...), toAP[1:]
			}
			for !step.Done {
				now = step.Deadline
				step = s.station.Timeout(now)
			}
			if took := now.Sub(enginetest.Epoch); s.station.TimedOut() != c.timedOut ||
				took != c.took {
				t.Errorf("timed out %v, after %v", s.station.TimedOut(), took)
			}
		})
	}
}

// TestAllLayersWithLoss: whatever the link does, a credential that arrives is the right one, and
// both sides come to an end.
func TestAllLayersWithLoss(t *testing.T) {
	t.Parallel()
	held := 0
	for seed := range uint64(60) {
		s := newStack(t, true, seed%2 == 0, 300, 300, "12345670", "12345670")
		l := enginetest.Loopback{A: s.station, B: s.ap, Channel: enginetest.Lossy(seed, 0.03)}
		if _, err := l.Run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, c := range s.enrollee.Outcome().Credentials {
			held++
			if !c.NetworkKey.Equal(home.NetworkKey) || string(c.SSID) != "home" {
				t.Fatalf("seed %d: a credential that was not sent", seed)
			}
		}
	}
	t.Logf("%d of 60 runs bring the credential", held)
	if held < 20 {
		t.Errorf("%d of 60 runs bring the credential", held)
	}
}
