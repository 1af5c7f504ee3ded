package wsc

import (
	"math/rand/v2"
	"testing"
)

// TestRandomChangesOfGoodMessagesSurviveTheRoundTrip changes good messages attribute by attribute,
// which reaches states that random bytes do not: what is still read must be written and read again
// without loss. The seed is fixed; the fuzz targets are for what it does not meet.
func TestRandomChangesOfGoodMessagesSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(20, 26))
	var donors []Attribute // attributes of all messages, to be put into any
	for _, v := range vectors() {
		donors = append(donors, takeApart(t, v, load(t, v.file))...)
	}
	read := 0
	for _, v := range vectors() {
		attrs := takeApart(t, v, load(t, v.file))
		for range 400 {
			wire := build(v, changed(random, attrs, donors)...)
			got, err := codecs[v.codec].parse(wire)
			if err != nil {
				continue
			}
			read++
			checkRoundTrip(t, codecs[v.codec], got, v.codec == "Beacon")
		}
	}
	if read < 1000 {
		t.Errorf("only %d messages were still good", read)
	}
}

// changed returns attrs with one to three changes.
func changed(random *rand.Rand, attrs, donors []Attribute) []Attribute {
	as := append([]Attribute(nil), attrs...)
	for range 1 + random.IntN(3) {
		i := random.IntN(len(as))
		switch random.IntN(6) {
		case 0: // other bytes
			v := make([]byte, len(as[i].Value))
			for j := range v {
				v[j] = byte(random.Uint32() >> random.IntN(32))
			}
			as[i].Value = v
		case 1: // another length
			v := make([]byte, random.IntN(70))
			copy(v, as[i].Value)
			as[i].Value = v
		case 2: // removed
			if len(as) > 1 {
				as = append(as[:i:i], as[i+1:]...)
			}
		case 3: // another place
			j := random.IntN(len(as))
			as[i], as[j] = as[j], as[i]
		default: // from elsewhere
			as = append(as[:i:i],
				append([]Attribute{donors[random.IntN(len(donors))]}, as[i:]...)...)
		}
	}
	return as
}
