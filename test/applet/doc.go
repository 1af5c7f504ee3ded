// Package applet drives cmd/wps-applet as its users do who cannot see it: by the accessibility tree
// that it offers on D-Bus (AT-SPI), on an X server without a screen, against the simulation. Nothing
// is looked for by its place or its color. The tests have the build tag applet; test/applet/run
// brings what they need.
//
//	Xvfb ◀── wps-applet ──▶ a bus of the test's own ◀── the simulation ◀── a pipe with commands
//	              │
//	              ╰──▶ the accessibility bus ◀── the test: find, click, type, wait
package applet
