package drivers

import (
	"context"
	"errors"
	"fmt"
)

// What HeldErrors wrap: why a manager that has an interface cannot be asked for it.
var (
	// ErrHeldBehindSocket means that its control socket is not open to us.
	ErrHeldBehindSocket = errors.New("its control socket is not open to wpsd")
	// ErrHeldLinkDown means that it would not take the interface back, whose link is down.
	ErrHeldLinkDown = errors.New("the link is down")
)

// HeldError tells of an interface that a manager has and cannot be asked for, and why.
type HeldError struct {
	Interface string
	Err       error
}

// Error implements error.
func (e *HeldError) Error() string { return fmt.Sprintf("%s is held: %v", e.Interface, e.Err) }

// Unwrap gives ErrHeldBehindSocket or ErrHeldLinkDown.
func (e *HeldError) Unwrap() error { return e.Err }

// LinkKeeper is a Driver's links that somebody has to take down again if we are killed: the note
// that a link was down outlives us, a Station does not. Its methods are safe for concurrent use.
type LinkKeeper interface {
	// LinkUp reports whether the link is administratively up. One that others have just taken down
	// is given time to come up by itself.
	LinkUp(ctx context.Context, ifname string) (bool, error)
	// LinkGiven says that a manager has just let go of the interface, and that nobody is going to
	// bring its link up again if they took it down with that.
	LinkGiven(ctx context.Context, ifname string)
	// LinkDown takes it down, unless somebody uses it: it is associated, or an access point.
	LinkDown(ctx context.Context, ifname string) error
}

// Aparter makes an interface of our own beside one that somebody holds on to.
type Aparter interface {
	// RoomApart reports whether such an interface can be in another network, on another channel,
	// while ifname stays in its own.
	RoomApart(ctx context.Context, ifname string) (bool, error)
	// StationApart takes a new virtual interface on the radio of ifname. It has an address of its
	// own, is listed nowhere, and is gone with Close, or with our process.
	StationApart(ctx context.Context, ifname string) (Station, error)
}

// Blocker tells at any moment, without waiting, whether rfkill blocks a radio. What Interfaces
// listed is old by as long as the news of a change takes: too long for whoever unblocks and starts
// at once.
type Blocker interface {
	Blocked(ifname string) (bool, error)
}

// Connecter tells which network an interface is in, whoever has brought it there.
type Connecter interface {
	// Connection returns the access point that the interface is connected to, with its keys set, so
	// that data flows. ok is false if there is none.
	Connection(ctx context.Context, ifname string) (b BSS, ok bool, err error)
	// Links gives the name of each interface whose link began or ceased to carry data, whoever
	// brought that about. Of many at once some may be lost. nil: nobody notices.
	Links() <-chan string
}
