//go:build applet

package applet

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// narrow is a window as wide as a phone's screen, dark the other colors.
var narrow, dark = []string{"--size", "360x720"}, []string{"ADW_DEBUG_COLOR_SCHEME=prefer-dark"}

// looks are the ways in which every page has to be of use.
var looks = []struct {
	name string
	s    setting
}{
	{"light", setting{}},
	{"dark", setting{env: dark}},
	{"narrow", setting{args: narrow, size: "360x720"}},
	{"contrast", setting{env: []string{"ADW_DEBUG_HIGH_CONTRAST=1"}}},
	{"tablet", setting{args: []string{"--size", "640x900"}, size: "640x900"}},
}

func TestEveryPage(t *testing.T) {
	for _, look := range looks {
		t.Run(look.name, func(t *testing.T) {
			d := newDesktop(t, look.s)
			d.command("hotspot ap0 Sim New")
			d.See("Join a Network")
			d.picture("page-join-" + look.name)
			d.Click("Start")
			d.See("Received Sim Home")
			d.Click("Done")
			for _, page := range []struct{ name, shows string }{
				{"Routers", "Sim Label"},
				{"Devices", "Let a Device In"},
				{"Hotspot", "Press the Hotspot's Button"},
				{"NFC", "This Computer's Tag"},
				{"Networks", "Received by button"},
			} {
				d.Turn(page.name)
				d.See(page.shows)
				d.picture("page-" + page.name + "-" + look.name)
				d.EveryButtonHasAName()
			}
		})
	}
}

// In each language every page is in that language: nothing of it is shown in English.
func TestLanguages(t *testing.T) {
	for _, l := range []struct{ name, territory string }{
		{"german", "de_DE"}, {"french", "fr_FR"}, {"spanish", "es_ES"},
	} {
		t.Run(l.name, func(t *testing.T) {
			d := newDesktop(t, setting{env: locale(t, l.territory)})
			texts := translations(t, l.territory[:2])
			said := slices.Collect(maps.Values(texts)) // "Pages" is French as well
			d.PagesName = texts["Pages"]
			d.command("hotspot ap0 Sim New")
			d.See(texts["Join a Network"])
			d.picture("page-join-" + l.name)
			d.Click(texts["Start"])
			d.See(fmt.Sprintf(texts["Received %s"], "Sim Home"))
			d.picture("join-done-" + l.name)
			d.Click(texts["Done"])
			for _, page := range []struct{ name, shows string }{
				{"Routers", "Routers in Range"},
				{"Devices", "Let a Device In"},
				{"Hotspot", "Press the Hotspot's Button"},
				{"NFC", "This Computer's Tag"},
				{"Networks", "Stored Networks"},
				{"Join", "Join a Network"},
			} {
				d.Turn(texts[page.name])
				d.See(texts[page.shows])
				d.picture("page-" + page.name + "-" + l.name)
				shown := d.Names()
				for english, translated := range texts {
					if english != translated && shown[english] && !slices.Contains(said, english) {
						t.Errorf("the page %s shows %q", page.name, english)
					}
				}
			}
		})
	}
}

// translations are what the applet says in a language, by what it says in English.
func translations(t *testing.T, language string) map[string]string {
	t.Helper()
	texts, err := catalog(language + ".po")
	if err != nil || len(texts) < 100 {
		t.Fatalf("%s has %d texts only: %v", language, len(texts), err)
	}
	return texts
}

// locale makes a locale, which few machines that run tests have.
func locale(t *testing.T, territory string) []string {
	t.Helper()
	dir := t.TempDir()
	name := territory + ".UTF-8"
	out, err := exec.Command("localedef", "-i", territory, "-f", "UTF-8",
		filepath.Join(dir, name)).CombinedOutput()
	if err != nil {
		t.Fatalf("localedef: %v\n%s", err, out)
	}
	return []string{"LOCPATH=" + dir, "LC_ALL=" + name, "LANGUAGE=" + territory[:2]}
}

