package control

import (
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// access is what a caller may do.
type access uint8

const (
	accessNone access = iota
	accessRead        // what changes nothing and shows no secret
	accessFull        // everything, as whoever can open wpa_supplicant's socket
)

// caller is who sent a datagram.
type caller struct {
	address string // where replies go
	uid     uint32
	pid     int32
	may     access
}

// key names the client among those of a socket.
func (c caller) key() recipientKey { return recipientKey{c.address, c.uid} }

// owner names the caller for sessions and the log. A session of wpa_cli outlives it, which ends at
// once.
func (c caller) owner() string { return "control:" + c.user() }

// user is whose process it is, as clients on D-Bus have it, too.
func (c caller) user() string { return strconv.FormatUint(uint64(c.uid), 10) }

// rights decides who may do what.
type rights struct {
	ids
	// groupsOf lists the groups of a user by the user database; nil: the system's.
	groupsOf func(uid uint32) []int
}

// of judges the sender of a datagram by what the kernel says of it. Without a READ_GROUP whoever
// can open the socket may do everything, and the socket's permissions are the only rule. With one
// both groups can open it, and it is decided here: by the sender's group and by those that the user
// database gives the user. A process that has dropped groups of its user has them all the same
// here, as with polkit.
func (r rights) of(cred *syscall.Ucred) access {
	if r.readGroup == nobody {
		return accessFull
	}
	if cred == nil {
		return accessNone
	}
	if cred.Uid == 0 || int(cred.Uid) == os.Getuid() || int(cred.Uid) == r.owner {
		return accessFull
	}
	groups := []int{int(cred.Gid)}
	if r.groupsOf != nil {
		groups = append(groups, r.groupsOf(cred.Uid)...)
	} else {
		groups = append(groups, systemGroups(cred.Uid)...)
	}
	switch {
	case r.group != nobody && slices.Contains(groups, r.group):
		return accessFull
	case slices.Contains(groups, r.readGroup):
		return accessRead
	}
	return accessNone
}

// systemGroups reads the user database. Who is not in it is in no group.
func systemGroups(uid uint32) []int {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil
	}
	names, err := u.GroupIds()
	if err != nil {
		return nil
	}
	var list []int
	for _, name := range names {
		if id, err := strconv.Atoi(name); err == nil {
			list = append(list, id)
		}
	}
	return list
}
