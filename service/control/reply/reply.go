// Package reply sends datagrams for a process that may not.
//
//	wpsd (sandbox) ──[ socket, address, text ]──▶ Server (the machine's /tmp, CAP_DAC_OVERRIDE)
//	               ◀──────── errno ────────────      └── sendto(socket, address, text) ──▶ wpa_cli
//
// wpa_cli binds its end in /tmp with permissions for its own user alone. Who answers it has to see that place and be
// allowed to write there; for a datagram nothing else will do, and a client takes answers from the socket that it asked
// only. So the socket itself goes along, by SCM_RIGHTS. Requests do not come this way: who asked, the kernel tells wpsd.
//
// The Server reads no file, keeps no state and judges nothing: whom it sends to is up to the one process that may
// connect to it, and within the places that its unit lets it see.
package reply

import (
	"encoding/binary"
	"errors"
	"syscall"
)

const (
	// MaxPath is how long a Unix socket's path can be, without the final zero.
	MaxPath = 107
	// MaxText bounds a datagram; replies and events are shorter.
	MaxText = 16 << 10
	// fdLen is room for one file descriptor. More do not fit, and the kernel throws them away.
	fdLen = 4
)

// errMalformed is a request that no Client sends.
var errMalformed = errors.New("reply: a malformed request")

// appendRequest writes the length of the address in one byte, the address, and the text.
func appendRequest(b []byte, address string, text []byte) []byte {
	b = append(b, byte(len(address)))
	b = append(b, address...)
	return append(b, text...)
}

// parseRequest is its mirror. Abstract addresses have no permissions, so nobody needs the Server for them.
func parseRequest(b []byte) (address string, text []byte, err error) {
	if len(b) < 2 || int(b[0]) > MaxPath || len(b) < 1+int(b[0]) || b[1] != '/' {
		return "", nil, errMalformed
	}
	address, text = string(b[1:1+b[0]]), b[1+b[0]:]
	for _, c := range []byte(address) {
		if c == 0 {
			return "", nil, errMalformed
		}
	}
	if len(text) > MaxText {
		return "", nil, errMalformed
	}
	return address, text, nil
}

// The answer is an errno, 0 for a datagram that went out.
func appendAnswer(b []byte, err error) []byte {
	no := syscall.Errno(0)
	if err != nil && !errors.As(err, &no) {
		no = syscall.EIO
	}
	return binary.BigEndian.AppendUint32(b, uint32(no))
}

func parseAnswer(b []byte) error {
	if len(b) != 4 {
		return errMalformed
	}
	if no := binary.BigEndian.Uint32(b); no != 0 {
		return syscall.Errno(no)
	}
	return nil
}
