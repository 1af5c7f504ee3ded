package dbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/outcome"
)

// polkit on the bus ("polkit D-Bus API reference", org.freedesktop.PolicyKit1.Authority).
const (
	polkitName  = "org.freedesktop.PolicyKit1"
	polkitPath  = godbus.ObjectPath("/org/freedesktop/PolicyKit1/Authority")
	polkitIface = "org.freedesktop.PolicyKit1.Authority"

	// allowUserInteraction is the flag of CheckAuthorization that lets polkit ask the user.
	allowUserInteraction uint32 = 1
	// dismissedDetail is in the answer when the user closed the dialog.
	dismissedDetail = "polkit.dismissed"
)

const (
	// silentTime is how long an answer may take that needs nobody: polkit may have to be started,
	// and an administrator's rule may run a program for up to 10 s. Callers wait 25 s by default,
	// so they still get a word.
	silentTime = 20 * time.Second
	// dialogTime is how long a dialog stays open.
	dialogTime = 5 * time.Minute
	// maxQuestions and maxDialogs bound what one user has open at once, with however many
	// connections.
	maxQuestions = 32
	maxDialogs   = 3
)

// errPolkitSilent ends a question that took too long.
var errPolkitSilent = errors.New("dbus: polkit does not answer")

// Polkit is the Authorizer that asks polkit. Root, and the user that we run as, pass without.
// Whatever goes wrong, the answer is no: without polkit only those two pass.
//
// It asks without a dialog first. So who may, or may not, is told at once, a polkitd that hangs
// costs silentTime, and only those count as dialogs that are.
type Polkit struct {
	bus  *Bus
	log  *slog.Logger
	self uint32

	mu        sync.Mutex
	questions map[uint32]int // open ones, by user
	dialogs   map[uint32]int
	last      uint64 // cancellation id
	trouble   bool   // told in the log, and no good answer since
}

// NewPolkit makes a Polkit that asks over a Bus.
func NewPolkit(bus *Bus, log *slog.Logger) *Polkit {
	return &Polkit{bus: bus, log: log, self: uint32(os.Geteuid()), questions: map[uint32]int{},
		dialogs: map[uint32]int{}}
}

// Authorize implements Authorizer.
func (p *Polkit) Authorize(ctx context.Context, r Request) error {
	if r.UID == 0 || r.UID == p.self {
		return nil
	}
	if !p.open(p.questions, r.UID, maxQuestions) {
		return outcome.TooManyAsked.Of()
	}
	answer, err := p.ask(ctx, r, 0, silentTime)
	p.shut(p.questions, r.UID)
	if err == nil && !answer.Authorized && answer.Challenge && r.Interactive {
		if !p.open(p.dialogs, r.UID, maxDialogs) {
			return outcome.TooManyQuestions.Of()
		}
		answer, err = p.ask(ctx, r, allowUserInteraction, dialogTime)
		p.shut(p.dialogs, r.UID)
	}
	return p.verdict(ctx, r, answer, err)
}

// Permission implements Authorizer. What goes wrong is no.
func (p *Polkit) Permission(ctx context.Context, r Request) Permission {
	if r.UID == 0 || r.UID == p.self {
		return PermissionYes
	}
	if !p.open(p.questions, r.UID, maxQuestions) {
		return PermissionNo
	}
	answer, err := p.ask(ctx, r, 0, silentTime)
	p.shut(p.questions, r.UID)
	switch {
	case err != nil && ctx.Err() == nil:
		p.complain(r, err)
	case err == nil && answer.Authorized:
		return PermissionYes
	case err == nil && answer.Challenge:
		return PermissionAuth
	}
	return PermissionNo
}

// open counts something that a user has open, unless that is too much.
func (p *Polkit) open(count map[uint32]int, uid uint32, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if count[uid] >= most {
		return false
	}
	count[uid]++
	return true
}

// shut takes back what open has counted.
func (p *Polkit) shut(count map[uint32]int, uid uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if count[uid]--; count[uid] == 0 {
		delete(count, uid)
	}
}

