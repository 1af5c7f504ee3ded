package dbus

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/introspection"
	"wpsd/service/state"
)

// row is what one object says of one interface: each property by its name, as it is when nothing is
// known and when everything is; see nothingKnown and everythingKnown.
type row struct {
	path       godbus.ObjectPath
	properties map[string][2]string
}

// routerUUID and others are said by those that have them.
const (
	routerUUID = "572cf82f-c957-5653-9b16-b5cfb298abf1"
	otherUUID  = "7de98a56-41e5-5dfa-848e-786576ec1675"
	deviceUUID = "257590ed-9c66-5162-8a68-365f21baf11a"
)

// erPath names the object of an access point of the External Registrar.
func erPath(uuid string) string {
	return string(wlan0) + "/er/aps/" + strings.ReplaceAll(uuid, "-", "_")
}

// properties has every property of the API.
var properties = map[string]row{
	managerIface: {rootPath, map[string][2]string{
		"ApiVersion":           {"1", "1"},
		"ConfigMethods":        {"[virtual_display keypad]", "[label]"},
		"CredentialProcessing": {"internal", "both"},
		"DeviceName":           {"laptop", "a"},
		"DeviceType":           {"1-0050F204-1", "6-0050F204-1"},
		"Interfaces": {"[/fi/w1/wps/interfaces/wlan0 /fi/w1/wps/interfaces/wlan2]",
			"[/fi/w1/wps/interfaces/wlan0 /fi/w1/wps/interfaces/wlan1 /fi/w1/wps/interfaces/wlan2]"},
		"Managers":     {"[networkmanager iwd]", "[networkmanager iwd]"},
		"Manufacturer": {`""`, "b"},
		"ModelName":    {`""`, "c"},
		"ModelNumber":  {`""`, "d"},
		"Networks": {"[/fi/w1/wps/networks/7 /fi/w1/wps/networks/9]",
			"[/fi/w1/wps/networks/7 /fi/w1/wps/networks/9 /fi/w1/wps/networks/10]"},
		"OsVersion":    {"0", "7"},
		"SerialNumber": {`""`, "e"},
		"Uuid": {"362db47b-a53a-5191-88fb-5458b986b2e4",
			"06a93b1b-e7fd-5362-8168-c9826afc8171"},
		"Version":            {"0.1", "0.1"},
		"WaitingCredentials": {"0", "3"},
	}},
	interfaceIface: {wlan0, map[string][2]string{
		"AccessPoints": {"[" + string(ap1) + "]", "[" + string(ap1) + " " + string(wlan0) +
			"/aps/02_00_00_00_01_01]"},
		"Capabilities": {"[scan pbc pin nfc learn configure er]", "[pbc pin nfc ap-pin]"},
		"Connected":    {"false", "true"},
		"Disconnects":  {"false", "false"}, // an access point; that of wlan2 is below
		"Driver":       {"sim", "hostapd"},
		"Enrollees": {"[" + string(wlan0) + "/enrollees/02_00_00_00_00_09]",
			"[" + string(wlan0) + "/enrollees/02_00_00_00_00_09 " + string(wlan0) +
				"/enrollees/02_00_00_00_01_00]"},
		"HardwareAddress": {"02:00:00:00:00:00", "02:09:00:00:00:00"},
		"Manager":         {`""`, "iwd"},
		"Mode":            {"station", "ap"},
		"Name":            {"wlan0", "wlan0"},
		"Scanning":        {"false", "true"},
		"Session":         {"/", string(session1)},
		"SetupLocked":     {"false", "true"},
	}},
	accessPointIface: {ap1, map[string][2]string{
		"Band":          {`""`, "2.4"},
		"Bssid":         {"02:00:00:00:01:00", "02:00:00:00:01:00"},
		"Channel":       {"0", "1"},
		"ConfigMethods": {"[]", "[label]"},
		"Configured":    {"false", "true"},
		"DeviceName":    {`""`, "router\ufffd[2J\ufffd"},
		"DeviceType":    {`""`, "6-0050F204-1"},
		"Flags":         {`""`, "WPS-PBC"},
		"Frequency":     {"0", "2412"},
		"LastSeen":      {"0", "1700000000000000"},
		"Manufacturer":  {`""`, "maker"},
		"ModelName":     {`""`, "model"},
		"ModelNumber":   {`""`, "1"},
		"Router":        {"02:00:00:00:01:00", routerUUID},
		"Security":      {"[]", "[wpa2]"},
		"SerialNumber":  {`""`, "2"},
		"SetupLocked":   {"false", "true"},
		"Signal":        {"0", "-40"},
		"Ssid":          {`""`, `"home"`},
		"Usable":        {"false", "true"},
		"Uuid":          {`""`, routerUUID},
		"Version":       {"1.0", "2.0"},
		"Why":           {"hidden", "locked"},
	}},
	sessionIface: {session1, map[string][2]string{
		"AccessPoint":       {"/", string(ap1)},
		"ConfigError":       {"0", "18"},
		"Deadline":          {"0", "1700000060000000"},
		"DeadlineMonotonic": {"0", "60 s after StartedMonotonic"},
		"Detail":            {"map[]", "map[tried:2]"},
		"Interface":         {string(wlan0), string(wlan0)},
		"Message":           {`""`, "M4"},
		"Method":            {"pin", "pin"},
		"Networks":          {"[]", "[/fi/w1/wps/networks/9]"},
		"Peer":              {`""`, "02:00:00:00:01:00"},
		"Progress":          {"0.2", "0.55"},
		"Purpose":           {"enroll", "enroll"},
		"Reason":            {`""`, "canceled"},
		"Role":              {"enrollee", "enrollee"},
		"Started":           {"1700000000000000", "1700000000000000"},
		"StartedMonotonic":  {"some time", "some time"},
		"State":             {"associating", "exchanging"},
		"Step":              {"joining", "exchanging"},
	}},
	networkIface: {"/fi/w1/wps/networks/9", map[string][2]string{
		"Auth":       {"0x0000", "WPA2PSK"},
		"Bssid":      {`""`, "02:00:00:00:01:00"},
		"Created":    {"0", "1700000000000000"},
		"Encryption": {"0x0000", "CCMP"},
		"Source":     {`""`, "pbc"},
		"Ssid":       {`""`, `"home"`},
	}},
	enrolleeIface: {wlan0 + "/enrollees/02_00_00_00_00_09", map[string][2]string{
		"ConfigMethods": {"[]", "[label]"},
		"DeviceName":    {`""`, "b"},
		"DeviceType":    {`""`, "g"},
		"LastSeen":      {"0", "1700000000000000"},
		"MacAddress":    {"02:00:00:00:00:09", "02:00:00:00:00:09"},
		"Manufacturer":  {`""`, "c"},
		"ModelName":     {`""`, "d"},
		"ModelNumber":   {`""`, "e"},
		"PasswordId":    {"0", "4"},
		"PinNeeded":     {"false", "true"},
		"SerialNumber":  {`""`, "f"},
		"Uuid":          {`""`, "a"},
	}},
	erIface: {wlan0, map[string][2]string{
		"AccessPoints": {"[" + erPath(routerUUID) + "]",
			"[" + erPath(routerUUID) + " " + erPath(otherUUID) + "]"},
		"Address": {`""`, "192.0.2.9"},
		"Enrollees": {"[" + string(erPeerPath) + "]", "[" + string(wlan0) +
			"/er/enrollees/00000000_0000_0000_0000_000000000000_02_00_00_00_01_00 " +
			string(erPeerPath) + "]"},
		"Running": {"false", "true"},
	}},
	erAccessPointIface: {erAPPath, map[string][2]string{
		"Address":          {`""`, "192.0.2.1"},
		"Bssid":            {`""`, "02:00:00:00:01:00"},
		"ConfigMethods":    {"[]", "[label]"},
		"DeviceName":       {`""`, "a"},
		"DeviceType":       {`""`, "6-0050F204-1"},
		"Dropped":          {"false", "true"},
		"Expires":          {"0", "1700003600000000"},
		"FriendlyName":     {`""`, "a"},
		"HasSettings":      {"false", "true"},
		"LastSeen":         {"0", "1700000000000000"},
		"Location":         {`""`, "http://192.0.2.1:49152/wps_device.xml"},
		"Manufacturer":     {`""`, "b"},
		"ManufacturerUrl":  {`""`, "c"},
		"ModelDescription": {`""`, "d"},
		"ModelName":        {`""`, "e"},
		"ModelNumber":      {`""`, "f"},
		"ModelUrl":         {`""`, "g"},
		"OtherAddresses":   {"[]", "[192.0.2.2]"},
		"PresentationUrl":  {`""`, "j"},
		"Problem":          {`""`, "it repeats itself"},
		"SerialNumber":     {`""`, "h"},
		"SetupLocked":      {"false", "true"},
		"State":            {`""`, "configured"},
		"Subscribed":       {"false", "true"},
		"Upc":              {`""`, "i"},
		"Uuid":             {routerUUID, routerUUID},
		"Version":          {`""`, "2.0"},
	}},
	erEnrolleeIface: {erPeerPath, map[string][2]string{
		"AccessPoint":   {"/", erPath(otherUUID)},
		"ConfigMethods": {"[]", "[label]"},
		"DeviceName":    {`""`, "a"},
		"DeviceType":    {`""`, "6-0050F204-1"},
		"Introduced":    {"false", "true"},
		"LastSeen":      {"0", "1700000000000000"},
		"MacAddress":    {"02:00:00:00:00:09", "02:00:00:00:00:09"},
		"Manufacturer":  {`""`, "b"},
		"ModelName":     {`""`, "c"},
		"ModelNumber":   {`""`, "d"},
		"PasswordId":    {"0", "4"},
		"SerialNumber":  {`""`, "e"},
		"Uuid":          {deviceUUID, "3b478877-9a68-582a-bf66-348f4f157da7"},
	}},
}