func TestRouters(t *testing.T) {
	d := newDesktop(t, setting{})
	d.Turn("Routers")
	d.Click("Sim Old")
	d.See("Join by Button")
	d.picture("router")
	d.Click("Read Its Settings")
	d.Write("PIN, eight digits", "13579111")
	d.Click("Continue")
	d.See("These Are Its Settings")
	d.Click("Show the password")
	d.See("ten years old")
	d.picture("router-learned")
	d.Click("Done")
	d.Click("Sim Old")
	d.Click("Change Its Settings")
	d.See("New Settings")
	d.Write("Network name", "Sim Renamed")
	d.Write("Password, 8 to 63 characters", "another secret")
	d.Choose("Security", "WPA/WPA2, for old devices", 1)
	d.picture("router-change")
	d.Click("Look at the Changes")
	d.See("This Will Be Written")
	d.See("Sim Renamed, so far Sim Old")
	d.See("WPA/WPA2, for old devices, so far WPA2")
	d.picture("router-confirm")
	d.Click("Enter the Router's PIN")
	d.Write("PIN, eight digits", "13579111")
	d.Click("Continue")
	d.See("The Router Has Its New Settings")
	d.Click("Done")
	d.Click("Sim Label")
	d.Click("Read Its Settings")
	d.Write("PIN, eight digits", "12345670")
	d.Click("Continue")
	d.See("The Router Has Another PIN")
	d.picture("router-wrong-pin")
	d.Click("Enter the PIN Again")
	d.See("The PIN of the Router")
}

// The router that is looked at is joined, by its button or by a PIN.
func TestJoinAtARouter(t *testing.T) {
	d := newDesktop(t, setting{})
	d.Turn("Routers")
	d.Click("Sim Label")
	d.Click("Join by PIN")
	d.See("The First Half of the PIN Is Wrong") // as it was made for this try: the router has its own
	d.Click("Back")
	d.Click("Sim Label")
	d.Click("Join by Button")
	d.See("Press the Button on Your Router")
	d.Click("Cancel")
	d.See("Routers in Range")
}

// aPIN is a PIN as it is shown.
var aPIN = regexp.MustCompile(`^\d{4} \d{4}$`)

func TestHotspot(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--page", "hotspot"}})
	d.See("Join a Network") // there is none yet
	d.command("hotspot ap0 Sim New")
	d.Turn("Hotspot")
	d.command("device camera")
	d.Click("Press the Hotspot's Button")
	d.See("Press the Button of the Device")
	d.picture("hotspot-wait")
	d.command("press camera")
	d.See("The Device Is In")
	d.picture("hotspot-done")
	d.Click("Done")
	d.command("device printer")
	d.Click("Enter the Device's PIN")
	d.Write("PIN, eight digits", "24681353")
	d.Click("Continue")
	d.See("Waiting for the Device")
	d.command("enter printer 24681353")
	d.See("The Device Is In")
	d.Click("Done")
	d.Click("Make Make a PIN for the Device")
	d.See("Type This PIN Into the Device")
	pin := d.Read(aPIN)
	d.command("device tv")
	d.command("enter tv " + strings.ReplaceAll(pin, " ", ""))
	d.See("The Device Is In")
	d.Click("Done")
	d.Click("Show Own PIN")
	d.See("3141 5927")
	d.Click("Make New PIN")
	d.Gone("3141 5927")
	shown := d.Read(aPIN)
	d.picture("hotspot-pin")
	d.Click("Remove No PIN")
	d.See("There is none")
	d.Gone(shown)
}