// polkitAnswer is the (bba{ss}) of CheckAuthorization.
type polkitAnswer struct {
	Authorized bool
	// a password would do, but nobody was asked: we did not want it, or there is no agent
	Challenge bool
	Details   map[string]string
}

// ask asks polkit, once more if polkitd ends in the middle: it is being upgraded or restarted, and
// the bus starts the new one for us.
func (p *Polkit) ask(ctx context.Context, r Request, flags uint32,
	limit time.Duration) (polkitAnswer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errPolkitSilent)
	defer cancel()
	answer, err := p.check(ctx, r, flags)
	var e godbus.Error
	if errors.As(err, &e) && e.Name == "org.freedesktop.DBus.Error.NoReply" {
		answer, err = p.check(ctx, r, flags)
	}
	return answer, err
}

// polkitSubject names the caller. A unique name is never given twice, so polkit cannot mistake
// another process for it (as with a process id).
type polkitSubject struct {
	Kind    string
	Details map[string]godbus.Variant
}

// check makes one CheckAuthorization. If ctx ends first it is canceled, which closes a dialog.
func (p *Polkit) check(ctx context.Context, r Request, flags uint32) (polkitAnswer, error) {
	p.mu.Lock()
	p.last++
	id := "wpsd-" + strconv.FormatUint(p.last, 10) // polkit knows ids apart by who gives them
	p.mu.Unlock()
	// An answer of anybody but polkit's owner does not count, so we have to know who that is.
	if err := p.bus.conn.Follow(ctx, bus.Name{Name: polkitName}); err != nil {
		return polkitAnswer{}, err
	}
	subject := polkitSubject{"system-bus-name",
		map[string]godbus.Variant{"name": godbus.MakeVariant(r.Sender)}}
	details := r.Details
	if details == nil {
		details = map[string]string{}
	}
	var answer polkitAnswer
	err := p.bus.conn.Call(ctx,
		bus.Request{To: polkitName, Path: polkitPath, Method: polkitIface + ".CheckAuthorization",
			Args: []any{subject, string(r.Action), details, flags, id}}, &answer)
	if ctx.Err() != nil && err != nil {
		p.bus.conn.Tell(bus.Request{To: polkitName, Path: polkitPath,
			Method: polkitIface + ".CancelCheckAuthorization",
			Args:   []any{id}, Flags: godbus.FlagNoAutoStart})
		return polkitAnswer{}, context.Cause(ctx)
	}
	return answer, err
}

// verdict makes an error of what polkit said.
func (p *Polkit) verdict(ctx context.Context, r Request, answer polkitAnswer, err error) error {
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p.complain(r, err)
		return fmt.Errorf("%w: %w", ErrNotAuthorized, err)
	}
	p.mu.Lock()
	p.trouble = false
	p.mu.Unlock()
	p.log.Debug("polkit", "action", r.Action, "sender", r.Sender, "uid", r.UID, "interactive",
		r.Interactive,
		"authorized", answer.Authorized, "challenge", answer.Challenge, "dismissed",
		answer.Details[dismissedDetail] != "")
	switch {
	case answer.Authorized:
		return nil
	case answer.Details[dismissedDetail] != "":
		return ErrDismissed
	case answer.Challenge && r.Interactive:
		return outcome.ErrNoAuthenticationAgent
	case answer.Challenge:
		return ErrInteractionRequired
	}
	return ErrNotAuthorized
}

// complain tells the log that polkit fails: once, until it works again.
func (p *Polkit) complain(r Request, err error) {
	p.mu.Lock()
	told := p.trouble
	p.trouble = true
	p.mu.Unlock()
	level := slog.LevelWarn
	if told {
		level = slog.LevelDebug
	}
	p.log.Log(context.Background(), level, "polkit cannot be asked: only root may do what needs an authorization; see that it is installed "+
		"(with fi.w1.wps.policy) and runs", "action", r.Action, "uid", r.UID, "err", err)
}
