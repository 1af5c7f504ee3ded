package wsc

import (
	"fmt"
	"strings"
)

// ConfigMethods is the set of ways in which a device takes or shows a device password.
type ConfigMethods uint16

// The configuration methods. Version 2.0 tells virtual from physical ones and keeps the base bit
// set with either.
const (
	ConfigUSBA               ConfigMethods = 0x0001
	ConfigEthernet           ConfigMethods = 0x0002
	ConfigLabel              ConfigMethods = 0x0004
	ConfigDisplay            ConfigMethods = 0x0008
	ConfigExternalNFCToken   ConfigMethods = 0x0010
	ConfigIntegratedNFCToken ConfigMethods = 0x0020
	ConfigNFCInterface       ConfigMethods = 0x0040
	ConfigPushButton         ConfigMethods = 0x0080
	ConfigKeypad             ConfigMethods = 0x0100
	ConfigVirtualPushButton  ConfigMethods = 0x0280
	ConfigPhysicalPushButton ConfigMethods = 0x0480
	ConfigP2PS               ConfigMethods = 0x1000
	ConfigVirtualDisplay     ConfigMethods = 0x2008
	ConfigPhysicalDisplay    ConfigMethods = 0x4008
	anyPushButton                          = ConfigVirtualPushButton | ConfigPhysicalPushButton
	anyDisplay                             = ConfigVirtualDisplay | ConfigPhysicalDisplay
	virtualOrPhysicalButton                = anyPushButton &^ ConfigPushButton
	virtualOrPhysicalDisplay               = anyDisplay &^ ConfigDisplay

	// DefaultConfigMethods is what wpa_supplicant says when nothing is configured.
	DefaultConfigMethods = ConfigVirtualDisplay | ConfigKeypad
)

// configWords are the words of wpa_supplicant.conf. The bits of a "virtual_" or "physical_" word
// contain the base bit, as WSC 2.0 wants.
var configWords = []word{
	{uint16(ConfigUSBA), "usba"}, {uint16(ConfigEthernet), "ethernet"},
	{uint16(ConfigLabel), "label"},
	{uint16(ConfigDisplay), "display"}, {uint16(ConfigVirtualDisplay), "virtual_display"},
	{uint16(ConfigPhysicalDisplay), "physical_display"},
	{uint16(ConfigExternalNFCToken), "ext_nfc_token"},
	{uint16(ConfigIntegratedNFCToken), "int_nfc_token"},
	{uint16(ConfigNFCInterface), "nfc_interface"},
	{uint16(ConfigPushButton), "push_button"},
	{uint16(ConfigVirtualPushButton), "virtual_push_button"},
	{uint16(ConfigPhysicalPushButton), "physical_push_button"},
	{uint16(ConfigKeypad), "keypad"}, {uint16(ConfigP2PS), "p2ps"},
}

// ParseConfigMethods reads words separated by white space. A bare "display" or "push_button"
// becomes virtual as well, which version 2.0 demands and wpa_supplicant does. wpa_supplicant looks
// for the words anywhere in the text; here an unknown word is an error. Empty text is 0: nothing is
// configured.
func ParseConfigMethods(s string) (ConfigMethods, error) {
	var m ConfigMethods
	for w := range strings.FieldsSeq(s) {
		bits := lookup(w, configWords)
		if bits == 0 {
			return 0, fmt.Errorf("wsc: unknown configuration method %q", w)
		}
		m |= ConfigMethods(bits)
	}
	if m&ConfigDisplay != 0 && m&virtualOrPhysicalDisplay == 0 {
		m |= ConfigVirtualDisplay
	}
	if m&ConfigPushButton != 0 && m&virtualOrPhysicalButton == 0 {
		m |= ConfigVirtualPushButton
	}
	return m, nil
}

// Names gives the words for m. A base bit is named only if neither its virtual nor its physical
// form is there, as with devices of version 1.0. Bits without name are one word in hex.
func (m ConfigMethods) Names() []string {
	names := []string{}
	var named ConfigMethods
	for _, w := range configWords {
		bits := ConfigMethods(w.bits)
		own := bits
		switch bits {
		case ConfigVirtualDisplay, ConfigPhysicalDisplay:
			own = bits &^ ConfigDisplay
		case ConfigVirtualPushButton, ConfigPhysicalPushButton:
			own = bits &^ ConfigPushButton
		}
		named |= own
		base := bits == ConfigDisplay && m&virtualOrPhysicalDisplay != 0 ||
			bits == ConfigPushButton && m&virtualOrPhysicalButton != 0
		if m&own == own && !base {
			names = append(names, w.text)
		}
	}
	if rest := m &^ named; rest != 0 {
		names = append(names, fmt.Sprintf("0x%04x", uint16(rest)))
	}
	return names
}

// String gives the words separated by spaces.
func (m ConfigMethods) String() string { return strings.Join(m.Names(), " ") }
