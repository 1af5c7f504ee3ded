package wsc

import "fmt"

// Version is a version of the protocol: high nibble major, low nibble minor. Versions above 2.0 are
// to be accepted from a peer: what they add, we skip.
type Version uint8

// The versions in use. The Version attribute says Version10 for ever; Version20 is in Version2.
const (
	Version10 Version = 0x10
	Version20 Version = 0x20
)

// String gives "2.0"; the zero Version, a device without Version2, is "1.0".
func (v Version) String() string {
	if v == 0 {
		v = Version10
	}
	return fmt.Sprintf("%d.%d", v>>4, v&15)
}
