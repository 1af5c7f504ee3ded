package wfadevice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"wpsd/drivers/ssdp"
	"wpsd/engine/upnp"
)

// Config makes a device.
type Config struct {
	Address netip.Addr // of the interface; on the loopback interface any of 127.0.0.0/8
	UUID    [16]byte
	MaxAge  time.Duration // of its announcements; 0: 1801 s, as hostapd's
	// Describe changes the description before it is served; nil: it stays as it is. It is called
	// for each request.
	Describe func(d *upnp.Description)
	// Document changes the bytes of the description, for devices that write it badly; nil: they
	// stay as they are.
	Document func(xml []byte) []byte
	// Act answers the action that somebody at an address asks for: with a message, or with a
	// *upnp.Fault. It is called from several goroutines. Nil: there are no actions.
	Act func(from netip.Addr, a upnp.Action) ([]byte, error)
	// First gives what a new subscriber is told first; nil: a dummy as hostapd's.
	First func() *upnp.WLANEvent
	// Left is told who has no subscription any more; nil: nobody. It must not call the Device.
	Left func(from netip.Addr)
	// Trace is told what the device is asked: "M-SEARCH …", "GET /wps_device.xml", "PutMessage" …;
	// nil: nobody.
	Trace func(call string)
	// Spread has answers to searches spread over the time that they allow. Otherwise they come at
	// once.
	Spread bool
	// EventBeforeAnswer sends the first event while the subscriber still waits for its SID, as
	// quick devices do.
	EventBeforeAnswer bool
	// Forgets makes renewals fail as after a restart.
	Forgets bool
}

// The paths of a device, which are hostapd's.
const (
	DescriptionPath = "/wps_device.xml"
	scpdPath        = "/wps_scpd.xml"
	controlPath     = "/wps_control"
	eventPath       = "/wps_event"
)

// Bounds of a device's server.
const (
	maxConnections = 32
	maxHeader      = 8 << 10
	requestTime    = 10 * time.Second
	answerTime     = 30 * time.Second // Diffie-Hellman on a busy machine
)

// Device is one WFADevice. It is safe for concurrent use.
type Device struct {
	network  *Network
	config   Config
	location upnp.URL
	own      *net.UDPConn // answers and announces
	server   *http.Server
	client   http.Client // delivers events
	ctx      context.Context
	stop     context.CancelFunc
	wait     sync.WaitGroup

	mu            sync.Mutex
	closed        bool
	connections   int
	answers       int                      // that wait for their time
	late          map[*time.Timer]struct{} // of these answers
	subscriptions []*subscription          // the oldest first
}

// Add puts a device into the network. It does not announce itself: see Announce. The caller closes
// it, or the Network.
func (n *Network) Add(c Config) (*Device, error) {
	if c.MaxAge == 0 {
		c.MaxAge = subscriptionTime
	}
	d := &Device{network: n, config: c, late: make(map[*time.Timer]struct{})}
	var err error
	if d.own, err = ssdp.Speaker(n.ifname, n.index, c.Address); err != nil {
		return nil, fmt.Errorf("wfadevice: %s: %w", c.Address, err)
	}
	l, err := net.Listen("tcp4", netip.AddrPortFrom(c.Address, 0).String())
	if err != nil {
		_ = d.own.Close()
		return nil, fmt.Errorf("wfadevice: %s: %w", c.Address, err)
	}
	d.location = upnp.URL{Host: l.Addr().(*net.TCPAddr).AddrPort(), Path: DescriptionPath}
	d.ctx, d.stop = context.WithCancel(context.Background())
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Address, 0))}
	d.client = http.Client{Timeout: requestTime,
		Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	d.server = &http.Server{
		Handler: d, ReadTimeout: requestTime, WriteTimeout: answerTime, MaxHeaderBytes: maxHeader,
		ConnState: d.count,
		ErrorLog:  slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	d.server.SetKeepAlivesEnabled(false)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		d.stop()
		_ = d.own.Close()
		_ = l.Close()
		return nil, ErrClosed
	}
	n.devices = append(n.devices, d)
	d.wait.Go(func() { _ = d.server.Serve(l) })
	return d, nil
}

// Close ends the device without a word, and waits for it. Announce a byebye first for an orderly
// end.
func (d *Device) Close() {
	n := d.network
	n.mu.Lock()
	for i, o := range n.devices {
		if o == d {
			n.devices = append(n.devices[:i:i], n.devices[i+1:]...)
			break
		}
	}
	n.mu.Unlock()
	d.mu.Lock()
	d.closed = true
	for t := range d.late {
		if t.Stop() {
			d.wait.Done()
		}
	}
	clear(d.late)
	d.mu.Unlock()
	d.stop()
	_ = d.server.Close()
	_ = d.own.Close()
	d.wait.Wait()
}

// Location is where its description is.
func (d *Device) Location() upnp.URL { return d.location }

func (d *Device) trace(call string) {
	if d.config.Trace != nil {
		d.config.Trace(call)
	}
}

// count refuses connections beyond the bound.
func (d *Device) count(c net.Conn, s http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s {
	case http.StateNew:
		if d.connections++; d.connections > maxConnections {
			_ = c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		d.connections--
	default:
	}
}

// ServeHTTP implements http.Handler.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	if r.Method == "POST" {
		_, call, _ = strings.Cut(strings.Trim(r.Header.Get("SOAPACTION"), `"`), "#")
	}
	d.trace(call)
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return
	}
	from := at.Addr().Unmap()
	switch r.Method + " " + r.URL.Path {
	case "GET " + DescriptionPath:
		xml(w, d.describe())
	case "GET " + scpdPath:
		xml(w, []byte(scpd))
	case "POST " + controlPath:
		d.act(w, r, from)
	case "SUBSCRIBE " + eventPath:
		d.subscribe(w, r, from)
	case "UNSUBSCRIBE " + eventPath:
		if !d.forget(r.Header.Get("SID")) {
			w.WriteHeader(http.StatusPreconditionFailed)
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func xml(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	_, _ = w.Write(body)
}

func (d *Device) describe() []byte {
	at := func(path string) upnp.URL { return upnp.URL{Host: d.location.Host, Path: path} }
	t := upnp.Description{
		FriendlyName: "WPS Access Point", Manufacturer: "wpsd", ModelName: "wfadevice",
		UDN: d.config.UUID, HasUDN: true,
		SCPD: at(scpdPath), Control: at(controlPath), Event: at(eventPath),
	}
	if d.config.Describe != nil {
		d.config.Describe(&t)
	}
	document := t.Append(nil)
	if d.config.Document != nil {
		document = d.config.Document(document)
	}
	return document
}

func (d *Device) act(w http.ResponseWriter, r *http.Request, from netip.Addr) {
	// what is longer is refused by ParseAction
	body, err := io.ReadAll(io.LimitReader(r.Body, upnp.MaxMessage+1))
	if err != nil {
		return
	}
	action, err := upnp.ParseAction(r.Header.Get("SOAPACTION"), body)
	var message []byte
	switch {
	case err != nil:
	case d.config.Act == nil:
		err = &upnp.Fault{Status: 500, Code: 401, Description: "Invalid Action"}
	default:
		message, err = d.config.Act(from, action)
	}
	if err == nil {
		xml(w, action.Name.AppendReply(nil, message))
		return
	}
	f, ok := errors.AsType[*upnp.Fault](err)
	if !ok {
		f = &upnp.Fault{Status: 500, Code: 501, Description: "Action Failed"}
	}
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.WriteHeader(f.Status)
	_, _ = w.Write(f.Append(nil))
}
