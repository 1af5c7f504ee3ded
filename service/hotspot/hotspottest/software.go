// Package hotspottest is the software of an access point for tests, which does as told.
package hotspottest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"wpsd/drivers"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Interface is the access point's interface, BSSID its address, and PIN the one it has.
const (
	Interface = "uap0"
	PIN       = "12345670"
)

// BSSID is the access point's, Camera the device that joins, and CameraID that one's UUID.
var (
	BSSID    = wsc.MAC{2, 0, 0, 0, 1, 0}
	Camera   = wsc.MAC{2, 0, 0, 0, 9, 1}
	CameraID = "12345678-9abc-def0-1234-56789abcdef0"
)

// Events of a run.
var (
	CameraTries = drivers.APEvent{Kind: drivers.APRunStarted, MAC: Camera}
	CameraIsIn  = drivers.APEvent{Kind: drivers.APEnrolled, MAC: Camera, UUID: CameraID}
)

// RunFails is the event of a run that failed.
func RunFails(message wsc.MessageType, code wsc.ConfigError) drivers.APEvent {
	return drivers.APEvent{Kind: drivers.APFailed, Message: uint8(message),
		ConfigError: uint16(code)}
}

// Answer is what the access point answers to a handover request.
func Answer() *ndef.HandoverSelect {
	return &ndef.HandoverSelect{PublicKeyHash: [20]byte{7}, SSID: []byte("hotspot"),
		RFBands: wsc.Band24GHz, APChannel: 6, BSSID: BSSID, Version2: wsc.Version20}
}

// Software is a driver with one interface, an access point unless Mode says otherwise. It also is
// the software of the access point. Its exported fields are changed by Set once it is in use.
type Software struct {
	drivers.UnsupportedDriver
	Changes chan struct{} // the interface has changed
	Mode    drivers.Mode
	Opened  int              // how often a connection was asked for
	Absent  error            // what that fails with
	Fail    map[string]error // what a command fails with, by its first word
	Panics  string           // the command in which the driver makes a mistake, once
	WPS     bool
	// Own is what it tells of itself beside WPS.
	Own drivers.APSettings
	// PINs is what it answers to commands for its own PIN.
	PINs secret.Value

	mu     sync.Mutex
	heard  []string
	events chan drivers.APEvent
	now    *control
}

var (
	_ drivers.Driver       = (*Software)(nil)
	_ drivers.AccessPoints = (*Software)(nil)
	_ drivers.AccessPoint  = (*control)(nil)
)

// New makes the software of an access point with WPS that does whatever it is told.
func New() *Software {
	return &Software{Changes: make(chan struct{}, 1), Mode: drivers.ModeAP,
		Fail: map[string]error{}, WPS: true, PINs: secret.FromString(PIN)}
}

// Name implements drivers.Driver.
func (*Software) Name() string { return "uap" }

// Interfaces implements drivers.Driver.
func (u *Software) Interfaces(context.Context) ([]drivers.Interface, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return []drivers.Interface{{Name: Interface, HardwareAddr: BSSID, Mode: u.Mode}}, nil
}

// Changed implements drivers.Driver.
func (u *Software) Changed() <-chan struct{} { return u.Changes }

// Station implements drivers.Driver.
func (*Software) Station(context.Context, string) (drivers.Station, error) {
	return nil, drivers.ErrNotSupported
}

// AccessPoint implements drivers.AccessPoints.
func (u *Software) AccessPoint(context.Context, string) (drivers.AccessPoint, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.Opened++
	if u.Absent != nil {
		return nil, u.Absent
	}
	u.events = make(chan drivers.APEvent, 4096)
	u.now = &control{u: u, events: u.events}
	return u.now, nil
}

// Close implements drivers.Driver.
func (*Software) Close() error { return nil }

// do records a command and says what becomes of it.
func (u *Software) do(format string, args ...any) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	command := fmt.Sprintf(format, args...)
	u.heard = append(u.heard, command)
	name, _, _ := strings.Cut(command, " ")
	if name == u.Panics {
		u.Panics = ""
		panic("a mistake in the driver")
	}
	return u.Fail[name]
}

// Commands are those it got, in order.
func (u *Software) Commands() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strings.Join(u.heard, "; ")
}

// Tell is what happens at the access point.
func (u *Software) Tell(events ...drivers.APEvent) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range events {
		u.events <- e
	}
}

// Set changes its fields.
func (u *Software) Set(change func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change()
}

// HangUp ends the connection, as when its process ends.
func (u *Software) HangUp() {
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = u.now.Close()
}

// control is one connection to it.
type control struct {
	u      *Software
	events chan drivers.APEvent
	once   sync.Once
}

func (c *control) Settings(context.Context) (drivers.APSettings, error) {
	c.u.mu.Lock()
	defer c.u.mu.Unlock()
	s := c.u.Own
	s.WPS, s.Key = c.u.WPS, s.Key.Clone()
	return s, nil
}

func (c *control) AllowPIN(_ context.Context, g drivers.PINGrant) error {
	return c.u.do("pin %s for %v of %v", g.PIN.Bytes(), g.Timeout, wsc.MAC(g.MAC))
}

func (c *control) AllowPBC(context.Context) error {
	err := c.u.do("pbc")
	if err == nil {
		c.events <- drivers.APEvent{Kind: drivers.APPBCActive}
	}
	return err
}

func (c *control) Withdraw(context.Context) error {
	err := c.u.do("withdraw")
	c.events <- drivers.APEvent{Kind: drivers.APTimeout}
	c.events <- drivers.APEvent{Kind: drivers.APCanceled}
	return err
}

func (c *control) APPIN(_ context.Context, r drivers.APPINRequest) (secret.Value, error) {
	if err := c.u.do("appin %d %s %v", r.Command, r.PIN.Bytes(), r.Timeout); err != nil {
		return secret.Value{}, err
	}
	return c.u.PINs.Clone(), nil
}

func (c *control) Events() <-chan drivers.APEvent { return c.events }

func (c *control) Close() error {
	c.once.Do(func() { close(c.events) })
	return nil
}

func (c *control) AllowToken(_ context.Context, tag []byte) error {
	return c.u.do("token %x", tag)
}

func (c *control) PasswordToken(_ context.Context, format string) (secret.Value, error) {
	return secret.FromString("the access point's token"), c.u.do("password-token %s", format)
}

func (c *control) ConfigToken(_ context.Context, format string) (secret.Value, error) {
	return secret.FromString("the access point's network"), c.u.do("config-token %s", format)
}

func (c *control) HandoverSelect(context.Context) ([]byte, error) {
	return Answer().AppendCarrier(nil), c.u.do("select")
}

func (c *control) HandoverReport(_ context.Context, request, sel []byte) error {
	return c.u.do("handover %x %x", request, sel)
}
