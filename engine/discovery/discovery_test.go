package discovery

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

var (
	own   = wsc.MAC{0x02, 0, 0, 0, 0, 0x10}
	other = wsc.MAC{0x02, 0, 0, 0, 0, 0x11}
	uuidA = wsc.UUID{0xaa}
	uuidB = wsc.UUID{0xbb}
	epoch = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
)

func ap(n byte) wsc.MAC { return wsc.MAC{0x02, 0, 0, 0, 3, n} }

func TestClassifyAndAuthorized(t *testing.T) {
	t.Parallel()
	const pbc, pin = wsc.PasswordIDPushButton, wsc.PasswordIDDefault
	for _, tt := range []struct {
		name       string
		ad         *wsc.Advertisement
		class      Class
		authorized int
	}{
		{"an access point that waits for nobody",
			&wsc.Advertisement{Version2: wsc.Version20}, Plain, 0},
		{"the button is pressed", &wsc.Advertisement{Version2: wsc.Version20,
			SelectedRegistrar: true, HasDevicePasswordID: true, DevicePasswordID: pbc,
			AuthorizedMACs: []wsc.MAC{wsc.Broadcast}}, PBC, 1},
		{"the button is pressed on a 1.0 access point",
			&wsc.Advertisement{SelectedRegistrar: true, HasDevicePasswordID: true,
				DevicePasswordID: pbc}, PBC, 0},
		{"the button is pressed, and we are listed",
			&wsc.Advertisement{Version2: wsc.Version20, SelectedRegistrar: true,
				HasDevicePasswordID: true, DevicePasswordID: pbc,
				AuthorizedMACs: []wsc.MAC{own}}, PBC, 2},
		{"the button counts only with a selected Registrar",
			&wsc.Advertisement{HasDevicePasswordID: true, DevicePasswordID: pbc}, Plain, 0},
		{"we are listed", &wsc.Advertisement{Version2: wsc.Version20, SelectedRegistrar: true,
			HasDevicePasswordID: true, DevicePasswordID: pin,
			AuthorizedMACs: []wsc.MAC{other, own}}, Auth, 2},
		{"anybody is listed", &wsc.Advertisement{Version2: wsc.Version20, SelectedRegistrar: true,
			HasDevicePasswordID: true, AuthorizedMACs: []wsc.MAC{wsc.Broadcast}}, Auth, 1},
		{"we and anybody are listed", &wsc.Advertisement{Version2: wsc.Version20,
			AuthorizedMACs: []wsc.MAC{wsc.Broadcast, own}}, Auth, 2},
		{"we are listed without a selected Registrar",
			&wsc.Advertisement{Version2: wsc.Version20, AuthorizedMACs: []wsc.MAC{own}}, Auth, 2},
		{"somebody else is listed", &wsc.Advertisement{Version2: wsc.Version20,
			SelectedRegistrar: true, HasDevicePasswordID: true,
			AuthorizedMACs: []wsc.MAC{other}}, PIN, 0},
		{"a 2.0 access point with a selected Registrar and no list waits for nobody",
			&wsc.Advertisement{Version2: wsc.Version20, SelectedRegistrar: true,
				HasDevicePasswordID: true}, PIN, 0},
		{"a 1.0 access point with a selected Registrar waits for anybody",
			&wsc.Advertisement{SelectedRegistrar: true, HasDevicePasswordID: true}, PIN, 1},
		{"a selected Registrar without a password id",
			&wsc.Advertisement{SelectedRegistrar: true}, PIN, 1},
		{"the methods of the selected Registrar are not looked at",
			&wsc.Advertisement{SelectedRegistrar: true, HasDevicePasswordID: true,
				SelectedRegistrarConfigMethods:    wsc.ConfigPushButton,
				HasSelectedRegistrarConfigMethods: true}, PIN, 1},
		{"an NFC token", &wsc.Advertisement{SelectedRegistrar: true, HasDevicePasswordID: true,
			DevicePasswordID: 0x1234}, PIN, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// By way of the air, as everything comes.
			ies := ie.AppendWSC(nil, tt.ad.AppendProbeResponse(nil))
			c, ok := FromBSS(ap(0), 2412, -50, epoch, ies, true, own)
			if !ok || c.Class != tt.class || c.Authorized != tt.authorized || c.Unreadable {
				t.Errorf("got %q, %d, want %q, %d", c.Class, c.Authorized, tt.class, tt.authorized)
			}
			if Classify(tt.ad, own) != tt.class {
				t.Errorf("Classify says %q", Classify(tt.ad, own))
			}
		})
	}
	if Classify(nil, own) != Plain {
		t.Error("an element that cannot be read")
	}
}

