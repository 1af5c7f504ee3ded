package devpass

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"wpsd/engine/secret"
)

// Errors of CheckPIN. Neither repeats what was typed: it is a secret, or nearly one.
var (
	ErrPIN         = errors.New("devpass: a PIN has 4 or 8 digits")
	ErrPINChecksum = errors.New("devpass: the last digit of the PIN does not fit the others (mistyped?)")
)

// The lengths of a PIN. Only the long one has a checksum digit (WSC, "PIN Checksums").
const (
	shortPIN = 4
	longPIN  = 8
)

// sevenDigits is how many numbers the digits before the checksum can be.
const sevenDigits = 10_000_000

// CheckPIN reads a PIN that a user typed. Everything but digits is dropped, because labels print
// "1234-5670" or "1234 5670" (hostap behaviour). Bytes can be overwritten after it, a string
// cannot.
func CheckPIN[T string | []byte](text T) (secret.Value, error) {
	pin, err := AnyPIN(text)
	if err != nil || pin.Len() != longPIN {
		return pin, err
	}
	var first uint32
	for _, c := range pin.Bytes()[:longPIN-1] {
		first = first*10 + uint32(c-'0')
	}
	if Checksum(first) != pin.Bytes()[longPIN-1]-'0' {
		pin.Wipe()
		return secret.Value{}, ErrPINChecksum
	}
	return pin, nil
}

// The digits of a PIN are written where they stay: what stands on a stack is copied when the stack
// grows, and the old one is not overwritten.

// AnyPIN is CheckPIN that does not look at the check digit: there are devices whose PIN has a wrong
// one, and wpa_supplicant uses them as they are (wpa_supplicant 2.10, WPS_PIN and WPS_REG).
func AnyPIN[T string | []byte](text T) (secret.Value, error) {
	n := 0
	for i := range len(text) {
		if isDigit(text[i]) {
			n++
		}
	}
	if n != shortPIN && n != longPIN {
		return secret.Value{}, ErrPIN
	}
	pin := secret.Zeros(n)
	digits := pin.Bytes()[:0]
	for i := range len(text) {
		if isDigit(text[i]) {
			digits = append(digits, text[i])
		}
	}
	return pin, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// GeneratePIN makes an eight-digit PIN with its checksum. It draws four bytes at a time from rand
// and draws again, once in a thousand times, if the number would favour some PINs.
func GeneratePIN(rand io.Reader) (secret.Value, error) {
	// The largest multiple of 10^7 that 32 bits hold: below it every PIN is equally likely.
	const fair = (1 << 32) / sevenDigits * sevenDigits
	var b [4]byte
	defer clear(b[:])
	for {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return secret.Value{}, fmt.Errorf("devpass: randomness: %w", err)
		}
		if n := binary.BigEndian.Uint32(b[:]); n < fair {
			return format(n % sevenDigits), nil
		}
	}
}

// format writes seven digits, zeros in front included, and their checksum.
func format(first7 uint32) secret.Value {
	pin := secret.Zeros(longPIN)
	digits := pin.Bytes()
	digits[longPIN-1] = '0' + Checksum(first7)
	for i := longPIN - 2; i >= 0; i-- {
		digits[i] = '0' + byte(first7%10)
		first7 /= 10
	}
	return pin
}

// Checksum computes the eighth digit of a PIN from the number of the first seven (WSC, "PIN
// Checksums"): the digits weigh 3, 1, 3, 1, 3, 1, 3 and all eight add up to a multiple of ten.
func Checksum(first7 uint32) uint8 {
	sum, weight := uint32(0), uint32(3)
	for range longPIN - 1 {
		sum += first7 % 10 * weight
		first7 /= 10
		weight = 4 - weight // from the right: 3, 1, 3, ...
	}
	return uint8((10 - sum%10) % 10)
}
