package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/discovery"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// EnrolleeOptions describe a device that may want into a network: a camera, a printer.
type EnrolleeOptions struct {
	Name string // 1 to 32 bytes; the World has one of each name
	MAC  wsc.MAC
	// Device is what it says of itself. Fields that are unset get values: UUID and MAC from MAC,
	// the Name, a camera with a label and a push button.
	Device wsc.Device
	// Channels is where it looks; nil: the 2.4 GHz band, as most such devices.
	Channels []drivers.Channel
}

// How the search of an Enrollee can end, besides the errors of packages registration and drivers.
var (
	// ErrWalkTime means that no access point let the device in within two minutes.
	ErrWalkTime = errors.New("nobody let it in within two minutes")
	// ErrGaveUp means that somebody stopped the device.
	ErrGaveUp = errors.New("it was stopped")
	// ErrUnusable means that the device got a Credential that opens no network of the World.
	ErrUnusable = errors.New("the credential opens no network here")
)

// maxEnrollees bounds the World's; each has a goroutine while it looks.
const maxEnrollees = 256

// Enrollee is such a device. It does nothing until its button is pressed or it is told to use a
// password. Its methods are safe for concurrent use.
type Enrollee struct {
	world    *World
	name     string
	device   wsc.Device
	channels []drivers.Channel

	// one search at a time begins or ends; never held together with the World's lock
	mu     sync.Mutex
	search *search // the newest; nil: none yet
	gone   bool
}

// search is one try of an Enrollee to get into a network.
type search struct {
	e        *Enrollee
	password devpass.Password
	private  secret.Value
	ignored  discovery.Ignored
	wrongPIN map[wsc.MAC]bool // these have another PIN
	newest   error            // how the newest attempt failed
	cancel   context.CancelCauseFunc
	done     chan struct{} // closed at its end

	// Set before done is closed.
	result EnrolleeResult
}

// EnrolleeResult is how a search ended.
type EnrolleeResult struct {
	Err   error        // nil: the device is in the network
	AP    wsc.MAC      // the access point that was tried last; zero: none was
	SSID  string       // of the credential
	Key   secret.Value // of the credential
	ByPBC bool
	// Registrar let it in: one with the access point's UUID, or an External Registrar.
	Registrar wsc.UUID
}

// AddEnrollee puts a device into radio range.
func (w *World) AddEnrollee(o EnrolleeOptions) (*Enrollee, error) {
	switch {
	case o.Name == "" || len(o.Name) > wsc.MaxDeviceName:
		return nil, fmt.Errorf("sim: a device needs a name of 1 to %d bytes", wsc.MaxDeviceName)
	case o.MAC.IsZero() || o.MAC.IsMulticast():
		return nil, fmt.Errorf("sim: %q needs an address of its own", o.Name)
	}
	e := &Enrollee{world: w, name: o.Name, device: o.Device, channels: o.Channels}
	e.complete(o.MAC)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.free(o.Name, o.MAC); err != nil {
		return nil, err
	}
	if len(w.enrollees) >= maxEnrollees {
		return nil, fmt.Errorf("sim: there are %d devices already", maxEnrollees)
	}
	w.enrollees = append(w.enrollees, e)
	return e, nil
}

