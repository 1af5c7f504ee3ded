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
	// Heard tells of each scan that has ended on the radio of an interface, whoever asked for it. Of
	// many at once some may be lost. nil: nobody listens.
	Heard() <-chan HeardScan
	// Air is what has been heard on the radio of an interface within that time.
	Air(ctx context.Context, ifname string, maxAge time.Duration) ([]BSS, error)
}

// HeardScan is a scan of anybody's that has ended.
type HeardScan struct {
	Interface string
	Began     time.Time // zero: nobody listened yet
	Ended     time.Time
	// Frequencies are the channels, in MHz, where each network in reach was to be heard. There are
	// none if the scan was broken off, asked for some networks only, or was to be a short one.
	Frequencies []int
}
