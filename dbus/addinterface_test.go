package dbus

import (
	"slices"
	"testing"

	godbus "github.com/godbus/dbus/v5"
)

// TestAddInterface: what it asks of the service, that its object is there with the answer, and what
// is refused.
func TestAddInterface(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		const add, remove = managerIface + ".AddInterface", managerIface + ".RemoveInterface"
		path, _ := c.must(rootPath, add, "eth0.7", options())[0].(godbus.ObjectPath)
		if path != rootPath+"/interfaces/eth0_2e7" {
			t.Errorf("AddInterface gives %v", path)
		}
		if got := c.must(path, "org.freedesktop.DBus.Properties.Get", interfaceIface,
			"Driver")[0]; got != godbus.MakeVariant("none") {
			t.Errorf("its driver is %v", got)
		}
		c.refused("NotSupported", rootPath, add, "eth1", options("driver", "sim"))
		c.must(rootPath, remove, path)
		if calls := w.svc.calls(); !slices.Equal(calls,
			[]string{"AddInterface eth0.7 none", "AddInterface eth1 sim",
				"RemoveInterface eth0.7"}) {
			t.Errorf("calls %v", calls)
		}
		c.refused("InvalidArguments", rootPath, add, "eth2", options("radio", "none"))
		c.refused("NotSupported", rootPath, add, "eth2", options("control-path", "/run/hostapd"))
		for _, bad := range []godbus.ObjectPath{"/", rootPath, rootPath + "/interfaces",
			path + "/er", rootPath + "/interfaces/eth0_2", rootPath + "/interfaces/eth0_zz",
			rootPath + "/interfaces/eth0_2E7", rootPath + "/interfaces/wlan0/aps/x"} {
			c.refused("InvalidArguments", rootPath, remove, bad)
		}
		stranger := w.client(stranger)
		stranger.refused("NotAuthorized", rootPath, add, "eth2", options())
		stranger.refused("NotAuthorized", rootPath, remove, path)
		if calls := w.svc.calls(); len(calls) != 3 {
			t.Errorf("the service was called: %v", calls[3:])
		}
	})
}
