package air

import (
	"bytes"
	"slices"

	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Offers says of each network where it was heard, those that were first: what is in reach is what a
// manager should try. giver is the access point that gave them, zero if nobody knows: it is in
// reach, and a network that was not heard under its name may be one that it is just about to
// become. Networks without a name are left out, keys are shared.
func (a *Air) Offers(networks []credential.Network, giver wsc.MAC) []credential.Offer {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []credential.Offer
	for _, n := range networks {
		if len(n.SSID) > 0 {
			list = append(list, a.offer(n, giver))
		}
	}
	slices.SortStableFunc(list, func(x, y credential.Offer) int { return rank(&x) - rank(&y) })
	return list
}

func rank(o *credential.Offer) int {
	if o.Heard {
		return 0
	}
	return 1
}

// offer: what several BSSs of that name announce counts together, unless one of them is the giver.
// Anybody can use a name, and must not be able to have a network set up so that only their access
// point fits. The caller holds mu.
func (a *Air) offer(n credential.Network, giver wsc.MAC) credential.Offer {
	o := credential.Offer{Network: n}
	best := BSS{}
	for _, b := range a.bsss {
		ssid, _ := ie.SSID(b.IEs)
		if !bytes.Equal(ssid, n.SSID) || !n.Suits(ie.SecurityOf(b.IEs, b.Privacy)) {
			continue
		}
		ciphers := ie.CiphersOf(b.IEs)
		if b.BSSID == giver {
			o.Heard, o.Ciphers = true, ciphers
			best = b
			break
		}
		if !o.Heard || b.Signal > best.Signal {
			best = b
		}
		o.Heard = true
		o.Ciphers.Add(ciphers)
	}
	if !o.Heard {
		best = a.bsss[giver]
	}
	o.BSSID, o.Frequency = best.BSSID, best.Frequency
	return o
}