// complete fills in what the options leave out.
func (e *Enrollee) complete(mac wsc.MAC) {
	d := &e.device
	d.MAC = mac
	if (d.UUID == wsc.UUID{}) {
		d.UUID = wsc.UUIDFromMAC(mac)
	}
	for _, f := range []struct {
		field *string
		value string
	}{
		{&d.DeviceName, e.name}, {&d.Manufacturer, "wpsd"}, {&d.ModelName, "Simulated device"},
		{&d.ModelNumber, "1"}, {&d.SerialNumber, "1"},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if (d.PrimaryDeviceType == wsc.DeviceType{}) {
		d.PrimaryDeviceType = cameraType
	}
	if d.ConfigMethods == 0 {
		d.ConfigMethods = wsc.ConfigLabel | wsc.ConfigPhysicalPushButton
	}
	d.AuthTypes, d.EncrTypes, d.ConnTypes = wsc.AuthCapabilities, wsc.EncrCapabilities, wsc.ConnESS
	if d.Version2 == 0 {
		d.Version2 = wsc.Version20
	}
	if e.channels == nil {
		e.channels = slices.DeleteFunc(defaultChannels(), func(c drivers.Channel) bool {
			return c.Frequency > 3000
		})
	}
	for _, c := range e.channels {
		d.RFBands |= bandOf(c.Frequency)
	}
}

// cameraType is the Primary Device Type of a web camera.
var cameraType = wsc.DeviceType{0, 4, 0x00, 0x50, 0xf2, 0x04, 0, 2}

// Enrollee finds a device by its name; nil: there is none.
func (w *World) Enrollee(name string) *Enrollee {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.IndexFunc(w.enrollees, func(e *Enrollee) bool {
		return e.name == name
	}); i >= 0 {
		return w.enrollees[i]
	}
	return nil
}

// isDevice reports whether an address is a device's. The lock is held.
func (w *World) isDevice(mac wsc.MAC) bool {
	return slices.ContainsFunc(w.enrollees, func(e *Enrollee) bool { return e.device.MAC == mac })
}

// RemoveEnrollee takes a device out of range and waits for its end.
func (w *World) RemoveEnrollee(e *Enrollee) {
	w.mu.Lock()
	w.enrollees = slices.DeleteFunc(w.enrollees, func(o *Enrollee) bool { return o == e })
	w.mu.Unlock()
	e.mu.Lock()
	e.gone = true
	e.mu.Unlock()
	e.Stop()
}

// MAC is the device's address.
func (e *Enrollee) MAC() wsc.MAC { return e.device.MAC }

// UUID is the device's.
func (e *Enrollee) UUID() wsc.UUID { return e.device.UUID }

// PressButton presses the device's button: for two minutes it looks for an access point with its
// button pressed.
func (e *Enrollee) PressButton() error { return e.Use(devpass.PushButton()) }

// UsePIN has the device enrol with a PIN: for two minutes it looks for an access point that waits
// for it.
func (e *Enrollee) UsePIN(pin secret.Value) error { return e.Use(devpass.FromPIN(pin.Clone())) }

// PasswordTag gives what is on the device's NFC tag, and has the device enrol with it: for two
// minutes it looks for an access point that was held to the tag. Each time it is another one.
func (e *Enrollee) PasswordTag() (tag []byte, err error) {
	random := e.world.randomness()
	pair, err := wsccrypto.GenerateKeyPair(random)
	if err != nil {
		return nil, err
	}
	defer pair.Wipe()
	t, err := ndef.NewPasswordToken(random, wsccrypto.PublicKeyHash(pair.Public()))
	if err != nil {
		return nil, err
	}
	defer t.Password.Wipe()
	p, err := devpass.FromNFC(t.ID, t.Password.Bytes())
	if err != nil {
		return nil, err
	}
	return t.AppendNDEF(nil), e.use(p, pair.Private().Clone())
}

// Use has the device enrol with a password. A search that goes on ends first. The password becomes
// the device's.
func (e *Enrollee) Use(p devpass.Password) error { return e.use(p, secret.Value{}) }

// use is Use with the private key that the device's tag announces; empty: a fresh one for each run.
func (e *Enrollee) use(p devpass.Password, private secret.Value) error {
	e.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone {
		return fmt.Errorf("sim: the device %q was removed", e.name)
	}
	if e.search != nil && !isClosed(e.search.done) {
		return fmt.Errorf("sim: the device %q looks already: %w", e.name, drivers.ErrBusy)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	e.search = &search{e: e, password: p, private: private, cancel: cancel,
		done: make(chan struct{}), wrongPIN: make(map[wsc.MAC]bool)}
	go e.search.run(ctx)
	return nil
}

// Stop has the device give up, and waits for that.
func (e *Enrollee) Stop() {
	e.mu.Lock()
	s := e.search
	e.mu.Unlock()
	if s != nil {
		s.cancel(ErrGaveUp)
		<-s.done
	}
}

// Wait waits until the newest search has ended and tells how; before the first one it does not
// wait. The Key is the caller's.
func (e *Enrollee) Wait(ctx context.Context) (EnrolleeResult, error) {
	e.mu.Lock()
	s := e.search
	e.mu.Unlock()
	if s == nil {
		return EnrolleeResult{},
			fmt.Errorf("sim: the device %q has not looked for a network yet", e.name)
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		return EnrolleeResult{}, context.Cause(ctx)
	}
	r := s.result
	r.Key = r.Key.Clone()
	return r, nil
}

// tell logs what a device does.
func (e *Enrollee) tell(event string, more ...slog.Attr) {
	if e.world.log == nil {
		return
	}
	attrs := []any{slog.String("event", event), slog.String("device", e.name),
		slog.String("mac", e.device.MAC.String())}
	for _, a := range more {
		attrs = append(attrs, a)
	}
	e.world.log.Info("sim: device", attrs...)
}
