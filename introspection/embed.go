// Package introspection holds the D-Bus API: one XML file for each of our interfaces, and one for
// the standard interfaces that come with them. The files are the source of truth. Package dbus
// serves them, checks the signatures of calls against them, and is tested against them; their
// comments are the manual.
package introspection

import "embed"

//go:embed *.xml
var files embed.FS
