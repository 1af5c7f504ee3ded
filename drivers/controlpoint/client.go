package controlpoint

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
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
	resp, err := exchange(conn, httpRequest(r), b.point.limits.header, r.MaxBody)
	if err != nil {
		return upnp.Response{}, failed(ctx, r, err)
	}
	return resp, nil
}

// maxInterim is how many interim answers (100 Continue) may come before the real one, as net/http
// has it.
const maxInterim = 5

// exchange sends a request and reads the answer within its bounds.
func exchange(conn net.Conn, q *http.Request, maxHeader, maxBody int) (upnp.Response, error) {
	w := bufio.NewWriter(conn)
	if err := errors.Join(q.Write(w), w.Flush()); err != nil {
		return upnp.Response{}, err
	}
	bounded := &io.LimitedReader{R: conn, N: int64(maxHeader)}
	reader := bufio.NewReader(bounded)
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(reader, q)
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

// httpRequest writes names of headers as they are: devices exist that look for "SOAPACTION" letter
// by letter.
func httpRequest(r upnp.Request) *http.Request {
	h := http.Header{"User-Agent": {userAgent}}
	for _, f := range r.Header {
		h[f.Name] = []string{f.Value}
	}
	host := r.URL.Host.String()
	q := &http.Request{
		Method: r.Method,
		// Opaque goes out as it is
		URL:    &url.URL{Scheme: "http", Host: host, Opaque: r.URL.Path},
		Host:   host,
		Header: h,
		Close:  true,
	}
	if len(r.Body) > 0 {
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(r.Body)), int64(len(r.Body))
	}
	return q
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
