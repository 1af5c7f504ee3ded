//go:build linux && !mips && !mipsle && !mips64 && !mips64le && !ppc64 && !ppc64le

package evkey

// Requests of ioctl, as most architectures have them (include/uapi/asm-generic/ioctl.h).
const (
	directionWrite = 1
	directionRead  = 2
	sizeShift      = 16
	directionShift = 30
)
