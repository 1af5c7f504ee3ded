package registration

import (
	"errors"
	"testing"

	"wpsd/engine/wsc"
)

// TestErrorMessage: the message at fault is the one that wpa_supplicant names in WPS-FAIL for the
// same failures.
func TestErrorMessage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		e    Error
		want wsc.MessageType
	}{
		{"M4 with a wrong R-Hash1 was at fault",
			Error{State: expectM4, Local: true, Err: ErrPassword}, wsc.MsgM4},
		{"M6 with a wrong R-Hash2 was at fault",
			Error{State: expectM6, Local: true, Err: ErrPassword}, wsc.MsgM6},
		{"M8 with a bad Credential was at fault",
			Error{State: expectM8, Local: true, Err: ErrCredential}, wsc.MsgM8},
		{"the Registrar refused our M3", Error{State: expectM4, Err: ErrNack}, wsc.MsgM3},
		{"the Registrar refused our M5", Error{State: expectM6, Err: ErrPassword}, wsc.MsgM5},
		{"the Registrar refused our M7", Error{State: expectM8, Err: ErrNack}, wsc.MsgM7},
		{"the access point refused our M4", Error{State: expectM5, Err: ErrPassword}, wsc.MsgM4},
		{"the access point refused our M8", Error{State: expectDone, Err: ErrNack}, wsc.MsgM8},
		{"M2D is nobody's fault", Error{State: expectM2, Err: ErrM2D}, 0},
		{"silence is no message", Error{State: expectM4, Local: true, Err: ErrTimeout}, 0},
		{"an end of our own is no message",
			Error{State: expectM6, Local: true, Err: ErrAborted}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.e.Message(); got != tt.want {
				t.Errorf("%v, not %v", got, tt.want)
			}
			if !errors.Is(&tt.e, tt.e.Err) {
				t.Error("it does not wrap its reason")
			}
		})
	}
}
