package wsc

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wpsd/engine/secret"
)

// codec is a pair of Parse and Append with the type between them erased, so that one test can go
// over all of them.
type codec struct {
	parse  func([]byte) (any, error)
	append func(any) []byte
}

func codecOf[T any](parse func([]byte) (*T, error), app func(*T, []byte) []byte) codec {
	return codec{
		parse: func(b []byte) (any, error) {
			m, err := parse(b)
			if err != nil {
				return nil, err // a nil *T in an any would not be nil
			}
			return m, nil
		},
		append: func(m any) []byte { return app(m.(*T), nil) },
	}
}

func parseCredentialPointer(b []byte) (*Credential, error) {
	c, err := ParseCredential(b)
	return &c, err
}

var codecs = map[string]codec{
	"M1":                   codecOf(ParseM1, (*M1).Append),
	"M2":                   codecOf(ParseM2, (*M2).Append),
	"M2D":                  codecOf(ParseM2D, (*M2D).Append),
	"M3":                   codecOf(ParseM3, (*M3).Append),
	"M4":                   codecOf(ParseM4, (*M4).Append),
	"M5":                   codecOf(ParseM5, (*M5).Append),
	"M6":                   codecOf(ParseM6, (*M6).Append),
	"M7":                   codecOf(ParseM7, (*M7).Append),
	"M8":                   codecOf(ParseM8, (*M8).Append),
	"WSC_ACK":              codecOf(ParseAck, (*Ack).Append),
	"WSC_NACK":             codecOf(ParseNack, (*Nack).Append),
	"WSC_DONE":             codecOf(ParseDone, (*Done).Append),
	"Encrypted Settings":   codecOf(ParseSettings, (*Settings).Append),
	"Credential":           codecOf(parseCredentialPointer, (*Credential).Append),
	"Probe Response":       codecOf(ParseAdvertisement, (*Advertisement).AppendProbeResponse),
	"Beacon":               codecOf(ParseAdvertisement, (*Advertisement).AppendBeacon),
	"Probe Request":        codecOf(ParseProbeRequest, (*ProbeRequest).Append),
	"SetSelectedRegistrar": codecOf(ParseSelectedRegistrar, (*SelectedRegistrar).Append),
	"Association Request":  codecOf(ParseAssociationRequest, (*AssociationRequest).Append),
	"Association Response": codecOf(ParseAssociationResponse, (*AssociationResponse).Append),
}

// vector is a file of testdata and what it means.
type vector struct {
	file  string
	codec string
	want  any
}

func sequence(first byte) (n Nonce) {
	for i := range n {
		n[i] = first + byte(i)
	}
	return n
}

func pattern(n, factor, first int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*factor + first)
	}
	return b
}

func filled(x byte) (h [32]byte) {
	for i := range h {
		h[i] = x
	}
	return h
}

func pointer[T any](v T) *T { return &v }

var (
	testStationMAC = MAC{0xa0, 0xa8, 0xcd, 0x1c, 0x7e, 0xc9}
	testAPMAC      = MAC{0x02, 0, 0, 0, 3, 0}
	testUUIDE      = UUID{0x79, 0x0c, 0x1f, 0x80, 0x4f, 0x2b, 0x52, 0xb7, 0xbe, 0x30, 0xc0, 0xe9,
		0x72, 0x92, 0x08, 0x8d}
	testUUIDR = UUID{0x2b, 0x70, 0x93, 0xf1, 0xd6, 0xfb, 0x51, 0x08, 0xad, 0xbb, 0xbe, 0xa6,
		0x6b, 0xb8, 0x73, 0x33}
	testAuthenticator = [8]byte{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8}
	testPC            = DeviceType{0, 1, 0, 0x50, 0xf2, 4, 0, 1}
	testAPType        = DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1}
	testEnrollee      = sequence(0x10)
	testRegistrar     = sequence(0x20)
)

