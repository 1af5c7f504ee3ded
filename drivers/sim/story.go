package sim

import (
	"fmt"
	"time"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// DefaultInterface is the interface of a DefaultWorld.
const DefaultInterface = "sim0"

// DefaultPIN is what somebody has typed into "Sim Label", and types again whenever it was used up.
const DefaultPIN = "12345670"

// DefaultWorld makes the World of wpsd --driver sim: interface sim0, and a neighbourhood in which
// an applet's author can see everything that can happen.
//
//	Sim Home       02:5a:00:00:01:00, :01  2.4 and 5 GHz, WPA2: two seconds after an Enrollee began to
//	               look for a pressed button, somebody presses this one; AP PIN 87654325
//	Sim Label      02:5a:00:00:02:00  WPA/WPA2: knows PIN 12345670; AP PIN 47110816
//	Sim Locked     02:5a:00:00:03:00  5 GHz, WPA2/WPA3: setup locked; AP PIN 46709394
//	Sim WPA3       02:5a:00:00:04:00  WPA3 only
//	Sim New        02:5a:00:00:05:00  open, not configured: the first Enrollee makes it WPA2; AP PIN 31415927
//	Sim Old        02:5a:00:00:06:00  WPA2, WPS 1.0; AP PIN 13579111
//	Sim Overlap 1  02:5a:00:00:07:00  WPA2: only what is asked for over the control pipe
//	Sim Overlap 2  02:5a:00:00:08:00  likewise; the AP PINs of the two are 55500012 and 55500029
//	Sim Café ☕     02:5a:00:00:09:00  open, no WPS
//
// An Enrollee's PIN cannot be read from the air: it has to be typed into an access point, which is
// what the control pipe is for.
func DefaultWorld(o WorldOptions) (*World, error) {
	w := NewWorld(o)
	if err := w.AddRadio(Radio{Name: DefaultInterface,
		MAC: wsc.MAC{0x02, 0x5a, 0, 0, 0, 0x01}}); err != nil {
		return nil, err
	}
	for _, a := range defaultAPs() {
		if _, err := w.AddAP(a); err != nil {
			return nil, fmt.Errorf("sim: default world: %w", err)
		}
	}
	return w, nil
}

// defaultBSSID gives the addresses of the DefaultWorld.
func defaultBSSID(ap, radio byte) wsc.MAC { return wsc.MAC{0x02, 0x5a, 0, 0, ap, radio} }

func defaultAPs() []APOptions {
	key := secret.FromString
	one := func(ap byte, frequency, signal int) []BSS {
		return []BSS{{BSSID: defaultBSSID(ap, 0), Frequency: frequency, Signal: signal}}
	}
	return []APOptions{
		{
			SSID: "Sim Home", Security: WPA2, Key: key("correct horse battery"),
			APPIN: key("87654325"),
			BSSs: []BSS{
				{BSSID: defaultBSSID(1, 0), Frequency: 2437, Signal: -42},
				{BSSID: defaultBSSID(1, 1), Frequency: 5180, Signal: -51},
			},
			Story: Story{PressAfter: 2 * time.Second},
		},
		{
			SSID: "Sim Label", Security: WPAMixed, Key: key("label on the box"),
			BSSs:  one(2, 2412, -58),
			APPIN: key("47110816"), Story: Story{PIN: key(DefaultPIN)},
		},
		{SSID: "Sim Locked", Security: WPA2WPA3, Key: key("nobody gets in"),
			BSSs: one(3, 5220, -63), SetupLocked: true, APPIN: key("46709394")},
		{SSID: "Sim WPA3", Security: WPA3, Key: key("only with sae"), BSSs: one(4, 2462, -66)},
		{SSID: "Sim New", BSSs: one(5, 2462, -70), Unconfigured: true, APPIN: key("31415927")},
		{SSID: "Sim Old", Security: WPA2, Key: key("ten years old"), BSSs: one(6, 2412, -74),
			Version10: true, APPIN: key("13579111")},
		{SSID: "Sim Overlap 1", Security: WPA2, Key: key("neighbour number 1"),
			BSSs: one(7, 2437, -77), APPIN: key("55500012")},
		{SSID: "Sim Overlap 2", Security: WPA2, Key: key("neighbour number 2"),
			BSSs: one(8, 2462, -79), APPIN: key("55500029")},
		{SSID: "Sim Café ☕", BSSs: one(9, 2437, -82), NoWPS: true},
	}
}