func TestClassesAreFlags(t *testing.T) {
	t.Parallel()
	for class, flag := range map[Class]string{None: "", Plain: "WPS", PIN: "WPS-PIN",
		Auth: "WPS-AUTH", PBC: "WPS-PBC", 9: "unknown"} {
		if class.String() != flag {
			t.Errorf("%d is %q", class, class)
		}
	}
	if !(None < Plain && Plain < PIN && PIN < Auth && Auth < PBC) {
		t.Error("the strongest class is not the last")
	}
}

func TestFromBSS(t *testing.T) {
	t.Parallel()
	ssid := ie.Append(nil, ie.IDSSID, []byte("home"))
	sae := ie.Append(nil, ie.IDRSN,
		[]byte("\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x08"))
	large := (&wsc.Advertisement{Version2: wsc.Version20, SelectedRegistrar: true,
		DeviceName:     "an access point with a long name",
		Manufacturer:   string(bytes.Repeat([]byte("m"), 64)),
		ModelName:      string(bytes.Repeat([]byte("n"), 32)),
		ModelNumber:    string(bytes.Repeat([]byte("o"), 32)),
		SerialNumber:   string(bytes.Repeat([]byte("p"), 32)),
		AuthorizedMACs: []wsc.MAC{own}}).AppendProbeResponse(nil)
	for _, tt := range []struct {
		name       string
		ies        []byte
		ok         bool
		class      Class
		wpa3       bool
		unreadable bool
	}{
		{"without elements", nil, false, None, false, false},
		{"without WSC element", slices.Concat(ssid, sae), false, None, false, false},
		{"an element that is cut off in the scan result is none",
			slices.Concat(ssid, []byte("\xdd\x20\x00\x50\xf2\x04\x10")), false, None, false, false},
		{"a WSC element that cannot be read",
			slices.Concat(ssid, []byte("\xdd\x05\x00\x50\xf2\x04\x10")), true, Plain, false, true},
		{"a WSC element with a wrong length in it",
			slices.Concat(ssid, ie.AppendWSC(nil, []byte("\x10\x44\x00\x02\x01\x01"))), true, Plain,
			false, true},
		{"an empty WSC element", slices.Concat(ssid, ie.AppendWSC(nil, nil)), true, Plain,
			false, false},
		{"WSC data over two elements", slices.Concat(ssid, ie.AppendWSC(nil, large)), true, Auth,
			false, false},
		{"a network for WPA3 only", slices.Concat(ssid, sae, ie.AppendWSC(nil, large)), true, Auth,
			true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, ok := FromBSS(ap(1), 5180, -40, epoch, tt.ies, true, own)
			if ok != tt.ok || c.Class != tt.class || c.WPA3Only != tt.wpa3 ||
				c.Unreadable != tt.unreadable || c.Unreadable && c.Authorized != 0 {
				t.Errorf("got %+v, %v", c, ok)
			}
			if ok && (c.Ad == nil || string(c.SSID) != "home" || c.BSSID != ap(1) ||
				c.Frequency != 5180 || c.Signal != -40 || c.Seen != epoch) {
				t.Errorf("got %+v", c)
			}
		})
	}
	if len(large) <= 251 {
		t.Error("the data fits into one element")
	}
}

