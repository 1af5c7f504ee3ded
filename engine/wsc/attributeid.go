package wsc

import "fmt"

// AttributeID is an attribute's Type on the wire.
type AttributeID uint16

// The attributes (WSC, section "Data Element Definitions"). Every known one has the high byte 0x10,
// on which the tolerance for a stray octet in Reader relies.
const (
	AttrAPChannel                      AttributeID = 0x1001
	AttrAssociationState               AttributeID = 0x1002
	AttrAuthenticationType             AttributeID = 0x1003
	AttrAuthenticationTypeFlags        AttributeID = 0x1004
	AttrAuthenticator                  AttributeID = 0x1005
	AttrConfigMethods                  AttributeID = 0x1008
	AttrConfigurationError             AttributeID = 0x1009
	AttrConfirmationURL4               AttributeID = 0x100A
	AttrConfirmationURL6               AttributeID = 0x100B
	AttrConnectionType                 AttributeID = 0x100C
	AttrConnectionTypeFlags            AttributeID = 0x100D
	AttrCredential                     AttributeID = 0x100E
	AttrEncryptionType                 AttributeID = 0x100F
	AttrEncryptionTypeFlags            AttributeID = 0x1010
	AttrDeviceName                     AttributeID = 0x1011
	AttrDevicePasswordID               AttributeID = 0x1012
	AttrEHash1                         AttributeID = 0x1014
	AttrEHash2                         AttributeID = 0x1015
	AttrESNonce1                       AttributeID = 0x1016
	AttrESNonce2                       AttributeID = 0x1017
	AttrEncryptedSettings              AttributeID = 0x1018
	AttrEnrolleeNonce                  AttributeID = 0x101A
	AttrFeatureID                      AttributeID = 0x101B
	AttrIdentity                       AttributeID = 0x101C
	AttrIdentityProof                  AttributeID = 0x101D
	AttrKeyWrapAuthenticator           AttributeID = 0x101E
	AttrKeyIdentifier                  AttributeID = 0x101F
	AttrMACAddress                     AttributeID = 0x1020
	AttrManufacturer                   AttributeID = 0x1021
	AttrMessageType                    AttributeID = 0x1022
	AttrModelName                      AttributeID = 0x1023
	AttrModelNumber                    AttributeID = 0x1024
	AttrNetworkIndex                   AttributeID = 0x1026
	AttrNetworkKey                     AttributeID = 0x1027
	AttrNetworkKeyIndex                AttributeID = 0x1028
	AttrNewDeviceName                  AttributeID = 0x1029
	AttrNewPassword                    AttributeID = 0x102A
	AttrOOBDevicePassword              AttributeID = 0x102C
	AttrOSVersion                      AttributeID = 0x102D
	AttrPowerLevel                     AttributeID = 0x102F
	AttrPSKCurrent                     AttributeID = 0x1030
	AttrPSKMax                         AttributeID = 0x1031
	AttrPublicKey                      AttributeID = 0x1032
	AttrRadioEnabled                   AttributeID = 0x1033
	AttrReboot                         AttributeID = 0x1034
	AttrRegistrarCurrent               AttributeID = 0x1035
	AttrRegistrarEstablished           AttributeID = 0x1036
	AttrRegistrarList                  AttributeID = 0x1037
	AttrRegistrarMax                   AttributeID = 0x1038
	AttrRegistrarNonce                 AttributeID = 0x1039
	AttrRequestType                    AttributeID = 0x103A
	AttrResponseType                   AttributeID = 0x103B
	AttrRFBands                        AttributeID = 0x103C
	AttrRHash1                         AttributeID = 0x103D
	AttrRHash2                         AttributeID = 0x103E
	AttrRSNonce1                       AttributeID = 0x103F
	AttrRSNonce2                       AttributeID = 0x1040
	AttrSelectedRegistrar              AttributeID = 0x1041
	AttrSerialNumber                   AttributeID = 0x1042
	AttrState                          AttributeID = 0x1044
	AttrSSID                           AttributeID = 0x1045
	AttrTotalNetworks                  AttributeID = 0x1046
	AttrUUIDE                          AttributeID = 0x1047
	AttrUUIDR                          AttributeID = 0x1048
	AttrVendorExtension                AttributeID = 0x1049
	AttrVersion                        AttributeID = 0x104A
	AttrX509CertificateRequest         AttributeID = 0x104B
	AttrX509Certificate                AttributeID = 0x104C
	AttrEAPIdentity                    AttributeID = 0x104D
	AttrMessageCounter                 AttributeID = 0x104E
	AttrPublicKeyHash                  AttributeID = 0x104F
	AttrRekeyKey                       AttributeID = 0x1050
	AttrKeyLifetime                    AttributeID = 0x1051
	AttrPermittedConfigMethods         AttributeID = 0x1052
	AttrSelectedRegistrarConfigMethods AttributeID = 0x1053
	AttrPrimaryDeviceType              AttributeID = 0x1054
	AttrSecondaryDeviceTypeList        AttributeID = 0x1055
	AttrPortableDevice                 AttributeID = 0x1056
	AttrAPSetupLocked                  AttributeID = 0x1057
	AttrApplicationExtension           AttributeID = 0x1058
	AttrEAPType                        AttributeID = 0x1059
	AttrInitializationVector           AttributeID = 0x1060
	AttrKeyProvidedAutomatically       AttributeID = 0x1061
	AttrEnabled8021X                   AttributeID = 0x1062
	AttrAppSessionKey                  AttributeID = 0x1063
	AttrWEPTransmitKey                 AttributeID = 0x1064
	AttrRequestedDeviceType            AttributeID = 0x106A
	AttrExtensibilityTest              AttributeID = 0x10FA
)

