package wsc

import "fmt"

// DevicePasswordID says which device password a run is about.
type DevicePasswordID uint16

// The device password ids. From PasswordIDFirstToken on they are random ids of NFC password tokens.
const (
	PasswordIDDefault               DevicePasswordID = 0x0000 // a PIN
	PasswordIDUserSpecified         DevicePasswordID = 0x0001
	PasswordIDMachineSpecified      DevicePasswordID = 0x0002
	PasswordIDRekey                 DevicePasswordID = 0x0003
	PasswordIDPushButton            DevicePasswordID = 0x0004
	PasswordIDRegistrarSpecified    DevicePasswordID = 0x0005
	PasswordIDNFCConnectionHandover DevicePasswordID = 0x0007
	PasswordIDP2PSDefault           DevicePasswordID = 0x0008
	PasswordIDFirstToken            DevicePasswordID = 0x0010
)

var passwordIDNames = [...]string{
	PasswordIDDefault: "default (PIN)", PasswordIDUserSpecified: "user-specified",
	PasswordIDMachineSpecified: "machine-specified", PasswordIDRekey: "rekey",
	PasswordIDPushButton: "push button", PasswordIDRegistrarSpecified: "registrar-specified",
	PasswordIDNFCConnectionHandover: "NFC connection handover",
	PasswordIDP2PSDefault:           "P2PS default",
}

// String says it in words; a reserved id is its number.
func (id DevicePasswordID) String() string {
	if id >= PasswordIDFirstToken {
		return fmt.Sprintf("NFC token 0x%04x", uint16(id))
	}
	return nameOf(id, passwordIDNames[:], "device password id")
}
