package control

import (
	"slices"
	"strings"
	"testing"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/er"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestSamplesOfTheManual: the samples of events in wpa_supplicant's README-WPS, made of what they
// tell of. Its sample of WPS-ER-AP-ADD lacks the bar at the end, which wpa_supplicant 2.10 sends.
func TestSamplesOfTheManual(t *testing.T) {
	t.Parallel()
	apUUID, staUUID := must(wsc.ParseUUID("87654321-9abc-def0-1234-56789abc0002")),
		must(wsc.ParseUUID("2b7093f1-d6fb-5108-adbb-bea66bb87333"))
	learned := must(wsc.ParseUUID("fd91b4ec-e3fa-5891-a57d-8c59efeed1d2"))
	apMAC, staMAC := must(wsc.ParseMAC("02:11:22:33:44:55")),
		must(wsc.ParseMAC("02:66:a0:ee:17:27"))
	ap := state.ERAccessPoint{Interface: "eth0", AP: &er.AP{
		ID: 1, UUID: apUUID, BSSID: apMAC, HasDevice: true,
		Device: wsc.Device{PrimaryDeviceType: must(wsc.ParseDeviceType("6-0050F204-1")),
			State: wsc.NotConfigured},
		Description: upnp.Description{Written: upnp.Texts{
			FriendlyName: "Very friendly name", Manufacturer: "Company",
			ModelDescription: "Long description of the model", ModelName: "WAP",
			ManufacturerURL: "http://w1.fi/", ModelURL: "http://w1.fi/hostapd/",
		}},
	}}
	silent := *ap.AP
	unknown := state.ERAccessPoint{Interface: ap.Interface, AP: &silent}
	unknown.HasDevice, unknown.BSSID, unknown.Device = false, wsc.MAC{}, wsc.Device{}
	sta := state.EREnrollee{Interface: "eth0",
		Enrollee: &er.Enrollee{AP: 1, MAC: staMAC, M1: true, PasswordID: wsc.PasswordIDDefault,
			Device: wsc.Device{
				UUID: staUUID, ConfigMethods: 0x14d,
				PrimaryDeviceType: must(wsc.ParseDeviceType("1-0050F204-1")),
				DeviceName:        "Wireless Client", Manufacturer: "Company", ModelName: "cmodel",
				ModelNumber: "123", SerialNumber: "12345",
			}}}
	loud := *sta.Enrollee
	evil := state.EREnrollee{Interface: sta.Interface, Enrollee: &loud}
	evil.Device.DeviceName, evil.Device.Manufacturer = "a|b\n<3>WPS-SUCCESS ", "\x00\x1b[2J"
	session := state.Session{ID: 3, Interface: "eth0", Role: state.RoleExternalRegistrar,
		Purpose: state.PurposeLearn, Method: state.MethodPIN, ERAPUUID: learned}
	const apAdd = "WPS-ER-AP-ADD 87654321-9abc-def0-1234-56789abc0002 02:11:22:33:44:55 pri_dev_type=6-0050F204-1 wps_state=1 |Very friendly name|Company|Long description of the model|WAP|http://w1.fi/|http://w1.fi/hostapd/|"
	const apUnknown = "WPS-ER-AP-ADD 87654321-9abc-def0-1234-56789abc0002 00:00:00:00:00:00 pri_dev_type=0-00000000-0 wps_state=0 |Very friendly name|Company|Long description of the model|WAP|http://w1.fi/|http://w1.fi/hostapd/|"
	const pinSeen = "WPS-PIN-NEEDED 2b7093f1-d6fb-5108-adbb-bea66bb87333 02:66:a0:ee:17:27 [Wireless Client|Company|cmodel|123|12345|1-0050F204-1]"
	enrollee := state.Enrollee{
		Interface: "wlan0", MAC: staMAC, UUID: staUUID.String(), Name: "Wireless Client",
		Manufacturer: "Company", ModelName: "cmodel", ModelNumber: "123", SerialNumber: "12345",
		DeviceType: "1-0050F204-1", ConfigMethods: 0x14d, PasswordID: wsc.PasswordIDPushButton,
	}
	access := state.Interface{Name: "wlan0", Mode: drivers.ModeAP}
	locked := access
	locked.SetupLocked = true
	tr := newTranslator(source{
		received: func(state.SessionID) []credential.Network {
			return []credential.Network{{SSID: []byte("test-wps"), Auth: wsc.AuthWPA2PSK,
				Encryption: wsc.EncrAES, Key: secret.FromString("12345678"),
				Raw: secret.FromString("x")}}
		},
		frequency: func(string, wsc.MAC) int { return 0 },
		number:    func(state.NetworkID) int { return -1 },
	})
	for _, tt := range []struct {
		name string
		e    state.Event
		want []string
	}{
		{"WPS_EVENT_ER_AP_ADD", state.ERAPAdded{AccessPoint: ap}, []string{apAdd}},
		{"it is not told again when it changes", state.ERAPChanged{AccessPoint: ap}, nil},
		{"WPS_EVENT_ER_AP_REMOVE", state.ERAPRemoved{AccessPoint: ap},
			[]string{"WPS-ER-AP-REMOVE 87654321-9abc-def0-1234-56789abc0002"}},
		{"an access point that has not said who it is", state.ERAPAdded{AccessPoint: unknown},
			[]string{apUnknown}},
		{"and now it has", state.ERAPChanged{AccessPoint: ap}, []string{apAdd}},
		{"WPS_EVENT_ER_ENROLLEE_ADD", state.EREnrolleeAdded{Enrollee: sta},
			[]string{"WPS-ER-ENROLLEE-ADD 2b7093f1-d6fb-5108-adbb-bea66bb87333 02:66:a0:ee:17:27 M1=1 config_methods=0x14d dev_passwd_id=0 pri_dev_type=1-0050F204-1 |Wireless Client|Company|cmodel|123|12345|"}},
		{"WPS_EVENT_ER_ENROLLEE_REMOVE", state.EREnrolleeRemoved{Enrollee: sta},
			[]string{"WPS-ER-ENROLLEE-REMOVE 2b7093f1-d6fb-5108-adbb-bea66bb87333 02:66:a0:ee:17:27"}},
		{"a device whose name would be another event", state.EREnrolleeAdded{Enrollee: evil},
			[]string{"WPS-ER-ENROLLEE-ADD 2b7093f1-d6fb-5108-adbb-bea66bb87333 02:66:a0:ee:17:27 M1=1 config_methods=0x14d dev_passwd_id=0 pri_dev_type=1-0050F204-1 |a|b_<3>WPS-SUCCESS |__[2J|cmodel|123|12345|"}},
		{"a learning session", state.SessionAdded{Session: session}, nil},
		{"WPS-ER-AP-SETTINGS", state.ERAPSettings{Session: 3, Interface: "eth0",
			AccessPoint: 1}, []string{
			"WPS-ER-AP-SETTINGS uuid=fd91b4ec-e3fa-5891-a57d-8c59efeed1d2 ssid=test-wps auth_type=0x0020 encr_type=0x0008 key=12345678", "WPS-FAIL msg=11 config_error=0",
		}},
		{"an access point is asked to invite somebody",
			state.ERAPAsked{AccessPoint: ap,
				Asked: er.APAsked{State: er.AskSent, Selected: true,
					PasswordID: wsc.PasswordIDPushButton, Methods: 0x280}},
			[]string{"WPS-ER-AP-SET-SEL-REG uuid=87654321-9abc-def0-1234-56789abc0002 state=START sel_reg=1 dev_passwd_id=4 sel_reg_config_methods=0x280"}},
		{"it does", state.ERAPAsked{AccessPoint: ap, Asked: er.APAsked{State: er.AskTaken}},
			[]string{"WPS-ER-AP-SET-SEL-REG uuid=87654321-9abc-def0-1234-56789abc0002 state=DONE"}},
		{"it does not", state.ERAPAsked{AccessPoint: ap, Asked: er.APAsked{State: er.AskRefused}},
			[]string{"WPS-ER-AP-SET-SEL-REG uuid=87654321-9abc-def0-1234-56789abc0002 state=FAILED"}},
		{"a session of a station", state.SessionAdded{Session: state.Session{ID: 4,
			Interface: "wlan0", Peer: apMAC}}, []string{"CTRL-EVENT-SCAN-STARTED "}},
		{"a Registrar that wants another password",
			state.RunFailed{Session: 4, Peer: apMAC, Message: wsc.MsgM2D, ConfigError: 15,
				PasswordID: wsc.PasswordIDPushButton},
			append(exchangeWith(apMAC), "WPS-M2D dev_password_id=4 config_error=15")},
		{"a device that nobody has asked in", state.PINNeeded{Enrollee: enrollee},
			[]string{pinSeen}},
		{"a device that looks around", state.EnrolleeSeen{Enrollee: enrollee},
			[]string{"WPS-ENROLLEE-SEEN 02:66:a0:ee:17:27 2b7093f1-d6fb-5108-adbb-bea66bb87333 1-0050F204-1 0x14d 4 1 [Wireless Client]"}},
		{"an access point", state.InterfaceAdded{Interface: access}, nil},
		{"it locks its setup", state.InterfaceChanged{Interface: locked},
			[]string{"WPS-AP-SETUP-LOCKED "}},
		{"and opens it again", state.InterfaceChanged{Interface: access},
			[]string{"WPS-AP-SETUP-UNLOCKED "}},
		{"a scan in vain", state.ScanDone{Interface: "wlan0"},
			[]string{"CTRL-EVENT-SCAN-FAILED ret=-1"}},
	} {
		var got []string
		for _, l := range tr.translate(tt.e) {
			if _, asked := tt.e.(state.ERAPAsked); asked != (l.level == levelDebug) &&
				!strings.HasSuffix(l.text, "FAILED") {
				t.Errorf("%s: it has level %d", tt.name, l.level)
			}
			if strings.Contains(l.text, "12345678") && !l.secret.IsZero() {
				t.Errorf("%s: the key is in what everybody is told: %s", tt.name, l.text)
			}
			got = append(got, l.text+string(l.secret.Bytes()))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n\t%s\nnot\n\t%s", tt.name, strings.Join(got, "\n\t"),
				strings.Join(tt.want, "\n\t"))
		}
	}
}