// pressedAP is an access point whose button is pressed.
func pressedAP(n byte, frequency, signal int, ssid string, uuid wsc.UUID) Candidate {
	ad := &wsc.Advertisement{
		Version2: wsc.Version20, SelectedRegistrar: true, HasDevicePasswordID: true,
		DevicePasswordID: wsc.PasswordIDPushButton,
		AuthorizedMACs:   []wsc.MAC{wsc.Broadcast}, UUIDE: uuid, HasUUIDE: true,
	}
	return Candidate{
		BSSID: ap(n), SSID: []byte(ssid), Frequency: frequency, Signal: signal, Ad: ad, Class: PBC,
		Authorized: AnyAuthorized, Seen: epoch,
	}
}

func withoutUUID(c Candidate) Candidate {
	ad := *c.Ad
	ad.HasUUIDE, ad.UUIDE = false, wsc.UUID{}
	c.Ad = &ad
	return c
}

func at(c Candidate, class Class, seen time.Time) Candidate {
	c.Class, c.Seen = class, seen
	return c
}

func TestPickPBC(t *testing.T) {
	t.Parallel()
	quiet := at(pressedAP(9, 2412, -10, "quiet", uuidB), Plain, epoch)
	for _, tt := range []struct {
		name    string
		cs      []Candidate
		want    wsc.MAC
		picked  wsc.MAC
		overlap []wsc.MAC
	}{
		{"nobody is there", nil, wsc.MAC{}, wsc.MAC{}, nil},
		{"no button is pressed", []Candidate{quiet}, wsc.MAC{}, wsc.MAC{}, nil},
		{"one button is pressed", []Candidate{quiet, pressedAP(1, 2412, -60, "home", uuidA)},
			wsc.MAC{}, ap(1), nil},
		{"one button is pressed by an access point that does not say its UUID",
			[]Candidate{withoutUUID(pressedAP(1, 2412, -60, "home", uuidA))}, wsc.MAC{},
			ap(1), nil},
		{"two access points overlap, the stronger is named first",
			[]Candidate{pressedAP(1, 2412, -60, "home", uuidA),
				pressedAP(2, 2437, -40, "guest",
					uuidB)}, wsc.MAC{}, wsc.MAC{}, []wsc.MAC{ap(2), ap(1)}},
		{"two access points of the same name overlap",
			[]Candidate{pressedAP(1, 2412, -60, "home", uuidA),
				pressedAP(2, 2437, -40, "home",
					uuidB)}, wsc.MAC{}, wsc.MAC{}, []wsc.MAC{ap(2), ap(1)}},
		{"one device on two bands is one button, the stronger signal is picked",
			[]Candidate{pressedAP(1, 2412, -40, "home", uuidA),
				pressedAP(2, 5180, -60, "home-5G", uuidA)}, wsc.MAC{}, ap(1), nil},
		{"of two equally strong bands the higher is picked",
			[]Candidate{pressedAP(1, 2412, -40, "home", uuidA),
				pressedAP(2, 5180, -40, "home", uuidA)}, wsc.MAC{}, ap(2), nil},
		{"of two alike the lower address is picked",
			[]Candidate{pressedAP(2, 2412, -40, "home", uuidA),
				pressedAP(1, 2412, -40, "home", uuidA)}, wsc.MAC{}, ap(1), nil},
		{"one network with two access points of one UUID on one band is one button",
			[]Candidate{pressedAP(1, 2412, -40, "home", uuidA),
				pressedAP(2, 2462, -60, "home", uuidA)}, wsc.MAC{}, ap(1), nil},
		{"a network for guests on the same radio is the same router",
			[]Candidate{pressedAP(1, 2412, -30, "home", uuidA),
				pressedAP(2, 2412, -40, "guests", uuidA)}, wsc.MAC{}, ap(1), nil},
		{"three radios with names of their own are one router",
			[]Candidate{pressedAP(1, 2412, -40, "home", uuidA),
				pressedAP(2, 5180, -30, "home-5G", uuidA),
				pressedAP(3, 5500, -50, "home-5G-2", uuidA)}, wsc.MAC{}, ap(2), nil},
		{"nodes of a mesh are one router", []Candidate{pressedAP(1, 2412, -70, "home", uuidA),
			pressedAP(2, 2412, -40, "home", uuidA),
			pressedAP(3, 5180, -60, "home", uuidA)}, wsc.MAC{}, ap(2), nil},
		{"a router of three BSSs beside another one overlaps with it",
			[]Candidate{pressedAP(1, 2412, -30, "home", uuidA),
				pressedAP(2, 2412, -40, "guests", uuidA),
				pressedAP(3, 5200, -50, "other",
					uuidB)}, wsc.MAC{}, wsc.MAC{}, []wsc.MAC{ap(1), ap(2), ap(3)}},
		{"a missing UUID is different from any",
			[]Candidate{pressedAP(1, 2412, -40, "home", uuidA),
				withoutUUID(pressedAP(2, 5180, -60, "home",
					uuidA))}, wsc.MAC{}, wsc.MAC{}, []wsc.MAC{ap(1), ap(2)}},
		{"two missing UUIDs are different", []Candidate{withoutUUID(
			pressedAP(1, 2412, -40, "home", uuidA)), withoutUUID(
			pressedAP(2, 5180, -60, "home", uuidA))}, wsc.MAC{}, wsc.MAC{}, []wsc.MAC{ap(1), ap(
			2)}},
		{"a UUID of zeros is none", []Candidate{pressedAP(1, 2412, -40, "home", wsc.UUID{}),
			pressedAP(2, 5180, -60, "home",
				wsc.UUID{})}, wsc.MAC{}, wsc.MAC{}, []wsc.MAC{ap(1), ap(2)}},
		{"of an access point that is named others are not looked at",
			[]Candidate{pressedAP(1, 2412, -60, "home", uuidA),
				pressedAP(2, 2437, -40, "guest", uuidB)}, ap(1), ap(1), nil},
		{"an access point that is named and has no button pressed is not ready",
			[]Candidate{quiet, pressedAP(1, 2412, -60, "home", uuidA)}, ap(9), wsc.MAC{}, nil},
		{"an access point that is named and not there is not ready",
			[]Candidate{pressedAP(1, 2412, -60, "home", uuidA)}, ap(7), wsc.MAC{}, nil},
		{"one access point heard twice does not overlap with itself",
			[]Candidate{pressedAP(1, 2412, -60, "home", uuidA),
				at(withoutUUID(pressedAP(1, 2412, -55, "home", uuidA)), PBC,
					epoch.Add(time.Second))}, wsc.MAC{}, ap(1), nil},
		{"of an access point heard twice the newest counts",
			[]Candidate{at(pressedAP(1, 2412, -60, "home", uuidA), Plain, epoch.Add(time.Second)),
				pressedAP(1, 2412, -60, "home", uuidA)}, wsc.MAC{}, wsc.MAC{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(tt.cs)
			all, err := PickPBC(tt.cs, tt.want)
			got := append(all, Candidate{})[0]
			if !slices.IsSortedFunc(all, func(a, b Candidate) int { return b.Signal - a.Signal }) {
				t.Error("not the strongest first")
			}
			var o *OverlapError
			switch {
			case tt.overlap != nil:
				if !errors.As(err, &o) || !slices.Equal(o.BSSIDs, tt.overlap) {
					t.Errorf("got %v, %v", got.BSSID, err)
				}
			case tt.picked.IsZero():
				if !errors.Is(err, ErrNone) {
					t.Errorf("got %v, %v", got.BSSID, err)
				}
			case err != nil || got.BSSID != tt.picked:
				t.Errorf("got %v, %v", got.BSSID, err)
			}
			for i := range before {
				if before[i].BSSID != tt.cs[i].BSSID || before[i].Seen != tt.cs[i].Seen {
					t.Fatal("the caller's candidates were moved")
				}
			}
		})
	}
}

