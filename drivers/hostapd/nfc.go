package hostapd

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

var _ drivers.AccessPoint = (*accessPoint)(nil)

// errWithoutNFC: hostapd knows the commands for NFC if it was built with CONFIG_WPS_NFC, as
// Debian's is.
var errWithoutNFC = fmt.Errorf("built without NFC (CONFIG_WPS_NFC): %w", drivers.ErrNotSupported)

// nfcAnswer tells what a reply means that is not what an NFC command wants.
func nfcAnswer(what string, reply []byte) error {
	err := errAnswer(what, reply)
	if errors.Is(err, drivers.ErrNotSupported) {
		return fmt.Errorf("hostapd: %s: %w", what, errWithoutNFC)
	}
	return err
}

// hexCommand is a command with binary arguments, which the caller clears: a tag has a password.
func hexCommand(name string, arguments ...[]byte) []byte {
	size := len(name)
	for _, a := range arguments {
		size += 1 + hex.EncodedLen(len(a))
	}
	command := append(make([]byte, 0, size), name...)
	for _, a := range arguments {
		command = hex.AppendEncode(append(command, ' '), a)
	}
	return command
}

// nfcOK sends a command whose good answer is OK, or nothing (WPS_NFC_TOKEN enable).
func (a *accessPoint) nfcOK(ctx context.Context, what string, command []byte) error {
	reply, err := a.request(ctx, command)
	switch {
	case err != nil:
		return err
	case len(reply) != 0 && !bytes.Equal(reply, replyOK):
		return nfcAnswer(what, reply)
	}
	return nil
}

// nfcHex sends a command whose good answer is hex digits.
func (a *accessPoint) nfcHex(ctx context.Context, what string) ([]byte, error) {
	reply, err := a.request(ctx, []byte(what))
	if err != nil {
		return nil, err
	}
	defer clear(reply)
	b := make([]byte, hex.DecodedLen(len(reply)))
	if n, err := hex.Decode(b, reply); err != nil || n == 0 {
		clear(b)
		return nil, nfcAnswer(what, reply)
	}
	return b, nil
}

// AllowToken implements drivers.APTokens. wpa_supplicant has the command, too, but takes the
// password for its External Registrar: its access point would let nobody in (wpa_supplicant 2.10).
func (a *accessPoint) AllowToken(ctx context.Context, tag []byte) error {
	supplicant, err := a.isSupplicant(ctx)
	if err != nil {
		return err
	}
	if supplicant {
		return fmt.Errorf("hostapd: wpa_supplicant reads no tags for its access point: %w",
			drivers.ErrNotSupported)
	}
	command := hexCommand("WPS_NFC_TAG_READ", tag)
	defer clear(command)
	return a.nfcGrant(ctx, "WPS_NFC_TAG_READ", command)
}

// HandoverReport implements drivers.APTokens.
func (a *accessPoint) HandoverReport(ctx context.Context, request, sel []byte) error {
	return a.nfcGrant(ctx, "NFC_REPORT_HANDOVER",
		hexCommand("NFC_REPORT_HANDOVER RESP WPS", request, sel))
}

// nfcGrant sends a command that lets a device in, for as long as hostapd announces a Registrar.
func (a *accessPoint) nfcGrant(ctx context.Context, what string, command []byte) error {
	a.settle(ctx)
	if err := a.nfcOK(ctx, what, command); err != nil {
		return err
	}
	a.watchUntil(time.Now().Add(walkTime))
	return nil
}

// PasswordToken implements drivers.APTokens. hostapd keeps the token until it ends; making it
// and enabling it are two commands, of which wpa_supplicant has only the first, for the token of
// the station that it also is.
func (a *accessPoint) PasswordToken(ctx context.Context, format string) (secret.Value, error) {
	supplicant, err := a.isSupplicant(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	if supplicant {
		return secret.Value{}, fmt.Errorf("hostapd: wpa_supplicant has no token for its access point: %w", drivers.ErrNotSupported)
	}
	v, err := a.nfcToken(ctx, "WPS_NFC_TOKEN "+format)
	if err != nil {
		return v, err
	}
	if err := a.nfcOK(ctx, "WPS_NFC_TOKEN", []byte("WPS_NFC_TOKEN enable")); err != nil {
		v.Wipe()
		return secret.Value{}, err
	}
	return v, nil
}

// ConfigToken implements drivers.APTokens.
func (a *accessPoint) ConfigToken(ctx context.Context, format string) (secret.Value, error) {
	return a.nfcToken(ctx, "WPS_NFC_CONFIG_TOKEN "+format)
}

func (a *accessPoint) nfcToken(ctx context.Context, command string) (secret.Value, error) {
	b, err := a.nfcHex(ctx, command)
	if err != nil {
		return secret.Value{}, err
	}
	defer clear(b)
	return secret.New(b), nil
}

// HandoverSelect implements drivers.APTokens.
func (a *accessPoint) HandoverSelect(ctx context.Context) ([]byte, error) {
	return a.nfcHex(ctx, "NFC_GET_HANDOVER_SEL NDEF WPS-CR")
}
