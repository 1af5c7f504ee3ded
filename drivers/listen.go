package drivers

import (
	"context"
	"time"
)

// Listener is a Driver that tells what the scans of others have heard: the
// kernel keeps one list for all programs. It takes no interface, and sends nothing.
type Listener interface {
	// Listen begins to tell of scans, or ends it: nobody is woken up then.
	Listen(on bool) error
	// Heard gives the name of an interface whenever a scan on its radio has ended, whoever asked for
	// it. Of many at once some may be lost. nil: nobody listens.
	Heard() <-chan string
	// Air is what has been heard on the radio of an interface within that time.
	Air(ctx context.Context, ifname string, maxAge time.Duration) ([]BSS, error)
}
