package hostnamed

import (
	"context"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/wsc"
	"wpsd/test/testbus"
)

// machine is a hostnamed that says what a test wants it to.
type machine map[string]godbus.Variant

func (m machine) getAll(string) (map[string]godbus.Variant, *godbus.Error) { return m, nil }

// start puts it on a bus of the test's own, and returns another connection to that.
func start(t *testing.T, says map[string]any) *bus.Conn {
	t.Helper()
	b := testbus.For(t)
	if says != nil {
		conn, err := godbus.Connect(b.Address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		m := machine{}
		for name, v := range says {
			m[name] = godbus.MakeVariant(v)
		}
		if err := conn.ExportMethodTable(map[string]any{"GetAll": m.getAll}, path,
			"org.freedesktop.DBus.Properties"); err != nil {
			t.Fatal(err)
		}
		if got, err := conn.RequestName(name, godbus.NameFlagDoNotQueue); err != nil ||
			got != godbus.RequestNameReplyPrimaryOwner {
			t.Fatal(got, err)
		}
	}
	conn, err := bus.Dial(b.Address, bus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says map[string]any
		want Machine
	}{
		"a laptop": {map[string]any{"PrettyHostname": "Grete's laptop", "StaticHostname": "grete",
			"HardwareVendor": "Example", "HardwareModel": "One", "Chassis": "laptop"},
			Machine{"Grete's laptop", "Example", "One", wifiAlliance(1, 5)}},
		"only a host name": {map[string]any{"PrettyHostname": "", "StaticHostname": "grete",
			"Chassis": ""}, Machine{Name: "grete"}},
		"one that DHCP gave": {map[string]any{"StaticHostname": "", "Hostname": "host-17"},
			Machine{Name: "host-17"}},
		"no name":            {map[string]any{"Hostname": "localhost", "Chassis": "vm"}, Machine{}},
		"an unknown chassis": {map[string]any{"Chassis": "spaceship"}, Machine{}},
		"other types": {map[string]any{"PrettyHostname": uint32(7),
			"Chassis": []string{"laptop"}, "HardwareVendor": true}, Machine{}},
		"what is too long is cut between letters": {map[string]any{
			"PrettyHostname": strings.Repeat("é", 17), "HardwareVendor": strings.Repeat("v", 1<<12)},
			Machine{Name: strings.Repeat("é", 16), Manufacturer: strings.Repeat("v", 64)}},
		"what cannot be shown is left out": {map[string]any{
			"PrettyHostname": "\x1b[31m a\u0000b\nc ", "HardwareModel": "\u009b"},
			Machine{Name: "[31m abc"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for key, v := range c.says { // a string of D-Bus has no zero byte
				if text, ok := v.(string); ok {
					c.says[key] = strings.ReplaceAll(text, "\x00", "\x01")
				}
			}
			got, err := Ask(t.Context(), start(t, c.says))
			if err != nil || got != c.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// Where there is nobody to ask the answer comes at once, and one who does not answer is not waited
// for.
func TestNobody(t *testing.T) {
	t.Parallel()
	if m, err := Ask(t.Context(), start(t, nil)); err == nil {
		t.Errorf("it is %+v", m)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if m, err := Ask(ctx, start(t, map[string]any{"Hostname": "slow"})); err == nil {
		t.Errorf("it is %+v", m)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	m := Machine{"machine", "vendor", "model", wifiAlliance(1, 5)}
	configured := wsc.Device{DeviceName: "Ours", ModelName: "Two"}
	got := m.Complete(configured)
	if got.DeviceName != "Ours" || got.Manufacturer != "vendor" || got.ModelName != "Two" ||
		got.PrimaryDeviceType.String() != "1-0050F204-5" {
		t.Errorf("%+v", got)
	}
	if !Needed(configured) || Needed(got) {
		t.Error("what is open is not known")
	}
}
