package hostapd

import (
	"bytes"
	"errors"
	"fmt"

	"wpsd/drivers"
)

var (
	commandAttach = []byte("ATTACH")

	replyOK      = []byte("OK")
	replyFail    = []byte("FAIL")
	replyOverlap = []byte("FAIL-PBC-OVERLAP")
	replyUnknown = []byte("UNKNOWN COMMAND")
)

// errAnswer tells what a reply that is not the wished one means.
func errAnswer(what string, reply []byte) error {
	switch {
	case bytes.HasPrefix(reply, replyOverlap):
		return fmt.Errorf("hostapd: %s: %w", what, drivers.ErrOverlap)
	case bytes.HasPrefix(reply, replyUnknown):
		return fmt.Errorf("hostapd: %s: %w", what, drivers.ErrNotSupported)
	case bytes.HasPrefix(reply, replyFail):
		return fmt.Errorf("hostapd: %s: %w", what, drivers.ErrRefused)
	}
	return fmt.Errorf("hostapd: %s: %w", what, errors.New("unexpected reply"))
}
