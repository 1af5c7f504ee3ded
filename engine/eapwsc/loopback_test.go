package eapwsc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"wpsd/engine"
	"wpsd/engine/enginetest"
)

// run lets a Peer and a Server carry a talk.
func run(t *testing.T, identity string, what talk, peerSize, serverSize int,
	c enginetest.Channel) (peer, server *talker, p *Peer, s *Server) {
	t.Helper()
	enrollee := identity == IdentityEnrollee
	peer, server = &talker{talk: what, begins: enrollee}, &talker{talk: what, begins: !enrollee}
	p = NewPeer(PeerConfig{Identity: identity, Inner: peer, FragmentSize: peerSize})
	s = NewServer(ServerConfig{FragmentSize: serverSize, Inner: func(got string) engine.Machine {
		if got != identity {
			return nil
		}
		return server
	}})
	check := func(n int, fromPeer bool, frame []byte) [][]byte {
		size := serverSize
		if fromPeer {
			size = peerSize
		}
		if got := len(frame) - headerLen - 1 - len(expandedWSC); got > fragmentSize(size) {
			t.Errorf("a packet of %d bytes where %d are the limit", got, size)
		}
		if c == nil {
			return [][]byte{frame}
		}
		return c(n, fromPeer, frame)
	}
	l := enginetest.Loopback{A: p, B: s, Channel: check, Limit: 100_000}
	if _, err := l.Run(); err != nil {
		t.Fatal(err)
	}
	return peer, server, p, s
}

// loopback is a Peer and a Server that carry a talk over a perfect channel.
func loopback(identity string, what talk, peerSize, serverSize int) *enginetest.Loopback {
	enrollee := identity == IdentityEnrollee
	peer, server := &talker{talk: what, begins: enrollee}, &talker{talk: what, begins: !enrollee}
	return &enginetest.Loopback{
		A: NewPeer(PeerConfig{Identity: identity, Inner: peer, FragmentSize: peerSize}),
		B: NewServer(ServerConfig{FragmentSize: serverSize, Inner: func(string) engine.Machine {
			return server
		}}),
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for _, identity := range []string{IdentityEnrollee, IdentityRegistrar} {
		for _, peerSize := range []int{50, 300, 1400} {
			for _, serverSize := range []int{50, 300, 1400} {
				t.Run(fmt.Sprintf("%s, fragments of %d and %d bytes", identity, peerSize,
					serverSize), func(t *testing.T) {
					t.Parallel()
					for seed := range uint64(20) {
						r := rand.New(rand.NewPCG(seed, uint64(peerSize+serverSize)))
						// those of a real run
						sizes := []int{362, 453, 124, 182, 120, 110, 120, 190, 60}
						if identity == IdentityRegistrar {
							// an access point's WSC_DONE is answered with WSC_ACK
							sizes = append(sizes, 60)
						}
						for i := range sizes {
							if seed > 0 {
								sizes[i] = r.IntN(5001)
							}
						}
						peer, server, p, s := run(t, identity, newTalk(seed, sizes...), peerSize,
							serverSize, nil)
						if !peer.complete() || !server.complete() || peer.aborted ||
							server.aborted || p.TimedOut() || s.TimedOut() {
							t.Fatalf("seed %d: messages %d, %d of %d; %s %s", seed, peer.next,
								server.next, len(sizes), peer.wrong, server.wrong)
						}
					}
				})
			}
		}
	}
}

func TestEverySizeNearAFragmentsEdge(t *testing.T) {
	t.Parallel()
	for n := range 260 {
		peer, server, _, _ := run(t, IdentityEnrollee, newTalk(uint64(n), n, n), 50, 50, nil)
		if !peer.complete() || !server.complete() {
			t.Errorf("messages of %d bytes: %s %s", n, peer.wrong, server.wrong)
		}
	}
}

// lossy loses and doubles packets. Nothing is reordered: a link keeps the order.
func lossy(seed uint64, p float64) enginetest.Channel {
	r := rand.New(rand.NewPCG(seed, 11))
	return func(_ int, _ bool, frame []byte) [][]byte {
		switch x := r.Float64(); {
		case x < p:
			return nil
		case x < 2*p:
			return [][]byte{frame, bytes.Clone(frame)}
		}
		return [][]byte{frame}
	}
}

func TestLoopbackWithLossAndDuplicates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		peerSize, serverSize int
		loss                 float64
		atLeast              int // runs of 100 that must succeed
	}{
		{50, 50, 0.02, 95},
		{50, 300, 0.05, 80},
		{300, 50, 0.05, 80},
		{300, 300, 0.1, 60},
		{1400, 1400, 0.1, 80},
		{1400, 1400, 0.4, 0},
	} {
		t.Run(fmt.Sprintf("fragments of %d and %d bytes, loss %v", c.peerSize, c.serverSize,
			c.loss), func(t *testing.T) {
			t.Parallel()
			good := 0
			for seed := range uint64(100) {
				identity := []string{IdentityEnrollee, IdentityRegistrar}[seed%2]
				peer, server, _, _ := run(t, identity, newTalk(seed, 700, 900, 300, 500, 60, 60),
					c.peerSize, c.serverSize, lossy(seed, c.loss))
				if peer.wrong != "" || server.wrong != "" {
					t.Fatalf("seed %d: %s %s", seed, peer.wrong, server.wrong)
				}
				if peer.complete() && server.complete() {
					good++
				}
			}
			t.Logf("%d of 100 runs succeed", good)
			if good < c.atLeast {
				t.Errorf("%d of 100 runs succeed, want %d", good, c.atLeast)
			}
		})
	}
}

func TestLoopbackWithDamage(t *testing.T) {
	t.Parallel()
	// Bits flip and packets come late, cut or twice. Payloads are not protected at this layer, so
	// all that is asked for is an end.
	for seed := range uint64(300) {
		identity := []string{IdentityEnrollee, IdentityRegistrar}[seed%2]
		run(t, identity, newTalk(seed, 700, 900, 300), 50, 300, func() enginetest.Channel {
			damage := enginetest.Lossy(seed, 0.03)
			return func(n int, fromA bool, frame []byte) [][]byte { return damage(n, fromA, frame) }
		}())
	}
}
