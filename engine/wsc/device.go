package wsc

import (
	"bytes"
	"encoding/binary"
)

// osVersionReserved is a bit of OS Version that is always sent set and says nothing.
const osVersionReserved = 1 << 31

// Device describes a device in the messages where it introduces itself: M1, M2, M2D, Probe Request.
// Which of the fields a message carries differs; those it does not carry stay zero. The texts are
// bytes from the air: not always UTF-8, and possibly with control characters.
type Device struct {
	UUID                 UUID // UUID-E or UUID-R
	MAC                  MAC
	Manufacturer         string
	ModelName            string
	ModelNumber          string
	SerialNumber         string
	DeviceName           string
	PrimaryDeviceType    DeviceType
	SecondaryDeviceTypes []DeviceType
	ConfigMethods        ConfigMethods
	AuthTypes            AuthType
	EncrTypes            EncrType
	ConnTypes            ConnType
	RFBands              RFBands
	OSVersion            uint32 // without the most significant bit, which is set on the wire
	State                State
	Version2             Version // 0: a 1.0 device, which has no WFA extension
	// VendorExtensions are those of others than the WFA, each beginning with its vendor's OUI.
	VendorExtensions [][]byte
}

// appendCapabilities appends the flags that M1, M2 and M2D share.
func (d *Device) appendCapabilities(b []byte) []byte {
	b = append16(b, AttrAuthenticationTypeFlags, uint16(d.AuthTypes))
	b = append16(b, AttrEncryptionTypeFlags, uint16(d.EncrTypes))
	b = append8(b, AttrConnectionTypeFlags, uint8(d.ConnTypes))
	return append16(b, AttrConfigMethods, uint16(d.ConfigMethods))
}

// appendDescription appends what tells a person which device it is.
func (d *Device) appendDescription(b []byte) []byte {
	b = appendText(b, AttrManufacturer, d.Manufacturer, MaxManufacturer)
	b = appendText(b, AttrModelName, d.ModelName, MaxModelName)
	b = appendText(b, AttrModelNumber, d.ModelNumber, MaxModelNumber)
	b = appendText(b, AttrSerialNumber, d.SerialNumber, MaxSerialNumber)
	b = AppendAttribute(b, AttrPrimaryDeviceType, d.PrimaryDeviceType[:])
	return appendText(b, AttrDeviceName, d.DeviceName, MaxDeviceName)
}

func (d *Device) appendOSVersion(b []byte) []byte {
	return append32(b, AttrOSVersion, d.OSVersion|osVersionReserved)
}

// appendVendorExtensions appends the extensions of others. What no receiver would take, by number
// or length, is left out, and so is a WFA extension, which is ours to build.
func (d *Device) appendVendorExtensions(b []byte) []byte {
	n := 0
	for _, v := range d.VendorExtensions {
		if len(v) < len(wfaVendorID) || len(v) > maxVendorExtension || [3]byte(v) == wfaVendorID ||
			n == MaxVendorExtensions {
			continue
		}
		b = AppendAttribute(b, AttrVendorExtension, v)
		n++
	}
	return b
}

// device reads what any introduction may carry; nothing is required here.
func (f *fields) device() Device {
	d := Device{
		Manufacturer:  text(f.find(AttrManufacturer), MaxManufacturer),
		ModelName:     text(f.find(AttrModelName), MaxModelName),
		ModelNumber:   text(f.find(AttrModelNumber), MaxModelNumber),
		SerialNumber:  text(f.find(AttrSerialNumber), MaxSerialNumber),
		DeviceName:    text(f.find(AttrDeviceName), MaxDeviceName),
		ConfigMethods: ConfigMethods(f.opt16(AttrConfigMethods)),
		AuthTypes:     AuthType(f.opt16(AttrAuthenticationTypeFlags)),
		EncrTypes:     EncrType(f.opt16(AttrEncryptionTypeFlags)),
		ConnTypes:     ConnType(f.opt8(AttrConnectionTypeFlags)),
		RFBands:       RFBands(f.opt8(AttrRFBands)),
		Version2:      f.wfa.version2,
	}
	copy(d.PrimaryDeviceType[:], f.find(AttrPrimaryDeviceType))
	if v := f.find(AttrOSVersion); len(v) == 4 {
		d.OSVersion = binary.BigEndian.Uint32(v) &^ osVersionReserved
	}
	for _, v := range f.vendor.items[:f.vendor.n] {
		d.VendorExtensions = append(d.VendorExtensions, bytes.Clone(v))
	}
	return d
}

// needDescription requires what appendDescription writes. Registrars refuse an M1, and Enrollees an
// M2, that lacks any of it (hostap behaviour).
func (f *fields) needDescription() {
	f.get(AttrManufacturer)
	f.get(AttrModelName)
	f.get(AttrModelNumber)
	f.get(AttrSerialNumber)
	f.get(AttrPrimaryDeviceType)
	f.get(AttrDeviceName)
}

// deviceTypes reads a list of device types that were checked for their length.
func deviceTypes(v []byte) []DeviceType {
	var types []DeviceType
	for ; len(v) >= len(DeviceType{}); v = v[len(DeviceType{}):] {
		types = append(types, DeviceType(v))
	}
	return types
}
