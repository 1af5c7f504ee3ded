package er

import (
	"container/list"
	"net/netip"
	"slices"
	"strings"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

const (
	stranger rank = iota // announced, and did not answer yet
	proven               // answered
	dropped              // misbehaves
)

const (
	wantDescription work = 1 << iota
	wantInfo             // GetDeviceInfo
	wantSubscribe
	wantSelect // SetSelectedRegistrar
	wantRenew
	wantUnsubscribe
)

// rank says in which list an access point is.
type rank uint8

var bounds = [...]int{stranger: maxStrangers, proven: maxAPs, dropped: maxDropped}

// ap is an access point, and all that goes on with it: what is published of it, where it stands in
// the registry, and the state of each concern, which the concern's file has.
type ap struct {
	AP
	host      *host
	rank      rank
	place     *list.Element // in the list of its rank
	published bool          // APAdded was, and APRemoved was not
	alarm

	identity
	liveness
	subscription
	invitation
	outbox
	hearing
	setupLock
	run *apRun // that learns or configures it; nil: none
}

// host is an address. What one does is bounded together.
type host struct {
	addr    netip.Addr
	suspect bool // it did not answer its latest request
	aps     []*ap
	busy    int   // background requests under way
	blocked []*ap // that wait for them
}

// subscriber names a subscription: different devices can give the same SID.
type subscriber struct {
	from netip.Addr
	sid  string
}

func copyURL(u upnp.URL) upnp.URL {
	u.Path = strings.Clone(u.Path)
	return u
}

// slim leaves out what can be long and nobody asks for.
func slim(d wsc.Device) wsc.Device {
	d.VendorExtensions, d.SecondaryDeviceTypes = nil, nil
	return d
}

// snapshot is what others may have of an access point.
func (a *ap) snapshot() AP {
	s := a.AP
	s.Also = slices.Clone(a.Also)
	if !s.Dropped {
		problems := []string{a.contested(), a.noInfo, a.noEvents}
		s.Problem = strings.Join(slices.DeleteFunc(problems, func(p string) bool {
			return p == ""
		}), "; ")
	}
	return s
}
