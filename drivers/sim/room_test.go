package sim_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/ie"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// bubbles runs each case in a bubble of its own, where time is virtual.
func bubbles(t *testing.T, cases []bubble) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(newRoom(t)) })
		})
	}
}

type bubble struct {
	name string
	run  func(r *room)
}

// room is a World with one station, which is a laptop.
type room struct {
	*testing.T
	w *sim.World
	d *sim.Driver
	s drivers.Station
	// mac is the station's address.
	mac wsc.MAC
}

var (
	laptop      = wsc.MAC{2, 0, 0, 0, 0, 1}
	neighbour   = wsc.MAC{2, 0, 0, 0, 0, 2}
	passphrase  = secret.FromString("correct horse battery")
	homeBSSID   = wsc.MAC{2, 0, 0, 0, 1, 0}
	homeBSSID5  = wsc.MAC{2, 0, 0, 0, 1, 1}
	longEnough  = 10 * time.Minute
	rightPIN    = devpass.FromPIN(secret.FromString("12345670"))
	wrongFirst  = devpass.FromPIN(secret.FromString("99995670"))
	wrongSecond = devpass.FromPIN(secret.FromString("12349995"))
)

func newRoom(t *testing.T) *room {
	t.Helper()
	return roomIn(t, sim.NewWorld(sim.WorldOptions{}))
}

func roomIn(t *testing.T, w *sim.World) *room {
	t.Helper()
	return roomAt(t, w, 1)
}

