package wsccrypto

import (
	"crypto/subtle"
	"sync"

	"filippo.io/bigmod"
)

// The fixed-base method of Lim and Lee ("More Flexible Exponentiation with Precomputation", 1994).
// An exponent of 256 bits is written into a grid of combTeeth rows and combBlocks × combColumns
// columns, row 0 holding the lowest bits:
//
//	row 0   bit  43 ...  1  0        the column at a position of block j picks one of
//	row 1   bit  87 ... 45 44        2^combTeeth ready-made products from row j of the table;
//	 ...                             combColumns - 1 squarings put all the positions
//	row 5   bit 263 ...   220        of a block in their places
//
// Against square-and-multiply this saves nearly all squarings. bigmod's Mul costs two Montgomery
// multiplications, so squarings are dear and the table has many blocks rather than long ones.
const (
	combTeeth   = 6
	combBlocks  = 11
	combColumns = 4
	combWidth   = 1 << combTeeth
	combRow     = combBlocks * combColumns // bits per row of the grid
)

// privateSize is the length of a private key made here. RFC 3526, section 8, asks for exponents of
// 180 to 240 bits in this group; peers cannot see the length.
const privateSize = 32

// combTable[j][u] is the product over the set bits i of u of g^(2^(i*combRow + j*combColumns)), as
// the limbs of a bigmod.Nat one after the other.
type combTable [combBlocks][]uint

// fixedBase is the table for g. It costs about six key pairs' time to make and stays for good.
var fixedBase = sync.OnceValue(makeCombTable)

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
		t[j] = append(t[j], entries[0].Bits()...)
		for u := 1; u < combWidth; u++ {
			entries[u] = natFor(m, 0)
			top := highestBit(u)
			copy(entries[u].Bits(), base[top][j].Bits())
			if rest := u &^ (1 << top); rest != 0 {
				entries[u].Mul(entries[rest], m)
			}
			t[j] = append(t[j], entries[u].Bits()...)
		}
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

// pick copies entry u of row into out, touching all entries alike.
func pick(out, row []uint, u uint) {
	const lane = 8 // limbs kept in registers; divides the 24 or 48 limbs of p
	var masks [combWidth]uint
	for e := range masks {
		masks[e] = -uint(subtle.ConstantTimeEq(int32(e), int32(u)))
	}
	n := len(out)
	for l := 0; l+lane <= n; l += lane {
		var a0, a1, a2, a3, a4, a5, a6, a7 uint
		at := l
		for _, mask := range masks {
			e := row[at : at+lane : at+lane]
			a0 |= mask & e[0]
			a1 |= mask & e[1]
			a2 |= mask & e[2]
			a3 |= mask & e[3]
			a4 |= mask & e[4]
			a5 |= mask & e[5]
			a6 |= mask & e[6]
			a7 |= mask & e[7]
			at += n
		}
		o := out[l : l+lane]
		o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = a0, a1, a2, a3, a4, a5, a6, a7
	}
	clear(masks[:])
}

func highestBit(u int) int {
	top := 0
	for u > 1 {
		u, top = u>>1, top+1
	}
	return top
}

// natFor makes a number of p's size from a small one.
func natFor(m *bigmod.Modulus, v uint) *bigmod.Nat {
	n := bigmod.NewNat().ExpandFor(m)
	n.Bits()[0] = v
	return n
}