func station(change func(*Device)) Device {
	d := Device{
		UUID: testUUIDE, MAC: testStationMAC, Manufacturer: "Example", ModelName: "Phone",
		ModelNumber: "7",
		DeviceName:  "Søren", PrimaryDeviceType: testPC, AuthTypes: AuthCapabilities,
		EncrTypes: EncrCapabilities,
		ConnTypes: ConnESS, State: NotConfigured,
	}
	change(&d)
	return d
}

func accessPoint(change func(*Device)) Device {
	d := Device{
		UUID: testUUIDR, Manufacturer: "Maker", ModelName: "Router", ModelNumber: "R1",
		SerialNumber: "0042",
		DeviceName:   "Wi-Fi AP", PrimaryDeviceType: testAPType, AuthTypes: AuthCapabilities,
		EncrTypes: EncrCapabilities, ConnTypes: ConnESS, RFBands: Band24GHz, Version2: Version20,
		ConfigMethods: ConfigLabel | ConfigVirtualDisplay | ConfigKeypad,
	}
	change(&d)
	return d
}

// vectors has every message in both versions of the protocol. The bytes are not from our own Append
// methods: they were put together from the attribute lists of the specification.
func vectors() []vector {
	sealed64, sealed144 := pattern(64, 5, 64), pattern(144, 5, 144)
	v := []vector{
		{"m1", "M1", &M1{
			Device: station(func(d *Device) {
				d.ConfigMethods, d.RFBands, d.OSVersion = DefaultConfigMethods,
					Band24GHz, 0x01020300
				d.Version2, d.VendorExtensions = Version20, [][]byte{{0x00, 0x50, 0xf2, 0xaa, 0xbb}}
			}),
			EnrolleeNonce: testEnrollee, PublicKey: pattern(192, 7, 1),
			MultiAP: pointer(uint8(0x80)),
		}},
		{"m1-1.0", "M1", &M1{
			Device: station(func(d *Device) {
				d.ConfigMethods, d.RFBands = ConfigDisplay|ConfigKeypad|ConfigPushButton, Band5GHz
			}),
			EnrolleeNonce: testEnrollee, PublicKey: pattern(192, 7, 1),
			DevicePasswordID: PasswordIDPushButton,
		}},
		{"m2", "M2", &M2{
			Device: accessPoint(func(d *Device) {
				d.OSVersion, d.RFBands = 1, Band24GHz|Band5GHz
				d.ConfigMethods = 0x210c
			}),
			EnrolleeNonce: testEnrollee, RegistrarNonce: testRegistrar,
			PublicKey: pattern(192, 11, 3), Authenticator: testAuthenticator,
		}},
		{"m2-1.0", "M2", &M2{
			Device: accessPoint(func(d *Device) {
				d.ConfigMethods, d.Version2 = ConfigLabel|ConfigPushButton, 0
				d.VendorExtensions = [][]byte{{0, 0, 0x3f, 1, 2}}
			}),
			EnrolleeNonce: testEnrollee, RegistrarNonce: testRegistrar,
			PublicKey:        pattern(192, 11, 3),
			DevicePasswordID: PasswordIDPushButton, Authenticator: testAuthenticator,
		}},
		{"m2-nfc", "M2", &M2{
			Device:        accessPoint(func(d *Device) { d.ConfigMethods = ConfigNFCInterface }),
			EnrolleeNonce: testEnrollee, RegistrarNonce: testRegistrar,
			PublicKey:         pattern(192, 11, 3),
			DevicePasswordID:  PasswordIDNFCConnectionHandover,
			EncryptedSettings: pattern(160, 5, 160), Authenticator: testAuthenticator,
		}},
		{"m2d", "M2D", &M2D{
			Device:        accessPoint(func(d *Device) {}),
			EnrolleeNonce: testEnrollee, ConfigError: ConfigErrorSetupLocked,
		}},
	}
	for suffix, version := range map[string]Version{"": Version20, "-1.0": 0} {
		v = append(v,
			vector{"m3" + suffix, "M3",
				&M3{testRegistrar, filled(0xe1), filled(0xe2), version, testAuthenticator}},
			vector{"m4" + suffix, "M4", &M4{testEnrollee, filled(0xd1), filled(0xd2), sealed64,
				version, testAuthenticator}},
			vector{"m5" + suffix, "M5", &M5{testRegistrar, sealed64, version, testAuthenticator}},
			vector{"m6" + suffix, "M6", &M6{testEnrollee, sealed64, version, testAuthenticator}},
			vector{"m7" + suffix, "M7", &M7{testRegistrar, sealed144, version, testAuthenticator}},
			vector{"m8" + suffix, "M8", &M8{testEnrollee, sealed144, version, testAuthenticator}},
			vector{"ack" + suffix, "WSC_ACK", &Ack{testEnrollee, testRegistrar, version}},
			vector{"nack" + suffix, "WSC_NACK",
				&Nack{testEnrollee, testRegistrar, 0x0123, version}},
			vector{"done" + suffix, "WSC_DONE", &Done{testEnrollee, testRegistrar, version}},
		)
	}
	return append(append(v, elementVectors()...), settingsVectors()...)
}

