package ending

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
	"wpsd/service/state"
)

// said is the sentence of an end.
func said(f Ending, s *state.Session) string {
	f.Detail(&s.Detail)
	f.Explain(s)
	return outcome.Sentence(f.Reason, s.Detail)
}

func TestOf(t *testing.T) {
	t.Parallel()
	run := func(err error, code wsc.ConfigError, half int) error {
		return &registration.Error{ConfigError: code, Half: half, Err: err}
	}
	for _, c := range []struct {
		name   string
		err    error
		method state.Method
		state  state.State
		reason outcome.Reason
		code   wsc.ConfigError
	}{
		{"no error is success", nil, state.MethodPIN, state.StateSucceeded, "", 0},
		{"canceled", ErrCanceled, state.MethodPIN, state.StateCanceled, outcome.ReasonCanceled, 0},
		{"the end of the daemon cancels", state.ErrShutdown, state.MethodPIN, state.StateCanceled,
			outcome.ReasonCanceled, 0},
		{"a context that ended without a cause cancels", context.Canceled, state.MethodPIN,
			state.StateCanceled,
			outcome.ReasonCanceled, 0},
		{"the owner left", ErrOwnerLeft, state.MethodPIN, state.StateCanceled,
			outcome.ReasonOwnerLeft, 0},
		{"overlap that we see", &discovery.OverlapError{}, state.MethodPBC, state.StateFailed,
			outcome.ReasonOverlap, 12},
		{"overlap that the Registrar sees, in M2D",
			run(fmt.Errorf("%w: %w", registration.ErrM2D, registration.ErrOverlap), 12, 0),
			state.MethodPBC, state.StateFailed, outcome.ReasonOverlap, 12},
		{"overlap that the Registrar sees, in WSC_NACK", run(registration.ErrOverlap, 12, 0),
			state.MethodPBC, state.StateFailed, outcome.ReasonOverlap, 12},
		{"wrong first half", run(registration.ErrPassword, 18, 1), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonWrongPINFirst, 18},
		{"wrong second half", run(registration.ErrPassword, 18, 2), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonWrongPINSecond, 18},
		{"with a push button there is no PIN to be wrong", run(registration.ErrPassword, 18, 1),
			state.MethodPBC, state.StateFailed, outcome.ReasonRejected, 18},
		{"M2D", run(registration.ErrM2D, 0, 0), state.MethodPIN, state.StateFailed,
			outcome.ReasonRegistrarBusy, 0},
		{"M2D of a locked access point", run(
			fmt.Errorf("%w: %w", registration.ErrM2D, registration.ErrLocked), 15,
			0), state.MethodPIN, state.StateFailed, outcome.ReasonSetupLocked, 15},
		{"no message in time", run(registration.ErrTimeout, 16, 0), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonMessageTimeout, 16},
		{"an attempt that takes too long", ErrAttemptTime, state.MethodPIN, state.StateFailed,
			outcome.ReasonMessageTimeout, 16},
		{"a NACK with a number that nobody knows", run(registration.ErrNack, 291, 0),
			state.MethodPIN,
			state.StateFailed, outcome.ReasonRejected, 291},
		{"EAP-Failure without a reason", ErrRejected, state.MethodPIN, state.StateFailed,
			outcome.ReasonRejected, 0},
		{"an M8 that is not authentic", run(registration.ErrAuthenticator, 0, 0), state.MethodPIN,
			state.StateFailed, outcome.ReasonProtocolError, 0},
		{"a degenerate public key", run(registration.ErrPublicKey, 0, 0), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonProtocolError, 0},
		{"another device password", run(registration.ErrPasswordID, 0, 0), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonProtocolError, 0},
		{"a malformed message", run(registration.ErrProtocol, 0, 0), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonProtocolError, 0},
		{"no credential", run(registration.ErrNoCredential, 0, 0), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonNoCredential, 0},
		{"an unusable credential", run(registration.ErrCredential, 0, 0), state.MethodPIN,
			state.StateFailed,
			outcome.ReasonBadCredential, 0},
		{"no randomness", run(registration.ErrInternal, 0, 0), state.MethodPIN, state.StateFailed,
			outcome.ReasonInternal, 0},
		{"refused association", &drivers.LostError{Err: drivers.ErrAssociation, Status: 17},
			state.MethodPBC, state.StateFailed, outcome.ReasonAssociationFailed, 7},
		{"lost link", &drivers.LostError{Err: drivers.ErrLinkLost, Reason: 3}, state.MethodPBC,
			state.StateFailed, outcome.ReasonLinkLost, 0},
		{"a link that rfkill cut", fmt.Errorf("%w: %w", drivers.ErrRadioBlocked,
			&drivers.LostError{Err: drivers.ErrLinkLost}), state.MethodPBC, state.StateFailed,
			outcome.ReasonRadioBlocked, 0},
		{"rfkill", drivers.ErrRadioBlocked, state.MethodPBC, state.StateFailed,
			outcome.ReasonRadioBlocked, 0},
		{"unplugged", drivers.ErrInterfaceGone, state.MethodPBC, state.StateFailed,
			outcome.ReasonInterfaceGone, 0},
		{"in use", drivers.ErrBusy, state.MethodPBC, state.StateFailed,
			outcome.ReasonInterfaceBusy, 0},
		{"not supported", drivers.ErrNotSupported, state.MethodPBC, state.StateFailed,
			outcome.ReasonNotSupported, 0},
		{"walk time", ErrWalkTime, state.MethodPBC, state.StateFailed, outcome.ReasonWalkTime, 16},
		{"nobody there", ErrNoAccessPoint, state.MethodPBC, state.StateFailed,
			outcome.ReasonNoAccessPoint, 16},
		{"WPS is off", search.ErrNoWPS, state.MethodPBC, state.StateFailed,
			outcome.ReasonNoAccessPoint, 0},
		{"one in 6 GHz", &search.BandError{Frequency: 6135}, state.MethodPBC, state.StateFailed,
			outcome.ReasonBand, 0},
		{"a hidden network", search.ErrHidden, state.MethodPBC, state.StateFailed,
			outcome.ReasonHidden, 0},
		{"WPA3 only", search.ErrWPA3Only, state.MethodPBC, state.StateFailed,
			outcome.ReasonWPA3Only, 0},
		{"WPA3 only, and a key that is no passphrase",
			run(fmt.Errorf("%w: %w", registration.ErrCredential, credential.ErrWPA3Only), 0, 0),
			state.MethodPBC, state.StateFailed, outcome.ReasonWPA3Only, 0},
		{"WPA3 only, and a manager without SAE",
			&HandoverError{Manager: "iwd", Err: errors.Join(credential.ErrWPA3Only)},
			state.MethodPBC,
			state.StateFailed, outcome.ReasonWPA3Only, 0},
		{"what nobody thought of", errors.New("boom"), state.MethodPBC, state.StateFailed,
			outcome.ReasonInternal, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := Of(c.err, c.method)
			if f.State != c.state || f.Reason != c.reason || f.ConfigError != c.code {
				t.Errorf("%s, %s, %d", f.State, f.Reason, f.ConfigError)
			}
			s := &state.Session{Method: c.method, Peer: homeBSSID,
				Detail: outcome.Detail{SSID: []byte("home")}}
			if text := said(f, s); !strings.HasSuffix(text, ".") ||
				strings.Contains(text, "%!") {
				t.Errorf("no sentence: %q", text)
			}
		})
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for _, r := range outcome.Reasons() {
		for _, ssid := range []string{"home", "a\nb\x1b[2J", "\xff"} {
			f := Ending{State: state.StateFailed, Reason: r}
			text := said(f, &state.Session{Peer: homeBSSID, Method: state.MethodPIN,
				Detail: outcome.Detail{SSID: []byte(ssid)}})
			if text == string(r) || !strings.HasSuffix(text, ".") ||
				strings.ContainsAny(text, "\n\x1b") || !utf8.ValidString(text) ||
				strings.Contains(text, "%!") {
				t.Errorf("%s with SSID %q: %q", r, ssid, text)
			}
		}
	}
}
