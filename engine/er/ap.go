package er

import (
	"container/list"
	"net/netip"
	"slices"
	"strings"
	"time"

	"wpsd/engine/admission"
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

// ap is an access point, and all that goes on with it.
type ap struct {
	AP
	host  *host
	rank  rank
	place *list.Element // in the list of its rank
	index int           // in the heap; -1: not there
	wake  time.Time
	told  bool
	// the access points that have to answer before this one is subscribed to; see verify
	holds []*ap
	// names are the UUIDs of its announcements; the description may have another one.
	names []wsc.UUID

	// Requests.
	want     work
	busy     *call
	queued   bool      // waits for its turn
	retryAt  time.Time // background requests not before
	failures int       // in a row
	outbox   []outgoing

	// Announcements.
	maxAge time.Duration
	doubt  Reason             // why we ask whether it is still there; see question
	again  *upnp.Announcement // what was announced meanwhile
	calm   time.Time          // until then it is not asked again

	// Searches.
	awaited  bool      // its answer to the latest one
	mutes    int       // in a row that it did not answer and was there all the same
	patience time.Time // until then no answer is awaited

	// Subscription.
	sid         string
	renewAt     time.Time
	confirmed   time.Time           // when it last knew our subscription
	noInfo      string              // why it gives no M1
	noEvents    string              // why it does not let us subscribe
	refusals    int                 // of subscriptions in a row
	nonsense    int                 // events in a row that could not be read
	early       []upnp.Notification // that came before the answer to SUBSCRIBE
	selected    []byte              // what SetSelectedRegistrar told last; nil: nobody is selected
	stale       bool                // it is to be told again
	selectAt    time.Time           // when
	selectFails int

	run       *apRun
	enrollees map[wsc.MAC]*enrollee
	stations  map[wsc.MAC]*station
	monitor   *admission.Monitor

	// What is told of it and of what it hears is bounded, since somebody has to listen.
	newcomers  allowance // devices that look for access points
	beginners  allowance // devices that begin to enrol
	changes    allowance // of its status
	toldLocked bool      // SetupLocked as it was told last
	saysLocked bool      // its APStatus has the bit
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
