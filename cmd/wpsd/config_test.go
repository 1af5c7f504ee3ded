package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wpsd/engine/wsc"
	"wpsd/service/control"
	"wpsd/service/state"
)

// parseTestConfig parses text under the name wpsd.conf.
func parseTestConfig(text string) (*config, error) {
	return parseConfig("wpsd.conf", strings.NewReader(text))
}

func TestConfigAcceptsSamples(t *testing.T) {
	t.Parallel()
	uuid, err := wsc.ParseUUID("12345678-9abc-def0-1234-56789abcdef0")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text string
		want       func(c *config) bool
	}{
		{"an empty file gives the defaults", "", func(c *config) bool {
			return c.Processing == state.ProcessingInternal &&
				c.Device.ConfigMethods == 0 && !c.Forget
		}},
		{"the README's UUID sample",
			"# example UUID for WPS\nuuid=12345678-9abc-def0-1234-56789abcdef0\n",
			func(c *config) bool { return c.Device.UUID == uuid }},
		{"the README's update_config sample", "update_config=1\n", func(c *config) bool {
			return !c.Forget && len(c.Notes) == 0
		}},
		{"networks may be forgotten at the end", "update_config=0\n", func(c *config) bool {
			return c.Forget
		}},
		{"the README's external processing sample", "wps_cred_processing=1\n",
			func(c *config) bool { return c.Processing == state.ProcessingExternal }},
		{"the README's er.conf", "ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=admin\ndevice_name=WPS External Registrar\n",
			func(c *config) bool {
				return c.Device.DeviceName == "WPS External Registrar" &&
					c.Control == control.Place{Dir: "/var/run/wpa_supplicant", Group: "admin"} &&
					len(c.Notes) == 0
			}},
		{"a control socket that two groups may use",
			"ctrl_interface=DIR=/run/wpsd/control/ GROUP=netdev READ_GROUP=users OWNER=0 MODE=0777\nctrl_terminate=1\n", func(c *config) bool {
				return c.Control == control.Place{Dir: "/run/wpsd/control", Group: "netdev",
					ReadGroup: "users", Owner: "0", Mode: 0o777} && c.ControlTerminate
			}},
		{"a control socket's directory alone", "ctrl_interface=/run/wpsd/control\n",
			func(c *config) bool { return c.Control == control.Place{Dir: "/run/wpsd/control"} }},
		{"quotes are taken off", `device_name="My phone"`, func(c *config) bool {
			return c.Device.DeviceName == "My phone"
		}},
		{"a # in quotes is no comment", `device_name="Phone #1"  # mine`, func(c *config) bool {
			return c.Device.DeviceName == "Phone #1"
		}},
		{"quotes in a comment do not count", `device_name=Phone # "mine`, func(c *config) bool {
			return c.Device.DeviceName == "Phone"
		}},
		{"spaces, tabs, CR and no last newline",
			" \t device_name \t=  A b \t\r\n\r\n  # end\r\nmanufacturer = C", func(c *config) bool {
				return c.Device.DeviceName == "A b" && c.Device.Manufacturer == "C"
			}},
		{"an = in a value belongs to it", "model_name=a=b", func(c *config) bool {
			return c.Device.ModelName == "a=b"
		}},
		{"an empty text", "serial_number=", func(c *config) bool {
			return c.Device.SerialNumber == ""
		}},
		{"every device key", "model_number=7\nserial_number=12345\ndevice_type=1-0050F204-1\nos_version=01020300\n" +
			"config_methods=label virtual_push_button\nwps_fragment_size=200\nwps_cred_processing=2\n", func(c *config) bool {
			return c.Device.ModelNumber == "7" && c.Device.SerialNumber == "12345" &&
				c.Device.PrimaryDeviceType.String() == "1-0050F204-1" &&
				c.Device.OSVersion == 0x01020300 && c.Device.ConfigMethods == 0x0284 &&
				c.FragmentSize == 200 &&
				c.Processing == state.ProcessingBoth
		}},
		{"the directory of access points, as in hostapd.conf",
			"hostapd_ctrl_interface=DIR=/run/ap/ GROUP=wheel", func(c *config) bool {
				return len(c.AccessPoints) == 1 && c.AccessPoints[0] == "/run/ap"
			}},
		{"the directory of wpa_supplicant", "wpa_supplicant_ctrl_interface=/var/run/wpa",
			func(c *config) bool {
				return len(c.Supplicants) == 1 && c.Supplicants[0] == "/var/run/wpa"
			}},
		{"an end when nobody calls", "idle_exit=90", func(c *config) bool {
			return *c.IdleExit == 90*time.Second
		}},
		{"much to read", "log_level=debug", func(c *config) bool {
			return c.LogLevel == slog.LevelDebug
		}},
		{"little to read", "log_level=warning", func(c *config) bool {
			return c.LogLevel == slog.LevelWarn
		}},
		{"the usual log", "", func(c *config) bool { return c.LogLevel == slog.LevelInfo }},
		{"no end", "idle_exit=0", func(c *config) bool { return *c.IdleExit == 0 }},
		{"who gets networks", "apply=networkmanager", func(c *config) bool {
			return c.Apply == "networkmanager"
		}},
		{"nobody gets networks", "apply=none", func(c *config) bool { return c.Apply == "none" }},
		{"a name of exactly 32 bytes", "device_name=" + strings.Repeat("x", 32),
			func(c *config) bool { return len(c.Device.DeviceName) == 32 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parseTestConfig(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.want(c) {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"an unknown key names the line", "\n\nssid=x\n",
			"wpsd.conf:3: ssid: unknown key; the keys are apply, config_methods, "},
		{"keys are case sensitive", "UUID=12345678-9abc-def0-1234-56789abcdef0",
			"wpsd.conf:1: UUID: unknown key"},
		{"a build option", "CONFIG_WPS=y", "wpsd.conf:1: CONFIG_WPS: this is a build option"},
		{"no equals sign", "device_name", `wpsd.conf:1: "device_name" is not a key=value line`},
		{"no key", "=x", `wpsd.conf:1: "=x" is not a key=value line`},
		{"a key twice", "model_name=a\n#\nmodel_name=a\n",
			"wpsd.conf:3: model_name: set before, in line 1"},
		{"a long name", "device_name=" + strings.Repeat("x", 33),
			"wpsd.conf:1: device_name: longer than 32 bytes"},
		{"a long manufacturer", "manufacturer=" + strings.Repeat("x", 65),
			"wpsd.conf:1: manufacturer: longer than 64 bytes"},
		{"an escape sequence", "device_name=\"a\x1b[2Jb\"",
			"wpsd.conf:1: device_name: holds a control character"},
		{"an escape sequence in a key is not printed", "a\x1b[2J=1",
			`wpsd.conf:1: a\x1b[2J: unknown key`},
		{"a NUL", "device_name=a\x00b", "wpsd.conf:1: device_name: holds a control character"},
		{"not UTF-8", "device_name=\xff", "wpsd.conf:1: not valid UTF-8"},
		{"half a quote", `device_name="x`,
			"wpsd.conf:1: device_name: the closing double quote is missing"},
		{"one quote", `device_name="`,
			"wpsd.conf:1: device_name: the closing double quote is missing"},
		{"a short UUID", "uuid=12345678", `wpsd.conf:1: uuid: "12345678" is not a UUID`},
		{"an empty UUID", "uuid=", `wpsd.conf:1: uuid: "" is not a UUID`},
		{"the zero UUID", "uuid=00000000-0000-0000-0000-000000000000",
			"wpsd.conf:1: uuid: the zero UUID"},
		{"a device type without its OUI", "device_type=1-1",
			`wpsd.conf:1: device_type: "1-1" is not a device type`},
		{"an OS version of seven digits", "os_version=1020300", "wpsd.conf:1: os_version: "},
		{"an OS version that is no number", "os_version=0x010203", "wpsd.conf:1: os_version: "},
		{"an unknown config method", "config_methods=display telepathy",
			"wpsd.conf:1: config_methods: "},
		{"label and display", "config_methods=label display",
			"wpsd.conf:1: config_methods: label and display exclude each other"},
		{"processing out of range", "wps_cred_processing=3",
			`wpsd.conf:1: wps_cred_processing: "3" is none of`},
		{"processing as a word", "wps_cred_processing=",
			`wpsd.conf:1: wps_cred_processing: "" is none of`},
		{"update_config out of range", "update_config=yes",
			`wpsd.conf:1: update_config: "yes" is neither 0 nor 1`},
		{"no directory of access points", "hostapd_ctrl_interface=hostapd",
			"wpsd.conf:1: hostapd_ctrl_interface: "},
		{"no directory of wpa_supplicant", "wpa_supplicant_ctrl_interface=wpa",
			"wpsd.conf:1: wpa_supplicant_ctrl_interface: "},
		{"a control socket that is no file", "hostapd_ctrl_interface=udp:8888",
			"wpsd.conf:1: hostapd_ctrl_interface: "},
		{"tiny fragments", "wps_fragment_size=49", "wpsd.conf:1: wps_fragment_size: "},
		{"large fragments", "wps_fragment_size=1401", "wpsd.conf:1: wps_fragment_size: "},
		{"fragments with a sign", "wps_fragment_size=1e3", "wpsd.conf:1: wps_fragment_size: "},
		{"a level that is none", "log_level=7",
			`wpsd.conf:1: log_level: "7" is none of error, warning, info and debug`},
		{"an end before the beginning", "idle_exit=-1",
			`wpsd.conf:1: idle_exit: "-1" is not a number of seconds`},
		{"an end that is no number of seconds", "idle_exit=1m",
			`wpsd.conf:1: idle_exit: "1m" is not a number of seconds`},
		{"an empty control interface", "ctrl_interface=",
			"wpsd.conf:1: ctrl_interface: \"\" is not a directory"},
		{"a control interface that is an abstract address", "ctrl_interface=@abstract:wpsd",
			"wpsd.conf:1: ctrl_interface: abstract addresses have no permissions"},
		{"a control interface over UDP", "ctrl_interface=udp",
			"wpsd.conf:1: ctrl_interface: UDP has no permissions"},
		{"a control interface with a relative path", "ctrl_interface=DIR=run GROUP=netdev",
			"wpsd.conf:1: ctrl_interface: \"run\" is not a directory"},
		{"a control interface with an unknown word", "ctrl_interface=DIR=/run/x USER=me",
			"wpsd.conf:1: ctrl_interface: \"USER\": there are DIR"},
		{"a control interface with a bad mode", "ctrl_interface=DIR=/run/x MODE=rwx",
			"wpsd.conf:1: ctrl_interface: MODE=\"rwx\" is not a mode"},
		{"a control interface too long for a socket", "ctrl_interface=/" + strings.Repeat("x", 100),
			"wpsd.conf:1: ctrl_interface: the path of a socket"},
		{"ctrl_terminate with another word", "ctrl_terminate=yes",
			"wpsd.conf:1: ctrl_terminate: \"yes\" is neither"},
		{"a network block is one mistake", "network={\n ssid=\"x\"\n psk=\"y\"\n}\nbogus=1\n",
			"wpsd.conf:1: network: blocks are not allowed: networks do not belong here"},
		{"what follows a block is read again", "network={\n ssid=\"x\"\n}\nbogus=1\n",
			"wpsd.conf:4: bogus: unknown key"},
		{"a block that never ends", "cred={\nfoo\n", "wpsd.conf:1: cred: blocks are not allowed"},
		{"a long line", "device_name=" + strings.Repeat("x", 5000),
			"wpsd.conf:1: longer than 4096 bytes"},
		{"a large file", strings.Repeat("#\n", 40000), "wpsd.conf: larger than 65536 bytes"},
		{"every mistake is told", "a=1\nb=2\n", "wpsd.conf:2: b: unknown key"},
		{"but not without end", strings.Repeat("bogus\n", 100),
			"wpsd.conf: the rest was not read after 20 mistakes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parseTestConfig(tt.text)
			if err == nil {
				t.Fatalf("accepted as %+v", c)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got:  %v\nwant: %s", err, tt.want)
			}
			if strings.Contains(err.Error(), "ssid: unknown") && strings.Contains(tt.text, "{") {
				t.Errorf("complains about the inside of a block: %v", err)
			}
		})
	}
}

func TestConfigFileMissing(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "wpsd.conf")
	if _, err := loadConfig(missing, true); err != nil {
		t.Errorf("the default file is missing: %v", err)
	}
	_, err := loadConfig(missing, false)
	if err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a named file is missing: got %v, want an error with its name", err)
	}
}

