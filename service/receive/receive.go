// Package receive is what happens to Credentials that arrive, whatever way they came: in M8, in an
// access point's settings, on an NFC tag, over UPnP, typed in. They are made networks, those that
// are of no use are left out with the reason, and what can be stored is. Whom to tell of it is the
// caller's.
package receive

import (
	"errors"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/store"
)

// ErrUseless means that what came is valid, and that there is no network in it that this computer
// could join: a kind of security without use here, or a network without a name.
var ErrUseless = errors.New("receive: no network that can be used here")

// Origin is where Credentials come from.
type Origin struct {
	Own    wsc.MAC // the address of the station that they were given to; zero: of none
	BSSID  wsc.MAC // of the access point; zero: not known
	Source string  // what a stored network says of it: "pbc", "learn", …
}

// Credentials are Credentials that arrived. They belong to whoever has them; Wipe ends them.
type Credentials struct {
	Networks []credential.Network // what one can connect to, in the order in which they came
	// Received has a network for each Credential attribute, as it came: also those that Networks
	// has as one, and those whose Authentication Type is for other programs to understand.
	Received []credential.Network
	LeftOut  []*credential.LeftOutError
	Stored   []Stored
	// NotStored is why a network of Networks is not in the store: each is tried, so others may be.
	// nil: it was not tried, or all are stored.
	NotStored error
}

// Stored is what came of one network in the store.
type Stored struct {
	store.Network          // without its secrets
	Removed       []uint32 // further ones that were the same network
}

// FromSettings makes a Credential, which is what clients know, of an access point's settings.
func FromSettings(settings wsc.Credential) []wsc.Credential {
	settings.NetworkIndex = 1
	raw := settings.Append(nil)
	settings.Raw = secret.New(raw)
	clear(raw)
	return []wsc.Credential{settings}
}

// Convert makes networks of cs, and wipes cs. saeOnly tells of a network whether it was heard to
// take SAE only, which a Credential cannot say; nil: none is. The error means that there is none
// that is valid: a run's M8 is refused then. LeftOut is there all the same.
func Convert(cs []wsc.Credential, own wsc.MAC,
	saeOnly func(ssid []byte) bool) (*Credentials, error) {
	defer func() {
		for i := range cs {
			cs[i].Wipe()
		}
	}()
	return Read(cs, own, saeOnly)
}

// Read is Convert for who does not own cs.
func Read(cs []wsc.Credential, own wsc.MAC,
	saeOnly func(ssid []byte) bool) (*Credentials, error) {
	networks, leftOut, err := credential.FromRun(cs, own)
	c := &Credentials{LeftOut: leftOut}
	if err != nil {
		return c, err
	}
	kept, weak := requireSAE(networks, saeOnly)
	c.Networks, c.LeftOut = kept, append(c.LeftOut, weak...)
	if len(kept) == 0 && len(weak) > 0 {
		return c, weak[0]
	}
	c.Received, _ = requireSAE(attributes(cs, own), saeOnly)
	return c, nil
}

// Store stores every network, whatever happens to the others.
func (c *Credentials) Store(to *store.Store, from Origin) {
	for _, n := range c.Networks {
		kept, removed, err := to.Put(store.Network{Network: n, BSSID: from.BSSID,
			Source: from.Source, Created: time.Now()})
		if err != nil {
			c.NotStored = errors.Join(c.NotStored, err)
			continue
		}
		c.Stored = append(c.Stored, Stored{kept, removed})
	}
}

// Wipe overwrites all secrets. Nil has none.
func (c *Credentials) Wipe() {
	if c == nil {
		return
	}
	for _, list := range [][]credential.Network{c.Networks, c.Received} {
		for i := range list {
			list[i].Wipe()
		}
	}
}

// attributes makes a network of each Credential attribute, with secrets of its own. Unlike FromRun
// it merges none, and it has those with an Authentication Type that we have no use for
// (wpa_supplicant tells of them as well); like everybody it leaves out those for WEP, which are for
// nobody (WSC 2.0).
func attributes(cs []wsc.Credential, own wsc.MAC) []credential.Network {
	var list []credential.Network
	for _, c := range cs {
		n, err := credential.FromWSC(c, own)
		if err == nil {
			list = append(list, n)
			continue
		}
		if n, ok := credential.Unused(c, own, err); ok {
			list = append(list, n)
		}
	}
	return list
}

// requireSAE marks the networks that take SAE only. Those that cannot be joined so are wiped and
// left out.
func requireSAE(networks []credential.Network,
	saeOnly func(ssid []byte) bool) (kept []credential.Network,
	leftOut []*credential.LeftOutError) {
	for i, n := range networks {
		if saeOnly != nil && saeOnly(n.SSID) {
			if err := n.RequireSAE(); err != nil {
				leftOut = append(leftOut, &credential.LeftOutError{Number: i + 1, Of: len(networks),
					SSID: n.SSID, Err: err})
				n.Wipe()
				continue
			}
		}
		kept = append(kept, n)
	}
	return kept, leftOut
}
