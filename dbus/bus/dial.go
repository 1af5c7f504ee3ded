package bus

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// connectTime is how long the bus may take to let us in.
const connectTime = 10 * time.Second

// ErrAddress means that an address is none that Dial understands.
var ErrAddress = errors.New(`not "system", "session" or an address like unix:path=/run/dbus/system_bus_socket`)

// ErrRefused means that the bus did not let us in.
var ErrRefused = errors.New("bus: it does not let us in")

// Address gives the address of a bus that may be named: "system", "session", or an address. It may
// be a list with semicolons, of which the first that works counts.
func Address(address string) (string, error) {
	switch {
	case address == "system":
		if a := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); a != "" {
			return a, nil
		}
		return "unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket", nil
	case address == "session":
		if a := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" {
			return a, nil
		}
		if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
			return "unix:path=" + godbus.EscapeBusAddressValue(dir+"/bus"), nil
		}
		return "", fmt.Errorf("%w: there is no session (neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set)", ErrAddress)
	case !strings.Contains(address, ":"):
		return "", fmt.Errorf("%w: %q", ErrAddress, address)
	}
	return address, nil
}

// Dial connects to a bus: "system" (DBUS_SYSTEM_BUS_ADDRESS says where, if it is set), "session",
// or an address. A bus that is not on a local socket is not for us: only the kernel can tell who is
// at the other end.
func Dial(address string, o Options) (*Conn, error) {
	list, err := Address(address)
	if err != nil {
		return nil, err
	}
	var errs []error
	for one := range strings.SplitSeq(list, ";") {
		socket, err := dialUnix(one)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := socket.SetDeadline(time.Now().Add(connectTime)); err != nil {
			return nil, errors.Join(err, socket.Close())
		}
		c, err := New(socket, o)
		if err != nil {
			return nil, fmt.Errorf("bus %s: %w", one, err)
		}
		if err := socket.SetDeadline(time.Time{}); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return c, nil
	}
	return nil, errors.Join(errs...)
}

// dialUnix connects to one address.
func dialUnix(address string) (net.Conn, error) {
	text, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrAddress, address)
	}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := godbus.UnescapeBusAddressValue(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %q", ErrAddress, address)
		}
		switch key {
		case "path":
			return net.DialTimeout("unix", value, connectTime)
		case "abstract":
			return net.DialTimeout("unix", "@"+value, connectTime)
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrAddress, address)
}

// authenticate is the text before the first message: EXTERNAL, by which the kernel says who we are
// (D-Bus specification, "Authentication Protocol").
func authenticate(w io.Writer, r *bufio.Reader, files bool) error {
	uid := hex.EncodeToString([]byte(strconv.Itoa(os.Geteuid())))
	if answer, err := say(w, r, "\x00AUTH EXTERNAL "+uid); err != nil || answer != "OK" {
		return errors.Join(ErrRefused, err)
	}
	if files {
		if answer, err := say(w, r, "NEGOTIATE_UNIX_FD"); err != nil || answer != "AGREE_UNIX_FD" {
			return errors.Join(fmt.Errorf("%w: no file descriptors", ErrRefused), err)
		}
	}
	_, err := io.WriteString(w, "BEGIN\r\n")
	return err
}

// say says a line and returns the first word of the answer.
func say(w io.Writer, r *bufio.Reader, line string) (string, error) {
	if _, err := io.WriteString(w, line+"\r\n"); err != nil {
		return "", err
	}
	answer, err := r.ReadSlice('\n')
	word, _, _ := bytes.Cut(bytes.TrimRight(answer, "\r\n"), []byte(" "))
	return string(word), err
}
