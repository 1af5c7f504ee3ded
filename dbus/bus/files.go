package bus

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// maxFiles is how many file descriptors the kernel passes at once.
const maxFiles = 253

// fileReader reads a socket and keeps the file descriptors that come with the bytes.
type fileReader struct {
	socket *net.UnixConn
	oob    []byte
	at     int64 // how many bytes were read
	files  []passed
}

// passed is one file descriptor. The kernel ends a read after what descriptors were sent with, so
// they belong to the message that has the last byte of it.
type passed struct {
	file *os.File
	last int64 // the number of bytes up to that one
}

// newFileReader makes one of a local socket; nothing else passes files.
func newFileReader(rwc io.ReadWriteCloser) (*fileReader, error) {
	socket, ok := rwc.(*net.UnixConn)
	if !ok {
		return nil, fmt.Errorf("bus: %T passes no file descriptors", rwc)
	}
	return &fileReader{socket: socket, oob: make([]byte, syscall.CmsgSpace(4*maxFiles))}, nil
}

// Read implements io.Reader.
func (r *fileReader) Read(b []byte) (int, error) {
	n, oobn, flags, _, err := r.socket.ReadMsgUnix(b, r.oob)
	r.at += int64(max(n, 0))
	if oobn > 0 {
		err = errors.Join(err, r.keep(r.oob[:oobn]))
	}
	switch {
	case err != nil:
		return max(n, 0), err
	case flags&syscall.MSG_CTRUNC != 0:
		return n, errors.New("bus: more file descriptors than there may be")
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// keep takes the descriptors out of control messages.
func (r *fileReader) keep(oob []byte) error {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return err
	}
	for i := range messages {
		fds, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			continue // something else than descriptors
		}
		for _, fd := range fds {
			r.files = append(r.files, passed{os.NewFile(uintptr(fd), "passed over D-Bus"), r.at})
		}
	}
	return nil
}

// first removes the oldest of those that came with one of the first n bytes; nil: there is none.
func (r *fileReader) first(n int64) *os.File {
	if len(r.files) == 0 || r.files[0].last > n {
		return nil
	}
	f := r.files[0].file
	if r.files = r.files[1:]; len(r.files) == 0 {
		r.files = nil
	}
	return f
}
