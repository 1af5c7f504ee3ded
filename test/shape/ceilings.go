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
