package air

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// announced are the elements of a BSS: its name, and an RSN element with this cipher and key
// management unless it is 0.
func announced(ssid string, cipher, akm byte) []byte {
	b := ie.Append(nil, ie.IDSSID, []byte(ssid))
	if cipher == 0 {
		return b
	}
	return ie.Append(b, ie.IDRSN, []byte{1, 0, 0, 0x0f, 0xac, cipher, 1, 0, 0, 0x0f, 0xac, cipher,
		1, 0, 0, 0x0f, 0xac, akm, 0x80, 0})
}

func TestOffers(t *testing.T) {
	t.Parallel()
	near, far, giver := wsc.MAC{2, 1}, wsc.MAC{2, 2}, wsc.MAC{2, 3}
	named := func(ssid string, kind credential.KeyKind) credential.Network {
		return credential.Network{SSID: []byte(ssid), KeyKind: kind}
	}
	bss := func(bssid wsc.MAC, frequency, signal int, ies []byte) drivers.BSS {
		return drivers.BSS{BSSID: bssid, Frequency: frequency, Signal: signal,
			Seen: time.Now(), IEs: ies}
	}
	for _, c := range []struct {
		name     string
		heard    []drivers.BSS
		networks []credential.Network
		giver    wsc.MAC
		want     []string
	}{
		{"one that was heard comes before one that was not",
			[]drivers.BSS{bss(near, 2412, -40, announced("b", 4, 2))},
			[]credential.Network{named("a", credential.KeyPassphrase),
				named("b", credential.KeyPassphrase)}, wsc.MAC{},
			[]string{"b true 2412 [CCMP]", "a false 0 []"}},
		{"it is looked for where it is strongest, and has what all of that name have",
			[]drivers.BSS{bss(far, 5180, -80, announced("a", 9, 2)),
				bss(near, 2412, -40, announced("a", 4, 8))},
			[]credential.Network{named("a", credential.KeyPassphrase)}, wsc.MAC{},
			[]string{"a true 2412 [CCMP GCMP-256]"}},
		{"but the one that gave it before all",
			[]drivers.BSS{bss(giver, 5180, -80, announced("a", 9, 8)),
				bss(near, 2412, -40, announced("a", 4, 2))},
			[]credential.Network{named("a", credential.KeyPassphrase)}, giver,
			[]string{"a true 5180 [GCMP-256]"}},
		{"a name that was not heard is looked for where it came from",
			[]drivers.BSS{bss(giver, 2437, -40, announced("factory", 0, 0))},
			[]credential.Network{named("a", credential.KeyPassphrase)}, giver,
			[]string{"a false 2437 []"}},
		{"so is one whose access point was open when it was heard",
			[]drivers.BSS{bss(giver, 2437, -40, announced("a", 0, 0))},
			[]credential.Network{named("a", credential.KeyPassphrase)}, giver,
			[]string{"a false 2437 []"}},
		{"an open network is not one with a key",
			[]drivers.BSS{bss(near, 2412, -40, announced("a", 4, 2))},
			[]credential.Network{named("a", credential.KeyNone)}, wsc.MAC{},
			[]string{"a false 0 []"}},
		{"a network without a name is none", nil,
			[]credential.Network{named("", credential.KeyNone)}, wsc.MAC{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := New(state.New(state.Manager{}), "wlan0")
			a.Heard(c.heard, nil, time.Now(), nil)
			var got []string
			for _, o := range a.Offers(c.networks, c.giver) {
				got = append(got, fmt.Sprintf("%s %v %d %v", o.SSID, o.Heard, o.Frequency,
					o.Ciphers.Pairwise.Names()))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%q, not\n%q", got, c.want)
			}
		})
	}
}
