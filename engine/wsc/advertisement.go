package wsc

import "slices"

// Advertisement is what an access point says in its beacons or probe responses. Nothing of it is
// authentic: it is a hint whom to try. Nothing is required either (hostap behaviour).
type Advertisement struct {
	Version2 Version // 0: a 1.0 device
	State    State
	// the access point takes no Registrar now; Enrollees it may take
	SetupLocked                       bool
	SelectedRegistrar                 bool // a Registrar waits for an Enrollee, with this password:
	DevicePasswordID                  DevicePasswordID
	HasDevicePasswordID               bool
	SelectedRegistrarConfigMethods    ConfigMethods
	HasSelectedRegistrarConfigMethods bool
	// of the access point, itself an Enrollee of other Registrars
	UUIDE             UUID
	HasUUIDE          bool
	RFBands           RFBands // 0: absent; an access point says it only if it has several
	AuthorizedMACs    []MAC   // at most 5; Broadcast: anybody
	ResponseType      ResponseType
	Manufacturer      string
	ModelName         string
	ModelNumber       string
	SerialNumber      string
	DeviceName        string
	PrimaryDeviceType DeviceType
	ConfigMethods     ConfigMethods // by which an External Registrar can configure it
}

// ParseAdvertisement reads the data of the WSC element (package ie joins it) of a beacon or a probe
// response.
func ParseAdvertisement(b []byte) (*Advertisement, error) {
	var f fields
	f.read("Advertisement", b)
	if err := f.failed(); err != nil {
		return nil, err
	}
	a := &Advertisement{
		Version2:            f.wfa.version2,
		State:               State(f.opt8(AttrState)),
		SetupLocked:         f.opt8(AttrAPSetupLocked) != 0,
		SelectedRegistrar:   f.opt8(AttrSelectedRegistrar) != 0,
		DevicePasswordID:    DevicePasswordID(f.opt16(AttrDevicePasswordID)),
		HasDevicePasswordID: f.has(AttrDevicePasswordID),
		SelectedRegistrarConfigMethods: ConfigMethods(
			f.opt16(AttrSelectedRegistrarConfigMethods)),
		HasSelectedRegistrarConfigMethods: f.has(AttrSelectedRegistrarConfigMethods),
		HasUUIDE:                          f.has(AttrUUIDE),
		RFBands:                           RFBands(f.opt8(AttrRFBands)),
		ResponseType:                      ResponseType(f.opt8(AttrResponseType)),
		Manufacturer:                      text(f.find(AttrManufacturer), MaxManufacturer),
		ModelName:                         text(f.find(AttrModelName), MaxModelName),
		ModelNumber:                       text(f.find(AttrModelNumber), MaxModelNumber),
		SerialNumber:                      text(f.find(AttrSerialNumber), MaxSerialNumber),
		DeviceName:                        text(f.find(AttrDeviceName), MaxDeviceName),
		ConfigMethods:                     ConfigMethods(f.opt16(AttrConfigMethods)),
	}
	copy(a.UUIDE[:], f.find(AttrUUIDE))
	copy(a.PrimaryDeviceType[:], f.find(AttrPrimaryDeviceType))
	for macs := f.wfa.authorizedMACs; len(macs) >= len(MAC{}); macs = macs[len(MAC{}):] {
		m := MAC(macs)
		if m.IsZero() {
			break // hostap fills the rest of its list with zeros
		}
		a.AuthorizedMACs = append(a.AuthorizedMACs, m)
	}
	return a, nil
}

// Authorizes reports whether m itself is in AuthorizedMACs.
func (a *Advertisement) Authorizes(m MAC) bool { return slices.Contains(a.AuthorizedMACs, m) }

// AppendBeacon appends the data for a beacon: who and what the access point is, stays for probe
// responses. UUID-E is in the beacon of an access point with several bands (RFBands is set) while
// its button is active, so that stations tell its two beacons from two buttons.
func (a *Advertisement) AppendBeacon(b []byte) []byte {
	b = a.appendStatus(b)
	pushButton := a.SelectedRegistrar && a.HasDevicePasswordID &&
		a.DevicePasswordID == PasswordIDPushButton
	if a.HasUUIDE && pushButton && a.RFBands != 0 {
		b = AppendAttribute(b, AttrUUIDE, a.UUIDE[:])
	}
	return a.appendEnd(b)
}

// AppendProbeResponse appends the data for a probe response.
func (a *Advertisement) AppendProbeResponse(b []byte) []byte {
	b = a.appendStatus(b)
	b = append8(b, AttrResponseType, uint8(a.ResponseType))
	if a.HasUUIDE {
		b = AppendAttribute(b, AttrUUIDE, a.UUIDE[:])
	}
	d := Device{
		Manufacturer: a.Manufacturer, ModelName: a.ModelName, ModelNumber: a.ModelNumber,
		SerialNumber: a.SerialNumber, DeviceName: a.DeviceName,
		PrimaryDeviceType: a.PrimaryDeviceType,
	}
	b = d.appendDescription(b)
	b = append16(b, AttrConfigMethods, uint16(a.ConfigMethods))
	return a.appendEnd(b)
}

// appendStatus appends what changes while registrars come and go.
func (a *Advertisement) appendStatus(b []byte) []byte {
	b = append8(b, AttrVersion, uint8(Version10))
	b = append8(b, AttrState, uint8(a.State))
	if a.SetupLocked {
		b = append8(b, AttrAPSetupLocked, 1)
	}
	if a.SelectedRegistrar {
		b = append8(b, AttrSelectedRegistrar, 1)
	}
	if a.HasDevicePasswordID {
		b = append16(b, AttrDevicePasswordID, uint16(a.DevicePasswordID))
	}
	if a.HasSelectedRegistrarConfigMethods {
		b = append16(b, AttrSelectedRegistrarConfigMethods,
			uint16(a.SelectedRegistrarConfigMethods))
	}
	return b
}

// appendEnd appends RF Bands and the WFA extension.
func (a *Advertisement) appendEnd(b []byte) []byte {
	if a.RFBands != 0 {
		b = append8(b, AttrRFBands, uint8(a.RFBands))
	}
	x := wfaExtension{version2: a.Version2}
	for _, m := range a.AuthorizedMACs[:min(len(a.AuthorizedMACs), MaxAuthorizedMACs)] {
		x.authorizedMACs = append(x.authorizedMACs, m[:]...)
	}
	return x.append(b)
}
