package session

import (
	"context"
	"time"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// WalkTime is how long a push button stays pressed, and how long any enrolment may take (WSC, and
// wpa_supplicant for every operation).
const WalkTime = 120 * time.Second

// MaxPINTimeout bounds how long a PIN may let a device in.
const MaxPINTimeout = 24 * time.Hour

// ApplyAuto and ApplyNone stand for no manager in particular: whoever has the interface, or nobody.
const (
	ApplyAuto = "auto"
	ApplyNone = "none"
)

// StartRequest says where, with whom and for whom to enrol.
type StartRequest struct {
	Interface string
	BSSID     wsc.MAC      // of the access point; zero: any
	PIN       secret.Value // StartPIN only; empty: one is generated
	Force     bool         // the PIN is used even if its check digit is wrong
	Owner     string       // opaque; see ReleaseOwner
	User      string       // opaque: whose process the owner is
	// Purpose is what the caller was allowed to do, PurposeEnroll or PurposeAdmit: an interface
	// that is something else by now is refused. Empty: whatever the interface is.
	Purpose state.Purpose
	Detach  bool   // the session outlives its owner
	Apply   string // who gets the network: a Sink's name, ApplyNone, or "" and ApplyAuto
	// on an interface of our own, where the radio has room for two: the manager keeps its own
	Beside bool
	// Beside, and where there is no room the session fails: the manager keeps the interface
	BesideOnly bool
	MultiAP    bool // StartPBC of a station only: as one that links access points (a backhaul station)
	// a session of a station that runs on the interface ends for this one; else that is ErrBusy
	Anew bool
	// Learn, Configure: with the password of the access point's tag, which was read before
	NFC bool

	// For an interface that is an access point: which Enrollee to let in (zero: any), and how long
	// its PIN is good for (0: two minutes).
	MAC     wsc.MAC
	Timeout time.Duration
}

// ReadPIN reads a PIN that somebody typed, as a secret of its own; force says that its check digit
// need not be right.
func ReadPIN(typed secret.Value, force bool) (secret.Value, error) {
	if force {
		return devpass.AnyPIN(typed.Bytes())
	}
	return devpass.CheckPIN(typed.Bytes())
}

// Task is what a session is for. Its secrets are the session's.
type Task struct {
	Purpose  state.Purpose
	Method   state.Method
	Password devpass.Password
	Settings *Settings // PurposeConfigure only

	// For NFC: the key that a tag or a handover request announced, or the content of the tag that
	// admits; the key that the Registrar announced; the network that it named, and where that is;
	// how an access point is told.
	PrivateKey   secret.Value
	RegistrarKey *[20]byte
	SSID         []byte
	Hint         int // MHz
	NFCGrant     func(context.Context, drivers.AccessPoint) error
	NFCRevoke    func(context.Context, drivers.AccessPoint) error // see admission.revoke

	// Generated says that the PIN is a new one, which the user has yet to type somewhere: that an
	// access point waits for another one does not mean that nobody will know ours.
	Generated bool
}

// Role is our part in it: an access point that is learned or configured is the Enrollee.
func (t *Task) Role() state.Role {
	if t.Purpose == state.PurposeEnroll {
		return state.RoleEnrollee
	}
	return state.RoleRegistrar
}

func (t *Task) Wipe() {
	t.Password.Wipe()
	t.PrivateKey.Wipe()
	if t.Settings != nil {
		t.Settings.Key.Wipe()
	}
}
