package reply

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// File is the identity of a socket's file, by which one that came in the place of another is told
// apart as long as somebody holds the first: file systems use numbers again at once, and times of
// files are no finer than a timer's tick before Linux 6.13. The zero File stands for none in
// particular.
type File struct{ Device, Number uint64 }

// Held is a socket's file that is kept from being another one, also after its owner has removed it.
type Held struct {
	File
	uid uint32 // its owner
	ref *os.File
}

// hold takes over ref, which refers to a socket's file.
func hold(ref int) (*Held, error) {
	h := &Held{ref: os.NewFile(uintptr(ref), "a socket's file")}
	var stat unix.Stat_t
	err := unix.Fstat(ref, &stat)
	if err == nil && stat.Mode&unix.S_IFMT != unix.S_IFSOCK {
		err = ErrElsewhere
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	h.File, h.uid = File{uint64(stat.Dev), stat.Ino}, stat.Uid
	return h, nil
}

// Close lets go of the file. A nil Held is none.
func (h *Held) Close() {
	if h != nil {
		_ = h.ref.Close()
	}
}

// Recipient is who gets a datagram: not a path, but the user that has a socket there.
type Recipient struct {
	// Address is a path, or an abstract name with @ in front. Such a name belongs to nobody:
	// neither UID nor File count.
	Address string
	// UID is the user who asked, as the kernel said, and so has to be the owner of the socket.
	UID uint32
	// File, unless zero, is the socket that it has to be: that of a Held.
	File File
	// Hold asks for the socket's file to be held. There is none behind an abstract name.
	Hold bool
}

// ErrElsewhere means that an address does not lead to the recipient's own socket (any more): a
// link, no socket, one of another user, or another one than before.
var ErrElsewhere error = syscall.ESTALE

// Send sends one datagram from the socket fd, or fails at once: syscall.EAGAIN if the recipient has
// no room for it. It returns the file that the datagram went to, if it was to be held; the caller
// closes that.
//
// The file is looked at and sent to by one reference to it (O_PATH), so nobody can exchange it in
// between.
func (r Recipient) Send(fd int, text []byte) (*Held, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	if !strings.HasPrefix(r.Address, "/") {
		return nil, syscall.Sendto(fd, text, flags, &syscall.SockaddrUnix{Name: r.Address})
	}
	ref, err := reference(r.Address)
	if err != nil {
		return nil, err
	}
	held, err := hold(ref)
	if err != nil {
		return nil, err
	}
	switch {
	case held.uid != r.UID, (r.File != File{}) && r.File != held.File:
		err = ErrElsewhere
	default:
		err = syscall.Sendto(fd, text, flags,
			&syscall.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d", ref)})
	}
	if err != nil || !r.Hold {
		held.Close()
		return nil, err
	}
	return held, nil
}

// reference opens what a path names, itself if that is a link, to be looked at only. The Server may
// not open files (its unit's SystemCallFilter=): open_tree gives such a reference and can give
// nothing else.
func reference(path string) (int, error) {
	ref, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, syscall.EPERM) {
		ref, err = unix.OpenTree(unix.AT_FDCWD, path,
			unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	}
	return ref, err
}