func elementVectors() []vector {
	return []vector{
		{"beacon-plain", "Beacon", &Advertisement{Version2: Version20, State: Configured}},
		{"beacon-1.0", "Beacon", &Advertisement{State: Configured, SetupLocked: true}},
		{"beacon-pbc", "Beacon", &Advertisement{
			Version2: Version20, State: Configured, SelectedRegistrar: true,
			DevicePasswordID: PasswordIDPushButton, HasDevicePasswordID: true,
			SelectedRegistrarConfigMethods: 0x2688, HasSelectedRegistrarConfigMethods: true,
			UUIDE: testUUIDR, HasUUIDE: true, RFBands: Band24GHz | Band5GHz,
			AuthorizedMACs: []MAC{Broadcast},
		}},
		{"probe-response", "Probe Response", &Advertisement{
			Version2: Version20, State: NotConfigured, SelectedRegistrar: true,
			HasDevicePasswordID:            true,
			SelectedRegistrarConfigMethods: 0x210c, HasSelectedRegistrarConfigMethods: true,
			UUIDE: testUUIDR, HasUUIDE: true, AuthorizedMACs: []MAC{testStationMAC, testAPMAC},
			ResponseType: ResponseAP,
			Manufacturer: "Maker", ModelName: "Router", ModelNumber: "R1", SerialNumber: "0042",
			DeviceName:        "Wi-Fi AP",
			PrimaryDeviceType: testAPType, ConfigMethods: 0x210c,
		}},
		{"probe-request", "Probe Request", &ProbeRequest{
			RequestType: RequestEnrollee,
			Device: Device{
				UUID: testUUIDE, Manufacturer: "Example", ModelName: "Phone", ModelNumber: "7",
				DeviceName:        "Søren",
				PrimaryDeviceType: testPC, ConfigMethods: 0x2188, RFBands: Band24GHz | Band5GHz,
				Version2:             Version20,
				SecondaryDeviceTypes: []DeviceType{{0, 10, 0, 0x50, 0xf2, 4, 0, 5}},
			},
			DevicePasswordID: PasswordIDPushButton, RequestedDeviceTypes: []DeviceType{testAPType},
		}},
		{"probe-request-1.0", "Probe Request", &ProbeRequest{
			RequestType: RequestRegistrar,
			Device: Device{UUID: testUUIDE, ConfigMethods: ConfigKeypad | ConfigDisplay,
				RFBands: Band24GHz},
		}},
		{"selected-registrar", "SetSelectedRegistrar", &SelectedRegistrar{
			Selected: true, ConfigMethods: 0x2108, Version2: Version20,
			AuthorizedMACs: []MAC{testStationMAC}, UUID: testUUIDR,
		}},
		{"selected-registrar-1.0", "SetSelectedRegistrar", &SelectedRegistrar{
			DevicePasswordID: PasswordIDPushButton, ConfigMethods: ConfigPushButton,
			AuthorizedMACs: []MAC{Broadcast}, UUID: testUUIDR,
		}},
		{"association-request", "Association Request",
			&AssociationRequest{RequestEnrollee, Version20}},
		{"association-request-1.0", "Association Request",
			&AssociationRequest{RequestRegistrar, 0}},
		{"association-response", "Association Response",
			&AssociationResponse{ResponseAP, Version20}},
		{"association-response-1.0", "Association Response", &AssociationResponse{ResponseAP, 0}},
	}
}

