package er

import (
	"net/netip"
	"time"
)

// maxFlappers bounds the addresses whose coming and going is counted.
const maxFlappers = 1024

// gone notes that an access point which was told is not told any more. Who goes and comes all the
// time keeps all busy that listen, and costs four requests each time: an address is back eight
// times at once, and once in ten seconds in the long run. It is heard again at the next search
// after that.
func (r *Registrar) gone(now time.Time, at netip.Addr) {
	if _, known := r.flappers[at]; !known && len(r.flappers) >= maxFlappers {
		for other, l := range r.flappers {
			if now.Sub(l.at) >= 80*time.Second {
				delete(r.flappers, other) // it has its whole allowance again
			}
		}
		if len(r.flappers) >= maxFlappers {
			return
		}
	}
	l := r.flappers[at]
	l.take(now, 8, 0.1)
	r.flappers[at] = l
}

// flaps reports whether an address has come back so often that it has to wait.
func (r *Registrar) flaps(now time.Time, at netip.Addr) bool {
	l, known := r.flappers[at]
	return known && l.left+now.Sub(l.at).Seconds()*0.1 < 1
}
