package upnp

import (
	"errors"
	"net/netip"
)

// Where the sockets are in a process of their own, what comes from there is read once more as if it
// had come from the network: whoever took that process over can say no more than anybody in the
// network can.

// maxHeader bounds the bytes of an answer's header: the sockets read 8 KiB, in which a line may
// have less around it than counts here.
const maxHeader = 16 << 10

// Recheck gives the announcement that a datagram with the same content would be.
func (a Announcement) Recheck() (Announcement, error) {
	if err := checkSender(a.From); err != nil {
		return Announcement{}, err
	}
	return ParseAnnouncement(a.From, a.Append(nil))
}

// Recheck gives the event that a NOTIFY with the same content would be.
func (n Notification) Recheck() (Notification, error) {
	if err := checkSender(n.From); err != nil {
		return Notification{}, err
	}
	again, err := ParseNotify(n.Header())
	if err != nil {
		return Notification{}, err
	}
	again.From = n.From
	if n.Err != nil {
		again.Err = errors.New(Text(n.Err.Error()))
		return again, nil
	}
	again.ReadBody(n.AppendBody(nil))
	return again, nil
}

// Recheck reports what is wrong with an answer that the sockets would not have let through; nil:
// nothing.
func (r Response) Recheck(maxBody int) error {
	size := 0
	for _, f := range r.Header {
		if size += len(f.Name) + len(f.Value) + len(": \r\n"); size > maxHeader {
			return wrong("answer", "header", ErrTooLong)
		}
		if !f.IsText() {
			return wrong("answer", "header", ErrSyntax)
		}
	}
	switch {
	case r.Status < 200 || r.Status > 999:
		return wrong("answer", "status", ErrValue)
	case len(r.Body) > maxBody:
		return wrong("answer", "", ErrTooLong)
	}
	return nil
}

// IsText reports whether a line of a header has a name and no control characters.
func (f Field) IsText() bool {
	for i := range len(f.Value) {
		if f.Value[i] < ' ' && f.Value[i] != '\t' || f.Value[i] == 0x7f {
			return false
		}
	}
	return printable(f.Name, maxHeader)
}

// checkSender reports whether one device in the network can have an address.
func checkSender(a netip.Addr) error {
	if !a.Is4() || !reachable(a) {
		return wrong("sender", "", ErrAddress)
	}
	return nil
}

// Text makes any text fit to be shown: one line of at most 256 bytes in UTF-8, without control
// characters.
func Text(s string) string { return clean(s) }
