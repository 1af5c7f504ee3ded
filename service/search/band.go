package search

import (
	"bytes"
	"errors"
	"fmt"

	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// A router has an access point in 6 GHz beside those in 2.4 and 5 GHz, with an address of its own
// and mostly the same name. There is no WPS in 6 GHz, so no search looks there: whoever names that
// address would wait for nothing. They are told at once where the radio, or wpsd, has heard it
// before. Else one sweep of the bands with WPS comes first, and if nobody has the address there, one
// look at 6 GHz. It only listens: a Probe Request for anybody is not allowed on most of its channels
// (IEEE 802.11ax, 26.17.2.3.2), and ours has an element that is of no use there. With 59 channels it
// takes 6.5 s.

// ErrBand: the access point that was named is in a band where WPS is not used. A *BandError says
// more.
var ErrBand = errors.New("search: the access point is in a band without WPS")

// BandError is ErrBand, with what is known of the access point that was named.
type BandError struct {
	Frequency int // MHz
	SSID      []byte
	// Instead is a BSS with WPS that has the same name; nil: none was heard.
	Instead *discovery.Candidate
}

// Error implements error.
func (e *BandError) Error() string { return fmt.Sprintf("%v: %d MHz", ErrBand, e.Frequency) }

// Unwrap returns ErrBand.
func (*BandError) Unwrap() error { return ErrBand }

// elsewhere is what a search knows of 6 GHz.
type elsewhere struct {
	channels []int // that the radio may use
	listened bool
}

// next is the look at 6 GHz; false: there was one, or the radio has nothing there.
func (e *elsewhere) next() (Look, bool) {
	return Look{Frequencies: e.channels, Passive: true}, !e.listened && len(e.channels) > 0
}

// namesake is the strongest BSS with WPS that has a name, of the first list that has any.
func namesake(ssid []byte, lists ...[]discovery.Candidate) (best *discovery.Candidate) {
	for _, list := range lists {
		for _, c := range list {
			if bytes.Equal(c.SSID, ssid) && !wsc.WithoutWPS(c.Frequency) &&
				(best == nil || c.Signal > best.Signal) {
				best = &c
			}
		}
		if best != nil {
			break
		}
	}
	return best
}
