//go:build linux && (mips || mipsle || mips64 || mips64le || ppc64 || ppc64le)

package evkey

// Requests of ioctl, as MIPS and PowerPC have them (arch/mips/include/uapi/asm/ioctl.h).
const (
	directionWrite = 4
	directionRead  = 2
	sizeShift      = 16
	directionShift = 29
)
