package wsccrypto

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func BenchmarkIsSquare(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var ys [64]limbs
	for i := range ys {
		for j := range ys[i] {
			ys[i][j] = r.Uint64()
		}
	}
	p := group5().limbs
	i := 0
	for b.Loop() {
		isSquare(ys[i%64], p)
		i++
	}
}

func TestIsSquareAgreesWithMathBig(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	p := group5().limbs
	prime := p.big()
	for i := range 3000 {
		var y limbs
		for j := range y {
			y[j] = r.Uint64()
		}
		n := y.big()
		switch i % 4 {
		case 1:
			n.Rsh(n, uint(r.IntN(1530)))
		case 2: // few bits
			n.SetInt64(0)
			for range 1 + r.IntN(4) {
				n.SetBit(n, r.IntN(1536), 1)
			}
		case 3:
			n.Sub(prime, n.Rsh(n, uint(r.IntN(1530))))
		}
		if n.Mod(n, prime).Sign() == 0 {
			continue
		}
		if got, want := isSquare(limbsOf(n.Bytes()), p), big.Jacobi(n, prime) == 1; got != want {
			t.Fatalf("%x: %v", n, got)
		}
	}
}