// The file that is installed says in comments what the defaults are: with its comment signs removed
// it must parse, and as it is it must mean the same as no file at all.
func TestConfigPackaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "packaging", "wpsd.conf")
	packaged, err := loadConfig(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(packaged.Notes) != 0 {
		t.Errorf("notes: %q", packaged.Notes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var active strings.Builder
	keysSeen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimPrefix(line, "#")
		key, value, ok := strings.Cut(line, "=")
		if _, known := knownKeys[key]; ok && known {
			if strings.TrimSpace(value) != "..." { // a secret that has no example
				active.WriteString(line)
			}
			keysSeen[key] = true
		}
	}
	if _, err := parseTestConfig(active.String()); err != nil {
		t.Errorf("the commented settings: %v", err)
	}
	for _, key := range keys() {
		if !keysSeen[key] {
			t.Errorf("%s is not explained in %s", key, path)
		}
	}
}

// FuzzConfig holds what must be true of any input: no panic, an error that is printable and names
// the file, or a configuration within its limits that does not depend on trailing blank lines and
// comments.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"", "uuid=12345678-9abc-def0-1234-56789abcdef0\n", "device_name=\"a # b\" # c\n",
		"network={\n}\n", "update_config=0",
		"ctrl_interface=DIR=/var/run/wpa_supplicant GROUP=admin\ndevice_name=WPS External Registrar\n", "config_methods=label",
		"device_type=1-0050F204-1\nos_version=01020300\nwps_fragment_size=50\r\n", "=\n", "\"\n",
		"a\x00=\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c, err := parseTestConfig(in)
		if err != nil {
			for _, r := range err.Error() {
				if r != '\n' && (r < ' ' || r == 0x7f) {
					t.Fatalf("control character %q in %q", r, err)
				}
			}
			if !strings.HasPrefix(err.Error(), "wpsd.conf:") || len(err.Error()) > 64<<10 {
				t.Fatalf("error %q", err)
			}
			return
		}
		d := c.Device
		if len(d.DeviceName) > 32 || len(d.Manufacturer) > 64 || len(d.ModelName) > 32 ||
			len(d.ModelNumber) > 32 || len(d.SerialNumber) > 32 {
			t.Fatalf("too long: %+v", d)
		}
		again, err := parseTestConfig(in + "\n\n # end")
		if len(in)+9 > maxConfigSize {
			return
		}
		if err != nil || again.Device.DeviceName != d.DeviceName || again.Device.UUID != d.UUID ||
			again.Processing != c.Processing ||
			again.Device.ConfigMethods != d.ConfigMethods || again.Forget != c.Forget ||
			again.FragmentSize != c.FragmentSize {
			t.Fatalf("with blank lines at the end: %+v %v, want %+v", again, err, c)
		}
	})
}
