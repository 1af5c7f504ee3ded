package sim

import (
	"context"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
)

var _ drivers.AccessPoint = (*steered)(nil)

// known reports whether the access point is there and has WPS. What follows takes the lock anew: a
// moment later it may not be.
func (s *steered) known(ctx context.Context) error {
	return s.withWPS(ctx, func(time.Time) error { return nil })
}

// AllowToken implements drivers.APTokens.
func (s *steered) AllowToken(ctx context.Context, tag []byte) error {
	if err := s.known(ctx); err != nil {
		return err
	}
	return s.ap.ReadTag(tag)
}

// PasswordToken implements drivers.APTokens.
func (s *steered) PasswordToken(ctx context.Context, format string) (secret.Value, error) {
	if err := s.known(ctx); err != nil {
		return secret.Value{}, err
	}
	t, err := s.ap.passwordToken()
	if err != nil {
		return secret.Value{}, err
	}
	defer t.Wipe()
	b := t.Append(nil)
	if format == "NDEF" {
		b = t.AppendNDEF(nil)
	}
	defer clear(b)
	return secret.New(b), nil
}

// ConfigToken implements drivers.APTokens: what Settings tells is enough to make one.
func (s *steered) ConfigToken(context.Context, string) (secret.Value, error) {
	return secret.Value{}, fmt.Errorf("sim: configuration tokens are made of Settings: %w",
		drivers.ErrNotSupported)
}

// HandoverSelect implements drivers.APTokens.
func (s *steered) HandoverSelect(ctx context.Context) ([]byte, error) {
	if err := s.known(ctx); err != nil {
		return nil, err
	}
	sel, err := s.ap.handoverSelect()
	if err != nil {
		return nil, err
	}
	return sel.AppendCarrier(nil), nil
}

// HandoverReport implements drivers.APTokens.
func (s *steered) HandoverReport(ctx context.Context, request, _ []byte) error {
	if err := s.known(ctx); err != nil {
		return err
	}
	r, err := ndef.ParseHandoverRequest(request)
	if err != nil {
		return err
	}
	return s.ap.expectHandover(r)
}
