package wsc

// ProbeRequest is what a station says while it looks for an access point to enrol with. Of Device
// it carries UUID, ConfigMethods, types, RFBands, Manufacturer, ModelName, ModelNumber and
// DeviceName.
type ProbeRequest struct {
	RequestType          RequestType
	Device               Device
	AssociationState     AssociationState
	ConfigError          ConfigError
	DevicePasswordID     DevicePasswordID
	RequestedDeviceTypes []DeviceType // only devices of these types shall answer; at most 10
}

// ParseProbeRequest reads the data of the WSC element of a probe request. An access point needs
// Config Methods, Device Password ID and UUID-E to count it as a pressed button (hostap behaviour);
// the rest may lack.
func ParseProbeRequest(b []byte) (*ProbeRequest, error) {
	var f fields
	f.read("Probe Request", b)
	p := &ProbeRequest{
		RequestType: RequestType(f.opt8(AttrRequestType)),
		Device: Device{
			Manufacturer:         text(f.find(AttrManufacturer), MaxManufacturer),
			ModelName:            text(f.find(AttrModelName), MaxModelName),
			ModelNumber:          text(f.find(AttrModelNumber), MaxModelNumber),
			DeviceName:           text(f.find(AttrDeviceName), MaxDeviceName),
			SecondaryDeviceTypes: deviceTypes(f.find(AttrSecondaryDeviceTypeList)),
			ConfigMethods:        ConfigMethods(f.get16(AttrConfigMethods)),
			RFBands:              RFBands(f.opt8(AttrRFBands)),
			Version2:             f.wfa.version2,
		},
		AssociationState: AssociationState(f.opt16(AttrAssociationState)),
		ConfigError:      ConfigError(f.opt16(AttrConfigurationError)),
		DevicePasswordID: DevicePasswordID(f.get16(AttrDevicePasswordID)),
	}
	copy(p.Device.UUID[:], f.get(AttrUUIDE))
	copy(p.Device.PrimaryDeviceType[:], f.find(AttrPrimaryDeviceType))
	for _, v := range f.requested.items[:f.requested.n] {
		p.RequestedDeviceTypes = append(p.RequestedDeviceTypes, DeviceType(v))
	}
	return whole(p, f.failed())
}

// Append appends the data for a probe request.
func (p *ProbeRequest) Append(b []byte) []byte {
	d := &p.Device
	b = append8(b, AttrVersion, uint8(Version10))
	b = append8(b, AttrRequestType, uint8(p.RequestType))
	b = append16(b, AttrConfigMethods, uint16(d.ConfigMethods))
	b = AppendAttribute(b, AttrUUIDE, d.UUID[:])
	b = AppendAttribute(b, AttrPrimaryDeviceType, d.PrimaryDeviceType[:])
	b = append8(b, AttrRFBands, uint8(d.RFBands))
	b = append16(b, AttrAssociationState, uint16(p.AssociationState))
	b = append16(b, AttrConfigurationError, uint16(p.ConfigError))
	b = append16(b, AttrDevicePasswordID, uint16(p.DevicePasswordID))
	b = appendText(b, AttrManufacturer, d.Manufacturer, MaxManufacturer)
	b = appendText(b, AttrModelName, d.ModelName, MaxModelName)
	b = appendText(b, AttrModelNumber, d.ModelNumber, MaxModelNumber)
	b = appendText(b, AttrDeviceName, d.DeviceName, MaxDeviceName)
	x := wfaExtension{version2: d.Version2}
	x.requestToEnroll = d.Version2 != 0 && p.RequestType == RequestEnrollee
	b = x.append(b)
	for _, t := range p.RequestedDeviceTypes[:min(len(p.RequestedDeviceTypes),
		MaxRequestedDeviceTypes)] {
		b = AppendAttribute(b, AttrRequestedDeviceType, t[:])
	}
	secondary := d.SecondaryDeviceTypes[:min(len(d.SecondaryDeviceTypes), MaxSecondaryDeviceTypes)]
	if len(secondary) == 0 {
		return b
	}
	b = appendHeader(b, AttrSecondaryDeviceTypeList, len(secondary)*len(DeviceType{}))
	for _, t := range secondary {
		b = append(b, t[:]...)
	}
	return b
}
