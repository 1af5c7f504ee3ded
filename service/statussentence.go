package service

import (
	"errors"
	"fmt"

	"wpsd/drivers"
)

// statuses are the 802.11 status codes with which access points refuse devices (IEEE 802.11,
// "Status Code field"): what they mean and what helps.
var statuses = map[uint16]struct{ meaning, advice string }{
	1: {"refused this device without a reason",
		"look at its filter of MAC addresses and at how many devices it takes"},
	12: {"refused this device for a reason of its own", "look at its filter of MAC addresses"},
	17: {"is full", "disconnect another device from it"},
	30: {"asked again and again to try later", "wait a minute"},
	33: {"is full", "disconnect another device from it"},
	34: {"finds the signal of this device too weak", "move closer"},
	37: {"refused this device", "look at its filter of MAC addresses"},
	82: {"wants this device to use another access point of the network",
		"move closer to another one"},
}

// associationSentence tells what an access point said that let nobody in until the time was over.
func (f failure) associationSentence(s *Session) string {
	lost, ok := errors.AsType[*drivers.LostError](f.err)
	switch {
	case !ok || lost.Status == 0:
		return fmt.Sprintf("The access point %s did not answer when this device tried to associate: move closer, then start again.", peer(s))
	case statuses[lost.Status].meaning == "":
		return fmt.Sprintf("The access point %s refused this device (status %d): look at its filter of MAC addresses, then start again.", peer(s), lost.Status)
	}
	said := statuses[lost.Status]
	return fmt.Sprintf("The access point %s %s (status %d): %s, then start again.", peer(s),
		said.meaning, lost.Status, said.advice)
}
