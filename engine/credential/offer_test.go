package credential

import (
	"errors"
	"testing"
)

func TestUsable(t *testing.T) {
	t.Parallel()
	refused := errors.New("no")
	check := func(o *Offer) error {
		if o.KeyKind == KeyWEP {
			return refused
		}
		return nil
	}
	wep, good := Offer{Network: Network{KeyKind: KeyWEP}}, Offer{Network: Network{KeyKind: KeyNone}}
	if usable, err := Usable([]Offer{wep, good}, check); err != nil || len(usable) != 1 ||
		usable[0].KeyKind != KeyNone {
		t.Errorf("one of two: %v, %v", usable, err)
	}
	if usable, err := Usable([]Offer{wep, wep}, check); !errors.Is(err, refused) || usable != nil {
		t.Errorf("none: %v, %v", usable, err)
	}
}
