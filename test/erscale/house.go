package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"wpsd/drivers/wfadevice"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// apPIN is the PIN of every access point.
const apPIN = "12345670"

// house is the access points.
type house struct {
	network *wfadevice.Network
	devices []*accessPoint
}

// accessPoint is one of them: it can be learned.
type accessPoint struct {
	*wfadevice.Device
	mac wsc.MAC

	mu       sync.Mutex
	enrollee *registration.Enrollee
	began    time.Time
	runs     []time.Duration // from the first request of a run to its last
}

// UUID is its name in the network.
func (a *accessPoint) UUID() wsc.UUID { return wsc.UUIDFromMAC(a.mac) }

// learned gives how long the runs since the last call took, as the access point sees it.
func (a *accessPoint) learned() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	runs := a.runs
	a.runs = nil
	return runs
}

func newHouse() (*house, error) {
	network, err := wfadevice.Open("lo", nil)
	if err != nil {
		return nil, err
	}
	return &house{network: network}, nil
}

func (h *house) close() { _ = h.network.Close() } // the network namespace ends right after

// add puts so many more into the network. They announce themselves.
func (h *house) add(n int) error {
	for range n {
		i := len(h.devices) + 1
		a := &accessPoint{mac: wsc.MAC{2, 0x5a, 1, 0, byte(i >> 8), byte(i)}}
		d, err := h.network.Add(wfadevice.Config{
			Address: netip.AddrFrom4([4]byte{127, 77, byte(i >> 8), byte(i)}),
			UUID:    wsc.UUIDFromMAC(a.mac), Spread: true,
			Describe: func(d *upnp.Description) {
				d.FriendlyName, d.SerialNumber = fmt.Sprintf("access point %d of many", i),
					fmt.Sprint(i)
			},
			Act: a.act,
		})
		if err != nil {
			return err
		}
		a.Device = d
		h.devices = append(h.devices, a)
		if err := d.Announce(upnp.Alive); err != nil {
			return err
		}
	}
	return nil
}

// wait waits until so many access points have a subscriber. Now and then those without announce
// themselves again.
func (h *house) wait(want int) error {
	for tries := range 3000 {
		n := 0
		for _, d := range h.devices {
			switch {
			case len(d.Subscribers()) > 0:
				n++
			case tries%100 == 99 && want > 0:
				if err := d.Announce(upnp.Alive); err != nil {
					return err
				}
			}
		}
		if n == want {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("not %d access points have a subscriber after a minute", want)
}

// act answers as the Enrollee that an access point is while it is learned.
func (a *accessPoint) act(_ netip.Addr, call upnp.Action) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch call.Name {
	case upnp.GetDeviceInfo:
		return a.introduce()
	case upnp.PutMessage:
		if a.enrollee != nil {
			step := a.enrollee.Handle(time.Now(), call.Message)
			if step.Done {
				a.runs = append(a.runs, time.Since(a.began))
				a.enrollee = nil
			}
			if len(step.Send) > 0 {
				return step.Send[0], nil
			}
		}
		return nil, nil
	case upnp.SetSelectedRegistrar:
		return nil, nil
	}
	return nil, &upnp.Fault{Status: 500, Code: 501, Description: "Action Failed"}
}

// introduce begins a run. The key pair is the same in each: to make one costs as much as all the
// rest.
func (a *accessPoint) introduce() ([]byte, error) {
	a.began = time.Now()
	pair, err := wsccrypto.KeyPairFromPrivate(secret.New(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		return nil, err
	}
	a.enrollee, err = registration.NewEnrollee(registration.EnrolleeConfig{
		Device: wsc.Device{
			UUID: wsc.UUIDFromMAC(a.mac), MAC: a.mac, Manufacturer: "wpsd", ModelName: "erscale",
			ModelNumber: "1", SerialNumber: "1", DeviceName: "access point",
			PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1},
			ConfigMethods:     wsc.DefaultConfigMethods, AuthTypes: wsc.AuthCapabilities,
			EncrTypes: wsc.EncrCapabilities, ConnTypes: wsc.ConnESS, RFBands: wsc.Band24GHz,
			State: wsc.Configured, Version2: wsc.Version20,
		},
		Password: devpass.FromPIN(secret.FromString(apPIN)),
		APSettings: &wsc.Credential{SSID: []byte("erscale"), AuthType: wsc.AuthWPA2PSK,
			EncrType: wsc.EncrAES, NetworkKey: secret.FromString("correct horse"), MAC: a.mac},
		KeyPair: pair,
	})
	if err != nil {
		return nil, err
	}
	return a.enrollee.Start(time.Now()).Send[0], nil
}

// flooded is what became of a flood.
type flooded struct {
	taken   int
	took    time.Duration
	slowest time.Duration
	err     error // of one that was not taken
}

// flood sends Probe Requests of ever new stations through all access points in turn, evenly over a
// time.
func (h *house) flood(events int, over time.Duration) flooded {
	var (
		result flooded
		mu     sync.Mutex
		all    sync.WaitGroup
	)
	start := time.Now()
	slots := make(chan struct{}, 128)
	for i := range events {
		time.Sleep(time.Until(start.Add(over * time.Duration(i) / time.Duration(events))))
		mac := wsc.MAC{2, 0x5a, 2, 0, byte(i >> 8), byte(i)}
		q := wsc.ProbeRequest{
			RequestType: wsc.RequestEnrollee,
			Device: wsc.Device{UUID: wsc.UUIDFromMAC(mac), DeviceName: "station",
				ConfigMethods: wsc.DefaultConfigMethods},
		}
		event := &upnp.WLANEvent{Type: upnp.EventProbe, MAC: mac, Message: q.Append(nil)}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			sent := time.Now()
			answers := h.devices[i%len(h.devices)].Deliver(event)
			took := time.Since(sent)
			mu.Lock()
			defer mu.Unlock()
			result.slowest = max(result.slowest, took)
			if len(answers) == 1 && answers[0].Err == nil && answers[0].Status == 200 {
				result.taken++
				return
			}
			result.err = fmt.Errorf("answers %v", answers)
			for _, a := range answers {
				result.err = errors.Join(result.err, a.Err)
			}
		})
	}
	all.Wait()
	result.took = time.Since(start)
	return result
}
