package ending

import (
	"errors"

	"wpsd/engine/credential"
	"wpsd/service/outcome"
)

// LeftOut says of each Credential that makes no network which it was, and why.
func LeftOut(list []*credential.LeftOutError) []outcome.LeftOut {
	var left []outcome.LeftOut
	for _, l := range list {
		left = append(left, outcome.LeftOut{SSID: l.SSID, Why: flawOf(l.Err)})
	}
	return left
}

// flawOf says why a Credential makes no network.
func flawOf(err error) outcome.Flaw {
	for _, row := range []struct {
		is   error
		flaw outcome.Flaw
	}{
		{credential.ErrWPA3Only, outcome.FlawWPA3Key},
		{credential.ErrSSID, outcome.FlawName},
		{credential.ErrWEP, outcome.FlawWEP},
		{credential.ErrKey, outcome.FlawKey},
		{credential.ErrEncryption, outcome.FlawEncryption},
		{credential.ErrAuth, outcome.FlawAuth},
	} {
		if errors.Is(err, row.is) {
			return row.flaw
		}
	}
	return outcome.FlawOther
}
