package wsc

import "strconv"

// ConfigError is a Configuration Error: why a peer ended a run. Peers send any number.
type ConfigError uint16

// The configuration errors. On the air hostap only ever says 0, 12, 15, 18 and 20.
const (
	ConfigErrorNone                      ConfigError = 0
	ConfigErrorOOBInterfaceRead          ConfigError = 1
	ConfigErrorDecryptionCRC             ConfigError = 2
	ConfigError24GHzNotSupported         ConfigError = 3
	ConfigError5GHzNotSupported          ConfigError = 4
	ConfigErrorSignalTooWeak             ConfigError = 5
	ConfigErrorNetworkAuthFailure        ConfigError = 6
	ConfigErrorNetworkAssociationFailure ConfigError = 7
	ConfigErrorNoDHCPResponse            ConfigError = 8
	ConfigErrorFailedDHCPConfig          ConfigError = 9
	ConfigErrorIPAddressConflict         ConfigError = 10
	ConfigErrorNoConnectionToRegistrar   ConfigError = 11
	ConfigErrorMultiplePBCSessions       ConfigError = 12
	ConfigErrorRogueActivity             ConfigError = 13
	ConfigErrorDeviceBusy                ConfigError = 14
	ConfigErrorSetupLocked               ConfigError = 15
	ConfigErrorMessageTimeout            ConfigError = 16
	ConfigErrorSessionTimeout            ConfigError = 17
	ConfigErrorDevicePasswordAuthFailure ConfigError = 18
	ConfigError60GHzNotSupported         ConfigError = 19
	ConfigErrorPublicKeyHashMismatch     ConfigError = 20
)

var configErrors = [...]string{
	ConfigErrorNone:                      "no error",
	ConfigErrorOOBInterfaceRead:          "out-of-band interface read error",
	ConfigErrorDecryptionCRC:             "decryption checksum failure",
	ConfigError24GHzNotSupported:         "2.4 GHz channel not supported",
	ConfigError5GHzNotSupported:          "5 GHz channel not supported",
	ConfigErrorSignalTooWeak:             "signal too weak",
	ConfigErrorNetworkAuthFailure:        "network authentication failure",
	ConfigErrorNetworkAssociationFailure: "network association failure",
	ConfigErrorNoDHCPResponse:            "no DHCP response",
	ConfigErrorFailedDHCPConfig:          "failed DHCP configuration",
	ConfigErrorIPAddressConflict:         "IP address conflict",
	ConfigErrorNoConnectionToRegistrar:   "could not connect to the Registrar",
	ConfigErrorMultiplePBCSessions:       "multiple push button sessions detected",
	ConfigErrorRogueActivity:             "rogue activity suspected",
	ConfigErrorDeviceBusy:                "device busy",
	ConfigErrorSetupLocked:               "setup locked",
	ConfigErrorMessageTimeout:            "message timeout",
	ConfigErrorSessionTimeout:            "registration session timeout",
	ConfigErrorDevicePasswordAuthFailure: "device password authentication failure",
	ConfigError60GHzNotSupported:         "60 GHz channel not supported",
	ConfigErrorPublicKeyHashMismatch:     "public key hash mismatch",
}

// String says it in words; an unknown one is its number, "291".
func (e ConfigError) String() string {
	if int(e) < len(configErrors) {
		return configErrors[e]
	}
	return strconv.Itoa(int(e))
}