// roomAt is a room whose radios scan that many times as fast.
func roomAt(t *testing.T, w *sim.World, speed float64) *room {
	t.Helper()
	for name, mac := range map[string]wsc.MAC{"sim0": laptop, "sim1": neighbour} {
		if err := w.AddRadio(sim.Radio{Name: name, MAC: mac}); err != nil {
			t.Fatal(err)
		}
	}
	d, err := sim.New(sim.Options{World: w, Speed: speed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &room{T: t, w: w, d: d, mac: laptop}
	r.s = r.station("sim0")
	return r
}

func (r *room) station(ifname string) drivers.Station {
	r.Helper()
	s, err := r.d.Station(r.Context(), ifname)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// home is a plain access point; change may make it less plain.
func (r *room) home(change func(*sim.APOptions)) *sim.AP {
	r.Helper()
	o := sim.APOptions{
		SSID: "home", Security: sim.WPA2, Key: passphrase,
		BSSs: []sim.BSS{{BSSID: homeBSSID, Frequency: 2437}},
	}
	if change != nil {
		change(&o)
	}
	ap, err := r.w.AddAP(o)
	if err != nil {
		r.Fatal(err)
	}
	return ap
}

func device(mac wsc.MAC) wsc.Device {
	return wsc.Device{
		UUID: wsc.UUIDFromMAC(mac), MAC: mac, DeviceName: "laptop", Manufacturer: "m",
		ModelName: "n", ModelNumber: "1", SerialNumber: "1",
		PrimaryDeviceType: wsc.DeviceType{0, 1, 0, 0x50, 0xf2, 4, 0, 1},
		ConfigMethods:     wsc.DefaultConfigMethods | wsc.ConfigVirtualPushButton,
		AuthTypes:         wsc.AuthCapabilities, EncrTypes: wsc.EncrCapabilities,
		ConnTypes: wsc.ConnESS, RFBands: wsc.Band24GHz, Version2: wsc.Version20,
	}
}

func probe(mac wsc.MAC, id wsc.DevicePasswordID) []byte {
	p := wsc.ProbeRequest{RequestType: wsc.RequestEnrollee, Device: device(mac),
		DevicePasswordID: id}
	return ie.AppendWSC(nil, p.Append(nil))
}

// scan scans with a probe request of an Enrollee.
func (r *room) scan(id wsc.DevicePasswordID, frequencies ...int) []drivers.BSS {
	r.Helper()
	found, err := r.s.Scan(r.Context(),
		drivers.ScanRequest{IEs: probe(r.mac, id), Frequencies: frequencies})
	if err != nil {
		r.Fatal(err)
	}
	return found
}

// bss scans and returns one BSS and what it says of WSC.
func (r *room) bss(bssid wsc.MAC) (drivers.BSS, *wsc.Advertisement) {
	r.Helper()
	for _, b := range r.scan(wsc.PasswordIDDefault) {
		if b.BSSID == bssid {
			data, ok := ie.WSC(b.IEs, nil)
			if !ok {
				r.Fatalf("%v has no WSC element", bssid)
			}
			a, err := wsc.ParseAdvertisement(data)
			if err != nil {
				r.Fatal(err)
			}
			return b, a
		}
	}
	r.Fatalf("the scan did not find %v", bssid)
	panic("unreachable")
}

// associate scans for a BSS and associates with it as an Enrollee or a Registrar.
func (r *room) associate(bssid wsc.MAC, t wsc.RequestType) (drivers.Link, error) {
	r.Helper()
	b, _ := r.bss(bssid)
	ssid, _ := ie.SSID(b.IEs)
	req := wsc.AssociationRequest{RequestType: t, Version2: wsc.Version20}
	return r.s.Associate(r.Context(), drivers.AssociateRequest{
		BSSID: b.BSSID, SSID: ssid, Frequency: b.Frequency, Privacy: b.Privacy,
		IEs: ie.AppendWSC(nil, req.Append(nil)),
	})
}

// enrol runs the whole enrolment with the access point. The error is the link's.
func (r *room) enrol(bssid wsc.MAC, p devpass.Password) (registration.Outcome, error) {
	r.Helper()
	link, err := r.associate(bssid, wsc.RequestEnrollee)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = link.Close() }()
	e, err := registration.NewEnrollee(registration.EnrolleeConfig{Device: device(r.mac),
		Password: p})
	if err != nil {
		r.Fatal(err)
	}
	err = r.pump(link, eapwsc.IdentityEnrollee, e)
	return e.Outcome(), err
}

// register runs a Registrar on the station with the access point as its Enrollee.
func (r *room) register(bssid wsc.MAC, p devpass.Password,
	settings *wsc.Credential) registration.Outcome {
	r.Helper()
	link, err := r.associate(bssid, wsc.RequestRegistrar)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = link.Close() }()
	m, err := registration.NewRegistrar(registration.RegistrarConfig{
		Device: device(r.mac), NewSettings: settings, AckDone: true,
		Password: func(time.Time, wsc.Device, wsc.DevicePasswordID) (devpass.Password, bool) {
			return p, true
		},
	})
	if err != nil {
		r.Fatal(err)
	}
	_ = r.pump(link, eapwsc.IdentityRegistrar, m) // the outcome tells
	return m.Outcome()
}

// pump drives the station's machine until it is done or the link is over.
func (r *room) pump(link drivers.Link, identity string, inner engine.Machine) error {
	r.Helper()
	peer := eapwsc.NewPeer(eapwsc.PeerConfig{Identity: identity, Inner: inner})
	m := eapol.NewSupplicant(eapol.SupplicantConfig{Inner: peer, StartDelay: 2 * time.Second})
	ctx, cancel := context.WithCancel(r.Context())
	frames, lost := make(chan []byte), make(chan error, 1)
	go func() {
		defer close(frames)
		for {
			f, err := link.Receive(ctx)
			if err != nil {
				lost <- err
				return
			}
			select {
			case frames <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range frames { // until the reader has ended
		}
	}()
	step := m.Start(time.Now())
	for {
		for _, f := range step.Send {
			_ = link.Send(ctx, f) // a loss shows in Receive
		}
		if step.Done {
			return nil
		}
		wait := longEnough
		if !step.Deadline.IsZero() {
			wait = time.Until(step.Deadline)
		}
		select {
		case f, ok := <-frames:
			if !ok {
				m.Abort(time.Now())
				return <-lost
			}
			step = m.Handle(time.Now(), f)
		case <-time.After(wait):
			step = m.Timeout(time.Now())
		}
	}
}

// failure is the outcome's error, which must be one of package registration.
func (r *room) failure(o registration.Outcome) *registration.Error {
	r.Helper()
	e, ok := errors.AsType[*registration.Error](o.Err)
	if !ok {
		r.Fatalf("the run ended with %v, not with a failure", o.Err)
	}
	return e
}

// wantNetwork checks that the run gave one Credential with this key.
func (r *room) wantNetwork(o registration.Outcome, ssid string, key secret.Value) {
	r.Helper()
	if o.Err != nil {
		r.Fatalf("the run failed: %v", o.Err)
	}
	if len(o.Credentials) != 1 {
		r.Fatalf("%d credentials", len(o.Credentials))
	}
	c := o.Credentials[0]
	if string(c.SSID) != ssid || !c.NetworkKey.Equal(key) {
		r.Errorf("a credential for %q, or with another key", c.SSID)
	}
}
