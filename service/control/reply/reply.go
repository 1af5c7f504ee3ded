// Package reply sends datagrams for a process that may not.
//
//	wpsd (sandbox) ──[ socket, address, text ]──▶ Server (the machine's /tmp, CAP_DAC_OVERRIDE)
//	               ◀──── errno [, file] ───────      └── sendto(socket, address, text) ──▶ wpa_cli
//
// wpa_cli binds its end in /tmp with permissions for its own user alone. Who answers it has to see
// that place and be allowed to write there; for a datagram nothing else will do, and a client takes
// answers from the socket that it asked only. So the socket itself goes along, by SCM_RIGHTS.
// Requests do not come this way: who asked, the kernel tells wpsd.
//
// Who has attached is told events at the file that its socket had then, and nowhere else: for that
// the Server passes a reference to the file along (O_PATH), and wpsd holds it, so that no other
// file can take its number.
//
// The Server reads no file and keeps no state. Whom it sends to is up to the one process that may
// connect to it, and within the places that its unit lets it see; that a path leads to the socket
// of the user who asked, and to no other, it sees for itself (Recipient).
package reply

import (
	"encoding/binary"
	"errors"
	"strings"
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

// version begins each request: a Server of another version hangs up, and the next one is of ours.
const version = 0x82

// headLen is the length of what stands before the address: version, user, file, whether it is to be
// held, and the length of the address in one byte each.
const headLen = 1 + 4 + fileLen + 1 + 1

// appendRequest writes the head, the address and the text.
func appendRequest(b []byte, to Recipient, text []byte) []byte {
	b = append(b, version)
	b = binary.BigEndian.AppendUint32(b, to.UID)
	b = appendFile(b, to.File)
	hold := byte(0)
	if to.Hold {
		hold = 1
	}
	b = append(b, hold, byte(len(to.Address)))
	b = append(b, to.Address...)
	return append(b, text...)
}

// parseRequest is its mirror. Abstract addresses have no permissions, so nobody needs the Server
// for them.
func parseRequest(b []byte) (to Recipient, text []byte, err error) {
	if len(b) <= headLen || b[0] != version {
		return Recipient{}, nil, errMalformed
	}
	n := int(b[headLen-1])
	hold := b[headLen-2]
	if hold > 1 || n > MaxPath || len(b) < headLen+n || b[headLen] != '/' {
		return Recipient{}, nil, errMalformed
	}
	to = Recipient{
		UID: binary.BigEndian.Uint32(b[1:]), File: parseFile(b[5:]), Hold: hold == 1,
		Address: string(b[headLen : headLen+n]),
	}
	text = b[headLen+n:]
	if n == 0 || strings.ContainsRune(to.Address, 0) || len(text) > MaxText {
		return Recipient{}, nil, errMalformed
	}
	return to, text, nil
}

// answerLen is the length of an answer: an errno, 0 for a datagram that went out. A file that was
// to be held comes with it.
const answerLen = 4

func appendAnswer(b []byte, err error) []byte {
	no := syscall.Errno(0)
	if err != nil && !errors.As(err, &no) {
		no = syscall.EIO
	}
	return binary.BigEndian.AppendUint32(b, uint32(no))
}

func parseAnswer(b []byte) error {
	if len(b) != answerLen {
		return errMalformed
	}
	if no := binary.BigEndian.Uint32(b); no != 0 {
		return syscall.Errno(no)
	}
	return nil
}

const fileLen = 8 + 8

func appendFile(b []byte, f File) []byte {
	b = binary.BigEndian.AppendUint64(b, f.Device)
	return binary.BigEndian.AppendUint64(b, f.Number)
}

// parseFile is its mirror. b has fileLen bytes at least.
func parseFile(b []byte) File {
	return File{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}
