package shape

// wireAndConfig are structs that have as many fields as what they stand for has settings or
// elements, and what that is.
var wireAndConfig = map[string]string{
	"service/outcome.Detail":   "Session.Detail of D-Bus",
	"service/state.Session":    "a Session of D-Bus",
	"cmd/wpsctl.erAccessPoint": "an ER.AccessPoint of D-Bus, as JSON",
	"cmd/wps-applet.runView":   "the widgets of a page",
}

// ceilings are the figures of what is beyond a limit: none of them may grow. When one has come down,
// lower it here.
var ceilings = map[string]int{}

// wideLines are how many lines of a file are wider than the limit.
var wideLines = map[string]int{
	"cmd/wps-applet/nfc.go":               1,
	"cmd/wpsctl/render_test.go":           2,
	"cmd/wpsd/arch_test.go":               1,
	"dbus/bus/doc.go":                     2,
	"dbus/dbustest/conn.go":               1,
	"dbus/events_test.go":                 3,
	"drivers/hostapd/steer_test.go":       1,
	"drivers/sim/nfc_test.go":             1,
	"drivers/sim/proxy.go":                1,
	"engine/registration/nfc_test.go":     7,
	"engine/wsc/vocabulary_test.go":       1,
	"service/control/mode_test.go":        1,
	"service/control/socket_test.go":      1,
	"service/nfcap_test.go":               8,
	"test/hwsim/apmode_test.go":           6,
	"test/hwsim/manager_handover_test.go": 1,
	"test/hwsim/systemd_test.go":          2,
	"test/hwsim/weak_test.go":             1,
}