func TestOverlapErrorNamesTheAccessPoints(t *testing.T) {
	t.Parallel()
	err := &OverlapError{BSSIDs: []wsc.MAC{ap(1), ap(2)}}
	if got := err.Error(); got != "discovery: session overlap: the button is pressed on 02:00:00:00:03:01 and 02:00:00:00:03:02" {
		t.Errorf("got %q", got)
	}
}

// waiting is an access point as OrderPIN sees it.
func waiting(n byte, signal, authorized int, selectedRegistrar bool, class Class) Candidate {
	return Candidate{
		BSSID: ap(n), Signal: signal, Authorized: authorized, Class: class, Frequency: 2412,
		Ad: &wsc.Advertisement{SelectedRegistrar: selectedRegistrar}, Seen: epoch,
	}
}

func TestOrderPIN(t *testing.T) {
	t.Parallel()
	listed := waiting(1, -80, SelfAuthorized, true, Auth)
	anybody := waiting(2, -70, AnyAuthorized, true, Auth)
	button := waiting(3, -30, AnyAuthorized, true, PBC)
	selectedOnly := waiting(4, -60, NotAuthorized, true, PIN)
	near := waiting(5, -20, NotAuthorized, false, Plain)
	far := waiting(6, -90, NotAuthorized, false, Plain)
	unreadable := waiting(7, -10, NotAuthorized, false, Plain)
	unreadable.Unreadable = true
	nearOn5GHz := waiting(8, -20, NotAuthorized, false, Plain)
	nearOn5GHz.Frequency = 5180
	all := []Candidate{far, unreadable, near, button, selectedOnly, anybody, listed, nearOn5GHz, {}}
	for _, tt := range []struct {
		name string
		cs   []Candidate
		want wsc.MAC
		open bool
		ids  []byte
	}{
		{"nobody is there", nil, wsc.MAC{}, true, nil},
		{"those that wait for us, then those that wait for anybody, the button last", all,
			wsc.MAC{}, false, []byte{1, 2, 3}},
		{"after some time all others, selected ones first, then by signal and band", all, wsc.MAC{},
			true, []byte{1, 2, 3, 4, 8, 5, 6}},
		{"nobody waits for us", []Candidate{far, near, selectedOnly}, wsc.MAC{}, false, nil},
		{"an access point that is named need not wait for us", all, ap(6), false, []byte{6}},
		{"an access point that is named and cannot be read is not tried", all, ap(7), true, nil},
		{"an access point that is named and not there", all, ap(99), true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var ids []byte
			for _, c := range OrderPIN(tt.cs, tt.want, tt.open) {
				ids = append(ids, c.BSSID[5])
			}
			if !bytes.Equal(ids, tt.ids) {
				t.Errorf("got %v, want %v", ids, tt.ids)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	var l Ignored
	if l.Blocked(epoch, ap(1)) || !l.Until(ap(1)).IsZero() {
		t.Error("blocked before any failure")
	}
	l.Forget(ap(1))
	l.Clear()
	now := epoch
	for i, want := range []int{10, 10, 60, 120, 600, 1800, 1800} {
		d := l.Fail(now, ap(1))
		if d != time.Duration(want)*time.Second {
			t.Errorf("failure %d: %v", i+1, d)
		}
		if !l.Blocked(now, ap(1)) || !l.Blocked(now.Add(d-1), ap(1)) ||
			l.Blocked(now.Add(d), ap(1)) || !l.Until(ap(1)).Equal(now.Add(d)) {
			t.Errorf("failure %d: blocked until %v", i+1, l.Until(ap(1)))
		}
		now = now.Add(d)
	}
	if l.Blocked(epoch, ap(2)) {
		t.Error("another access point is blocked")
	}
	l.Forget(ap(1))
	if l.Fail(now, ap(1)) != 10*time.Second {
		t.Error("the count was not forgotten")
	}
	l.Clear()
	if l.Blocked(now, ap(1)) {
		t.Error("blocked after Clear")
	}
}

func TestIgnoredIsBounded(t *testing.T) {
	t.Parallel()
	var l Ignored
	for i := range 10_000 {
		l.Fail(epoch.Add(time.Duration(i)*time.Second), wsc.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)})
	}
	if len(l.failures) > maxIgnored {
		t.Errorf("%d entries", len(l.failures))
	}
	last := wsc.MAC{2, 0, 0, 0, byte(9999 >> 8), byte(9999 & 0xff)}
	if !l.Blocked(epoch.Add(9999*time.Second), last) {
		t.Error("the newest is not kept")
	}
}
