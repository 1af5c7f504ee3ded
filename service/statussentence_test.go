package service

import (
	"fmt"
	"testing"

	"wpsd/drivers"
)

func TestStatusSentences(t *testing.T) {
	t.Parallel()
	s := &Session{Method: MethodPBC, Peer: homeBSSID, Detail: Detail{SSID: []byte("home")}}
	for _, c := range []struct {
		status uint16
		want   string
	}{
		{17, `The access point "home" (02:00:00:00:01:00) is full (status 17): disconnect another device from it, then start again.`},
		{30, `The access point "home" (02:00:00:00:01:00) asked again and again to try later (status 30): wait a minute, then start again.`},
		{1, `The access point "home" (02:00:00:00:01:00) refused this device without a reason (status 1): look at its filter of MAC addresses and at how many devices it takes, then start again.`},
		{99, `The access point "home" (02:00:00:00:01:00) refused this device (status 99): look at its filter of MAC addresses, then start again.`},
		{0, `The access point "home" (02:00:00:00:01:00) did not answer when this device tried to associate: move closer, then start again.`},
	} {
		err := fmt.Errorf("associating: %w",
			&drivers.LostError{Err: drivers.ErrAssociation, Status: c.status})
		if got := failureOf(err, MethodPBC).sentence(s); got != c.want {
			t.Errorf("status %d: %s", c.status, got)
		}
	}
}
