package reply

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// File is the identity of a socket's file, by which one that came in the place of another is told apart. The zero File
// stands for none in particular.
type File struct {
	Device, Number uint64
	Changed        int64 // the file's ctime in ns: numbers are used again at once
}

// Recipient is who gets a datagram: not a path, but the user that has a socket there.
type Recipient struct {
	// Address is a path, or an abstract name with @ in front. Such a name belongs to nobody: neither UID nor File count.
	Address string
	// UID is the user who asked, as the kernel said, and so has to be the owner of the socket.
	UID uint32
	// File, unless zero, is the socket that it has to be.
	File File
}

// ErrElsewhere means that an address does not lead to the recipient's own socket (any more): a link, no socket, one of
// another user, or another one than before.
var ErrElsewhere error = syscall.ESTALE

// Send sends one datagram from the socket fd, or fails at once: syscall.EAGAIN if the recipient has no room for it. It
// returns the identity of the file that the datagram went to.
//
// The file is looked at and sent to by one reference to it (O_PATH), so nobody can exchange it in between.
func (r Recipient) Send(fd int, text []byte) (File, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	if !strings.HasPrefix(r.Address, "/") {
		return File{}, syscall.Sendto(fd, text, flags, &syscall.SockaddrUnix{Name: r.Address})
	}
	ref, err := reference(r.Address)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = unix.Close(ref) }()
	var stat unix.Stat_t
	if err := unix.Fstat(ref, &stat); err != nil {
		return File{}, err
	}
	file := File{uint64(stat.Dev), stat.Ino, stat.Ctim.Nano()}
	if stat.Mode&unix.S_IFMT != unix.S_IFSOCK || stat.Uid != r.UID || (r.File != File{}) && r.File != file {
		return File{}, ErrElsewhere
	}
	return file, syscall.Sendto(fd, text, flags, &syscall.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d", ref)})
}

// reference opens what a path names, itself if that is a link, to be looked at only. The Server may not open files (its
// unit's SystemCallFilter=): open_tree gives such a reference and can give nothing else.
func reference(path string) (int, error) {
	ref, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, syscall.EPERM) {
		ref, err = unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	}
	return ref, err
}
