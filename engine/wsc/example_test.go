package wsc_test

import (
	"errors"
	"fmt"

	"wpsd/engine/wsc"
)

// A message is a struct: Append gives its bytes, Parse takes them.
func Example() {
	done := wsc.Done{EnrolleeNonce: wsc.Nonce{1}, RegistrarNonce: wsc.Nonce{2},
		Version2: wsc.Version20}
	frame := done.Append(nil)

	kind, err := wsc.PeekMessageType(frame)
	fmt.Println(kind, err)

	got, err := wsc.ParseDone(frame)
	fmt.Println(*got == done, err)

	_, err = wsc.ParseNack(frame)
	fmt.Println(err, errors.Is(err, wsc.ErrValue))
	// Output:
	// WSC_DONE <nil>
	// true <nil>
	// wsc: WSC_NACK: Message Type has an impossible value true
}

// Attributes walks any WSC data without knowing what it is.
func ExampleAttributes() {
	data := wsc.AppendAttribute(nil, wsc.AttrSSID, []byte("home"))
	data = wsc.AppendAttribute(data, wsc.AttrEncryptionType, []byte{0, 8})
	for id, value := range wsc.Attributes(data) {
		fmt.Printf("%v: %x\n", id, value)
	}
	// Output:
	// SSID: 686f6d65
	// Encryption Type: 0008
}

// The UUID that a device has unless one is configured.
func ExampleUUIDFromMAC() {
	mac, err := wsc.ParseMAC("a0:a8:cd:1c:7e:c9")
	fmt.Println(wsc.UUIDFromMAC(mac), err)
	// Output: 790c1f80-4f2b-52b7-be30-c0e97292088d <nil>
}
