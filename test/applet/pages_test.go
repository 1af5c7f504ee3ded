//go:build applet

package applet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// looks are the ways in which every page has to be of use.
var looks = []struct {
	name string
	s    setting
}{
	{"light", setting{}},
	{"dark", setting{env: []string{"ADW_DEBUG_COLOR_SCHEME=prefer-dark"}}},
	{"narrow", setting{args: []string{"--size", "360x720"}, size: "360x720"}},
	{"contrast", setting{env: []string{"ADW_DEBUG_HIGH_CONTRAST=1"}}},
	{"tablet", setting{args: []string{"--size", "640x900"}, size: "640x900"}},
}

func TestEveryPage(t *testing.T) {
	for _, look := range looks {
		t.Run(look.name, func(t *testing.T) {
			d := newDesktop(t, look.s)
			d.command("hotspot ap0 Sim New")
			d.see("Join a Network")
			d.picture("page-join-" + look.name)
			d.click("Start")
			d.see("Received Sim Home")
			d.click("Done")
			for _, page := range []struct{ name, shows string }{
				{"Routers", "Sim Label"},
				{"Devices", "Let a Device In"},
				{"Hotspot", "Press the Hotspot's Button"},
				{"NFC", "This Computer's Tag"},
				{"Networks", "Received by button"},
			} {
				d.turn(page.name)
				d.see(page.shows)
				d.picture("page-" + page.name + "-" + look.name)
			}
		})
	}
}

// In German every page is German: what is not would show, as the English text would be found.
func TestGerman(t *testing.T) {
	d := newDesktop(t, setting{env: germanLocale(t)})
	d.command("hotspot ap0 Sim New")
	d.see("Einem Netz beitreten")
	d.picture("page-join-german")
	d.click("Start")
	d.see("Sim Home erhalten")
	d.picture("join-done-german")
	d.click("Fertig")
	for _, page := range []struct{ name, shows, english string }{
		{"Router", "Router in Reichweite", "Routers in Range"},
		{"Geräte", "Ein Gerät einlassen", "Let a Device In"},
		{"Hotspot", "Taste des Hotspots drücken", "Press the Hotspot's Button"},
		{"NFC", "Das Tag dieses Rechners", "This Computer's Tag"},
		{"Netze", "Per Taste erhalten", "Received by button"},
	} {
		d.turn(page.name)
		d.see(page.shows)
		d.gone(page.english)
		d.picture("page-" + page.name + "-german")
	}
}

// germanLocale makes a German locale, which few machines that run tests have.
func germanLocale(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("localedef", "-i", "de_DE", "-f", "UTF-8",
		filepath.Join(dir, "de_DE.UTF-8")).CombinedOutput()
	if err != nil {
		t.Fatalf("localedef: %v\n%s", err, out)
	}
	return []string{"LOCPATH=" + dir, "LC_ALL=de_DE.UTF-8", "LANGUAGE=de"}
}

func TestRouters(t *testing.T) {
	d := newDesktop(t, setting{})
	d.turn("Routers")
	d.click("Sim Old")
	d.see("Join by Button")
	d.picture("router")
	d.click("Read Its Settings")
	d.write("PIN, eight digits", "13579111")
	d.click("Continue")
	d.see("These Are Its Settings")
	d.click("Show the password")
	d.see("ten years old")
	d.picture("router-learned")
	d.click("Done")
	d.click("Sim Old")
	d.click("Change Its Settings")
	d.see("New Settings")
	d.write("Network name", "Sim Renamed")
	d.write("Password, 8 to 63 characters", "another secret")
	d.picture("router-change")
	d.click("Look at the Changes")
	d.see("This Will Be Written")
	d.see("Sim Renamed, so far Sim Old")
	d.picture("router-confirm")
	d.click("Enter the Router's PIN")
	d.write("PIN, eight digits", "13579111")
	d.click("Continue")
	d.see("The Router Has Its New Settings")
	d.click("Done")
	d.click("Sim Label")
	d.click("Read Its Settings")
	d.write("PIN, eight digits", "12345670")
	d.click("Continue")
	d.see("The Router Has Another PIN")
	d.picture("router-wrong-pin")
	d.click("Enter the PIN Again")
	d.see("The PIN of the Router")
}

func TestHotspot(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--page", "hotspot"}})
	d.see("Join a Network") // there is none yet
	d.command("hotspot ap0 Sim New")
	d.turn("Hotspot")
	d.command("device camera")
	d.click("Press the Hotspot's Button")
	d.see("Press the Button of the Device")
	d.picture("hotspot-wait")
	d.command("press camera")
	d.see("The Device Is In")
	d.picture("hotspot-done")
	d.click("Done")
	d.command("device printer")
	d.click("Enter the Device's PIN")
	d.write("PIN, eight digits", "24681353")
	d.click("Continue")
	d.see("Waiting for the Device")
	d.command("enter printer 24681353")
	d.see("The Device Is In")
}

// The External Registrar: a router that was found over the network is asked for its settings, and a
// device is let in there.
func TestDevices(t *testing.T) {
	// Tests at once must not find each other's access points.
	network := fmt.Sprintf("127.%d.%d", 20+os.Getpid()%200, 1+os.Getpid()/200%250)
	d := newDesktop(t, setting{simArgs: []string{"--sim-upnp", network + ".1"}})
	d.see("Join a Network")
	d.turn("Devices")
	d.see("Let a Device In")
	d.click("Enter Its PIN Sim Old")
	d.write("PIN, eight digits", "13579111")
	d.click("Continue")
	d.see("Devices Can Be Let In")
	d.click("Done")
	d.picture("devices-found")
	d.click("Let a Device In Sim Old")
	d.see("Press the Button of the Device")
	d.command("device clock")
	d.command("press clock")
	d.see("The Device Is In")
	d.picture("devices-in")
	d.click("Done")
	d.see("Routers in This Network")
	d.turn("Join")
	d.ends("sim0", "external_registrar")
}

func TestNetworks(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--page", "networks"}})
	d.see("No Network Is Stored")
	d.picture("networks-empty")
	d.click("Join a Network")
	d.click("Start")
	d.see("Received Sim Home")
	d.click("Done")
	d.turn("Networks")
	d.click("Sim Home")
	d.click("Show")
	d.see("QR code of the network, for a phone")
	d.picture("network")
	d.click("Hide")
	d.gone("QR code of the network, for a phone")
	d.click("Delete")
	d.see("Delete Sim Home?")
	d.picture("network-delete")
	d.clickIn("Delete Sim Home?", "Delete")
	d.see("No Network Is Stored")
}