// The External Registrar: a router that was found over the network is asked for its settings, and a
// device is let in there.
func TestDevices(t *testing.T) {
	// Tests at once must not find each other's access points.
	network := fmt.Sprintf("127.%d.%d", 20+os.Getpid()%200, 1+os.Getpid()/200%250)
	// The window is so high that the whole list is seen: the mouse clicks below it.
	d := newDesktop(t, setting{simArgs: []string{"--sim-upnp", network + ".1"},
		args: []string{"--size", "820x1300"}, size: "820x1300"})
	d.See("Join a Network")
	d.Turn("Devices")
	d.See("Let a Device In")
	d.See("Sim Old")
	// One address alone is looked at, and all again where none is typed.
	address := "Address of the router, as 192.168.1.1"
	d.Enter(address, network+".2")
	d.Gone("Sim Old")
	d.See("Sim Label")
	d.Enter(address, "")
	d.See("Sim Old")
	d.Click("Enter Its PIN Sim Old")
	d.Write("PIN, eight digits", "13579111")
	d.Click("Continue")
	d.See("Devices Can Be Let In")
	d.Click("Done")
	d.picture("devices-found")
	d.Click("Let a Device In Sim Old")
	d.See("Press the Button of the Device")
	d.command("device clock")
	d.command("press clock")
	d.See("The Device Is In")
	d.picture("devices-in")
	d.Click("Done")
	d.Click("Let In clock")
	d.See("Letting the Device In")
	d.command("press clock")
	d.See("The Device Is In")
	d.Click("Done")
	d.See("Routers in This Network")
	keep := func() { d.Act(d.WaitAny("Keep Looking", "toggle button", "switch", "check box")) }
	keep()
	d.Checked("Keep Looking") // the switch moves first
	d.Turn("Join")
	d.Turn("Devices")
	d.See("Devices can be let in") // it has gone on, and knows what it had learned
	keep()
	d.Turn("Join")
	d.ends("sim0", "external_registrar")
}

// A router reads this computer's tag from a file, and lets this computer in.
func TestJoinByThisComputersTag(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--page", "nfc"}})
	file := filepath.Join(d.dir, "own.ndef")
	d.Click("Save… This Computer's Tag")
	d.Write("Name:", file)
	d.Click("_Save")
	d.See("Saved as " + file)
	d.Click("Start Join With This Computer's Tag")
	d.See("Looking for the Router")
	d.command("tag Sim Home " + file)
	d.See("Received Sim Home")
}

func TestNetworks(t *testing.T) {
	d := newDesktop(t, setting{args: []string{"--page", "networks"}})
	d.See("No Network Is Stored")
	d.picture("networks-empty")
	d.Click("Join a Network")
	d.Click("Start")
	d.See("Received Sim Home")
	d.Click("Done")
	d.Turn("Networks")
	d.Click("Sim Home")
	d.Click("Show")
	d.See("QR code of the network, for a phone")
	d.picture("network")
	d.Click("Hide")
	d.Gone("QR code of the network, for a phone")
	d.Click("Connect")
	d.See("No Network Manager Has the Adapter")
	d.See("Show the password, and type it")
	d.picture("network-connect")
	d.ClickIn("No Network Manager Has the Adapter", "Close")
	d.Gone("No Network Manager Has the Adapter")
	d.Click("Delete")
	d.See("Delete Sim Home?")
	d.picture("network-delete")
	d.ClickIn("Delete Sim Home?", "Delete")
	d.See("No Network Is Stored")
}

// What goes on a tag goes into a file that its owner alone can read, and the file is read as a tag
// is.
func TestTagIsSavedAndRead(t *testing.T) {
	d := newDesktop(t, setting{})
	d.Click("Start")
	d.See("Received Sim Home")
	d.Click("Done")
	d.Turn("NFC")
	file := filepath.Join(d.dir, "home.ndef")
	for _, tag := range []string{"This Computer's Tag", "Sim Home"} {
		d.Click("Save… " + tag)
		d.Write("Name:", file)
		d.picture("nfc-save")
		d.Click("_Save") // GTK names it so, with the mark of its key
		if tag == "Sim Home" {
			d.Click("_Replace")
		}
		d.See("Saved as " + file)
		d.Gone("Saved as " + file)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v, %v", info, err)
	}
	content, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(content, []byte("application/vnd.wfa.wsc")) ||
		!bytes.Contains(content, []byte("Sim Home")) {
		t.Errorf("the file has %q: %v", content, err)
	}
	d.ctl("networks", "delete", "1")
	d.Gone("A device that reads it joins this network")
	d.Click("Open…")
	d.See("Content of a Tag")
	d.picture("nfc-open")
	d.Click("_Open")
	d.See("The network of the tag is stored")
	d.See("Received by tag")
}
