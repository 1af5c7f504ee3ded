package service

import (
	"wpsd/engine/credential"
	"wpsd/engine/ie"
)

// requireSAE marks the networks whose access points were heard to take SAE only. Those that cannot be joined so are
// wiped and left out; skipped tells why.
func (s *Service) requireSAE(i *iface, networks []credential.Network) (kept []credential.Network, skipped []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range networks {
		if i != nil && i.air.wpa3Only(n.SSID) {
			if err := n.RequireSAE(); err != nil {
				wipeNetwork(n)
				skipped = append(skipped, err)
				continue
			}
		}
		kept = append(kept, n)
	}
	return kept, skipped
}

// wpa3Only reports whether a network was heard, and each BSS of it takes a passphrase by SAE only. One that takes WPA2,
// too, is a way in for everybody.
func (a *air) wpa3Only(ssid []byte) bool {
	heard := false
	for _, b := range a.bsss {
		name, ok := ie.SSID(b.IEs)
		switch {
		case !ok || string(name) != string(ssid):
		case !ie.SecurityOf(b.IEs, b.Privacy).WPA3Only():
			return false
		default:
			heard = true
		}
	}
	return heard
}
