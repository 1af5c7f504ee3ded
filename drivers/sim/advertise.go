package sim

import (
	"time"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Element identifiers (IEEE 802.11) that package ie has no use for.
const (
	idRates         = 1
	idDSParameter   = 3
	idTIM           = 5
	idERP           = 42
	idHTCapability  = 45
	idExtendedRates = 50
	idHTOperation   = 61
)

// beaconInterval is 100 time units of 1024 µs.
const beaconInterval = 102400 * time.Microsecond

// Supported rates in units of 500 kbit/s; the high bit marks the basic ones.
var (
	rates24GHz         = []byte{0x82, 0x84, 0x8b, 0x96, 0x0c, 0x12, 0x18, 0x24}
	extendedRates24GHz = []byte{0x30, 0x48, 0x60, 0x6c}
	rates5GHz          = []byte{0x8c, 0x12, 0x98, 0x24, 0xb0, 0x48, 0x60, 0x6c}
)

// ssid is the name of a BSS.
func (ap *AP) ssid(b *bss) []byte {
	if b.SSID != "" {
		return []byte(b.SSID)
	}
	return ap.net.ssid
}

// elements makes the elements of a beacon or a probe response. The World's lock is held.
func (ap *AP) elements(b *bss, now time.Time, beacon, byName bool) []byte {
	ap.refresh(now)
	channel := byte(channelOf(b.Frequency))
	name := ap.ssid(b)
	if b.Hidden && !byName {
		name = nil
	}
	e := ie.Append(nil, ie.IDSSID, name)
	if b.band == wsc.Band24GHz {
		e = ie.Append(e, idRates, rates24GHz)
		e = ie.Append(e, idDSParameter, []byte{channel})
	} else {
		e = ie.Append(e, idRates, rates5GHz)
	}
	if beacon {
		e = ie.Append(e, idTIM, []byte{0, 2, 0, 0})
	}
	if b.band == wsc.Band24GHz {
		e = ie.Append(e, idERP, []byte{0})
		e = ie.Append(e, idExtendedRates, extendedRates24GHz)
	}
	e = ap.net.security.append(e)
	e = ie.Append(e, idHTCapability,
		append([]byte{0x2c, 0x01, 0x03, 0xff, 0xff}, make([]byte, 21)...))
	e = ie.Append(e, idHTOperation, append([]byte{channel}, make([]byte, 21)...))
	if !ap.o.NoWPS {
		a := ap.advertisement(now)
		if beacon {
			e = ie.AppendWSC(e, a.AppendBeacon(nil))
		} else {
			e = ie.AppendWSC(e, a.AppendProbeResponse(nil))
		}
	}
	if f := ap.o.Personality.Elements; f != nil {
		e = f(e)
	}
	return e
}

// advertisement is what the access point says of WSC now (hostapd behaviour; WSC, "Beacon Frame"
// and "Probe Response").
func (ap *AP) advertisement(now time.Time) *wsc.Advertisement {
	d := &ap.o.Device
	a := &wsc.Advertisement{
		Version2: d.Version2, State: wsc.NotConfigured, SetupLocked: ap.locked(now),
		UUIDE: d.UUID, HasUUIDE: true, RFBands: ap.bands(), ResponseType: wsc.ResponseAP,
		Manufacturer: d.Manufacturer, ModelName: d.ModelName, ModelNumber: d.ModelNumber,
		SerialNumber: d.SerialNumber, DeviceName: d.DeviceName,
		PrimaryDeviceType: d.PrimaryDeviceType,
		// In a probe response these are the methods of the access point as an Enrollee, which never
		// uses its own button.
		ConfigMethods: d.ConfigMethods &^ anyButton,
	}
	if ap.net.configured {
		a.State = wsc.Configured
	}
	ap.selectedBy(a)
	return a
}

// selectedBy says which Registrars wait for somebody: our own, and External ones. Of theirs the
// newest says with which password, unless our button is pressed (hostapd).
func (ap *AP) selectedBy(a *wsc.Advertisement) {
	d := &ap.o.Device
	external := ap.lan.selected
	if !ap.selected() && len(external) == 0 {
		return
	}
	a.SelectedRegistrar = true
	a.HasDevicePasswordID, a.HasSelectedRegistrarConfigMethods = true, true
	a.DevicePasswordID = wsc.PasswordIDDefault
	var macs []wsc.MAC
	if ap.selected() {
		a.SelectedRegistrarConfigMethods = d.ConfigMethods &^ anyButton
		macs = append(macs, ap.selection.macs...)
	}
	for _, s := range external {
		a.DevicePasswordID = s.DevicePasswordID
		a.SelectedRegistrarConfigMethods |= s.ConfigMethods
		macs = append(macs, s.AuthorizedMACs...)
	}
	if ap.selected() && ap.selection.pbc {
		a.DevicePasswordID = wsc.PasswordIDPushButton
		a.SelectedRegistrarConfigMethods |= d.ConfigMethods & anyButton
	}
	if d.Version2 != 0 {
		a.AuthorizedMACs = macs[:min(len(macs), wsc.MaxAuthorizedMACs)]
	}
}

// bands is the RF Bands attribute of a dual-band access point; 0 of one with a single radio.
func (ap *AP) bands() wsc.RFBands {
	if len(ap.bsss) < 2 {
		return 0
	}
	var bands wsc.RFBands
	for _, b := range ap.bsss {
		bands |= b.band
	}
	return bands
}

// hearProbe is a probe request arriving at the access point. An Enrollee that looks for a pressed
// button counts as one that pressed its own (WSC, "PBC monitor"). The World's lock is held.
func (ap *AP) hearProbe(now time.Time, from wsc.MAC, ies []byte) {
	if ap.o.NoWPS {
		return
	}
	ap.refresh(now)
	data, ok := ie.WSC(ies, nil)
	if !ok {
		return
	}
	p, err := wsc.ParseProbeRequest(data)
	if err != nil {
		return
	}
	for s := range ap.steered {
		s.sighted(from, p)
	}
	ap.lan.sighted(now, from, data)
	if p.DevicePasswordID != wsc.PasswordIDPushButton {
		return
	}
	if ap.buttons.pressed(now, p.Device.UUID) && !ap.buttons.overlapped {
		ap.buttons.overlapped = true
		ap.tell(Event{At: now, Kind: PBCOverlap, Station: from, UUID: p.Device.UUID})
	}
	// Whoever brought a simulated device into range presses buttons, too.
	if d := ap.o.Story.PressAfter; d > 0 && ap.pressAt.IsZero() && !ap.selection.pbc &&
		!ap.world.isDevice(from) {
		ap.pressAt = now.Add(d)
	}
}

// channelOf gives the number of the channel with this center frequency.
func channelOf(frequency int) int {
	switch {
	case frequency == 2484:
		return 14
	case frequency < 3000:
		return (frequency - 2407) / 5
	}
	return (frequency - 5000) / 5
}
