package control

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// The entries of a POSIX access control list, in the order that the kernel wants, and its version
// (linux/posix_acl_xattr.h).
const (
	aclVersion  = 2
	aclUser     = 0x01 // the owner
	aclGroup    = 0x04 // the file's group
	aclOneGroup = 0x08 // a group by its number
	aclMask     = 0x10
	aclOther    = 0x20
	aclNoID     = 1<<32 - 1
)

// accessList is the extended attribute that gives owner, group and others what mode says, and one
// more group what the first has. The permissions of a file have room for one group only.
func accessList(mode fs.FileMode, more int) []byte {
	group := uint16(mode >> 3 & 7)
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range []struct {
		tag, permissions uint16
		id               uint32
	}{
		{aclUser, uint16(mode >> 6 & 7), aclNoID},
		{aclGroup, group, aclNoID},
		{aclOneGroup, group, uint32(more)},
		{aclMask, group, aclNoID},
		{aclOther, uint16(mode & 7), aclNoID},
	} {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.permissions)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

// letIn opens a file that is dressed to one more group.
func letIn(path string, mode fs.FileMode, group int) error {
	err := unix.Setxattr(path, "system.posix_acl_access", accessList(mode, group), 0)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		return fmt.Errorf("control: %s: its file system has no access control lists, so READ_GROUP cannot be let in: name a directory below /run in ctrl_interface", path)
	}
	if err != nil {
		return fmt.Errorf("control: READ_GROUP: the access control list of %s: %w", path, err)
	}
	return nil
}
