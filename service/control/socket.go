package control

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/service/control/reply"
)

const (
	// maxRequest is what wpa_supplicant reads of one datagram; longer ones it drops without a
	// reply, and so do we.
	maxRequest = 8192
	// credLen is room for SCM_CREDENTIALS and nothing else: file descriptors that a client passes
	// along do not fit, and the kernel throws them away.
	credLen = syscall.SizeofUcred
	// sendBuffer bounds what clients have not read yet, all together: the kernel charges the sender
	// for it, and has no other bound for a client that is connected to the sender (max_dgram_qlen
	// is for others). Linux doubles it, and it has room for 2,700 events. Once it is full nothing
	// can be sent to anybody: see port.renew.
	sendBuffer = 1 << 20
	// probeTime is how long whoever has a socket already may take to say who it is.
	probeTime = 500 * time.Millisecond
)

// ErrInUse tells of a socket that another program answers on.
var ErrInUse = errors.New("control: the socket is in use")

// socket is a bound AF_UNIX datagram socket.
type socket struct {
	conn *net.UnixConn
	path string // to remove at the end; empty: somebody else's
	inode
}

// inode tells a file from one that came in its place.
type inode struct{ device, number uint64 }

// makeDirectory makes the directory of the sockets, or sees to it that the one that is there can be
// used.
func makeDirectory(p Place, n ids, log *slog.Logger) error {
	mode := fs.FileMode(0o770) // as wpa_supplicant has it
	switch {
	case n.readGroup != nobody || p.Mode&0o007 != 0:
		mode = 0o755
	case n.group != nobody:
		mode = 0o750
	}
	if err := os.MkdirAll(filepath.Dir(p.Dir), 0o755); err != nil {
		return fmt.Errorf("control: %w: create it, or name another one in ctrl_interface", err)
	}
	if err := os.Mkdir(p.Dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("control: %w: name a directory in ctrl_interface that wpsd may make", err)
	}
	info, err := os.Stat(p.Dir)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	stat, _ := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("control: %s is no directory: name another one in ctrl_interface", p.Dir)
	case stat == nil || int(stat.Uid) != os.Getuid() && stat.Uid != 0 && int(stat.Uid) != n.owner,
		info.Mode()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0:
		return fmt.Errorf("control: others can change what is in %s, and put sockets of their own there: name another directory in ctrl_interface", p.Dir)
	case int(stat.Uid) != os.Getuid():
		return nil // somebody else's, such as the one of wpa_supplicant: its permissions are theirs
	case info.Mode()&fs.ModeSetgid != 0:
		return nil // made for us so that sockets get its group (tmpfiles.d), and so it stays
	}
	return dress(p.Dir, mode, n, log)
}

// removeDirectory removes the directory if it is empty, as wpa_supplicant does; not one that was
// made for us.
func removeDirectory(dir string) {
	if info, err := os.Stat(dir); err == nil && info.Mode()&fs.ModeSetgid == 0 {
		_ = os.Remove(dir)
	}
}

// dress gives a file its owner, group and mode. What is so already is left alone: the packaged
// service cannot give files away, and has a directory whose group (set-group-ID) is that of all
// that is made in it.
func dress(path string, mode fs.FileMode, n ids, log *slog.Logger) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	stat, _ := info.Sys().(*syscall.Stat_t)
	if stat == nil || n.owner != nobody && n.owner != int(stat.Uid) || n.group != nobody &&
		n.group != int(stat.Gid) {
		err := os.Chown(path, n.owner, n.group)
		if errors.Is(err, fs.ErrPermission) {
			log.Warn("wpsd may not change whose the control socket is: its group cannot use it",
				"path", path, "err", err)
		} else if err != nil {
			return fmt.Errorf("control: %w", err)
		}
	}
	if info.Mode().Perm() == mode {
		return nil
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// listen binds a socket at path. One that a dead process left is replaced; a live one is ErrInUse.
func listen(path string, mode fs.FileMode, n ids, log *slog.Logger) (*socket, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("control: %s: the path of a socket may have %d bytes: choose a shorter directory", path, maxPath)
	}
	address := &net.UnixAddr{Name: path, Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := clearStale(path); err != nil {
			return nil, err
		}
		conn, err = net.ListenUnixgram("unixgram", address)
	}
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	s := &socket{conn: conn, path: path}
	// Until it is dressed nobody else can write to it: the umask has taken that from everybody, or
	// the directory's mode does. And nobody may before the kernel says who sent what.
	err = errors.Join(prepare(conn), s.remember())
	if err == nil {
		err = dress(path, mode, n, log)
	}
	if err == nil && n.readGroup != nobody {
		err = letIn(path, mode, n.readGroup)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// adopt takes a socket that systemd has bound.
func adopt(conn *net.UnixConn) (*socket, error) {
	if err := prepare(conn); err != nil {
		return nil, err
	}
	return &socket{conn: conn}, nil
}

// clearStale removes the socket at path if nobody listens on it.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("control: %s is there and is no socket: remove it, or name another directory in ctrl_interface", path)
	}
	who, err := whoListens(path)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("control: a socket that a dead process left: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("control: %s: %w: see whose it is", path, err)
	}
	return fmt.Errorf("%w: %s answers on %s: stop it, or name another directory in ctrl_interface (wpa_cli -p DIRECTORY)", ErrInUse, who, path)
}

