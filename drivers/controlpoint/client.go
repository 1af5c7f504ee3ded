package controlpoint

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"wpsd/drivers/ssdp"
	"wpsd/engine/upnp"
)

// userAgent has the form that UDA asks for; some devices refuse to talk to others.
const userAgent = "Linux UPnP/1.0 wpsd"

// Do sends a request to its URL's address, from the interface, and returns the answer if it comes
// whole, in time and within its bounds. To a new subscription it adds the CALLBACK. What a device's
// answer of any status means is for the caller.
func (p *ControlPoint) Do(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	b := p.binding()
	if b == nil {
		return upnp.Response{}, ErrNoAddress
	}
	to := r.URL.Host.Addr()
	if !b.neighbour(to) {
		return upnp.Response{}, ErrElsewhere
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.ctx, func() { cancel(context.Cause(b.ctx)) })()
	release, err := p.slots.acquire(ctx, to)
	if err != nil {
		return upnp.Response{}, err
	}
	defer release()
	// The time starts now: who had to wait for another request shall not have less.
	ctx, stop := context.WithTimeoutCause(ctx, p.limits.requestTime, ErrTimeout)
	defer stop()

	_, renews := r.Header.Find("SID")
	switch {
	case r.Method == "SUBSCRIBE" && !renews:
		return b.subscribe(ctx, r)
	case r.Method == "SUBSCRIBE":
		resp, err := b.roundTrip(ctx, r)
		if err == nil {
			b.callbacks.renew(to, r.Header.Get("SID"), resp)
		}
		return resp, err
	case r.Method == "UNSUBSCRIBE":
		defer b.callbacks.remove(to, r.Header.Get("SID"))
	}
	return b.roundTrip(ctx, r)
}

// subscribe sends a SUBSCRIBE with a path of its own. Events can come before the answer does, which
// has the SID: they wait for it.
func (b *binding) subscribe(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	s, err := b.callbacks.add(r.URL.Host.Addr())
	if err != nil {
		return upnp.Response{}, err
	}
	callback := upnp.URL{Host: b.callback, Path: s.path}
	r.Header = append(slices.Clone(r.Header),
		upnp.Field{Name: "CALLBACK", Value: "<" + callback.String() + ">"})
	resp, err := b.roundTrip(ctx, r)
	b.callbacks.settle(s, resp, err)
	return resp, err
}

// roundTrip is one connection for one request, as devices have it. net/http's Transport would do
// the same with four goroutines, which costs as much as all else of a request; its rules are kept:
// nothing is followed, and everything is bounded.
func (b *binding) roundTrip(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	d := &net.Dialer{
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(b.address, 0)),
		Control:   ssdp.BindToDevice(b.point.ifname),
		KeepAlive: -1, // the deadline comes before
	}
	conn, err := d.DialContext(ctx, "tcp4", r.URL.Host.String()) // numeric: upnp.URL has no other
	if err != nil {
		return upnp.Response{}, failed(ctx, r, err)
	}
	defer conn.Close()
	// ends what waits
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	resp, err := b.point.exchange(conn, r)
	if err != nil {
		return upnp.Response{}, failed(ctx, r, err)
	}
	return resp, nil
}

// maxInterim is how many interim answers (100 Continue) may come before the real one, as net/http
// has it.
const maxInterim = 5

// answerSize is the usual length of an answer; longer ones are read in parts.
const answerSize = 2048

// exchange sends a request and reads the answer within its bounds.
func (p *ControlPoint) exchange(conn net.Conn, r upnp.Request) (upnp.Response, error) {
	request, err := appendRequest(nil, r)
	if err != nil {
		return upnp.Response{}, err
	}
	if _, err := conn.Write(request); err != nil {
		return upnp.Response{}, err
	}
	maxHeader, maxBody := p.limits.header, r.MaxBody
	bounded := &io.LimitedReader{R: conn, N: int64(maxHeader)}
	reader, ok := p.readers.Get().(*bufio.Reader)
	if !ok {
		reader = bufio.NewReaderSize(nil, answerSize)
	}
	reader.Reset(bounded)
	defer func() { reader.Reset(nil); p.readers.Put(reader) }()
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(reader, nil)
		switch {
		case err != nil && bounded.N <= 0:
			return upnp.Response{}, ErrTooLong
		case err != nil:
			return upnp.Response{}, err
		case resp.StatusCode < 200:
			continue
		}
		// What the reader has of the body already is within the bound of the header. Chunks have
		// headers of their own.
		bounded.N = 2*int64(maxBody) + int64(maxHeader)
		body, err := io.ReadAll(io.LimitReader(resp.Body, int64(maxBody)+1))
		switch {
		case len(body) > maxBody, err != nil && bounded.N <= 0:
			return upnp.Response{}, ErrTooLong
		case err != nil:
			return upnp.Response{}, err
		}
		return upnp.Response{Status: resp.StatusCode, Header: fields(resp.Header), Body: body}, nil
	}
	return upnp.Response{}, errInterim
}

var errInterim = errors.New("controlpoint: no end of interim answers")

// errRequest means that a request has a line that is none.
var errRequest = errors.New("controlpoint: a request with control characters")

// appendRequest writes a request as it goes out, which net/http would do by way of three buffers, one
// of them of 32 KiB. Names of headers stay as they are: devices exist that look for "SOAPACTION" letter
// by letter.
func appendRequest(b []byte, r upnp.Request) ([]byte, error) {
	b = slices.Grow(b, 512+len(r.Body))
	b = append(append(append(b, r.Method...), ' '), r.URL.Path...)
	b = append(b, " HTTP/1.1\r\n"...)
	lines := append(upnp.Header{{Name: "Host", Value: r.URL.Host.String()},
		{Name: "User-Agent", Value: userAgent}, {Name: "Connection", Value: "close"}}, r.Header...)
	if len(r.Body) > 0 || r.Method == "POST" {
		lines = append(lines, upnp.Field{Name: "Content-Length", Value: strconv.Itoa(len(r.Body))})
	}
	if first := (upnp.Field{Name: r.Method, Value: r.URL.Path}); !first.IsText() ||
		strings.Contains(r.URL.Path, " ") {
		return nil, errRequest
	}
	for _, f := range lines {
		if !f.IsText() {
			return nil, errRequest
		}
		b = append(append(append(append(b, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	return append(append(b, "\r\n"...), r.Body...), nil
}

// fields turns a header into ours. Its size was bounded when it was read; lines with control
// characters in them are left out.
func fields(h http.Header) upnp.Header {
	out := make(upnp.Header, 0, len(h))
	for name, values := range h {
		for _, v := range values {
			if f := (upnp.Field{Name: name, Value: v}); f.IsText() {
				out = append(out, f)
			}
		}
	}
	return out
}

// failed says what a request was and why it failed: our own end first.
func failed(ctx context.Context, r upnp.Request, err error) error {
	if c := context.Cause(ctx); c != nil && !errors.Is(err, ErrTooLong) {
		err = c
	}
	return fmt.Errorf("controlpoint: %s %s: %w", r.Method, r.URL, err)
}
