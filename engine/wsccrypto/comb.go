package wsccrypto

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"filippo.io/bigmod"
)

// The fixed-base method of Lim and Lee ("More Flexible Exponentiation with Precomputation", 1994).
// An exponent of 256 bits is written into a grid of combTeeth rows; a row has combBlocks blocks of
// combColumns bits, row 0 the lowest bits of all:
//
//	row 0   bit  51 ...   1   0     A column picks one of 2^combTeeth ready-made products from the
//	row 1   bit 103 ...  53  52     table of its block. The columns at one place in their blocks are
//	 ...                            multiplied together, and combColumns - 1 squarings between put
//	row 4   bit 259 ... 209 208     the places in order.
//
// So nearly all squarings are saved. Plain windows of 4 bits would take a table of 192 KB instead
// of 80 KB, twice the time to make it, and a little more to use it: the tables are what the
// processor's caches see most of. bigmod's Mul costs two Montgomery multiplications, so that
// squarings are dear, and blocks are short.
const (
	combTeeth   = 5
	combBlocks  = 13
	combColumns = 4
	combWidth   = 1 << combTeeth
	combRow     = combBlocks * combColumns // bits per row of the grid
)

// privateSize is the length of a private key made here. RFC 3526, section 8, asks for exponents of
// 180 to 240 bits in this group; peers cannot see the length.
const privateSize = 32

// lane is how many limbs pick works on at a time: what fits the processor's registers. It divides
// the 24 or 48 limbs of p.
const lane = 6

// combTable[j] is row j: entry u is the product over the set bits i of u of
// g^(2^(i*combRow + j*combColumns)). The limbs of the entries are interleaved for pick: the lowest
// lane of all entries, then the next lane of all entries, and so on.
type combTable [combBlocks][]uint

// fixedBase is the table for g. It stays for good.
var fixedBase = sync.OnceValue(makeCombTable)

// tableAfter is how many key pairs are made without the table. To make that takes the time of nine
// pairs with it, or of four and a half without: most computers join a network now and then and
// never need it, and who waits for a first pair does not wait for it.
const tableAfter = 8

var pairsMade atomic.Int32

// publicOf computes g^x, in a time that depends on how many there were, not on x.
func publicOf(x *[privateSize]byte) *bigmod.Nat {
	if pairsMade.Load() < tableAfter && pairsMade.Add(1) <= tableAfter {
		m := group5().modulus
		return bigmod.NewNat().Exp(natFor(m, generator), x[:], m)
	}
	return powerOfG(x)
}

func makeCombTable() *combTable {
	m := group5().modulus
	var base [combTeeth][combBlocks]*bigmod.Nat // g^(2^(i*combRow + j*combColumns))
	next := natFor(m, generator)
	for i := range base {
		for j := range base[i] {
			base[i][j] = natFor(m, 0)
			copy(base[i][j].Bits(), next.Bits())
			next.ExpShortVarTime(next, 1<<combColumns, m)
		}
	}
	var t combTable
	for j := range t {
		entries := [combWidth]*bigmod.Nat{natFor(m, 1)}
		for u := 1; u < combWidth; u++ {
			top := bits.Len(uint(u)) - 1
			entries[u] = natFor(m, 0)
			copy(entries[u].Bits(), base[top][j].Bits())
			if rest := u &^ (1 << top); rest != 0 {
				entries[u].Mul(entries[rest], m)
			}
		}
		t[j] = interleave(entries)
	}
	return &t
}

// powerOfG computes g^x in a time that does not depend on x: every row of the table is read as a
// whole, whatever entry is wanted.
func powerOfG(x *[privateSize]byte) *bigmod.Nat {
	m, t := group5().modulus, fixedBase()
	result, picked := natFor(m, 1), natFor(m, 0)
	defer clear(picked.Bits())
	for k := combColumns - 1; k >= 0; k-- {
		if k < combColumns-1 {
			result.Mul(result, m)
		}
		for j := range t {
			pick(picked.Bits(), t[j], column(x, j*combColumns+k))
			if k == combColumns-1 && j == 0 {
				copy(result.Bits(), picked.Bits()) // 1 × picked
				continue
			}
			result.Mul(picked, m)
		}
	}
	return result
}

// column collects the bits of one column of the grid.
func column(x *[privateSize]byte, at int) (u uint) {
	for i := range combTeeth {
		if bit := i*combRow + at; bit < 8*privateSize { // positions are no secret
			u |= uint(x[privateSize-1-bit/8]>>(bit%8)&1) << i
		}
	}
	return u
}

func interleave(entries [combWidth]*bigmod.Nat) []uint {
	var row []uint
	for l := 0; l < len(entries[0].Bits()); l += lane {
		for _, e := range entries {
			row = append(row, e.Bits()[l:l+lane]...)
		}
	}
	return row
}

// pick copies entry u of row into out, touching all entries alike, two at a time.
func pick(out, row []uint, u uint) {
	for l := 0; l+lane <= len(out); l += lane {
		var a0, a1, a2, a3, a4, a5 uint
		for i := uint(0); i < combWidth && len(row) >= 2*lane; i += 2 {
			e, m, n := (*[2 * lane]uint)(row), ifZero(i^u), ifZero((i+1)^u)
			a0 |= m&e[0] | n&e[6]
			a1 |= m&e[1] | n&e[7]
			a2 |= m&e[2] | n&e[8]
			a3 |= m&e[3] | n&e[9]
			a4 |= m&e[4] | n&e[10]
			a5 |= m&e[5] | n&e[11]
			row = row[2*lane:]
		}
		o := (*[lane]uint)(out[l:])
		o[0], o[1], o[2], o[3], o[4], o[5] = a0, a1, a2, a3, a4, a5
	}
}

// ifZero is all ones for 0 and zero for the other numbers below combWidth, without a branch.
func ifZero(v uint) uint { return uint((int(v) - 1) >> (bits.UintSize - 1)) }

// natFor makes a number of p's size from a small one.
func natFor(m *bigmod.Modulus, v uint) *bigmod.Nat {
	n := bigmod.NewNat().ExpandFor(m)
	n.Bits()[0] = v
	return n
}