// whoListens asks whoever has the socket who it is. ECONNREFUSED: nobody.
func whoListens(path string) (string, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", err
	}
	local := &net.UnixAddr{Name: "@wpsd-probe-" + hex.EncodeToString(id[:]), Net: "unixgram"}
	conn, err := net.DialUnix("unixgram", local, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	const unknown = "another program"
	if passCredentials(conn) != nil || conn.SetDeadline(time.Now().Add(probeTime)) != nil {
		return unknown, nil
	}
	if _, err := conn.Write([]byte("PING")); err != nil {
		return unknown, nil
	}
	oob := make([]byte, syscall.CmsgSpace(credLen))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 64), oob)
	if err != nil {
		return unknown, nil
	}
	cred := credentials(oob[:n])
	if cred == nil {
		return unknown, nil
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cred.Pid))
	if err != nil {
		return fmt.Sprintf("process %d", cred.Pid), nil
	}
	return fmt.Sprintf("%q (process %d)", strings.TrimSpace(string(name)), cred.Pid), nil
}

// prepare sets the options of a socket that clients send to.
func prepare(conn *net.UnixConn) error {
	if err := passCredentials(conn); err != nil {
		return err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		// Beyond the system's limit with CAP_NET_ADMIN, which whoever drives radios has; else up to
		// it.
		if set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUFFORCE,
			sendBuffer); errors.Is(set, syscall.EPERM) {
			set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer)
		}
	}); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if set != nil {
		return fmt.Errorf("control: send buffer: %w", set)
	}
	return nil
}

// passCredentials has the kernel say of each datagram who sent it.
func passCredentials(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_PASSCRED, 1)
	}); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	if set != nil {
		return fmt.Errorf("control: credentials of senders: %w", set)
	}
	return nil
}

// credentials reads what came beside a datagram; nil: nothing of use.
func credentials(oob []byte) *syscall.Ucred {
	list, err := syscall.ParseSocketControlMessage(oob)
	if err != nil || len(list) != 1 {
		return nil
	}
	cred, err := syscall.ParseUnixCredentials(&list[0])
	if err != nil {
		return nil
	}
	return cred
}

func (s *socket) remember() error {
	var stat syscall.Stat_t
	if err := syscall.Lstat(s.path, &stat); err != nil {
		return fmt.Errorf("control: %s: %w", s.path, err)
	}
	s.inode = inode{stat.Dev, stat.Ino}
	return nil
}

// receive returns the next datagram, which is in buffer, its sender's address (empty: it has none)
// and credentials. whole is false for one that did not fit.
func (s *socket) receive(buffer []byte) (n int, address string, cred *syscall.Ucred, whole bool,
	err error) {
	oob := make([]byte, syscall.CmsgSpace(credLen))
	n, oobn, flags, from, err := s.conn.ReadMsgUnix(buffer, oob)
	if err != nil {
		return 0, "", nil, false, err
	}
	if from != nil {
		address = from.Name
	}
	return n, address, credentials(oob[:oobn]), flags&syscall.MSG_TRUNC == 0, nil
}

// send sends one datagram, or fails at once if the receiver has no room for it, and returns the
// file that it went to if that was to be held. With other, a process that may, it goes that way to
// clients whose address is a path.
func (s *socket) send(other *reply.Client, to reply.Recipient, message []byte) (held *reply.Held,
	err error) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		if other != nil && hasFile(to.Address) {
			held, sent = other.Send(int(fd), to, message)
			return
		}
		held, sent = to.Send(int(fd), message)
	}); err != nil {
		return nil, err
	}
	return held, sent
}

// unread is how much clients have not read, all together, and the room that there is for it, as the
// kernel counts both.
func (s *socket) unread() (unread, room int) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return 0, 0
	}
	if err := raw.Control(func(fd uintptr) {
		if unread, err = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ); err == nil {
			room, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
		}
	}); err != nil {
		return 0, 0
	}
	return unread, room
}

// clogged reports whether what clients have not read takes most of the buffer: then a failed send
// says nothing of the one that was sent to.
func (s *socket) clogged() bool {
	unread, room := s.unread()
	return unread > room/2
}

// whoWaits lists the clients that are connected to it, and for each whether it has something to
// read.
func (s *socket) whoWaits() (map[string]bool, error) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var stat unix.Stat_t
	var told error
	if err := raw.Control(func(fd uintptr) { told = unix.Fstat(int(fd), &stat) }); err != nil ||
		told != nil {
		return nil, errors.Join(err, told)
	}
	return whoWaits(uint32(stat.Ino))
}

// close ends it and removes its file, unless that is another one by now.
func (s *socket) close() {
	_ = s.conn.Close()
	var stat syscall.Stat_t
	if s.path != "" && syscall.Lstat(s.path, &stat) == nil &&
		(inode{stat.Dev, stat.Ino} == s.inode || s.inode == inode{}) {
		_ = os.Remove(s.path)
	}
}

// canAnswer reports whether a client can be answered at an address: a path that means the same to
// us, or an abstract name. Go spells the latter with an @.
func canAnswer(address string) bool {
	return hasFile(address) || len(address) > 1 && address[0] == '@'
}
