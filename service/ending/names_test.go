package ending

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/discovery"
	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/search"
	"wpsd/service/state"
)

var (
	homeBSSID      = wsc.MAC{2, 0, 0, 0, 1, 0}
	guestBSSID     = wsc.MAC{2, 0, 0, 0, 3, 1}
	neighborsBSSID = wsc.MAC{2, 0, 0, 0, 9, 9}
	routerUUID     = wsc.UUID{1}
)

// TestSentencesNameThings: what happened to whom, by the names that a person knows, and what to do.
func TestSentencesNameThings(t *testing.T) {
	t.Parallel()
	wrongPIN := &registration.Error{ConfigError: wsc.ConfigErrorDevicePasswordAuthFailure, Half: 1,
		Err: registration.ErrPassword}
	at := func(alter func(*state.Session)) *state.Session {
		s := &state.Session{Role: state.RoleEnrollee, Purpose: state.PurposeEnroll, Method: state.MethodPIN,
			Peer: homeBSSID, Detail: outcome.Detail{SSID: []byte("Haus")}}
		alter(s)
		return s
	}
	named := func(s *state.Session) { s.Wanted, s.Detail.Wanted.SSID = homeBSSID, []byte("Haus") }
	nobody := func(s *state.Session) { s.Peer, s.Detail.SSID = wsc.MAC{}, nil }
	learn := func(s *state.Session) { s.Role, s.Purpose = state.RoleRegistrar, state.PurposeLearn }
	erAt := func(s *state.Session) {
		s.Role, s.Purpose = state.RoleExternalRegistrar, state.PurposeLearn
		s.Detail.FriendlyName, s.Detail.Address = "Box", "192.0.2.1"
	}
	const box = `"Box" (192.0.2.1)`
	const haus = `"Haus" (02:00:00:00:01:00)`
	for _, c := range []struct {
		name    string
		err     error
		session *state.Session
		says    []string
		never   []string
	}{
		{"two routers", &discovery.OverlapError{BSSIDs: []wsc.MAC{homeBSSID, guestBSSID,
			neighborsBSSID}}, at(func(s *state.Session) {
			s.Method = state.MethodPBC
			s.Detail.Overlap = []outcome.AccessPoint{{BSSID: homeBSSID, SSID: []byte("Haus"), UUID: routerUUID},
				{BSSID: guestBSSID, SSID: []byte("Haus"), UUID: routerUUID},
				{BSSID: neighborsBSSID, SSID: []byte("Hof"), UUID: wsc.UUID{2}}}
		}), []string{"buttons of 2 routers", `"Haus" (02:00:00:00:01:00, 02:00:00:00:03:01) and "Hof" (02:00:00:00:09:09)`, "Name yours"}, []string{"3 "}},
		{"two routers that nobody knows more of",
			&discovery.OverlapError{BSSIDs: []wsc.MAC{homeBSSID, neighborsBSSID}},
			at(func(s *state.Session) { s.Method = state.MethodPBC }),
			[]string{"buttons of 2 routers", "02:00:00:00:01:00 and 02:00:00:00:09:09"}, nil},
		{"a wrong PIN at the access point that was named", wrongPIN, at(named),
			[]string{haus, "first half", "type it there again"}, []string{"neighbor"}},
		{"a wrong PIN at what may be a stranger's", wrongPIN, at(func(*state.Session) {}),
			[]string{haus, "another PIN", "neighbor", "name yours"},
			[]string{"ype it there again"}},
		{"a name with a zero byte", fmt.Errorf("%w: %w", registration.ErrCredential,
			credential.ErrSSID), at(func(*state.Session) {
		}), []string{haus, "zero byte"}, []string{"passphrase"}},
		{"a wrong PIN of the access point", wrongPIN, at(learn), []string{haus, "label"},
			[]string{"neighbor"}},
		{"locked says which", registration.ErrLocked, at(func(*state.Session) {}),
			[]string{haus, "locked"}, nil},
		{"locked already says which", ErrLockedAlready, at(learn),
			[]string{haus, "locked", "was not tried"}, nil},
		{"no WPS says which", search.ErrNoWPS, at(func(s *state.Session) { nobody(s); named(s) }),
			[]string{haus, "does not offer WPS"}, nil},
		{"in 6 GHz says which, and which else",
			&search.BandError{Frequency: 6135, SSID: []byte("Haus"), Instead: &discovery.Candidate{
				BSSID: guestBSSID, SSID: []byte("Haus")}},
			at(func(s *state.Session) { nobody(s); s.Wanted = homeBSSID }),
			[]string{haus, "6 GHz", `instead, "Haus" (02:00:00:00:03:01)`}, nil},
		{"in 6 GHz, and its settings are to be read", &search.BandError{Frequency: 6135},
			at(func(s *state.Session) { nobody(s); learn(s); s.Wanted = homeBSSID }),
			[]string{"02:00:00:00:01:00 is in the 6 GHz band", "instead."}, nil},
		{"not found says which", ErrNoAccessPoint,
			at(func(s *state.Session) { nobody(s); s.Wanted = homeBSSID }),
			[]string{"02:00:00:00:01:00 was not found"}, nil},
		{"nothing was named, nothing was found", ErrNoAccessPoint, at(nobody),
			[]string{"No access point with WPS was found"}, nil},
		{"the settings of one that is not there", ErrNoAccessPoint,
			at(func(s *state.Session) { nobody(s); learn(s); s.Wanted = homeBSSID }),
			[]string{"02:00:00:00:01:00 was not found"}, nil},
		{"time is over at one that was named", ErrWalkTime,
			at(func(s *state.Session) { nobody(s); named(s); s.Method = state.MethodPBC }),
			[]string{haus, "button"}, nil},
		{"time is over for a PIN at one that was named", ErrWalkTime,
			at(func(s *state.Session) { nobody(s); named(s) }), []string{haus, "PIN"}, nil},
		{"a manager has its own name", &HandoverError{Manager: "networkmanager",
			Err: errors.New("networkmanager: a\nb")}, at(func(s *state.Session) {
			s.Networks = []state.NetworkID{1}
		}),
			[]string{"stored", "NetworkManager did not connect", "(a; b)"},
			[]string{"\n", "networkmanager"}},
		{"what was not stored is not said to be",
			&HandoverError{Manager: "iwd", Err: errors.New("a")}, at(func(*state.Session) {}),
			[]string{"The network is received"}, []string{"stored"}},
		{"an error of the protocol in words",
			fmt.Errorf("%w", &registration.Error{ConfigError: wsc.ConfigErrorDeviceBusy,
				Err: registration.ErrNack}), at(func(*state.Session) {}),
			[]string{haus, "(error 14)"}, []string{"run"}},
		{"an error that nobody knows", &registration.Error{ConfigError: 291,
			Err: registration.ErrNack}, at(func(*state.Session) {
		}), []string{haus, "291"}, []string{"291 (291)"}},
		{"our own mistake", errors.New("boom"), at(func(*state.Session) {}),
			[]string{"journalctl -u wpsd"}, []string{"boom"}},
		{"a device that came in vain", ErrWalkTime, at(func(s *state.Session) {
			s.Role, s.Purpose, s.Started, s.Deadline = state.RoleRegistrar, state.PurposeAdmit, time.Unix(0, 0),
				time.Unix(600, 0)
		}), []string{"within 10 minutes"}, []string{"10m"}},
		{"a device that came in vain to the External Registrar's", ErrWalkTime,
			at(func(s *state.Session) {
				s.Role, s.Purpose, s.Started, s.Deadline = state.RoleExternalRegistrar, state.PurposeAdmit,
					time.Unix(0, 0), time.Unix(90, 0)
			}), []string{"within 90 seconds"}, []string{"1m"}},
		{"WPA3 only, of one that was not tried", search.ErrWPA3Only, at(nobody),
			[]string{"The access point takes WPA3 only"}, nil},
		{"WPA3 only, of one that is known", search.ErrWPA3Only, at(func(*state.Session) {}),
			[]string{"The access point " + haus + " takes WPA3 only"}, nil},
		{"an access point in the network is named", er.ErrUnreachable, at(erAt),
			[]string{"The access point " + box + " does not answer"}, nil},
		{"one that is gone", er.ErrAPGone, at(erAt), []string{box + " is gone"}, nil},
		{"one that refuses", &upnp.Fault{Code: 501}, at(erAt),
			[]string{box + " refused", "(UPnP error 501)"}, nil},
		{"one whose settings are not known", er.ErrNoSettings,
			at(func(s *state.Session) { erAt(s); s.Purpose = state.PurposeAdmit }),
			[]string{"settings of the access point " + box + " are not known"}, nil},
		{"a wrong PIN of one in the network", wrongPIN,
			at(func(s *state.Session) { erAt(s); s.Detail.SSID = nil }),
			[]string{"not the one of the access point " + box}, nil},
		{"one that nobody knows", er.ErrUnreachable,
			at(func(s *state.Session) { erAt(s); s.Detail.FriendlyName, s.Detail.Address = "", "" }),
			[]string{"The access point does not answer"}, nil},
		{"refused association", &drivers.LostError{Err: drivers.ErrAssociation, Status: 17},
			at(func(*state.Session) {}), []string{haus}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := Of(c.err, c.session.Method)
			names := c.session.Detail.Overlap
			f.Detail(&c.session.Detail)
			if names != nil { // as addNames has them
				c.session.Detail.Overlap = names
			}
			f.Explain(c.session)
			text := outcome.Sentence(f.Reason, c.session.Detail)
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			for _, not := range c.never {
				if strings.Contains(text, not) {
					t.Errorf("%q says %q", text, not)
				}
			}
			if strings.Contains(text, "that was tried") || strings.Contains(text, "%!") {
				t.Errorf("it does not name what it speaks of: %q", text)
			}
		})
	}
}