// TestEveryPropertyIsRight: each property of the API has a row, and says in either world what there
// is. That those that differ are told is TestEveryPropertyChangesAndTells's.
func TestEveryPropertyIsRight(t *testing.T) {
	t.Parallel()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	rows := maps.Clone(properties)
	for _, i := range all {
		var declared []string
		for _, p := range i.Properties {
			declared = append(declared, p.Name)
		}
		slices.Sort(declared)
		if got := slices.Sorted(maps.Keys(rows[i.Name].properties)); !slices.Equal(got, declared) {
			t.Errorf("%s has rows for %v, declared are %v", i.Name, got, declared)
		}
		delete(rows, i.Name)
	}
	if len(rows) > 0 {
		t.Errorf("rows for what is not in the API: %v", slices.Collect(maps.Keys(rows)))
	}
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger)
		for at, events := range [][]state.Event{nothingKnown(), everythingKnown()} {
			w.svc.tell(events...)
			synctest.Wait()
			for iface, r := range properties {
				got, _ := c.must(r.path, getAll, iface)[0].(map[string]godbus.Variant)
				for name, want := range r.properties {
					if text := shown(got, name); text != want[at] {
						t.Errorf("%s.%s is %s, want %s", iface, name, text, want[at])
					}
				}
			}
			flag, _ := c.must("/fi/w1/wps/interfaces/wlan2", get, interfaceIface,
				"Disconnects")[0].(godbus.Variant)
			if flag.Value() != (at == 1) { // somebody has it, who cannot keep it
				t.Errorf("wlan2: Disconnects is %v", flag)
			}
		}
	})
}

// shown is plain of a property. Of a monotonic clock nobody knows what it says, but how far its
// stamps are apart.
func shown(all map[string]godbus.Variant, name string) string {
	began, _ := all["StartedMonotonic"].Value().(uint64)
	ends, _ := all["DeadlineMonotonic"].Value().(uint64)
	switch {
	case name == "StartedMonotonic" && began != 0:
		return "some time"
	case name == "DeadlineMonotonic" && ends == began+60_000_000:
		return "60 s after StartedMonotonic"
	}
	return plain(all[name])
}
