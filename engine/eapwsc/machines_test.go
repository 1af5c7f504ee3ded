package eapwsc

import (
	"testing"

	"wpsd/engine"
	"wpsd/engine/enginetest"
)

func TestMachines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		make   func() engine.Machine
		frames [][]byte
	}{
		{"Peer of an Enrollee", func() engine.Machine {
			p, _ := fuzzPeer(IdentityEnrollee)
			return p
		}, goodPackets()},
		{"Peer of a Registrar", func() engine.Machine {
			p, _ := fuzzPeer(IdentityRegistrar)
			return p
		}, goodPackets()},
		{"Server", func() engine.Machine { return fuzzServer() }, goodAnswers()},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			enginetest.TestMachine(t, func(*testing.T) engine.Machine { return c.make() }, c.frames)
		})
	}
}
