package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/testbus"
)

// links is a folder such as the kernel has for network interfaces.
func links(t *testing.T, states map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, state := range states {
		place := filepath.Join(dir, name)
		if err := os.Mkdir(place, 0o755); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "eth") {
			if err := os.Mkdir(filepath.Join(place, "phy80211"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(place, "operstate"), []byte(state+"\n"),
			0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestConnected: a connection is one of an interface with a radio, and none of wpsd's own.
func TestConnected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		states map[string]string
		ifname string
		want   bool
	}{
		{"none at all", nil, "", false},
		{"a station in a network", map[string]string{"wlan0": "down", "wlan1": "up"}, "", true},
		{"a station that waits for its keys", map[string]string{"wlan0": "dormant"}, "", false},
		{"a wire", map[string]string{"eth0": "up", "wlan0": "down"}, "", false},
		{"an interface of wpsd's own", map[string]string{"wps0": "up", "wlan0": "down"}, "", false},
		{"another one than was meant", map[string]string{"wlan0": "down", "wlan1": "up"}, "wlan0",
			false},
		{"a name that is a path", map[string]string{"wlan0": "up"}, "../wlan0/../wlan1", false},
	} {
		up := (onboarding{links: links(t, c.states)}).connected(c.ifname)
		if (len(up) > 0) != c.want {
			t.Errorf("%s: %v", c.name, up)
		}
	}
}

// TestOwnAccessPointIsNoNetwork: an interface that is up because it is an access point of this
// machine is not in a network; one that wpsd does not know may be.
func TestOwnAccessPointIsNoNetwork(t *testing.T) {
	t.Parallel()
	daemon := testbus.For(t)
	service, err := godbus.Connect(daemon.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Close() }()
	all := map[godbus.ObjectPath]map[string]props{rootPath: {managerIface: {}}}
	for name, mode := range map[string]string{"wlan0": "station", "wlan1": "ap", "wlan2": "station"} {
		all[rootPath+"/interfaces/"+godbus.ObjectPath(name)] = map[string]props{interfaceIface: {
			"Name": godbus.MakeVariant(name), "Mode": godbus.MakeVariant(mode)}}
	}
	if err := service.ExportMethodTable(map[string]any{
		"GetManagedObjects": func() (map[godbus.ObjectPath]map[string]props, *godbus.Error) {
			return all, nil
		}}, rootPath, objectManager); err != nil {
		t.Fatal(err)
	}
	if _, err := service.RequestName(busName, godbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		ifname string
		states map[string]string
		want   bool
	}{
		{"an access point of this machine", "",
			map[string]string{"wlan0": "down", "wlan1": "up"}, false},
		{"a station beside it", "", map[string]string{"wlan0": "up", "wlan1": "up"}, true},
		{"one that wpsd does not know", "", map[string]string{"wlan7": "up", "wlan1": "up"}, true},
		{"named it counts as it is", "wlan1", map[string]string{"wlan1": "up"}, true},
	} {
		a := &app{bus: daemon.Address, out: io.Discard, errOut: io.Discard, ifname: c.ifname}
		if got := a.inNetwork(t.Context(), onboarding{links: links(t, c.states)}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Where there is a network there is nothing to wait for, and nobody has to answer.
func TestOnboardInANetwork(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{out: &out, errOut: &out, bus: "unix:path=/nowhere"}
	err := a.onboard(t.Context(), onboarding{grace: time.Minute, limit: time.Hour,
		links: links(t, map[string]string{"wlan0": "up"})})
	if err != nil || !strings.Contains(out.String(), "nothing to do") {
		t.Errorf("%v, %q", err, out.String())
	}
}

// TestEnvironmentOfHooks: only words of the API get there.
func TestEnvironmentOfHooks(t *testing.T) {
	t.Parallel()
	got := environmentOf(map[string]string{"PEER": "02:00:00:00:01:00", "REASON": "pbc-overlap",
		"ROLE": "", "METHOD": "pbc; reboot", "INTERFACE": "$(reboot)", "NETWORKS": "1 2"})
	slices.Sort(got)
	want := []string{"WPSD_NETWORKS=1 2", "WPSD_PEER=02:00:00:00:01:00", "WPSD_REASON=pbc-overlap"}
	if !slices.Equal(got[1:], want) || !strings.HasPrefix(got[0], "PATH=") {
		t.Errorf("%q", got)
	}
}
