package controlpoint

import (
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

	"wpsd/drivers/ssdp"
	"wpsd/engine/upnp"
)

// userAgent has the form that UDA asks for; some devices refuse to talk to others.
const userAgent = "Linux UPnP/1.0 wpsd"

// dialerKey is where a request carries how it is to be dialled: from which address, on which interface.
type dialerKey struct{}

// newClient makes the one transport. It gives back whatever the answer is: a redirect is an answer like others.
func newClient(l limits) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // never: what we talk to is in this network
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: int64(l.header),
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			d := ctx.Value(dialerKey{}).(*net.Dialer)
			return d.DialContext(ctx, "tcp4", address) // numeric: upnp.URL has no other
		},
	}
}

// Do sends a request to its URL's address, from the interface, and returns the answer if it comes whole, in time
// and within its bounds. To a new subscription it adds the CALLBACK. What a device's answer of any status means is for
// the caller.
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

// subscribe sends a SUBSCRIBE with a path of its own. Events can come before the answer does, which has the SID:
// they wait for it.
func (b *binding) subscribe(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	s, err := b.callbacks.add(r.URL.Host.Addr())
	if err != nil {
		return upnp.Response{}, err
	}
	callback := upnp.URL{Host: b.callback, Path: s.path}
	r.Header = append(slices.Clone(r.Header), upnp.Field{Name: "CALLBACK", Value: "<" + callback.String() + ">"})
	resp, err := b.roundTrip(ctx, r)
	b.callbacks.settle(s, resp, err)
	return resp, err
}

func (b *binding) roundTrip(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	p := b.point
	d := &net.Dialer{
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(b.address, 0)),
		Control:   ssdp.BindToDevice(p.ifname),
	}
	resp, err := p.client.RoundTrip(httpRequest(context.WithValue(ctx, dialerKey{}, d), r))
	if err != nil {
		return upnp.Response{}, failed(ctx, r, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(r.MaxBody)+1))
	switch {
	case len(body) > r.MaxBody:
		return upnp.Response{}, failed(ctx, r, ErrTooLong)
	case err != nil:
		return upnp.Response{}, failed(ctx, r, err)
	}
	return upnp.Response{Status: resp.StatusCode, Header: fields(resp.Header), Body: body}, nil
}

// httpRequest writes names of headers as they are: devices exist that look for "SOAPACTION" letter by letter.
func httpRequest(ctx context.Context, r upnp.Request) *http.Request {
	h := http.Header{"User-Agent": {userAgent}}
	for _, f := range r.Header {
		h[f.Name] = []string{f.Value}
	}
	host := r.URL.Host.String()
	q := &http.Request{
		Method: r.Method,
		URL:    &url.URL{Scheme: "http", Host: host, Opaque: r.URL.Path}, // Opaque goes out as it is
		Host:   host,
		Header: h,
	}
	if len(r.Body) > 0 {
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(r.Body)), int64(len(r.Body))
	}
	return q.WithContext(ctx)
}

// fields turns a header into ours. Its size was bounded when it was read.
func fields(h http.Header) upnp.Header {
	out := make(upnp.Header, 0, len(h))
	for name, values := range h {
		for _, v := range values {
			out = append(out, upnp.Field{Name: name, Value: v})
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