func settingsVectors() []vector {
	home := Credential{
		SSID: []byte("home"), AuthType: AuthWPA2PSK, EncrType: EncrAES,
		NetworkKey: secret.FromString("12345678"), MAC: testAPMAC,
	}
	configured := home
	configured.NetworkIndex = 1
	return []vector{
		{"credential", "Credential", &Credential{
			NetworkIndex: 1, SSID: []byte("jkm-wps-test"), AuthType: AuthWPA2PSK, EncrType: EncrAES,
			NetworkKey: secret.FromString("0e4b0456c266fe0d39ad1554a1f4bf712437acfdb7f399e54f1f1b020ad448b5"),
			MAC:        MAC{0x02, 0x66, 0xa0, 0xee, 0x17, 0x27},
		}},
		{"settings-m4", "Encrypted Settings", &Settings{RSNonce1: pointer(sequence(0x30))}},
		{"settings-m5", "Encrypted Settings", &Settings{ESNonce1: pointer(sequence(0x40))}},
		{"settings-m6", "Encrypted Settings", &Settings{RSNonce2: pointer(sequence(0x50))}},
		{"settings-m7-station", "Encrypted Settings", &Settings{ESNonce2: pointer(sequence(0x60))}},
		{"settings-m7-ap", "Encrypted Settings",
			&Settings{ESNonce2: pointer(sequence(0x60)), AP: &home}},
		{"settings-m8-ap", "Encrypted Settings", &Settings{AP: &configured}},
		{"settings-m8-station", "Encrypted Settings", &Settings{Credentials: []Credential{
			{
				SSID: []byte("AirPort"), AuthType: AuthWPAPSK | AuthWPA2PSK,
				EncrType:        EncrTKIP | EncrAES,
				NetworkKeyIndex: pointer(uint8(1)), NetworkKey: secret.FromString("correct horse"),
				MAC:                 testStationMAC,
				NetworkKeyShareable: pointer(true),
			},
			{NetworkIndex: 1, SSID: []byte("guests"), AuthType: AuthOpen, EncrType: EncrNone,
				MAC: testStationMAC},
		}}},
	}
}

func TestVectorsReadAndWriteTheSameBytes(t *testing.T) {
	t.Parallel()
	for _, v := range vectors() {
		t.Run(v.file, func(t *testing.T) {
			t.Parallel()
			wire, c := load(t, v.file), codecs[v.codec]
			got, err := c.parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			if !same(got, v.want) {
				t.Errorf("parsed\n%+v\nwant\n%+v", got, v.want)
			}
			if b := c.append(v.want); !bytes.Equal(b, wire) {
				t.Errorf("appended\n%x\nwant\n%x", b, wire)
			}
		})
	}
}

func TestEveryFileOfVectorsIsUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(vectors()) {
		t.Errorf("%d files, %d vectors", len(files), len(vectors()))
	}
}

// load reads a file of hex digits: white space does not count, nor what follows a #.
func load(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// same compares what was parsed, without Raw, which keeps what a peer sent beyond its meaning.
func same(a, b any) bool { return reflect.DeepEqual(withoutRaw(a), withoutRaw(b)) }

func withoutRaw(m any) any {
	switch m := m.(type) {
	case *Credential:
		c := *m
		c.Raw = secret.Value{}
		return &c
	case *Settings:
		s := *m
		s.Credentials = nil
		for _, c := range m.Credentials {
			c.Raw = secret.Value{}
			s.Credentials = append(s.Credentials, c)
		}
		return &s
	}
	return m
}
