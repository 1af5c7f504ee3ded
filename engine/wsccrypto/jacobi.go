package wsccrypto

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// limbs is a number of p's size, lowest limb first.
type limbs [PublicKeySize / 8]uint64

func limbsOf(b []byte) (l limbs) {
	var full [PublicKeySize]byte
	copy(full[len(full)-len(b):], b)
	for i := range l {
		l[i] = binary.BigEndian.Uint64(full[len(full)-8*(i+1):])
	}
	return l
}

// batch is how many division steps one matrix stands for: as many as leave its entries below 2^63
// and the lowest limbs with the bits that the rules for the symbol look at.
const batch = 62

// isSquare reports whether y, which must not be 0, is a square modulo the prime p: whether the
// Jacobi symbol (y|p) is 1. Its time depends on y, which is public.
//
// These are the division steps of Bernstein and Yang ("Fast constant-time gcd computation and
// modular inversion", 2019) on (f, g) = (p, y), with sums in place of differences so that nothing
// becomes negative, and many steps at a time on the lowest limbs as they propose. Per step the
// symbol changes sign by the two laws of quadratic reciprocity. math/big.Jacobi takes eight times
// as long, a third of the whole key agreement. It remains the way out for numbers for which the
// sums do not come to an end; none is known.
func isSquare(y, p limbs) bool {
	const most = 6 * len(y) * 64 / batch // batches; half of it is usual
	f, g, eta, odd, n := p, y, -1, uint64(0), len(y)
	for range most {
		var m matrix
		eta, odd = m.divide(f[0], g[0], eta, odd)
		m.apply(f[:n], g[:n])
		for n > 1 && f[n-1]|g[n-1] == 0 {
			n--
		}
		if n == 1 && f[0] == 1 { // (g|1) = 1
			return odd&1 == 0
		}
	}
	return big.Jacobi(y.big(), p.big()) == 1
}

// matrix takes (f, g) to ((u*f + v*g) / 2^batch, (q*f + r*g) / 2^batch).
type matrix struct{ u, v, q, r uint64 }

// divide makes a batch of steps on the lowest limbs of f and g and returns the new eta, which says
// how many steps go by before f and g change places, and odd, whose lowest bit counts the sign
// changes.
func (m *matrix) divide(f, g uint64, eta int, odd uint64) (int, uint64) {
	u, v, q, r := uint64(1), uint64(0), uint64(0), uint64(1)
	for left := batch; ; {
		// Halve g: (2|f) is -1 for f = 3 or 5 mod 8.
		zeros := bits.TrailingZeros64(g | 1<<left)
		g, u, v = g>>zeros, u<<zeros, v<<zeros
		odd ^= uint64(zeros) & (f>>1 ^ f>>2)
		eta, left = eta-zeros, left-zeros
		if left == 0 {
			*m = matrix{u, v, q, r}
			return eta, odd
		}
		if eta < 0 { // (g|f) and (f|g) differ if both are 3 mod 4
			eta = -eta
			f, g, u, v, q, r = g, f, q, r, u, v
			odd ^= (f & g) >> 1
		}
		// Add f as often as makes g divisible by 2^k: that many steps go by without a change of
		// places.
		// -1/f is f*(f*f-2) modulo 64. Adding f leaves (g|f) alone.
		k := min(eta+1, left, 6)
		w := g * f * (f*f - 2) & (1<<k - 1)
		g, q, r = g+f*w, q+u*w, r+v*w
	}
}

// apply multiplies and divides. Neither number grows: u+v and q+r are at most 2^batch.
func (m *matrix) apply(f, g []uint64) {
	var cf, cg accumulator
	cf.add(m.u, f[0], m.v, g[0])
	cg.add(m.q, f[0], m.r, g[0])
	low, lowg := cf.shift(), cg.shift()
	for i := 1; i < len(f) && i < len(g); i++ {
		a, b := f[i], g[i]
		cf.add(m.u, a, m.v, b)
		cg.add(m.q, a, m.r, b)
		x, y := cf.shift(), cg.shift()
		f[i-1], g[i-1] = low>>batch|x<<(64-batch), lowg>>batch|y<<(64-batch)
		low, lowg = x, y
	}
	last := len(f) - 1
	f[last], g[last] = low>>batch|cf.lo<<(64-batch), lowg>>batch|cg.lo<<(64-batch)
}

// accumulator is a number of 128 bits.
type accumulator struct{ hi, lo uint64 }

// add adds u*a + v*b, where u+v is below 2^63 and so the sum fits.
func (c *accumulator) add(u, a, v, b uint64) {
	hi, lo := bits.Mul64(u, a)
	hi2, lo2 := bits.Mul64(v, b)
	var carry uint64
	c.lo, carry = bits.Add64(c.lo, lo, 0)
	c.hi += hi + carry
	c.lo, carry = bits.Add64(c.lo, lo2, 0)
	c.hi += hi2 + carry
}

// shift takes the lowest limb away.
func (c *accumulator) shift() uint64 {
	low := c.lo
	c.lo, c.hi = c.hi, 0
	return low
}

func (l limbs) big() *big.Int {
	var b [PublicKeySize]byte
	for i, v := range l {
		binary.BigEndian.PutUint64(b[len(b)-8*(i+1):], v)
	}
	return new(big.Int).SetBytes(b[:])
}
