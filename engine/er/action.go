package er

import (
	"io"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// Config says who we are.
type Config struct {
	// Device is what we say as Registrar.
	Device wsc.Device
	// KeyPair gives a key pair that was made ahead of time; nil, or if it returns nil: made in the
	// run.
	KeyPair func() *wsccrypto.KeyPair
	// Rand is where randomness comes from; nil: crypto/rand.
	Rand io.Reader
}

// Action is something to do. The order of the Actions of one call counts for Tell only.
type Action interface{ action() }

// The Actions.
type (
	// Search asks everybody to announce themselves.
	Search struct{}
	// Do sends a request. Replied is called once with what came of it. It must not wait for other
	// requests, nor they for it.
	Do struct {
		ID      uint64
		Request upnp.Request
	}
	// Tell passes an event on.
	Tell struct{ Event Event }
)

func (Search) action() {}

func (Do) action() {}

func (Tell) action() {}
