package air

import "wpsd/engine/ie"

// WPA3Only reports whether a network was heard, and each BSS of it takes a passphrase by SAE only.
// One that takes WPA2, too, is a way in for everybody.
func (a *Air) WPA3Only(ssid []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
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