// String gives the specification's name, or the number in hex.
func (id AttributeID) String() string {
	if i := id.slot(); i >= 0 && attributes[i].name != "" {
		return attributes[i].name
	}
	if id == AttrExtensibilityTest {
		return "Extensibility Test"
	}
	return fmt.Sprintf("attribute 0x%04X", uint16(id))
}

// attributeBase and attributeSlots are the range of identifiers that tables are made for.
const (
	attributeBase  = 0x1000
	attributeSlots = 0x106B - attributeBase
)

// slot is the attribute's place in tables, negative for one outside.
func (id AttributeID) slot() int {
	if i := int(id) - attributeBase; i < attributeSlots {
		return i
	}
	return -1
}

// attributes holds names, and the exact length of those whose length hostap's parser enforces in
// whatever message they come; 0 means that the length varies or is not looked at.
var attributes = [attributeSlots]struct {
	name   string
	length int
}{
	AttrAPChannel - attributeBase:                      {"AP Channel", 2},
	AttrAssociationState - attributeBase:               {"Association State", 2},
	AttrAuthenticationType - attributeBase:             {"Authentication Type", 2},
	AttrAuthenticationTypeFlags - attributeBase:        {"Authentication Type Flags", 2},
	AttrAuthenticator - attributeBase:                  {"Authenticator", 8},
	AttrConfigMethods - attributeBase:                  {"Config Methods", 2},
	AttrConfigurationError - attributeBase:             {"Configuration Error", 2},
	AttrConfirmationURL4 - attributeBase:               {"Confirmation URL4", 0},
	AttrConfirmationURL6 - attributeBase:               {"Confirmation URL6", 0},
	AttrConnectionType - attributeBase:                 {"Connection Type", 0},
	AttrConnectionTypeFlags - attributeBase:            {"Connection Type Flags", 1},
	AttrCredential - attributeBase:                     {"Credential", 0},
	AttrEncryptionType - attributeBase:                 {"Encryption Type", 2},
	AttrEncryptionTypeFlags - attributeBase:            {"Encryption Type Flags", 2},
	AttrDeviceName - attributeBase:                     {"Device Name", 0},
	AttrDevicePasswordID - attributeBase:               {"Device Password ID", 2},
	AttrEHash1 - attributeBase:                         {"E-Hash1", 32},
	AttrEHash2 - attributeBase:                         {"E-Hash2", 32},
	AttrESNonce1 - attributeBase:                       {"E-SNonce1", 16},
	AttrESNonce2 - attributeBase:                       {"E-SNonce2", 16},
	AttrEncryptedSettings - attributeBase:              {"Encrypted Settings", 0},
	AttrEnrolleeNonce - attributeBase:                  {"Enrollee Nonce", 16},
	AttrFeatureID - attributeBase:                      {"Feature ID", 0},
	AttrIdentity - attributeBase:                       {"Identity", 0},
	AttrIdentityProof - attributeBase:                  {"Identity Proof", 0},
	AttrKeyWrapAuthenticator - attributeBase:           {"Key Wrap Authenticator", 8},
	AttrKeyIdentifier - attributeBase:                  {"Key Identifier", 0},
	AttrMACAddress - attributeBase:                     {"MAC Address", 6},
	AttrManufacturer - attributeBase:                   {"Manufacturer", 0},
	AttrMessageType - attributeBase:                    {"Message Type", 1},
	AttrModelName - attributeBase:                      {"Model Name", 0},
	AttrModelNumber - attributeBase:                    {"Model Number", 0},
	AttrNetworkIndex - attributeBase:                   {"Network Index", 1},
	AttrNetworkKey - attributeBase:                     {"Network Key", 0},
	AttrNetworkKeyIndex - attributeBase:                {"Network Key Index", 1},
	AttrNewDeviceName - attributeBase:                  {"New Device Name", 0},
	AttrNewPassword - attributeBase:                    {"New Password", 0},
	AttrOOBDevicePassword - attributeBase:              {"OOB Device Password", 0},
	AttrOSVersion - attributeBase:                      {"OS Version", 4},
	AttrPowerLevel - attributeBase:                     {"Power Level", 0},
	AttrPSKCurrent - attributeBase:                     {"PSK Current", 0},
	AttrPSKMax - attributeBase:                         {"PSK Max", 0},
	AttrPublicKey - attributeBase:                      {"Public Key", 0},
	AttrRadioEnabled - attributeBase:                   {"Radio Enabled", 0},
	AttrReboot - attributeBase:                         {"Reboot", 0},
	AttrRegistrarCurrent - attributeBase:               {"Registrar Current", 0},
	AttrRegistrarEstablished - attributeBase:           {"Registrar Established", 0},
	AttrRegistrarList - attributeBase:                  {"Registrar List", 0},
	AttrRegistrarMax - attributeBase:                   {"Registrar Max", 0},
	AttrRegistrarNonce - attributeBase:                 {"Registrar Nonce", 16},
	AttrRequestType - attributeBase:                    {"Request Type", 1},
	AttrResponseType - attributeBase:                   {"Response Type", 1},
	AttrRFBands - attributeBase:                        {"RF Bands", 1},
	AttrRHash1 - attributeBase:                         {"R-Hash1", 32},
	AttrRHash2 - attributeBase:                         {"R-Hash2", 32},
	AttrRSNonce1 - attributeBase:                       {"R-SNonce1", 16},
	AttrRSNonce2 - attributeBase:                       {"R-SNonce2", 16},
	AttrSelectedRegistrar - attributeBase:              {"Selected Registrar", 1},
	AttrSerialNumber - attributeBase:                   {"Serial Number", 0},
	AttrState - attributeBase:                          {"Wi-Fi Protected Setup State", 1},
	AttrSSID - attributeBase:                           {"SSID", 0},
	AttrTotalNetworks - attributeBase:                  {"Total Networks", 0},
	AttrUUIDE - attributeBase:                          {"UUID-E", 16},
	AttrUUIDR - attributeBase:                          {"UUID-R", 16},
	AttrVendorExtension - attributeBase:                {"Vendor Extension", 0},
	AttrVersion - attributeBase:                        {"Version", 1},
	AttrX509CertificateRequest - attributeBase:         {"X.509 Certificate Request", 0},
	AttrX509Certificate - attributeBase:                {"X.509 Certificate", 0},
	AttrEAPIdentity - attributeBase:                    {"EAP Identity", 0},
	AttrMessageCounter - attributeBase:                 {"Message Counter", 0},
	AttrPublicKeyHash - attributeBase:                  {"Public Key Hash", 0},
	AttrRekeyKey - attributeBase:                       {"Rekey Key", 0},
	AttrKeyLifetime - attributeBase:                    {"Key Lifetime", 0},
	AttrPermittedConfigMethods - attributeBase:         {"Permitted Config Methods", 0},
	AttrSelectedRegistrarConfigMethods - attributeBase: {"Selected Registrar Config Methods", 2},
	AttrPrimaryDeviceType - attributeBase:              {"Primary Device Type", 8},
	AttrSecondaryDeviceTypeList - attributeBase:        {"Secondary Device Type List", 0},
	AttrPortableDevice - attributeBase:                 {"Portable Device", 0},
	AttrAPSetupLocked - attributeBase:                  {"AP Setup Locked", 1},
	AttrApplicationExtension - attributeBase:           {"Application Extension", 0},
	AttrEAPType - attributeBase:                        {"EAP Type", 0},
	AttrInitializationVector - attributeBase:           {"Initialization Vector", 0},
	AttrKeyProvidedAutomatically - attributeBase:       {"Key Provided Automatically", 0},
	AttrEnabled8021X - attributeBase:                   {"802.1X Enabled", 0},
	AttrAppSessionKey - attributeBase:                  {"AppSessionKey", 0},
	AttrWEPTransmitKey - attributeBase:                 {"WEPTransmitKey", 0},
	AttrRequestedDeviceType - attributeBase:            {"Requested Device Type", 8},
}
