package hostapd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"wpsd/drivers"
	"wpsd/engine/secret"
)

// walkTime is how long a pressed button, and with it the announcement of a PIN, lasts.
const walkTime = 120 * time.Second

// expectOK sends a command whose good answer is OK.
func (a *accessPoint) expectOK(ctx context.Context, what string, command []byte) error {
	reply, err := a.request(ctx, command)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(reply, replyOK):
		return errAnswer(what, reply)
	}
	return nil
}

// isSupplicant asks who is at the other end: hostapd and wpa_supplicant word WPS_PIN differently.
func (a *accessPoint) isSupplicant(ctx context.Context) (bool, error) {
	status, err := a.request(ctx, []byte("STATUS"))
	if err != nil {
		return false, err
	}
	return a.supplicant(fields(status)), nil
}

// AllowPIN implements drivers.AccessPoint.
func (a *accessPoint) AllowPIN(ctx context.Context, g drivers.PINGrant) error {
	supplicant, err := a.isSupplicant(ctx)
	if err != nil {
		return err
	}
	if g.UUID != "" && !isUUID(g.UUID) {
		return fmt.Errorf("hostapd: bad UUID %q", g.UUID)
	}
	a.settle(ctx)
	if err := a.addPIN(ctx, supplicant, g); err != nil {
		return err
	}
	end := time.Now().Add(g.Timeout)
	if g.Timeout == 0 {
		end = time.Now().Add(walkTime)
	}
	a.watchUntil(end)
	return nil
}

// addPIN is WPS_PIN in the words of either program. Times are whole seconds there; 0 would be for
// ever.
func (a *accessPoint) addPIN(ctx context.Context, supplicant bool, g drivers.PINGrant) error {
	seconds := strconv.Itoa(int((g.Timeout + time.Second - 1) / time.Second))
	who, mac := "any", ""
	if g.MAC != ([6]byte{}) {
		mac = macText(g.MAC)
	}
	switch {
	case supplicant && mac != "":
		who, mac = mac, ""
	case !supplicant && g.UUID != "":
		who = g.UUID
	}
	command := make([]byte, 0, 128) // no copy with the PIN is left behind
	defer func() { clear(command) }()
	command = append(append(append(command, "WPS_PIN "...), who...), ' ')
	command = append(append(command, g.PIN.Bytes()...), ' ')
	command = append(command, seconds...)
	if mac != "" {
		command = append(append(command, ' '), mac...)
	}
	if !supplicant {
		return a.expectOK(ctx, "WPS_PIN", command)
	}
	reply, err := a.request(ctx, command)
	if err != nil {
		return err
	}
	defer clear(reply)
	if !bytes.Equal(reply, g.PIN.Bytes()) { // it echoes the PIN
		return errAnswer("WPS_PIN", reply)
	}
	return nil
}

// AllowPBC implements drivers.AccessPoint. hostapd answers an overlap with a bare FAIL and says
// what it was when asked; wpa_supplicant names it at once.
func (a *accessPoint) AllowPBC(ctx context.Context) error {
	a.settle(ctx)
	err := a.expectOK(ctx, "WPS_PBC", []byte("WPS_PBC"))
	switch {
	case err == nil:
		a.watchUntil(time.Now().Add(walkTime))
	case errors.Is(err, drivers.ErrRefused):
		status, statusErr := a.request(ctx, []byte("WPS_GET_STATUS"))
		if statusErr == nil && strings.Contains(string(status), "PBC Status: Overlap") {
			return fmt.Errorf("hostapd: WPS_PBC: %w", drivers.ErrOverlap)
		}
	}
	return err
}

// Withdraw implements drivers.AccessPoint. With nothing to withdraw it is content.
//
// WPS_CANCEL ends a push button at once, but a PIN only as long as hostapd announces it, which is
// 120 s. So a PIN that nobody has is announced for a second, and WPS_CANCEL then takes away the one
// that was granted: with a UUID of its own the new one is not in the way. wpa_supplicant knows only
// PINs for everybody: there the new one replaces a granted one that was never used. One that was
// used once, for a run that failed, stays there until its time is over; see PINGrant.Timeout.
func (a *accessPoint) Withdraw(ctx context.Context) error {
	a.watchUntil(time.Time{})
	if err := a.cancel(ctx); err != nil {
		return err
	}
	supplicant, err := a.isSupplicant(ctx)
	if err != nil {
		return err
	}
	g, err := nobodysPIN()
	if err != nil {
		return err
	}
	defer g.PIN.Wipe()
	if err := a.addPIN(ctx, supplicant, g); err != nil {
		if errors.Is(err, drivers.ErrRefused) {
			return nil // WPS is off: no PIN is good
		}
		return err
	}
	if err := a.cancel(ctx); err != nil {
		return err
	}
	a.settle(ctx) // what this caused is told before the next grant
	return nil
}

// cancel is WPS_CANCEL, which hostapd refuses when WPS is off.
func (a *accessPoint) cancel(ctx context.Context) error {
	err := a.expectOK(ctx, "WPS_CANCEL", []byte("WPS_CANCEL"))
	if errors.Is(err, drivers.ErrRefused) {
		return nil
	}
	return err
}

// nobodysPIN is a grant of one second for a device that does not exist.
func nobodysPIN() (drivers.PINGrant, error) {
	var b [20]byte
	if _, err := rand.Read(b[:]); err != nil {
		return drivers.PINGrant{}, fmt.Errorf("hostapd: %w", err)
	}
	// hostapd takes any eight digits, also without a check digit.
	pin := fmt.Appendf(nil, "%08d", binary.BigEndian.Uint32(b[16:])%100_000_000)
	return drivers.PINGrant{
		PIN: secret.New(pin), Timeout: time.Second,
		UUID: fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16]),
	}, nil
}

// APPIN implements drivers.AccessPoint.
func (a *accessPoint) APPIN(ctx context.Context, r drivers.APPINRequest) (secret.Value, error) {
	seconds := strconv.Itoa(int((r.Timeout + time.Second - 1) / time.Second))
	command := make([]byte, 0, 64)
	switch r.Command {
	case drivers.APPINDisable:
		return secret.Value{}, a.expectOK(ctx, "WPS_AP_PIN disable", []byte("WPS_AP_PIN disable"))
	case drivers.APPINRandom:
		command = append(append(command, "WPS_AP_PIN random "...), seconds...)
	case drivers.APPINGet:
		command = append(command, "WPS_AP_PIN get"...)
	case drivers.APPINSet:
		command = append(append(command, "WPS_AP_PIN set "...), r.PIN.Bytes()...)
		command = append(append(command, ' '), seconds...)
	}
	defer clear(command)
	reply, err := a.request(ctx, command)
	if err != nil {
		return secret.Value{}, err
	}
	defer clear(reply)
	if len(reply) == 0 || len(reply) > 8 ||
		bytes.ContainsFunc(reply, func(r rune) bool { return r < '0' || r > '9' }) {
		return secret.Value{}, errAnswer("WPS_AP_PIN", reply)
	}
	return secret.New(reply), nil
}

func macText(m [6]byte) string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}
