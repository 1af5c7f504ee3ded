package wsc

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// DeviceType is a Primary, Secondary or Requested Device Type: category, OUI with type,
// subcategory. The OUI 00:50:F2 with type 04 stands for the specification's own table of
// categories.
type DeviceType [8]byte

// ParseDeviceType reads what String gives, "1-0050F204-1": decimal, eight hex digits, decimal.
func ParseDeviceType(s string) (DeviceType, error) {
	var d DeviceType
	category, rest, ok := strings.Cut(s, "-")
	oui, subcategory, ok2 := strings.Cut(rest, "-")
	c, err := strconv.ParseUint(category, 10, 16)
	sub, err2 := strconv.ParseUint(subcategory, 10, 16)
	if !ok || !ok2 || err != nil || err2 != nil || len(oui) != 8 {
		return DeviceType{}, fmt.Errorf("wsc: %q is not a device type like 1-0050F204-1", s)
	}
	if _, err := hex.Decode(d[2:6], []byte(oui)); err != nil {
		return DeviceType{}, fmt.Errorf("wsc: %q is not a device type like 1-0050F204-1", s)
	}
	binary.BigEndian.PutUint16(d[:2], uint16(c))
	binary.BigEndian.PutUint16(d[6:], uint16(sub))
	return d, nil
}

// String gives the form that wpa_supplicant uses, "1-0050F204-1".
func (d DeviceType) String() string {
	return fmt.Sprintf("%d-%08X-%d", binary.BigEndian.Uint16(d[:2]), d[2:6],
		binary.BigEndian.Uint16(d[6:]))
}
