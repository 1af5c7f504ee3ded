package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/discovery"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/search"
)

// said is the sentence of an end.
func said(f failure, s *Session) string {
	f.detail(&s.Detail)
	f.explain(s)
	return outcome.Sentence(f.reason, s.Detail)
}

func TestFailureOf(t *testing.T) {
	t.Parallel()
	run := func(err error, code wsc.ConfigError, half int) error {
		return &registration.Error{ConfigError: code, Half: half, Err: err}
	}
	for _, c := range []struct {
		name   string
		err    error
		method Method
		state  State
		reason Reason
		code   wsc.ConfigError
	}{
		{"no error is success", nil, MethodPIN, StateSucceeded, "", 0},
		{"canceled", errCanceled, MethodPIN, StateCanceled, ReasonCanceled, 0},
		{"the end of the daemon cancels", ErrShutdown, MethodPIN, StateCanceled, ReasonCanceled, 0},
		{"a context that ended without a cause cancels", context.Canceled, MethodPIN, StateCanceled,
			ReasonCanceled, 0},
		{"the owner left", errOwnerLeft, MethodPIN, StateCanceled, ReasonOwnerLeft, 0},
		{"overlap that we see", &discovery.OverlapError{}, MethodPBC, StateFailed,
			ReasonOverlap, 12},
		{"overlap that the Registrar sees, in M2D",
			run(fmt.Errorf("%w: %w", registration.ErrM2D, registration.ErrOverlap), 12, 0),
			MethodPBC, StateFailed, ReasonOverlap, 12},
		{"overlap that the Registrar sees, in WSC_NACK", run(registration.ErrOverlap, 12, 0),
			MethodPBC, StateFailed, ReasonOverlap, 12},
		{"wrong first half", run(registration.ErrPassword, 18, 1), MethodPIN, StateFailed,
			ReasonWrongPINFirst, 18},
		{"wrong second half", run(registration.ErrPassword, 18, 2), MethodPIN, StateFailed,
			ReasonWrongPINSecond, 18},
		{"with a push button there is no PIN to be wrong", run(registration.ErrPassword, 18, 1),
			MethodPBC, StateFailed, ReasonRejected, 18},
		{"M2D", run(registration.ErrM2D, 0, 0), MethodPIN, StateFailed, ReasonRegistrarBusy, 0},
		{"M2D of a locked access point", run(
			fmt.Errorf("%w: %w", registration.ErrM2D, registration.ErrLocked), 15,
			0), MethodPIN, StateFailed, ReasonSetupLocked, 15},
		{"no message in time", run(registration.ErrTimeout, 16, 0), MethodPIN, StateFailed,
			ReasonMessageTimeout, 16},
		{"an attempt that takes too long", errAttemptTime, MethodPIN, StateFailed,
			ReasonMessageTimeout, 16},
		{"a NACK with a number that nobody knows", run(registration.ErrNack, 291, 0), MethodPIN,
			StateFailed, ReasonRejected, 291},
		{"EAP-Failure without a reason", errRejected, MethodPIN, StateFailed, ReasonRejected, 0},
		{"an M8 that is not authentic", run(registration.ErrAuthenticator, 0, 0), MethodPIN,
			StateFailed, ReasonProtocolError, 0},
		{"a degenerate public key", run(registration.ErrPublicKey, 0, 0), MethodPIN, StateFailed,
			ReasonProtocolError, 0},
		{"another device password", run(registration.ErrPasswordID, 0, 0), MethodPIN, StateFailed,
			ReasonProtocolError, 0},
		{"a malformed message", run(registration.ErrProtocol, 0, 0), MethodPIN, StateFailed,
			ReasonProtocolError, 0},
		{"no credential", run(registration.ErrNoCredential, 0, 0), MethodPIN, StateFailed,
			ReasonNoCredential, 0},
		{"an unusable credential", run(registration.ErrCredential, 0, 0), MethodPIN, StateFailed,
			ReasonBadCredential, 0},
		{"no randomness", run(registration.ErrInternal, 0, 0), MethodPIN, StateFailed,
			ReasonInternal, 0},
		{"refused association", &drivers.LostError{Err: drivers.ErrAssociation, Status: 17},
			MethodPBC, StateFailed, ReasonAssociationFailed, 7},
		{"lost link", &drivers.LostError{Err: drivers.ErrLinkLost, Reason: 3}, MethodPBC,
			StateFailed, ReasonLinkLost, 0},
		{"a link that rfkill cut", fmt.Errorf("%w: %w", drivers.ErrRadioBlocked,
			&drivers.LostError{Err: drivers.ErrLinkLost}), MethodPBC, StateFailed, ReasonRadioBlocked, 0},
		{"rfkill", drivers.ErrRadioBlocked, MethodPBC, StateFailed, ReasonRadioBlocked, 0},
		{"unplugged", drivers.ErrInterfaceGone, MethodPBC, StateFailed, ReasonInterfaceGone, 0},
		{"in use", drivers.ErrBusy, MethodPBC, StateFailed, ReasonInterfaceBusy, 0},
		{"not supported", drivers.ErrNotSupported, MethodPBC, StateFailed, ReasonNotSupported, 0},
		{"walk time", errWalkTime, MethodPBC, StateFailed, ReasonWalkTime, 16},
		{"nobody there", errNoAccessPoint, MethodPBC, StateFailed, ReasonNoAccessPoint, 16},
		{"WPS is off", search.ErrNoWPS, MethodPBC, StateFailed, ReasonNoAccessPoint, 0},
		{"a hidden network", search.ErrHidden, MethodPBC, StateFailed, ReasonHidden, 0},
		{"WPA3 only", search.ErrWPA3Only, MethodPBC, StateFailed, ReasonWPA3Only, 0},
		{"WPA3 only, and a key that is no passphrase",
			run(fmt.Errorf("%w: %w", registration.ErrCredential, credential.ErrWPA3Only), 0, 0),
			MethodPBC, StateFailed, ReasonWPA3Only, 0},
		{"WPA3 only, and a manager without SAE",
			&HandoverError{Manager: "iwd", Err: errors.Join(credential.ErrWPA3Only)}, MethodPBC,
			StateFailed, ReasonWPA3Only, 0},
		{"what nobody thought of", errors.New("boom"), MethodPBC, StateFailed, ReasonInternal, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := failureOf(c.err, c.method)
			if f.state != c.state || f.reason != c.reason || f.configError != c.code {
				t.Errorf("%s, %s, %d", f.state, f.reason, f.configError)
			}
			s := &Session{Method: c.method, Peer: homeBSSID, Detail: Detail{SSID: []byte("home")}}
			if text := said(f, s); !strings.HasSuffix(text, ".") ||
				strings.Contains(text, "%!") {
				t.Errorf("no sentence: %q", text)
			}
		})
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for _, r := range Reasons() {
		for _, ssid := range []string{"home", "a\nb\x1b[2J", "\xff"} {
			f := failure{state: StateFailed, reason: r}
			text := said(f, &Session{Peer: homeBSSID, Method: MethodPIN,
				Detail: Detail{SSID: []byte(ssid)}})
			if text == string(r) || !strings.HasSuffix(text, ".") ||
				strings.ContainsAny(text, "\n\x1b") || !utf8.ValidString(text) ||
				strings.Contains(text, "%!") {
				t.Errorf("%s with SSID %q: %q", r, ssid, text)
			}
		}
	}
}
